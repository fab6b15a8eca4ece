#include "session/thread_count.h"

#include "base/units.h"

#include <stdlib.h>
#include <uv.h>

#define VARIABLE "SCRAPETOP_THREADS"

static unsigned that_pay(unsigned cores)
{
    return cores <= 2 ? 1 : cores - 1 < THREAD_COUNT_PAYS ? cores - 1 : THREAD_COUNT_PAYS;
}

enum result thread_count(const struct job *job, const char *variable, unsigned cores,
                         unsigned *count, struct err *err)
{
    uint64_t given = 0;

    if (job->network.threads) {
        *count = job->network.threads;
        return RESULT_OK;
    }
    if (!variable || !variable[0]) {
        *count = that_pay(cores);
        return RESULT_OK;
    }
    if (units_parse_count(str_view(variable), 1, JOB_THREADS_MAX, &given, NULL) != RESULT_OK) {
        return err_set(err, RESULT_INVALID, "E-THREAD1",
                       VARIABLE " is \"%.32s\"; want a number from 1 to %d", variable,
                       JOB_THREADS_MAX);
    }
    *count = (unsigned)given;
    return RESULT_OK;
}

enum result thread_count_here(const struct job *job, unsigned *count, struct err *err)
{
    return thread_count(job, getenv(VARIABLE), uv_available_parallelism(), count, err);
}
