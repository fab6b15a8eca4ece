#include "demo/limiter.h"

#include "base/clock.h"

#include <math.h>

/* Sums of fractions fall short of a whole by less than this; a token is not refused for it. */
#define TOKEN_SLACK 1e-6

void limiter_init(struct limiter *l, struct rate rate, unsigned burst, uint64_t now_us)
{
    *l = (struct limiter){ .filled_us = now_us };
    if (rate.per_us) {
        l->rate_per_us = rate.requests / (double)rate.per_us;
        l->size = burst ? burst : fmax(1, floor(l->rate_per_us * (double)US_PER_S));
        l->tokens = l->size;
    }
}

static void refill(struct limiter *l, uint64_t now_us)
{
    if (now_us > l->filled_us) {
        l->tokens += (double)(now_us - l->filled_us) * l->rate_per_us;
        l->tokens = fmin(l->tokens, l->size);
        l->filled_us = now_us;
    }
}

/* A rate of one in ten years has waits that no header should name. */
static uint64_t whole_seconds(double us)
{
    return (uint64_t)ceil(fmin(us, 3.2e14) / (double)US_PER_S);
}

struct limiter_verdict limiter_ask(struct limiter *l, uint64_t now_us)
{
    struct limiter_verdict v = { .is_admitted = true };

    if (!(l->rate_per_us > 0)) {
        return v;
    }
    refill(l, now_us);
    v.is_limited = true;
    v.is_admitted = l->tokens + TOKEN_SLACK >= 1;
    if (v.is_admitted) {
        l->tokens = fmax(0, l->tokens - 1);
    } else {
        v.retry_after_s = whole_seconds((1 - l->tokens) / l->rate_per_us);
        v.retry_after_s = v.retry_after_s ? v.retry_after_s : 1;
    }
    v.limit = (uint64_t)l->size;
    v.remaining = (uint64_t)floor(l->tokens + TOKEN_SLACK);
    v.full_in_s = whole_seconds((l->size - l->tokens) / l->rate_per_us);
    return v;
}
