/**
 * The lists of a snapshot: requests in flight and waiting, hosts, failures, endpoints, events.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_SNAPSHOT_LISTS_H
#define SCRAPETOP_ENGINE_SNAPSHOT_LISTS_H

#include <stdint.h>

struct engine;
struct snapshot;

struct filling {
    struct engine *engine;
    struct snapshot *snapshot;
    uint64_t now_us;
};

void snapshot_lists_fill(struct filling *filling);

#endif
