/**
 * How often a thing was asked, for the many things that a long run asks: counters that forget.
 *
 * Memory is fixed: 32768 sets of four. When a set is full the slot that was used longest ago goes,
 * but one that is `owed` (its last ask went wrong, so that it will be asked again) goes last: what
 * fails is remembered until it has been put right, and a retry is never taken for a first ask.
 *
 * Threads  one at a time.
 */
#ifndef SCRAPETOP_DEMO_ASKED_H
#define SCRAPETOP_DEMO_ASKED_H

#include <stdbool.h>
#include <stdint.h>

#define ASKED_SETS 32768
#define ASKED_WAYS 4

struct asked_slot {
    uint64_t key;        /* private; 0: free */
    uint32_t used_at;    /* private */
    uint32_t count : 31; /* asks before this one: the caller counts up */
    uint32_t owed : 1;   /* set by the caller */
};

struct asked;

/** NULL when out of memory. */
struct asked *asked_new(void);
void asked_free(struct asked *asked);

/** The slot of `key`, made when there is none; good until the next call. */
struct asked_slot *asked_slot(struct asked *asked, uint64_t key);

#endif
