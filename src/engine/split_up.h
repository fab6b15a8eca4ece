/**
 * An answer that says that too much was asked for leads to requests for parts of it (plan/split.h).
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_SPLIT_UP_H
#define SCRAPETOP_ENGINE_SPLIT_UP_H

#include "job/job.h"

#include <stdbool.h>
#include <stdint.h>

struct discoveries;
struct engine;
struct response;

struct split_up {
    /* Splits of each endpoint in a row without an answer of it that counts. */
    uint16_t barren[JOB_ENDPOINTS_MAX];
    uint64_t count; /* of this session */
};

/** True: it is settled, with its parts. Takes the response then. `discoveries` are what it led to so far. */
bool split_up_takes(struct engine *engine, struct response *response,
                    struct discoveries *discoveries);

#endif
