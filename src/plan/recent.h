/**
 * Recent: how many events there were lately, in little memory.
 *
 * Time is cut into RECENT_SLOTS slots that make up the span that is looked back on. A count is of whole
 * slots: it may hold events that are up to a slot older than asked for, and never misses one.
 *
 * Pure. Units: microseconds.
 */
#ifndef SCRAPETOP_PLAN_RECENT_H
#define SCRAPETOP_PLAN_RECENT_H

#include <stdint.h>

#define RECENT_SLOTS 32

struct recent {
    uint64_t slot_us, slot; /* the length of one; which one is now */
    uint32_t slots[RECENT_SLOTS];
};

/** Forgets what is more than `span_us` ago. A new span keeps what there is, as if it had been now. A zeroed
 *  struct is empty. */
void recent_pass_time(struct recent *recent, uint64_t span_us, uint64_t now_us);

/** An event, now: of the last recent_pass_time. */
void recent_add(struct recent *recent);

/** Takes one back that was added at `at_us`, or near that. */
void recent_take(struct recent *recent, uint64_t at_us);

/** Of the last `span_us`. */
uint64_t recent_count(const struct recent *recent, uint64_t span_us);

#endif
