/**
 * Bodies that are read on the pool, so that the loop does not stand still for them.
 *
 * What comes while the pool is at work is gathered, and goes there together: one handover for many
 * bodies. A body that is made into JSON of its own goes alone, since memory is kept back for one of
 * those at a time. When the pool or the store does not keep up, all processors are at work: then
 * the loop reads the smaller bodies itself, which so wait nowhere and hold no memory.
 *
 *   body_checks_put --> gathering --(the pool is free)--> `read` on the pool --> `done` on the loop
 *
 * Bodies are read one after the other, and `done` is called once for each, in the order of put.
 *
 * Threads  loop thread only, but for `read`.
 */
#ifndef SCRAPETOP_ENGINE_BODY_CHECKS_H
#define SCRAPETOP_ENGINE_BODY_CHECKS_H

#include "engine/opinion.h"
#include "plan/discovered.h"
#include "work/work.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct check_batch;
struct engine;
struct response;

/** What was read in a body, on the loop or on the pool. */
struct body_result {
    struct request *clear; /* the request asked, when that is sealed; or NULL */
    struct discoveries discoveries;
    struct opinion opinion;
};

struct body_checks {
    void (*read)(const struct engine *engine, struct response *response,
                 struct body_result *reading);
    /* Cancelled: `read` was not called. The reading is released after it. */
    void (*done)(struct engine *engine, struct response *response, struct body_result *reading,
                 bool cancelled);
    /* Private: */
    bool is_alone; /* on one processor the pool would only take turns with the loop */
    struct check_batch *gathering; /* not yet handed over; or NULL */
    size_t batches;                /* handed over */
    size_t growing;                /* bodies that are made into JSON */
    /* what one of these may take at most, kept back from the memory of all bodies */
    uint64_t grow_bytes;
};

void body_result_release(struct body_result *reading);

/** By how many processors there are; `read` and `done` are the caller's to set. */
void body_checks_init(struct body_checks *checks, unsigned processors);

/** Whether a body of so many bytes is better read on the pool. `leads_on`: further requests may be
 *  made of it. */
bool body_checks_want(const struct engine *engine, size_t bytes, bool leads_on);

/** Takes the response and `clear` (or NULL). False without memory: they are still the caller's. */
bool body_checks_put(struct engine *engine, struct response *response, struct request *clear);

/** All that the pool has not begun come back cancelled, in the next turns of the loop. */
void body_checks_cancel(struct engine *engine);

#endif
