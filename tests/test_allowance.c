/* A client that heeds what it is told, beside servers made of numbers: none of their limits is overrun
 * once it was told, and what they allow is used. */
#include "plan/allowance.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define T0 (UINT64_C(1000) * US_PER_S)
#define S US_PER_S
#define FLIGHTS_MAX 64
#define LOG_MAX 4096

/* --- servers ------------------------------------------------------------------------------------------- */

enum kind {
    FIXED,         /* a window begins with the first request after the last one */
    ALIGNED,       /* windows of the wall clock */
    SLIDING,       /* as many within any window; tells when the oldest request leaves it */
    SLIDING_WHOLE, /* ... tells the window's length, always */
    BUCKET,        /* tells when it is full */
    BUCKET_NEXT,   /* tells when the next token comes */
    BUCKET_RATE,   /* tells how fast it fills */
    SILENT_RATE,   /* sliding, and tells only the limit and the window */
    KINDS,
};

static const char *const kind_names[] = {
    [FIXED] = "fixed",
    [ALIGNED] = "aligned",
    [SLIDING] = "sliding",
    [SLIDING_WHOLE] = "sliding-whole",
    [BUCKET] = "bucket",
    [BUCKET_NEXT] = "bucket-next",
    [BUCKET_RATE] = "bucket-rate",
    [SILENT_RATE] = "silent-rate",
};

/* How a reset is told: exactly, in seconds rounded up, as a moment by a Date that is cut off: to the
 * millisecond, or to the second, rounded up or cut off. */
enum grain { EXACT, CEIL_S, MOMENT_MS, EPOCH_S, FLOOR_S, GRAINS };

struct server {
    enum kind kind;
    enum grain grain;
    bool tells_window;
    uint64_t limit, window_us;
    uint64_t used, window_from_us; /* fixed */
    uint64_t log[LOG_MAX];         /* sliding: a ring of the last `limit` */
    uint64_t accepted;
    double tokens;
    uint64_t tokens_at_us;
};

struct reply {
    bool refused;
    struct quota quota;
};

static uint64_t oldest(const struct server *s)
{
    return s->accepted >= s->limit ? s->log[s->accepted % s->limit] : 0;
}

static uint64_t in_window(const struct server *s, uint64_t now_us, uint64_t *first_us)
{
    uint64_t count = 0, most = s->accepted < s->limit ? s->accepted : s->limit;

    *first_us = now_us;
    for (uint64_t i = 1; i <= most; i++) {
        uint64_t at = s->log[(s->accepted - i) % s->limit];

        if (at + s->window_us <= now_us) {
            break;
        }
        *first_us = at;
        count++;
    }
    return count;
}

static bool serve_one(struct server *s, uint64_t now_us, uint64_t *left, uint64_t *reset_us)
{
    double rate = (double)s->limit / (double)s->window_us;
    uint64_t first;
    bool ok;

    switch (s->kind) {
    case FIXED:
    case ALIGNED:
        if (!s->window_from_us || now_us >= s->window_from_us + s->window_us) {
            s->window_from_us = s->kind == FIXED ? now_us : now_us - now_us % s->window_us;
            s->used = 0;
        }
        ok = s->used < s->limit;
        s->used += ok;
        *left = s->limit - s->used;
        *reset_us = s->window_from_us + s->window_us - now_us;
        return ok;
    case SLIDING:
    case SLIDING_WHOLE:
    case SILENT_RATE:
        ok = s->accepted < s->limit || oldest(s) + s->window_us <= now_us;
        if (ok) {
            s->log[s->accepted++ % s->limit] = now_us;
        }
        *left = s->limit - in_window(s, now_us, &first);
        *reset_us = s->kind == SLIDING ? first + s->window_us - now_us : s->window_us;
        return ok;
    default:
        if (!s->tokens_at_us) {
            s->tokens = (double)s->limit;
            s->tokens_at_us = now_us;
        }
        s->tokens += (double)(now_us - s->tokens_at_us) * rate;
        s->tokens = s->tokens < (double)s->limit ? s->tokens : (double)s->limit;
        s->tokens_at_us = now_us;
        ok = s->tokens >= 1;
        s->tokens -= ok;
        *left = (uint64_t)s->tokens;
        *reset_us = (uint64_t)((s->kind == BUCKET_NEXT ? (double)*left + 1 - s->tokens
                                                       : (double)s->limit - s->tokens) /
                               rate);
        return ok;
    }
}

#define CLOCK_US 777777 /* the server's is that much ahead */

static void tell_reset(const struct server *s, struct quota *q, uint64_t now_us)
{
    uint64_t here_us = now_us + CLOCK_US, moment_us = here_us + q->reset_us,
             date_us = here_us / S * S;

    if (s->grain == EXACT) {
        return;
    }
    q->grain_us = s->grain == MOMENT_MS ? 0 : S;
    if (s->grain == CEIL_S) {
        q->reset_us = (q->reset_us + S - 1) / S * S;
        return;
    }
    if (s->grain != MOMENT_MS) {
        moment_us = (moment_us + (s->grain == EPOCH_S ? S - 1 : 0)) / S * S;
    }
    q->has_date = true;
    q->date_us = (int64_t)date_us;
    q->reset_us = moment_us > date_us ? moment_us - date_us : 0;
}

static struct reply serve(struct server *s, uint64_t now_us)
{
    uint64_t left, reset_us;
    struct reply reply = { .refused = !serve_one(s, now_us, &left, &reset_us) };
    struct quota *q = &reply.quota;

    q->limit = s->limit;
    q->window_us = s->tells_window || s->kind == SILENT_RATE ? s->window_us : 0;
    if (s->kind == SILENT_RATE) {
        return reply;
    }
    q->has_left = q->has_reset = true;
    q->left = left;
    q->reset_us = reset_us;
    if (s->kind == BUCKET_RATE) {
        q->refill_per_s = (double)s->limit / (double)s->window_us * 1e6;
    }
    tell_reset(s, q, now_us);
    return reply;
}

/* --- the client ------------------------------------------------------------------------------------------ */

struct flight {
    uint64_t started_us, counted_us, ends_us;
    uint64_t start;
    bool counted;
    struct reply reply;
};

struct world {
    struct server server;
    struct allowance allowance;
    struct flight flights[FLIGHTS_MAX];
    unsigned in_flight, cap;
    uint64_t now_us, random, starts, told_at_us;
    uint64_t rtt_us, jitter_us;
    uint64_t accepted, refused, refused_late; /* late: started after the first answer */
    uint64_t left_to_do;
};

static uint64_t draw(struct world *w, uint64_t below)
{
    w->random = w->random * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return below ? (w->random >> 33) % below : 0;
}

static void start_one(struct world *w)
{
    uint64_t latency_us = w->rtt_us + draw(w, w->jitter_us);
    struct flight *f = &w->flights[w->in_flight++];

    allowance_start(&w->allowance, w->now_us);
    *f = (struct flight){ .started_us = w->now_us,
                          .counted_us = w->now_us + latency_us / 2,
                          .ends_us = w->now_us + latency_us,
                          .start = ++w->starts };
    w->left_to_do--;
}

static void end_one(struct world *w, unsigned i)
{
    struct flight f = w->flights[i];
    struct allowance_answer answer = { .refused = f.reply.refused,
                                       .latency_us = w->now_us - f.started_us };

    w->flights[i] = w->flights[--w->in_flight];
    answer.newer = w->starts - f.start;
    if (f.reply.refused) {
        w->refused++;
        w->refused_late += w->told_at_us && f.started_us >= w->told_at_us;
        w->left_to_do++;
    } else {
        w->accepted++;
    }
    w->told_at_us = w->told_at_us ? w->told_at_us : w->now_us;
    allowance_tell(&w->allowance, &f.reply.quota, &answer, w->now_us);
}

static void run_until(struct world *w, uint64_t until_us)
{
    while (w->now_us < until_us && (w->left_to_do || w->in_flight)) {
        uint64_t next_us = until_us, wait_us;

        for (unsigned i = 0; i < w->in_flight; i++) {
            struct flight *f = &w->flights[i];

            if (!f->counted && w->now_us >= f->counted_us) {
                f->reply = serve(&w->server, w->now_us);
                f->counted = true;
            }
        }
        for (unsigned i = 0; i < w->in_flight;) {
            if (w->now_us >= w->flights[i].ends_us) {
                end_one(w, i);
            } else {
                i++;
            }
        }
        wait_us = 0;
        while (w->in_flight < w->cap && w->left_to_do) {
            wait_us = allowance_wait_us(&w->allowance, w->left_to_do, w->now_us);
            if (wait_us) {
                next_us = w->now_us + wait_us < next_us ? w->now_us + wait_us : next_us;
                break;
            }
            start_one(w);
        }
        for (unsigned i = 0; i < w->in_flight; i++) {
            const struct flight *f = &w->flights[i];
            uint64_t at = f->counted ? f->ends_us : f->counted_us;

            next_us = at < next_us ? at : next_us;
        }
        w->now_us = next_us > w->now_us ? next_us : w->now_us + 1;
    }
}

static struct world world_of(enum kind kind, enum grain grain, uint64_t limit, uint64_t window_us)
{
    return (struct world){
        .server = { .kind = kind, .grain = grain, .limit = limit, .window_us = window_us },
        .now_us = T0 + 123456,
        .random = limit * 31 + window_us,
        .cap = 10,
        .rtt_us = 50 * US_PER_MS,
        .jitter_us = 10 * US_PER_MS,
        .left_to_do = UINT32_MAX
    };
}

/* --- properties ------------------------------------------------------------------------------------------ */

struct shape {
    uint64_t limit, window_us;
};

static const struct shape shapes[] = {
    { 5, 1 * S },   { 5, 2 * S },    { 20, 1 * S },    { 100, 1 * S },
    { 1, 1 * S },   { 3, 10 * S },   { 50, 10 * S },   { 60, 60 * S },
    { 10, 60 * S }, { 600, 60 * S }, { 300, 100 * S },
};

#define SHAPES (sizeof shapes / sizeof shapes[0])

/* What a Date that is cut off leaves open, and what whole seconds do: whether a window is a second longer. */
static double least_part(const struct world *w)
{
    const struct server *s = &w->server;
    bool is_short = s->window_us < 5 * S;

    if (s->kind >= BUCKET_RATE || s->grain <= CEIL_S) {
        return s->kind == BUCKET_NEXT ? 0.88 : 0.95;
    }
    if (s->grain == MOMENT_MS) {
        return is_short ? 0.83 : 0.9;
    }
    return is_short ? 0.45 : s->kind == FIXED || s->tells_window ? 0.9 : 0.85;
}

/* One, where answers cross each other at the start. How a server counts that does not say it is found
 * out by one that is refused, now and then; and where only the next token's time is told, by more. */
static uint64_t most_refused(const struct world *w)
{
    const struct server *s = &w->server;
    bool is_a_second = s->kind == BUCKET && s->window_us == S && s->grain > MOMENT_MS;
    bool is_sure = s->tells_window || is_a_second || s->kind == FIXED || s->kind >= BUCKET_RATE ||
                   (s->grain <= CEIL_S && s->kind < BUCKET && s->kind != ALIGNED);

    return is_sure && s->grain != FLOOR_S ? 1 : s->kind == BUCKET_NEXT ? 5 + w->accepted / 5 : 10;
}

static bool check(struct world *w)
{
    uint64_t length_us = (w->server.window_us > 30 * S ? 10 : 20) * w->server.window_us + 5 * S,
             early;
    double allowed = (double)w->server.limit / (double)w->server.window_us * (double)length_us;
    double possible = (double)w->cap / ((double)w->rtt_us * 1.1) * (double)length_us, got;

    run_until(w, w->now_us + 3 * w->server.window_us);
    early = w->accepted;
    run_until(w, w->now_us + length_us);
    got = (double)(w->accepted - early) + 1;
    allowed = allowed < possible ? allowed : possible;
    if (w->refused_late <= most_refused(w) && got >= least_part(w) * allowed) {
        return true;
    }
    printf("%s, grain %d, %llu in %.0f s%s, cap %u, %.0f ms: %.1f %%, %llu refused\n",
           kind_names[w->server.kind], w->server.grain, (unsigned long long)w->server.limit,
           (double)w->server.window_us / 1e6, w->server.tells_window ? " told" : "", w->cap,
           (double)w->rtt_us / 1e3, 100 * got / allowed, (unsigned long long)w->refused_late);
    return false;
}

static void no_limit__is_overrun_nor_left_unused__when_it_is_told(void **state)
{
    static const struct {
        unsigned cap;
        uint64_t latency_ms;
    } clients[] = { { 10, 20 }, { 1, 20 }, { 10, 200 }, { 50, 5 }, { 50, 200 } };
    unsigned failed = 0;

    (void)state;
    for (unsigned i = 0; i < KINDS * GRAINS * SHAPES * 2 * 5; i++) {
        unsigned rest = i;
        const struct shape *shape = &shapes[rest % SHAPES];
        struct world w =
            world_of((enum kind)(rest / SHAPES % KINDS),
                     (enum grain)(rest / SHAPES / KINDS % GRAINS), shape->limit, shape->window_us);

        rest /= SHAPES * KINDS * GRAINS;
        if (w.server.grain == FLOOR_S && (w.server.kind != FIXED || shape->window_us < 2 * S)) {
            continue; /* which half of the answers make too short: others see to what is refused */
        }
        w.server.tells_window = rest % 2;
        w.cap = clients[rest / 2].cap;
        w.rtt_us = clients[rest / 2].latency_ms * US_PER_MS;
        w.jitter_us = w.rtt_us / 5;
        failed += !check(&w);
    }
    assert_int_equal(failed, 0);
}

/* --- what servers and networks do besides ------------------------------------------------------------------ */

static void tell(struct allowance *a, struct quota quota, uint64_t in_flight, uint64_t now_us)
{
    struct allowance_answer answer = { .newer = in_flight };

    allowance_tell(a, &quota, &answer, now_us);
}

static struct quota quota_of(uint64_t left, uint64_t limit, uint64_t reset_us)
{
    return (struct quota){
        .has_left = true, .left = left, .limit = limit, .has_reset = true, .reset_us = reset_us
    };
}

/* Starts what may start until then, without an answer. */
static unsigned start_until(struct allowance *a, uint64_t *now_us, uint64_t until_us)
{
    unsigned count = 0;

    while (*now_us < until_us) {
        uint64_t wait_us = allowance_wait_us(a, UINT64_MAX, *now_us);

        if (wait_us == 0) {
            allowance_start(a, *now_us);
            count++;
        } else {
            *now_us = wait_us < until_us - *now_us ? *now_us + wait_us : until_us;
        }
    }
    return count;
}

static void ended_window__gives_one__until_an_answer_tells_more(void **state)
{
    struct allowance a = { 0 };
    uint64_t now_us = T0;

    (void)state;
    tell(&a, quota_of(0, 50, 2 * S), 0, T0);
    assert_int_equal(start_until(&a, &now_us, T0 + 2 * S), 0);
    assert_int_equal(start_until(&a, &now_us, T0 + 3 * S), 1);
    tell(&a, quota_of(49, 50, 2 * S), 0, now_us);
    assert_in_range(start_until(&a, &now_us, now_us + 2 * S), 40, 49);
    assert_int_equal(a.left, 0);
    /* It gave all: the next will, too. */
    assert_in_range(start_until(&a, &now_us, now_us + 2 * S), 40, 50);
}

/* The limit of 5 and a cap of 10: no second window is overrun. */
static void limit__below_the_cap__is_kept_in_every_window(void **state)
{
    struct world w = world_of(FIXED, EXACT, 5, 2 * S);

    (void)state;
    run_until(&w, w.now_us + 60 * S);
    assert_int_equal(w.refused, 5); /* before anything was told */
    assert_in_range(w.accepted, 140, 155);
}

static void quota__is_forgotten__when_answers_tell_of_none_any_more(void **state)
{
    struct allowance a = { 0 };
    struct quota nothing = { 0 };
    uint64_t now_us = T0;
    unsigned started = 0;

    (void)state;
    tell(&a, quota_of(0, 5, 2 * S), 0, T0);
    now_us += 3 * S;
    while (a.kind != ALLOWANCE_NONE && started < 20) {
        started += start_until(&a, &now_us, now_us + US_PER_MS);
        tell(&a, nothing, 0, now_us);
    }
    assert_in_range(started, 1, 8);
    assert_int_equal(allowance_wait_us(&a, UINT64_MAX, now_us), 0);
}

static void quota__is_forgotten__when_it_is_spent_and_back_each_time(void **state)
{
    struct allowance a = { 0 };

    (void)state;
    for (int i = 0; i < 80; i++) {
        allowance_start(&a, T0 + (uint64_t)i);
        tell(&a, quota_of(0, 0, 0), 0, T0 + (uint64_t)i);
    }
    assert_int_equal(a.kind, ALLOWANCE_NONE);
}

/* Each answer tells it anew, but it is one rate. */
static void rate_alone__is_kept_from_the_first_answer_on(void **state)
{
    struct allowance a = { 0 };
    struct quota quota = { .limit = 5, .window_us = S };
    uint64_t now_us = T0;
    unsigned started = 0;

    (void)state;
    for (int i = 0; i < 4; i++) {
        allowance_start(&a, T0);
    }
    tell(&a, quota, 3, T0);
    while (now_us < T0 + 20 * S) {
        started += start_until(&a, &now_us, now_us + 100 * US_PER_MS);
        tell(&a, quota, 0, now_us);
    }
    assert_in_range(started, 93, 98);
}

static void rate_alone__of_an_hour__is_no_reason_to_spread_little_work(void **state)
{
    struct allowance a = { 0 };
    struct quota quota = { .limit = 1000, .window_us = 3600 * S };

    (void)state;
    tell(&a, quota, 0, T0);
    assert_int_equal(allowance_wait_us(&a, 500, T0), 0);
    assert_true(allowance_wait_us(&a, 5000, T0) > S);
}

static void bucket__is_spent_down_to_its_last_token__and_no_further(void **state)
{
    struct allowance a = { 0 };
    struct quota quota = { .has_left = true, .left = 3, .limit = 40, .refill_per_s = 2 };
    uint64_t now_us = T0;

    (void)state;
    tell(&a, quota, 0, T0);
    assert_int_equal(start_until(&a, &now_us, T0 + US_PER_MS), 3);
    assert_int_equal(start_until(&a, &now_us, T0 + 500 * US_PER_MS), 0);
    assert_in_range(start_until(&a, &now_us, T0 + 10 * S), 18, 20);
}

/* A 403 with X-RateLimit-Remaining: 0 where other answers tell nothing: the refusal's deadline is kept, and after it
 * nothing is known. */
static void refusal_alone__is_no_quota__when_it_names_no_limit(void **state)
{
    struct allowance a = { 0 };
    struct quota quota = quota_of(0, 0, 5 * S);
    struct allowance_answer refused = { .refused = true };

    (void)state;
    allowance_tell(&a, &quota, &refused, T0);
    assert_int_equal(a.kind, ALLOWANCE_NONE);
    assert_int_equal(allowance_wait_us(&a, 500, T0 + 6 * S), 0);
    quota.limit = 100;
    allowance_tell(&a, &quota, &refused, T0);
    assert_int_equal(a.kind, ALLOWANCE_WINDOW);
}

/* Somebody else spends half of it: what answers tell is heeded, and the own rate is not trusted. */
static void shared_quota__is_not_overrun(void **state)
{
    struct world w = world_of(FIXED, CEIL_S, 60, 10 * S);
    uint64_t left, reset_us, refused_before;

    (void)state;
    run_until(&w, w.now_us + 25 * S);
    refused_before = w.refused_late;
    for (int i = 0; i < 900; i++) {
        run_until(&w, w.now_us + 333 * US_PER_MS);
        (void)serve_one(&w.server, w.now_us, &left, &reset_us);
    }
    assert_in_range(w.refused_late - refused_before, 0,
                    30); /* of 900: one a window, for its last */
}

/* Requests that hang were counted long ago: they take nothing off. */
static void hanging_requests__do_not_stall_the_rest(void **state)
{
    struct world w = world_of(FIXED, CEIL_S, 5, S);

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        start_one(&w);
        w.flights[i].ends_us = w.now_us + 100 * S;
    }
    run_until(&w, w.now_us + 3 * S);
    w.accepted = 0;
    run_until(&w, w.now_us + 20 * S);
    assert_in_range(w.accepted, 90, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_limit__is_overrun_nor_left_unused__when_it_is_told),
        cmocka_unit_test(ended_window__gives_one__until_an_answer_tells_more),
        cmocka_unit_test(limit__below_the_cap__is_kept_in_every_window),
        cmocka_unit_test(quota__is_forgotten__when_answers_tell_of_none_any_more),
        cmocka_unit_test(quota__is_forgotten__when_it_is_spent_and_back_each_time),
        cmocka_unit_test(rate_alone__is_kept_from_the_first_answer_on),
        cmocka_unit_test(rate_alone__of_an_hour__is_no_reason_to_spread_little_work),
        cmocka_unit_test(bucket__is_spent_down_to_its_last_token__and_no_further),
        cmocka_unit_test(refusal_alone__is_no_quota__when_it_names_no_limit),
        cmocka_unit_test(shared_quota__is_not_overrun),
        cmocka_unit_test(hanging_requests__do_not_stall_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
