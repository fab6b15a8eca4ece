/**
 * An archive's segments without the lines that nobody names any more: what is left of each is written once more, after the
 * last segment, and the file goes.
 *
 * The order, of which a kill may come between any two: copies written and synced; one transaction in which the rows name
 * the copies, and the old segment is dropped; its files removed; the drop forgotten. What a kill leaves is a tail that
 * the next session cuts, or a file that it removes.
 *
 * A segment of which a line is damaged stays as it is, and is counted.
 *
 * Ownership  archive_rewrite_end releases all but the struct.
 * Errors     those of store/archive.h. After RESULT_FULL the archive is as it was.
 * Threads    archive_rewrite_step those of the archive, between batches; the others any one, not beside it.
 */
#ifndef SCRAPETOP_STORE_ARCHIVE_RETIRE_H
#define SCRAPETOP_STORE_ARCHIVE_RETIRE_H

#include "store/archive.h"
#include "store/ledger_retire.h"
#include "store/segment_reader.h"

/** Private but for the figures. */
struct archive_rewrite {
    struct ledger_holey which;
    uint32_t number;             /* of the segment in hand; 0: none */
    uint64_t size;               /* of its file */
    uint64_t from;               /* in it: what is before has been copied */
    uint64_t most;               /* bytes copied in one step */
    struct ledger_copied copied; /* what a copy elsewhere has, as it was when all began */
    uint64_t twins;              /* bytes that the present step has written of that */
    int raw_fd;
    struct segment_reader reader;
    struct buf line;
    struct record *page;
    /* so far */
    uint32_t segments; /* that went */
    uint64_t bytes;    /* of disk less */
    uint32_t left;     /* segments that stay for their damage, and the first of them */
    uint32_t first_left;
};

/** `live`: the archive is written meanwhile, so that steps are small, and only segments go of which half is nobody's.
 *  Without, the copies go to a segment of their own. */
MUST_CHECK enum result archive_rewrite_begin(struct archive_rewrite *rewrite,
                                             struct archive *archive, bool live,
                                             const struct ledger_copied *copied, struct err *err);

/** Takes the next segment in hand: `rewrite->number`, unless there is none. `ledger`: the archive's, or one that reads it. */
MUST_CHECK enum result archive_rewrite_next(struct archive_rewrite *rewrite, struct ledger *ledger,
                                            struct err *err);

/** Copies some of its lines; with the last it is dropped, and `number` is 0. */
MUST_CHECK enum result archive_rewrite_step(struct archive_rewrite *rewrite,
                                            struct archive *archive, struct err *err);
void archive_rewrite_end(struct archive_rewrite *rewrite);

#endif
