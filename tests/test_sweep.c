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

            sweep_note(&sweep, now_us, took_us, throttled);
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
            sweep_note(&sweep, now_us, US_PER_MS, false);
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
        cmocka_unit_test(print__is_whole__with_and_without_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
