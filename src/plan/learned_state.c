#include "plan/learned_state.h"

#define WINDOW_TURN_S 5.0     /* a recovery of a window is slower to grow after ... */
#define WINDOW_TURN_MAX_S 8.0 /* ... up to this */

double learned_seconds(uint64_t us)
{
    return (double)us / (double)US_PER_S;
}

/* Accepted a second lately, over no less than one and no more than there has been. */
double learned_recent_rate(const struct learned_limit *l, uint64_t now_us)
{
    double passed_s = learned_seconds(now_us - l->span_from_us);
    double most_s = learned_seconds(LATELY_US);

    passed_s = passed_s < 1 ? 1 : passed_s > most_s ? most_s : passed_s;
    return lately_count(&l->lately) / passed_s;
}

void learned_set_rate(struct learned_limit *l, double rate, uint64_t now_us)
{
    l->rate = rate > LEARNED_RATE_MIN ? rate : LEARNED_RATE_MIN;
    l->rate = l->rate > l->least ? l->rate : l->least;
    l->stepped_us = now_us;
    l->grown_s = 0;
}

void learned_search_from(struct learned_limit *l, double rate, double turn_s, uint64_t now_us)
{
    l->phase = LEARNED_SEARCH;
    l->is_guessing = false;
    l->turn_s = turn_s;
    l->target = rate;
    learned_set_rate(l, rate, now_us);
}

void learned_forget(struct learned_limit *l)
{
    l->phase = LEARNED_FREE;
    l->is_guessing = false;
    l->rate = l->refused_at = 0;
    l->at_once.most = 0;
}

/* How long growth takes to double, or to come back. */
double learned_turn_s(const struct learned_limit *l)
{
    double turn = l->turn_s, trips_s = LEARNED_TURN_LATENCIES * l->latency_us / (double)US_PER_S;
    double recovery_s = learned_seconds(l->recovery_us);

    turn = trips_s > turn ? trips_s : turn;
    recovery_s = recovery_s < WINDOW_TURN_MAX_S ? recovery_s : WINDOW_TURN_MAX_S;
    return recovery_s > WINDOW_TURN_S && recovery_s > turn ? recovery_s : turn;
}

void learned_adopt(struct learned_limit *l, double rate, unsigned at_once, uint64_t now_us)
{
    double latency_us = l->latency_us;
    struct lately lately = l->lately;

    *l = (struct learned_limit){ .latency_us = latency_us, .lately = lately };
    l->span_from_us = l->episode_us = now_us;
    l->at_once.most = at_once;
    if (rate > 0) {
        l->phase = LEARNED_NARROW;
        l->burst = LEARNED_BURST_LEAST;
        l->target = rate;
        l->refused_at = rate;
        learned_set_rate(l, rate, now_us);
    }
}

void learned_scale(struct learned_limit *l, double factor, uint64_t now_us)
{
    double *const parts[] = { &l->refused_at,    &l->sent_most,      &l->target,
                              &l->searched,      &l->burst,          &l->held,
                              &l->excess,        &l->first_accepted, &l->least,
                              &l->span_accepted, &l->span_started };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        *parts[i] *= factor;
    }
    if (l->rate > 0) {
        double grown_s = l->grown_s;

        learned_set_rate(l, l->rate * factor, now_us);
        l->grown_s = grown_s;
    }
}
