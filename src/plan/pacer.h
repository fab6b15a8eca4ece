/**
 * Pacer: spreads starts so that no more than a given rate leaves us.
 *
 * The generic cell rate algorithm (ITU-T I.371): a start is allowed when the theoretical arrival
 * time of the next has come, give or take a small burst that absorbs the loop's own jitter. It never
 * sleeps and never reads a clock.
 *
 * Units    microseconds (monotonic).
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_PLAN_PACER_H
#define SCRAPETOP_PLAN_PACER_H

#include "base/units.h"

#include <stdbool.h>

#define PACER_BURST_US UINT64_C(20000) /* starts may gather for this long, never for more */
#define PACER_EVEN_US UINT64_C(2000)   /* of one that is to be even: what a timer may be late */

struct pacer {
    struct rate rate;   /* per_us 0: no limit */
    double interval_us; /* between two starts */
    bool is_even;       /* no bursts: for servers that refuse two at once ... */
    double credit_us;   /* ... but starts that came late are made up for so long: they bear a few */
    double next_us;     /* theoretical arrival time of the next start */
};

void pacer_init(struct pacer *pacer, struct rate rate);

/** A new rate from now on; the next start keeps the new distance from the last. */
void pacer_set_rate(struct pacer *pacer, struct rate rate);

/** How long one more start must wait; 0 means now. */
uint64_t pacer_wait_us(const struct pacer *pacer, uint64_t now_us);

/** Tells of a start. */
void pacer_start(struct pacer *pacer, uint64_t now_us);

#endif
