/**
 * What a run holds so far, live or at rest: counts, deadlines, endpoints, why requests failed.
 *
 * Errors  as store/ledger.h says.
 */
#ifndef SCRAPETOP_HISTORY_STATUS_H
#define SCRAPETOP_HISTORY_STATUS_H

#include "store/run_reader.h"

/** To stdout; `json`: one object. */
MUST_CHECK enum result status_print(struct run_reader *reader, bool json, struct err *err);

#endif
