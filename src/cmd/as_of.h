/**
 * normalise --as-of: runs as they were then.
 *
 * Threads  main thread.
 */
#ifndef SCRAPETOP_CMD_AS_OF_H
#define SCRAPETOP_CMD_AS_OF_H

#include "cmd/opened_runs.h"

/** Of a run that is asked again, what its ledger shows from now on; nothing is done to others, whose answers are passed
 *  over one by one. E-ARG1: the endpoint's table of then cannot be made any more. */
MUST_CHECK enum result as_of_go_back(struct opened_run *run, int64_t as_of_us,
                                     const struct job_endpoint *of, struct err *err);

#endif
