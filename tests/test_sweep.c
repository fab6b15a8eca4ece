#include "engine/sweep.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define T0 (UINT64_C(1000) * US_PER_S)

static struct sweep sweep;

struct server {
    double knee; /* in flight from which on latency grows */
    unsigned throttle_from;
};

static uint64_t latency_us(const struct server *s, unsigned cap)
{
    return (uint64_t)(100000 * (cap > s->knee ? cap / s->knee : 1));
}

static void note(uint64_t started_us, uint64_t took_us, bool throttled)
{
    sweep_answer(&sweep, &(struct answer){ .started_us = started_us,
                                           .ended_us = started_us + took_us,
                                           .latency_us = took_us,
                                           .throttled = throttled });
}

/* Every slot used again at once, until the sweep is over or `until_us`. */
static uint64_t run_until(const struct server *s, uint64_t until_us)
{
    uint64_t now_us = T0;

    sweep_begin(&sweep, T0);
    while (sweep.is_active && now_us < until_us) {
        unsigned cap = sweep_cap(&sweep);
        uint64_t took_us = latency_us(s, cap);

        for (unsigned i = 0; i < cap; i++) {
            bool throttled = s->throttle_from && cap >= s->throttle_from && i == 0;

            note(now_us, took_us, throttled);
        }
        now_us += took_us;
        sweep_step(&sweep, now_us);
    }
    return now_us;
}

static void parse_well(const char *text)
{
    struct err err;

    if (sweep_parse(&sweep, str_view(text), &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
}

static void parse__refuses__what_is_no_ladder(void **state)
{
    static const char *const wrong[] = { "",
                                         "0",
                                         "5,",
                                         ",5",
                                         "5,5",
                                         "10,5",
                                         "a",
                                         "5 6",
                                         "5,-10",
                                         "1e3",
                                         "1000001",
                                         "5;10",
                                         "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17" };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct err err = { .result = RESULT_OK };

        assert_int_equal(sweep_parse(&sweep, str_view(wrong[i]), &err), RESULT_INVALID);
        assert_true(err.text[0]);
    }
    parse_well("1, 4,16");
    assert_int_equal(sweep.cap_count, 3);
    assert_int_equal(sweep.caps[2], 16);
}

static void sweep__stops_and_recommends__where_more_gives_nothing(void **state)
{
    (void)state;
    parse_well("5,10,20,40,80");
    run_until(&(struct server){ .knee = 20 }, TIME_NEVER);
    assert_int_equal(sweep.row_count, 4);
    assert_int_equal(sweep.recommended, 20);
    assert_true(sweep.rows[2].requests_per_s > 190 && sweep.rows[2].requests_per_s < 210);
    assert_true(sweep.rows[2].ideal_per_s > 190 && sweep.rows[2].ideal_per_s < 210);
    assert_true(sweep_speedup(&sweep) > 19 && sweep_speedup(&sweep) < 21);
    assert_non_null(strstr(sweep.why, "cap 40 gave"));
}

static void sweep__stops__when_the_server_refuses(void **state)
{
    (void)state;
    parse_well("5,10,20,40");
    run_until(&(struct server){ .knee = 1000, .throttle_from = 20 }, TIME_NEVER);
    assert_int_equal(sweep.row_count, 3);
    assert_int_equal(sweep.recommended, 10);
    assert_non_null(strstr(sweep.why, "429s at cap 20"));
}

static void sweep__stops__when_latency_doubles(void **state)
{
    (void)state;
    parse_well("5,10,40,80");
    run_until(&(struct server){ .knee = 15 }, TIME_NEVER);
    assert_int_equal(sweep.recommended, 10);
    assert_non_null(strstr(sweep.why, "twice the lowest"));
}

static void sweep__tries_all__when_nothing_speaks_against_it(void **state)
{
    (void)state;
    parse_well("1,2,4");
    run_until(&(struct server){ .knee = 100 }, TIME_NEVER);
    assert_int_equal(sweep.row_count, 3);
    assert_int_equal(sweep.recommended, 4);
    assert_true(sweep_speedup(&sweep) > 3.9 && sweep_speedup(&sweep) < 4.1);
}

static void step__ends_after_a_minute__when_the_rate_never_settles(void **state)
{
    uint64_t now_us = T0;

    (void)state;
    parse_well("1,2");
    sweep_begin(&sweep, T0);
    while (sweep.row_count == 0 && now_us < T0 + 100 * US_PER_S) {
        unsigned many = (now_us / US_PER_S) % 2 ? 100 : 1;

        for (unsigned i = 0; i < many; i++) {
            note(now_us, US_PER_MS, false);
        }
        now_us += US_PER_S;
        sweep_step(&sweep, now_us);
    }
    assert_in_range(now_us - T0, 60 * US_PER_S, 64 * US_PER_S);
}

static void end__makes_what_it_can__when_the_job_was_short(void **state)
{
    uint64_t now_us;

    (void)state;
    parse_well("5,10,20");
    now_us = run_until(&(struct server){ .knee = 1000 }, T0 + 11 * US_PER_S);
    sweep_end(&sweep, now_us);
    assert_false(sweep.is_active);
    assert_int_equal(sweep.row_count, 2);
    assert_int_equal(sweep.recommended, 10);
    parse_well("5,10");
    sweep_begin(&sweep, T0);
    sweep_end(&sweep, T0 + 1);
    assert_int_equal(sweep.recommended, 0);
}

/* Slots that are always busy, each with a latency of its own, told by ticks of 100 ms as a run tells it. */
#define SLOTS_MAX 64

static uint64_t run_slots(uint64_t (*latency)(unsigned slot), unsigned refused_every,
                          uint64_t until_us)
{
    static uint64_t started[SLOTS_MAX];
    uint64_t now_us = T0;
    unsigned answers = 0;

    for (unsigned i = 0; i < SLOTS_MAX; i++) {
        started[i] = T0;
    }
    sweep_begin(&sweep, T0);
    while (sweep.is_active && now_us < until_us) {
        now_us += 100 * US_PER_MS;
        for (unsigned i = 0; i < sweep_cap(&sweep); i++) {
            if (started[i] < sweep.meter.entered_us) {
                started[i] = sweep.meter.entered_us;
            }
            for (; started[i] + latency(i) <= now_us; started[i] += latency(i)) {
                note(started[i], latency(i), refused_every && ++answers % refused_every == 0);
            }
        }
        if (sweep_wants_flights(&sweep, now_us)) {
            for (unsigned i = 0; i < sweep_cap(&sweep); i++) {
                sweep_flight(&sweep, started[i], now_us);
            }
        }
        sweep_step(&sweep, now_us);
    }
    return now_us;
}

static uint64_t slow_waves(unsigned slot)
{
    (void)slot;
    return 1130 * US_PER_MS;
}

static uint64_t mixed(unsigned slot)
{
    return (200 + 70 * (slot % 3)) * US_PER_MS;
}

/* Waves of 1.13 s within 5 s would be 4 or 5 of them: 3.5 or 4.4 a slot, were they counted whole. */
static void rate__is_not_in_steps__when_answers_come_in_waves(void **state)
{
    (void)state;
    parse_well("1,4,16");
    run_slots(slow_waves, 0, TIME_NEVER);
    assert_int_equal(sweep.row_count, 3);
    for (size_t i = 0; i < 3; i++) {
        double whole = sweep.rows[i].cap / 1.13, got = sweep.rows[i].requests_per_s;

        if (got < 0.99 * whole || got > 1.01 * whole) {
            fail_msg("cap %u: %.3f/s, want %.3f/s", sweep.rows[i].cap, got, whole);
        }
        assert_true(sweep.rows[i].time_s < 8);
    }
    assert_true(sweep_speedup(&sweep) > 15.8 && sweep_speedup(&sweep) <= 16);
}

static void rate__is_never_above_the_ideal(void **state)
{
    (void)state;
    parse_well("1,2,3,7,20,60");
    run_slots(mixed, 0, TIME_NEVER);
    assert_in_range(sweep.row_count, 3, 6);
    for (size_t i = 0; i < sweep.row_count; i++) {
        const struct sweep_row *row = &sweep.rows[i];

        assert_true(row->requests_per_s <= row->ideal_per_s * (1 + 1e-9));
        assert_true(row->requests_per_s > 0.95 * row->ideal_per_s);
    }
    assert_true(sweep_speedup(&sweep) <= sweep.recommended);
}

/* One by one it was slower than ever after: what the network did then is no gain of the cap's. */
static void speedup__is_at_most_what_is_in_flight(void **state)
{
    (void)state;
    parse_well("1,20");
    sweep.rows[0] = (struct sweep_row){ .cap = 1, .requests_per_s = 2.43, .mean_us = 411000 };
    sweep.rows[1] = (struct sweep_row){ .cap = 20, .requests_per_s = 49.3, .mean_us = 400000 };
    sweep.row_count = 2;
    sweep.recommended = 20;
    assert_true(sweep_speedup(&sweep) == 20);
}

static void step__ends_within_seconds__when_it_is_refused(void **state)
{
    uint64_t now_us;

    (void)state;
    parse_well("20,40");
    now_us = run_slots(mixed, 10, TIME_NEVER);
    assert_int_equal(sweep.row_count, 1);
    assert_in_range(now_us - T0, 1, 2 * US_PER_S);
    assert_true(sweep.rows[0].throttled_part > 0.05 && sweep.rows[0].requests_per_s > 10);
    assert_int_equal(sweep.recommended, 0);

    parse_well("1,2"); /* one refusal and then a hold: nothing more comes */
    sweep_begin(&sweep, T0);
    note(T0, 100 * US_PER_MS, false);
    note(T0 + 100 * US_PER_MS, 100 * US_PER_MS, true);
    for (now_us = T0; sweep.is_active && now_us < T0 + 60 * US_PER_S; now_us += 100 * US_PER_MS) {
        sweep_step(&sweep, now_us);
    }
    assert_in_range(now_us - T0, 3 * US_PER_S, 5 * US_PER_S);
}

/* One of two hundred is no more than the one percent that is borne. */
static void step__goes_on__when_one_is_refused_among_many(void **state)
{
    (void)state;
    parse_well("20,40");
    run_slots(mixed, 250, TIME_NEVER);
    assert_int_equal(sweep.row_count, 2);
    assert_int_equal(sweep.recommended, 40);
}

static void print__is_whole__with_and_without_rows(void **state)
{
    struct buf out = { 0 };

    (void)state;
    for (int empty = 0; empty < 2; empty++) {
        parse_well("5,10,20,40");
        if (empty) {
            sweep_begin(&sweep, T0);
            sweep_end(&sweep, T0);
        } else {
            run_until(&(struct server){ .knee = 20 }, TIME_NEVER);
        }
        assert_int_equal(sweep_text(&sweep, &out), RESULT_OK);
        assert_int_equal(memmem(out.data, out.len, "recommended: -c 20", 18) != NULL, !empty);
        buf_reset(&out);
        assert_int_equal(sweep_json(&sweep, &out), RESULT_OK);
        assert_non_null(
            memmem(out.data, out.len, empty ? "null" : "\"recommended\":20", empty ? 4 : 16));
        buf_reset(&out);
        assert_int_equal(sweep_svg(&sweep, &out), RESULT_OK);
        assert_string_equal(buf_cstr(&out) + out.len - 7, "</svg>\n");
        buf_reset(&out);
    }
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__refuses__what_is_no_ladder),
        cmocka_unit_test(sweep__stops_and_recommends__where_more_gives_nothing),
        cmocka_unit_test(sweep__stops__when_the_server_refuses),
        cmocka_unit_test(sweep__stops__when_latency_doubles),
        cmocka_unit_test(sweep__tries_all__when_nothing_speaks_against_it),
        cmocka_unit_test(step__ends_after_a_minute__when_the_rate_never_settles),
        cmocka_unit_test(end__makes_what_it_can__when_the_job_was_short),
        cmocka_unit_test(rate__is_not_in_steps__when_answers_come_in_waves),
        cmocka_unit_test(rate__is_never_above_the_ideal),
        cmocka_unit_test(speedup__is_at_most_what_is_in_flight),
        cmocka_unit_test(step__ends_within_seconds__when_it_is_refused),
        cmocka_unit_test(step__goes_on__when_one_is_refused_among_many),
        cmocka_unit_test(print__is_whole__with_and_without_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
