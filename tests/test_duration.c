#include "base/duration.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define MS US_PER_MS
#define S US_PER_S
#define NONE UINT64_MAX

struct sample {
    const char *text;
    uint64_t us; /* NONE: no duration */
};

static void check(const struct sample *samples, size_t count, uint64_t unit_us)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t us = 0, got = duration_parse(str_view(samples[i].text), unit_us, &us) ? us : NONE;

        if (got != samples[i].us) {
            fail_msg("\"%s\": %llu us, want %llu", samples[i].text, (unsigned long long)got,
                     (unsigned long long)samples[i].us);
        }
    }
}

#define CHECK(samples, unit_us) check(samples, sizeof(samples) / sizeof(samples)[0], unit_us)

static void number__counts_in_the_unit_and_rounds_up(void **state)
{
    static const struct sample seconds[] = {
        { "0", 0 },
        { "120", 120 * S },
        { " 30 ", 30 * S },
        { "2.0", 2 * S },
        { "2.", 2 * S },
        { "0.35", 350 * MS },
        { ".35", 350 * MS },
        { "0.3501", 351 * MS },
        { "0.0000000000000000001", 1 * MS },
        { "0.9999999999", 1 * S },
        { "1.0000000", 1 * S },
        { "0000000000000000000005", 5 * S },
        { "315359999", 315359999 * S },
        { "315360001", DURATION_MAX_US },
        { "18446744073709551615", DURATION_MAX_US },
        { "18446744073709551616", DURATION_MAX_US },
        { "99999999999999999999999999999999999999999999.9", DURATION_MAX_US },
    };
    static const struct sample ms[] = {
        { "1500", 1500 * MS },
        { "1500.2", 1501 * MS },
        { "0.1", 1 * MS },
        { "2s", 2 * S }, /* a unit of its own goes first */
    };

    (void)state;
    CHECK(seconds, S);
    CHECK(ms, MS);
}

static void units__are_known_by_many_names(void **state)
{
    static const struct sample samples[] = {
        { "2s", 2 * S },
        { "2 s", 2 * S },
        { "2S", 2 * S },
        { "30 seconds", 30 * S },
        { "1 second", 1 * S },
        { "30sec", 30 * S },
        { "500ms", 500 * MS },
        { "500 msec", 500 * MS },
        { "1500.5ms", 1501 * MS },
        { "250us", 1 * MS },
        { "1001us", 2 * MS },
        { "1.5\xC2\xB5s", 1 * MS },
        { "7\xCE\xBCs", 1 * MS },
        { "1ns", 1 * MS },
        { "2000001ns", 3 * MS },
        { "1m", 60 * S },
        { "1m30s", 90 * S },
        { "1M30S", 90 * S },
        { "1m2.5s", 62500 * MS },
        { "6m0s", 360 * S },
        { "1h", 3600 * S },
        { "1h0m0.25s", 3600250 * MS },
        { "1 hour 30 minutes", 5400 * S },
        { "1 minute, 30 seconds", 90 * S },
        { "1 minute and 30 seconds", 90 * S },
        { "2d", 172800 * S },
        { "1w", 604800 * S },
        { "1.5h", 5400 * S },
        { "4000000d", DURATION_MAX_US },
        { "3650d 1s", DURATION_MAX_US },
    };

    (void)state;
    CHECK(samples, S);
}

static void iso__is_read_with_its_longest_years_and_months(void **state)
{
    static const struct sample samples[] = {
        { "PT30S", 30 * S },
        { "PT0.5S", 500 * MS },
        { "PT1M30S", 90 * S },
        { "PT1H", 3600 * S },
        { "P1D", 86400 * S },
        { "P1DT12H", 129600 * S },
        { "P1M", 2678400 * S },
        { "PT1M", 60 * S },
        { "P1W", 604800 * S },
        { "pt5s", 5 * S },
        { "P1Y", 366 * 86400 * S },
        { "P99999Y", DURATION_MAX_US },
        { "P", NONE },
        { "PT", NONE },
        { "P1", NONE },
        { "P1S", NONE },
        { "PT1D", NONE },
        { "PT1S1M", NONE },
        { "PT1S1S", NONE },
        { "P-1D", NONE },
        { "PTS", NONE },
        { "P1DT", NONE },
        { "-PT1S", NONE },
    };

    (void)state;
    CHECK(samples, S);
}

static void clock__is_hours_minutes_and_seconds(void **state)
{
    static const struct sample samples[] = {
        { "00:00:30", 30 * S },
        { "00:01:30", 90 * S },
        { "1:00:00", 3600 * S },
        { "00:00:00.5", 500 * MS },
        { "1.00:00:00", 86400 * S },
        { "00:00:30.0000001", 30001 * MS },
        { "1:30", NONE },
        { "00:60:00", NONE },
        { "00:00:61", NONE },
        { "1.5:00:00:00", NONE },
        { "::", NONE },
        { "00:00:", NONE },
        { "0.5:0:0", 5 * 3600 * S },
        { "1:2:3:4", NONE },
    };

    (void)state;
    CHECK(samples, S);
}

static void nothing__is_read__when_it_is_no_duration(void **state)
{
    static const struct sample samples[] = {
        { "", NONE },      { "   ", NONE },       { "abc", NONE },    { "-5", NONE },
        { "+5", NONE },    { "1e3", NONE },       { "0x10", NONE },   { "1.2.3", NONE },
        { ".", NONE },     { "5 x", NONE },       { "5 5", NONE },    { "5s5", NONE },
        { "5s 5s", NONE }, { "5s 1m", NONE },     { "30, 30", NONE }, { "1\x01", NONE },
        { "5s,", NONE },   { "5s and", NONE },    { "NaN", NONE },    { "inf", NONE },
        { "5\xff", NONE }, { "\x1b[31m5", NONE }, { "5m\xC2", NONE }, { "1,5", NONE },
    };
    uint64_t us;

    (void)state;
    CHECK(samples, S);
    assert_false(duration_parse(STR_NONE, S, &us));
    assert_false(duration_parse(STR("12\0"), S, &us));
}

/* Whatever is written as a number of any unit comes back, never shorter. */
static void numbers__are_never_read_as_less__when_all_are_tried(void **state)
{
    static const struct {
        const char *name;
        double us;
    } units[] = { { "", 1e6 }, { "s", 1e6 },  { "ms", 1e3 },
                  { "us", 1 }, { "m", 60e6 }, { "h", 3600e6 } };
    uint64_t random = 7;

    (void)state;
    for (int i = 0; i < 60000; i++) {
        char text[64];
        double want, value;
        uint64_t us;
        size_t unit = (size_t)i % (sizeof units / sizeof units[0]);

        random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
        value = (double)(random >> 50) + (double)(random >> 20 & 0xFFFFF) / 1048576.0;
        snprintf(text, sizeof text, "%.*f%s", (int)(random >> 10 & 15), value, units[unit].name);
        assert_true(duration_parse(str_view(text), S, &us));
        sscanf(text, "%lf", &value);
        want = value * units[unit].us;
        if ((double)us < want - 0.01 || (double)us > want + 1001 + units[unit].us / 1e6) {
            fail_msg("%s: %llu us, want %f", text, (unsigned long long)us, want);
        }
        assert_int_equal(us % MS, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number__counts_in_the_unit_and_rounds_up),
        cmocka_unit_test(units__are_known_by_many_names),
        cmocka_unit_test(iso__is_read_with_its_longest_years_and_months),
        cmocka_unit_test(clock__is_hours_minutes_and_seconds),
        cmocka_unit_test(nothing__is_read__when_it_is_no_duration),
        cmocka_unit_test(numbers__are_never_read_as_less__when_all_are_tried),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
