#include "base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <time.h>

static void format_utc__writes_rfc_3339__when_given_a_time(void **state)
{
    static const struct {
        int64_t us;
        const char *want;
    } cases[] = {
        { 0, "1970-01-01T00:00:00.000Z" },
        { -1, "1969-12-31T23:59:59.999Z" },
        { 999999, "1970-01-01T00:00:00.999Z" },
        { INT64_C(951782399999999), "2000-02-28T23:59:59.999Z" },
        { INT64_C(951782400000000), "2000-02-29T00:00:00.000Z" },
        { INT64_C(1795234500123000), "2026-11-21T04:15:00.123Z" },
        { INT64_C(4107542400000000), "2100-03-01T00:00:00.000Z" }, /* 2100 is no leap year */
        { INT64_C(-62135596800000000), "0001-01-01T00:00:00.000Z" },
        { INT64_C(253402300799999999), "9999-12-31T23:59:59.999Z" },
        { INT64_C(253402300800000000), "9999-12-31T23:59:59.999Z" },
        { INT64_MAX, "9999-12-31T23:59:59.999Z" },
        { INT64_MIN, "0000-01-01T00:00:00.000Z" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[CLOCK_TEXT_SIZE];

        clock_format_utc(cases[i].us, text);
        assert_string_equal(text, cases[i].want);
    }
}

static void format_utc__agrees_with_libc__when_over_ten_thousand_days(void **state)
{
    (void)state;
    for (int64_t day = -200000; day < 200000; day += 37) {
        time_t seconds = (time_t)(day * 86400 + 86399 - (day & 0xFFFF));
        char text[CLOCK_TEXT_SIZE], want[32];
        struct tm tm;

        assert_non_null(gmtime_r(&seconds, &tm));
        assert_true(strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S.000Z", &tm) > 0);
        clock_format_utc((int64_t)seconds * 1000000, text);
        assert_string_equal(text, want);
    }
}

static void days_from_civil__inverts_libc__when_over_four_centuries(void **state)
{
    (void)state;
    for (int64_t day = -146097; day <= 146097; day += 11) {
        time_t seconds = (time_t)(day * 86400);
        struct tm tm;

        assert_non_null(gmtime_r(&seconds, &tm));
        assert_int_equal(
            clock_days_from_civil(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday),
            day);
    }
}

static void system__does_not_run_backwards__when_asked_twice(void **state)
{
    struct clock clock = clock_system();
    uint64_t first = clock_now_us(&clock), second = clock_now_us(&clock);

    (void)state;
    assert_true(second >= first);
    assert_true(clock_wall_us(&clock) > INT64_C(1577836800000000)); /* after 2020 */
}

static uint64_t stopped_now_us(void *context)
{
    return *(uint64_t *)context;
}

static int64_t stopped_wall_us(void *context)
{
    return (int64_t) * (uint64_t *)context + 5;
}

static void clock__asks_its_hands__when_they_are_ours(void **state)
{
    uint64_t now = 42;
    struct clock clock = { stopped_now_us, stopped_wall_us, &now };

    (void)state;
    assert_int_equal(clock_now_us(&clock), 42);
    now = 43;
    assert_int_equal(clock_now_us(&clock), 43);
    assert_int_equal(clock_wall_us(&clock), 48);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format_utc__writes_rfc_3339__when_given_a_time),
        cmocka_unit_test(format_utc__agrees_with_libc__when_over_ten_thousand_days),
        cmocka_unit_test(days_from_civil__inverts_libc__when_over_four_centuries),
        cmocka_unit_test(system__does_not_run_backwards__when_asked_twice),
        cmocka_unit_test(clock__asks_its_hands__when_they_are_ours),
    };

    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
