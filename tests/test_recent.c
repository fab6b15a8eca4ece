#include "plan/recent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SPAN 3200

static void count__is_of_the_span_and_up_to_a_slot_more(void **state)
{
    struct recent recent = { 0 };

    (void)state;
    for (uint64_t now = 1000; now < 100000; now++) {
        recent_pass_time(&recent, SPAN, now);
        recent_add(&recent);
        if (now > 10000) {
            assert_in_range(recent_count(&recent, 1600), 1600, 1600 + 2 * recent.slot_us);
            assert_in_range(recent_count(&recent, SPAN), SPAN - recent.slot_us,
                            SPAN + recent.slot_us);
        }
    }
    recent_pass_time(&recent, SPAN, 100000 + SPAN);
    assert_in_range(recent_count(&recent, SPAN), 0, 200);
    recent_pass_time(&recent, SPAN, 100000 + 2 * SPAN);
    assert_int_equal(recent_count(&recent, SPAN), 0);
    recent_pass_time(&recent, SPAN, UINT64_MAX);
    assert_int_equal(recent_count(&recent, SPAN), 0);
}

static void events__count_as_now__when_the_span_changes(void **state)
{
    struct recent recent = { 0 };

    (void)state;
    recent_pass_time(&recent, SPAN, 5000);
    recent_add(&recent);
    recent_pass_time(&recent, SPAN, 7000);
    recent_add(&recent);
    recent_pass_time(&recent, 10 * SPAN, 7000);
    assert_int_equal(recent_count(&recent, 0), 2);
    recent_pass_time(&recent, 10 * SPAN, 7000 + 9 * SPAN);
    assert_int_equal(recent_count(&recent, 10 * SPAN), 2);
}

static void take__finds_the_one_of_then_or_another(void **state)
{
    struct recent recent = { 0 };

    (void)state;
    recent_take(&recent, 5);
    recent_pass_time(&recent, SPAN, 5000);
    recent_add(&recent);
    recent_pass_time(&recent, SPAN, 6000);
    recent_add(&recent);
    recent_take(&recent, 5000);
    assert_int_equal(recent_count(&recent, 0), 1);
    assert_int_equal(recent_count(&recent, SPAN), 1);
    recent_take(&recent, 5000); /* there is none: the other is as good */
    recent_take(&recent, 0);
    assert_int_equal(recent_count(&recent, SPAN), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(count__is_of_the_span_and_up_to_a_slot_more),
        cmocka_unit_test(events__count_as_now__when_the_span_changes),
        cmocka_unit_test(take__finds_the_one_of_then_or_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
