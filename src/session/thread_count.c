#include "session/thread_count.h"

#include "base/units.h"
#include "engine/descriptors.h"

#include <stdlib.h>
#include <uv.h>

#define VARIABLE "SCRAPETOP_THREADS"

static unsigned that_pay(const struct thread_room *room)
{
    unsigned cores = room->connections < THREAD_COUNT_CONNECTIONS ? 1 : room->cores;

    return cores <= 2 ? 1 : cores - 1 < THREAD_COUNT_PAYS ? cores - 1 : THREAD_COUNT_PAYS;
}

bool thread_count_is_given(const struct job *job, const char *variable)
{
    return job->network.threads || (variable && variable[0]);
}

enum result thread_count(const struct job *job, const char *variable,
                         const struct thread_room *room, unsigned *count, struct err *err)
{
    uint64_t given = 0;

    if (job->network.threads) {
        *count = job->network.threads;
        return RESULT_OK;
    }
    if (!thread_count_is_given(job, variable)) {
        *count = that_pay(room);
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

enum result thread_count_here(const struct job *job, unsigned *count, bool *is_given,
                              struct err *err)
{
    const struct thread_room room = { uv_available_parallelism(), descriptors_for_connections() };
    const char *variable = getenv(VARIABLE);

    *is_given = thread_count_is_given(job, variable);
    return thread_count(job, variable, &room, count, err);
}
