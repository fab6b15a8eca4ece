/* When slowing down is in vain, and what is done then. */
#include "plan/shared_limit.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#define T0 (UINT64_C(1000) * US_PER_S)

/* Refused so often at rates that sink by this part each time. */
static bool refuse(struct shared_limit *s, unsigned times, double part, double accepted,
                   bool is_told)
{
    double rate = 20;
    bool is_shared = false;

    for (unsigned i = 0; i < times && !is_shared; i++, rate *= part) {
        is_shared = shared_limit_refused(s, rate, accepted, rate, is_told, T0);
    }
    return is_shared;
}

static void shared__is_known__when_far_slower_is_refused_all_the_same(void **state)
{
    struct shared_limit bare = { 0 }, told = { 0 };

    (void)state;
    assert_true(refuse(&bare, 7, 0.7, 5, false));
    assert_true(bare.is_on);
    assert_true(refuse(&told, 4, 0.75, 5, true)); /* sooner, as each costs a deadline */
    bare = (struct shared_limit){ 0 };
    assert_false(refuse(&bare, 3, 0.75, 5, false));
}

static void shared__is_not_supposed__when_slowing_down_helps(void **state)
{
    struct shared_limit little = { 0 }, seldom = { 0 }, rest = { 0 };

    (void)state;
    assert_false(refuse(&little, 20, 1, 5, false)); /* the rate did not sink */
    assert_false(refuse(&seldom, 20, 0.7, 100, false));
    assert_false(refuse(&rest, 2, 0.7, 5, false));
    shared_limit_refused(&rest, 4, 100, 4, false, T0);
    assert_false(refuse(&rest, 2, 0.7, 5, false));
}

static void answer(struct shared_limit *s, unsigned accepted, unsigned refused, unsigned turns)
{
    for (unsigned i = 0; i < turns; i++) {
        for (unsigned k = 0; k < accepted; k++) {
            shared_limit_answered(s, false);
        }
        for (unsigned k = 0; k < refused; k++) {
            shared_limit_answered(s, true);
        }
    }
}

/* Ten threads that wait 0.5 s on average after a first refusal, 1 s after the next, ...: half of all refused, 16 a
 * second; all of them, six tries in 15.5 s. We ask a tenth more, evenly. */
static void rate__is_a_scripts__by_the_part_that_is_refused(void **state)
{
    struct shared_limit s = { 0 };

    (void)state;
    shared_limit_crowd(&s, 1000);
    assert_true(refuse(&s, 7, 0.7, 5, false));
    answer(&s, 1, 1, 200);
    assert_true(fabs(shared_limit_rate(&s, 0) - 1.1 * 15.75) < 1.0);
    assert_true(shared_limit_rate(&s, 1.25) < 0.55 * shared_limit_rate(&s, 0));
    answer(&s, 0, 1, 400);
    assert_true(fabs(shared_limit_rate(&s, 0) - 1.1 * 60 / 15.5) < 0.05);
    answer(&s, 9, 1, 100);
    assert_true(shared_limit_rate(&s, 0) > 100);
    s.places = 1; /* never more than one was in flight */
    answer(&s, 1, 1, 200);
    assert_true(fabs(shared_limit_rate(&s, 0) - 1.1 * 1.575) < 0.1);
}

static void shared__is_shut__when_nothing_is_accepted_for_long(void **state)
{
    struct shared_limit s = { 0 };

    (void)state;
    assert_true(refuse(&s, 7, 0.7, 5, false));
    answer(&s, 1, 20, 10);
    assert_false(shared_limit_is_shut(&s));
    answer(&s, 0, 40, 1);
    assert_true(shared_limit_is_shut(&s));
}

/* Who is alone gets in a trial what was accepted before: a rate that sinks to what others leave is a failed one. */
static void trial__fails__when_the_rate_sinks_in_it(void **state)
{
    struct shared_limit s = { 0 };
    double rate = 20;

    (void)state;
    assert_true(refuse(&s, 7, 0.7, 5, false));
    assert_true(shared_limit_tries(&s, s.try_us));
    for (int i = 0; i < 3; i++, rate *= 0.8) {
        answer(&s, 20, 0, 1);
        assert_false(s.is_on);
        shared_limit_refused(&s, rate, 20, rate, false, T0);
    }
    assert_true(s.is_on);
}

static void trial__begins_after_a_while__when_no_deadlines_are_named(void **state)
{
    struct shared_limit s = { 0 };
    uint64_t first_us;

    (void)state;
    assert_true(refuse(&s, 7, 0.7, 5, false));
    assert_false(shared_limit_tries(&s, T0));
    first_us = s.try_us - T0;
    assert_true(shared_limit_tries(&s, s.try_us));
    assert_false(s.is_on);
    assert_true(refuse(&s, 3, 1, 5, false)); /* three are enough now, and the next is later */
    assert_true(s.try_us - T0 > first_us);
    assert_true(shared_limit_tries(&s, s.try_us));
    answer(&s, 200, 0, 1);
    assert_false(s.is_trial);
    assert_false(refuse(&s, 3, 1, 5, false));
}

static void pace__goes_up_and_down__by_how_long_a_run_is(void **state)
{
    struct shared_limit s = { 0 };

    (void)state;
    assert_true(shared_limit_pace(10, 0.1, 1) < 10);
    assert_true(shared_limit_pace(10, 2, 1) > 10);
    assert_true(refuse(&s, 4, 0.7, 5, true));
    assert_false(shared_limit_tries(&s, T0 + 3600 * US_PER_S));
    assert_false(shared_limit_is_over(&s, 20));
    assert_true(shared_limit_is_over(&s, 500));
    shared_limit_end(&s);
    assert_false(s.is_on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared__is_known__when_far_slower_is_refused_all_the_same),
        cmocka_unit_test(shared__is_not_supposed__when_slowing_down_helps),
        cmocka_unit_test(rate__is_a_scripts__by_the_part_that_is_refused),
        cmocka_unit_test(shared__is_shut__when_nothing_is_accepted_for_long),
        cmocka_unit_test(trial__fails__when_the_rate_sinks_in_it),
        cmocka_unit_test(trial__begins_after_a_while__when_no_deadlines_are_named),
        cmocka_unit_test(pace__goes_up_and_down__by_how_long_a_run_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
