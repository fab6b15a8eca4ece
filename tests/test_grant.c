/* Starts that a fleet grants. */
#include "base/clock.h"
#include "plan/bucket.h"
#include "plan/grant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void grant__that_is_off__keeps_nothing_back(void **state)
{
    struct grant g = { .is_on = false };

    (void)state;
    assert_int_equal(grant_wait_us(&g, 1000), 0);
    grant_start(&g);
    assert_int_equal(grant_left(&g), 0);
    assert_false(g.is_wanted);
}

static void grant__lets_start_what_was_given_in_its_time(void **state)
{
    struct grant g = { .is_on = true };

    (void)state;
    assert_true(grant_wait_us(&g, 1000) == TIME_NEVER);
    assert_true(g.is_wanted);
    assert_int_equal(grant_give(&g, 2, 2000, 500), 0);
    assert_false(g.is_wanted);
    assert_int_equal(grant_wait_us(&g, 1500), 500);
    assert_int_equal(grant_wait_us(&g, 2000), 0);
    grant_start(&g);
    assert_int_equal(grant_wait_us(&g, 2000), 500);
    grant_start(&g);
    assert_true(grant_wait_us(&g, 2600) == TIME_NEVER);
    assert_true(g.is_wanted);
}

static void grant__takes_a_second_lot_and_no_third(void **state)
{
    struct grant g = { .is_on = true };

    (void)state;
    assert_int_equal(grant_give(&g, 1, 1000, 0), 0);
    assert_int_equal(grant_give(&g, 3, 9000, 100), 0);
    assert_int_equal(grant_give(&g, 5, 9000, 100), 5);
    assert_int_equal(grant_left(&g), 4);
    grant_start(&g);
    assert_int_equal(grant_wait_us(&g, 1000), 8000);
}

static void grant__lapses_and_says_what_goes_back(void **state)
{
    struct grant g = { .is_on = true };
    uint64_t end_us = 1000 + 3 * 100 + GRANT_LAPSES_US;

    (void)state;
    assert_int_equal(grant_give(&g, 3, 1000, 100), 0);
    assert_int_equal(grant_give(&g, 2, US_PER_S, 100), 0);
    grant_start(&g);
    assert_int_equal(grant_take_lapsed(&g, end_us - 1), 0);
    assert_true(grant_wait_us(&g, end_us) == TIME_NEVER);
    assert_int_equal(grant_take_lapsed(&g, end_us), 2);
    assert_int_equal(grant_wait_us(&g, US_PER_S - 1), 1);
    assert_int_equal(grant_end(&g), 2);
    assert_int_equal(grant_wait_us(&g, 0), 0);
}

static void bucket__with_a_grant__starts_no_more_than_that(void **state)
{
    struct bucket b = { .grant = { .is_on = true } };

    (void)state;
    assert_int_equal(bucket_may_start(&b, 10, 1000), BUCKET_QUOTA);
    assert_true(bucket_wake_us(&b, 10, 1000) == TIME_NEVER);
    assert_int_equal(grant_give(&b.grant, 1, 3000, 0), 0);
    assert_int_equal(bucket_wake_us(&b, 10, 1000), 3000);
    assert_int_equal(bucket_may_start(&b, 10, 3000), BUCKET_MAY);
    bucket_started(&b, 3000);
    assert_int_equal(bucket_may_start(&b, 10, 3000), BUCKET_QUOTA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grant__that_is_off__keeps_nothing_back),
        cmocka_unit_test(grant__lets_start_what_was_given_in_its_time),
        cmocka_unit_test(grant__takes_a_second_lot_and_no_third),
        cmocka_unit_test(grant__lapses_and_says_what_goes_back),
        cmocka_unit_test(bucket__with_a_grant__starts_no_more_than_that),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
