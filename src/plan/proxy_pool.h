/**
 * Pool of proxies: through which of them a host is asked.
 *
 * A host keeps the one that it began with, and hosts are spread over all. What a host answers to one of them (429, 403
 * again and again), or a host that one cannot reach, holds that pair of host and proxy; a proxy that is not there holds
 * all its pairs. A host whose pair is held goes on through the next that is free, and stays there.
 *
 * Pure: told the time. Hosts are told by their index and its serial, as indices are used again.
 *
 * Ownership  proxy_pool_release frees everything.
 * Units      microseconds, monotonic; TIME_NEVER is for good.
 */
#ifndef SCRAPETOP_PLAN_PROXY_POOL_H
#define SCRAPETOP_PLAN_PROXY_POOL_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define PROXY_POOL_MAX 256

struct proxy_pool_host;

struct proxy_pool {
    uint32_t count; /* proxies; 0: there is no pool */
    uint64_t *down_until_us;
    struct proxy_pool_host *hosts; /* by their index */
    uint32_t host_count;
};

/** RESULT_NOMEM, RESULT_LIMIT. */
MUST_CHECK enum result proxy_pool_init(struct proxy_pool *pool, uint32_t count);
void proxy_pool_release(struct proxy_pool *pool);

/** The proxy of a host, from 0. `key` tells hosts of one index apart. Without memory it is not kept. Where none is free
 *  it is the host's own, or when that one is gone for good the first to be free again. */
uint32_t proxy_pool_choose(struct proxy_pool *pool, uint32_t host, uint32_t key, uint64_t now_us);

/** Holds the pair. False when no other proxy is free for that host: then nothing is held. */
bool proxy_pool_hold(struct proxy_pool *pool, uint32_t host, uint32_t key, uint32_t proxy,
                     uint64_t until_us, uint64_t now_us);

/** The proxy is not there. False when no other is free, or, with TIME_NEVER, when all others are gone for good as well:
 *  the run cannot go on. */
bool proxy_pool_down(struct proxy_pool *pool, uint32_t proxy, uint64_t until_us, uint64_t now_us);

/** The host was not reached through it; told before the pair or the proxy is held. False when that is so of as many in a
 *  row as there are: another is no better then, however long each took to say so. An answer ends the row. */
bool proxy_pool_failed(struct proxy_pool *pool, uint32_t host, uint32_t key, uint32_t proxy,
                       uint64_t now_us);
void proxy_pool_answered(struct proxy_pool *pool, uint32_t host, uint32_t key);

/** Counts refusals in a row of the pair in use; an answer that went well ends the row. */
unsigned proxy_pool_refused(struct proxy_pool *pool, uint32_t host, uint32_t key);
void proxy_pool_well(struct proxy_pool *pool, uint32_t host, uint32_t key);

#endif
