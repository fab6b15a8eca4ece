/* How a host's starts are spaced: by its quota, its rate, the budget of retries and the breaker. */
#include "base/clock.h"
#include "plan/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define T0 (UINT64_C(1000) * US_PER_S)

static struct host_table table;
static struct host *host;
static struct request first_try, retry;

static int set_up(void **state)
{
    struct url url;
    uint32_t index;

    (void)state;
    first_try = (struct request){ .attempt = 0 };
    retry = (struct request){ .attempt = 1 };
    host_table_init(&table, 0, (struct rate){ 0 });
    assert_int_equal(url_split(STR("http://a/"), &url, NULL), RESULT_OK);
    assert_int_equal(host_find(&table, &url, &index, NULL), RESULT_OK);
    host_ref(&table, index);
    host = host_at(&table, index);
    host->contacted = true;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    host_table_release(&table);
    return 0;
}

static enum host_answer may(uint64_t now_us)
{
    return host_may_start(&table, host, now_us);
}

static void start(struct request *request, uint64_t now_us)
{
    table.now_us = now_us;
    host_started(&table, host, request);
}

static void end(bool success, uint64_t now_us)
{
    host_ended(&table, host, success, now_us);
}

static void tell(uint64_t left, uint64_t reset_us, uint64_t uncounted, uint64_t now_us)
{
    struct quota quota = {
        .has_left = true, .left = left, .has_reset = true, .reset_us = reset_us
    };

    struct allowance_answer answer = { .newer = uncounted };

    allowance_tell(&host->allowance, &quota, &answer, now_us);
}

/* Starts whatever may start until `until_us`, going from wake to wake; returns how many. */
static unsigned start_until(uint64_t *now_us, uint64_t until_us)
{
    unsigned count = 0;

    while (*now_us < until_us) {
        uint64_t wake_us;

        while (may(*now_us) == HOST_MAY) {
            start(&first_try, *now_us);
            end(true, *now_us);
            count++;
        }
        wake_us = host_wake_us(&table, host, *now_us);
        assert_true(wake_us > *now_us && wake_us != TIME_NEVER);
        *now_us = wake_us;
    }
    return count;
}

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
        start(&first_try, T0);
    }
    table.work_left = 51;
    assert_int_equal(may(T0), HOST_QUOTA);
}

static void quota__counts_what_started_since(void **state)
{
    (void)state;
    for (int i = 0; i < 11; i++) {
        start(&first_try, T0);
    }
    tell(10, 60 * US_PER_S, 10, T0);
    assert_int_equal(may(T0), HOST_QUOTA);
    assert_int_equal(host_wake_us(&table, host, T0), T0 + 60 * US_PER_S);
    assert_true(host_wake_is_named(&table, host, T0));
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
    allowance_tell(&host->allowance, &spent, &answer, T0);
    assert_int_equal(may(T0), HOST_MAY);
    spent.has_reset = true;
    allowance_tell(&host->allowance, &spent, &answer, T0);
    assert_int_equal(may(T0), HOST_MAY);
}

static void quota__lets_go_at_once__when_there_is_more_than_was_told(void **state)
{
    (void)state;
    tell(1, 3600 * US_PER_S, 0, T0);
    start(&first_try, T0);
    assert_int_equal(may(T0 + US_PER_S), HOST_QUOTA);
    tell(3600, 3600 * US_PER_S, 0, T0 + US_PER_S);
    assert_int_equal(may(T0 + 2 * US_PER_S), HOST_MAY);
}

static void concurrent__clamps_the_cap(void **state)
{
    struct quota quota = { .concurrent = 2 };
    struct allowance_answer answer = { 0 };

    (void)state;
    allowance_tell(&host->allowance, &quota, &answer, T0);
    assert_int_equal(host_cap(&table, host), 2);
    start(&first_try, T0);
    assert_int_equal(may(T0), HOST_MAY);
    start(&first_try, T0);
    assert_int_equal(may(T0), HOST_FULL);
    table.cap_per_host = 1;
    assert_int_equal(host_cap(&table, host), 1);
}

static void rate_per_host__spaces_the_starts(void **state)
{
    uint64_t now_us = T0;

    (void)state;
    pacer_init(&host->pacer, (struct rate){ 10, US_PER_S });
    assert_in_range(start_until(&now_us, T0 + 10 * US_PER_S), 100, 101);
}

/* R13: a host that fails all for a minute gets its first tries, a fifth of them again, and the floor. */
static void budget__bounds_the_retries__when_all_fails(void **state)
{
    uint64_t now_us = T0;
    unsigned firsts = 0, retries = 0;

    (void)state;
    for (; now_us < T0 + 60 * US_PER_S; now_us += 10 * US_PER_MS) {
        start(&first_try, now_us);
        end(false, now_us);
        firsts++;
        host_push(host, &retry, HOST_PLACE_TRIED);
        if (may(now_us) == HOST_MAY) {
            start(host_pop(host, now_us), now_us);
            end(false, now_us);
            retries++;
        } else {
            host_pop(host, now_us);
        }
    }
    /* The floor comes back as time forgives: within ten seconds once. */
    assert_in_range(retries, firsts / 5, firsts / 5 + 7 * RETRY_BUDGET_FLOOR);
}

static void budget__is_no_hindrance__when_retries_go_well(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(retry_budget_wait_us(&host->budget, T0), 0);
        retry_budget_retry(&host->budget, T0);
        retry_budget_success(&host->budget, T0);
    }
}

static void budget__lets_new_ones_pass__when_it_keeps_retries_back(void **state)
{
    uint64_t wake_us;

    (void)state;
    while (!retry_budget_wait_us(&host->budget, T0)) {
        retry_budget_retry(&host->budget, T0);
    }
    host_push(host, &retry, HOST_PLACE_TRIED);
    assert_int_equal(may(T0), HOST_PACED);
    wake_us = host_wake_us(&table, host, T0);
    assert_true(wake_us > T0 && wake_us < T0 + 10 * US_PER_S);
    assert_false(host_wake_is_named(&table, host, T0));
    host_push(host, &first_try, HOST_PLACE_LAST);
    assert_int_equal(may(T0), HOST_MAY);
    assert_ptr_equal(host_pop(host, T0), &first_try);
    assert_int_equal(may(wake_us), HOST_MAY);
    assert_ptr_equal(host_pop(host, wake_us), &retry);
}

static bool fail_one(uint64_t now_us)
{
    start(&first_try, now_us);
    end(false, now_us);
    return host_note_failure(host, HOST_BREAKER_US, now_us);
}

static void breaker__opens_and_probes_once__when_five_fail_in_a_row(void **state)
{
    uint64_t then_us = T0 + HOST_BREAKER_US;

    (void)state;
    for (int i = 1; i < HOST_BREAKER_FAILURES; i++) {
        assert_false(fail_one(T0));
    }
    assert_true(fail_one(T0));
    assert_int_equal(may(then_us - 1), HOST_HELD);
    assert_false(host_wake_is_named(&table, host, T0));
    assert_int_equal(may(then_us), HOST_MAY);
    start(&first_try, then_us);
    assert_int_equal(may(then_us), HOST_FULL);
    end(false, then_us);
    assert_true(host_note_failure(host, HOST_BREAKER_US, then_us)); /* the probe failed */
    assert_true(host_is_given_up(host, 600 * US_PER_S, then_us));   /* nothing ever went well */
    host->has_succeeded = true;
    assert_false(host_is_given_up(host, 600 * US_PER_S, then_us));
    assert_true(host_is_given_up(host, 29 * US_PER_S, then_us));
    then_us += HOST_BREAKER_US;
    assert_int_equal(may(then_us - 1), HOST_HELD);
    start(&first_try, then_us);
    end(true, then_us);
    assert_int_equal(host->failures_in_row, 0);
    assert_int_equal(may(then_us), HOST_MAY);
}

static void breaker__stays_shut__when_a_success_lies_between(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        if (i % 4 == 3) {
            start(&first_try, T0);
            end(true, T0);
        } else {
            assert_false(fail_one(T0));
        }
    }
}

static void breaker__waits_for_all_that_were_in_flight_together(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        start(&first_try, T0);
    }
    for (int i = 1; i <= 20; i++) {
        end(false, T0);
        assert_int_equal(host_note_failure(host, HOST_BREAKER_US, T0), i == 11);
    }
}

static void ease__starts_slowly_again__when_a_pause_is_over(void **state)
{
    (void)state;
    host_table_ease(&table);
    start(&first_try, T0);
    assert_int_equal(may(T0), HOST_FULL);
    end(true, T0);
    start(&first_try, T0);
    assert_int_equal(may(T0), HOST_MAY);
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
        CASE(budget__bounds_the_retries__when_all_fails),
        CASE(budget__is_no_hindrance__when_retries_go_well),
        CASE(budget__lets_new_ones_pass__when_it_keeps_retries_back),
        CASE(breaker__opens_and_probes_once__when_five_fail_in_a_row),
        CASE(breaker__stays_shut__when_a_success_lies_between),
        CASE(breaker__waits_for_all_that_were_in_flight_together),
        CASE(ease__starts_slowly_again__when_a_pause_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
