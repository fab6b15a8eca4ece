#include "limit_sim.h"

#include <stdlib.h>

#define REFUSAL_US (2 * US_PER_MS) /* a refusal is quick */
#define LATE_US UINT64_C(1000)     /* a timer's: the loop counts in milliseconds */

static uint64_t random_bits(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static double uniform(uint64_t *state)
{
    return (double)(random_bits(state) >> 11) / 9007199254740992.0;
}

/* --- the server ---------------------------------------------------------------------------------- */

static double most_tokens(const struct limiter *l)
{
    double most = l->kind == LIMITER_WINDOW ? l->rate * l->window_s : l->burst;

    return most > 1 ? most : 1;
}

static void refill(struct limit_sim *s)
{
    const struct limiter *l = &s->limiter;
    uint64_t window_us = (uint64_t)(l->window_s * 1e6);

    if (l->kind == LIMITER_BUCKET) {
        s->tokens += (double)(s->arrived_us - s->filled_us) / 1e6 * l->rate;
    } else if (s->arrived_us / window_us != s->filled_us / window_us) {
        s->tokens = most_tokens(l);
    }
    s->tokens = s->tokens < most_tokens(l) ? s->tokens : most_tokens(l);
    s->filled_us = s->arrived_us;
}

static bool take_token(struct limit_sim *s)
{
    refill(s);
    if (s->tokens < 1) {
        return false;
    }
    s->tokens--;
    return true;
}

static bool take_place_in_window(struct limit_sim *s)
{
    uint64_t most = (uint64_t)(s->limiter.rate * s->limiter.window_s);
    uint64_t window_us = (uint64_t)(s->limiter.window_s * 1e6);
    size_t size = sizeof s->let_in / sizeof s->let_in[0];

    if (most > size) {
        abort();
    }
    if (s->let_in_count >= most &&
        s->let_in[(s->let_in_count - most) % size] + window_us > s->now_us) {
        return false;
    }
    s->let_in[s->let_in_count++ % size] = s->now_us;
    return true;
}

static bool lets_in(struct limit_sim *s)
{
    switch (s->limiter.kind) {
    case LIMITER_BUCKET:
    case LIMITER_WINDOW:
        return take_token(s);
    case LIMITER_SLIDING:
        return take_place_in_window(s);
    case LIMITER_AT_ONCE:
        return s->active < s->limiter.at_once;
    case LIMITER_SHUT:
        return false;
    case LIMITER_NONE:
        break;
    }
    return true;
}

/* The other caller has asked meanwhile, and takes what there is. */
static void serve_others(struct limit_sim *s)
{
    uint64_t seen_us = s->arrived_us, random;

    for (; s->limiter.others > 0 && s->others_us <= seen_us;) {
        s->arrived_us = s->others_us > s->filled_us ? s->others_us : s->filled_us;
        lets_in(s);
        random = s->others_us;
        s->others_us += (uint64_t)((0.5 + uniform(&random)) * 1e6 / s->limiter.others) + 1;
    }
    s->arrived_us = seen_us;
}

/* How long until it would let one in. */
static uint64_t left_us(const struct limit_sim *s)
{
    const struct limiter *l = &s->limiter;
    uint64_t window_us = (uint64_t)(l->window_s * 1e6), most = (uint64_t)(l->rate * l->window_s);

    switch (l->kind) {
    case LIMITER_BUCKET:
        return (uint64_t)((1 - s->tokens) / l->rate * 1e6);
    case LIMITER_WINDOW:
        return window_us - s->now_us % window_us;
    case LIMITER_SLIDING:
        return s->let_in[(s->let_in_count - most) % (sizeof s->let_in / sizeof s->let_in[0])] +
               window_us - s->now_us;
    case LIMITER_AT_ONCE:
    case LIMITER_SHUT:
    case LIMITER_NONE:
        break;
    }
    return US_PER_S;
}

static uint64_t named_us(const struct limit_sim *s)
{
    if (s->limiter.tells_exactly) {
        return left_us(s) + 1;
    }
    return s->limiter.tells ? (left_us(s) + US_PER_S - 1) / US_PER_S * US_PER_S
                            : s->limiter.named_us;
}

/* When it is looked at. Stalls begin at even distances and are of any length up to the longest. */
static uint64_t seen_us(const struct limit_sim *s)
{
    const struct limiter *l = &s->limiter;
    uint64_t each_us = (uint64_t)(l->stall_each_s * 1e6), at, random, ends_us;

    if (!each_us) {
        return s->now_us;
    }
    at = s->now_us / each_us;
    random = at;
    ends_us = at * each_us + (uint64_t)(uniform(&random) * l->stall_most_s * 1e6);
    return s->now_us > ends_us ? s->now_us : ends_us;
}

static void serve(struct limit_sim *s, struct limit_flight *f)
{
    const struct limiter *l = &s->limiter;
    double ms = l->latency_ms * (1 + l->jitter * (uniform(&s->random) - 0.5));

    s->arrived_us = seen_us(s);
    serve_others(s);
    if (!lets_in(s) || (l->by_chance > 0 && uniform(&s->random) < l->by_chance)) {
        f->status = l->status ? l->status : 429;
        f->ends_us = s->arrived_us + REFUSAL_US;
        f->named_us = named_us(s);
        return;
    }
    f->status = uniform(&s->random) < l->broken ? 503 : 200;
    f->ends_us = s->arrived_us + (uint64_t)(ms * 1000) + 1;
    f->is_working = true;
    s->active++;
}

/* --- the caller ------------------------------------------------------------------------------------ */

/* One that has slept enough, or SIZE_MAX. */
static size_t find_awake(const struct limit_sim *s)
{
    size_t found = SIZE_MAX;

    for (size_t i = 0; i < s->asleep; i++) {
        found = s->threads[i].until_us <= s->now_us ? i : found;
    }
    return found;
}

static bool may_start(struct limit_sim *s)
{
    if (s->is_script) {
        return s->in_flight + s->asleep < s->cap || find_awake(s) != SIZE_MAX;
    }
    return s->in_flight < s->cap &&
           bucket_may_start(&s->bucket, UINT64_MAX, s->now_us) == BUCKET_MAY;
}

static void start(struct limit_sim *s)
{
    struct limit_flight *f = &s->flights[s->in_flight++];
    size_t awake = find_awake(s);

    *f = (struct limit_flight){ .started_us = s->now_us };
    if (awake != SIZE_MAX) {
        f->refusals = s->threads[awake].refusals;
        s->threads[awake] = s->threads[--s->asleep];
    }
    bucket_started(&s->bucket, s->now_us);
    f->crowd = s->bucket.in_flight;
    serve(s, f);
}

static bool is_refusal(struct limit_sim *s, int status)
{
    if (status != 503) {
        return status == 429;
    }
    if (named_us(s) && s->limiter.status == 503) {
        return true;
    }
    if (!bucket_suspects(&s->bucket, &s->suspicion, true, s->now_us)) {
        return false;
    }
    s->was_limiter = true;
    return true;
}

static void put_to_sleep(struct limit_sim *s, const struct limit_flight *f)
{
    uint64_t most_us = f->refusals < 5 ? US_PER_S << f->refusals : 30 * US_PER_S;

    s->refused++;
    s->threads[s->asleep++] = (struct limit_thread){
        .until_us = s->now_us +
                    (f->named_us ? f->named_us : (uint64_t)(uniform(&s->random) * (double)most_us)),
        .refusals = f->refusals + 1,
    };
}

static void refuse(struct limit_sim *s, const struct limit_flight *f,
                   const struct learned_answer *answer)
{
    uint64_t told_us = f->named_us, length_us;
    struct due due = { .by = told_us ? DUE_RETRY_AFTER : DUE_HOST_HOLD, .status = f->status };

    s->refused++;
    if (!bucket_refused(&s->bucket, answer, told_us ? s->now_us + told_us : 0, &due,
                        random_bits(&s->random), s->now_us)) {
        return;
    }
    length_us = s->bucket.hold_until_us - s->now_us;
    s->holds++;
    s->hold_most_us = length_us > s->hold_most_us ? length_us : s->hold_most_us;
}

static void end(struct limit_sim *s, unsigned at)
{
    struct limit_flight f = s->flights[at];
    struct learned_answer answer = { f.started_us, f.crowd, s->now_us - f.started_us, 0 };

    s->flights[at] = s->flights[--s->in_flight];
    s->active -= f.is_working;
    s->bucket.in_flight--;
    if (s->is_script) {
        if (f.status == 200) {
            s->accepted++;
        } else {
            put_to_sleep(s, &f);
        }
    } else if (is_refusal(s, f.status)) {
        refuse(s, &f, &answer);
    } else if (f.status == 503) {
        s->broken++;
    } else {
        s->accepted++;
        bucket_trusts(&s->suspicion, s->now_us);
        bucket_accepted(&s->bucket, &answer, s->now_us);
    }
}

static unsigned first_end(const struct limit_sim *s)
{
    unsigned first = 0;

    for (unsigned i = 1; i < s->in_flight; i++) {
        first = s->flights[i].ends_us < s->flights[first].ends_us ? i : first;
    }
    return first;
}

void limit_sim_begin(struct limit_sim *s, const struct limiter *limiter, unsigned cap)
{
    if (cap > LIMIT_SIM_CAP_MAX) {
        abort();
    }
    *s = (struct limit_sim){ .limiter = *limiter,
                             .cap = cap,
                             .now_us = LIMIT_SIM_T0,
                             .random = 11,
                             .tokens = most_tokens(limiter),
                             .filled_us = LIMIT_SIM_T0,
                             .arrived_us = LIMIT_SIM_T0,
                             .others_us = LIMIT_SIM_T0 };
    limit_sim_count(s);
}

/* When time alone lets one more start. */
static uint64_t wake_us(struct limit_sim *s)
{
    uint64_t first_us = UINT64_MAX;

    if (!s->is_script) {
        return bucket_wake_us(&s->bucket, UINT64_MAX, s->now_us);
    }
    for (size_t i = 0; i < s->asleep; i++) {
        first_us = s->threads[i].until_us < first_us ? s->threads[i].until_us : first_us;
    }
    return first_us;
}

void limit_sim_live(struct limit_sim *s, double length_s)
{
    uint64_t until_us = s->now_us + (uint64_t)(length_s * 1e6);

    while (s->now_us < until_us) {
        uint64_t next_us = until_us;

        while (may_start(s)) {
            start(s);
        }
        if (s->in_flight < s->cap) {
            uint64_t at_us = wake_us(s);

            next_us = at_us < next_us - LATE_US ? at_us + LATE_US : next_us;
        }
        if (s->in_flight && s->flights[first_end(s)].ends_us < next_us) {
            next_us = s->flights[first_end(s)].ends_us;
        }
        s->now_us = next_us;
        while (s->in_flight && s->flights[first_end(s)].ends_us <= s->now_us) {
            end(s, first_end(s));
        }
    }
}

void limit_sim_count(struct limit_sim *s)
{
    s->accepted = s->refused = s->broken = s->holds = s->hold_most_us = 0;
    s->was_limiter = false;
    s->counted_from_us = s->now_us;
}

double limit_sim_rate(const struct limit_sim *s)
{
    return (double)s->accepted * 1e6 / (double)(s->now_us - s->counted_from_us);
}

double limit_sim_refused(const struct limit_sim *s)
{
    uint64_t all = s->accepted + s->refused + s->broken;

    return all ? (double)s->refused / (double)all : 0;
}
