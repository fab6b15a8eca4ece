/**
 * Judge: what came back, what it means, and where it goes next.
 *
 *   response --(2xx: is it JSON to its end?)--> verdict
 *     DONE, FINAL, AGAIN --> settlement (settle.c)
 *     REDIRECT, FREE     --> back to the frontier
 *
 * What a good body gives rise to (discover.c) is read where it is checked, and settled with it.
 *
 * A body is checked on the loop when it is small, on the pool when it is not (body_checks.h): of a
 * fast run the loop is what binds, and it must not stand still for the 60 ms that 64 MB take.
 *
 * Threads  loop thread only, but for judge_read_ahead.
 */
#ifndef SCRAPETOP_ENGINE_JUDGE_H
#define SCRAPETOP_ENGINE_JUDGE_H

#include "engine/body_checks.h"
#include "engine/split_up.h"
#include "plan/deep_limit.h"
#include "plan/same_answer.h"
#include "work/work.h"

#include <stddef.h>
#include <stdint.h>

struct engine;
struct response;

struct judging {
    struct work pool;    /* bodies: apart, so that a table does not keep them waiting */
    size_t count, bytes; /* bodies on the pool, or about to be */
    struct body_checks checks;
    /* what bodies were instead of JSON (enum body_was), as far as it has been told */
    unsigned told_bodies;
    uint64_t slept_from_us;     /* transfers begun before this lost time to a stop */
    uint64_t no_files_since_us; /* nothing but that there is no descriptor; 0: it is not so */
    struct same_answer same_answer;
    struct deep_limits deep_limits;
    struct split_up split_up;
};

/** Before the first response. */
void judge_init(struct engine *engine);

void judge_response(void *engine, struct response *response); /* fetch's on_response */

/** fetch's on_ended: reads a body that is not too large, in the thread that fetched it. */
void judge_read_ahead(void *engine, struct response *response);

#endif
