/**
 * Learned lose: what a refusal makes of the rate (plan/learned_limit.h).
 *
 * The first one is but the place to search from. Where SEARCH is refused, the limit follows from how its bucket was
 * emptied; where NARROW is, from what was accepted since the refusal before (plan/let_in.h).
 *
 * Pure: told the time. Units: microseconds (monotonic), requests per second.
 */
#ifndef SCRAPETOP_PLAN_LEARNED_LOSE_H
#define SCRAPETOP_PLAN_LEARNED_LOSE_H

#include "plan/learned_state.h"

/** A refusal. `accepted` since the one before, within `span_us`. */
void learned_lose(struct learned_limit *limit, double accepted, uint64_t span_us, uint64_t now_us);

/** Of what was in flight with the first refusal, and began after it, all was accepted: no limiter was empty. */
bool learned_was_stray(const struct learned_limit *limit);

/** What was in flight with the first refusal has come back: the first guess; none when it was a stray one. */
void learned_guess(struct learned_limit *limit, uint64_t now_us);

/** A refusal that ends a window, which opens again at its deadline. */
void learned_lose_window(struct learned_limit *limit, uint64_t now_us);

#endif
