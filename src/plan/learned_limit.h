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

#include "plan/bare_window.h"
#include "plan/stray.h"
#include "plan/told_window.h"

#include <stdbool.h>
#include <stdint.h>

#define LEARNED_SLOTS 20                 /* of the recent past ... */
#define LEARNED_SLOT_US UINT64_C(250000) /* ... this long each */
#define LEARNED_HOLD_US UINT64_C(250000) /* the first hold without a deadline */
#define LEARNED_HOLD_MAX_US UINT64_C(5000000)
#define LEARNED_RATE_MIN 0.02 /* a second: one start in 50 s */

enum learned_phase { LEARNED_FREE, LEARNED_SEARCH, LEARNED_NARROW };

/** One answer, as the limit sees it. */
struct learned_answer {
    uint64_t started_us;
    unsigned crowd; /* in flight against this limit when it began, itself included */
    uint64_t latency_us;
    uint64_t told_us; /* of a refusal: how long to wait, as it says; 0: it does not */
};

struct learned_limit {
    enum learned_phase phase;
    bool is_guessing;  /* SEARCH: the first rate is still to be reckoned */
    bool is_sure;      /* NARROW: the target was met twice */
    double told_s;     /* the longest wait that was named lately; 0: none was */
    double least;      /* of the rate, by that */
    double rate;       /* starts a second at most; 0: none learned */
    double refused_at; /* the rate at which it was refused last, for people */
    unsigned at_once;  /* in flight at most; 0: none learned */

    uint64_t stepped_us;   /* the rate has grown up to here */
    double target;         /* NARROW: where the last refusals were, ... */
    double grown_s;        /* ... and for how long the rate has grown since */
    double turn_s;         /* SEARCH: doubles within this, and more quickly as it goes on */
    double searched;       /* the rate, before it was taken for a number at once; 0: it never was */
    uint64_t span_from_us; /* start of what was refused last; 0: of the first request */
    uint64_t span_held_us; /* for so long of it a deadline kept all back */
    double span_started;   /* requests begun since ... */
    double span_accepted;  /* ... and accepted */
    uint64_t episode_us; /* refusals of what began before belong to one that is answered already */
    struct bare_window window;
    struct told_window told;
    double burst;            /* what a bucket may give beyond the target, as far as it was seen */
    double held;             /* what it gave beyond its rate before the first refusal, or later */
    double first_accepted;   /* of what began before the first refusal was known, ... */
    uint64_t first_until_us; /* ... then, ... */
    uint64_t first_span_us;  /* ... within this; 0: that was long ago */
    struct stray stray;
    double excess;            /* started beyond the target since the last refusal */
    unsigned too_many_in_row; /* refusals with more at once than was accepted lately */
    uint64_t
        recovery_us; /* how long the last refusal took to pass: a window's length, if it has one */
    uint64_t refused_us;   /* since when nothing was accepted; 0: something was */
    bool is_told;          /* one of these refusals named a deadline */
    unsigned holds_in_row; /* without anything accepted in between */
    unsigned episodes_in_row;
    unsigned vain;        /* refusals in a row that slowing down did not put off ... */
    double vain_rate;     /* ... the most that was accepted a second between two of them, ... */
    double vain_accepted; /* ... and what was accepted between all of them */
    double latency_us;    /* smoothed */
    uint64_t at_once_probe_us, at_once_every_us;
    uint64_t bound_us; /* when the rate last kept a start back */

    uint64_t slot; /* which one entry 0 counts */
    uint16_t accepted[LEARNED_SLOTS];
    uint16_t crowd[LEARNED_SLOTS]; /* the largest that was accepted */
};

/** A request begins. */
void learned_started(struct learned_limit *limit, uint64_t now_us);

/** An answer that was no refusal. */
void learned_accepted(struct learned_limit *limit, const struct learned_answer *answer,
                      uint64_t now_us);

enum learned_news {
    LEARNED_KNOWN,   /* it was in flight with one that is answered already */
    LEARNED_NEWS,    /* rate or number at once have changed */
    LEARNED_IN_VAIN, /* slowing down does not help: nothing is limited any more */
};

/** A refusal. */
enum learned_news learned_refused(struct learned_limit *limit, const struct learned_answer *answer,
                                  uint64_t now_us);

/** How long to hold after such news when no deadline was named; 0: not at all, the rate does it.
 *  `random`: any 64 bits, for jitter. */
uint64_t learned_hold_us(struct learned_limit *limit, uint64_t random);

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
