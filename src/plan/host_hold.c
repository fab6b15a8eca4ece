#include "plan/host_hold.h"

#include "base/clock.h"

void host_hold_user(struct host *host, bool hold, uint64_t now_us)
{
    if (host->hold_is_user && !hold) {
        host->window = 1;
        host->window_us = now_us;
    }
    host->hold_is_user = hold;
    host->is_stopped = false;
}

void host_stop(struct host *host)
{
    host->hold_is_user = host->is_stopped = true;
}

void host_hold_named(struct host *host, const struct request *request, uint64_t until_us,
                     uint64_t now_us, const struct due *due)
{
    bucket_hold(host_bucket(host, request), until_us, due, now_us);
}

void host_hold_whole(struct host *host, uint64_t until_us, uint64_t now_us, const struct due *due)
{
    bucket_hold(&host->bucket, until_us, due, now_us);
    for (uint16_t i = 0; i < host->other_count; i++) {
        bucket_hold(&host->others[i], until_us, due, now_us);
    }
}

static struct host_hold later(struct host_hold hold, const struct bucket *bucket, uint64_t now_us)
{
    if (bucket->hold_until_us > now_us && bucket->hold_until_us > hold.until_us) {
        return (struct host_hold){ bucket->hold_until_us, due_is_named(bucket->hold_due.by),
                                   &bucket->hold_due };
    }
    return hold;
}

static struct host_hold whole_hold(const struct host *host, uint64_t now_us)
{
    if (host->hold_is_user) {
        return (struct host_hold){ TIME_NEVER, false, NULL };
    }
    if (host_origin(host)->down_until_us > now_us) {
        return (struct host_hold){ host_origin(host)->down_until_us, false,
                                   &host_origin(host)->down_due };
    }
    return (struct host_hold){ 0, false, NULL };
}

struct host_hold host_hold(const struct host *host, uint64_t now_us)
{
    struct host_hold hold = later(whole_hold(host, now_us), &host->bucket, now_us);

    for (uint16_t i = 0; i < host->other_count; i++) {
        hold = later(hold, &host->others[i], now_us);
    }
    return hold;
}

struct host_hold host_hold_of(const struct host *host, const struct request *request,
                              uint64_t now_us)
{
    return later(whole_hold(host, now_us), host_bucket(host, request), now_us);
}
