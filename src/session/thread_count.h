/**
 * How many threads fetch (fetch/fetch.h).
 *
 * What the job says; else what SCRAPETOP_THREADS says, which is for those who start many runs alike; else as many as pay:
 * none beside the loop's on up to two cores, where the loop, who commits and the system have these. From then on one less
 * than there are cores, and no more than THREAD_COUNT_PAYS: what one engine can keep busy.
 *
 * Errors  E-THREAD1: the variable is no such number.
 */
#ifndef SCRAPETOP_SESSION_THREAD_COUNT_H
#define SCRAPETOP_SESSION_THREAD_COUNT_H

#include "base/err.h"
#include "job/job.h"

#define THREAD_COUNT_PAYS 4

/** From 1. `cores` that the process may use. */
MUST_CHECK enum result thread_count(const struct job *job, const char *variable, unsigned cores,
                                    unsigned *count, struct err *err);

/** The same of this process and its environment. */
MUST_CHECK enum result thread_count_here(const struct job *job, unsigned *count, struct err *err);

#endif
