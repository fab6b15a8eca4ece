#include "base/moment.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110's examples, in seconds since 1970. */
#define EXAMPLE_US (INT64_C(784111777) * 1000000)
#define NOW_US (INT64_C(1795234500) * 1000000) /* Sat, 21 Nov 2026 04:15:00 GMT */

static void check_all(const char *const *texts, size_t count, int64_t want_us)
{
    for (size_t i = 0; i < count; i++) {
        int64_t us = 0;

        if (!moment_parse(str_view(texts[i]), NOW_US, &us) || us != want_us) {
            fail_msg("\"%s\": %lld us, want %lld", texts[i], (long long)us, (long long)want_us);
        }
    }
}

#define CHECK_ALL(texts, want_us) check_all(texts, sizeof(texts) / sizeof(texts)[0], want_us)

static void http__is_one_moment__in_the_three_forms_and_near_them(void **state)
{
    static const char *const texts[] = {
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun Nov 06 08:49:37 1994",
        "  Sun, 06 Nov 1994 08:49:37 GMT\r\n",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 UT",
        "Sun, 06 Nov 1994 08:49:37 Z",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 -0000",
        "Sun, 06 Nov 1994 08:49:37 +00:00",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "sun, 06 nov 1994 08:49:37 gmt",
        "SUN, 06 NOV 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "06 Nov 1994 08:49:37 GMT",
        "6 November 1994 08:49:37 GMT",
        "Mon, 06 Nov 1994 08:49:37 GMT", /* a wrong weekday harms nobody */
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 GMT 1994",
        "Sun Nov 06 1994 08:49:37 GMT+0000 (Coordinated Universal Time)",
        "Sun Nov 06 1994 09:49:37 GMT+0100 (Central European Standard Time)",
        "Sun, 06 Nov 1994 09:49:37 +0100",
        "Sun, 06 Nov 1994 09:49:37 +01",
        "Sun, 06 Nov 1994 03:49:37 EST",
        "Sun, 06 Nov 1994 00:49:37 -0800 (PST)",
        "November 6, 1994 08:49:37 UTC",
        "Sun, 06\r\n Nov 1994 08:49:37 GMT",
        "1994-11-06T08:49:37Z",
        "1994-11-06T08:49:37",
        "1994-11-06T08:49:37+00:00",
        "1994-11-06T09:49:37+0100",
        "1994-11-06 08:49:37 UTC",
        "1994-11-06 08:49:37 GMT",
        "1994-11-06 08:49:37 +0000",
        "1994-11-06 08:49:37 +0000 UTC",
        "1994-11-06T08:49:37.000Z",
        "1994-11-06T08:49:37.000000000Z",
        "1994-11-06T08:49:37Z[UTC]",
        "1994-11-06T09:49:37+01:00[Europe/Paris]",
        "19941106T084937Z",
        "19941106T094937+0100",
    };

    (void)state;
    CHECK_ALL(texts, EXAMPLE_US);
}

static void fraction__is_rounded_up(void **state)
{
    int64_t us;

    (void)state;
    assert_true(moment_parse(STR("1994-11-06T08:49:37.25Z"), NOW_US, &us));
    assert_int_equal(us, EXAMPLE_US + 250000);
    assert_true(moment_parse(STR("1994-11-06T08:49:37.000000001Z"), NOW_US, &us));
    assert_int_equal(us, EXAMPLE_US + 1);
    assert_true(moment_parse(STR("Sun, 06 Nov 1994 08:49:36.25 GMT"), NOW_US, &us));
    assert_int_equal(us, EXAMPLE_US);
    assert_true(moment_parse(STR("1994-11-06T08:49Z"), NOW_US, &us)); /* without seconds */
    assert_int_equal(us, EXAMPLE_US - 37 * (int64_t)US_PER_S);
}

static void nothing__is_read__when_it_is_no_moment(void **state)
{
    static const char *const bad[] = {
        "",
        "abc",
        "30",
        "Sun",
        "Sun, 06 Nov 1994",
        "2030-01-01", /* of which time zone? */
        "20300101",
        "08:49:37",
        "06 Nov 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT trailing",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 PM",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 29 Feb 2025 08:49:37 GMT",
        "Mon, 29 Feb 2100 00:00:00 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49:7 GMT",
        "Sun, 06 Nov 10000 08:49:37 GMT",
        "Sun, 06 Nov 994 08:49:37 GMT",
        "Sun, 06 No 1994 08:49:37 GMT",
        "Sun, 06 Nov Dec 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT EST EST",
        "Sun, 06 Nov 1994 08:49:37 +2400",
        "Sun, 06 Nov 1994 08:49:37 +01:0",
        "Sun, 06 Nov 1994 08:49:37 +1",
        "Sun, 06 Nov 1994 08:49:37 -",
        "Sun, 06 Nov 1994 08:49:37 GMT (open",
        "Sun, 06 Nov 1994 08:49:37 (a) b)",
        "(GMT) 06 Nov 1994 08:49:37",
        "Sun, 06/Nov/1994 08:49:37 GMT",
        "2026-13-21T04:15:00Z",
        "2026-11-21T",
        "2026-11-21TZ",
        "20261121T",
        "[",
        "2[]",
        "2026-11-21T04:15:00Z[UTC",
        "\x1b[31m2026-11-21T04:15:00Z",
        "Sun, 06 Nov 1994 08:49:37 GMT\x01",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t us = 0;

        if (moment_parse(str_view(bad[i]), NOW_US, &us)) {
            fail_msg("\"%s\" was taken as %lld", bad[i], (long long)us);
        }
    }
}

/* RFC 9110 section 5.6.7: more than 50 years ahead is the past. */
static void century__is_picked__when_the_year_has_two_digits(void **state)
{
    const struct {
        const char *text;
        int64_t wall_year;
        int64_t want_year;
    } samples[] = {
        { "Sunday, 06-Nov-94 08:49:37 GMT", 2026, 1994 },
        { "Sunday, 06-Nov-26 08:49:37 GMT", 2026, 2026 },
        { "Sunday, 06-Nov-76 08:49:37 GMT", 2026, 2076 },
        { "Sunday, 06-Nov-77 08:49:37 GMT", 2026, 1977 },
        { "Sunday, 06-Nov-05 08:49:37 GMT", 2099, 2105 },
        { "Sunday, 06-Nov-99 08:49:37 GMT", 2100, 2099 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        int64_t wall_us =
            clock_days_from_civil(samples[i].wall_year, 6, 1) * 86400 * (int64_t)US_PER_S;
        int64_t want_s =
            clock_days_from_civil(samples[i].want_year, 11, 6) * 86400 + 8 * 3600 + 49 * 60 + 37;
        int64_t us = 0;

        assert_true(moment_parse_http(str_view(samples[i].text), wall_us, &us));
        assert_int_equal(us, want_s * (int64_t)US_PER_S);
    }
}

static void leap_second_and_leap_day__are_taken(void **state)
{
    int64_t us;

    (void)state;
    assert_true(moment_parse_http(STR("Sat, 31 Dec 2016 23:59:60 GMT"), NOW_US, &us));
    assert_true(moment_parse_http(STR("Thu, 29 Feb 2024 00:00:00 GMT"), NOW_US, &us));
    assert_true(moment_parse_http(STR("Tue, 29 Feb 2000 00:00:00 GMT"), NOW_US, &us));
    assert_true(moment_parse_http(STR("Fri, 31 Dec 9999 23:59:59 -2359"), NOW_US, &us));
    assert_true(moment_parse_http(STR("Sat, 01 Jan 0000 00:00:00 +2359"), NOW_US, &us));
}

/* Every day of two centuries, as a server writes it, against the calendar. */
static void every_day__is_read_back(void **state)
{
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    int64_t year, us;
    unsigned month, day;
    char text[64];

    (void)state;
    for (int64_t days = -36524; days < 36524; days++) {
        clock_civil_from_days(days, &year, &month, &day);
        snprintf(text, sizeof text, "%u %s %lld 23:59:59 UTC", day, months[month - 1],
                 (long long)year);
        assert_true(moment_parse_http(str_view(text), NOW_US, &us));
        assert_int_equal(us, (days * 86400 + 86399) * (int64_t)US_PER_S);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http__is_one_moment__in_the_three_forms_and_near_them),
        cmocka_unit_test(fraction__is_rounded_up),
        cmocka_unit_test(nothing__is_read__when_it_is_no_moment),
        cmocka_unit_test(century__is_picked__when_the_year_has_two_digits),
        cmocka_unit_test(leap_second_and_leap_day__are_taken),
        cmocka_unit_test(every_day__is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
