/* What refusals teach when the limit changes, or when they are no sign of a limit. Caps of 4, 10 and 50 before each. */
#include "learned_fixture.h"
#include "limit_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* More are let in later: it is tried again now and then, ever more seldom while it is in vain. */
static void at_once__follows__when_the_server_lets_in_more(void **state)
{
    struct limiter limiter = { LIMITER_AT_ONCE, .at_once = 6, .latency_ms = 100, .jitter = 0.5 };

    (void)state;
    limit_sim_begin(&sim, &limiter, 20);
    limit_sim_live(&sim, 60);
    assert_int_equal(sim.bucket.learned.at_once.most, 6);
    sim.limiter.at_once = 12;
    limit_sim_live(&sim, 600);
    assert_in_range(sim.bucket.learned.at_once.most, 8, 12);
}

static void rate__follows__when_the_limit_sinks_and_rises(void **state)
{
    struct limiter limiter = { LIMITER_BUCKET, .rate = 40, .burst = 20, .latency_ms = 50,
                               .jitter = 0.5 };

    (void)state;
    limit_sim_begin(&sim, &limiter, 10);
    limit_sim_live(&sim, 60);
    sim.limiter.rate = 15;
    limit_sim_live(&sim, LEARNING_S);
    limit_sim_count(&sim);
    limit_sim_live(&sim, 120);
    assert_true(limit_sim_rate(&sim) >= 0.9 * 15);
    assert_true(limit_sim_refused(&sim) < 0.02);
    sim.limiter.rate = 40;
    limit_sim_live(&sim, 40); /* nothing says so: it creeps beyond what a bucket would give first */
    limit_sim_count(&sim);
    limit_sim_live(&sim, 120);
    assert_true(limit_sim_rate(&sim) >= 0.9 * 40);
    assert_true(limit_sim_refused(&sim) < 0.02);
}

static void rate__is_no_hindrance_any_more__when_the_limit_is_gone(void **state)
{
    struct limiter limiter = { LIMITER_BUCKET, .rate = 40, .burst = 20, .latency_ms = 50,
                               .jitter = 0.5 };

    (void)state;
    limit_sim_begin(&sim, &limiter, 10);
    limit_sim_live(&sim, 60);
    sim.limiter.kind = LIMITER_NONE;
    limit_sim_live(&sim, 40);
    limit_sim_count(&sim);
    limit_sim_live(&sim, 60);
    assert_true(limit_sim_rate(&sim) >= 0.98 * best_rate(&sim.limiter, 10));
}

/* What looked like a number at once refuses as few, too: it was a rate. */
static void at_once__is_given_up__when_it_was_a_rate(void **state)
{
    struct limiter limiter = { LIMITER_AT_ONCE, .at_once = 8, .latency_ms = 100, .jitter = 0.5 };

    (void)state;
    limit_sim_begin(&sim, &limiter, 20);
    limit_sim_live(&sim, 60);
    assert_int_equal(sim.bucket.learned.at_once.most, 8);
    sim.limiter = (struct limiter){ LIMITER_BUCKET, .rate = 20, .burst = 10, .latency_ms = 100 };
    limit_sim_live(&sim, LEARNING_S);
    assert_int_equal(sim.bucket.learned.at_once.most, 0);
    assert_true(sim.bucket.learned.rate > 0);
    limit_sim_count(&sim);
    limit_sim_live(&sim, 120);
    assert_true(limit_sim_rate(&sim) >= 0.9 * 20);
    assert_true(limit_sim_refused(&sim) < 0.02);
}

/* Refused are some at any rate: to go ever slower would help nobody. Who slows down for each of them ends at a
 * seventh of what could be had. */
static void rate__does_not_sink__when_some_are_refused_at_any_rate(void **state)
{
    static const struct sample samples[] = {
        { "50/s, burst 10, 1 % at any rate",
          { LIMITER_BUCKET, .rate = 50, .burst = 10, .latency_ms = 20, .by_chance = 0.01 },
          0.55,
          0.014,
          600 },
        { "50/s, burst 50, 1 % at any rate",
          { LIMITER_BUCKET, .rate = 50, .burst = 50, .latency_ms = 20, .by_chance = 0.01 },
          0.575,
          0.015,
          600 },
        { "50/s, burst 50, 2 % at any rate",
          { LIMITER_BUCKET, .rate = 50, .burst = 50, .latency_ms = 20, .by_chance = 0.02 },
          0.37,
          0.026,
          600 },
    };

    (void)state;
    ASSERT_AS_WANTED(samples);
}

/* What is sent while the server stands still comes to it at once. */
static void rate__does_not_sink__when_the_server_stands_still_now_and_then(void **state)
{
    static const struct sample samples[] = {
        { "50/s, burst 10, stalls",
          { LIMITER_BUCKET, .rate = 50, .burst = 10, .latency_ms = 20, .stall_each_s = 0.8,
            .stall_most_s = 0.2 },
          0.96,
          0.0075,
          120 },
        { "50/s, no burst, stalls",
          { LIMITER_BUCKET, .rate = 50, .latency_ms = 20, .stall_each_s = 0.8,
            .stall_most_s = 0.4 },
          0.74,
          0.001,
          120 },
    };

    (void)state;
    ASSERT_AS_WANTED(samples);
}

/* A deadline holds all back, also one that another caller brought about: half of the time goes by in them. More
 * than 3.5/s cannot be had so, and it sank to one. */
static void rate__does_not_sink__when_others_empty_the_bucket_and_deadlines_are_named(void **state)
{
    struct limiter limiter = { LIMITER_BUCKET,       .rate = 50,    .burst = 10,
                               .latency_ms = 20,     .jitter = 0.1, .status = 503,
                               .named_us = US_PER_S, .others = 50 };

    (void)state;
    limit_sim_begin(&sim, &limiter, 10);
    limit_sim_live(&sim, LEARNING_S);
    limit_sim_count(&sim);
    limit_sim_live(&sim, 600);
    if (limit_sim_rate(&sim) < 2.2) {
        fail_msg("%.2f/s", limit_sim_rate(&sim));
    }
    sim.limiter.others = 0; /* they have gone: it is a rate again */
    limit_sim_live(&sim, 30);
    limit_sim_count(&sim);
    limit_sim_live(&sim, 120);
    if (limit_sim_rate(&sim) < 0.85 * 50 || limit_sim_refused(&sim) > 0.02) {
        fail_msg("alone: %.1f/s, %.2f %% refused", limit_sim_rate(&sim),
                 100 * limit_sim_refused(&sim));
    }
}

static void rate__is_found_again__when_others_have_gone(void **state)
{
    struct limiter limiter = { LIMITER_BUCKET,   .rate = 50,    .burst = 10,
                               .latency_ms = 20, .jitter = 0.1, .others = 50 };

    (void)state;
    limit_sim_begin(&sim, &limiter, 10);
    limit_sim_live(&sim, 60);
    assert_true(sim.bucket.learned.shared.is_on || sim.bucket.learned.shared.is_trial);
    sim.limiter.others = 0;
    limit_sim_live(&sim, 120);
    limit_sim_count(&sim);
    limit_sim_live(&sim, 120);
    assert_false(sim.bucket.learned.shared.is_on);
    if (limit_sim_rate(&sim) < 0.9 * 50 || limit_sim_refused(&sim) > 0.02) {
        fail_msg("%.1f/s, %.2f %% refused", limit_sim_rate(&sim), 100 * limit_sim_refused(&sim));
    }
}

/* The very first request is refused, and nothing ever again: a plain script would not even notice. */
static void rate__comes_back__when_only_the_first_request_was_refused(void **state)
{
    static const uint64_t names_us[] = { 0, US_PER_S, 2 * US_PER_S, 30 * US_PER_S };

    (void)state;
    for (size_t i = 0; i < sizeof names_us / sizeof names_us[0]; i++) {
        struct limiter limiter = { LIMITER_SHUT, .latency_ms = 50, .named_us = names_us[i] };

        limit_sim_begin(&sim, &limiter, 1);
        limit_sim_live(&sim, 0.003);
        assert_int_equal(sim.refused, 1);
        sim.limiter = (struct limiter){ LIMITER_NONE, .latency_ms = 50 };
        sim.cap = 10;
        limit_sim_live(&sim, (double)names_us[i] / 1e6 + 10);
        limit_sim_count(&sim);
        limit_sim_live(&sim, 10);
        if (limit_sim_rate(&sim) < 0.9 * 200) {
            fail_msg("Retry-After %.0f s: %.2f/s after ten seconds, rate %.2f",
                     (double)names_us[i] / 1e6, limit_sim_rate(&sim), sim.bucket.learned.rate);
        }
    }
}

/* One refusal with a deadline amid what goes well, and no limit: what was accepted in the moment before
 * is no window's. */
static void rate__comes_back__when_a_refusal_was_a_single_one(void **state)
{
    struct limiter well = { LIMITER_NONE, .latency_ms = 50 };
    struct limiter shut = { LIMITER_SHUT, .latency_ms = 50, .named_us = 2 * US_PER_S };

    (void)state;
    limit_sim_begin(&sim, &well, 10);
    limit_sim_live(&sim, 0.06);
    sim.limiter = shut;
    limit_sim_live(&sim, 0.1);
    sim.limiter = well;
    limit_sim_live(&sim, 15);
    limit_sim_count(&sim);
    limit_sim_live(&sim, 10);
    if (limit_sim_rate(&sim) < 0.5 * 200) {
        fail_msg("%.1f/s of 200/s, rate %.2f", limit_sim_rate(&sim), sim.bucket.learned.rate);
    }
}

/* Five minutes of refusals are an outage, not a window. */
static void rate__comes_back__when_an_outage_is_over(void **state)
{
    struct limiter limiter = { LIMITER_BUCKET, .rate = 40, .burst = 20, .latency_ms = 50,
                               .jitter = 0.5 };

    (void)state;
    limit_sim_begin(&sim, &limiter, 10);
    limit_sim_live(&sim, 30);
    sim.limiter.kind = LIMITER_SHUT;
    limit_sim_live(&sim, 300);
    sim.limiter.kind = LIMITER_BUCKET;
    limit_sim_live(&sim, 60);
    limit_sim_count(&sim);
    limit_sim_live(&sim, 60);
    if (limit_sim_rate(&sim) < 0.85 * 40) {
        fail_msg("%.1f/s of 40/s, rate %.2f", limit_sim_rate(&sim), sim.bucket.learned.rate);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_once__follows__when_the_server_lets_in_more),
        cmocka_unit_test(rate__follows__when_the_limit_sinks_and_rises),
        cmocka_unit_test(rate__is_no_hindrance_any_more__when_the_limit_is_gone),
        cmocka_unit_test(at_once__is_given_up__when_it_was_a_rate),
        cmocka_unit_test(rate__does_not_sink__when_some_are_refused_at_any_rate),
        cmocka_unit_test(rate__does_not_sink__when_the_server_stands_still_now_and_then),
        cmocka_unit_test(rate__does_not_sink__when_others_empty_the_bucket_and_deadlines_are_named),
        cmocka_unit_test(rate__is_found_again__when_others_have_gone),
        cmocka_unit_test(rate__comes_back__when_only_the_first_request_was_refused),
        cmocka_unit_test(rate__comes_back__when_a_refusal_was_a_single_one),
        cmocka_unit_test(rate__comes_back__when_an_outage_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
