#include "base/units.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

static void time__is_read__when_well_formed(void **state)
{
    static const struct {
        const char *text;
        uint64_t us;
    } cases[] = {
        { "0", 0 },
        { "30", 30 * US_PER_S },
        { "250ms", 250 * US_PER_MS },
        { "30s", 30 * US_PER_S },
        { "5m", 300 * US_PER_S },
        { "1h30m", 5400 * US_PER_S },
        { "2d", 172800 * US_PER_S },
        { "1.5s", 1500 * US_PER_MS },
        { ".5", 500 * US_PER_MS },
        { "5m30", 330 * US_PER_S },
        { "1d2h3m4s5ms6us", UINT64_C(93784005006) },
        { "3650d", UINT64_C(3650) * 86400 * US_PER_S },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t us = 1;
        struct err err = { 0 };

        if (units_parse_time(str_view(cases[i].text), &us, &err) != RESULT_OK) {
            fail_msg("%s: %s", cases[i].text, err.text);
        }
        assert_int_equal(us, cases[i].us);
    }
}

static void time__is_refused__when_malformed(void **state)
{
    static const char *const texts[] = { "",
                                         " ",
                                         "s",
                                         "-1",
                                         "+1",
                                         "1x",
                                         "1 s",
                                         "30m1h",
                                         "1h1h",
                                         "1s1",
                                         ".",
                                         "1e3",
                                         "inf",
                                         "nan",
                                         "0x10",
                                         "1h30m ",
                                         "3651d",
                                         "1,5s",
                                         "99999999999999999999999999999999" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint64_t us = 7;
        struct err err = { 0 };

        if (units_parse_time(str_view(texts[i]), &us, &err) == RESULT_OK) {
            fail_msg("\"%s\" was taken", texts[i]);
        }
        assert_string_equal(err.code, "E-ARG2");
        assert_int_equal(us, 7);
    }
}

static void size__is_read__when_well_formed(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {
        { "0", 0 },          { "500", 500 },        { "10k", 10240 },     { "10K", 10240 },
        { "64M", 64 << 20 }, { "64MiB", 64 << 20 }, { "64MB", 64 << 20 }, { "100B", 100 },
        { "1.5k", 1536 },    { "2G", 1ULL << 31 },  { "1T", 1ULL << 40 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t bytes = 1;

        assert_int_equal(units_parse_size(str_view(cases[i].text), &bytes, NULL), RESULT_OK);
        assert_int_equal(bytes, cases[i].bytes);
    }
}

static void size__is_refused__when_malformed(void **state)
{
    static const char *const texts[] = { "",           "k",   "-1", "1P",  "1kk",
                                         "1 k",        "1kx", "1i", "1e3", "99999999999999999999",
                                         "9999999999T" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint64_t bytes = 7;
        struct err err = { 0 };

        if (units_parse_size(str_view(texts[i]), &bytes, &err) == RESULT_OK) {
            fail_msg("\"%s\" was taken", texts[i]);
        }
        assert_string_equal(err.code, "E-ARG3");
        assert_int_equal(bytes, 7);
    }
}

static void rate__reads_back_what_it_prints__when_any(void **state)
{
    static const struct {
        const char *text, *printed;
        double requests;
        uint64_t per_us;
    } cases[] = {
        { "10/s", "10/s", 10, US_PER_S },
        { "10", "10/s", 10, US_PER_S },
        { "5/15s", "5/15s", 5, 15 * US_PER_S },
        { "600/m", "600/m", 600, 60 * US_PER_S },
        { "1/h", "1/h", 1, 3600 * US_PER_S },
        { "1/2d", "1/172800s", 1, 172800 * US_PER_S },
        { "3/250ms", "3/250ms", 3, 250 * US_PER_MS },
        { "3/7us", "3/7us", 3, 7 },
        { "0.25/s", "0.25/s", 0.25, US_PER_S },
        { "1234567/s", "1234567/s", 1234567, US_PER_S },
        { "0.00001/s", "0.00001/s", 0.00001, US_PER_S },
        { "999999999/3650d", "999999999/315360000s", 999999999, UINT64_C(315360000) * US_PER_S },
        { "off", "off", 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[UNITS_TEXT_MAX];
        struct rate rate, again;

        assert_int_equal(units_parse_rate(str_view(cases[i].text), &rate, NULL), RESULT_OK);
        assert_true(rate.requests >= cases[i].requests - 1e-9 &&
                    rate.requests <= cases[i].requests + 1e-9);
        assert_int_equal(rate.per_us, cases[i].per_us);
        units_format_rate(rate, text);
        assert_string_equal(text, cases[i].printed);
        assert_int_equal(units_parse_rate(str_view(text), &again, NULL), RESULT_OK);
        assert_int_equal(again.per_us, rate.per_us);
    }
}

static void rate__is_refused__when_malformed_or_zero(void **state)
{
    static const char *const texts[] = {
        "",     "0",    "0/s", "-1",   "1/",         "1/x", "1/0s",
        "1/s2", "1 /s", "/s",  "1/s ", "1000000000", "Off", "1/-5s"
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct rate rate = { 7, 7 };
        struct err err = { 0 };

        if (units_parse_rate(str_view(texts[i]), &rate, &err) == RESULT_OK) {
            fail_msg("\"%s\" was taken", texts[i]);
        }
        assert_string_equal(err.code, "E-ARG4");
        assert_int_equal(rate.per_us, 7);
    }
}

static void count__is_kept_within_its_bounds__when_read(void **state)
{
    uint64_t count = 7;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(units_parse_count(STR("5"), 1, 5, &count, NULL), RESULT_OK);
    assert_int_equal(count, 5);
    assert_int_equal(units_parse_count(STR("6"), 1, 5, &count, &err), RESULT_INVALID);
    assert_string_equal(err.text, "\"6\" is not a whole number from 1 to 5");
    assert_int_equal(units_parse_count(STR("0"), 1, 5, &count, NULL), RESULT_INVALID);
    assert_int_equal(units_parse_count(STR("1.5"), 1, 5, &count, NULL), RESULT_INVALID);
    assert_int_equal(count, 5);
}

static void format__is_short__when_printed(void **state)
{
    static const struct {
        void (*format)(uint64_t, char *);
        uint64_t value;
        const char *want;
    } cases[] = {
        { units_format_time, 0, "0 ms" },
        { units_format_time, 1, "<1 ms" },
        { units_format_time, 499, "<1 ms" },
        { units_format_time, 500, "1 ms" },
        { units_format_time, 850 * US_PER_MS, "850 ms" },
        { units_format_time, 7 * US_PER_S, "7.0s" },
        { units_format_time, 1499, "1 ms" },
        { units_format_time, 999500, "1.0s" },
        { units_format_time, 59949 * US_PER_MS, "59.9s" },
        { units_format_time, 59999 * US_PER_MS, "1m00s" },
        { units_format_time, 3599 * US_PER_S + 600 * US_PER_MS, "1h00m" },
        { units_format_time, 7200 * US_PER_S - 1, "2h00m" },
        { units_format_time, 86399 * US_PER_S, "1d00h" },
        { units_format_time, 60 * US_PER_S, "1m00s" },
        { units_format_time, 252 * US_PER_S, "4m12s" },
        { units_format_time, 5400 * US_PER_S, "1h30m" },
        { units_format_time, 273600 * US_PER_S, "3d04h" },
        { units_format_time, UINT64_MAX, "213503982d08h" },
        { units_format_countdown, 0, "0:00" },
        { units_format_countdown, 1, "0:01" },
        { units_format_countdown, 3 * US_PER_S, "0:03" },
        { units_format_countdown, 761 * US_PER_S, "12:41" },
        { units_format_countdown, 3599 * US_PER_S + 1, "1:00:00" },
        { units_format_countdown, 3723 * US_PER_S, "1:02:03" },
        { units_format_bytes, 0, "0 B" },
        { units_format_bytes, 999, "999 B" },
        { units_format_bytes, 1000, "1.00 KB" },
        { units_format_bytes, 18249, "18.2 KB" },
        { units_format_bytes, 999499, "999 KB" },
        { units_format_bytes, 999999, "1.00 MB" },
        { units_format_bytes, UINT64_MAX, "18.4 EB" },
        { units_format_whole, 0, "0" },
        { units_format_whole, 999, "999" },
        { units_format_whole, 1000, "1,000" },
        { units_format_whole, 12345678, "12,345,678" },
        { units_format_whole, UINT64_MAX, "18,446,744,073,709,551,615" },
        { units_format_count, 999, "999" },
        { units_format_count, 1250, "1.25k" },
        { units_format_count, 9999, "10.0k" },
        { units_format_count, 61234, "61.2k" },
        { units_format_count, 1250000, "1.25M" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[UNITS_TEXT_MAX];

        cases[i].format(cases[i].value, text);
        assert_string_equal(text, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time__is_read__when_well_formed),
        cmocka_unit_test(time__is_refused__when_malformed),
        cmocka_unit_test(size__is_read__when_well_formed),
        cmocka_unit_test(size__is_refused__when_malformed),
        cmocka_unit_test(rate__reads_back_what_it_prints__when_any),
        cmocka_unit_test(rate__is_refused__when_malformed_or_zero),
        cmocka_unit_test(count__is_kept_within_its_bounds__when_read),
        cmocka_unit_test(format__is_short__when_printed),
    };

    return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
