#include "plan/tuner.h"

#include "base/clock.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define GAIN_GOOD 0.5     /* of what proportion would give: doubling goes on */
#define GAIN_WORTH 0.25   /* a step up is kept */
#define SAME_RATE 0.97    /* a step down that keeps this much costs nothing */
#define FULL_PART 0.75    /* of the cap in flight on average: else something else limits */
#define LATENCY_ROSE 1.35 /* against what held: another server now */
#define LATENCY_FELL 0.75
#define FAILED_PART 0.2 /* 503s and timeouts beyond this part of a round are a loss; ... */
#define FAILED_MOST 10  /* ... so many, and half of all, before it is over */

static void say(struct tuner *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct tuner *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(t->reason, sizeof t->reason, format, args);
    va_end(args);
}

static void begin_round(struct tuner *t, uint64_t now_us)
{
    t->round = (struct tuner_round){ .began_us = now_us };
}

static bool change_cap(struct tuner *t, double wanted, uint64_t now_us)
{
    unsigned before = t->cap, most = t->cap_max;
    double cap = round(wanted);

    t->cap = cap < 1 ? 1 : cap > most ? most : (unsigned)cap;
    begin_round(t, now_us);
    return t->cap != before;
}

static void forget_search(struct tuner *t)
{
    t->phase = TUNER_RISE;
    t->before = (struct tuner_point){ 0 };
    t->next_down_us = 0; /* the first step is one down: doubling may have gone too far */
    t->down_every_us = 2 * TUNER_STEP_US;
}

void tuner_init(struct tuner *t, unsigned cap, unsigned cap_max, uint64_t now_us)
{
    *t = (struct tuner){ 0 };
    tuner_set(t, cap, cap_max, now_us);
}

void tuner_set(struct tuner *t, unsigned cap, unsigned cap_max, uint64_t now_us)
{
    t->cap_max = cap_max ? cap_max : 1;
    t->cap = cap < 1 ? 1 : cap > t->cap_max ? t->cap_max : cap;
    forget_search(t);
    begin_round(t, now_us);
}

/* --- what came back -------------------------------------------------------------------------------- */

void tuner_note(struct tuner *t, const struct tuner_sample *s)
{
    if (s->started_us < t->round.began_us) {
        return; /* it tells of the cap before */
    }
    if (s->end == TUNER_FAILED) {
        t->round.failed++;
        return;
    }
    t->round.well++;
    t->round.latency_sum_us += (double)s->latency_us;
    t->round.crowd_sum += s->crowd;
}

static bool answer_failures(struct tuner *t, uint64_t now_us)
{
    unsigned before = t->cap;

    change_cap(t, before * 0.7 < before - 1 ? before * 0.7 : before - 1, now_us);
    t->phase = TUNER_HOLD;
    t->before = (struct tuner_point){ 0 };
    t->next_step_us = now_us + TUNER_STEP_US;
    say(t, "auto: cap %u -> %u, many 503s or timeouts", before, t->cap);
    return t->cap != before;
}

/* --- the cap -------------------------------------------------------------------------------------------- */

static struct tuner_point measure(const struct tuner *t)
{
    const struct tuner_round *r = &t->round;
    struct tuner_point p = { .cap = t->cap };

    p.latency_us = r->latency_sum_us / r->well;
    p.rate = p.latency_us > 0 ? r->crowd_sum / r->well / p.latency_us * (double)US_PER_S : 0;
    return p;
}

/* Enough answers for what the phase has to tell apart, or enough time. */
static bool round_is_over(const struct tuner *t, uint64_t now_us)
{
    unsigned turns = t->phase == TUNER_RISE ? 3 : 6;
    unsigned wanted = t->phase == TUNER_RISE ? 40 : t->phase == TUNER_REFINE ? 120 : 300;
    uint64_t most_us = (t->phase == TUNER_RISE ? 3 : t->phase == TUNER_REFINE ? 5 : 10) * US_PER_S;

    wanted = wanted > turns * t->cap ? wanted : turns * t->cap;
    return t->round.well >= wanted || (t->round.well >= 2 * t->cap && t->round.well >= 8 &&
                                       now_us - t->round.began_us >= most_us);
}

/* How much of what proportion promises a change from `a` to `b` gave: 1 all, 0 nothing. */
static double gain(const struct tuner_point *a, const struct tuner_point *b)
{
    return log(b->rate / a->rate) / log((double)b->cap / a->cap);
}

static bool settle(struct tuner *t, const struct tuner_point *at, uint64_t now_us)
{
    t->phase = TUNER_HOLD;
    t->before = at ? *at : (struct tuner_point){ 0 };
    t->next_step_us = now_us + TUNER_STEP_US;
    return false;
}

static bool rise(struct tuner *t, const struct tuner_point *now, uint64_t now_us)
{
    unsigned before = t->cap;
    double got = t->before.rate > 0 ? gain(&t->before, now) : 1;

    if (got >= GAIN_GOOD) {
        t->before = *now;
        if (!change_cap(t, t->cap * 2.0, now_us)) {
            return settle(t, now, now_us);
        }
        say(t, "auto: cap %u -> %u, the rate grew with it: %.1f/s at %.0f ms", before, t->cap,
            now->rate, now->latency_us / 1000);
        return true;
    }
    if (got >= GAIN_WORTH || t->cap <= t->before.cap + 1) {
        if (got >= GAIN_WORTH) {
            settle(t, now, now_us);
            t->next_step_us = now_us; /* it may have been too much: a step down tells at once */
            return false;
        }
        change_cap(t, t->before.cap, now_us);
        say(t, "auto: cap %u -> %u, more gave nothing", before, t->cap);
        settle(t, NULL, now_us);
        return true;
    }
    t->phase = TUNER_REFINE;
    change_cap(t, sqrt((double)t->before.cap * t->cap), now_us);
    say(t, "auto: cap %u -> %u, latency grew and not the rate: %.1f/s at %.0f ms", before, t->cap,
        now->rate, now->latency_us / 1000);
    return true;
}

/* In between: when even half-way up gave nothing, the lower end is where to stay. */
static bool refine(struct tuner *t, const struct tuner_point *now, uint64_t now_us)
{
    if (gain(&t->before, now) < GAIN_WORTH && now->cap > t->before.cap) {
        unsigned before = t->cap;

        change_cap(t, t->before.cap, now_us);
        settle(t, NULL, now_us);
        say(t, "auto: cap %u -> %u, as fast with less", before, t->cap);
        return t->cap != before;
    }
    return settle(t, now, now_us);
}

static bool step(struct tuner *t, bool down, uint64_t now_us)
{
    unsigned before = t->cap;
    double wanted = down ? fmin(before * 0.8, before - 1.0) : fmax(before * 1.25, before + 1.0);

    t->next_step_us = now_us + TUNER_STEP_US;
    if (!change_cap(t, wanted, now_us)) {
        return false;
    }
    t->phase = down ? TUNER_STEP_DOWN : TUNER_STEP_UP;
    say(t, "auto: cap %u -> %u, to see whether %s", before, t->cap,
        down ? "less does as well" : "more helps");
    return true;
}

static bool hold(struct tuner *t, const struct tuner_point *now, uint64_t now_us)
{
    unsigned before = t->cap;
    double was_us;

    if (t->before.rate <= 0) {
        t->before = *now;
    }
    was_us = t->before.latency_us;
    if (now->latency_us > LATENCY_ROSE * was_us && now->rate < t->before.rate * SAME_RATE) {
        forget_search(t);
        change_cap(t, before * was_us / now->latency_us, now_us);
        say(t, "auto: cap %u -> %u, latency rose from %.0f to %.0f ms", before, t->cap,
            was_us / 1000, now->latency_us / 1000);
        return t->cap != before;
    }
    if (now->latency_us < LATENCY_FELL * t->before.latency_us && now->cap < t->cap_max) {
        forget_search(t);
        return rise(t, now, now_us);
    }
    t->before = *now;
    if (now_us < t->next_step_us) {
        begin_round(t, now_us);
        return false;
    }
    if (t->cap > 1 && now_us >= t->next_down_us) {
        return step(t, true, now_us);
    }
    if (t->cap < t->cap_max) {
        return step(t, false, now_us);
    }
    begin_round(t, now_us);
    return false;
}

static bool end_step(struct tuner *t, const struct tuner_point *now, uint64_t now_us)
{
    bool down = t->phase == TUNER_STEP_DOWN;
    bool keep =
        down ? now->rate >= SAME_RATE * t->before.rate : gain(&t->before, now) >= GAIN_WORTH;
    struct tuner_point back = t->before;
    unsigned before = t->cap;

    if (down) {
        t->down_every_us = keep ? 2 * TUNER_STEP_US : 2 * t->down_every_us;
        t->down_every_us =
            t->down_every_us < TUNER_DOWN_MAX_US ? t->down_every_us : TUNER_DOWN_MAX_US;
        t->next_down_us = keep ? now_us : now_us + t->down_every_us;
    }
    if (keep) {
        settle(t, now, now_us);
        t->next_step_us = now_us; /* and another one that way at once */
        t->next_down_us = down ? now_us : now_us + t->down_every_us;
        begin_round(t, now_us);
        return false;
    }
    settle(t, &back, now_us);
    change_cap(t, back.cap, now_us);
    say(t, "auto: cap %u -> %u, %s", before, t->cap,
        down ? "less was slower" : "more gave nothing");
    return t->cap != before;
}

static bool tune_cap(struct tuner *t, uint64_t now_us)
{
    struct tuner_point now = measure(t);
    bool changed = false;

    switch (t->phase) {
    case TUNER_RISE:
        changed = rise(t, &now, now_us);
        break;
    case TUNER_REFINE:
        changed = refine(t, &now, now_us);
        break;
    case TUNER_HOLD:
        changed = hold(t, &now, now_us);
        break;
    case TUNER_STEP_UP:
    case TUNER_STEP_DOWN:
        changed = end_step(t, &now, now_us);
        break;
    }
    if (t->round.began_us != now_us) {
        begin_round(t, now_us);
    }
    return changed;
}

bool tuner_step(struct tuner *t, bool kept_back, uint64_t now_us)
{
    if (kept_back) {
        begin_round(t, now_us);
        return false;
    }
    if (t->round.failed >= FAILED_MOST && t->round.failed > t->round.well) {
        return answer_failures(t, now_us);
    }
    if (!round_is_over(t, now_us)) {
        return false;
    }
    if (t->round.failed > FAILED_PART * (t->round.well + t->round.failed)) {
        return answer_failures(t, now_us);
    }
    if (t->round.crowd_sum < FULL_PART * t->cap * t->round.well) {
        begin_round(t, now_us);
        return false;
    }
    return tune_cap(t, now_us);
}
