#include "learned_fixture.h"
#include "limit_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Whatever the size of its bucket. */
static void rate__is_found__when_it_is_a_token_bucket(void **state)
{
    static const struct sample samples[] = {
        { "20/s, burst 20",
          { LIMITER_BUCKET, .rate = 20, .burst = 20, .latency_ms = 80 },
          0.98,
          0.01,
          120 },
        { "50/s, burst 50",
          { LIMITER_BUCKET, .rate = 50, .burst = 50, .latency_ms = 40, .jitter = 0.5 },
          0.98,
          0.01,
          120 },
        { "80/s, burst 10",
          { LIMITER_BUCKET, .rate = 80, .burst = 10, .latency_ms = 20, .jitter = 0.5 },
          0.98,
          0.01,
          120 },
        { "5/s, burst 200",
          { LIMITER_BUCKET, .rate = 5, .burst = 200, .latency_ms = 20, .jitter = 0.5 },
          0.98,
          0.01,
          300 },
        { "300/s, burst 300",
          { LIMITER_BUCKET, .rate = 300, .burst = 300, .latency_ms = 20, .jitter = 0.5 },
          0.98,
          0.01,
          120 },
        /* Every start that comes early is refused: what is found lies a little lower. */
        { "20/s, no burst",
          { LIMITER_BUCKET, .rate = 20, .latency_ms = 20, .jitter = 0.5 },
          0.865,
          0.0085,
          300 },
        /* One refusal now and then is much of one a second. */
        { "1/s, burst 5",
          { LIMITER_BUCKET, .rate = 1, .burst = 5, .latency_ms = 20, .jitter = 0.5 },
          0.93,
          0.01,
          300 },
    };

    (void)state;
    ASSERT_AS_WANTED(samples);
}

static void rate__is_found__when_it_counts_in_windows(void **state)
{
    static const struct sample samples[] = {
        /* A window of a second shows only by what it refuses at its end. */
        { "50 in 1 s",
          { LIMITER_WINDOW, .rate = 50, .window_s = 1, .latency_ms = 20, .jitter = 0.5 },
          0.92,
          0.01,
          120 },
        { "10 in 1 s",
          { LIMITER_WINDOW, .rate = 10, .window_s = 1, .latency_ms = 20, .jitter = 0.5 },
          0.92,
          0.012,
          120 },
        { "20 in 5 s",
          { LIMITER_WINDOW, .rate = 4, .window_s = 5, .latency_ms = 20, .jitter = 0.5 },
          0.95,
          0.015,
          120 },
        { "600 in 60 s",
          { LIMITER_WINDOW, .rate = 10, .window_s = 60, .latency_ms = 20, .jitter = 0.5 },
          0.97,
          0.032,
          300 },
        /* The end of the first two is to be found: the more often it is looked for, the sooner. */
        { "100 in 60 s",
          { LIMITER_WINDOW, .rate = 100 / 60.0, .window_s = 60, .latency_ms = 20, .jitter = 0.5 },
          0.97,
          0.11,
          300 },
        { "30 in any 1 s",
          { LIMITER_SLIDING, .rate = 30, .window_s = 1, .latency_ms = 20, .jitter = 0.5 },
          0.92,
          0.01,
          120 },
        /* It forgets one by one: whoever was refused in the midst of it finds less free for ten seconds. */
        { "100 in any 10 s",
          { LIMITER_SLIDING, .rate = 10, .window_s = 10, .latency_ms = 20, .jitter = 0.5 },
          0.8,
          0.018,
          300 },
        { "300 in any 60 s",
          { LIMITER_SLIDING, .rate = 5, .window_s = 60, .latency_ms = 20, .jitter = 0.5 },
          0.97,
          0.035,
          300 },
    };

    (void)state;
    ASSERT_AS_WANTED(samples);
}

/* What it lets in is spent at full speed, and one more is tried: whoever asks with ten threads is refused ten
 * times a window. The most is `length_s` over the window, and a little. */
static void quota__is_spent_at_once__when_refusals_name_the_windows_end(void **state)
{
    static const struct sample samples[] = {
        { "250 in 10 s",
          { LIMITER_WINDOW, .rate = 25, .window_s = 10, .latency_ms = 20, .jitter = 0.5,
            .tells = true },
          0.98,
          0.0045,
          300 },
        { "100 in 60 s",
          { LIMITER_WINDOW, .rate = 100 / 60.0, .window_s = 60, .latency_ms = 20, .tells = true },
          0.97,
          0.011,
          600 },
        { "20 in 5 s",
          { LIMITER_WINDOW, .rate = 4, .window_s = 5, .latency_ms = 20, .jitter = 0.5,
            .tells = true },
          0.97,
          0.05,
          300 },
        { "250 in any 10 s",
          { LIMITER_SLIDING, .rate = 25, .window_s = 10, .latency_ms = 20, .jitter = 0.5,
            .tells = true },
          0.925,
          0.0045,
          300 },
        { "60 in any 60 s",
          { LIMITER_SLIDING, .rate = 1, .window_s = 60, .latency_ms = 20, .tells = true },
          0.97,
          0.02,
          600 },
    };

    (void)state;
    ASSERT_AS_WANTED(samples);
}

/* The same wait with every refusal, however long it takes. */
static void rate__is_found__when_refusals_name_what_is_no_windows_end(void **state)
{
    static const struct sample samples[] = {
        { "10/s, burst 20, says 5 s",
          { LIMITER_BUCKET, .rate = 10, .burst = 20, .latency_ms = 20, .named_us = 5 * US_PER_S },
          0.815,
          0.002,
          300 },
        { "80/s, burst 10, says 2 s",
          { LIMITER_BUCKET, .rate = 80, .burst = 10, .latency_ms = 20, .named_us = 2 * US_PER_S },
          0.84,
          0.0004,
          300 },
        { "a token in 3 s, burst 20, tells",
          { LIMITER_BUCKET, .rate = 1 / 3.0, .burst = 20, .latency_ms = 20, .tells = true },
          0.95,
          0.001,
          600 },
        { "30/s, burst 10, tells exactly",
          { LIMITER_BUCKET, .rate = 30, .burst = 10, .latency_ms = 20, .tells_exactly = true },
          0.98,
          0.0085,
          300 },
        /* Each refusal costs five seconds: it is seldom asked whether nine are too many. */
        { "8 at once, says 5 s",
          { LIMITER_AT_ONCE, .at_once = 8, .latency_ms = 100, .jitter = 0.5,
            .named_us = 5 * US_PER_S },
          0.65,
          0.0006,
          300 },
    };

    (void)state;
    ASSERT_AS_WANTED(samples);
}

static void at_once__is_found__when_the_server_counts_what_runs(void **state)
{
    static const struct sample samples[] = {
        { "4 at once",
          { LIMITER_AT_ONCE, .at_once = 4, .latency_ms = 100, .jitter = 0.5 },
          0.97,
          0.002,
          120 },
        { "8 at once",
          { LIMITER_AT_ONCE, .at_once = 8, .latency_ms = 100, .jitter = 0.5 },
          0.97,
          0.002,
          120 },
        { "16 at once",
          { LIMITER_AT_ONCE, .at_once = 16, .latency_ms = 300, .jitter = 0.5 },
          0.97,
          0.002,
          120 },
    };

    (void)state;
    ASSERT_AS_WANTED(samples);
    assert_int_equal(sim.bucket.learned.at_once.most, 16);
    assert_true(sim.bucket.learned.rate <= 0);
}

/* A hold without a deadline is short, and does not grow while something is accepted in between. */
static void hold__never_grows__while_something_is_accepted(void **state)
{
    static const struct limiter limiters[] = {
        { LIMITER_BUCKET, .rate = 80, .burst = 10, .latency_ms = 20, .jitter = 0.5 },
        { LIMITER_BUCKET, .rate = 20, .latency_ms = 20, .jitter = 0.5 },
        { LIMITER_BUCKET, .rate = 50, .burst = 50, .latency_ms = 40, .jitter = 0.5 },
        { LIMITER_AT_ONCE, .at_once = 8, .latency_ms = 100, .jitter = 0.5 },
        { LIMITER_WINDOW, .rate = 50, .window_s = 1, .latency_ms = 20, .jitter = 0.5 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof limiters / sizeof limiters[0]; i++) {
        limit_sim_begin(&sim, &limiters[i], 10);
        limit_sim_live(&sim, LEARNING_S); /* the first window's refusals may be in a row */
        assert_true(sim.hold_most_us <= 3 * LEARNED_HOLD_US);
        limit_sim_count(&sim);
        limit_sim_live(&sim, 600);
        assert_true(sim.hold_most_us <= LEARNED_HOLD_US * 5 / 4);
    }
}

/* Nothing at all is accepted: asked ever more seldom, and never less than every 40 s. */
static void hold__grows_to_its_most__when_nothing_is_accepted(void **state)
{
    struct limiter limiter = { LIMITER_SHUT, .latency_ms = 20 };

    (void)state;
    limit_sim_begin(&sim, &limiter, 10);
    limit_sim_live(&sim, 100);
    assert_true(sim.hold_most_us >= 3 * US_PER_S);
    assert_true(sim.hold_most_us <= LEARNED_HOLD_MAX_US * 5 / 4);
    assert_in_range(sim.refused, 15, 60);
    limit_sim_count(&sim);
    limit_sim_live(&sim, 600);
    assert_true(sim.hold_most_us <= 40 * US_PER_S);
    assert_in_range(sim.refused, 12, 60);
}

static void refused__is_news_once__when_many_were_in_flight_together(void **state)
{
    struct learned_limit limit = { 0 };
    uint64_t now_us = LIMIT_SIM_T0;
    unsigned news = 0;

    (void)state;
    for (unsigned i = 1; i <= 50; i++) {
        struct learned_answer answer = { now_us, i, US_PER_MS, 0 };

        news += learned_refused(&limit, &answer, now_us + 10 * US_PER_MS + i);
    }
    assert_int_equal(news, 1);
    learned_held(&limit,
                 now_us + US_PER_S); /* nor what began before the hold's end, an urged one */
    assert_false(learned_refused(&limit,
                                 &(struct learned_answer){ now_us + US_PER_S - 1, 1, US_PER_MS, 0 },
                                 now_us + US_PER_S));
    assert_true(learned_refused(&limit,
                                &(struct learned_answer){ now_us + US_PER_S, 1, US_PER_MS, 0 },
                                now_us + US_PER_S + US_PER_MS));
}

static void rate__is_none__when_nothing_was_refused(void **state)
{
    struct limiter limiter = { LIMITER_NONE, .latency_ms = 20, .jitter = 1 };

    (void)state;
    limit_sim_begin(&sim, &limiter, 10);
    limit_sim_live(&sim, 600);
    assert_true(sim.bucket.learned.rate <= 0);
    assert_int_equal(sim.bucket.learned.at_once.most, 0);
    assert_int_equal(sim.bucket.learned.phase, LEARNED_FREE);
    assert_true(limit_sim_rate(&sim) >= 0.95 * best_rate(&limiter, 10));
    assert_true(learned_lately(&sim.bucket.learned, sim.now_us) > 0.9 * best_rate(&limiter, 10));
    assert_int_equal(learned_refused_since_us(&sim.bucket.learned), 0);
}

/* Work comes seldom, by itself: a rate that keeps nothing back proves nothing, and does not grow. */
static void rate__does_not_grow__when_it_keeps_nothing_back(void **state)
{
    struct limiter limiter = { LIMITER_BUCKET, .rate = 20, .burst = 20, .latency_ms = 80 };
    double before;

    (void)state;
    limit_sim_begin(&sim, &limiter, 10);
    limit_sim_live(&sim, 60);
    before = sim.bucket.learned.rate;
    for (int i = 0; i < 10000; i++) {
        sim.now_us += 100 * US_PER_MS;
        learned_rate(&sim.bucket.learned, false, sim.now_us);
    }
    assert_true(sim.bucket.learned.rate <= before * 1.1); /* it counts as kept back for a second */
}

/* Refusals come at once, what is accepted is answered a second later: the rate must sink all the same. */
static void rate__is_found__when_answers_take_a_second(void **state)
{
    static const struct sample samples[] = {
        { "5/s, burst 10, 1 s",
          { LIMITER_BUCKET, .rate = 5, .burst = 10, .latency_ms = 1000, .jitter = 0.5 },
          0.96,
          0.015,
          300 },
        { "8/s, burst 1, 1 s",
          { LIMITER_BUCKET, .rate = 8, .burst = 1, .latency_ms = 1000, .jitter = 0.5 },
          0.88,
          0.025,
          300 },
    };

    (void)state;
    ASSERT_AS_WANTED(samples);
}

/* As nginx does without `burst`. */
static void rate__is_found__when_it_is_fast_and_nothing_may_come_early(void **state)
{
    static const struct sample samples[] = {
        { "50/s, no burst",
          { LIMITER_BUCKET, .rate = 50, .latency_ms = 20, .jitter = 0.5 },
          0.89,
          0.01,
          120 },
        { "100/s, no burst",
          { LIMITER_BUCKET, .rate = 100, .latency_ms = 20, .jitter = 0.5 },
          0.86,
          0.006,
          120 },
    };

    (void)state;
    ASSERT_AS_WANTED(samples);
}

static void at_once__is_found__when_it_is_one_or_two(void **state)
{
    static const struct sample samples[] = {
        { "2 at once",
          { LIMITER_AT_ONCE, .at_once = 2, .latency_ms = 100, .jitter = 0.5 },
          0.94,
          0.003,
          300 },
        { "1 at once",
          { LIMITER_AT_ONCE, .at_once = 1, .latency_ms = 100, .jitter = 0.5 },
          0.91,
          0.007,
          300 },
    };

    (void)state;
    ASSERT_AS_WANTED(samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rate__is_found__when_it_is_a_token_bucket),
        cmocka_unit_test(rate__is_found__when_it_counts_in_windows),
        cmocka_unit_test(quota__is_spent_at_once__when_refusals_name_the_windows_end),
        cmocka_unit_test(rate__is_found__when_refusals_name_what_is_no_windows_end),
        cmocka_unit_test(at_once__is_found__when_the_server_counts_what_runs),
        cmocka_unit_test(hold__never_grows__while_something_is_accepted),
        cmocka_unit_test(hold__grows_to_its_most__when_nothing_is_accepted),
        cmocka_unit_test(refused__is_news_once__when_many_were_in_flight_together),
        cmocka_unit_test(rate__is_none__when_nothing_was_refused),
        cmocka_unit_test(rate__does_not_grow__when_it_keeps_nothing_back),
        cmocka_unit_test(rate__is_found__when_answers_take_a_second),
        cmocka_unit_test(rate__is_found__when_it_is_fast_and_nothing_may_come_early),
        cmocka_unit_test(at_once__is_found__when_it_is_one_or_two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
