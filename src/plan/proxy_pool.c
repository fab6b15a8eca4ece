#include "plan/proxy_pool.h"

#include "base/clock.h"

#include <stdlib.h>

struct proxy_pool_host {
    uint32_t key;
    uint32_t current;        /* proxy + 1; 0: not chosen yet */
    unsigned refused;        /* in a row */
    uint32_t failed;         /* proxies in a row through which it was not reached */
    uint64_t *held_until_us; /* by proxy; NULL: none was held */
};

enum result proxy_pool_init(struct proxy_pool *pool, uint32_t count)
{
    *pool = (struct proxy_pool){ .count = count };
    if (count > PROXY_POOL_MAX) {
        return RESULT_LIMIT;
    }
    pool->down_until_us = count ? calloc(count, sizeof *pool->down_until_us) : NULL;
    return !count || pool->down_until_us ? RESULT_OK : RESULT_NOMEM;
}

void proxy_pool_release(struct proxy_pool *pool)
{
    for (uint32_t i = 0; i < pool->host_count; i++) {
        free(pool->hosts[i].held_until_us);
    }
    free(pool->hosts);
    free(pool->down_until_us);
    *pool = (struct proxy_pool){ .count = 0 };
}

/* NULL without memory. */
static struct proxy_pool_host *find(struct proxy_pool *pool, uint32_t index, uint32_t key)
{
    struct proxy_pool_host *host;

    if (index >= pool->host_count) {
        uint32_t count = index + 1 > 2 * pool->host_count ? index + 1 : 2 * pool->host_count;
        struct proxy_pool_host *hosts = reallocarray(pool->hosts, count, sizeof *hosts);

        if (!hosts) {
            return NULL;
        }
        for (uint32_t i = pool->host_count; i < count; i++) {
            hosts[i] = (struct proxy_pool_host){ .key = 0 };
        }
        pool->hosts = hosts;
        pool->host_count = count;
    }
    host = &pool->hosts[index];
    if (host->key != key) { /* another host has the index now */
        free(host->held_until_us);
        *host = (struct proxy_pool_host){ .key = key };
    }
    return host;
}

static bool is_free(const struct proxy_pool *pool, const struct proxy_pool_host *host,
                    uint32_t proxy, uint64_t now_us)
{
    return pool->down_until_us[proxy] <= now_us &&
           (!host->held_until_us || host->held_until_us[proxy] <= now_us);
}

/* The next from `first` on that is free; `count` when none is. */
static uint32_t next_free(const struct proxy_pool *pool, const struct proxy_pool_host *host,
                          uint32_t first, uint64_t now_us)
{
    for (uint32_t i = 0; i < pool->count; i++) {
        uint32_t proxy = (first + i) % pool->count;

        if (is_free(pool, host, proxy, now_us)) {
            return proxy;
        }
    }
    return pool->count;
}

static uint64_t free_at(const struct proxy_pool *pool, const struct proxy_pool_host *host,
                        uint32_t proxy)
{
    uint64_t down_us = pool->down_until_us[proxy];
    uint64_t held_us = host->held_until_us ? host->held_until_us[proxy] : 0;

    return down_us > held_us ? down_us : held_us;
}

/* The first one that will be free again; `own` when none will. */
static uint32_t first_back(const struct proxy_pool *pool, const struct proxy_pool_host *host,
                           uint32_t own)
{
    uint32_t best = own;

    for (uint32_t i = 0; i < pool->count; i++) {
        if (free_at(pool, host, i) < free_at(pool, host, best)) {
            best = i;
        }
    }
    return best;
}

uint32_t proxy_pool_choose(struct proxy_pool *pool, uint32_t index, uint32_t key, uint64_t now_us)
{
    struct proxy_pool_host *host = find(pool, index, key);
    uint32_t first = host && host->current ? host->current - 1 : key % pool->count;
    uint32_t proxy = host ? next_free(pool, host, first, now_us) : first;

    if (proxy == pool->count) { /* it is asked when the host's own hold is over */
        return pool->down_until_us[first] == TIME_NEVER ? first_back(pool, host, first) : first;
    }
    if (host && host->current != proxy + 1) {
        host->current = proxy + 1;
        host->refused = 0;
    }
    return proxy;
}

bool proxy_pool_hold(struct proxy_pool *pool, uint32_t index, uint32_t key, uint32_t proxy,
                     uint64_t until_us, uint64_t now_us)
{
    struct proxy_pool_host *host = find(pool, index, key);
    uint64_t before;

    if (!host || pool->count < 2) {
        return false;
    }
    if (!host->held_until_us) {
        host->held_until_us = calloc(pool->count, sizeof *host->held_until_us);
    }
    if (!host->held_until_us) {
        return false;
    }
    before = host->held_until_us[proxy];
    host->held_until_us[proxy] = until_us > before ? until_us : before;
    if (next_free(pool, host, proxy, now_us) == pool->count) {
        host->held_until_us[proxy] = before;
        return false;
    }
    return true;
}

bool proxy_pool_down(struct proxy_pool *pool, uint32_t proxy, uint64_t until_us, uint64_t now_us)
{
    static const struct proxy_pool_host nobody = { .key = 0 };

    pool->down_until_us[proxy] = until_us;
    for (uint32_t i = 0; until_us == TIME_NEVER && i < pool->count; i++) {
        if (pool->down_until_us[i] != TIME_NEVER) {
            return true;
        }
    }
    return next_free(pool, &nobody, proxy, now_us) != pool->count;
}

unsigned proxy_pool_refused(struct proxy_pool *pool, uint32_t index, uint32_t key)
{
    struct proxy_pool_host *host = find(pool, index, key);

    return host ? ++host->refused : 0;
}

bool proxy_pool_failed(struct proxy_pool *pool, uint32_t index, uint32_t key, uint32_t proxy,
                       uint64_t now_us)
{
    struct proxy_pool_host *host = find(pool, index, key);

    if (!host) {
        return false;
    }
    host->failed += host->failed < pool->count && is_free(pool, host, proxy, now_us);
    return host->failed < pool->count;
}

void proxy_pool_answered(struct proxy_pool *pool, uint32_t index, uint32_t key)
{
    struct proxy_pool_host *host = find(pool, index, key);

    if (host) {
        host->failed = 0;
    }
}

void proxy_pool_well(struct proxy_pool *pool, uint32_t index, uint32_t key)
{
    struct proxy_pool_host *host = find(pool, index, key);

    if (host) {
        host->refused = 0;
    }
}
