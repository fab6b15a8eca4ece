/* When refusals tell that a server counts what runs at once, and when they do not. */
#include "plan/at_once.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T0 (UINT64_C(1000) * US_PER_S)

/* With so many in flight, where many were accepted lately with `accepted_crowd` at most. */
static enum at_once_news refuse(struct at_once *a, unsigned crowd, unsigned accepted_crowd,
                                bool has_rate)
{
    return at_once_refused(a,
                           &(struct at_once_refusal){ .crowd = crowd,
                                                      .lately = 100,
                                                      .lately_crowd = accepted_crowd,
                                                      .accepted = 30,
                                                      .has_rate = has_rate },
                           T0);
}

static void at_once__is_found__when_far_more_is_refused_than_was_accepted(void **state)
{
    struct at_once a = { 0 };

    (void)state;
    assert_int_equal(refuse(&a, 10, 4, false), AT_ONCE_FOUND);
    assert_int_equal(at_once_now(&a, T0), 9);
}

/* The most that were in flight so far may be refused by chance. */
static void at_once__takes_two__when_it_was_one_more_than_was_accepted(void **state)
{
    struct at_once a = { 0 };

    (void)state;
    assert_int_equal(refuse(&a, 7, 6, false), AT_ONCE_NOTHING);
    assert_int_equal(refuse(&a, 7, 6, false), AT_ONCE_FOUND);
    assert_int_equal(at_once_now(&a, T0), 6);
}

/* Random failures, as 503s beside a quota that is told: most come with no more than is accepted, too. */
static void at_once__takes_several__when_some_are_refused_with_as_few_as_are_accepted(void **state)
{
    struct at_once a = { 0 };

    (void)state;
    assert_int_equal(refuse(&a, 5, 8, false), AT_ONCE_NOTHING);
    assert_int_equal(refuse(&a, 10, 8, false), AT_ONCE_NOTHING);
    assert_int_equal(refuse(&a, 3, 8, false), AT_ONCE_NOTHING);
    assert_int_equal(refuse(&a, 10, 8, false), AT_ONCE_NOTHING);
    assert_int_equal(refuse(&a, 10, 8, false), AT_ONCE_NOTHING);
    assert_int_equal(refuse(&a, 10, 8, false), AT_ONCE_FOUND);
}

static void at_once__is_given_up__when_as_few_are_refused(void **state)
{
    struct at_once a = { 0 };

    (void)state;
    assert_int_equal(refuse(&a, 10, 4, false), AT_ONCE_FOUND);
    assert_int_equal(refuse(&a, 9, 9, true), AT_ONCE_NOTHING);
    assert_int_equal(at_once_now(&a, T0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_once__is_found__when_far_more_is_refused_than_was_accepted),
        cmocka_unit_test(at_once__takes_two__when_it_was_one_more_than_was_accepted),
        cmocka_unit_test(at_once__takes_several__when_some_are_refused_with_as_few_as_are_accepted),
        cmocka_unit_test(at_once__is_given_up__when_as_few_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
