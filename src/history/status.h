/**
 * What a run holds so far, live or at rest: counts, deadlines, endpoints, why requests failed.
 *
 * Errors  as store/ledger.h says.
 */
#ifndef SCRAPETOP_HISTORY_STATUS_H
#define SCRAPETOP_HISTORY_STATUS_H

#include "store/run_reader.h"

/** Whether the run is live and well (control/health.h): EXIT_WELL, EXIT_INTERNAL, or EXIT_NOT_LIVE, and a line that says
 *  why not. */
int status_check(struct run_reader *reader);

/** To stdout; `json`: one object. A live run's has `live`, all that its screen has. */
MUST_CHECK enum result status_print(struct run_reader *reader, bool json, struct err *err);

#endif
