#include "plan/since.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define NOON_US (INT64_C(1577880000) * (int64_t)US_PER_S) /* 2020-01-01T12:00:00Z */

static struct since_seen read_body(const char *start, bool lag_is_time, const char *vars,
                                   const char *body)
{
    struct job_endpoint endpoint = { .records = (char[]){ "/items" },
                                     .since = { .at = (char[]){ "/t" },
                                                .lag.is_time = lag_is_time } };
    struct since_seen seen;

    assert_true(since_value_parse(str_view(start), &endpoint.since.start));
    since_read(&endpoint, vars ? str_view(vars) : STR_NONE, str_view(body), NOON_US, &seen);
    return seen;
}

static void read__finds_the_latest__in_any_order(void **state)
{
    struct since_seen seen = read_body(
        "\"2019-01-01\"", false, NULL,
        "{\"items\":[{\"t\":\"2019-05-01T00:00:00Z\"},{\"t\":\"2019-05-01T01:00:00+00:00\"},"
        "{\"t\":\"2019-05-01T02:00:00+02:00\"}]}");

    (void)state;
    assert_true(seen.has_latest);
    assert_string_equal(seen.latest.json, "\"2019-05-01T01:00:00+00:00\"");
    assert_int_equal(seen.records, 3);
    assert_int_equal(seen.without + seen.odd + seen.ahead, 0);
}

static void read__leaves_out__what_is_none__or_lies_ahead(void **state)
{
    struct since_seen seen = read_body(
        "\"2019-01-01\"", false, NULL,
        "{\"items\":[{\"t\":null},{},{\"t\":5},{\"t\":\"soon\"},{\"t\":\"2020-01-01T11:59:59Z\"},"
        "{\"t\":\"2020-01-01T12:00:01Z\"},{\"t\":\"2099-01-01\"}]}");

    (void)state;
    assert_string_equal(seen.latest.json, "\"2020-01-01T11:59:59Z\"");
    assert_int_equal(seen.records, 7);
    assert_int_equal(seen.without, 2);
    assert_int_equal(seen.odd, 2);
    assert_string_equal(seen.example, "5");
    assert_int_equal(seen.ahead, 1); /* a second is a clock that is late */
    assert_string_equal(seen.first.json, "\"2099-01-01\"");
}

static void read__knows_numbers_that_are_times(void **state)
{
    static const char body[] = "{\"items\":[{\"t\":1577879999},{\"t\":4070908800}]}";
    struct since_seen times = read_body("0", true, NULL, body);
    struct since_seen ids = read_body("0", false, NULL, body);

    (void)state;
    assert_string_equal(times.latest.json, "1577879999");
    assert_int_equal(times.ahead, 1);
    assert_string_equal(ids.latest.json, "4070908800");
    assert_int_equal(ids.ahead, 0);
}

static void news__is_what_is_as_late_as_was_asked_for(void **state)
{
    static const struct {
        const char *vars, *body;
        bool has_none;
    } samples[] = {
        { "{\"since\":7}", "{\"items\":[{\"t\":6},{\"t\":5}]}", true },
        { "{\"since\":7}", "{\"items\":[{\"t\":6},{\"t\":7}]}", false },
        { "{\"since\":7}", "{\"items\":[{\"t\":null},{\"t\":6}]}", true },
        { "{\"since\":7}", "{\"items\":[{\"t\":null}]}", false }, /* nobody knows */
        { "{\"since\":7}", "{\"items\":[]}", false },
        { "{\"since\":\"x\"}", "{\"items\":[{\"t\":6}]}", false },
        { "{\"city\":7}", "{\"items\":[{\"t\":6}]}", false },
        { NULL, "{\"items\":[{\"t\":6}]}", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct since_seen seen = read_body("0", false, samples[i].vars, samples[i].body);

        if (since_has_no_news(&seen) != samples[i].has_none) {
            fail_msg("%s %s: news %d", samples[i].vars ? samples[i].vars : "", samples[i].body,
                     samples[i].has_none);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__finds_the_latest__in_any_order),
        cmocka_unit_test(read__leaves_out__what_is_none__or_lies_ahead),
        cmocka_unit_test(read__knows_numbers_that_are_times),
        cmocka_unit_test(news__is_what_is_as_late_as_was_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
