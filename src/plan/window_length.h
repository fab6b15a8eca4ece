/**
 * Window length: how long the window is in which a server counts, as its answers make it seem.
 *
 * Some tell it. Else it is no shorter than the time to any reset, as far as that is exact; and no longer than
 * the time to the reset that the first answer of a window tells, which many round up to the second. Most
 * windows are of whole seconds, so what is told in those is cut off again. Where that was wrong, a start
 * is refused, and a second is added.
 *
 * Pure. Units: microseconds (monotonic).
 */
#ifndef SCRAPETOP_PLAN_WINDOW_LENGTH_H
#define SCRAPETOP_PLAN_WINDOW_LENGTH_H

#include <stdbool.h>
#include <stdint.h>

/** Zeroed: not known. */
struct window_length {
    bool is_told;
    bool is_rough;       /* resets are in whole seconds */
    uint64_t longest_us; /* time to a reset so far, or what was told; 0: not known */
    uint64_t sure_us;    /* it is no shorter */
    uint64_t first_us; /* the shortest time to a reset that a window's first answer told; 0: none */
    uint64_t added_us; /* for starts that were refused */
    uint64_t grown_us; /* when longest_us last grew */
};

void window_length_tell(struct window_length *length, uint64_t window_us);

/** An answer told that there are `reset_us` to the window's end, or up to `slack_us` less; with `is_rough`,
 *  that in whole seconds. `is_first`: it was the window's first. */
void window_length_note(struct window_length *length, uint64_t reset_us, uint64_t slack_us,
                        bool is_rough, bool is_first, uint64_t now_us);

/** The clock by which resets were counted has become better known: they were told `later_us` too late, and
 *  are sure by `surer_us` more. */
void window_length_correct(struct window_length *length, uint64_t later_us, uint64_t surer_us);

/** What to go by; 0: not known. */
uint64_t window_length_us(const struct window_length *length);

/** It is told, or it has not grown for its own length. */
bool window_length_is_steady(const struct window_length *length, uint64_t now_us);

/** A start was refused that went by it. False when it cannot be longer, so that was not the reason. */
bool window_length_add(struct window_length *length);

#endif
