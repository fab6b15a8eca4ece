/**
 * Grant: starts that a fleet's budget gives to this worker, when several workers spend one quota.
 *
 * Where it is on, a start needs one that was granted. Some are given at a time, the first at a moment and the others
 * evenly after it; what is not spent in time lapses, and goes back to the fleet. A second lot may come while the first
 * lasts.
 *
 * Pure. Units: microseconds (monotonic).
 */
#ifndef SCRAPETOP_PLAN_GRANT_H
#define SCRAPETOP_PLAN_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#define GRANT_LAPSES_US UINT64_C(200000) /* so long after its last start was in time */

struct grant_lot {
    unsigned count;
    uint64_t next_us, spacing_us, ends_us;
};

/** Zeroed: off, and nothing needs one. */
struct grant {
    bool is_on;
    bool is_wanted; /* a start was kept back for want of one */
    struct grant_lot lots[2];
};

/** How long one more start must wait; TIME_NEVER: until more is granted, which is wanted then. */
uint64_t grant_wait_us(struct grant *grant, uint64_t now_us);

void grant_start(struct grant *grant);

/** So many that may still start. */
unsigned grant_left(const struct grant *grant);

/** Returns what it has no room for. */
unsigned grant_give(struct grant *grant, unsigned count, uint64_t first_us, uint64_t spacing_us);

/** What has lapsed by now, to be given back. */
unsigned grant_take_lapsed(struct grant *grant, uint64_t now_us);

/** Off, and empty. Returns what is to be given back. */
unsigned grant_end(struct grant *grant);

#endif
