#include "fetch/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)

static void budget__is_never_short__without_a_limit(void **state)
{
    const struct budget b = { .flying = UINT64_MAX / 2, .held = UINT64_MAX / 4 };

    (void)state;
    assert_false(budget_is_short(&b));
}

static void budget__keeps_room_for_one_body_and_for_small_ones(void **state)
{
    struct budget b = { .limit = 256 * MIB, .body_max = 64 * MIB, .count = 20 };

    (void)state;
    b.flying = 168 * MIB;
    assert_false(budget_is_short(&b));
    assert_false(budget_must_wait(&b, 100 * MIB));
    b.flying++;
    assert_true(budget_is_short(&b));
    assert_false(budget_must_wait(&b, 168 * MIB / 20));
    assert_true(budget_must_wait(&b, 168 * MIB / 20 + 1));
    b.flying = 192 * MIB - 1;
    assert_false(budget_must_wait(&b, 0));
    b.flying = 192 * MIB;
    assert_true(budget_must_wait(&b, 0));
    b.body_max = 200 * MIB; /* too much to be kept back */
    b.flying = 112 * MIB;
    assert_false(budget_is_short(&b));
    b.flying = 128 * MIB;
    assert_true(budget_must_wait(&b, 0));
}

static void share__is_of_what_is_not_handed_on(void **state)
{
    struct budget b = {
        .limit = 256 * MIB, .body_max = 64 * MIB, .count = 4, .held = 168 * MIB - 4
    };

    (void)state;
    b.flying = 5;
    assert_false(budget_must_wait(&b, 1));
    assert_true(budget_must_wait(&b, 2));
    b.held = 169 * MIB;
    assert_false(budget_must_wait(&b, 0));
    assert_true(budget_must_wait(&b, 1));
    b.held = 500 * MIB;
    assert_true(budget_must_wait(&b, 0));
    b.count = 0;
    assert_true(budget_must_wait(&b, 0));
}

static void one__is_given_up__when_bodies_in_flight_take_what_is_not_kept_back(void **state)
{
    struct budget b = { .limit = 256 * MIB, .body_max = 64 * MIB, .flying = 192 * MIB - 1 };

    (void)state;
    assert_false(budget_is_over(&b));
    b.held = 64 * MIB;
    assert_false(budget_is_over(&b));
    b.held++;
    assert_true(budget_is_over(&b));
    b.held = 0;
    b.flying = 192 * MIB;
    assert_true(budget_is_over(&b));
    b.limit = 0;
    assert_false(budget_is_over(&b));
}

static void one__goes_on__when_it_fits_or_nothing_else_would(void **state)
{
    struct budget b = { .limit = 256 * MIB, .body_max = 64 * MIB, .flying = 192 * MIB };

    (void)state;
    assert_true(budget_allows_one(&b, 10 * MIB));
    b.held = 10 * MIB;
    assert_true(budget_allows_one(&b, 10 * MIB)); /* 202 + 54 */
    b.held = 11 * MIB;
    assert_false(budget_allows_one(&b, 10 * MIB));
    assert_true(budget_allows_one(&b, 64 * MIB));
    b.held = 0;
    b.flying = 300 * MIB;
    assert_true(budget_allows_one(&b, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budget__is_never_short__without_a_limit),
        cmocka_unit_test(budget__keeps_room_for_one_body_and_for_small_ones),
        cmocka_unit_test(share__is_of_what_is_not_handed_on),
        cmocka_unit_test(one__is_given_up__when_bodies_in_flight_take_what_is_not_kept_back),
        cmocka_unit_test(one__goes_on__when_it_fits_or_nothing_else_would),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
