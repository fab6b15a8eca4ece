/* When refusals are none of the rate's, refusal by refusal. What comes of it: test_learned_limit. */
#include "plan/stray.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T0 (UINT64_C(1000) * US_PER_S)

static struct stray stray;

static int set_up(void **state)
{
    (void)state;
    stray = (struct stray){ 0 };
    return 0;
}

/* All that was sent in between was accepted. */
static bool refuse(double rate, double accepted)
{
    return stray_refused(&stray, rate, accepted, rate, T0);
}

static void sink_until_known(void)
{
    double rate = 100;

    for (unsigned i = 0; !refuse(rate, 100); i++) {
        assert_in_range(i, 0, 9);
        rate *= 0.95;
    }
}

static void refusals__are_strays__when_a_slower_rate_makes_them_no_rarer(void **state)
{
    (void)state;
    sink_until_known();
    assert_true(stray_rate(&stray, T0) == 100);
    assert_true(refuse(80, 60)); /* now and then one comes sooner */
    assert_true(refuse(80, 150));
    assert_true(stray_rate(&stray, T0 + 299 * US_PER_S) == 100);
    assert_true(stray_rate(&stray, T0 + 300 * US_PER_S) <= 0);
}

static void refusals__are_the_rates__when_a_slower_one_makes_them_rarer(void **state)
{
    double rate = 100, accepted = 20;

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        assert_false(refuse(rate, accepted));
        rate *= 0.95;
        accepted *= 1.5;
    }
    assert_true(stray_rate(&stray, T0) <= 0);
}

/* As a limit does that has sunk: most of what is sent is refused. */
static void refusals__are_the_rates__when_they_are_in_a_row(void **state)
{
    double rate = 100;

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        assert_false(i % 2 ? refuse(rate, 5) : stray_refused(&stray, rate, 30, rate / 2, T0));
        rate *= 0.9;
    }
    assert_true(stray_rate(&stray, T0) <= 0);
}

static void strays__are_over__when_they_come_more_often(void **state)
{
    unsigned tolerated = 0;

    (void)state;
    sink_until_known();
    while (refuse(100, 20)) {
        tolerated++;
    }
    assert_in_range(tolerated, 1, 6);
    assert_true(stray_rate(&stray, T0) <= 0);
}

/* At a higher rate than before they are as rare: that is the rate to go back to. */
static void rate__rises__when_a_higher_one_makes_them_no_more(void **state)
{
    (void)state;
    sink_until_known();
    assert_true(refuse(120, 100));
    assert_true(stray_rate(&stray, T0) == 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup(name, set_up)
        CASE(refusals__are_strays__when_a_slower_rate_makes_them_no_rarer),
        CASE(refusals__are_the_rates__when_a_slower_one_makes_them_rarer),
        CASE(refusals__are_the_rates__when_they_are_in_a_row),
        CASE(strays__are_over__when_they_come_more_often),
        CASE(rate__rises__when_a_higher_one_makes_them_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
