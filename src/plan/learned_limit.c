#include "plan/learned_limit.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>

#define SEARCH_TURN_S 0.3
#define SEARCH_TURN_LEAST_S 0.2 /* it becomes shorter with each that goes well */
#define SEARCH_TURN_PART 0.7
#define WINDOW_TURN_S 5.0     /* a recovery of a window is slower to grow after ... */
#define WINDOW_TURN_MAX_S 8.0 /* ... up to this */
#define TURN_LATENCIES 4      /* ... or so many round trips */
#define STEP_MIN_US 20000     /* growth comes in steps no shorter */
#define STEP_MAX_S 1.0        /* and counts no longer ones */
#define BOUND_FOR_US US_PER_S /* a rate that kept nothing back for so long does not grow */
#define BACK_S 1.5            /* NARROW is back at its target within this, ... */
#define BACK_STARTS 60.0      /* ... or so many starts, ... */
#define BACK_RECOVERY_S                                                                            \
    3.0 /* ... so many times as long when refusals take so many times as long to pass, ... */
#define UNSURE_BACK_S 0.6 /* ... and sooner when the target was met once only */
#define NEAR 0.85         /* two targets that differ by no more are the same */
#define BEYOND_MOST                                                                                \
    0.25 /* beyond the target by this part, until that is more than a bucket gives */
#define ONCE_RECOVERY_US (6 * US_PER_S) /* of a window that may have been an outage */
#define BEYOND_BURSTS                                                                              \
    1.3 /* what was accepted beyond the target is no bucket's any more: another limit */
#define LOST_TARGET 1.3
#define STRAYS_PER_S 0.06    /* back to the rate at which strays are as frequent */
#define BACK 0.95            /* of what was found */
#define WHOLE_LEAST 0.7      /* of the refused rate: what a span tells at the least, ... */
#define WHOLE_LEAST_TOLD 0.5 /* ... where a refusal costs more than this */
#define DEAR_S 3.0
#define BACK_SURE 0.96
#define BACK_ONCE_MORE 0.92
#define BACK_AGAIN 0.8 /* refused again at once */
#define BURST_LEAST 5.0
#define BURST_US                                                                                   \
    (2 * US_PER_S)         /* what is accepted within this at the beginning came from the bucket */
#define FIRST_LEAST 1.0    /* a second: nothing was accepted yet */
#define FIRST_PART 0.7     /* of what was accepted lately: the first guess */
#define SPAN_MIN_US 300000 /* a shorter one tells no rate */
#define WINDOW_US (2 * US_PER_S) /* a refusal that takes longer to pass is that of a window */
#define ASK_RATE_LEAST 2.0 /* after a deadline, until one is accepted: one a round trip, and ... */
#define ASK_RATE_MOST 10.0 /* ... between these */
#define TRY_PART 0.125     /* of one a round trip, once a first window is spent, ... */
#define TRY_TURN_S 0.1     /* ... doubled within this */
#define TOLD_FADES 0.97    /* with each further one */
#define LEAST_PART 0.9
#define TOLD_CREEP_MOST_S 5.0 /* a longer deadline makes NARROW no slower */
#define IN_ROW_US (2 * US_PER_S)
#define ROW_ACCEPTED 60 /* so many in between, and they are not in a row */
#define HOLD_GROWTH 1.2
#define HOLDS_A_WINDOW 16
#define HOLD_LATE_US (120 * US_PER_S) /* nothing was accepted for so long: */
#define HOLD_LATE_MAX_US (30 * US_PER_S)
#define AT_ONCE_EVIDENCE 20
#define AT_ONCE_ROW 3     /* refusals in a row, once a rate was learned ... */
#define AT_ONCE_FEW_ROW 6 /* ... when they are so few that any rate has as few in flight */
#define VAIN_MOST 8
#define VAIN_ACCEPTED 60
#define VAIN_PART 0.25
#define AT_ONCE_PROBE_MIN_US (10 * US_PER_S)
#define AT_ONCE_PROBE_MAX_US (240 * US_PER_S)

/* --- the recent past --------------------------------------------------------------------------- */

static void move_slots(struct learned_limit *l, uint64_t now_us)
{
    uint64_t slot = now_us / LEARNED_SLOT_US, by = slot > l->slot ? slot - l->slot : 0;
    size_t kept = by < LEARNED_SLOTS ? LEARNED_SLOTS - (size_t)by : 0;

    if (!by) {
        return;
    }
    memmove(&l->accepted[LEARNED_SLOTS - kept], l->accepted, kept * sizeof l->accepted[0]);
    memmove(&l->crowd[LEARNED_SLOTS - kept], l->crowd, kept * sizeof l->crowd[0]);
    memset(l->accepted, 0, (LEARNED_SLOTS - kept) * sizeof l->accepted[0]);
    memset(l->crowd, 0, (LEARNED_SLOTS - kept) * sizeof l->crowd[0]);
    l->slot = slot;
}

static unsigned recent_count(const struct learned_limit *l)
{
    unsigned sum = 0;

    for (size_t i = 0; i < LEARNED_SLOTS; i++) {
        sum += l->accepted[i];
    }
    return sum;
}

static unsigned recent_crowd(const struct learned_limit *l)
{
    unsigned most = 0;

    for (size_t i = 0; i < LEARNED_SLOTS; i++) {
        most = l->crowd[i] > most ? l->crowd[i] : most;
    }
    return most;
}

static double seconds(uint64_t us)
{
    return (double)us / (double)US_PER_S;
}

/* Accepted a second lately, over no less than one and no more than there has been. */
static double recent_rate(const struct learned_limit *l, uint64_t now_us)
{
    double passed_s = seconds(now_us - l->span_from_us);
    double most_s = seconds(LEARNED_SLOTS * LEARNED_SLOT_US);

    passed_s = passed_s < 1 ? 1 : passed_s > most_s ? most_s : passed_s;
    return recent_count(l) / passed_s;
}

static void set_rate(struct learned_limit *l, double rate, uint64_t now_us)
{
    l->rate = rate > LEARNED_RATE_MIN ? rate : LEARNED_RATE_MIN;
    l->rate = l->rate > l->least ? l->rate : l->least;
    l->stepped_us = now_us;
    l->grown_s = 0;
}

static void search_from(struct learned_limit *l, double rate, double turn_s, uint64_t now_us)
{
    l->phase = LEARNED_SEARCH;
    l->is_guessing = false;
    l->turn_s = turn_s;
    l->target = rate;
    set_rate(l, rate, now_us);
}

/* --- how many at once ---------------------------------------------------------------------------- */

static void set_at_once(struct learned_limit *l, unsigned at_once, uint64_t now_us)
{
    if (!l->at_once_every_us) {
        l->at_once_every_us = AT_ONCE_PROBE_MIN_US;
    } else if (l->at_once_every_us < AT_ONCE_PROBE_MAX_US) {
        l->at_once_every_us *= 2;
    }
    l->at_once = at_once ? at_once : 1;
    l->at_once_probe_us = now_us + l->at_once_every_us;
    l->searched = l->rate;
    if (l->phase == LEARNED_NARROW) {
        search_from(l, l->rate, SEARCH_TURN_S, now_us); /* there may be a rate besides */
        return;
    }
    l->phase = LEARNED_FREE;
    l->rate = l->refused_at = 0;
}

/* The server counts what runs at once: nothing was accepted with as many in flight, though plenty was
 * with fewer. True when that explains the refusal. */
static bool is_too_many(struct learned_limit *l, const struct learned_answer *a, uint64_t now_us)
{
    unsigned most = recent_crowd(l), count = recent_count(l);
    bool plenty = count >= AT_ONCE_EVIDENCE && count >= 2 * a->crowd && l->span_accepted > 0;
    bool is_more = a->crowd > most && plenty && a->crowd > 1;
    bool is_new = l->phase == LEARNED_SEARCH && a->crowd > 3 && !a->told_us && l->searched <= 0;
    unsigned wanted = l->phase == LEARNED_FREE || is_new ? 1
                      : a->crowd > 3                     ? AT_ONCE_ROW
                                                         : AT_ONCE_FEW_ROW;

    if (l->at_once && l->span_accepted < AT_ONCE_EVIDENCE) {
        l->at_once = 0; /* fewer at once did not help: it is a rate */
        if (l->searched > 0 && l->phase == LEARNED_FREE) {
            search_from(l, l->searched, SEARCH_TURN_S, now_us);
        }
        return false;
    }
    l->too_many_in_row = is_more ? l->too_many_in_row + 1 : 0;
    if (l->too_many_in_row >= wanted) {
        set_at_once(l, a->crowd - 1, now_us);
        return true;
    }
    if (l->at_once && a->crowd <= l->at_once) {
        l->at_once = 0; /* as many were accepted: it is a rate after all */
    }
    return false;
}

unsigned learned_at_once(struct learned_limit *l, uint64_t now_us)
{
    if (l->at_once && now_us >= l->at_once_probe_us) {
        l->at_once++;
        l->at_once_probe_us = now_us + l->at_once_every_us;
    }
    return l->at_once;
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
    l->turn_s = SEARCH_TURN_S;
    set_rate(l, is_same ? BACK_SURE * rate : rate, now_us);
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
    if (took_us < WINDOW_US) {
        return;
    }
    if (bare_window_opens(&l->window, started_us)) {
        open_window(l, now_us);
    } else { /* it refused from the beginning */
        l->phase = LEARNED_SEARCH;
        set_rate(l, FIRST_LEAST, now_us);
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
        search_from(l, fmax(l->told.rate, TRY_PART * a_trip_rate(l)), TRY_TURN_S, now_us);
        break;
    case TOLD_STEP_TRY_AT:
        search_from(l, fmin(l->told.rate, a_trip_rate(l)), SEARCH_TURN_S, now_us);
        break;
    case TOLD_STEP_NO_WINDOW:
        l->held = fmax(l->held, l->told.burst);
        l->burst = fmax(l->burst, fmax(BURST_LEAST, l->held));
        search_from(l, l->told.rate, SEARCH_TURN_S, now_us);
        break;
    }
}

void learned_started(struct learned_limit *l, uint64_t now_us)
{
    take_step(l, told_window_started(&l->told, l->episode_us, now_us), now_us);
    bare_window_started(&l->window, now_us);
    l->span_started++;
}

void learned_accepted(struct learned_limit *l, const struct learned_answer *a, uint64_t now_us)
{
    double latency_us = (double)a->latency_us;

    move_slots(l, now_us);
    if (l->accepted[0] < UINT16_MAX) {
        l->accepted[0]++;
    }
    if (a->crowd > l->crowd[0] && a->started_us >= l->first_until_us) {
        l->crowd[0] = a->crowd < UINT16_MAX ? (uint16_t)a->crowd : UINT16_MAX;
    }
    l->latency_us += l->latency_us > 0 ? 0.1 * (latency_us - l->latency_us) : latency_us;
    if (!l->span_from_us || (l->phase == LEARNED_FREE && a->started_us < l->span_from_us)) {
        l->span_from_us = a->started_us;
    }
    l->span_accepted += a->started_us >= l->span_from_us;
    if (a->started_us < l->first_until_us) {
        l->first_accepted++;
    }
    if (l->refused_us && a->started_us > l->refused_us) {
        note_recovery(l, a->started_us, now_us);
    }
    if (bare_window_accepted(&l->window)) {
        l->recovery_us = 0;
    }
    take_step(l, told_window_accepted(&l->told, a->started_us), now_us);
}

/* The first refusal. What was in flight with it is still to be counted: the guess is made when that has
 * come back. */
static void lose_free(struct learned_limit *l, uint64_t span_us, uint64_t now_us)
{
    l->refused_at = recent_rate(l, now_us);
    l->burst = BURST_LEAST;
    l->first_accepted = l->span_accepted;
    memset(l->crowd, 0,
           sizeof l->crowd); /* they were not alone: what is refused counts only for us */
    l->first_until_us = now_us;
    l->first_span_us = span_us < BURST_US ? span_us : 0;
    l->phase = LEARNED_SEARCH;
    l->turn_s = SEARCH_TURN_S;
    l->is_guessing = true;
    set_rate(l, FIRST_LEAST, now_us);
}

static void guess(struct learned_limit *l, uint64_t now_us)
{
    double lately;

    move_slots(l, now_us);
    lately = recent_rate(l, now_us);
    lately =
        FIRST_PART * (lately > l->refused_at ? lately : l->refused_at); /* before a long hold */
    l->is_guessing = false;
    set_rate(l, lately > FIRST_LEAST ? lately : FIRST_LEAST, now_us);
}

/* How long growth takes to double, or to come back. */
static double turn_s(const struct learned_limit *l)
{
    double turn = l->turn_s, trips_s = TURN_LATENCIES * l->latency_us / (double)US_PER_S;
    double recovery_s = seconds(l->recovery_us);

    turn = trips_s > turn ? trips_s : turn;
    recovery_s = recovery_s < WINDOW_TURN_MAX_S ? recovery_s : WINDOW_TURN_MAX_S;
    return recovery_s > WINDOW_TURN_S && recovery_s > turn ? recovery_s : turn;
}

/* What the server let in a second since the last refusal, as far as it is known. A bucket that was full again
 * after a hold, or before the rate grew, gave its burst, too. */
static double whole_rate(const struct learned_limit *l, double accepted, uint64_t span_us)
{
    uint64_t open_us = span_us > l->span_held_us ? span_us - l->span_held_us : 0;
    double whole = accepted / seconds(span_us), lately_s = seconds(LEARNED_SLOTS * LEARNED_SLOT_US);

    if (seconds(open_us) > lately_s) {
        whole = fmax(whole, (recent_count(l) - l->burst) / lately_s);
    }
    return open_us < SPAN_MIN_US ? whole : fmax(whole, (accepted - l->burst) / seconds(open_us));
}

/* The rate of a bucket that was full, and was empty when a rate that had doubled every `turn` seconds reached
 * `upper`: what was more than it let in took the bucket `burst`. */
static double rate_below(double upper, double burst, double turn)
{
    double least = 0, most = upper, more = burst * log(2) / turn;

    for (int i = 0; i < 30; i++) {
        double middle = (least + most) / 2;

        if (upper - middle - middle * log(upper / middle) > more) {
            least = middle;
        } else {
            most = middle;
        }
    }
    return most;
}

/* It was met before. */
static bool is_near(double rate, double target)
{
    return rate > NEAR * target && NEAR * rate < target;
}

static void lose_search(struct learned_limit *l, double accepted, uint64_t span_us, uint64_t now_us)
{
    double whole = whole_rate(l, accepted, span_us), upper = l->rate, found;

    l->refused_at = upper;
    if (accepted <= 0) {
        return; /* still the refusal before: the next accepted one tells how long it took */
    }
    if (span_us < SPAN_MIN_US) {
        set_rate(l, BACK_AGAIN * upper, now_us);
        return;
    }
    if (l->first_span_us) { /* how much more its bucket held than came in meanwhile */
        double more = fmax(0, l->first_accepted - 1); /* an even rate needs one */

        found = rate_below(upper, more, turn_s(l));
        l->held = fmax(0, more - found * seconds(l->first_span_us));
        l->burst = fmax(l->burst, l->held + 1);
        l->first_span_us = 0;
    }
    found = rate_below(upper, l->held, turn_s(l));
    whole = fmin(whole, upper);
    found = l->recovery_us > WINDOW_US || whole > found ? whole : found;
    l->phase = LEARNED_NARROW;
    l->is_sure = is_near(found, l->target);
    l->target = found;
    set_rate(l, BACK * found, now_us);
}

static void lose_narrow(struct learned_limit *l, double accepted, uint64_t span_us, uint64_t now_us)
{
    double whole = whole_rate(l, accepted, span_us), rate = l->rate, found = rate;

    l->refused_at = rate;
    if (accepted <= 0) {
        return;
    }
    if (span_us < SPAN_MIN_US) {
        found = (l->episodes_in_row < 3 ? BACK_ONCE_MORE : BACK_AGAIN) * rate;
    } else {
        double least = (l->told_s > DEAR_S ? WHOLE_LEAST_TOLD : WHOLE_LEAST) * rate;

        whole = fmin(fmax(whole, least), rate);
        found = l->is_sure || l->episodes_in_row > 1 || l->recovery_us > WINDOW_US
                    ? whole
                    : sqrt(whole * rate);
    }
    l->is_sure |= is_near(found, l->target);
    l->burst = fmax(l->burst, l->excess);
    l->target = found;
    set_rate(l, (l->is_sure ? BACK_SURE : BACK) * found, now_us);
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

/* Slowing down did not put it off: it came after as few accepted ones as those before. */
static bool is_in_vain(struct learned_limit *l, double accepted, uint64_t span_us)
{
    double whole = accepted / seconds(span_us);

    if (accepted <= 0) {
        return false; /* still the refusal before */
    }
    if (accepted >= VAIN_ACCEPTED || l->phase == LEARNED_FREE) {
        l->vain = 0;
        l->vain_rate = l->vain_accepted = 0;
        return false;
    }
    if (span_us >= SPAN_MIN_US && whole > l->vain_rate) {
        l->vain_rate = whole;
    }
    l->vain_accepted += accepted;
    return ++l->vain >= VAIN_MOST && l->rate < VAIN_PART * l->vain_rate;
}

static void forget(struct learned_limit *l)
{
    l->phase = LEARNED_FREE;
    l->is_guessing = false;
    l->rate = l->refused_at = l->vain_rate = l->vain_accepted = 0;
    l->at_once = l->vain = 0;
}

/* It opens again at the deadline. */
static void lose_window(struct learned_limit *l, uint64_t now_us)
{
    l->refused_at = recent_rate(l, now_us);
    l->phase = LEARNED_FREE;
    l->rate = 0;
    l->vain = 0;
    l->vain_rate = l->vain_accepted = 0;
}

static void lose(struct learned_limit *l, double accepted, uint64_t span_us, uint64_t now_us)
{
    switch (l->phase) {
    case LEARNED_FREE:
        lose_free(l, span_us, now_us);
        break;
    case LEARNED_SEARCH:
        lose_search(l, accepted, span_us, now_us);
        break;
    case LEARNED_NARROW:
        lose_narrow(l, accepted, span_us, now_us);
        break;
    }
}

/* One start after a deadline is what the server itself proposes: the rate is hardly less than that. What is told
 * when the next token is near is no measure. */
static void note_told(struct learned_limit *l, uint64_t wait_us)
{
    if (!wait_us) {
        return;
    }
    l->is_told = true;
    l->told_s = fmax(seconds(wait_us), TOLD_FADES * l->told_s);
    l->least = LEAST_PART / l->told_s;
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
        !stray_refused(&l->stray, l->rate, accepted, accepted / seconds(span_us), now_us)) {
        return false;
    }
    l->target = fmax(l->target, l->rate);
    return true;
}

enum learned_news learned_refused(struct learned_limit *l, const struct learned_answer *a,
                                  uint64_t now_us)
{
    bool has_span = l->span_from_us && a->started_us > l->span_from_us;
    uint64_t span_us = has_span ? a->started_us - l->span_from_us : 1;
    uint64_t row_us = l->recovery_us > IN_ROW_US ? l->recovery_us : IN_ROW_US;
    bool was_trial = l->told.state == TOLD_TRIAL, is_row, is_vain;
    double accepted;

    move_slots(l, now_us);
    if (!l->refused_us) {
        l->refused_us = a->started_us ? a->started_us : 1;
    }
    if (a->started_us < l->episode_us) {
        return LEARNED_KNOWN;
    }
    if (!bare_window_refused(&l->window, a->started_us) && l->phase == LEARNED_SEARCH) {
        l->phase = LEARNED_FREE; /* there is no such window */
    }
    accepted = likely_accepted(l, a);
    is_row = l->episode_us && a->started_us < l->episode_us + row_us && accepted < ROW_ACCEPTED;
    l->episodes_in_row = is_row ? l->episodes_in_row + 1 : 1;
    l->episode_us = now_us;
    if (is_none_of_it(l, accepted, span_us, now_us)) {
        begin_span(l, a);
        return LEARNED_KNOWN;
    }
    is_vain = is_in_vain(l, accepted, span_us);
    if (is_vain) {
        forget(l);
    } else if (is_too_many(l, a, now_us)) {
        told_window_end(&l->told);
    } else if (told_window_refused(&l->told, a->told_us, l->phase == LEARNED_FREE)) {
        lose_window(l, now_us);
    } else {
        if (was_trial) {
            l->held = fmax(l->held, l->told.burst); /* what it took for a window's was that */
            l->burst = fmax(l->burst, l->held);
        }
        lose(l, accepted, span_us, now_us);
    }
    note_told(l, a->told_us);
    begin_span(l, a);
    return is_vain ? LEARNED_IN_VAIN : LEARNED_NEWS;
}

/* A refusal that names a deadline costs all that could have been asked meanwhile: it should be rare. */
static double told_cost(const struct learned_limit *l)
{
    double wait_s = fmin(l->told_s, TOLD_CREEP_MOST_S);

    return pow(1 + wait_s, l->is_sure ? 2 : 1.5);
}

/* How long NARROW takes back to its target. After as long again it is as far beyond. */
static double back_s(const struct learned_limit *l)
{
    double back = l->is_sure ? fmax(BACK_S, BACK_STARTS / l->rate) : UNSURE_BACK_S;
    double trips_s = TURN_LATENCIES * l->latency_us / (double)US_PER_S;

    return fmax(back, trips_s) * told_cost(l) * fmax(1, seconds(l->recovery_us) / BACK_RECOVERY_S);
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
    beyond = (1 - BACK_SURE) * part * part * part;
    if (l->is_sure && beyond > BEYOND_MOST && l->excess < BEYOND_BURSTS * l->burst) {
        beyond = BEYOND_MOST; /* a large bucket gives as much for a while */
    }
    return fmax(l->rate, (1 + beyond) * l->target);
}

double learned_rate(struct learned_limit *l, bool binds, uint64_t now_us)
{
    uint64_t passed_us = now_us > l->stepped_us ? now_us - l->stepped_us : 0;
    double passed_s = seconds(passed_us) < STEP_MAX_S ? seconds(passed_us) : STEP_MAX_S;

    if (binds) {
        l->bound_us = now_us;
    }
    if (l->is_guessing && now_us >= l->episode_us) {
        guess(l, now_us);
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
        l->rate *= exp2(passed_s / turn_s(l));
        if (l->turn_s > SEARCH_TURN_LEAST_S) {
            l->turn_s *= pow(SEARCH_TURN_PART, passed_s / turn_s(l));
            l->turn_s = l->turn_s > SEARCH_TURN_LEAST_S ? l->turn_s : SEARCH_TURN_LEAST_S;
        }
    } else {
        l->rate = grown_narrow(l, passed_s, now_us);
        if (l->rate > LOST_TARGET * l->target) {
            l->phase = LEARNED_SEARCH;
            l->turn_s = SEARCH_TURN_S;
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
    l->rate = l->target = l->vain_rate > l->rate ? l->vain_rate : l->rate;
    l->phase = LEARNED_SEARCH;
    l->turn_s = SEARCH_TURN_S;
    l->vain = 0;
    l->vain_rate = l->vain_accepted = 0;
}

/* --- holds ------------------------------------------------------------------------------------------ */

uint64_t learned_hold_us(struct learned_limit *l, uint64_t random)
{
    bool late = l->refused_us && l->episode_us > l->refused_us + HOLD_LATE_US;
    double most = late ? (double)HOLD_LATE_MAX_US : (double)LEARNED_HOLD_MAX_US;
    double window_part = (double)l->recovery_us / HOLDS_A_WINDOW;
    double first = window_part > (double)LEARNED_HOLD_US ? window_part : (double)LEARNED_HOLD_US;
    double length = first * pow(HOLD_GROWTH, l->holds_in_row);
    uint64_t window_us = bare_window_wait_us(&l->window, l->episode_us);

    if (window_us) {
        return window_us;
    }
    if (l->at_once || (l->phase == LEARNED_NARROW && l->episodes_in_row < 2)) {
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
    move_slots(l, now_us);
    return recent_rate(l, now_us);
}

uint64_t learned_refused_since_us(const struct learned_limit *l)
{
    return l->refused_us;
}
