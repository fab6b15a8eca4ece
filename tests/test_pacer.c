#include "plan/pacer.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T0 (UINT64_C(1000) * US_PER_S)

static struct rate rate_of(const char *text)
{
    struct rate rate;

    assert_int_equal(units_parse_rate(str_view(text), &rate, NULL), RESULT_OK);
    return rate;
}

/* Starts whenever it may, looked at every step_us, until `until_us`: how many that were. */
static unsigned starts_until(struct pacer *p, uint64_t *now_us, uint64_t until_us, uint64_t step_us)
{
    unsigned count = 0;

    for (; *now_us < until_us; *now_us += step_us) {
        while (pacer_wait_us(p, *now_us) == 0) {
            pacer_start(p, *now_us);
            count++;
            assert_in_range(count, 0, 10000000);
        }
    }
    return count;
}

static void wait__is_nothing__when_there_is_no_rate(void **state)
{
    struct pacer p;

    (void)state;
    pacer_init(&p, (struct rate){ 0 });
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(pacer_wait_us(&p, T0), 0);
        pacer_start(&p, T0);
    }
}

static void wait__keeps_the_full_distance__when_the_rate_is_slow(void **state)
{
    struct pacer p;

    (void)state;
    pacer_init(&p, rate_of("10/s"));
    assert_int_equal(pacer_wait_us(&p, T0), 0);
    pacer_start(&p, T0);
    assert_in_range(pacer_wait_us(&p, T0), 100000, 100001);
    assert_in_range(pacer_wait_us(&p, T0 + 99999), 1, 2);
    assert_int_equal(pacer_wait_us(&p, T0 + 100001), 0);
}

/* The wait that is told is enough: who comes back then need not wait again. */
static void wait__is_over__when_it_was_waited(void **state)
{
    static const char *const rates[] = { "3/s", "7/s", "600/m", "5/15s", "999/s", "1/h" };

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct pacer p;
        uint64_t now_us = T0;

        pacer_init(&p, rate_of(rates[i]));
        for (int n = 0; n < 100; n++) {
            now_us += pacer_wait_us(&p, now_us);
            assert_int_equal(pacer_wait_us(&p, now_us), 0);
            pacer_start(&p, now_us);
        }
    }
}

static void starts__are_no_more_than_the_rate__in_any_second(void **state)
{
    static const struct {
        const char *rate;
        unsigned per_s, burst;
    } samples[] = {
        { "10/s", 10, 1 }, { "60/s", 60, 2 }, { "1000/s", 1000, 21 }, { "5000/s", 5000, 101 }
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct pacer p;
        uint64_t now_us = T0;

        pacer_init(&p, rate_of(samples[i].rate));
        for (uint64_t second = 1; second <= 10; second++) {
            unsigned count = starts_until(&p, &now_us, T0 + second * US_PER_S, 1000);

            assert_in_range(count, samples[i].per_s - 2, samples[i].per_s + samples[i].burst);
        }
    }
}

/* A pause, or a machine that slept, is no credit. */
static void starts__do_not_burst__when_nothing_started_for_an_hour(void **state)
{
    struct pacer p;
    uint64_t now_us = T0;

    (void)state;
    pacer_init(&p, rate_of("1000/s"));
    starts_until(&p, &now_us, T0 + US_PER_S, 1000);
    now_us += 3600 * US_PER_S;
    assert_in_range(starts_until(&p, &now_us, now_us + 1, 1), 1, 21);
}

/* A loop that is late by 30 ms each tenth of a second keeps its rate, and no more than the credit at once. */
static void starts__are_made_up__within_the_credit(void **state)
{
    struct pacer p;
    uint64_t now_us = T0;
    unsigned starts = 0, most = 0;

    (void)state;
    pacer_init(&p, (struct rate){ 80, US_PER_S });
    p.is_even = true;
    p.credit_us = 3 * p.interval_us;
    for (unsigned tick = 0; tick < 10 * 1000; tick++) {
        unsigned before = starts;

        now_us += US_PER_MS;
        if (tick % 100 < 30) {
            continue;
        }
        while (pacer_wait_us(&p, now_us) == 0) {
            pacer_start(&p, now_us);
            starts++;
        }
        most = starts - before > most ? starts - before : most;
    }
    assert_in_range(starts, 796, 801);
    assert_in_range(most, 2, 4);
    now_us += 3600 * US_PER_S;
    for (starts = 0; pacer_wait_us(&p, now_us) == 0; starts++) {
        pacer_start(&p, now_us);
    }
    assert_in_range(starts, 1, 4);
}

static void set_rate__counts_from_the_last_start__when_it_becomes_faster(void **state)
{
    struct pacer p;

    (void)state;
    pacer_init(&p, rate_of("1/h"));
    pacer_start(&p, T0);
    pacer_set_rate(&p, rate_of("10/s"));
    assert_in_range(pacer_wait_us(&p, T0 + 50000), 50000, 50001);
    assert_int_equal(pacer_wait_us(&p, T0 + 100001), 0);
}

static void set_rate__keeps_the_new_distance__when_it_becomes_slower(void **state)
{
    struct pacer p;

    (void)state;
    pacer_init(&p, rate_of("10/s"));
    pacer_start(&p, T0);
    pacer_set_rate(&p, rate_of("1/s"));
    assert_in_range(pacer_wait_us(&p, T0 + 100000), 900000, 900001);
}

static void set_rate__forgets_nothing__when_it_was_off_between(void **state)
{
    struct pacer p;

    (void)state;
    pacer_init(&p, rate_of("1/s"));
    pacer_start(&p, T0);
    pacer_set_rate(&p, (struct rate){ 0 });
    assert_int_equal(pacer_wait_us(&p, T0), 0);
    pacer_set_rate(&p, rate_of("1/s"));
    assert_in_range(pacer_wait_us(&p, T0), 1000000, 1000001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wait__is_nothing__when_there_is_no_rate),
        cmocka_unit_test(wait__keeps_the_full_distance__when_the_rate_is_slow),
        cmocka_unit_test(wait__is_over__when_it_was_waited),
        cmocka_unit_test(starts__are_no_more_than_the_rate__in_any_second),
        cmocka_unit_test(starts__do_not_burst__when_nothing_started_for_an_hour),
        cmocka_unit_test(starts__are_made_up__within_the_credit),
        cmocka_unit_test(set_rate__counts_from_the_last_start__when_it_becomes_faster),
        cmocka_unit_test(set_rate__keeps_the_new_distance__when_it_becomes_slower),
        cmocka_unit_test(set_rate__forgets_nothing__when_it_was_off_between),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
