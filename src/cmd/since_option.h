/**
 * `--since VALUE`, `--since ENDPOINT=VALUE`: how far the listings of an endpoint with `since` are
 * said to have been read.
 *
 * In a run that begins it takes the place of the endpoint's "start"; else it is for the round that
 * this command begins.
 *
 * Errors   E-ARG1: no such endpoint, no value, one of another kind than "start", or one in the
 * future.
 */
#ifndef SCRAPETOP_CMD_SINCE_OPTION_H
#define SCRAPETOP_CMD_SINCE_OPTION_H

#include "job/job.h"
#include "store/ledger.h"

#define SINCE_OPTION_MAX JOB_ENDPOINTS_MAX

struct since_option {
    const char *texts[SINCE_OPTION_MAX];
    size_t count;
};

/** Whether some endpoint of the job has a `since`. */
bool since_option_has(const struct job *job);

/** What that says of the job's endpoints: up to SINCE_OPTION_MAX `sets`, one for each endpoint that
 *  is meant. `wall_us` is now. */
MUST_CHECK enum result since_option_read(const struct since_option *option, const struct job *job,
                                         int64_t wall_us,
                                         struct ledger_since_set sets[SINCE_OPTION_MAX],
                                         size_t *count, struct err *err);

/** Of a run that begins: they are where it starts. */
void since_option_start(struct job *job, const struct ledger_since_set *sets, size_t count);

#endif
