/**
 * Timers: ten thousand answers waiting for their moment, earliest first.
 *
 * A binary heap of deadlines. It holds pointers into things it does not own, never sleeps, and is
 * told the time.
 *
 * Units   microseconds (monotonic).
 * Errors  timers_add only: RESULT_NOMEM.
 */
#ifndef SCRAPETOP_DEMO_TIMERS_H
#define SCRAPETOP_DEMO_TIMERS_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct timer {
    uint64_t due_us;
    void *owner;
};

struct timers {
    struct timer *heap;
    size_t count, cap;
};

void timers_release(struct timers *t);

MUST_CHECK enum result timers_add(struct timers *t, uint64_t due_us, void *owner);

/** When the earliest is due; TIME_NEVER when there is none. */
uint64_t timers_next_us(const struct timers *t);

/** Takes out the earliest when it is due by `until_us`; NULL when none is. */
void *timers_pop(struct timers *t, uint64_t until_us);

#endif
