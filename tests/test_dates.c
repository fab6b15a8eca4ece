/* Days that are counted: in words, by steps, over the ends of months and years. */
#include "job/dates.h"

#include "base/zone.h"

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

static enum result parse(struct dates *dates, const char *from, const char *to, const char *step,
                         int64_t today, struct err *err)
{
    const struct dates_given given = {
        .from = str_view(from), .to = str_view(to), .step = str_view(step), .now_s = today * 86400
    };

    return dates_parse(dates, &given, err);
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

        assert_int_equal(
            parse(&dates, cases[i].from, cases[i].to, cases[i].step, day_of(cases[i].today), &err),
            RESULT_OK);
        assert_int_equal(dates.count, cases[i].count);
        assert_string_equal(text_of(dates_utc(&dates, dates.count - 1, DATES_BEGIN) / 86400),
                            cases[i].last);
    }
}

static void range__that_ends_before_it_begins__is_refused(void **state)
{
    struct dates dates;
    struct err err;

    (void)state;
    assert_int_equal(parse(&dates, "today", "yesterday", "1d", 20000, &err), RESULT_INVALID);
    assert_string_equal(err.text, "\"to\" is before \"from\"");
    assert_int_equal(parse(&dates, "2026-12-01", "month-start", "1d", day_of("2026-11-30"), &err),
                     RESULT_INVALID);
    assert_int_equal(parse(&dates, "2026-11-30T06:00:00Z", "2026-11-30T06:00:00Z", "1h", 0, &err),
                     RESULT_INVALID);
    assert_string_equal(err.text, "\"to\" is not after \"from\"");
    assert_int_equal(parse(&dates, "-6h", "today", "1d", 20000, &err), RESULT_INVALID);
    assert_non_null(strstr(err.text,
                           "\"from\" is a time, but \"step\" goes by days: give a \"step\" "
                           "such as \"1h\""));
    assert_int_equal(parse(&dates, "-6d", "2026-11-30T06:00:00Z", "1d", 20000, &err),
                     RESULT_INVALID);
    assert_non_null(strstr(err.text, "\"to\" is a time"));
}

static void assert_shows(const struct zone *zone, int64_t utc_s, const char *format,
                         const char *want)
{
    struct buf text = { 0 };

    assert_int_equal(dates_format(zone, utc_s, str_view(format), &text), RESULT_OK);
    assert_string_equal(buf_cstr(&text), want);
    buf_release(&text);
}

static void hours__go_by_the_clock__to_a_day_that_is_included(void **state)
{
    struct dates dates;
    struct err err;

    (void)state;
    assert_int_equal(parse(&dates, "2026-01-31", "2026-01-31", "6h", 0, &err), RESULT_OK);
    assert_int_equal(dates.count, 4);
    assert_shows(NULL, dates_utc(&dates, 3, DATES_BEGIN), "%Y-%m-%dT%H:%M:%SZ",
                 "2026-01-31T18:00:00Z");
    assert_shows(NULL, dates_utc(&dates, 3, DATES_NEXT), "%Y-%m-%d %H", "2026-02-01 00");
    assert_shows(NULL, dates_utc(&dates, 3, DATES_LAST), "%H:%M:%S", "23:59:59");
    assert_true(str_equal(dates_usual_format(&dates), STR("%Y-%m-%dT%H:%M:%SZ")));
    /* a moment is where the last one ends, be it a whole step or not */
    assert_int_equal(
        parse(&dates, "2026-01-31T00:30:00Z", "2026-01-31T02:00:00+01:00", "15min", 0, &err),
        RESULT_OK);
    assert_int_equal(dates.count, 2);
    assert_int_equal(
        parse(&dates, "2026-01-31T00:00:00Z", "2026-01-31T00:20:00Z", "15min", 0, &err), RESULT_OK);
    assert_int_equal(dates.count, 2);
    assert_shows(NULL, dates_utc(&dates, 1, DATES_NEXT), "%H:%M", "00:20");
}

static void hours__in_words__count_from_the_present_one(void **state)
{
    struct dates_given given = { .from = STR("-6h"), .to = STR("hour-start"), .step = STR("1h") };
    struct dates dates;
    struct err err;

    (void)state;
    given.now_s = 1796061825; /* 2026-11-30T18:03:45Z */
    assert_int_equal(dates_parse(&dates, &given, &err), RESULT_OK);
    assert_int_equal(dates.count, 6);
    assert_shows(NULL, dates_utc(&dates, 0, DATES_BEGIN), "%H:%M", "12:00");
    assert_shows(NULL, dates_utc(&dates, 5, DATES_NEXT), "%H:%M", "18:00");
    given.from = STR("-90min"); /* of the present minute */
    assert_int_equal(dates_parse(&dates, &given, &err), RESULT_OK);
    assert_shows(NULL, dates_utc(&dates, 0, DATES_BEGIN), "%H:%M", "16:33");
    assert_true(dates_is_word(STR("-6h")) && dates_is_word(STR("hour-start")));
    given.step = STR("1d"); /* days have no hours */
    assert_int_equal(dates_parse(&dates, &given, &err), RESULT_INVALID);
}

static void days__begin_at_midnight_of_their_zone(void **state)
{
    struct dates_given given = { .from = STR("2026-03-28"),
                                 .to = STR("2026-03-30"),
                                 .step = STR("1d") };
    struct zone *zone;
    struct dates dates;
    struct err err;

    (void)state;
    if (zone_open(&zone, STR("Europe/Berlin"), &err) != RESULT_OK) {
        skip(); /* no tzdata here */
    }
    given.zone = zone;
    assert_int_equal(dates_parse(&dates, &given, &err), RESULT_OK);
    assert_shows(NULL, dates_utc(&dates, 0, DATES_BEGIN), "%Y-%m-%dT%H", "2026-03-27T23");
    assert_shows(NULL, dates_utc(&dates, 2, DATES_BEGIN), "%Y-%m-%dT%H",
                 "2026-03-29T22"); /* summer time */
    assert_shows(zone, dates_utc(&dates, 2, DATES_BEGIN), "%Y-%m-%dT%H%z", "2026-03-30T00+02:00");
    assert_int_equal(dates_utc(&dates, 1, DATES_NEXT) - 1 - dates_utc(&dates, 1, DATES_BEGIN),
                     23 * 3600 - 1);
    given.step = STR("1h"); /* that day has 23 of them */
    given.from = given.to = STR("2026-03-29");
    assert_int_equal(dates_parse(&dates, &given, &err), RESULT_OK);
    assert_int_equal(dates.count, 23);
    given.from = given.to = STR("today"); /* at 23:30 UTC it is the next day there */
    given.now_s = 1774740600;
    given.step = STR("1d");
    assert_int_equal(dates_parse(&dates, &given, &err), RESULT_OK);
    assert_shows(zone, dates_utc(&dates, 0, DATES_BEGIN), "%Y-%m-%d", "2026-03-29");
    zone_free(zone);
}

static void halves__are_days_by_the_calendar__and_seconds_by_the_clock(void **state)
{
    struct dates dates;
    struct dates_window window, halves[2];
    struct err err;
    unsigned depth = 0;

    (void)state;
    assert_int_equal(parse(&dates, "2026-02-01", "2026-02-28", "1mo", 0, &err), RESULT_OK);
    window = dates_window(&dates, 0);
    assert_true(dates_halve(&dates, &window, halves));
    assert_shows(NULL, halves[0].begin_s, "%Y-%m-%d", "2026-02-01");
    assert_shows(NULL, halves[0].next_s, "%Y-%m-%dT%H:%M:%S", "2026-02-15T00:00:00");
    assert_shows(NULL, dates_window_utc(&dates, &halves[0], DATES_LAST), "%Y-%m-%d", "2026-02-14");
    assert_int_equal(halves[1].begin_s, halves[0].next_s);
    assert_int_equal(halves[1].next_s, window.next_s);
    for (window = halves[1]; dates_halve(&dates, &window, halves); window = halves[1]) {
        assert_int_equal(halves[1].begin_s % 86400, 0);
        depth++;
    }
    assert_int_equal(depth, 4); /* 14 days: 7, 4, 2, 1 */
    assert_int_equal(window.next_s - window.begin_s, 86400);
    assert_int_equal(parse(&dates, "2026-02-01T00:00:00Z", "2026-02-01T06:00:00Z", "6h", 0, &err),
                     RESULT_OK);
    window = dates_window(&dates, 0);
    for (depth = 0; dates_halve(&dates, &window, halves); window = halves[0]) {
        assert_int_equal(halves[0].next_s, halves[1].begin_s);
        depth++;
    }
    assert_int_equal(window.next_s - window.begin_s, 1);
    assert_int_equal(depth, 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words__count_from_the_day_that_is_given),
        cmocka_unit_test(what_is_no_day__is_refused),
        cmocka_unit_test(steps__go_from_one_day_to_another__in_words_or_not),
        cmocka_unit_test(range__that_ends_before_it_begins__is_refused),
        cmocka_unit_test(hours__go_by_the_clock__to_a_day_that_is_included),
        cmocka_unit_test(hours__in_words__count_from_the_present_one),
        cmocka_unit_test(days__begin_at_midnight_of_their_zone),
        cmocka_unit_test(halves__are_days_by_the_calendar__and_seconds_by_the_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
