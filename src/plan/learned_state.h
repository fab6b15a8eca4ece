/**
 * Learned state: what a learned limit (plan/learned_limit.h) keeps, and how its rate is set.
 *
 * Pure: told the time. Units: microseconds (monotonic), requests per second.
 */
#ifndef SCRAPETOP_PLAN_LEARNED_STATE_H
#define SCRAPETOP_PLAN_LEARNED_STATE_H

#include "base/clock.h"
#include "plan/at_once.h"
#include "plan/bare_window.h"
#include "plan/lately.h"
#include "plan/shared_limit.h"
#include "plan/stray.h"
#include "plan/told_window.h"

#include <stdbool.h>
#include <stdint.h>

#define LEARNED_TURN_S 0.3       /* SEARCH doubles within this at first */
#define LEARNED_TURN_LATENCIES 4 /* ... or so many round trips */
#define LEARNED_BACK 0.95        /* of what was found, ... */
#define LEARNED_BACK_SURE 0.96   /* ... twice */
#define LEARNED_FIRST_LEAST 1.0  /* a second: nothing was accepted yet */
/* a refusal that takes longer to pass is that of a window */
#define LEARNED_WINDOW_US (2 * US_PER_S)
#define LEARNED_BURST_LEAST 5.0
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
    double sent_most;  /* a second, when that began: what was in flight, over a round trip */
    struct at_once at_once;

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
    double excess; /* started beyond the target since the last refusal */
    /* how long the last refusal took to pass: a window's length, if it has one */
    uint64_t recovery_us;
    uint64_t refused_us;   /* since when nothing was accepted; 0: something was */
    bool is_told;          /* one of these refusals named a deadline */
    unsigned holds_in_row; /* without anything accepted in between */
    unsigned episodes_in_row;
    struct shared_limit shared;
    uint64_t beside_from_us;              /* of what began after the first refused one ... */
    unsigned beside_well, beside_refused; /* ... and before that was known */
    double latency_us;                    /* smoothed */
    uint64_t bound_us;                    /* when the rate last kept a start back */
    struct lately lately;
};

double learned_seconds(uint64_t us);

/** Accepted a second lately, over no less than one second and no more than there has been. */
double learned_recent_rate(const struct learned_limit *limit, uint64_t now_us);

/** The rate from now on; no less than deadlines that were named allow. */
void learned_set_rate(struct learned_limit *limit, double rate, uint64_t now_us);

/** SEARCH begins there, and doubles within `turn_s`. */
void learned_search_from(struct learned_limit *limit, double rate, double turn_s, uint64_t now_us);

/** How long growth takes to double, or to come back, in seconds. */
double learned_turn_s(const struct learned_limit *limit);

/** What is known from elsewhere, to be learned on from: a rate near the limit, or a number at once. 0: none. */
void learned_adopt(struct learned_limit *limit, double rate, unsigned at_once, uint64_t now_us);

/** From now on so many times as much of the limit is for this one: others who spend of it have come, or gone. */
void learned_scale(struct learned_limit *limit, double factor, uint64_t now_us);

/** No rate and no number at once are known. */
void learned_forget(struct learned_limit *limit);

#endif
