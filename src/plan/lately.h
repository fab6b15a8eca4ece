/**
 * Lately: what was accepted in the last five seconds, and with how many in flight.
 *
 * Pure: told the time. Units: microseconds (monotonic).
 */
#ifndef SCRAPETOP_PLAN_LATELY_H
#define SCRAPETOP_PLAN_LATELY_H

#include <stdint.h>

#define LATELY_SLOTS 20                 /* of the recent past ... */
#define LATELY_SLOT_US UINT64_C(250000) /* ... this long each */
#define LATELY_US (LATELY_SLOTS * LATELY_SLOT_US)

/** Zeroed at first. */
struct lately {
    uint64_t slot; /* which one entry 0 counts */
    uint16_t accepted[LATELY_SLOTS];
    uint16_t crowd[LATELY_SLOTS]; /* the largest that was accepted */
};

/** Time passes: what is older is forgotten. To be called before the others. */
void lately_pass(struct lately *lately, uint64_t now_us);

/** One more was accepted, with so many in flight; 0: that tells nothing. */
void lately_accept(struct lately *lately, unsigned crowd);

unsigned lately_count(const struct lately *lately);
unsigned lately_crowd(const struct lately *lately);

/** With how many in flight they were accepted is forgotten. */
void lately_forget_crowd(struct lately *lately);

#endif
