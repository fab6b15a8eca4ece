/**
 * The lists of a snapshot: requests in flight and waiting, hosts, failures, endpoints, events.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_SNAPSHOT_LISTS_H
#define SCRAPETOP_ENGINE_SNAPSHOT_LISTS_H

#include <stdint.h>

struct engine;
struct request;
struct snapshot;
struct snapshot_wait;

/* A snapshot that is being filled. */
struct filling {
    struct engine *engine;
    struct snapshot *snapshot;
    uint64_t now_us;
};

void snapshot_lists_fill(struct filling *filling);

/** One that waits, as the list of these has it. */
void snapshot_lists_wait(struct engine *engine, const struct request *request, uint64_t now_us,
                         struct snapshot_wait *wait);

#endif
