#include "plan/retry_after.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define NOW_US (INT64_C(1795234500) * 1000000) /* Sat, 21 Nov 2026 04:15:00 GMT */
#define NOW_DATE STR("Sat, 21 Nov 2026 04:15:00 GMT")
#define EXAMPLE_US (INT64_C(784111777) * 1000000) /* Sun, 06 Nov 1994 08:49:37 GMT */
#define S US_PER_S
#define MS US_PER_MS

struct sample {
    const char *value;
    uint64_t wait_us;
};

static void check(const struct sample *samples, size_t count, uint64_t unit_us)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t wait_us = 1;

        if (!retry_after_read(str_view(samples[i].value), unit_us, NOW_US, &wait_us) ||
            wait_us != samples[i].wait_us) {
            fail_msg("\"%s\": %llu us, want %llu", samples[i].value, (unsigned long long)wait_us,
                     (unsigned long long)samples[i].wait_us);
        }
    }
}

#define CHECK(samples, unit_us) check(samples, sizeof(samples) / sizeof(samples)[0], unit_us)

static void value__is_seconds__as_the_standard_says(void **state)
{
    static const struct sample samples[] = {
        { "0", 0 },
        { "1", 1 * S },
        { "120", 120 * S },
        { " 30 ", 30 * S },
        { "86400", 86400 * S },
        { "0000000000000000000005", 5 * S },
        { "20301231", 20301231 * S },
        { "9223372036854775807", RETRY_AFTER_MAX_US },
        { "9223372036854775808", RETRY_AFTER_MAX_US },
        { "18446744073709551616", RETRY_AFTER_MAX_US },
        { "99999999999999999999", RETRY_AFTER_MAX_US },
        { "Sat, 21 Nov 2026 04:15:30 GMT", 30 * S },
        { "Saturday, 21-Nov-26 04:15:30 GMT", 30 * S },
        { "Sat Nov 21 04:15:30 2026", 30 * S },
        { "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
        { "Sat, 21 Nov 2026 04:15:00 GMT", 0 },
        { "Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_MAX_US },
    };

    (void)state;
    CHECK(samples, S);
}

static void value__is_read__as_servers_really_send_it(void **state)
{
    static const struct sample samples[] = {
        { "2.0", 2 * S },       /* Shopify */
        { "0.352", 352 * MS },  /* rate-limiter-flexible: msBeforeNext / 1000 */
        { "0.3521", 353 * MS }, /* never a part of a millisecond early */
        { "2s", 2 * S },
        { "1m30s", 90 * S },
        { "500ms", 500 * MS },
        { "30 seconds", 30 * S },
        { "PT30S", 30 * S },
        { "00:00:30", 30 * S },
        { "\"30\"", 30 * S },
        { "'30'", 30 * S },
        { "\" 30 \"", 30 * S },
        { "Sat, 21 Nov 2026 04:15:30 UTC", 30 * S },
        { "Sat, 21 Nov 2026 04:15:30 +0000", 30 * S },
        { "Sat, 21 Nov 2026 04:15:30 -0000", 30 * S },
        { "sat, 21 nov 2026 04:15:30 gmt", 30 * S },
        { "21 Nov 2026 04:15:30 GMT", 30 * S },
        { "Sat, 21 Nov 26 04:15:30 GMT", 30 * S },
        { "Sat Nov 21 2026 04:15:30 GMT+0000 (Coordinated Universal Time)", 30 * S },
        { "2026-11-21T04:15:30Z", 30 * S },
        { "2026-11-21T05:15:30+01:00", 30 * S },
        { "2026-11-21 04:15:30 UTC", 30 * S },
        { "2026-11-21T04:15:30.123456789Z", 30123457 },
        { "\"2026-11-21T04:15:30Z\"", 30 * S },
        { "1795234530", 30 * S }, /* a moment: no wait is as long as 57 years */
        { "1795234530.5", 30500 * MS },
        { "1795234530000", 30 * S },
        { "1795234530000000", 30 * S },
        { "1795234530000000000", 30 * S },
        { "1795234530000000001", 30 * S + 1 },
        { "1795234499", 0 },
        { "1000000000", RETRY_AFTER_MAX_US },
    };

    (void)state;
    CHECK(samples, S);
}

static void longest__is_meant__when_there_are_several(void **state)
{
    static const struct sample samples[] = {
        { "30, 30", 30 * S },
        { "1, 3600", 3600 * S },
        { "3600,1", 3600 * S },
        { "30,", 30 * S },
        { ", 30", 30 * S },
        { "x, 30", 30 * S },
        { "30, soon", 30 * S },
        { "\"30\", \"40\"", 40 * S },
        { "120; reason=\"busy\"", 120 * S },
        { "2.5, 500ms", 2500 * MS },
        { "Sat, 21 Nov 2026 04:15:30 GMT, Sat, 21 Nov 2026 04:16:30 GMT", 90 * S },
        { "5, Sat, 21 Nov 2026 04:15:30 GMT", 30 * S },
    };

    (void)state;
    CHECK(samples, S);
}

static void value__counts_in_ms__when_the_name_says_so(void **state)
{
    static const struct sample samples[] = {
        { "1500", 1500 * MS },
        { "0.5", 1 * MS },
        { "86400000", 86400 * S },
        { "4000000000", 4000000 * S }, /* 46 days: still no moment */
        { "1795234530000", 30 * S },
        { "2s", 2 * S },
        { "99999999999999999999", RETRY_AFTER_MAX_US },
    };

    (void)state;
    CHECK(samples, MS);
    assert_int_equal(retry_after_unit_us(STR("Retry-After")), S);
    assert_int_equal(retry_after_unit_us(STR("x-ms-retry-after-ms")), MS);
    assert_int_equal(retry_after_unit_us(STR("X-Retry-After")), S);
    assert_int_equal(retry_after_unit_us(STR("Retry-After-Ms")), MS);
    assert_int_equal(retry_after_unit_us(STR("retry")), 0);
    assert_int_equal(retry_after_unit_us(STR("x-ratelimit-reset")), 0);
    assert_int_equal(retry_after_unit_us(STR_NONE), 0);
}

static void value__is_absent__when_nobody_can_read_it(void **state)
{
    static const char *const samples[] = {
        "",
        "   ",
        "abc",
        "-5",
        "+5",
        "1e3",
        "0x10",
        "2030-01-01",
        "1\x01",
        "\x1b[31m5",
        "\"",
        "\"\"",
        "\"30",
        ",",
        ";30",
        "a, b, c",
        "soon",
        "Sat",
        "Sat, 21 Nov 2026",
        "Sun, 06 Nov 1994 08:49:37 GMT trailing",
        "Sun, 29 Feb 2025 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 10000 08:49:37 GMT",
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        uint64_t wait_us = 0;

        if (retry_after_read(str_view(samples[i]), S, NOW_US, &wait_us)) {
            fail_msg("\"%s\" was taken as %llu us", samples[i], (unsigned long long)wait_us);
        }
    }
}

static void value__is_absent__when_a_nul_stands_within(void **state)
{
    uint64_t wait_us;

    (void)state;
    assert_false(retry_after_parse(STR("12\0"), NOW_DATE, NOW_US, &wait_us));
    assert_false(retry_after_parse(STR_NONE, NOW_DATE, NOW_US, &wait_us));
}

/* Our clock may be wrong by a year: the server's own Date is what its deadline counts from. */
static void moment__counts_from_the_servers_date__when_it_has_one(void **state)
{
    struct str until = STR("Sun, 06 Nov 1994 08:50:37 GMT");
    uint64_t wait_us;

    (void)state;
    assert_true(retry_after_parse(until, STR("Sun, 06 Nov 1994 08:49:37 GMT"), NOW_US, &wait_us));
    assert_int_equal(wait_us, 60 * S);
    assert_true(retry_after_parse(until, STR("Sunday, 06-Nov-94 08:50:07 GMT"), NOW_US, &wait_us));
    assert_int_equal(wait_us, 30 * S);
    assert_true(retry_after_parse(until, STR("no date"), EXAMPLE_US, &wait_us));
    assert_int_equal(wait_us, 60 * S);
    assert_true(retry_after_parse(until, STR_NONE, EXAMPLE_US, &wait_us));
    assert_int_equal(wait_us, 60 * S);
}

static const char *const words[] = {
    "30",
    "2.0",
    "0.35",
    "ms",
    "s",
    "1m30s",
    "Sat,",
    "21",
    "Nov",
    "2026",
    "04:15:30",
    "GMT",
    "UTC",
    "+0000",
    "-",
    "PT5S",
    "\"",
    ",",
    ";",
    "T",
    "Z",
    "9999999999999",
    "P1D",
    "(",
    ")",
    "[",
    "]",
    "\xff",
    "\x01",
    " ",
    "1e9",
    "00:00:09",
    "1795234530",
    ".",
    "..",
    "99999999999999999999999",
    "and",
    "2026-11-21T04:15:30Z",
    "18446744073709551615",
};

/* Words of values in any order, and bytes: never a crash, never more than the ceiling, and a list is at
 * least as long as each of its readable parts. */
static void anything__is_bounded__and_a_list_is_its_longest(void **state)
{
    const size_t count = sizeof words / sizeof words[0];
    uint64_t random = 11;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        char text[160] = "", list[340];
        size_t len = 0;
        uint64_t one = 0, other = 0, both = 0;
        bool has_one, has_other;

        for (int k = 0; k < 1 + i % 6; k++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%s",
                                    words[(random >> 33) % count], random >> 63 ? " " : "");
            assert_true(len < sizeof text);
        }
        has_one = retry_after_read(str_view(text), random & 1 ? S : MS, NOW_US, &one);
        assert_true(!has_one || one <= RETRY_AFTER_MAX_US);
        if (memchr(text, ',', strlen(text)) || memchr(text, ';', strlen(text)) ||
            memchr(text, '"', strlen(text))) {
            continue;
        }
        snprintf(list, sizeof list, "%s, 17", text);
        has_other = retry_after_read(STR("17"), random & 1 ? S : MS, NOW_US, &other);
        assert_true(retry_after_read(str_view(list), random & 1 ? S : MS, NOW_US, &both));
        if (both < other || (has_one && both < one) || !has_other) {
            fail_msg("\"%s\": %llu, but alone %llu", list, (unsigned long long)both,
                     (unsigned long long)one);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value__is_seconds__as_the_standard_says),
        cmocka_unit_test(value__is_read__as_servers_really_send_it),
        cmocka_unit_test(longest__is_meant__when_there_are_several),
        cmocka_unit_test(value__counts_in_ms__when_the_name_says_so),
        cmocka_unit_test(value__is_absent__when_nobody_can_read_it),
        cmocka_unit_test(value__is_absent__when_a_nul_stands_within),
        cmocka_unit_test(moment__counts_from_the_servers_date__when_it_has_one),
        cmocka_unit_test(anything__is_bounded__and_a_list_is_its_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
