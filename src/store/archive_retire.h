/**
 * An archive's segments without the lines that nobody names any more: what is left of each is written once more, after the
 * last segment, and the file goes.
 *
 * The order, of which a kill may come between any two: copies written and synced; one transaction in which the rows name
 * the copies, and the old segment is dropped; its files removed; the drop forgotten. What a kill leaves is a tail that
 * the next session cuts, or a file that it removes.
 *
 * Errors   those of store/archive.h; RESULT_CORRUPT (E-SEG2): a line is damaged, and its segment stays as it is.
 * Threads  those of the archive, between batches.
 */
#ifndef SCRAPETOP_STORE_ARCHIVE_RETIRE_H
#define SCRAPETOP_STORE_ARCHIVE_RETIRE_H

#include "store/archive.h"

/** `*segments` that went, `*bytes` of disk less. */
MUST_CHECK enum result archive_rewrite(struct archive *archive, uint32_t *segments, uint64_t *bytes,
                                       struct err *err);

#endif
