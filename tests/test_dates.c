/* Days that are counted: in words, by steps, over the ends of months and years. */
#include "job/dates.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int64_t day_of(const char *text)
{
    int64_t day;

    assert_true(dates_parse_day(str_view(text), 0, &day));
    return day;
}

static const char *text_of(int64_t day)
{
    static char text[CLOCK_TEXT_SIZE];

    clock_format_utc(day * INT64_C(86400000000), text);
    text[10] = '\0';
    return text;
}

static void words__count_from_the_day_that_is_given(void **state)
{
    static const struct {
        const char *today, *word, *want;
    } cases[] = {
        { "2026-11-30", "today", "2026-11-30" },      { "2026-03-01", "yesterday", "2026-02-28" },
        { "2024-03-01", "yesterday", "2024-02-29" },  { "2026-01-01", "yesterday", "2025-12-31" },
        { "2026-11-30", "-7d", "2026-11-23" },        { "2026-11-30", "-2w", "2026-11-16" },
        { "2026-03-31", "-1mo", "2026-02-28" },       { "2024-03-31", "-1month", "2024-02-29" },
        { "2026-01-31", "-2months", "2025-11-30" },   { "2026-01-15", "-13mo", "2024-12-15" },
        { "2024-02-29", "-1y", "2023-02-28" },        { "2026-11-30", "month-start", "2026-11-01" },
        { "2026-11-30", "year-start", "2026-01-01" }, { "2026-11-30", "2020-02-02", "2020-02-02" },
        { "2026-11-30", "-100000d", "1753-02-14" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t day;

        assert_true(dates_parse_day(str_view(cases[i].word), day_of(cases[i].today), &day));
        assert_string_equal(text_of(day), cases[i].want);
        assert_int_equal(dates_is_word(str_view(cases[i].word)), cases[i].word[0] != '2');
    }
}

static void what_is_no_day__is_refused(void **state)
{
    static const char *const texts[] = {
        "",           "now",       "Today",      "today ",   "tomorrow", "-",
        "-d",         "-0d",       "7d",         "+7d",      "-7",       "-7x",
        "--7d",       "-1000001d", "-99999y",    "2026-1-1", "-1.5d",    "2026-02-30",
        "0000-01-01", "month",     "monthstart", "20260101",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t day;

        if (dates_parse_day(str_view(texts[i]), 20000, &day)) {
            fail_msg("\"%s\" is taken for %s", texts[i], text_of(day));
        }
    }
}

static void steps__go_from_one_day_to_another__in_words_or_not(void **state)
{
    static const struct {
        const char *from, *to, *step, *today;
        uint64_t count;
        const char *last; /* step */
    } cases[] = {
        { "2026-01-01", "2026-01-03", "1d", "2000-01-01", 3, "2026-01-03" },
        { "-3d", "today", "1d", "2026-03-02", 4, "2026-03-02" },
        { "month-start", "yesterday", "1w", "2026-11-30", 5, "2026-11-29" },
        { "2026-01-31", "2026-05-30", "1mo", "2000-01-01", 4, "2026-04-30" },
        { "-2mo", "today", "1month", "2026-12-31", 3, "2026-12-31" },
        { "today", "today", "1y", "2024-02-29", 1, "2024-02-29" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dates dates;
        struct err err;

        assert_int_equal(dates_parse(&dates, str_view(cases[i].from), str_view(cases[i].to),
                                     str_view(cases[i].step), day_of(cases[i].today), &err),
                         RESULT_OK);
        assert_int_equal(dates.count, cases[i].count);
        assert_string_equal(text_of(dates_at(&dates, dates.count - 1)), cases[i].last);
    }
}

static void range__that_ends_before_it_begins__is_refused(void **state)
{
    struct dates dates;
    struct err err;

    (void)state;
    assert_int_equal(dates_parse(&dates, STR("today"), STR("yesterday"), STR("1d"), 20000, &err),
                     RESULT_INVALID);
    assert_string_equal(err.text, "\"to\" is before \"from\"");
    assert_int_equal(dates_parse(&dates, STR("2026-12-01"), STR("month-start"), STR("1d"),
                                 day_of("2026-11-30"), &err),
                     RESULT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words__count_from_the_day_that_is_given),
        cmocka_unit_test(what_is_no_day__is_refused),
        cmocka_unit_test(steps__go_from_one_day_to_another__in_words_or_not),
        cmocka_unit_test(range__that_ends_before_it_begins__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
