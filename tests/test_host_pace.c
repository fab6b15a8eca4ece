/* How a host's starts are spaced: by its quota, its rate, and the trouble of its lanes. */
#include "base/clock.h"

#include "plan/host.h"
#include "plan/host_hold.h"
#include "plan/host_silence.h"
#include "host_pace_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void tell(uint64_t left, uint64_t reset_us, uint64_t uncounted, uint64_t now_us)
{
    struct quota quota = {
        .has_left = true, .left = left, .has_reset = true, .reset_us = reset_us
    };

    struct allowance_answer answer = { .newer = uncounted };

    allowance_tell(&host->bucket.allowance, &quota, &answer, now_us);
}

/* Starts whatever may start until `until_us`, going from wake to wake; returns how many. */
static unsigned start_until(uint64_t *now_us, uint64_t until_us)
{
    unsigned count = 0;

    while (*now_us < until_us) {
        uint64_t wake_us;

        while (may(*now_us) == HOST_MAY) {
            ask(lane, HOST_END_WELL, *now_us);
            count++;
        }
        wake_us = wake(*now_us).at_us;
        assert_true(wake_us > *now_us && wake_us != TIME_NEVER);
        *now_us = wake_us;
    }
    return count;
}

/* --- quotas and rates ----------------------------------------------------------------------------- */

static void quota__is_spread_evenly_to_its_end__when_the_window_is_long(void **state)
{
    uint64_t now_us = T0;

    (void)state;
    tell(60, 60 * US_PER_S, 0, T0);
    assert_in_range(start_until(&now_us, T0 + 30 * US_PER_S), 29, 31);
    assert_in_range(start_until(&now_us, T0 + 60 * US_PER_S), 28, 31);
}

static void quota__is_never_passed__when_its_window_is_short(void **state)
{
    uint64_t now_us = T0;

    (void)state;
    tell(20, US_PER_S, 0, T0);
    assert_in_range(start_until(&now_us, T0 + US_PER_S), 17, 20);
}

static void quota__is_not_spread__when_less_work_is_left(void **state)
{
    (void)state;
    table.work_left = 50;
    tell(60, 3600 * US_PER_S, 0, T0);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(may(T0), HOST_MAY);
        start(T0);
    }
    table.work_left = 51;
    assert_int_equal(may(T0), HOST_QUOTA);
}

static void quota__counts_what_started_since(void **state)
{
    (void)state;
    for (int i = 0; i < 11; i++) {
        start(T0);
    }
    tell(10, 60 * US_PER_S, 10, T0);
    assert_int_equal(may(T0), HOST_QUOTA);
    assert_true(wake(T0).at_us == T0 + 60 * US_PER_S);
    assert_true(wake(T0).is_named);
}

static void quota__keeps_all_back_to_the_microsecond__when_it_is_spent(void **state)
{
    (void)state;
    tell(0, 41 * US_PER_S, 0, T0);
    assert_int_equal(may(T0 + 41 * US_PER_S + 9999), HOST_QUOTA); /* with a little slack */
    assert_int_equal(may(T0 + 41 * US_PER_S + 10000), HOST_MAY);
}

static void quota__is_nothing__when_its_reset_is_absent_or_past(void **state)
{
    struct quota spent = { .has_left = true };
    struct allowance_answer answer = { 0 };

    (void)state;
    allowance_tell(&host->bucket.allowance, &spent, &answer, T0);
    assert_int_equal(may(T0), HOST_MAY);
    spent.has_reset = true;
    allowance_tell(&host->bucket.allowance, &spent, &answer, T0);
    assert_int_equal(may(T0), HOST_MAY);
}

static void quota__lets_go_at_once__when_there_is_more_than_was_told(void **state)
{
    (void)state;
    tell(1, 3600 * US_PER_S, 0, T0);
    start(T0);
    assert_int_equal(may(T0 + US_PER_S), HOST_QUOTA);
    tell(3600, 3600 * US_PER_S, 0, T0 + US_PER_S);
    assert_int_equal(may(T0 + 2 * US_PER_S), HOST_MAY);
}

static void concurrent__clamps_the_cap(void **state)
{
    struct quota quota = { .concurrent = 2 };
    struct allowance_answer answer = { 0 };

    (void)state;
    allowance_tell(&host->bucket.allowance, &quota, &answer, T0);
    assert_int_equal(host_cap(&table, host, T0), 2);
    start(T0);
    assert_int_equal(may(T0), HOST_MAY);
    start(T0);
    assert_int_equal(may(T0), HOST_FULL);
    table.cap_per_host = 1;
    assert_int_equal(host_cap(&table, host, T0), 1);
}

static void rate_per_host__spaces_the_starts(void **state)
{
    uint64_t now_us = T0;

    (void)state;
    pacer_init(&host->pacer, (struct rate){ 10, US_PER_S });
    assert_in_range(start_until(&now_us, T0 + 10 * US_PER_S), 100, 101);
}

/* --- trouble -------------------------------------------------------------------------------------------- */

static void trouble__is_the_lanes_own__when_another_is_well(void **state)
{
    uint64_t now_us = T0;

    (void)state;
    for (int i = 1; i <= LANE_TROUBLE_FAILURES; i++) {
        assert_int_equal(ask(lane, HOST_END_BROKEN, now_us),
                         i == LANE_TROUBLE_FAILURES ? HOST_NEWS_TROUBLE : HOST_NEWS_NONE);
    }
    for (int i = 0; i < 100; i++) {
        assert_int_equal(host_may_start(&table, host, other_lane, now_us), HOST_MAY);
        ask(other_lane, HOST_END_WELL, now_us);
    }
    /* With others well, the few of it are not spaced. */
    for (unsigned i = 0; i < LANE_TROUBLE_WINDOW; i++) {
        assert_int_equal(may(now_us), HOST_MAY);
        start(now_us);
    }
    assert_int_equal(may(now_us), HOST_TROUBLE);
    assert_true(host_failing_since_us(host) == 0);
}

static void trouble__spaces_its_starts__when_nothing_goes_well(void **state)
{
    uint64_t now_us = T0;

    (void)state;
    for (int i = 1; i <= LANE_TROUBLE_FAILURES; i++) {
        ask(lane, HOST_END_BROKEN, now_us);
    }
    assert_int_equal(may(now_us), HOST_MAY);
    ask(lane, HOST_END_BROKEN, now_us);
    assert_int_equal(may(now_us), HOST_TROUBLE);
    assert_true(wake(now_us).at_us == now_us + LANE_TROUBLE_SPACE_US && !wake(now_us).is_named);
    assert_int_equal(may(now_us + LANE_TROUBLE_SPACE_US), HOST_MAY);
    assert_true(host_failing_since_us(host) == T0);
    now_us += LANE_TROUBLE_SPACE_US;
    for (int i = 0; i < 3; i++) { /* a few that go well end it */
        ask(lane, HOST_END_WELL, now_us);
    }
    for (int i = 0; i < 50; i++) {
        assert_int_equal(may(now_us), HOST_MAY);
        start(now_us);
    }
    assert_true(host_failing_since_us(host) == 0);
}

/* A fifth of all URLs fail: none of that is trouble. */
static void trouble__is_none__when_single_urls_fail(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        bool is_broken = i % 5 == 0;
        struct request request = begin(lane, 0, T0);

        assert_int_equal(
            host_ended(&table, host, &request, is_broken ? HOST_END_BROKEN : HOST_END_WELL, T0),
            HOST_NEWS_NONE);
        for (uint32_t attempt = 1; is_broken && attempt < 6; attempt++) {
            struct request retry = begin(lane, attempt, T0);

            assert_int_equal(host_ended(&table, host, &retry, HOST_END_BROKEN, T0), HOST_NEWS_NONE);
        }
        assert_int_equal(may(T0), HOST_MAY);
    }
}

/* --- slow starts ------------------------------------------------------------------------------------------ */

/* The first ten URLs fail, all others are well: from then on a failure is its URL's own, even when nothing
 * but retries is left. */
static void well_for__is_told_by_first_tries__when_only_broken_urls_are_left(void **state)
{
    struct request request = { .lane = lane, .attempt = 3 };

    (void)state;
    assert_false(host_is_well_for(host, &request)); /* nothing is known yet */
    ask(lane, HOST_END_WELL, T0);
    assert_true(host_is_well_for(host, &request));
    ask(lane, HOST_END_BROKEN, T0 + 1);
    assert_false(host_is_well_for(host, &request));
    ask(lane, HOST_END_WELL, T0 + 2);
    for (int i = 0; i < 20; i++) {
        request = begin(lane, 1, T0 + 3);
        host_ended(&table, host, &request, HOST_END_BROKEN, T0 + 3);
    }
    assert_true(host_is_well_for(host, &request));
    request.lane = other_lane;
    assert_false(host_is_well_for(host, &request)); /* of that lane nothing is known */
}

static void ease__starts_slowly_again__when_a_pause_is_over(void **state)
{
    struct request request;

    (void)state;
    host_table_ease(&table, T0);
    request = begin(lane, 0, T0);
    assert_int_equal(may(T0), HOST_FULL);
    host_ended(&table, host, &request, HOST_END_WELL, T0);
    start(T0);
    assert_int_equal(may(T0), HOST_MAY);
}

/* However quick its answers are: a bucket of ten is empty before the first refusal is back. */
static void host__is_asked_by_two__when_it_is_to_be_met_gently(void **state)
{
    struct request request;

    (void)state;
    table.is_gentle = true;
    host->contacted = false;
    request = begin(lane, 0, T0);
    start(T0);
    assert_int_equal(may(T0), HOST_FULL);
    for (int i = 0; i < 20; i++) {
        host_ended(&table, host, &request, HOST_END_WELL, T0 + US_PER_MS);
        start(T0 + US_PER_MS);
        assert_int_equal(may(T0 + US_PER_MS), HOST_FULL);
    }
    host_ended(&table, host, &request, HOST_END_WELL, T0 + HOST_GENTLE_US);
    start(T0 + HOST_GENTLE_US);
    assert_int_equal(may(T0 + HOST_GENTLE_US), HOST_MAY); /* and then as after a hold */
}

/* One request hangs: the window grows by time, too. */
static void slow_start__is_not_owned_by_one_slow_request(void **state)
{
    uint64_t now_us = T0, starts = 0;

    (void)state;
    host_table_ease(&table, T0);
    start(T0); /* and never ends */
    while (now_us < T0 + 10 * US_PER_S) {
        uint64_t next_us;

        while (may(now_us) == HOST_MAY && starts < 100) {
            start(now_us); /* nor do those */
            starts++;
        }
        if (starts == 100) {
            break;
        }
        next_us = wake(now_us).at_us;
        assert_true(next_us > now_us && next_us <= now_us + US_PER_S);
        now_us = next_us;
    }
    assert_true(starts >= 10);
}

static void slow_start__doubles_each_round__when_all_goes_well(void **state)
{
    static const unsigned want[] = { 1, 2, 4, 8, 16 };
    struct request request = { .lane = 0, .attempt = 1, .started_us = T0 };

    (void)state;
    request.lane = lane;
    host_hold_user(host, true, T0);
    host_hold_user(host, false, T0);
    for (size_t round = 0; round < sizeof want / sizeof want[0]; round++) {
        unsigned started = 0;

        while (may(T0) == HOST_MAY) {
            start(T0);
            started++;
        }
        assert_int_equal(started, want[round]);
        /* Each that ends makes room for two: they start once the round is over here. */
        for (unsigned i = 0; i < started; i++) {
            unsigned window = host->window;

            host->in_flight += started; /* a queue that keeps the window busy */
            host_ended(&table, host, &request, HOST_END_WELL, T0);
            host->in_flight -= started;
            assert_int_equal(host->window, window + 1);
        }
    }
}

static void slow_start__ends__when_the_window_is_no_longer_what_keeps_back(void **state)
{
    struct request request = { .lane = 0, .attempt = 1, .started_us = T0 };

    (void)state;
    request.lane = lane;
    table.cap_per_host = 4;
    host_table_ease(&table, T0);
    for (int i = 0; i < 100 && host->window; i++) {
        while (may(T0) == HOST_MAY) {
            start(T0);
        }
        host_ended(&table, host, &request, HOST_END_WELL, T0);
    }
    assert_int_equal(host->window, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        CASE(quota__is_spread_evenly_to_its_end__when_the_window_is_long),
        CASE(quota__is_never_passed__when_its_window_is_short),
        CASE(quota__is_not_spread__when_less_work_is_left),
        CASE(quota__counts_what_started_since),
        CASE(quota__keeps_all_back_to_the_microsecond__when_it_is_spent),
        CASE(quota__is_nothing__when_its_reset_is_absent_or_past),
        CASE(quota__lets_go_at_once__when_there_is_more_than_was_told),
        CASE(concurrent__clamps_the_cap),
        CASE(rate_per_host__spaces_the_starts),
        CASE(trouble__is_the_lanes_own__when_another_is_well),
        CASE(trouble__spaces_its_starts__when_nothing_goes_well),
        CASE(trouble__is_none__when_single_urls_fail),
        CASE(well_for__is_told_by_first_tries__when_only_broken_urls_are_left),
        CASE(ease__starts_slowly_again__when_a_pause_is_over),
        CASE(slow_start__is_not_owned_by_one_slow_request),
        CASE(slow_start__doubles_each_round__when_all_goes_well),
        CASE(host__is_asked_by_two__when_it_is_to_be_met_gently),
        CASE(slow_start__ends__when_the_window_is_no_longer_what_keeps_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
