#include "plan/credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void refused__is_lost__after_some_in_a_row(void **state)
{
    struct credential c = { .row = 0 };

    (void)state;
    credential_accepted(&c, 10);
    for (unsigned i = 1; i < CREDENTIAL_ROW_MIN; i++) {
        assert_int_equal(credential_refused(&c, 0), CREDENTIAL_WAIT);
    }
    assert_int_equal(credential_refused(&c, 0), CREDENTIAL_LOST);
}

static void refused__is_not_lost__when_something_goes_well_in_between(void **state)
{
    struct credential c = { .row = 0 };

    (void)state;
    for (unsigned i = 0; i < 10 * CREDENTIAL_ROW_MIN; i++) {
        assert_int_equal(credential_refused(&c, 0), CREDENTIAL_WAIT);
        if (i % (CREDENTIAL_ROW_MIN - 1) == 0) {
            credential_accepted(&c, i);
        }
    }
}

/* What began before it was refused may have been let in before the credential ended. */
static void refused__is_alone__when_what_began_later_went_well(void **state)
{
    struct credential c = { .row = 0 };

    (void)state;
    credential_accepted(&c, 90);
    assert_false(credential_is_good_since(&c, 100));
    assert_int_equal(credential_refused(&c, 100), CREDENTIAL_WAIT);
    credential_accepted(&c, 101);
    credential_accepted(&c, 95);
    assert_true(credential_is_good_since(&c, 100));
    assert_int_equal(credential_refused(&c, 100), CREDENTIAL_ALONE);
}

/* Where half of all is refused alone, five in a row are nothing. */
static void row__is_longer__where_many_are_refused_alone(void **state)
{
    struct credential c = { .well = 100, .well_began_us = 100, .alone = 100 };
    unsigned row = 1;

    (void)state;
    while (credential_refused(&c, 0) == CREDENTIAL_WAIT) {
        row++;
    }
    assert_in_range(row, 15, 25);
    c = (struct credential){ .well = 1, .well_began_us = 1, .alone = 1000000 };
    row = 1;
    while (credential_refused(&c, 0) == CREDENTIAL_WAIT) {
        row++;
    }
    assert_int_equal(row, CREDENTIAL_ROW_MAX);
}

static void end__is_worth_a_try__when_it_was_good_once(void **state)
{
    struct credential c = { .row = 1 };

    (void)state;
    assert_false(credential_is_worth_a_try(&c, false));
    credential_accepted(&c, 1);
    assert_true(credential_is_worth_a_try(&c, false));
    assert_false(credential_is_worth_a_try(&c, true));
    assert_int_equal(credential_refused(&c, 2), CREDENTIAL_WAIT);
    c.alone = 1; /* there are URLs that it may not see */
    assert_int_equal(credential_refused(&c, 2), CREDENTIAL_ALONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused__is_lost__after_some_in_a_row),
        cmocka_unit_test(refused__is_not_lost__when_something_goes_well_in_between),
        cmocka_unit_test(refused__is_alone__when_what_began_later_went_well),
        cmocka_unit_test(row__is_longer__where_many_are_refused_alone),
        cmocka_unit_test(end__is_worth_a_try__when_it_was_good_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
