/* The controller's single rules; how they do together is test_tuner_sim's matter. */
#include "plan/tuner.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define T0 (UINT64_C(1000) * US_PER_S)

static void note(struct tuner *t, uint64_t now_us, uint64_t latency_us, unsigned crowd,
                 enum tuner_end end)
{
    struct tuner_sample sample = { end, now_us - latency_us, latency_us, crowd };

    tuner_note(t, &sample, now_us);
}

/* A full cap for so long, with a decision after each answer; returns how many there were. */
static unsigned live(struct tuner *t, uint64_t *now_us, uint64_t length_us, uint64_t latency_us,
                     bool kept_back)
{
    uint64_t end_us = *now_us + length_us;
    unsigned changes = 0;

    while (*now_us < end_us) {
        *now_us += latency_us / t->cap + 1;
        note(t, *now_us, latency_us, t->cap, TUNER_WELL);
        changes += tuner_step(t, kept_back, *now_us);
    }
    return changes;
}

static void cap__rises_to_its_upper_end_and_never_above__when_all_goes_well(void **state)
{
    uint64_t now_us = T0;
    struct tuner t;

    (void)state;
    tuner_init(&t, 4, 25, T0);
    for (int i = 0; i < 600; i++) {
        live(&t, &now_us, US_PER_S, 50 * US_PER_MS, false);
        assert_in_range(t.cap, 4, 25);
    }
    assert_true(t.cap >= 20);
}

static void cap__stays__when_something_else_keeps_requests_back(void **state)
{
    uint64_t now_us = T0;
    struct tuner t;

    (void)state;
    tuner_init(&t, 8, 100, T0);
    assert_int_equal(live(&t, &now_us, 600 * US_PER_S, 50 * US_PER_MS, true), 0);
    assert_int_equal(t.cap, 8);
}

static void cap__stays__when_fewer_are_in_flight_than_it_allows(void **state)
{
    uint64_t now_us = T0;
    struct tuner t;

    (void)state;
    tuner_init(&t, 8, 100, T0);
    for (int i = 0; i < 10000; i++) {
        now_us += 20 * US_PER_MS;
        note(&t, now_us, 50 * US_PER_MS, 3, TUNER_WELL);
        assert_false(tuner_step(&t, false, now_us));
    }
}

static void ceiling__is_just_below_what_was_refused__and_tried_again_after_a_minute(void **state)
{
    uint64_t now_us = T0, refused_us;
    struct tuner t;

    (void)state;
    tuner_init(&t, 10, 100, T0);
    for (unsigned crowd = 1; crowd <= 6; crowd++) {
        note(&t, now_us, 50 * US_PER_MS, crowd, TUNER_WELL);
    }
    note(&t, now_us, 5 * US_PER_MS, 7, TUNER_REFUSED);
    assert_true(tuner_step(&t, false, now_us));
    assert_int_equal(t.cap, 6);
    assert_string_equal(t.reason, "auto: cap 10 -> 6, refused from 7 at once on");
    refused_us = now_us;
    while (t.cap <= 6) {
        live(&t, &now_us, US_PER_S, 50 * US_PER_MS, false);
        assert_true(now_us < refused_us + 120 * US_PER_S);
    }
    assert_true(now_us >= refused_us + TUNER_PROBE_MIN_US);
}

static void rate__is_what_was_accepted__when_the_crowd_makes_no_difference(void **state)
{
    uint64_t now_us = T0;
    struct tuner t;

    (void)state;
    tuner_init(&t, 10, 100, T0);
    for (int i = 0; i < 200; i++) {
        now_us += 50 * US_PER_MS;
        note(&t, now_us, 50 * US_PER_MS, 10, TUNER_WELL);
    }
    note(&t, now_us, 5 * US_PER_MS, 10, TUNER_REFUSED);
    assert_true(tuner_step(&t, false, now_us));
    assert_int_equal(t.cap, 10);
    assert_true(t.rate > 15 && t.rate < 20);
    assert_non_null(strstr(t.reason, "whatever is in flight"));
}

static void loss__is_answered_once__when_a_whole_flight_is_refused(void **state)
{
    uint64_t now_us = T0 + US_PER_S;
    struct tuner t;

    (void)state;
    tuner_init(&t, 20, 100, T0);
    note(&t, now_us, 5 * US_PER_MS, 20, TUNER_REFUSED);
    assert_true(tuner_step(&t, false, now_us));
    for (int i = 0; i < 19; i++) {
        note(&t, now_us + US_PER_MS, 5 * US_PER_MS, 20, TUNER_REFUSED);
        assert_false(tuner_step(&t, true, now_us + US_PER_MS));
    }
}

static void failures__are_a_loss__only_when_they_are_many(void **state)
{
    uint64_t now_us = T0;
    struct tuner t;

    (void)state;
    tuner_init(&t, 10, 10, T0);
    for (int i = 0; i < 2000; i++) {
        now_us += 5 * US_PER_MS;
        note(&t, now_us, 50 * US_PER_MS, 10, i % 20 ? TUNER_WELL : TUNER_FAILED);
        tuner_step(&t, false, now_us);
        assert_true(t.cap >= 8);
    }
    for (int i = 0; i < 40 && t.cap > 7; i++) {
        now_us += 100 * US_PER_MS;
        note(&t, now_us, 50 * US_PER_MS, t.cap, TUNER_FAILED);
        tuner_step(&t, false, now_us);
    }
    assert_int_equal(t.cap, 7);
}

static void set__takes_what_the_user_says(void **state)
{
    struct tuner t;

    (void)state;
    tuner_init(&t, 500, 100, T0);
    assert_int_equal(t.cap, 100);
    tuner_set(&t, 0, 0, T0);
    assert_int_equal(t.cap, 1);
    tuner_set(&t, 33, 40, T0);
    assert_int_equal(t.cap, 33);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cap__rises_to_its_upper_end_and_never_above__when_all_goes_well),
        cmocka_unit_test(cap__stays__when_something_else_keeps_requests_back),
        cmocka_unit_test(cap__stays__when_fewer_are_in_flight_than_it_allows),
        cmocka_unit_test(ceiling__is_just_below_what_was_refused__and_tried_again_after_a_minute),
        cmocka_unit_test(rate__is_what_was_accepted__when_the_crowd_makes_no_difference),
        cmocka_unit_test(loss__is_answered_once__when_a_whole_flight_is_refused),
        cmocka_unit_test(failures__are_a_loss__only_when_they_are_many),
        cmocka_unit_test(set__takes_what_the_user_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
