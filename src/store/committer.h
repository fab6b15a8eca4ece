/**
 * The committer: an answer is on the disk before anything counts it as done.
 *
 * One thread of its own holds the segment files and the only SQLite connection. The loop thread
 * hands it settlements whole and gets each back, through `on_committed` on the loop, once it is
 * durable. The order, for every batch:
 *
 *   lines written -> fdatasync -> one SQLite transaction (synchronous=FULL) -> on_committed
 *
 * What gathers while one batch syncs is the next batch. A batch closes COMMITTER_LINGER_US after its
 * first settlement, or sooner at COMMITTER_BATCH_BYTES or _COUNT, so that neither a slow scrape nor
 * a fast one syncs per record.
 *
 *   loop thread                                   committer thread
 *     committer_put ----- settlements (list) ------> write, sync, commit
 *     on_committed <----- the same, settled -------- uv_async
 *     committer_event --- text line ---------------> events.jsonl (no sync)
 *     committer_read_discovered --- one question -------> the ledger
 *     on_found <------------ a few hundred requests -
 *     committer_read_failed -- the like, of one -----> the ledger
 *     on_failed <----------- its row ---------------
 *
 * Failures   A full disk (ENOSPC, EDQUOT, EFBIG) pauses: `on_trouble` is told RESULT_FULL, the
 *            ballast is given up so that what is in memory can be kept, and the disk probed every
 *            COMMITTER_PROBE_US; RESULT_OK is told once the ballast stands again. Settlements put in
 *            the meantime are committed as far as there is room. Any other failure, a failed sync
 *            above all, is final: `on_trouble` is told RESULT_IO (or _NOMEM, _CORRUPT, _LIMIT, or
 *            _NOT_FOUND when somebody has taken away what was stored: archive_look),
 *            nothing more is written, and what is not yet durable comes back with `state`
 *            SETTLE_LOST. Ignore SIGXFSZ in the process; the thread itself takes no signals.
 *            While another program holds the ledger the thread waits for as long as it takes: after
 *            COMMITTER_BUSY_US `on_trouble` is told RESULT_BUSY, and RESULT_OK when it goes on. Only a
 *            committer that is being closed loses its patience.
 * Ownership  a settlement belongs to the committer from put to on_committed.
 * Bounds     committer_is_full() at COMMITTER_QUEUE_BYTES or _COUNT; the engine then starts nothing.
 * Threads    all calls on the loop thread, unless said otherwise.
 */
#ifndef SCRAPETOP_STORE_COMMITTER_H
#define SCRAPETOP_STORE_COMMITTER_H

#include "base/clock.h"
#include "store/ledger.h"
#include "store/orphans.h"
#include "store/record.h"
#include "store/recovery.h"
#include "store/run_dir.h"
#include "store/settlement.h"
#include "store/tender.h"

#include <uv.h>

#define COMMITTER_LINGER_US 25000
#define COMMITTER_BATCH_BYTES (1U << 20)
#define COMMITTER_BATCH_COUNT 1024
#define COMMITTER_PROBE_US 2000000
#define COMMITTER_BUSY_US 1000000
#define COMMITTER_QUEUE_BYTES (64U << 20)
#define COMMITTER_QUEUE_COUNT 16384
#define COMMITTER_EVENTS_BYTES (1U << 20) /* lines waiting to be appended; more are dropped */

struct committer_options {
    uv_loop_t *loop;
    const struct run_dir *dir;      /* borrowed, outlives the committer; held (run_dir_open) */
    const struct ledger_plan *plan; /* NULL: in this run nothing is found */
    struct str job;          /* see struct archive_options; borrowed until committer_open returns */
    orphans_claim_fn *claim; /* see struct archive_options; with `context` */
    bool sends_again;        /* see struct archive_options */
    bool packs;              /* likewise */
    const struct tending *tending; /* who looks after the store meanwhile; NULL: nobody; borrowed */
    struct clock clock;
    uint64_t boot;                                                /* see struct ledger_clock */
    void (*on_committed)(void *context, struct settlement *list); /* in order of put */
    void (*on_trouble)(void *context, enum result result, const struct err *err);
    /* The answer to committer_read_discovered; takes the requests. With fewer than were asked for there are no
     * more for now. Also before `closed`, when the question came before the close. */
    void (*on_found)(void *context, struct request *list, size_t count);
    /* The answer to committer_read_failed; the row for the call only. NULL: it has no failure, or the ledger
     * cannot be read. Also before `closed`, when the question came before the close. */
    void (*on_failed)(void *context, uint64_t id, const struct failed_row *row);
    /* What `tending` says, by tender_tell. */
    void (*on_tended)(void *context, bool is_trouble, const char *text);
    void *context;
};

struct committer;

/** Opens or creates ledger and segments, and recovers: after an unclean stop checks the ledger and
 *  the last batch, and always cuts what lies after the committed lengths and is not claimed. Does not yet
 *  start the thread. E-LEDG1..4 foreign, newer, corrupt ledger or missing segment (or bodies without a ledger);
 *  E-LEDG6 a ledger older than the bodies, of a job that cannot make up for it; E-SEG1 a segment shorter than
 *  what was committed, E-SEG2 the last batch is damaged, E-SEG3 a segment that is no file. */
MUST_CHECK enum result committer_open(struct committer **committer,
                                      const struct committer_options *options,
                                      struct recovery *recovery, struct err *err);

/** Before start: every row, in order of id. Synchronous. */
MUST_CHECK enum result committer_each_row(struct committer *committer,
                                          void (*visit)(void *context,
                                                        const struct ledger_row *row),
                                          void *context, struct err *err);

/** Before start: those that wait for what is not ready, in order of id. Synchronous. */
MUST_CHECK enum result committer_each_exchange(struct committer *committer,
                                               enum result (*visit)(void *context, uint64_t id,
                                                                    const struct exchange *exchange,
                                                                    struct err *err),
                                               void *context, struct err *err);

/** Before start: the found requests that wait, in order of id; see ledger_each_discovered. Synchronous. */
MUST_CHECK enum result committer_each_waiting(struct committer *committer,
                                              enum result (*visit)(void *context,
                                                                   struct request *request,
                                                                   int64_t not_before_us),
                                              void *context, struct err *err);

/** Before start: how many were found, by endpoint. Synchronous. */
MUST_CHECK enum result committer_count_discovered(struct committer *committer, uint64_t *counts,
                                                  size_t endpoint_count, struct err *err);

/** Before start: the highest id of what was found; 0: nothing was. Synchronous. */
MUST_CHECK enum result committer_last_found(struct committer *committer, uint64_t *id,
                                            struct err *err);

/** Before start: see ledger_outbox_ends. Synchronous. */
MUST_CHECK enum result committer_outbox_ends(struct committer *committer, uint64_t *before,
                                             uint64_t *last, struct err *err);

/** Before start: takes in a plan that has changed (ledger_merge), after which other requests are done, failed
 *  or waiting. Synchronous. */
MUST_CHECK enum result committer_merge(struct committer *committer, struct ledger_merge *merge,
                                       struct recovery *recovery, struct err *err);

/** Before start: how far the rounds of polls were. Synchronous. */
MUST_CHECK enum result committer_read_rounds(struct committer *committer,
                                             struct rounds_kept *rounds, struct err *err);

/** Before start: how far listings have been read, in order of number. Synchronous. */
MUST_CHECK enum result committer_each_since(struct committer *committer, ledger_since_fn *visit,
                                            void *context, struct err *err);

/** Before start: what was kept as that, appended. RESULT_NOT_FOUND: nothing. Synchronous. */
MUST_CHECK enum result committer_read_note(struct committer *committer, enum ledger_note note,
                                           struct buf *text, struct err *err);

MUST_CHECK enum result committer_start(struct committer *committer, struct err *err);

/** Also with a part of a round of polls (SETTLE_ROUND), which has no response. */
void committer_put(struct committer *committer, struct settlement *settlement);
bool committer_is_full(const struct committer *committer);

/** Settlements put and not yet back. */
size_t committer_pending(const struct committer *committer);
size_t committer_pending_bytes(const struct committer *committer);

/** Ends the present linger: commit what is there. For when nothing more will come soon. While the disk
 *  is full: probe it now. */
void committer_flush(struct committer *committer);

/** How many requests the plan has, once that is known; kept for `status`. */
void committer_set_planned(struct committer *committer, uint64_t planned);

/** What is to be kept as that, in the place of what was. Copied; an empty text changes nothing. */
void committer_set_note(struct committer *committer, enum ledger_note note, struct str text);

/** Other workers know of all up to that place in the outbox. */
void committer_drop_outbox(struct committer *committer, uint64_t upto);

/** Appends one line (JSON object without line feed) to events.jsonl. Copied; dropped and counted
 *  when COMMITTER_EVENTS_BYTES are waiting: a line {"event":"dropped","lines":N} then tells. */
void committer_event(struct committer *committer, struct str line);

/** Asks for up to `max` found requests with id > `after_id` that have neither ended nor wait, in order of
 *  id and of what is committed by then; or for those with the given ids (borrowed until the answer), as if
 *  never asked. One question at a time: on_found comes before the next. When the ledger cannot be read,
 *  on_trouble is told, and on_found comes with less. */
struct committer_question {
    uint64_t after_id;
    size_t max;
    const uint64_t *ids; /* or NULL */
    size_t id_count;
    /* or else NULL: filled in for as many endpoints, and no request comes */
    struct page_account *accounts;
    size_t account_count;
    /* or else: of the outbox, those after the place `after_id`. With `ends` (or NULL) it is filled anew first, and no
     * request comes: filled in are the place before its first, and its last */
    bool of_outbox;
    uint64_t *ends;
};

void committer_read_discovered(struct committer *committer,
                               const struct committer_question *question);

/** Asks for what the ledger has of a request that failed or waits, by what is committed then. One question at
 *  a time: on_failed comes before the next. */
void committer_read_failed(struct committer *committer, uint64_t id);

/** Commits what was put, writes the session's end (`clean` when nothing is left undone by force),
 *  folds the ledger into one file, joins the thread, closes its uv handles and then calls `closed`
 *  on the loop, with the options' context; the committer is freed by then. Everything put has come
 *  back before that; with a disk that is still full, what found no room comes back as SETTLE_LOST. */
void committer_close(struct committer *committer, bool clean, void (*closed)(void *context));

#endif
