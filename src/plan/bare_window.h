/**
 * Bare window: a limiter's window that no answer tells of, as far as it can be seen.
 *
 * Refusals that take seconds to pass are those of a window whose quota is spent. What was accepted from one
 * opening to the next is its quota. Where the first window is over, as many may be spent at once in the next,
 * as a client that knows of it would; two that were alike tell when the third will open.
 *
 * A window that slides, or that others spend of, refuses before as many are spent: it is no use to know it, and
 * what is left is its rate (plan/learned_limit.h).
 *
 * Pure: told the time. Units: microseconds (monotonic), requests per second.
 */
#ifndef SCRAPETOP_PLAN_BARE_WINDOW_H
#define SCRAPETOP_PLAN_BARE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

/** Zeroed at first. */
struct bare_window {
    uint64_t opened_us; /* the last time; 0: nothing has begun yet */
    double accepted;    /* since then */
    double quota;       /* of the window before; 0: none, or it was none */
    double rate;        /* that, a second */
    bool is_sure;       /* that and the one before it were alike */
    double spare;       /* so many may begin at any rate: the window before let in as many */
    unsigned failed;    /* so often they were refused */
    uint64_t period_us; /* from one opening to the next; 0: not known */
    uint64_t asked_us;  /* start of what was refused last */
};

void bare_window_started(struct bare_window *window, uint64_t now_us);

/** True when far more was accepted than in the window before, which then was only an outage. */
bool bare_window_accepted(struct bare_window *window);

/** False when it has let in far fewer than the one before. */
bool bare_window_refused(struct bare_window *window, uint64_t started_us);

/** What began then was accepted, after refusals that took long to pass. False: there was no window before. */
bool bare_window_opens(struct bare_window *window, uint64_t started_us);

/** How long until it opens again, as far as is worth waiting for; 0: not known. */
uint64_t bare_window_wait_us(const struct bare_window *window, uint64_t now_us);

#endif
