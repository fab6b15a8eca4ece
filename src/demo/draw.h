/**
 * Draws: chance that repeats.
 *
 * Whatever the demo makes up comes from here: a stream of numbers that depends on the seed, on what
 * it is for and on which one, and on nothing else, so that auction 17 is the same auction however
 * often, in whatever order and by however many clients it is asked for. Not for secrets.
 *
 * Source  splitmix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators").
 */
#ifndef SCRAPETOP_DEMO_DRAW_H
#define SCRAPETOP_DEMO_DRAW_H

#include "base/str.h"

enum draw_purpose {
    DRAW_AUCTION = 1,
    DRAW_TRAIN,
    DRAW_PRODUCT,
    DRAW_REVIEW,
    DRAW_POST,
    DRAW_EVENT,
    DRAW_TOKEN,
    DRAW_CURSOR,
    DRAW_FATE,
    DRAW_WEATHER_KEY,
    DRAW_RETRY_KEY,
    DRAW_ITEM,
    DRAW_COMMENT,
};

struct draw {
    uint64_t state;
};

struct draw draw_start(uint64_t seed, enum draw_purpose purpose, uint64_t which);

uint64_t draw_next(struct draw *d);

/** Uniform within [0, count); 0 for a count of 0. */
uint64_t draw_below(struct draw *d, uint64_t count);

/** True in `percent` of 100 draws. */
bool draw_percent(struct draw *d, unsigned percent);

/** Uniform within [0, 1). */
double draw_unit(struct draw *d);

/** A number for a text, differing with the seed so that nobody can aim at a slot. */
uint64_t draw_hash(uint64_t seed, enum draw_purpose purpose, struct str text);

#endif
