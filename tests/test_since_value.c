#include "base/since_value.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static struct since_value value_of(const char *json)
{
    struct since_value v;

    if (!since_value_parse(str_view(json), &v)) {
        fail_msg("%s is no value", json);
    }
    return v;
}

static void parse__refuses__what_is_no_value(void **state)
{
    static const char *const texts[] = {
        "null",
        "true",
        "{}",
        "[]",
        "\"\"",
        "\"new\"",
        "1e9",
        "-",
        "\"1.\"",
        "\".5\"",
        "\"2026-02-30\"",
        "\"2026-01-31T25:00:00Z\"",
        "\"12:00\"",
        "9223372036854775808",
        "\"2026-01-31T12:00:00.Z\"",
        "\"2026-01-31T12:00:00Zx\"",
        "\"1 \"",
        "\"Sun, 06 Nov 1994 08:49:37 GMT\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct since_value v;

        if (since_value_parse(str_view(texts[i]), &v)) {
            fail_msg("%s is read as %lld", texts[i], (long long)v.whole);
        }
    }
}

static void compare__goes_by_what_is_meant__not_by_letters(void **state)
{
    /* in order, each before the next */
    static const char *const moments[] = {
        "\"2026-01-30\"",
        "\"2026-01-31T00:30:00+01:00\"",
        "\"2026-01-31\"",
        "\"2026-01-30T20:00:00.000000001-0400\"",
        "\"2026-01-31 00:00:00.25\"",
        "\"2026-01-31T00:00:00.2500001Z\"",
        "\"2026-01-31T00:01Z\"",
    };
    static const char *const numbers[] = {
        "-2",
        "-1.75",
        "-1.5",
        "0",
        "\"0.000000001\"",
        "\"7\"",
        "12",
        "9007199254740992",
        "9007199254740993",
        "\"9223372036854775807\"",
    };

    (void)state;
    for (size_t i = 1; i < sizeof moments / sizeof moments[0]; i++) {
        struct since_value a = value_of(moments[i - 1]), b = value_of(moments[i]);

        if (since_value_compare(&a, &b) >= 0 || since_value_compare(&b, &a) <= 0) {
            fail_msg("%s is not before %s", moments[i - 1], moments[i]);
        }
    }
    for (size_t i = 1; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct since_value a = value_of(numbers[i - 1]), b = value_of(numbers[i]);

        if (since_value_compare(&a, &b) >= 0) {
            fail_msg("%s is not before %s", numbers[i - 1], numbers[i]);
        }
    }
}

static void back__keeps_the_form(void **state)
{
    static const struct {
        const char *json, *back;
        struct since_lag lag;
    } samples[] = {
        { "\"2026-03-01T00:01:00Z\"", "\"2026-02-28T23:56:00Z\"", { .us = 300 * US_PER_S } },
        { "\"2024-03-01T00:01:00+02:00\"",
          "\"2024-02-29T23:56:00+02:00\"",
          { .us = 300 * US_PER_S } },
        { "\"2026-03-01 00:01:00.5\"", "\"2026-02-28 23:56:00.5\"", { .us = 300 * US_PER_S } },
        { "\"2026-01-31T12:00:00.1234567-0330\"",
          "\"2026-01-31T11:59:58.6234567-0330\"",
          { .us = 1500 * US_PER_MS } },
        { "\"2026-01-31T12:00:00.000Z\"", "\"2026-01-31T11:59:59.999Z\"", { .us = 1 } },
        { "\"2026-01-31T12:00:00Z\"", "\"2026-01-31T11:59:59Z\"", { .us = 1 } },
        { "\"2026-01-31T12:00+01\"", "\"2026-01-31T11:58+01\"", { .us = 61 * US_PER_S } },
        { "\"2026-01-31T12:00:00.1234567890120Z\"",
          "\"2026-01-31T11:59:59.1234567890000Z\"",
          { .us = US_PER_S } },
        { "\"2026-01-31\"", "\"2026-01-30\"", { .us = 300 * US_PER_S } },
        { "\"2026-01-31\"", "\"2026-01-31\"", { .us = 0 } },
        { "1769857200", "1769856900", { .is_time = true, .us = 300 * US_PER_S } },
        { "\"1769857200\"", "\"1769856900\"", { .is_time = true, .us = 300 * US_PER_S } },
        { "1769857200.25", "1769857198.75", { .is_time = true, .us = 1500 * US_PER_MS } },
        { "1769857200", "1769857198", { .is_time = true, .us = 1500 * US_PER_MS } },
        { "1769857200123", "1769856900123", { .is_time = true, .us = 300 * US_PER_S } },
        { "1769857200123", "1769857200121", { .is_time = true, .us = 1500 } },
        { "1769857200123456", "1769857200121956", { .is_time = true, .us = 1500 } },
        { "1769857200123456789", "1769857200121956789", { .is_time = true, .us = 1500 } },
        { "9007199254740993", "9007199254740992", { .count = 1 } },
        { "9223372036854775807", "9223372036854775707", { .count = 100 } },
        { "5", "-5", { .count = 10 } },
        { "-1.75", "-2.75", { .count = 1 } },
        { "-9223372036854775807", "-9223372036854775807", { .count = 100 } },
        { "\"0001-01-01T00:00:00Z\"", "\"0001-01-01T00:00:00Z\"", { .us = 86400 * US_PER_S } },
        { "1769857200", "1769857200", { .count = 0 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct since_value v = value_of(samples[i].json), back;

        since_value_back(&v, &samples[i].lag, &back);
        if (strcmp(back.json, samples[i].back) != 0) {
            fail_msg("%s: %s, want %s", samples[i].json, back.json, samples[i].back);
        }
        assert_true(since_value_compare(&back, &v) <= 0);
    }
}

static void us__tells_when_it_is(void **state)
{
    static const struct {
        const char *json;
        int64_t us; /* -1: it is no time */
        bool is_time;
    } samples[] = {
        { "\"1970-01-02\"", INT64_C(86400000000), false },
        { "\"1970-01-01T01:00:00.0000001+01:00\"", 1, false },
        { "1769857200", INT64_C(1769857200000000), true },
        { "1769857200.5", INT64_C(1769857200500000), true },
        { "1769857200123", INT64_C(1769857200123000), true },
        { "1769857200123456", INT64_C(1769857200123456), true },
        { "1769857200123456789", INT64_C(1769857200123457), true },
        { "1769857200", -1, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct since_value v = value_of(samples[i].json);
        struct since_lag lag = { .is_time = samples[i].is_time };
        int64_t us = -1;

        if (!since_value_us(&v, &lag, &us)) {
            us = -1;
        }
        if (us != samples[i].us) {
            fail_msg("%s: %lld, want %lld", samples[i].json, (long long)us,
                     (long long)samples[i].us);
        }
    }
}

static void typed__is_a_number_or_a_text(void **state)
{
    struct since_value v;

    (void)state;
    assert_true(since_value_parse_typed(STR("2026-01-31"), &v));
    assert_string_equal(v.json, "\"2026-01-31\"");
    assert_true(since_value_parse_typed(STR("120"), &v));
    assert_string_equal(v.json, "120");
    assert_false(since_value_parse_typed(STR("yesterday"), &v));
    assert_false(since_value_parse_typed(STR("null"), &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__refuses__what_is_no_value),
        cmocka_unit_test(compare__goes_by_what_is_meant__not_by_letters),
        cmocka_unit_test(back__keeps_the_form),
        cmocka_unit_test(us__tells_when_it_is),
        cmocka_unit_test(typed__is_a_number_or_a_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
