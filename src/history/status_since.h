/**
 * How far the listings of a job with `since` have been read, for `status`: of each such endpoint
 * the listings, the latest and the earliest state, and from where the next round asks. Nothing of
 * other jobs.
 *
 * Errors  as store/ledger.h says.
 */
#ifndef SCRAPETOP_HISTORY_STATUS_SINCE_H
#define SCRAPETOP_HISTORY_STATUS_SINCE_H

#include "base/json_write.h"
#include "store/run_reader.h"

/** To stdout; with `w` as its member "increments". */
MUST_CHECK enum result status_since(struct run_reader *reader, struct json_writer *w,
                                    struct err *err);

#endif
