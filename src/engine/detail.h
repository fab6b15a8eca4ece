/**
 * Detail: one request as closely as the engine can tell, and the memory of the latest attempts that
 * this needs. Bodies and URLs are remembered as they came and masked when they are shown: that happens
 * a few times a second at most, an attempt ends thousands of times.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_DETAIL_H
#define SCRAPETOP_ENGINE_DETAIL_H

#include "engine/recall.h"

#include <stdint.h>

struct engine;
struct response;
struct snapshot_detail;

struct detail_log;

struct detail {
    uint64_t id;            /* the request that is looked at, or 0 */
    struct detail_log *log; /* of the latest attempts; NULL when there was no memory for it */
    struct recall recall;   /* the like, of an earlier session */
};

/** Remembers the attempt, for the last DETAIL_ANSWERS of them. */
void detail_note(struct engine *engine, const struct response *response);
void detail_fill(struct engine *engine, uint64_t id, uint64_t now_us, struct snapshot_detail *out);
void detail_release(struct engine *engine);

#endif
