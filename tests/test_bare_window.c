/* A window that no answer tells of: its quota, its end, and that it is none. */
#include "plan/bare_window.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T0 (UINT64_C(1000) * US_PER_S)
#define AT_S(s) (T0 + (uint64_t)((s)*1e6))

static void spend(struct bare_window *w, unsigned count, uint64_t now_us)
{
    for (unsigned i = 0; i < count; i++) {
        bare_window_started(w, now_us);
        bare_window_accepted(w);
    }
}

/* Sixty at once, and closed until a second before the next. */
static void pass_window(struct bare_window *w, double from_s)
{
    spend(w, 60, AT_S(from_s));
    assert_true(bare_window_refused(w, AT_S(from_s + 59)));
    assert_true(bare_window_opens(w, AT_S(from_s + 60)));
}

static void quota__may_be_spent_at_once__in_the_next_window(void **state)
{
    struct bare_window w = { 0 };

    (void)state;
    pass_window(&w, 0);
    assert_int_equal((int)w.spare, 60);
    assert_false(w.is_sure);
    assert_int_equal(bare_window_wait_us(&w, AT_S(61)), 0); /* it may have been an outage */
}

static void end__is_known__when_two_were_alike(void **state)
{
    struct bare_window w = { 0 };

    (void)state;
    pass_window(&w, 0);
    pass_window(&w, 60);
    assert_true(w.is_sure);
    assert_in_range(w.period_us, 58 * US_PER_S, 62 * US_PER_S);
    assert_in_range(bare_window_wait_us(&w, AT_S(121)), 14 * US_PER_S, 15 * US_PER_S);
    assert_in_range(bare_window_wait_us(&w, AT_S(175)), 3 * US_PER_S, 8 * US_PER_S);
}

/* Who waits for as long as was reckoned would never learn that it is too long. */
static void period__becomes_shorter__when_nobody_asked_sooner(void **state)
{
    struct bare_window w = { 0 };
    uint64_t before_us;

    (void)state;
    pass_window(&w, 0);
    pass_window(&w, 60);
    before_us = w.period_us;
    spend(&w, 60, AT_S(120));
    assert_true(bare_window_refused(&w, AT_S(121)));
    assert_true(bare_window_opens(&w, AT_S(181)));
    assert_true(w.period_us < before_us);
}

static void window__is_none__when_its_quota_is_refused_twice(void **state)
{
    struct bare_window w = { 0 };

    (void)state;
    pass_window(&w, 0);
    assert_false(bare_window_refused(&w, AT_S(60)));
    assert_int_equal((int)w.spare, 0);
    pass_window(&w, 60);
    assert_int_equal((int)w.spare, 60);
    assert_false(bare_window_refused(&w, AT_S(120)));
    pass_window(&w, 120);
    assert_int_equal((int)w.spare, 0);
    assert_int_equal(bare_window_wait_us(&w, AT_S(181)), 0);
}

static void window__is_none__when_nothing_was_accepted_before(void **state)
{
    struct bare_window w = { 0 };

    (void)state;
    bare_window_started(&w, AT_S(0));
    assert_true(bare_window_refused(&w, AT_S(0)));
    assert_false(bare_window_opens(&w, AT_S(10)));
    assert_true(w.spare <= 0);
}

/* All was refused for a while, and is let in again: that there is no window shows once. */
static void window__is_none__when_far_more_is_let_in(void **state)
{
    struct bare_window w = { 0 };

    (void)state;
    pass_window(&w, 0);
    for (unsigned i = 0; i < 75; i++) {
        bare_window_started(&w, AT_S(60));
        assert_false(bare_window_accepted(&w));
    }
    assert_true(bare_window_accepted(&w));
    assert_false(bare_window_accepted(&w));
}

/* Each look costs a refusal. */
static void quota__is_not_worth_it__when_it_is_small(void **state)
{
    struct bare_window w = { 0 };

    (void)state;
    spend(&w, 20, AT_S(0));
    assert_true(bare_window_refused(&w, AT_S(9)));
    assert_true(bare_window_opens(&w, AT_S(10)));
    assert_true(w.spare <= 0);
    assert_true(w.rate > 1.9 && w.rate < 2.2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quota__may_be_spent_at_once__in_the_next_window),
        cmocka_unit_test(end__is_known__when_two_were_alike),
        cmocka_unit_test(period__becomes_shorter__when_nobody_asked_sooner),
        cmocka_unit_test(window__is_none__when_its_quota_is_refused_twice),
        cmocka_unit_test(window__is_none__when_nothing_was_accepted_before),
        cmocka_unit_test(window__is_none__when_far_more_is_let_in),
        cmocka_unit_test(quota__is_not_worth_it__when_it_is_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
