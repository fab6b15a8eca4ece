/**
 * What became of each input: a line of JSON for each of the requests that the job names by itself, in their order.
 *
 *   {"_key":"17","id":"17","city":"Oslo","_outcome":"done","_status":200,"_attempts":1,"_error":null}
 *
 * The input's own values come after the key: those that its URL, body or headers name, as columns
 * of a file or variables. `_outcome` is done, failed, waiting (for
 * another try) or not asked. Of a listing it is the first page's. URLs are left out, as they may hold secrets.
 *
 * Errors   E-OUTC1: a run that polls asks each input many times. Those of the seeds, of the ledger and of the temporary
 *          file.
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_HISTORY_OUTCOMES_H
#define SCRAPETOP_HISTORY_OUTCOMES_H

#include "base/err.h"
#include "job/job.h"
#include "store/ledger.h"

#define OUTCOMES_COLUMNS "_key, _outcome, _status, _attempts, _error"

/** Of all endpoints that have inputs, or of one: its index + 1. `list_fds`: as of seeds_new. `*fd` is a file without
 *  a name, the caller's. */
MUST_CHECK enum result outcomes_write(struct ledger *ledger, const struct job *job,
                                      const int *list_fds, uint32_t endpoint, int *fd,
                                      struct err *err);

#endif
