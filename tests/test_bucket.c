#include "limit_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T0 LIMIT_SIM_T0

static const struct due named = { .by = DUE_RETRY_AFTER, .status = 429, .said = "30" };
static const struct due unnamed = { .by = DUE_HOST_HOLD, .status = 429 };

static struct limit_sim sim;

static struct learned_answer answer_at(uint64_t started_us)
{
    return (struct learned_answer){ started_us, 1, US_PER_MS, 0 };
}

/* --- holds -------------------------------------------------------------------------------------- */

static void hold__lasts_to_its_deadline_to_the_microsecond(void **state)
{
    struct learned_answer answer = answer_at(T0);
    uint64_t until_us = T0 + 30 * US_PER_S;
    struct bucket b = { 0 };

    (void)state;
    assert_true(bucket_refused(&b, &answer, until_us, &named, 0, T0));
    assert_int_equal(b.hold_due.by, DUE_RETRY_AFTER);
    assert_int_equal(b.hold_due.wait_us, 30 * US_PER_S);
    assert_string_equal(b.hold_due.said, "30");
    assert_int_equal(bucket_may_start(&b, UINT64_MAX, until_us - 1), BUCKET_HELD);
    assert_true(bucket_wake_us(&b, UINT64_MAX, T0) == until_us);
    assert_int_equal(bucket_may_start(&b, UINT64_MAX, until_us), BUCKET_MAY);
}

static void hold__keeps_the_longer__when_there_are_two(void **state)
{
    struct bucket b = { 0 };

    (void)state;
    assert_true(bucket_hold(&b, T0 + 30 * US_PER_S, &named, T0));
    assert_false(bucket_hold(&b, T0 + 5 * US_PER_S, &unnamed, T0));
    assert_true(b.hold_until_us == T0 + 30 * US_PER_S);
    assert_int_equal(b.hold_due.by, DUE_RETRY_AFTER);
    assert_false(bucket_hold(&b, T0 + 60 * US_PER_S, &named, T0));
    assert_true(b.hold_until_us == T0 + 60 * US_PER_S);
    assert_true(bucket_hold(&b, T0 + 90 * US_PER_S, &named, T0 + 60 * US_PER_S));
    assert_false(bucket_hold(&b, T0, &named, T0 + 90 * US_PER_S)); /* one that is past */
}

static void hold__is_short__when_no_deadline_is_named(void **state)
{
    static const uint64_t randoms[] = { 0, UINT64_MAX, UINT64_MAX / 2 };

    (void)state;
    for (size_t i = 0; i < sizeof randoms / sizeof randoms[0]; i++) {
        struct learned_answer answer = answer_at(T0);
        struct bucket b = { 0 };

        assert_true(bucket_refused(&b, &answer, 0, &unnamed, randoms[i], T0 + US_PER_MS));
        assert_in_range(b.hold_until_us - T0 - US_PER_MS, LEARNED_HOLD_US * 3 / 4,
                        LEARNED_HOLD_US * 5 / 4);
        assert_int_equal(b.hold_due.by, DUE_HOST_HOLD);
        assert_false(bucket_refused(&b, &answer, 0, &unnamed, 0, T0 + 2 * US_PER_MS));
        assert_int_equal(b.refused, 2);
    }
}

/* After it, at the rate that was learned. */
static void start__is_paced__when_a_refusal_taught_a_rate(void **state)
{
    struct learned_answer answer = answer_at(T0);
    struct bucket b = { 0 };
    uint64_t now_us, wake_us;

    (void)state;
    bucket_started(&b, T0);
    bucket_refused(&b, &answer, 0, &unnamed, 0, T0 + US_PER_MS);
    b.in_flight--;
    now_us = b.hold_until_us;
    assert_int_equal(bucket_may_start(&b, UINT64_MAX, now_us), BUCKET_MAY);
    bucket_started(&b, now_us);
    assert_int_equal(bucket_may_start(&b, UINT64_MAX, now_us), BUCKET_LEARNED);
    wake_us = bucket_wake_us(&b, UINT64_MAX, now_us);
    assert_in_range(wake_us, now_us + 1, now_us + 2 * US_PER_S);
    assert_int_equal(bucket_may_start(&b, UINT64_MAX, wake_us), BUCKET_MAY);
}

static void cap__is_the_least_of_what_was_told_and_learned(void **state)
{
    struct bucket b = { 0 };

    (void)state;
    assert_int_equal(bucket_cap(&b, T0), 0);
    b.allowance.concurrent = 7;
    assert_int_equal(bucket_cap(&b, T0), 7);
    b.learned.at_once.most = 4;
    b.learned.at_once.probe_us = T0 + 1;
    assert_int_equal(bucket_cap(&b, T0), 4);
    b.allowance.concurrent = 2;
    assert_int_equal(bucket_cap(&b, T0), 2);
    bucket_started(&b, T0);
    assert_int_equal(bucket_may_start(&b, UINT64_MAX, T0), BUCKET_MAY);
    bucket_started(&b, T0);
    assert_int_equal(bucket_may_start(&b, UINT64_MAX, T0), BUCKET_FULL);
    assert_true(bucket_wake_us(&b, UINT64_MAX, T0) == TIME_NEVER);
    b.allowance.concurrent = UINT64_MAX; /* outside input: any number */
    assert_int_equal(bucket_cap(&b, T0), 4);
}

/* --- 503s ------------------------------------------------------------------------------------------ */

/* One URL in twenty is broken: that says nothing of a rate. */
static void suspects__never__when_five_in_a_hundred_are_503(void **state)
{
    struct limiter limiter = { LIMITER_NONE, .latency_ms = 20, .jitter = 0.5, .broken = 0.05 };

    (void)state;
    limit_sim_begin(&sim, &limiter, 10);
    limit_sim_live(&sim, 1200);
    assert_true(sim.broken > 10000);
    assert_false(sim.was_limiter);
    assert_int_equal(sim.refused, 0);
    assert_int_equal(sim.holds, 0);
    assert_true(sim.bucket.learned.rate <= 0);
}

/* The server is down, but answers: no rate helps that, and lanes look after it (plan/lane.h). */
static void suspects__never__when_nothing_is_accepted(void **state)
{
    struct limiter limiter = { LIMITER_NONE, .latency_ms = 20, .broken = 1 };

    (void)state;
    limit_sim_begin(&sim, &limiter, 10);
    limit_sim_live(&sim, 60);
    assert_false(sim.was_limiter);
    assert_int_equal(sim.refused, 0);
}

/* The retries of a few broken URLs are not many answers of a limiter. */
static void suspects__never__when_only_retries_are_503(void **state)
{
    struct bucket b = { 0 };
    struct bucket_suspicion suspicion = { 0 };

    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        struct learned_answer answer = answer_at(T0 + i * US_PER_MS);

        assert_false(bucket_suspects(&b, &suspicion, false, T0 + i * US_PER_MS));
        if (i % 2) {
            bucket_trusts(&suspicion, T0 + i * US_PER_MS);
            bucket_accepted(&b, &answer, T0 + i * US_PER_MS);
        }
    }
}

/* nginx's limit_req refuses so, unless it is told otherwise. */
static void suspects__finds_the_limiter__when_it_refuses_with_503(void **state)
{
    struct limiter limiter = { LIMITER_BUCKET,  .rate = 50,    .burst = 11,
                               .latency_ms = 5, .jitter = 0.5, .status = 503 };

    (void)state;
    limit_sim_begin(&sim, &limiter, 10);
    limit_sim_live(&sim, 15);
    assert_true(sim.bucket.refuses_with_503);
    limit_sim_count(&sim);
    limit_sim_live(&sim, 300);
    assert_true(limit_sim_rate(&sim) >= 0.9 * 50);
    assert_true(limit_sim_refused(&sim) < 0.02);
    assert_int_equal(sim.broken, 0);
}

/* Some of the URLs are broken besides: the limiter is one all the same. */
static void suspects__finds_the_limiter__when_some_503s_are_not_its_own(void **state)
{
    struct limiter limiter = { LIMITER_BUCKET, .rate = 50,    .burst = 11,   .latency_ms = 5,
                               .jitter = 0.5,  .status = 503, .broken = 0.05 };

    (void)state;
    limit_sim_begin(&sim, &limiter, 10);
    limit_sim_live(&sim, 30);
    limit_sim_count(&sim);
    limit_sim_live(&sim, 120);
    if (limit_sim_rate(&sim) < 0.6 * 50 || sim.broken + sim.refused > sim.accepted) {
        fail_msg("%.1f/s of 47.5/s, %llu 503s besides %llu that were accepted",
                 limit_sim_rate(&sim), (unsigned long long)(sim.broken + sim.refused),
                 (unsigned long long)sim.accepted);
    }
}

/* Half of the URLs are broken. Slowing down does not make them fewer: soon it goes on at full rate. */
static void suspects__no_longer__when_slowing_down_does_not_help(void **state)
{
    struct limiter limiter = { LIMITER_NONE, .latency_ms = 50, .jitter = 0.5, .broken = 0.5 };

    (void)state;
    limit_sim_begin(&sim, &limiter, 10);
    limit_sim_live(&sim, 20);
    assert_true(sim.was_limiter);
    assert_false(sim.bucket.refuses_with_503);
    assert_true(sim.bucket.innocent_until_us > sim.now_us);
    assert_true(sim.bucket.learned.rate <= 0);
    limit_sim_count(&sim);
    limit_sim_live(&sim, 200);
    assert_int_equal(sim.refused, 0);
    assert_true(limit_sim_rate(&sim) >= 0.95 * 100);
}

/* --- memory ----------------------------------------------------------------------------------------- */

static void of_now__is_what_a_refusal_left__for_a_minute(void **state)
{
    struct learned_answer answer = answer_at(T0);
    struct bucket b = { 0 };

    (void)state;
    assert_false(bucket_is_of_now(&b, T0));
    bucket_refused(&b, &answer, T0 + 30 * US_PER_S, &named, 0, T0);
    assert_true(bucket_is_of_now(&b, T0 + 89 * US_PER_S));
    assert_false(bucket_is_of_now(&b, T0 + 91 * US_PER_S));
}

/* All that began after the refused one and before its answer were accepted: no limiter was empty. */
static void hold__ends__when_all_beside_the_refused_one_were_accepted(void **state)
{
    (void)state;
    for (int is_named = 0; is_named < 2; is_named++) {
        struct bucket b = { 0 };
        uint64_t until_us = is_named ? T0 + 2 * US_PER_S : 0;

        for (uint64_t i = 0; i < 10; i++) {
            bucket_started(&b, T0 + i);
        }
        assert_true(bucket_refused(&b, &(struct learned_answer){ T0, 10, US_PER_MS, 0 }, until_us,
                                   is_named ? &named : &unnamed, 0, T0 + US_PER_MS));
        for (uint64_t i = 1; i < 10; i++) {
            assert_int_equal(bucket_may_start(&b, 100, T0 + US_PER_MS + i),
                             i <= 4 || is_named ? BUCKET_HELD : BUCKET_MAY);
            bucket_accepted(&b, &(struct learned_answer){ T0 + i, 10, US_PER_MS, 0 },
                            T0 + US_PER_MS + i);
        }
        assert_int_equal(bucket_may_start(&b, 100, T0 + 2 * US_PER_MS),
                         is_named ? BUCKET_HELD : BUCKET_MAY);
        assert_int_equal(bucket_may_start(&b, 100, T0 + 3 * US_PER_S), BUCKET_MAY);
        assert_false(learned_is_paced(&b.learned));
    }
}

/* --- one learns for all --------------------------------------------------------------------------- */

/* Starts within a second, each as soon as it may be. */
static unsigned starts_in_a_second(struct bucket *b, uint64_t from_us)
{
    unsigned count = 0;

    for (uint64_t now_us = from_us; now_us < from_us + US_PER_S; now_us += US_PER_MS) {
        while (count < 1000 && bucket_may_start(b, 1000000, now_us) == BUCKET_MAY) {
            bucket_started(b, now_us);
            b->in_flight--;
            count++;
        }
    }
    return count;
}

static void follow__has_the_part_that_was_told__and_learns_nothing(void **state)
{
    struct learned_answer answer = answer_at(T0);
    struct bucket b = { 0 };

    (void)state;
    bucket_follow(&b, 20, 0);
    assert_in_range(starts_in_a_second(&b, T0), 19, 22);
    bucket_follow(&b, 40, 3);
    assert_in_range(starts_in_a_second(&b, T0 + 2 * US_PER_S), 38, 43);
    assert_int_equal(bucket_cap(&b, T0), 3);
    answer.started_us = T0 + 3 * US_PER_S;
    assert_true(bucket_refused(&b, &answer, 0, &unnamed, 0, T0 + 3 * US_PER_S));
    assert_int_equal(b.bare_refused, 1);
    assert_int_equal(b.learned.phase, LEARNED_FREE);
    assert_int_equal(bucket_may_start(&b, 100, T0 + 3 * US_PER_S), BUCKET_HELD);
    assert_int_equal(bucket_may_start(&b, 100, T0 + 4 * US_PER_S), BUCKET_MAY);
    bucket_follow(&b, 40, 3); /* nothing new: it stays as slow as the refusal has made it */
    assert_in_range(starts_in_a_second(&b, T0 + 4 * US_PER_S), 26, 30);
    bucket_follow(&b, 41, 3);
    assert_in_range(starts_in_a_second(&b, T0 + 6 * US_PER_S), 39, 44);
    bucket_follow(&b, 0, 0); /* there is no rate */
    assert_int_equal(starts_in_a_second(&b, T0 + 8 * US_PER_S), 1000);
}

static void lead__goes_on_from_the_part_that_it_had(void **state)
{
    struct bucket b = { 0 };
    uint64_t now_us = T0;

    (void)state;
    bucket_follow(&b, 50, 0);
    bucket_lead(&b, now_us);
    assert_false(b.follow.is_on);
    assert_int_equal(b.learned.phase, LEARNED_NARROW);
    assert_true(bucket_learned_rate(&b) > 49 && bucket_learned_rate(&b) < 51);
    bucket_lead(&b, now_us); /* it does so already */
    assert_true(bucket_learned_rate(&b) > 49);
    for (int i = 0; i < 100; i++) { /* at its rate, all accepted */
        now_us += 20 * US_PER_MS;
        bucket_started(&b, now_us);
        b.in_flight--;
        bucket_accepted(&b, &(struct learned_answer){ now_us, 1, US_PER_MS, 0 }, now_us);
    }
    now_us += US_PER_S;
    assert_true(bucket_refused_elsewhere(&b, &unnamed, 0, now_us) || b.learned.rate < 50);
    assert_true(bucket_learned_rate(&b) < 50 && bucket_learned_rate(&b) > 20);
}

static void scale__changes_the_part__and_nothing_else(void **state)
{
    struct learned_limit l = { 0 };

    (void)state;
    learned_adopt(&l, 30, 0, T0);
    learned_scale(&l, 0.5, T0);
    assert_true(l.rate > 14.9 && l.rate < 15.1 && l.target > 14.9 && l.target < 15.1);
    assert_int_equal(l.phase, LEARNED_NARROW);
    learned_scale(&l, 2, T0);
    assert_true(l.rate > 29.9 && l.rate < 30.1);
    l = (struct learned_limit){ 0 };
    learned_scale(&l, 0.5, T0);
    assert_true(l.rate <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hold__ends__when_all_beside_the_refused_one_were_accepted),
        cmocka_unit_test(hold__lasts_to_its_deadline_to_the_microsecond),
        cmocka_unit_test(hold__keeps_the_longer__when_there_are_two),
        cmocka_unit_test(hold__is_short__when_no_deadline_is_named),
        cmocka_unit_test(start__is_paced__when_a_refusal_taught_a_rate),
        cmocka_unit_test(cap__is_the_least_of_what_was_told_and_learned),
        cmocka_unit_test(suspects__never__when_five_in_a_hundred_are_503),
        cmocka_unit_test(suspects__never__when_nothing_is_accepted),
        cmocka_unit_test(suspects__never__when_only_retries_are_503),
        cmocka_unit_test(suspects__finds_the_limiter__when_it_refuses_with_503),
        cmocka_unit_test(suspects__finds_the_limiter__when_some_503s_are_not_its_own),
        cmocka_unit_test(suspects__no_longer__when_slowing_down_does_not_help),
        cmocka_unit_test(follow__has_the_part_that_was_told__and_learns_nothing),
        cmocka_unit_test(lead__goes_on_from_the_part_that_it_had),
        cmocka_unit_test(scale__changes_the_part__and_nothing_else),
        cmocka_unit_test(of_now__is_what_a_refusal_left__for_a_minute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
