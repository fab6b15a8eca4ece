#include "base/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void assert_time(const char *text, int64_t want)
{
    int64_t us = 0;

    if (!timestamp_parse(str_view(text), &us) || us != want) {
        fail_msg("%s: %lld is not %lld", text, (long long)us, (long long)want);
    }
}

static void timestamp__reads__when_it_is_rfc_3339_or_near(void **state)
{
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11",
        "2026-11-31",
        "2025-02-29",
        "1900-02-29",
        "2026-13-01",
        "2026-11-21T",
        "2026-11-21T24:00:00Z",
        "2026-11-21T04:60:00Z",
        "2026-11-21T23:59:60Z",
        "2026-11-21T04:15:00.Z",
        "2026-11-21T04:15:00.1234567Z", /* finer than a microsecond */
        "2026-11-21T04:15:00+1",
        "2026-11-21T04:15:00+01:",
        "2026-11-21T04:15:00+01:00x",
        "2026-11-21T04:15:00 Z",
        "2026-11-21X04:15:00Z",
        "2026-11-21 the day",
        "12026-11-21",
        "20261121",
        "2026/11/21",
    };
    const int64_t base = INT64_C(1795234500) * 1000000;
    int64_t us;

    (void)state;
    assert_time("1970-01-01T00:00:00Z", 0);
    assert_time("2026-11-21T04:15:00Z", base);
    assert_time("2026-11-21t04:15:00z", base);
    assert_time("2026-11-21 04:15:00", base);
    assert_time("2026-11-21T04:15", base);
    assert_time("2026-11-21T04:15:00.123Z", base + 123000);
    assert_time("2026-11-21T04:15:00.123456Z", base + 123456);
    assert_time("2026-11-21T04:15:00.1234560Z", base + 123456);
    assert_time("2026-11-21T05:15:00+01:00", base);
    assert_time("2026-11-21T05:15:00+0100", base);
    assert_time("2026-11-21T05:15:00+01", base);
    assert_time("2026-11-20T23:15:00-05:00", base);
    assert_time("2026-11-21", base - INT64_C(15300) * 1000000);
    assert_time("2024-02-29", INT64_C(1709164800) * 1000000);
    assert_time("2000-02-29", INT64_C(951782400) * 1000000);
    assert_time("1969-12-31T23:59:59.999999Z", -1);
    assert_time("0001-01-01T00:00:00Z", INT64_C(-62135596800) * 1000000);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (timestamp_parse(str_view(bad[i]), &us)) {
            fail_msg("\"%s\" is no timestamp", bad[i]);
        }
    }
}

/* A deadline that is finer than we keep time must not come early. */
static void parse_up__rounds_up__when_the_text_is_finer_than_a_microsecond(void **state)
{
    const int64_t base = INT64_C(1795234500) * 1000000;
    int64_t us = 0;

    (void)state;
    assert_true(timestamp_parse_up(STR("2026-11-21T04:15:00.123456000Z"), &us));
    assert_int_equal(us, base + 123456);
    assert_true(timestamp_parse_up(STR("2026-11-21T04:15:00.123456001Z"), &us));
    assert_int_equal(us, base + 123457);
    assert_true(timestamp_parse_up(STR("2026-11-21T04:15:00.999999999+00:00"), &us));
    assert_int_equal(us, base + 1000000);
    assert_false(timestamp_parse_up(STR("2026-11-21T04:15:00.12345x"), &us));
}

/* "2026-11-21T00:00:00Z" is read in words, "2026-11-21" digit by digit. */
static void assert_same_day(int year, int month, int day)
{
    char text[32];
    int64_t want = 0, us = 0;
    bool is_day;

    snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00Z", year, month, day);
    is_day = timestamp_parse((struct str){ text, 10 }, &want);
    if (timestamp_parse((struct str){ text, 20 }, &us) != is_day || (is_day && us != want)) {
        fail_msg("%s: %lld is not %lld", text, (long long)us, (long long)want);
    }
}

static void timestamp__reads_the_same_day__when_it_has_a_time_and_when_not(void **state)
{
    (void)state;
    for (int year = 0; year <= 9999; year++) {
        bool all = year >= 1600 && year <= 2400;

        for (int month = all ? 0 : 1; month <= (all ? 13 : 3); month++) {
            for (int day = all ? 0 : 27; day <= 32; day++) {
                assert_same_day(year, month, day);
            }
        }
    }
    assert_same_day(2026, 99, 1);
    assert_same_day(2026, 1, 99);
}

/* Every two digits at every place; with a small t they are read one by one. */
static void timestamp__reads_the_same__when_any_two_digits_stand_anywhere(void **state)
{
    static const int places[] = { 0, 2, 5, 8, 11, 14, 17 };

    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        for (int number = 0; number <= 99; number++) {
            char text[] = "2024-02-28T04:15:07Z";
            int64_t want = 0, us = 0;
            bool is_time;

            text[places[i]] = (char)('0' + number / 10);
            text[places[i] + 1] = (char)('0' + number % 10);
            text[10] = 't';
            is_time = timestamp_parse(str_view(text), &want);
            text[10] = 'T';
            if (timestamp_parse(str_view(text), &us) != is_time || (is_time && us != want)) {
                fail_msg("%s: %lld is not %lld", text, (long long)us, (long long)want);
            }
        }
    }
}

/* Each byte of the common form, replaced by every other byte there is. */
static void timestamp__reads_no_other_byte__when_one_is_wrong(void **state)
{
    static const char good[] = "2026-11-21T04:15:07Z";
    int64_t want, us;

    (void)state;
    assert_true(timestamp_parse(str_view(good), &want));
    for (size_t at = 0; at < sizeof good - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[sizeof good];
            bool digit = good[at] >= '0' && good[at] <= '9';

            memcpy(text, good, sizeof good);
            text[at] = (char)byte;
            if (!timestamp_parse((struct str){ text, sizeof good - 1 }, &us)) {
                continue;
            }
            /* Only another digit, T as a letter of the other case or a space, z for Z. */
            assert_true(digit ? byte >= '0' && byte <= '9'
                              : byte == good[at] || (at == 10 && (byte == 't' || byte == ' ')) ||
                                    (at == 19 && byte == 'z'));
            assert_true(byte == good[at] || !digit ? us == want : us != want);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timestamp__reads__when_it_is_rfc_3339_or_near),
        cmocka_unit_test(timestamp__reads_no_other_byte__when_one_is_wrong),
        cmocka_unit_test(timestamp__reads_the_same_day__when_it_has_a_time_and_when_not),
        cmocka_unit_test(timestamp__reads_the_same__when_any_two_digits_stand_anywhere),
        cmocka_unit_test(parse_up__rounds_up__when_the_text_is_finer_than_a_microsecond),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
