#include "plan/learned_limit.h"

#include "base/clock.h"
#include "plan/learned_lose.h"
#include "plan/let_in.h"

#include <math.h>

#define SEARCH_TURN_LEAST_S 0.2 /* it becomes shorter with each that goes well */
#define SEARCH_TURN_PART 0.7
#define STEP_MIN_US 20000     /* growth comes in steps no shorter */
#define STEP_MAX_S 1.0        /* and counts no longer ones */
#define BOUND_FOR_US US_PER_S /* a rate that kept nothing back for so long does not grow */
#define BACK_S 1.5            /* NARROW is back at its target within this, ... */
#define BACK_STARTS 60.0      /* ... or so many starts, ... */
/* ... so many times as long when refusals take so many times as long to pass, ... */
#define BACK_RECOVERY_S 3.0
#define UNSURE_BACK_S 0.6 /* ... and sooner when the target was met once only */
/* beyond the target by this part, until that is more than a bucket gives */
#define BEYOND_MOST 0.25
#define ONCE_RECOVERY_US (6 * US_PER_S) /* of a window that may have been an outage */
/* what was accepted beyond the target is no bucket's any more: another limit */
#define BEYOND_BURSTS 1.3
#define LOST_TARGET 1.3
#define STRAYS_PER_S 0.06  /* back to the rate at which strays are as frequent */
#define ASK_RATE_LEAST 2.0 /* after a deadline, until one is accepted: one a round trip, and ... */
#define ASK_RATE_MOST 10.0 /* ... between these */
#define TRY_PART 0.125     /* of one a round trip, once a first window is spent, ... */
#define TRY_TURN_S 0.1     /* ... doubled within this */
#define TOLD_FADES 0.97    /* with each further one */
#define LEAST_PART 0.9
#define LEAST_TOLD_S 0.5    /* a shorter one is told when the next token is near */
#define TOLD_COST_MOST 36.0 /* of a deadline of some seconds: a longer one makes NARROW no slower */
#define IN_ROW_US (2 * US_PER_S)
#define ROW_ACCEPTED 60 /* so many in between, and they are not in a row */
#define STALL_TIMES 3   /* as long as what is accepted takes */
#define HOLD_GROWTH 1.2
#define HOLDS_A_WINDOW 16
#define HOLD_LATE_US (120 * US_PER_S) /* nothing was accepted for so long: */
#define HOLD_LATE_MAX_US (30 * US_PER_S)

/* --- how many at once ---------------------------------------------------------------------------- */

static void note_at_once(struct learned_limit *l, uint64_t now_us)
{
    l->searched = l->rate;
    if (l->phase == LEARNED_NARROW) {
        learned_search_from(l, l->rate, LEARNED_TURN_S, now_us); /* there may be a rate besides */
        return;
    }
    l->phase = LEARNED_FREE;
    l->rate = l->refused_at = 0;
}

/* The server counts what runs at once: true when that explains the refusal. */
static bool is_too_many(struct learned_limit *l, const struct learned_answer *a, uint64_t now_us)
{
    struct at_once_refusal refusal = {
        .crowd = a->crowd,
        .lately = lately_count(&l->lately),
        .lately_crowd = lately_crowd(&l->lately),
        .accepted = l->span_accepted,
        .has_rate = l->phase != LEARNED_FREE,
        .is_new = l->phase == LEARNED_SEARCH && !a->told_us && l->searched <= 0,
    };

    switch (at_once_refused(&l->at_once, &refusal, now_us)) {
    case AT_ONCE_NOTHING:
        break;
    case AT_ONCE_FOUND:
        note_at_once(l, now_us);
        return true;
    case AT_ONCE_RATE:
        if (l->searched > 0 && l->phase == LEARNED_FREE) {
            learned_search_from(l, l->searched, LEARNED_TURN_S, now_us);
        }
        break;
    }
    return false;
}

unsigned learned_at_once(struct learned_limit *l, uint64_t now_us)
{
    return at_once_now(&l->at_once, now_us);
}

/* --- the rate ------------------------------------------------------------------------------------- */

/* Twice the same is a window's rate; once may have been an outage, and is no more than a place to search from. */
static void open_window(struct learned_limit *l, uint64_t now_us)
{
    double rate = l->window.rate;
    bool is_same = l->window.is_sure;

    if (!is_same && l->recovery_us > ONCE_RECOVERY_US) {
        l->recovery_us = ONCE_RECOVERY_US;
    }
    l->target = rate;
    l->is_sure = is_same;
    l->phase = is_same ? LEARNED_NARROW : LEARNED_SEARCH;
    l->turn_s = LEARNED_TURN_S;
    learned_set_rate(l, is_same ? LEARNED_BACK_SURE * rate : rate, now_us);
}

/* It accepts again. */
static void note_recovery(struct learned_limit *l, uint64_t started_us, uint64_t now_us)
{
    uint64_t took_us = started_us - l->refused_us;
    uint64_t faded_us = l->recovery_us / 50 * 49;
    bool is_told = l->is_told;

    l->refused_us = 0;
    l->holds_in_row = 0;
    l->is_told = false;
    if (is_told) {
        return; /* it took as long as the server wanted, which tells nothing of a window */
    }
    l->recovery_us = took_us > faded_us ? took_us : faded_us;
    if (took_us < LEARNED_WINDOW_US) {
        return;
    }
    if (bare_window_opens(&l->window, started_us)) {
        open_window(l, now_us);
    } else { /* it refused from the beginning */
        l->phase = LEARNED_SEARCH;
        learned_set_rate(l, LEARNED_FIRST_LEAST, now_us);
    }
    l->is_guessing = false;
    l->excess = 0;
}

/* One a round trip. */
static double a_trip_rate(const struct learned_limit *l)
{
    return (double)US_PER_S / (l->latency_us > 1000 ? l->latency_us : 1000);
}

static void take_step(struct learned_limit *l, enum told_step step, uint64_t now_us)
{
    switch (step) {
    case TOLD_STEP_STAY:
        break;
    case TOLD_STEP_ASK:
        l->phase = LEARNED_FREE;
        l->rate = fmin(fmax(a_trip_rate(l), ASK_RATE_LEAST), ASK_RATE_MOST);
        break;
    case TOLD_STEP_FREE:
        l->phase = LEARNED_FREE;
        l->rate = 0;
        break;
    case TOLD_STEP_TRY:
        learned_search_from(l, fmax(l->told.rate, TRY_PART * a_trip_rate(l)), TRY_TURN_S, now_us);
        break;
    case TOLD_STEP_TRY_AT:
        learned_search_from(l, fmin(l->told.rate, a_trip_rate(l)), LEARNED_TURN_S, now_us);
        break;
    case TOLD_STEP_NO_WINDOW:
        l->held = fmax(l->held, l->told.burst);
        l->burst = fmax(l->burst, fmax(LEARNED_BURST_LEAST, l->held));
        learned_search_from(l, l->told.rate, LEARNED_TURN_S, now_us);
        break;
    }
}

void learned_started(struct learned_limit *l, uint64_t now_us)
{
    take_step(l, told_window_started(&l->told, l->episode_us, now_us), now_us);
    bare_window_started(&l->window, now_us);
    l->span_started++;
}

static void pace_beside_others(struct learned_limit *l)
{
    if (l->shared.is_on && !l->shared.is_told) {
        l->rate = shared_limit_rate(&l->shared, l->latency_us / (double)US_PER_S);
    }
}

void learned_accepted(struct learned_limit *l, const struct learned_answer *a, uint64_t now_us)
{
    double latency_us = (double)a->latency_us;

    lately_pass(&l->lately, now_us);
    lately_accept(&l->lately, a->started_us >= l->first_until_us ? a->crowd : 0);
    l->latency_us += l->latency_us > 0 ? 0.1 * (latency_us - l->latency_us) : latency_us;
    if (!l->span_from_us || (l->phase == LEARNED_FREE && a->started_us < l->span_from_us)) {
        l->span_from_us = a->started_us;
    }
    l->span_accepted += a->started_us >= l->span_from_us;
    if (a->started_us < l->first_until_us) {
        l->first_accepted++;
        l->beside_well += a->started_us > l->beside_from_us;
    }
    shared_limit_crowd(&l->shared, a->crowd);
    shared_limit_answered(&l->shared, false);
    pace_beside_others(l);
    if (shared_limit_is_over(&l->shared, l->span_accepted)) {
        shared_limit_end(&l->shared);
        learned_search_from(l, l->rate, LEARNED_TURN_S, now_us);
    }
    if (l->shared.is_on && a->started_us > l->refused_us) {
        l->refused_us = 0; /* how long it took is the others' doing */
    }
    if (l->refused_us && a->started_us > l->refused_us) {
        note_recovery(l, a->started_us, now_us);
    }
    if (bare_window_accepted(&l->window)) {
        l->recovery_us = 0;
    }
    take_step(l, told_window_accepted(&l->told, a->started_us), now_us);
}

/* Of those begun since the last refusal: what was accepted, and what is still in flight, as refusals come
 * back sooner than answers. */
static double likely_accepted(const struct learned_limit *l, const struct learned_answer *a)
{
    double in_flight = a->crowd > 1 ? a->crowd - 1 : 0;
    double begun = l->span_started > 1 ? l->span_started - 1 : 0;

    return l->span_accepted + in_flight < begun || begun < l->span_accepted
               ? l->span_accepted + (begun > l->span_accepted ? in_flight : 0)
               : begun;
}

/* One start after a deadline is what the server itself proposes: the rate is hardly less than that. What is told
 * when the next token is near is no measure: who believes it asks too fast for ever. */
static void note_told(struct learned_limit *l, uint64_t wait_us)
{
    if (!wait_us) {
        return;
    }
    l->is_told = true;
    l->told_s = fmax(learned_seconds(wait_us), TOLD_FADES * l->told_s);
    l->least = l->told_s < LEAST_TOLD_S ? 0 : LEAST_PART / l->told_s;
    if (l->rate > 0 && l->rate < l->least) {
        l->rate = l->target = l->least;
    }
}

static void begin_span(struct learned_limit *l, const struct learned_answer *a)
{
    l->excess = 0;
    l->span_from_us = a->started_us ? a->started_us : 1;
    l->span_accepted = l->span_started = 0;
    l->span_held_us = 0;
}

/* It would have come at any rate. */
static bool is_none_of_it(struct learned_limit *l, double accepted, uint64_t span_us,
                          uint64_t now_us)
{
    if (l->phase != LEARNED_NARROW || accepted <= 0 ||
        !stray_refused(&l->stray, l->rate, accepted, accepted / learned_seconds(span_us), now_us)) {
        return false;
    }
    l->target = fmax(l->target, l->rate);
    return true;
}

/* While others spend of the limit. */
static enum learned_news refused_beside_others(struct learned_limit *l,
                                               const struct learned_answer *a, uint64_t now_us)
{
    if (!l->refused_us) {
        l->refused_us = a->started_us ? a->started_us : 1;
    }
    l->refused_at = learned_recent_rate(l, now_us);
    shared_limit_answered(&l->shared, true);
    if (a->started_us >= l->episode_us) {
        l->shared.is_told = a->told_us >= SHARED_TOLD_LEAST_US;
        if (l->shared.is_told) {
            double run_s = learned_seconds(now_us - l->episode_us);
            double from = l->rate > 0 ? l->rate : fmax(l->refused_at, LEARNED_FIRST_LEAST);

            learned_set_rate(l, shared_limit_pace(from, run_s, learned_seconds(a->told_us)),
                             now_us);
        }
        l->episode_us = now_us;
        note_told(l, a->told_us);
        begin_span(l, a);
    }
    pace_beside_others(l);
    return LEARNED_SHARED;
}

/* The server stood still: what gathered meanwhile came to it at once, and tells nothing of others. */
static bool was_stall(const struct learned_limit *l, const struct learned_answer *a)
{
    return l->latency_us > 0 && (double)a->latency_us > STALL_TIMES * l->latency_us;
}

static bool is_shared(struct learned_limit *l, const struct learned_answer *a, double accepted,
                      uint64_t span_us, uint64_t now_us)
{
    uint64_t open_us = span_us > l->span_held_us ? span_us - l->span_held_us : 0;
    double rate = l->rate,
           whole = open_us >= LET_IN_SPAN_LEAST_US ? accepted / learned_seconds(open_us) : 0;

    if (l->phase == LEARNED_FREE && !l->shared.is_trial) {
        shared_limit_forget(&l->shared);
        return false;
    }
    if (!shared_limit_refused(&l->shared, l->rate, accepted, whole,
                              l->span_held_us >= SHARED_TOLD_LEAST_US, now_us)) {
        return false;
    }
    learned_forget(l);
    pace_beside_others(l);
    if (a->told_us >= SHARED_TOLD_LEAST_US) {
        learned_set_rate(l, fmax(sqrt(l->shared.rate * rate), LEARNED_FIRST_LEAST), now_us);
    }
    return true;
}

enum learned_news learned_refused(struct learned_limit *l, const struct learned_answer *a,
                                  uint64_t now_us)
{
    bool has_span = l->span_from_us && a->started_us > l->span_from_us;
    uint64_t span_us = has_span ? a->started_us - l->span_from_us : 1;
    uint64_t row_us = l->recovery_us > IN_ROW_US ? l->recovery_us : IN_ROW_US;
    bool was_trial = l->told.state == TOLD_TRIAL, is_row, others_spend;
    double accepted;

    lately_pass(&l->lately, now_us);
    shared_limit_crowd(&l->shared, a->crowd);
    if (l->shared.is_on && shared_limit_is_shut(&l->shared)) {
        shared_limit_end(&l->shared);
        learned_forget(l);
    }
    if (l->shared.is_on) {
        return refused_beside_others(l, a, now_us);
    }
    if (!l->refused_us) {
        l->refused_us = a->started_us ? a->started_us : 1;
    }
    if (a->started_us < l->episode_us) {
        l->beside_refused += a->started_us > l->beside_from_us;
        return LEARNED_KNOWN;
    }
    if (!bare_window_refused(&l->window, a->started_us) && l->phase == LEARNED_SEARCH) {
        l->phase = LEARNED_FREE; /* there is no such window */
    }
    l->sent_most = l->latency_us > 0 ? a->crowd * (double)US_PER_S / l->latency_us : 0;
    accepted = likely_accepted(l, a);
    is_row = l->episode_us && a->started_us < l->episode_us + row_us && accepted < ROW_ACCEPTED;
    l->episodes_in_row = is_row ? l->episodes_in_row + 1 : 1;
    l->episode_us = now_us;
    if (is_none_of_it(l, accepted, span_us, now_us)) {
        begin_span(l, a);
        return LEARNED_KNOWN;
    }
    others_spend = !was_stall(l, a) && is_shared(l, a, accepted, span_us, now_us);
    if (others_spend) {
        told_window_end(&l->told);
    } else if (is_too_many(l, a, now_us)) {
        told_window_end(&l->told);
    } else if (told_window_refused(&l->told, a->told_us, l->phase == LEARNED_FREE)) {
        learned_lose_window(l, now_us);
    } else {
        if (was_trial) {
            l->held = fmax(l->held, l->told.burst); /* what it took for a window's was that */
            l->burst = fmax(l->burst, l->held);
        }
        learned_lose(l, accepted, span_us, now_us);
        l->beside_from_us = a->started_us;
    }
    note_told(l, a->told_us);
    begin_span(l, a);
    return others_spend ? LEARNED_SHARED : LEARNED_NEWS;
}

/* A refusal that names a deadline costs all that could have been asked meanwhile: it should be rare. */
static double told_cost(const struct learned_limit *l)
{
    return fmin(pow(1 + l->told_s, l->is_sure ? 3 : 2.5), TOLD_COST_MOST);
}

/* How long NARROW takes back to its target. After as long again it is as far beyond. */
static double back_s(const struct learned_limit *l)
{
    double back = l->is_sure ? fmax(BACK_S, BACK_STARTS / l->rate) : UNSURE_BACK_S;
    double trips_s = LEARNED_TURN_LATENCIES * l->latency_us / (double)US_PER_S;

    return fmax(back, trips_s) * told_cost(l) *
           fmax(1, learned_seconds(l->recovery_us) / BACK_RECOVERY_S);
}

static double grown_narrow(struct learned_limit *l, double passed_s, uint64_t now_us)
{
    double known = stray_rate(&l->stray, now_us), back = back_s(l), part, beyond;

    if (l->rate < known) {
        return fmin(known, l->rate * (1 + STRAYS_PER_S * passed_s));
    }
    l->excess += l->rate > l->target ? (l->rate - l->target) * passed_s : 0;
    l->grown_s += passed_s;
    part = l->grown_s / back - 1;
    beyond = (1 - LEARNED_BACK_SURE) * part * part * part;
    if (l->is_sure && beyond > BEYOND_MOST && l->excess < BEYOND_BURSTS * l->burst) {
        beyond = BEYOND_MOST; /* a large bucket gives as much for a while */
    }
    return fmax(l->rate, (1 + beyond) * l->target);
}

/* Whether others still spend of it: a rate that they leave is refused no more. */
static void try_alone(struct learned_limit *l, uint64_t now_us)
{
    lately_pass(&l->lately, now_us);
    l->phase = LEARNED_NARROW;
    l->is_sure = true;
    l->target = lately_count(&l->lately) / learned_seconds(LATELY_US);
    learned_set_rate(l, LEARNED_BACK * l->target, now_us);
}

double learned_rate(struct learned_limit *l, bool binds, uint64_t now_us)
{
    uint64_t passed_us = now_us > l->stepped_us ? now_us - l->stepped_us : 0;
    double passed_s =
        learned_seconds(passed_us) < STEP_MAX_S ? learned_seconds(passed_us) : STEP_MAX_S;

    if (shared_limit_tries(&l->shared, now_us)) {
        try_alone(l, now_us);
    }

    if (binds) {
        l->bound_us = now_us;
    }
    if (l->is_guessing && now_us >= l->episode_us) {
        learned_guess(l, now_us);
    }
    if (l->window.spare > 0) {
        l->stepped_us = now_us;
        return 0;
    }
    if (l->rate <= 0 || l->phase == LEARNED_FREE || passed_us < STEP_MIN_US) {
        return l->rate;
    }
    l->stepped_us = now_us;
    if (l->refused_us || now_us > l->bound_us + BOUND_FOR_US) {
        return l->rate; /* nothing was shown of it */
    }
    if (l->phase == LEARNED_SEARCH) {
        l->rate *= exp2(passed_s / learned_turn_s(l));
        if (l->turn_s > SEARCH_TURN_LEAST_S) {
            l->turn_s *= pow(SEARCH_TURN_PART, passed_s / learned_turn_s(l));
            l->turn_s = l->turn_s > SEARCH_TURN_LEAST_S ? l->turn_s : SEARCH_TURN_LEAST_S;
        }
    } else {
        l->rate = grown_narrow(l, passed_s, now_us);
        if (l->rate > LOST_TARGET * l->target) {
            l->phase = LEARNED_SEARCH;
            l->turn_s = LEARNED_TURN_S;
        }
    }
    return l->rate;
}

bool learned_is_paced(const struct learned_limit *l)
{
    return l->rate > 0 && l->window.spare <= 0;
}

void learned_restore(struct learned_limit *l)
{
    l->rate = l->target = fmax(l->shared.rate, l->rate);
    l->phase = LEARNED_SEARCH;
    l->turn_s = LEARNED_TURN_S;
    shared_limit_end(&l->shared);
}

/* --- holds ------------------------------------------------------------------------------------------ */

uint64_t learned_hold_us(struct learned_limit *l, enum learned_news news, uint64_t random)
{
    bool late = l->refused_us && l->episode_us > l->refused_us + HOLD_LATE_US;
    double most = late ? (double)HOLD_LATE_MAX_US : (double)LEARNED_HOLD_MAX_US;
    double window_part = (double)l->recovery_us / HOLDS_A_WINDOW;
    double first = window_part > (double)LEARNED_HOLD_US ? window_part : (double)LEARNED_HOLD_US;
    double length = first * pow(HOLD_GROWTH, l->holds_in_row);
    uint64_t window_us = bare_window_wait_us(&l->window, l->episode_us);

    if (news != LEARNED_NEWS) {
        return 0;
    }
    if (window_us) {
        return window_us;
    }
    if (l->at_once.most || (l->phase == LEARNED_NARROW && l->episodes_in_row < 2)) {
        return 0;
    }
    length = length < most ? length : most;
    l->holds_in_row += length < most;
    return (uint64_t)(length * (0.75 + 0.5 * (double)(random >> 11) / 9007199254740992.0));
}

void learned_held(struct learned_limit *l, uint64_t until_us)
{
    if (until_us > l->episode_us) {
        l->span_held_us += l->is_told ? until_us - l->episode_us : 0;
        l->episode_us = until_us;
    }
}

double learned_lately(struct learned_limit *l, uint64_t now_us)
{
    lately_pass(&l->lately, now_us);
    return learned_recent_rate(l, now_us);
}

uint64_t learned_refused_since_us(const struct learned_limit *l)
{
    return l->refused_us;
}
