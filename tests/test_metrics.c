#include "engine/metrics.h"

#include "base/clock.h"
#include "engine/endpoint_stats.h"
#include "engine/ladder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <malloc.h>

#define T0 (UINT64_C(5000) * US_PER_S)

/* cmocka's tests run on one stack: what is large is static. */
static struct metrics m;

static void answer(enum outcome outcome, int status, uint64_t total_us, bool reused)
{
    struct answer a = { .outcome = outcome,
                        .status = status,
                        .throttled = status == 429,
                        .is_reused = reused,
                        .wire_bytes = 100,
                        .latency_us = total_us };

    metrics_answer(&m, &a);
}

static void response__is_counted_by_status_and_kind(void **state)
{
    (void)state;
    metrics_init(&m, T0);
    answer(OUTCOME_OK, 200, 1000, false);
    answer(OUTCOME_OK, 204, 1000, true);
    answer(OUTCOME_REDIRECT, 302, 1000, true);
    answer(OUTCOME_STATUS, 404, 1000, true);
    answer(OUTCOME_STATUS, 429, 1000, true);
    answer(OUTCOME_STATUS, 503, 1000, true);
    answer(OUTCOME_TIMEOUT, 0, 0, false);
    answer(OUTCOME_SHORT_BODY, 200, 1000,
           true);                             /* an answer that did not arrive is the network's */
    answer(OUTCOME_STATUS, 9999, 1000, true); /* beyond every table */
    assert_int_equal(m.attempts, 9);
    assert_int_equal(m.reused, 7);
    assert_int_equal(m.bytes, 900);
    assert_int_equal(m.mix.ok, 2);
    assert_int_equal(m.mix.redirect, 1);
    assert_int_equal(m.mix.client_error, 1);
    assert_int_equal(m.mix.throttled, 1);
    assert_int_equal(m.mix.server_error, 2);
    assert_int_equal(m.mix.network, 2);
    assert_int_equal(m.status[200], 2);
    assert_int_equal(m.status[429], 1);
    assert_int_equal(m.status[0], 2);
    assert_int_equal(m.latency.count, 8);
}

static void tick__closes_whole_seconds_only(void **state)
{
    (void)state;
    metrics_init(&m, T0);
    metrics_tick(&m, T0 + US_PER_S - 1, 10, 5);
    assert_null(metrics_second(&m, 0));
    metrics_settled(&m, true);
    metrics_settled(&m, true);
    metrics_settled(&m, false);
    answer(OUTCOME_STATUS, 429, 2000, true);
    metrics_tick(&m, T0 + US_PER_S, 10, 5);
    assert_int_equal(metrics_second(&m, 0)->done, 2);
    assert_int_equal(metrics_second(&m, 0)->failed, 1);
    assert_int_equal(metrics_second(&m, 0)->throttled, 1);
    assert_int_equal(metrics_second(&m, 0)->bytes, 100);
    assert_int_equal(metrics_second(&m, 0)->cap, 10);
    assert_int_equal(metrics_second(&m, 0)->in_flight, 5);
    assert_int_equal(metrics_second(&m, 0)->p95_ms, 2);
    assert_false(metrics_second(&m, 0)->cap_changed);
    assert_null(metrics_second(&m, 1));

    metrics_tick(&m, T0 + 2 * US_PER_S, 11, 0);
    assert_int_equal(metrics_second(&m, 0)->done, 0);
    assert_true(metrics_second(&m, 0)->cap_changed);
    assert_int_equal(metrics_second(&m, 1)->done, 2);
}

static void tick__fills_the_gap__when_the_loop_was_away(void **state)
{
    (void)state;
    metrics_init(&m, T0);
    metrics_settled(&m, true);
    metrics_tick(&m, T0 + 5 * US_PER_S + 1, 1, 0);
    assert_int_equal(m.ring_count, 5);
    assert_int_equal(metrics_second(&m, 4)->done, 1);
    assert_int_equal(metrics_second(&m, 0)->done, 0);
}

static void tick__passes_over_the_ring_once__when_the_machine_slept_for_a_year(void **state)
{
    (void)state;
    metrics_init(&m, T0);
    metrics_tick(&m, T0 + UINT64_C(31536000) * US_PER_S, 1, 0);
    assert_int_equal(m.ring_count, SNAPSHOT_SECONDS);
    assert_int_equal(m.second_began_us, T0 + UINT64_C(31536000) * US_PER_S);
}

static void second__is_none__when_it_is_beyond_the_ring(void **state)
{
    (void)state;
    metrics_init(&m, T0);
    for (uint64_t i = 1; i <= SNAPSHOT_SECONDS + 7; i++) {
        metrics_settled(&m, true);
        metrics_tick(&m, T0 + i * US_PER_S, (unsigned)i, 0);
    }
    assert_int_equal(metrics_second(&m, 0)->cap, SNAPSHOT_SECONDS + 7);
    assert_int_equal(metrics_second(&m, SNAPSHOT_SECONDS - 1)->cap, 8);
    assert_null(metrics_second(&m, SNAPSHOT_SECONDS));
    assert_null(metrics_second(&m, SIZE_MAX));
}

static void rate__is_over_the_seconds_there_are(void **state)
{
    (void)state;
    metrics_init(&m, T0);
    assert_true(metrics_rate(&m, 10) == 0);
    for (int i = 0; i < 30; i++) {
        metrics_settled(&m, i % 3 != 0);
    }
    metrics_tick(&m, T0 + US_PER_S, 1, 0);
    assert_true(metrics_rate(&m, 10) == 30);
    metrics_tick(&m, T0 + 2 * US_PER_S, 1, 0);
    assert_true(metrics_rate(&m, 10) == 15);
    assert_true(metrics_rate(&m, 1) == 0);
    assert_int_equal(m.ok, 20);
    assert_int_equal(m.failed, 10);
}

/* A week at three answers a second: not one byte more is allocated, and the latest seconds are there. */
/* One second in which so many settled. */
static void pass_second(uint64_t *now_us, unsigned settled)
{
    for (unsigned i = 0; i < settled; i++) {
        metrics_settled(&m, true);
    }
    *now_us += US_PER_S;
    metrics_tick(&m, *now_us, 10, 10);
}

static void rate_now__follows_a_change_in_two_seconds__and_no_chance(void **state)
{
    static const unsigned chance[] = { 52, 45, 57, 48, 50, 41, 55, 60, 47, 50, 44, 58 };
    static const uint64_t fast_us = 100 * US_PER_MS;
    uint64_t now_us = T0;

    (void)state;
    metrics_init(&m, T0);
    for (size_t i = 0; i < 24; i++) {
        pass_second(&now_us, chance[i % 12]);
        if (i >= 10) {
            assert_true(metrics_rate_now(&m, fast_us) == metrics_rate(&m, METRICS_RATE_WINDOW_S));
        }
    }
    pass_second(&now_us, 10);
    pass_second(&now_us, 10);
    assert_true(metrics_rate_now(&m, fast_us) < 11);
    pass_second(&now_us, 0);
    pass_second(&now_us, 0);
    assert_true(metrics_rate_now(&m, fast_us) == 0);
    pass_second(&now_us, 200);
    pass_second(&now_us, 200);
    assert_true(metrics_rate_now(&m, fast_us) > 199);
}

/* Requests of three seconds that all began together: a wave is no change. */
static void rate_now__is_steady__when_answers_come_in_waves(void **state)
{
    uint64_t now_us = T0;

    (void)state;
    metrics_init(&m, T0);
    for (size_t i = 0; i < 40; i++) {
        pass_second(&now_us, i % 3 == 0 ? 90 : 0);
        if (i >= 12) {
            double rate = metrics_rate_now(&m, 3 * US_PER_S);

            assert_true(rate > 20 && rate < 40);
        }
    }
}

static void metrics__take_no_memory__over_a_week(void **state)
{
    static struct endpoint_stats stats;
    static struct ladder ladder;
    static struct snapshot_rung rungs[SNAPSHOT_RUNGS_MAX];
    struct answer a = { .outcome = OUTCOME_OK, .status = 200, .wire_bytes = 100 };
    uint64_t now_us = T0;
    size_t before;

    (void)state;
    metrics_init(&m, T0);
    assert_int_equal(endpoint_stats_init(&stats, 3, T0, NULL), RESULT_OK);
    before = mallinfo2().uordblks;
    ladder_init(&ladder, 1, T0);
    for (unsigned second = 0; second < 7 * 24 * 3600; second++) {
        for (unsigned i = 0; i < 3; i++) {
            a.endpoint = i;
            a.started_us = now_us;
            a.latency_us = 1000 + second % 100000 + i;
            metrics_answer(&m, &a);
            metrics_settled(&m, true);
            endpoint_stats_answer(&stats, &a);
            endpoint_stats_settled(&stats, i, true);
            ladder_answer(&ladder, &a);
        }
        now_us += US_PER_S;
        metrics_tick(&m, now_us, 1 + second / 1000, 3);
        endpoint_stats_tick(&stats, now_us);
        ladder_tick(&ladder, true, now_us);
        if (second % 1000 == 0) {
            ladder_enter(&ladder, 2 + second / 1000, now_us);
        }
    }
    assert_int_equal(mallinfo2().uordblks, before);
    endpoint_stats_release(&stats);
    assert_int_equal(m.ok, 3 * 7 * 24 * 3600);
    assert_int_equal(m.latency.count, 3 * 7 * 24 * 3600);
    assert_non_null(metrics_second(&m, SNAPSHOT_SECONDS - 1));
    assert_null(metrics_second(&m, SNAPSHOT_SECONDS));
    assert_int_equal(metrics_second(&m, 0)->done, 3);
    assert_true(metrics_rate(&m, 60) > 2.99 && metrics_rate(&m, 60) < 3.01);
    assert_in_range(ladder_list(&ladder, rungs), 1, SNAPSHOT_RUNGS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(response__is_counted_by_status_and_kind),
        cmocka_unit_test(tick__closes_whole_seconds_only),
        cmocka_unit_test(tick__fills_the_gap__when_the_loop_was_away),
        cmocka_unit_test(tick__passes_over_the_ring_once__when_the_machine_slept_for_a_year),
        cmocka_unit_test(second__is_none__when_it_is_beyond_the_ring),
        cmocka_unit_test(rate__is_over_the_seconds_there_are),
        cmocka_unit_test(rate_now__follows_a_change_in_two_seconds__and_no_chance),
        cmocka_unit_test(rate_now__is_steady__when_answers_come_in_waves),
        cmocka_unit_test(metrics__take_no_memory__over_a_week),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
