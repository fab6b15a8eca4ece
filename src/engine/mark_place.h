/**
 * Mark place: where a request that is marked stands while nothing of it has gone out (store/unsent.h).
 *
 * Threads  any: a request is sent by a thread that fetches, and given a place by the loop's. One lock is for all places,
 *          and a write into a file that is the kernel's at once the longest that it is held for.
 */
#ifndef SCRAPETOP_ENGINE_MARK_PLACE_H
#define SCRAPETOP_ENGINE_MARK_PLACE_H

#include "base/err.h"

#include <stdbool.h>

struct engine;
struct request;

MUST_CHECK enum result mark_places_init(struct engine *engine, struct err *err);
void mark_places_release(struct engine *engine);

/** Before its mark. It may find none: then it counts as sent, as its mark says. */
void mark_place_take(struct engine *engine, struct request *request);

/** It begins to be sent, or is over. False: that cannot be said, so it must not be sent. */
bool mark_place_clear(struct engine *engine, struct request *request);

#endif
