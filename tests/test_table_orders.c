/* Tables to be made: one whose place is away goes behind the others, and is given up in the end. */
#include "engine/table_orders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct table_format remote = { .name = "remote", .may_be_away = true };
static const struct table_format file = { .name = "file" };

static void order(struct table_orders *orders, uint32_t endpoint, const char *path,
                  const struct table_format *format)
{
    const struct table_output output = { .path = path, .format = format };

    assert_int_equal(table_orders_add(orders, endpoint, &output, true, NULL), RESULT_OK);
}

static void order__is_taken_once__whatever_is_asked_twice(void **state)
{
    struct table_orders orders = { .first = NULL };
    struct ordered_table *first, *second;

    (void)state;
    order(&orders, 0, "a", &file);
    order(&orders, 1, "a", &file);
    order(&orders, 0, "a", &file);
    first = table_orders_take(&orders, 0);
    second = table_orders_take(&orders, 0);
    assert_int_equal(first->endpoint, 0);
    assert_int_equal(second->endpoint, 1);
    assert_null(table_orders_take(&orders, 0));
    ordered_table_free(first);
    ordered_table_free(second);
}

static void place__that_is_away__lets_others_pass_and_has_its_turn_again(void **state)
{
    const struct err away = { .result = RESULT_BUSY, .text = "away" };
    struct table_orders orders = { .first = NULL };
    struct ordered_table *one;
    uint64_t pause_us = 0, now_us = 1000, last_us = 0;

    (void)state;
    order(&orders, 0, "remote", &remote);
    order(&orders, 0, "other", &file);
    one = table_orders_take(&orders, now_us);
    assert_true(table_orders_put_back(&orders, one, &away, now_us, &pause_us));
    assert_in_range(pause_us, 500000, 1000000);
    one = table_orders_take(&orders, now_us);
    assert_string_equal(one->output.path, "other");
    assert_false(table_orders_put_back(&orders, one, &away, now_us, &pause_us));
    ordered_table_free(one);
    assert_null(table_orders_take(&orders, now_us + pause_us - 1));
    for (one = table_orders_take(&orders, now_us + pause_us);
         table_orders_put_back(&orders, one, &away, now_us += pause_us, &pause_us);
         one = table_orders_take(&orders, now_us + pause_us)) {
        assert_non_null(one);
        assert_in_range(pause_us, 500000, 30000000);
        last_us = now_us;
    }
    assert_in_range(last_us, TABLE_AWAY_US - 30000000, TABLE_AWAY_US + 1000);
    ordered_table_free(one);
    assert_null(orders.first);
}

static void failure__that_does_not_pass__is_not_waited_for(void **state)
{
    const struct err refused = { .result = RESULT_DENIED }, full = { .result = RESULT_FULL };
    struct table_orders orders = { .first = NULL };
    struct ordered_table *one;
    uint64_t pause_us;

    (void)state;
    order(&orders, 0, "remote", &remote);
    one = table_orders_take(&orders, 0);
    assert_false(table_orders_put_back(&orders, one, &refused, 0, &pause_us));
    assert_true(table_orders_put_back(&orders, one, &full, 0, &pause_us));
    order(&orders, 0, "other", &file);
    orders.wait_no_more = true;
    one = table_orders_take_waiting(&orders);
    assert_int_equal(one->away.result, RESULT_FULL);
    assert_null(table_orders_take_waiting(&orders));
    assert_false(table_orders_put_back(&orders, one, &full, 0, &pause_us));
    ordered_table_free(one);
    table_orders_forget(&orders, false);
    assert_non_null(orders.first);
    table_orders_forget(&orders, true);
    assert_null(orders.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order__is_taken_once__whatever_is_asked_twice),
        cmocka_unit_test(place__that_is_away__lets_others_pass_and_has_its_turn_again),
        cmocka_unit_test(failure__that_does_not_pass__is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
