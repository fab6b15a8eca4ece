/* Days and moments as text: beside what libc makes of them, and at the ends of what a number holds. */
#include "table/moment_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void check(struct str text, const char *want)
{
    if (text.len != strlen(want) || memcmp(text.data, want, text.len) != 0) {
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(text), want);
    }
}

static void time__is_what_libc_says__from_year_0_to_10000(void **state)
{
    const int64_t first = INT64_C(-62167219200), last = INT64_C(253433923200); /* seconds */
    char text[MOMENT_TEXT_MAX], want[MOMENT_TEXT_MAX], day[MOMENT_TEXT_MAX];

    (void)state;
    for (int64_t second = first; second < last; second += 9876543) {
        int64_t us = ((second % 1000003) + 1000003) % 1000003 % 1000000;
        time_t at = (time_t)second;
        struct tm tm;

        assert_non_null(gmtime_r(&at, &tm));
        snprintf(day, sizeof day, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
        snprintf(want, sizeof want, "%.11sT%02d:%02d:%02d.%06dZ", day, tm.tm_hour, tm.tm_min,
                 tm.tm_sec, (int)us);
        check(moment_text_time(second * 1000000 + us, text), want);
        check(moment_text_day((second - ((second % 86400) + 86400) % 86400) / 86400, text), day);
    }
}

static void time__is_whole__of_years_that_four_digits_do_not_hold(void **state)
{
    char text[MOMENT_TEXT_MAX];

    (void)state;
    check(moment_text_time(INT64_MAX, text), "294247-01-10T04:00:54.775807Z");
    check(moment_text_time(INT64_MIN, text), "-290308-12-21T19:59:05.224192Z");
    check(moment_text_day(-719529, text), "-001-12-31");
    check(moment_text_day(2932896, text), "9999-12-31");
    check(moment_text_day(2932897, text), "10000-01-01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time__is_what_libc_says__from_year_0_to_10000),
        cmocka_unit_test(time__is_whole__of_years_that_four_digits_do_not_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
