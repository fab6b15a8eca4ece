/* When slowing down is in vain, and what is done then. */
#include "plan/shared_limit.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

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
    assert_false(refuse(&bare, 4, 0.75, 5, false));
}

static void shared__is_not_supposed__when_slowing_down_helps(void **state)
{
    struct shared_limit little = { 0 }, seldom = { 0 }, rest = { 0 };

    (void)state;
    assert_false(refuse(&little, 20, 1, 5, false)); /* the rate did not sink */
    assert_false(refuse(&seldom, 20, 0.7, 100, false));
    assert_false(refuse(&rest, 3, 0.7, 5, false));
    shared_limit_refused(&rest, 4, 100, 4, false, T0);
    assert_false(refuse(&rest, 3, 0.7, 5, false));
}

static void place__sleeps_about_a_second__when_it_was_refused(void **state)
{
    struct shared_limit s = { 0 };

    (void)state;
    shared_limit_crowd(&s, 2);
    assert_int_equal(shared_limit_awake(&s, T0), 2);
    assert_true(shared_limit_wakes_us(&s) == TIME_NEVER);
    shared_limit_sleep(&s, 0, T0);
    shared_limit_sleep(&s, UINT64_MAX, T0);
    shared_limit_sleep(&s, 0, T0); /* no more than there are */
    assert_int_equal(shared_limit_awake(&s, T0), 0);
    assert_in_range(shared_limit_wakes_us(&s) - T0, US_PER_S / 2, US_PER_S);
    assert_int_equal(shared_limit_awake(&s, shared_limit_wakes_us(&s)), 1);
    assert_int_equal(shared_limit_awake(&s, T0 + 3 * US_PER_S), 2);
    shared_limit_crowd(&s, 1000);
    assert_int_equal(shared_limit_awake(&s, T0 + 3 * US_PER_S), SHARED_PLACES_MAX);
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
    for (int i = 0; i < 200; i++) {
        shared_limit_accepted(&s);
    }
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
        cmocka_unit_test(place__sleeps_about_a_second__when_it_was_refused),
        cmocka_unit_test(trial__begins_after_a_while__when_no_deadlines_are_named),
        cmocka_unit_test(pace__goes_up_and_down__by_how_long_a_run_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
