#include "plan/window_length.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S US_PER_S
#define MS US_PER_MS

static void length__is_what_was_told__whatever_resets_say(void **state)
{
    struct window_length w = { 0 };

    (void)state;
    assert_int_equal(window_length_us(&w), 0);
    assert_false(window_length_is_steady(&w, 100 * S));
    window_length_tell(&w, 60 * S);
    assert_int_equal(window_length_us(&w), 60 * S);
    assert_true(window_length_is_steady(&w, 0));
    assert_false(window_length_add(&w));
    window_length_note(&w, 10 * S, 0, false, true, 5 * S); /* told no more */
    assert_int_equal(window_length_us(&w), 10 * S);
}

static void length__is_the_longest_reset__and_steady_after_its_own_time(void **state)
{
    struct window_length w = { 0 };

    (void)state;
    window_length_note(&w, 2 * S, 0, false, false, 10 * S);
    window_length_note(&w, 5 * S, 0, false, false, 11 * S);
    window_length_note(&w, 1 * S, 0, false, false, 12 * S);
    window_length_note(&w, 5 * S + 10 * MS, 0, false, false, 13 * S); /* the network's jitter */
    assert_in_range(window_length_us(&w), 5 * S, 5 * S + 10 * MS);
    assert_false(window_length_is_steady(&w, 15 * S));
    assert_true(window_length_is_steady(&w, 16 * S + 10 * MS));
}

/* 2 s, told as a moment in whole seconds: 2.9 s to it, then 2.2. */
static void length__is_cut_off_to_the_second__when_resets_are_rounded_up(void **state)
{
    struct window_length w = { 0 };

    (void)state;
    window_length_note(&w, 2900 * MS, 0, true, true, 10 * S);
    assert_int_equal(window_length_us(&w), 2 * S);
    window_length_note(&w, 2200 * MS, 0, true, true, 13 * S);
    window_length_note(&w, 1200 * MS, 0, true, false, 14 * S);
    assert_int_equal(window_length_us(&w), 2 * S);
    assert_true(window_length_add(&w)); /* it was 2.9 s, then */
    assert_int_equal(window_length_us(&w), 2900 * MS);
    assert_false(window_length_add(&w));
}

/* 20 a second, refilled one by one, told as a moment in whole seconds: the first answer's reset is that of one
 * request, and says nothing of the window. */
static void length__is_a_second_at_least__when_resets_are_in_seconds(void **state)
{
    struct window_length w = { 0 };

    (void)state;
    window_length_note(&w, 182 * MS, 50 * MS, true, true, 10 * S);
    assert_int_equal(window_length_us(&w), 182 * MS); /* no reset was longer */
    window_length_note(&w, 1025 * MS, 50 * MS, true, false, 10 * S + 200 * MS);
    assert_int_equal(window_length_us(&w), 1 * S);
    window_length_note(&w, 60 * MS, 50 * MS, true, true, 11 * S);
    assert_int_equal(window_length_us(&w), 1 * S);
    window_length_note(&w, 60 * MS, 50 * MS, false, true, 11 * S); /* to the millisecond */
    assert_int_equal(window_length_us(&w), 60 * MS);
}

static void length__is_corrected__as_the_servers_clock_becomes_known(void **state)
{
    struct window_length w = { 0 };

    (void)state;
    window_length_note(&w, 2800 * MS, 1000 * MS, false, true, 10 * S);
    assert_int_equal(window_length_us(&w), 2800 * MS);
    window_length_correct(&w, 750 * MS, 200 * MS);
    assert_int_equal(window_length_us(&w), 2050 * MS);
    assert_int_equal(w.sure_us, 2000 * MS);
    window_length_correct(&w, 10 * S, 0);
    assert_true(window_length_us(&w) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length__is_what_was_told__whatever_resets_say),
        cmocka_unit_test(length__is_the_longest_reset__and_steady_after_its_own_time),
        cmocka_unit_test(length__is_cut_off_to_the_second__when_resets_are_rounded_up),
        cmocka_unit_test(length__is_a_second_at_least__when_resets_are_in_seconds),
        cmocka_unit_test(length__is_corrected__as_the_servers_clock_becomes_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
