/**
 * Limiter: one token bucket over all clients, and what an API tells its clients about it.
 *
 * Told the time, never reads a clock. What it says is true: a client that waits `retry_after_s` and comes
 * alone is admitted.
 *
 * Units  microseconds (monotonic), whole seconds rounded up.
 */
#ifndef SCRAPETOP_DEMO_LIMITER_H
#define SCRAPETOP_DEMO_LIMITER_H

#include "base/units.h"

struct limiter {
    double rate_per_us; /* 0: no limit */
    double size;        /* of the bucket, in requests */
    double tokens;
    uint64_t filled_us; /* when `tokens` was true */
};

struct limiter_verdict {
    bool is_limited; /* there is a limit to speak of */
    bool is_admitted;
    uint64_t limit, remaining; /* requests */
    uint64_t retry_after_s;    /* at least 1; 0 when admitted */
    uint64_t full_in_s;        /* until the bucket is full again */
};

/** `burst` 0: one second's worth, at least one request. */
void limiter_init(struct limiter *l, struct rate rate, unsigned burst, uint64_t now_us);

/** Takes one token, when there is one. */
struct limiter_verdict limiter_ask(struct limiter *l, uint64_t now_us);

#endif
