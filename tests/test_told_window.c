/* What is between two deadlines, step by step. What comes of it against servers: test_learned_limit. */
#include "plan/told_window.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T0 (UINT64_C(1000) * US_PER_S)

static struct told_window window;
static uint64_t now_us, deadline_us;

static int set_up(void **state)
{
    (void)state;
    window = (struct told_window){ .state = TOLD_NONE };
    now_us = T0;
    deadline_us = 0;
    return 0;
}

static enum told_step begin(void)
{
    return told_window_started(&window, deadline_us, now_us);
}

static enum told_step ask(void)
{
    enum told_step started = begin();
    enum told_step accepted = told_window_accepted(&window, now_us);

    return accepted == TOLD_STEP_STAY ? started : accepted;
}

static bool refuse(uint64_t told_us, bool is_free)
{
    deadline_us = now_us + told_us;
    return told_window_refused(&window, told_us, is_free);
}

/* A window that lets in so many and is then shut to its end; the first after it is accepted. */
static enum told_step spend_and_open(unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        ask();
    }
    begin();
    assert_true(refuse(10 * US_PER_S, true));
    now_us = deadline_us;
    return ask();
}

static void refusal__is_no_windows__when_it_names_no_deadline_or_a_near_one(void **state)
{
    (void)state;
    ask();
    assert_false(refuse(0, true));
    assert_false(refuse(TOLD_WINDOW_LEAST_US - 1, true));
    assert_int_equal(window.state, TOLD_NEVER);
}

static void refusal__is_no_windows__when_a_rate_was_learned_before(void **state)
{
    (void)state;
    ask();
    assert_false(refuse(10 * US_PER_S, false));
}

static void opened__asks_with_few__until_one_is_accepted(void **state)
{
    (void)state;
    ask();
    assert_true(refuse(10 * US_PER_S, true));
    assert_int_equal(begin(), TOLD_STEP_STAY); /* one that the user urged */
    assert_int_equal(window.state, TOLD_SHUT);
    now_us = deadline_us;
    assert_int_equal(begin(), TOLD_STEP_ASK);
    assert_true(
        refuse(10 * US_PER_S, true)); /* the deadline was too early: nothing is learned of that */
    now_us = deadline_us;
    assert_int_equal(begin(), TOLD_STEP_ASK);
    assert_int_equal(told_window_accepted(&window, now_us - 1), TOLD_STEP_STAY); /* of before */
    assert_true(window.quota == 1);
}

/* The first window may have been an outage: what is beyond it is tried quickly. */
static void quota__is_tried__when_one_window_has_told_it(void **state)
{
    (void)state;
    assert_int_equal(spend_and_open(100), TOLD_STEP_FREE);
    for (unsigned i = 2; i < 99; i++) {
        assert_int_equal(ask(), TOLD_STEP_STAY);
    }
    assert_int_equal(ask(), TOLD_STEP_TRY);
    for (unsigned i = 100; i < 199; i++) {
        assert_int_equal(ask(), TOLD_STEP_STAY);
    }
    assert_int_equal(ask(), TOLD_STEP_FREE);
    assert_int_equal(window.state, TOLD_NONE);
}

static void quota__is_sure__when_two_windows_let_in_the_same(void **state)
{
    (void)state;
    spend_and_open(100);
    assert_int_equal(spend_and_open(100), TOLD_STEP_FREE);
    assert_true(window.is_sure);
    assert_true(window.quota == 99 || window.quota == 100);
    while (window.state == TOLD_OPEN) {
        ask();
    }
    assert_int_equal(window.state, TOLD_TRIAL);
    assert_true(refuse(US_PER_S, false)); /* however short: it is the same window's end */
    now_us = deadline_us;
    ask();
    for (unsigned i = 0; i < 40; i++) { /* from now on it lets in fewer */
        ask();
    }
    assert_true(refuse(10 * US_PER_S, true));
    now_us = deadline_us;
    assert_int_equal(ask(), TOLD_STEP_FREE);
    assert_true(window.quota == 41);
}

static void window__is_none__when_the_second_lets_in_another_number(void **state)
{
    (void)state;
    spend_and_open(100);
    assert_true(refuse(10 * US_PER_S, true));
    now_us = deadline_us;
    assert_int_equal(ask(), TOLD_STEP_NO_WINDOW);
    assert_true(window.rate > 0.09 && window.rate < 0.11);
    assert_false(refuse(10 * US_PER_S, true));
}

/* A bucket that is full again after each deadline lets in the same, and then more. */
static void window__is_none__when_a_trial_goes_well_for_long(void **state)
{
    (void)state;
    spend_and_open(100);
    spend_and_open(100);
    while (window.state == TOLD_OPEN) {
        ask();
    }
    for (unsigned i = 0; i < 20; i++) {
        ask();
    }
    assert_false(refuse(10 * US_PER_S, false));
    assert_int_equal(window.state, TOLD_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup(name, set_up)
        CASE(refusal__is_no_windows__when_it_names_no_deadline_or_a_near_one),
        CASE(refusal__is_no_windows__when_a_rate_was_learned_before),
        CASE(opened__asks_with_few__until_one_is_accepted),
        CASE(quota__is_tried__when_one_window_has_told_it),
        CASE(quota__is_sure__when_two_windows_let_in_the_same),
        CASE(window__is_none__when_the_second_lets_in_another_number),
        CASE(window__is_none__when_a_trial_goes_well_for_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
