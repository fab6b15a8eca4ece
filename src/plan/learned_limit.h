/**
 * Learned limit: what refusals teach of a server's limit that no header names.
 *
 * A refusal says "too fast" or "too many at once", never which and never how much. This model is told
 * every answer and keeps a rate (starts a second) and a number at once that stay just inside:
 *
 *   FREE --refused--> SEARCH --refused again--> NARROW: rate near the limit
 *     ^                 |  doubles and doubles    |  refused: a little less, and on
 *     `--- the limit no longer binds -------------´  far beyond the last refusal: doubles again
 *
 * Why it works: at a refusal a token bucket is empty. Between two refusals the server has therefore
 * accepted just what it lets in, whatever the size of its bucket, as long as the bucket was not full
 * in between. Fixed and sliding windows tend to the same quotient. Where SEARCH was refused, the bucket had
 * given more than it got for a while; how much, its first burst has shown, and so what it got follows.
 *
 * NARROW grows by the cube of the time since it was back at its target: quickly back to it, for long near
 * it, and quickly away once nothing was refused for long. Beyond what a bucket can have held it is another
 * limit. It takes the longer the more a refusal costs: many starts in between, the waits that are told, the
 * time that the server takes to accept again (plan/bare_window.h).
 *
 * When refusals come only with more at once than was ever accepted, the server counts what runs at
 * once: then `at_once` is kept instead of a rate, and tried again now and then.
 *
 * A refusal that names a deadline some seconds away is that of a window, most often, and needs no rate
 * (plan/told_window.h).
 *
 * Single refusals that come as often at less of the rate are strays, and tolerated (plan/stray.h).
 * When refusals come as often at a quarter of the rate that was accepted in spite of them, they have
 * nothing to do with the rate: it is forgotten.
 *
 * A refusal without a deadline is followed by a short hold (learned_hold_us), which grows only while
 * nothing is accepted at all.
 *
 * Sources  token bucket: ITU-T I.371; additive increase, multiplicative decrease: Chiu and Jain 1989;
 *          slow start beyond the last known limit, cubic growth around it: RFC 9438 (CUBIC).
 * Pure: told the time. Units: microseconds (monotonic), requests per second.
 */
#ifndef SCRAPETOP_PLAN_LEARNED_LIMIT_H
#define SCRAPETOP_PLAN_LEARNED_LIMIT_H

#include "plan/learned_state.h"

#include <stdbool.h>
#include <stdint.h>

/** A request begins. */
void learned_started(struct learned_limit *limit, uint64_t now_us);

/** An answer that was no refusal. */
void learned_accepted(struct learned_limit *limit, const struct learned_answer *answer,
                      uint64_t now_us);

enum learned_news {
    LEARNED_KNOWN,  /* it was in flight with one that is answered already */
    LEARNED_NEWS,   /* rate or number at once have changed */
    LEARNED_SHARED, /* slowing down does not help: others spend of the limit (plan/shared_limit.h) */
};

/** A refusal. */
enum learned_news learned_refused(struct learned_limit *limit, const struct learned_answer *answer,
                                  uint64_t now_us);

/** How long to hold after a refusal when no deadline was named; 0: not at all, the rate does it.
 *  `random`: any 64 bits, for jitter. */
uint64_t learned_hold_us(struct learned_limit *limit, enum learned_news news, uint64_t random);

/** The last refusals had nothing to do with the rate: goes back to what was accepted in spite of them. */
void learned_restore(struct learned_limit *limit);

/** The limit is held until then, by a deadline or by learned_hold_us: what was begun before tells
 *  nothing new. */
void learned_held(struct learned_limit *limit, uint64_t until_us);

/** The rate of this moment, growth included; 0: none. `binds`: it keeps a request back right now. */
double learned_rate(struct learned_limit *limit, bool binds, uint64_t now_us);

/** The next start counts for the rate. */
bool learned_is_paced(const struct learned_limit *limit);

/** In flight at most at this moment; 0: no limit. */
unsigned learned_at_once(struct learned_limit *limit, uint64_t now_us);

/** Accepted a second lately: over the last five, or since the first request. */
double learned_lately(struct learned_limit *limit, uint64_t now_us);

/** Since when every answer was a refusal; 0: the last one was not. */
uint64_t learned_refused_since_us(const struct learned_limit *limit);

#endif
