/**
 * How many threads fetch (fetch/fetch.h).
 *
 * What the job says; else what SCRAPETOP_THREADS says, which is for those who start many runs alike; else as many as pay:
 * none beside the loop's on up to two cores, where the loop, who commits and the system have these. From then on one less
 * than there are cores, and no more than THREAD_COUNT_PAYS: what one engine can keep busy. Each has a loop, which takes
 * some descriptors: where these are few, they are left to connections.
 *
 * Where nobody has said, and so many are not to be had, none but the loop's does.
 *
 * Errors  E-THREAD1: the variable is no such number.
 */
#ifndef SCRAPETOP_SESSION_THREAD_COUNT_H
#define SCRAPETOP_SESSION_THREAD_COUNT_H

#include "base/err.h"
#include "job/job.h"

#define THREAD_COUNT_PAYS 4

#define THREAD_COUNT_CONNECTIONS 128

struct thread_room {
    unsigned cores; /* that the process may use */
    unsigned
        connections; /* for which there are descriptors; fewer than THREAD_COUNT_CONNECTIONS are few */
};

/** From 1. */
MUST_CHECK enum result thread_count(const struct job *job, const char *variable,
                                    const struct thread_room *room, unsigned *count,
                                    struct err *err);

/** Somebody has said how many. */
bool thread_count_is_given(const struct job *job, const char *variable);

/** The same of this process and its environment. */
MUST_CHECK enum result thread_count_here(const struct job *job, unsigned *count, bool *is_given,
                                         struct err *err);

#endif
