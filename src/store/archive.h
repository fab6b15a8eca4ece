/**
 * The archive: a run's segments and its ledger as one thing, changed a batch at a time.
 *
 * This is the order that everything else relies on: the batch's lines written, then fdatasync, then
 * one ledger transaction with their rows and the segment's new length. Nothing here knows threads,
 * queues or when to try again; that is the committer's.
 *
 * Ownership  borrows the directory; archive_close releases everything but the struct.
 * Errors     as store/segment.h and store/ledger.h say. After RESULT_FULL archive_store is to be
 *            called again with the same batch, or archive_abandon; after any other error neither.
 */
#ifndef SCRAPETOP_STORE_ARCHIVE_H
#define SCRAPETOP_STORE_ARCHIVE_H

#include "store/ledger.h"
#include "store/line.h"
#include "store/orphans.h"
#include "store/packer.h"
#include "store/segment.h"

/* How far the batch in hand is. Trying again repeats a step, never one before it. */
enum archive_step {
    ARCHIVE_WRITE,  /* lines -> segment, synced */
    ARCHIVE_COMMIT, /* rows and length -> ledger */
};

struct archive { /* private but for `ledger`, which may be read between batches */
    const struct run_dir *dir;
    struct ledger *ledger;
    struct segment segment;
    int raw_fd;
    uint32_t announced; /* the segment that the ledger knows */
    struct line line;
    enum archive_step step;
    struct packer *packer;          /* NULL: segments stay as they are */
    struct str notes[LEDGER_NOTES]; /* to be kept with the next batch, borrowed; empty: nothing */
    uint64_t outbox_done;           /* likewise: others know of all up to there; 0: of no more */
    struct segment_extent next;     /* what the ledger is to say after this batch */
};

struct archive_options {
    /* NULL: nothing will be found in this run; borrowed until close */
    const struct ledger_plan *plan;
    struct str job; /* the text of job.json, of which the ledger keeps a copy; or STR_NONE */
    struct ledger_clock clock; /* the session's start */
    /* Decides which records without a row are adopted. NULL: they are cut, or refused (E-LEDG6) when no kill
     * explains them. */
    orphans_claim_fn *claim;
    void *context;    /* of `claim` */
    bool packs;       /* segments that are closed are packed (store/packer.h) */
    bool sends_again; /* what an earlier session may have sent is sent again, whatever it is */
};

/** Opens or creates both, recovers, and notes the session's start. On failure there is nothing to close. */
MUST_CHECK enum result archive_open(struct archive *archive, const struct run_dir *dir,
                                    const struct archive_options *options,
                                    struct recovery *recovery, struct err *err);

/** Stores a list of settlements, and with it the plan's size unless that is 0. Fills in their
 *  `record` and `duplicate`. The list may be empty. */
MUST_CHECK enum result archive_store(struct archive *archive, struct settlement *batch,
                                     uint64_t planned, struct err *err);

/** Whether all that was stored is still where the next one who opens the run looks for it: RESULT_NOT_FOUND
 *  (E-DIR4, E-LOCK2) when somebody has taken it away. archive_store asks for itself. */
MUST_CHECK enum result archive_look(struct archive *archive, struct err *err);

/** After RESULT_FULL: forgets the batch, so that another may be tried. */
MUST_CHECK enum result archive_abandon(struct archive *archive, struct err *err);

/** The ledger hears of a segment before its first line is written: begins the next one when that is due. */
MUST_CHECK enum result archive_announce(struct archive *archive, struct err *err);

/** The next line begins another segment. */
void archive_close_segment(struct archive *archive);

/** Leaves everything as it is; ledger_checkpoint before it leaves a ledger of one file. */
void archive_close(struct archive *archive);

#endif
