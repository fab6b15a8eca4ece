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

    tuner_note(t, &sample);
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

/* Latency that rises while it holds says that the server is another one now: its answer is a smaller
 * cap in proportion, from the latency that was, never from one that has just been forgotten. */
static void hold__lowers_the_cap_in_proportion__when_latency_rises(void **state)
{
    static const struct {
        uint64_t before_us, after_us;
    } samples[] = {
        { 50 * US_PER_MS, 150 * US_PER_MS },
        { US_PER_S, 2500 * US_PER_MS },
        { 100 * US_PER_MS, 140 * US_PER_MS },
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        uint64_t now_us = T0, end_us;
        struct tuner t;
        unsigned before;

        tuner_init(&t, 16, 16, T0);
        while (t.phase != TUNER_HOLD) {
            live(&t, &now_us, US_PER_S, samples[i].before_us, false);
        }
        live(&t, &now_us, 20 * US_PER_S, samples[i].before_us, false);
        before = t.cap;
        assert_true(before >= 10);
        for (end_us = now_us + 60 * US_PER_S; now_us < end_us;) {
            live(&t, &now_us, US_PER_S, samples[i].after_us, false);
            if (t.cap < 3) {
                fail_msg("cap %u -> %u: %s", before, t.cap, t.reason);
            }
        }
    }
}

/* Refusals are the bucket's business (plan/learned_limit.h): a round that they kept back proves nothing. */
static void hold__stays__when_refusals_keep_requests_back_for_minutes(void **state)
{
    uint64_t now_us = T0;
    struct tuner t;
    unsigned cap;

    (void)state;
    tuner_init(&t, 8, 100, T0);
    live(&t, &now_us, 60 * US_PER_S, 50 * US_PER_MS, false);
    cap = t.cap;
    assert_int_equal(live(&t, &now_us, 600 * US_PER_S, 200 * US_PER_MS, true), 0);
    assert_int_equal(t.cap, cap);
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
        cmocka_unit_test(hold__lowers_the_cap_in_proportion__when_latency_rises),
        cmocka_unit_test(hold__stays__when_refusals_keep_requests_back_for_minutes),
        cmocka_unit_test(failures__are_a_loss__only_when_they_are_many),
        cmocka_unit_test(set__takes_what_the_user_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
