/**
 * Segments looked through from one end to the other: at the start of a session, and to repair or check a run.
 *
 * Errors   those of store/segment_file.h; E-SEG1 shorter than the ledger says.
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_STORE_SEGMENT_SCAN_H
#define SCRAPETOP_STORE_SEGMENT_SCAN_H

#include "store/line.h"
#include "store/record.h"
#include "store/segment_file.h"

/** Compares a file with its extent: cuts a tail (adding to `*discarded`) and syncs, refuses a file
 *  that is missing or too short. */
MUST_CHECK enum result segment_recover(int raw_fd, const struct segment_extent *extent,
                                       uint64_t *discarded, struct err *err);

/** Reads the last committed batch and checks every line's CRC: an unclean stop may hide a lost page. */
MUST_CHECK enum result segment_check_last_batch(int raw_fd, const struct segment_extent *extent,
                                                struct err *err);

/** Calls `visit` for every whole line from byte `from` on whose CRC is right, to the end of the file; passes
 *  over all else. Of the record the endpoint is not known. */
MUST_CHECK enum result segment_each_line(int raw_fd, uint32_t number, uint64_t from,
                                         enum result (*visit)(void *context, struct record *record,
                                                              const struct line_view *line,
                                                              struct err *err),
                                         void *context, struct err *err);

#endif
