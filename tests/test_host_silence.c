/* plan/host_silence: a host that does not answer is down, is probed, and is given up in the end. */
#include "base/clock.h"
#include "plan/host.h"
#include "plan/host_hold.h"
#include "plan/host_silence.h"
#include "host_pace_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A status is an answer, whatever it is and however often it comes. */
static void down__is_never__when_a_status_comes(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_int_not_equal(ask(lane, i % 2 ? HOST_END_BROKEN : HOST_END_REFUSED, T0),
                             HOST_NEWS_DOWN);
        assert_true(host->down_until_us == 0);
    }
    assert_false(host_is_given_up(host, 0, T0 + 3600 * US_PER_S));
}

static void down__probes_once_and_is_up_again__when_somebody_answers(void **state)
{
    struct request probe;
    struct host_hold hold;
    uint64_t now_us;

    (void)state;
    for (int i = 1; i < HOST_DOWN_FAILURES; i++) {
        assert_int_equal(ask(lane, HOST_END_SILENT, T0), HOST_NEWS_NONE);
        assert_int_equal(may(T0), HOST_MAY);
    }
    assert_int_equal(ask(lane, HOST_END_SILENT, T0), HOST_NEWS_DOWN);
    hold = host_hold(host, T0);
    assert_true(hold.until_us == T0 + HOST_DOWN_MIN_US);
    assert_int_equal(hold.due->by, DUE_BREAKER);
    assert_false(hold.is_named);
    assert_int_equal(may(hold.until_us - 1), HOST_HELD);
    assert_int_equal(host_may_start(&table, host, other_lane, hold.until_us - 1), HOST_HELD);
    assert_true(wake(T0).at_us == hold.until_us && !wake(T0).is_named);

    now_us = hold.until_us;
    assert_int_equal(may(now_us), HOST_MAY);
    probe = begin(lane, 0, now_us);
    assert_int_equal(may(now_us + 10 * US_PER_S), HOST_FULL); /* alone, for as long as it takes */
    assert_true(wake(now_us).at_us == TIME_NEVER);
    now_us += 10 * US_PER_S;
    assert_int_equal(host_ended(&table, host, &probe, HOST_END_BROKEN, now_us), HOST_NEWS_UP);
    assert_true(host->down_until_us == 0 && host->silent_in_row == 0 && host->probes == 0);
    assert_int_equal(may(now_us), HOST_MAY);
}

/* Ever further apart, never more than HOST_DOWN_MAX_US, so that a host that comes back is seen soon. */
static void down__probes_ever_further_apart__up_to_the_most(void **state)
{
    uint64_t now_us = T0, before_us = 0, probes = 0;

    (void)state;
    for (int i = 0; i < HOST_DOWN_FAILURES; i++) {
        ask(lane, HOST_END_SILENT, now_us);
    }
    while (now_us < T0 + 3600 * US_PER_S) {
        uint64_t space_us = host->down_until_us - now_us;

        assert_in_range(space_us, HOST_DOWN_MIN_US, HOST_DOWN_MAX_US);
        assert_true(space_us >= before_us);
        before_us = space_us;
        now_us = host->down_until_us;
        assert_int_equal(ask(lane, HOST_END_SILENT, now_us), HOST_NEWS_DOWN);
        probes++;
    }
    assert_true(before_us == HOST_DOWN_MAX_US);
    assert_in_range(probes, 3600 / 30, 3600 / 30 + 30);
}

static void down__is_not__when_an_answer_lies_between(void **state)
{
    static const enum host_end answers[] = { HOST_END_WELL, HOST_END_BROKEN, HOST_END_REFUSED };

    (void)state;
    for (int i = 0; i < 300; i++) {
        enum host_end how = i % 4 == 3 ? answers[i / 4 % 3] : HOST_END_SILENT;

        assert_int_not_equal(ask(lane, how, T0), HOST_NEWS_DOWN);
        assert_true(host->down_until_us == 0);
    }
}

/* As many as were in flight together fail together. */
static void down__waits_for_all_that_were_in_flight_together(void **state)
{
    struct request requests = { .lane = lane, .attempt = 1, .started_us = T0 };

    (void)state;
    for (int i = 0; i < 20; i++) {
        start(T0);
    }
    for (int i = 1; i <= 20; i++) {
        enum host_news news = host_ended(&table, host, &requests, HOST_END_SILENT, T0);

        assert_int_equal(news, i == 11 ? HOST_NEWS_DOWN : HOST_NEWS_NONE);
    }
    assert_true(host->down_until_us == T0 + HOST_DOWN_MIN_US);
}

/* They use up their tries, each with its own wait. */
static void down__is_not__when_few_requests_are_left(void **state)
{
    (void)state;
    host->refs = HOST_DOWN_FAILURES;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ask(lane, HOST_END_SILENT, T0), HOST_NEWS_NONE);
        assert_int_equal(may(T0), HOST_MAY);
    }
}

/* A machine that slept, a request that the user cancelled: nothing of the host's. */
static void down__is_not__when_it_is_our_own_doing(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ask(lane, HOST_END_OURS, T0), HOST_NEWS_NONE);
    }
    assert_int_equal(host->silent_in_row, 0);
}

/* Returns when. */
static uint64_t probe_until_given_up(enum host_end how, uint64_t patience_us)
{
    uint64_t now_us = T0;

    for (int i = 0; i < HOST_DOWN_FAILURES; i++) {
        ask(lane, how, now_us);
        assert_false(host_is_given_up(host, patience_us, now_us));
    }
    while (!host_is_given_up(host, patience_us, now_us)) {
        assert_true(now_us < T0 + 3600 * US_PER_S);
        now_us = host->down_until_us;
        ask(lane, how, now_us);
    }
    return now_us;
}

static void given_up__is_at_the_first_probe__when_there_is_no_hope(void **state)
{
    (void)state;
    assert_true(probe_until_given_up(HOST_END_HOPELESS, 600 * US_PER_S) == T0 + HOST_DOWN_MIN_US);
}

static void given_up__is_after_half_a_minute__when_it_never_answered(void **state)
{
    uint64_t at_us = probe_until_given_up(HOST_END_SILENT, 600 * US_PER_S);

    (void)state;
    assert_in_range(at_us - T0, HOST_DOWN_PATIENCE_US, HOST_DOWN_PATIENCE_US * 5 / 4);
}

static void given_up__is_after_the_users_patience__when_it_has_answered(void **state)
{
    uint64_t at_us;

    (void)state;
    ask(lane, HOST_END_BROKEN, T0 - US_PER_S);
    at_us = probe_until_given_up(HOST_END_SILENT, 600 * US_PER_S);
    assert_in_range(at_us - T0, 600 * US_PER_S, 600 * US_PER_S + HOST_DOWN_MAX_US);
}

/* An unknown name that was known before: it may be a resolver's bad moment. */
static void given_up__is_after_the_users_patience__when_a_known_host_is_hopeless(void **state)
{
    uint64_t at_us;

    (void)state;
    ask(lane, HOST_END_WELL, T0 - US_PER_S);
    at_us = probe_until_given_up(HOST_END_HOPELESS, 60 * US_PER_S);
    assert_in_range(at_us - T0, 60 * US_PER_S, 60 * US_PER_S + HOST_DOWN_MAX_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        CASE(down__is_never__when_a_status_comes),
        CASE(down__probes_once_and_is_up_again__when_somebody_answers),
        CASE(down__probes_ever_further_apart__up_to_the_most),
        CASE(down__is_not__when_an_answer_lies_between),
        CASE(down__waits_for_all_that_were_in_flight_together),
        CASE(down__is_not__when_few_requests_are_left),
        CASE(down__is_not__when_it_is_our_own_doing),
        CASE(given_up__is_at_the_first_probe__when_there_is_no_hope),
        CASE(given_up__is_after_half_a_minute__when_it_never_answered),
        CASE(given_up__is_after_the_users_patience__when_it_has_answered),
        CASE(given_up__is_after_the_users_patience__when_a_known_host_is_hopeless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
