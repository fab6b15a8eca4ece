#include "plan/bucket.h"

#include "base/clock.h"
#include "plan/learned_lose.h"

#include <limits.h>
#include <math.h>

#define REMEMBERED_US (60 * US_PER_S) /* a refusal */
#define INNOCENT_US (300 * US_PER_S)
#define INNOCENT_PART 0.2
#define SUSPECT_SHARE 0.04 /* of one answer in a suspicion */
#define SUSPECT_US (2 * US_PER_S)
#define BACKGROUND_ROW 7
#define BACKGROUND_SLOW_ROW 4 /* when it goes on at less than ... */
#define BACKGROUND_SLOW 0.25  /* ... this part of what was accepted between them */
#define BACKGROUND_TIMES 1.5
#define BACKGROUND_MORE 0.1
#define CREDIT_PART 4 /* of what a bucket has shown to hold: late starts are made up */
#define CREDIT_MOST_US 40e3
#define FOLLOW_BACK 0.7
#define ELSEWHERE_US (100 * US_PER_MS) /* until it is told that one was refused there */

unsigned bucket_cap(struct bucket *b, uint64_t now_us)
{
    unsigned learned = b->follow.is_on ? b->follow.at_once : learned_at_once(&b->learned, now_us);
    uint64_t told = b->allowance.concurrent;

    if (!told || told > UINT_MAX) {
        return learned;
    }
    return learned && learned < told ? learned : (unsigned)told;
}

/* What a loop that is late may make up: of a quick rate, and where a bucket has shown to hold a few. */
static double credit_us(const struct learned_limit *l, double interval_us)
{
    return l->phase == LEARNED_NARROW && interval_us < CREDIT_MOST_US
               ? fmin(l->held / CREDIT_PART * interval_us, CREDIT_MOST_US)
               : 0;
}

/* How long the learned rate keeps one more start back. */
static uint64_t learned_wait_us(struct bucket *b, uint64_t now_us)
{
    double rate = b->follow.is_on ? b->follow.rate : learned_rate(&b->learned, false, now_us);
    uint64_t wait_us;

    if (rate <= 0) {
        return 0;
    }
    if (rate != b->pacer.rate.requests || !b->pacer.rate.per_us) {
        b->pacer.is_even = true;
        pacer_set_rate(&b->pacer, (struct rate){ rate, US_PER_S });
        b->pacer.credit_us = credit_us(&b->learned, b->pacer.interval_us);
    }
    wait_us = pacer_wait_us(&b->pacer, now_us);
    if (wait_us && !b->follow.is_on) {
        learned_rate(&b->learned, true, now_us);
    }
    return wait_us;
}

enum bucket_answer bucket_may_start(struct bucket *b, uint64_t work_left, uint64_t now_us)
{
    unsigned cap = bucket_cap(b, now_us);

    if (now_us < b->hold_until_us) {
        return BUCKET_HELD;
    }
    if (cap && b->in_flight >= cap) {
        return BUCKET_FULL;
    }
    if (!b->grant.is_on && allowance_wait_us(&b->allowance, work_left, now_us)) {
        return BUCKET_QUOTA;
    }
    if (learned_wait_us(b, now_us)) {
        return BUCKET_LEARNED;
    }
    return grant_wait_us(&b->grant, now_us) ? BUCKET_QUOTA : BUCKET_MAY;
}

static uint64_t quota_wake_us(struct bucket *b, uint64_t work_left, uint64_t now_us)
{
    uint64_t wait_us = b->grant.is_on ? grant_wait_us(&b->grant, now_us)
                                      : allowance_wait_us(&b->allowance, work_left, now_us);

    return wait_us == TIME_NEVER ? TIME_NEVER : now_us + wait_us;
}

uint64_t bucket_wake_us(struct bucket *b, uint64_t work_left, uint64_t now_us)
{
    switch (bucket_may_start(b, work_left, now_us)) {
    case BUCKET_MAY:
        return now_us;
    case BUCKET_HELD:
        return b->hold_until_us;
    case BUCKET_QUOTA:
        return quota_wake_us(b, work_left, now_us);
    case BUCKET_LEARNED:
        return now_us + learned_wait_us(b, now_us);
    case BUCKET_FULL:
        break;
    }
    return TIME_NEVER;
}

void bucket_started(struct bucket *b, uint64_t now_us)
{
    b->in_flight++;
    b->starts++;
    if (b->follow.is_on ? b->follow.rate > 0 : learned_is_paced(&b->learned)) {
        pacer_start(&b->pacer, now_us);
    }
    learned_started(&b->learned, now_us);
    allowance_start(&b->allowance, now_us);
    grant_start(&b->grant);
}

void bucket_accepted(struct bucket *b, const struct learned_answer *answer, uint64_t now_us)
{
    b->accepted++;
    learned_accepted(&b->learned, answer, now_us);
    if (now_us < b->hold_until_us && b->hold_due.by == DUE_HOST_HOLD &&
        learned_was_stray(&b->learned)) {
        b->hold_until_us = now_us; /* we held it, and for nothing */
        learned_guess(&b->learned, now_us);
    }
}

bool bucket_hold(struct bucket *b, uint64_t until_us, const struct due *due, uint64_t now_us)
{
    bool news = now_us >= b->hold_until_us;

    if (until_us > b->hold_until_us && until_us > now_us) {
        b->hold_until_us = until_us;
        b->hold_due = *due;
        b->hold_due.wait_us = until_us - now_us;
        learned_held(&b->learned, until_us);
    }
    return news && now_us < b->hold_until_us;
}

/* When slowing down many times in a row does not put the next one off, some are there at any rate: few of
 * them are a background, many are no limiter's at all. True when the refusal is none. */
static bool is_background(struct bucket *b, uint64_t now_us)
{
    struct learned_limit *l = &b->learned;

    const struct shared_limit *s = &l->shared;

    if (!s->is_on && s->vain < BACKGROUND_ROW &&
        !(s->vain >= BACKGROUND_SLOW_ROW && l->rate < BACKGROUND_SLOW * s->rate)) {
        return false;
    }
    b->background = s->vain / (s->accepted + s->vain + 1);
    if (s->is_on && b->background <= INNOCENT_PART) {
        b->background = 0;
        return false;
    }
    if (b->background > INNOCENT_PART) {
        b->refuses_with_503 = false;
        b->innocent_until_us = now_us + INNOCENT_US;
        *l = (struct learned_limit){ 0 };
    } else {
        learned_restore(l);
    }
    return true;
}

bool bucket_refused(struct bucket *b, const struct learned_answer *answer, uint64_t until_us,
                    const struct due *due, uint64_t random, uint64_t now_us)
{
    struct learned_answer told = *answer;
    enum learned_news news;

    b->refused++;
    b->refused_status = due->status;
    if (b->refuses_with_503 && due->status == 503 && until_us <= now_us &&
        is_background(b, now_us)) {
        return false;
    }
    told.told_us = until_us > now_us ? until_us - now_us : 0;
    b->bare_refused += !told.told_us;
    if (b->follow.is_on) { /* who learns is told */
        b->follow.rate *= now_us < b->hold_until_us ? 1 : FOLLOW_BACK;
        return bucket_hold(b, told.told_us ? until_us : now_us + LEARNED_HOLD_US, due, now_us);
    }
    news = learned_refused(&b->learned, &told, now_us);
    if (told.told_us) {
        return bucket_hold(b, until_us, due, now_us);
    }
    return bucket_hold(b, now_us + learned_hold_us(&b->learned, news, random), due, now_us);
}

/* --- one learns for all ---------------------------------------------------------------------------- */

void bucket_follow(struct bucket *b, double rate, unsigned at_once)
{
    bool is_news = !b->follow.is_on || rate > b->follow.told || rate < b->follow.told;

    b->follow = (struct bucket_follow){ true, rate, is_news ? rate : b->follow.rate, at_once };
}

void bucket_lead(struct bucket *b, uint64_t now_us)
{
    if (b->follow.is_on) {
        learned_adopt(&b->learned, b->follow.rate, b->follow.at_once, now_us);
        b->follow = (struct bucket_follow){ .is_on = false };
    }
}

bool bucket_refused_elsewhere(struct bucket *b, const struct due *due, uint64_t random,
                              uint64_t now_us)
{
    uint64_t age_us = (uint64_t)b->learned.latency_us + ELSEWHERE_US;
    const struct learned_answer answer = { .started_us = now_us > age_us ? now_us - age_us : 0,
                                           .crowd = b->in_flight,
                                           .latency_us = (uint64_t)b->learned.latency_us };
    enum learned_news news = learned_refused(&b->learned, &answer, now_us);

    return bucket_hold(b, now_us + learned_hold_us(&b->learned, news, random), due, now_us);
}

double bucket_learned_rate(const struct bucket *b)
{
    return b->follow.is_on ? b->follow.rate : b->learned.rate;
}

bool bucket_suspects(struct bucket *b, struct bucket_suspicion *s, bool is_first, uint64_t now_us)
{
    bool accepts = s->accepted_us && now_us - s->accepted_us < SUSPECT_US;

    if (is_first) {
        s->part += SUSPECT_SHARE * (1 - s->part);
    }
    if (now_us < b->innocent_until_us) {
        return false;
    }
    if (!accepts && (!b->refuses_with_503 || learned_lately(&b->learned, now_us) > 0)) {
        return false; /* nothing of this lane goes well: that is its own trouble */
    }
    if (!b->refuses_with_503 && s->part > BUCKET_SUSPECT_PART) {
        b->refuses_with_503 = true;
        b->background = 0;
    }
    return b->refuses_with_503 &&
           (b->background <= 0 || s->part > b->background * BACKGROUND_TIMES + BACKGROUND_MORE);
}

void bucket_trusts(struct bucket_suspicion *s, uint64_t now_us)
{
    s->accepted_us = now_us;
    s->part -= SUSPECT_SHARE * s->part;
}

bool bucket_is_of_now(const struct bucket *b, uint64_t now_us)
{
    return now_us < b->hold_until_us + (b->hold_until_us ? REMEMBERED_US : 0) ||
           allowance_is_of_now(&b->allowance, now_us) ||
           (b->refused && now_us < b->learned.episode_us + REMEMBERED_US);
}
