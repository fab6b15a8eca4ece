#include "engine/report.h"
#include "engine/report_retries.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct report report;

static int begin(void **state)
{
    (void)state;
    report = (struct report){ .exit = EXIT_INCOMPLETE,
                              .total = 1000,
                              .ok = 998,
                              .failed = 2,
                              .retried = 13,
                              .attempts = 1013,
                              .session_ok = 998,
                              .session_failed = 2,
                              .session_attempts = 1013,
                              .session_429 = 11,
                              .bytes = 123456,
                              .logins = 2,
                              .rows = 5000,
                              .wall_s = 7.04,
                              .cpu_s = 0.5,
                              .io_ratio = 0.93,
                              .requests_per_s = 142.045,
                              .ideal_s = 6.6,
                              .ideal_percent = 94.3,
                              .p50_us = 350000,
                              .p95_us = 420000,
                              .p99_us = 500000,
                              .mean_us = 351000,
                              .cap = 40,
                              .cap_max = 50,
                              .max_in_flight = 50,
                              .peak_per_s = 61,
                              .holds = 4,
                              .hosts_held = 3,
                              .asked_s = 4.5,
                              .backed_off_s = 0.5,
                              .loop_cpu_s = 0.4,
                              .run_dir = "maxsold.run",
                              .tables = { { "csv", "maxsold.run/maxsold.csv" } },
                              .table_count = 1 };
    report.status[200] = 998;
    report.status[404] = 2;
    report.status[429] = 11;
    report.status[0] = 2;
    report.failures[0] = (struct report_failure){ .why = { FAILURE_STATUS, 404 },
                                                  .count = 2,
                                                  .example = "GET /\"x\"" };
    report.failure_count = 1;
    return 0;
}

static void assert_line(const char *want)
{
    struct buf line = { 0 };

    assert_int_equal(report_line(&report, &line), RESULT_OK);
    assert_string_equal(buf_cstr(&line), want);
    buf_release(&line);
}

static void line__is_as_promised(void **state)
{
    (void)state;
    assert_line(
        "998/1000 ok, 2 failed, 13 retried in 7.0s (142 req/s, 94 % of the ideal for cap 50)");
}

static void line__says_nothing_of_an_ideal__when_there_is_none(void **state)
{
    (void)state;
    report.ideal_percent = 0;
    assert_line("998/1000 ok, 2 failed, 13 retried in 7.0s (142 req/s)");
}

static void line__never_passes_the_ideal(void **state)
{
    (void)state;
    report.ideal_percent = 104;
    assert_line(
        "998/1000 ok, 2 failed, 13 retried in 7.0s (142 req/s, 100 % of the ideal for cap 50)");
}

static void line__tells_this_session_apart__when_there_were_others(void **state)
{
    (void)state;
    report.ideal_percent = 0;
    report.session_ok = 160;
    report.session_failed = 1;
    assert_line(
        "998/1000 ok, 2 failed, 13 retried in 7.0s (142 req/s); in this session 160 ok, 1 failed");
}

static void politeness__tells_what_was_asked_of_whom(void **state)
{
    struct buf line = { 0 };

    (void)state;
    assert_int_equal(report_politeness(&report, &line), RESULT_OK);
    assert_string_equal(buf_cstr(&line),
                        "at most 50 in flight, 61/s at peak; 11 429s, 0 requests before a named "
                        "deadline, 3 hosts held, 4.5s waited because a server asked");
    buf_reset(&line);
    report.hosts_held = report.early_requests = report.session_429 = 1;
    assert_int_equal(report_politeness(&report, &line), RESULT_OK);
    assert_string_equal(buf_cstr(&line),
                        "at most 50 in flight, 61/s at peak; 1 429, 1 request before a named "
                        "deadline, 1 host held, 4.5s waited because a server asked");
    buf_reset(&line);
    report.hosts_held = report.early_requests = 0;
    report.session_429 = 11;
    assert_int_equal(report_politeness(&report, &line), RESULT_OK);
    assert_string_equal(buf_cstr(&line), "at most 50 in flight, 61/s at peak; 11 429s, 0 requests "
                                         "before a named deadline");
    buf_release(&line);
}

static void line__writes_rates_as_people_do(void **state)
{
    static const struct {
        double per_s;
        const char *want;
    } samples[] = {
        { 0, "(0.00 req/s)" },      { 0.254, "(0.25 req/s)" },  { 9.994, "(9.99 req/s)" },
        { 9.999, "(10.0 req/s)" },  { 99.94, "(99.9 req/s)" },  { 99.96, "(100 req/s)" },
        { 1234.5, "(1234 req/s)" }, { 26642, "(26642 req/s)" },
    };

    (void)state;
    report.ideal_percent = 0;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct buf line = { 0 };

        report.requests_per_s = samples[i].per_s;
        assert_int_equal(report_line(&report, &line), RESULT_OK);
        if (!strstr(buf_cstr(&line), samples[i].want)) {
            fail_msg("%f: %s", samples[i].per_s, buf_cstr(&line));
        }
        buf_release(&line);
    }
}

static cJSON *read_back(void)
{
    struct buf text = { 0 };
    cJSON *root;

    assert_int_equal(report_json(&report, &text), RESULT_OK);
    assert_int_equal(text.data[text.len - 1], '\n');
    assert_null(memchr(text.data, '\n', text.len - 1));
    root = cJSON_ParseWithLength(text.data, text.len);
    assert_non_null(root);
    buf_release(&text);
    return root;
}

static double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    if (!cJSON_IsNumber(item)) {
        fail_msg("no number \"%s\"", name);
    }
    return item->valuedouble;
}

static void json__has_every_member_that_scripts_rely_on(void **state)
{
    static const struct {
        const char *name;
        double want;
    } members[] = {
        { "requests", 1000 }, { "ok", 998 },        { "failed", 2 },
        { "retried", 13 },    { "rows", 5000 },     { "wall_s", 7.04 },
        { "cpu_s", 0.5 },     { "io_ratio", 0.93 }, { "bytes", 123456 },
        { "ideal_s", 6.6 },   { "cap_max", 50 },    { "max_in_flight", 50 },
        { "exit", 3 },        { "attempts", 1013 }, { "req_per_s", 142.045 },
        { "logins", 2 },
    };
    cJSON *root, *sub;

    (void)state;
    root = read_back();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        assert_true(number(root, members[i].name) == members[i].want);
    }
    sub = cJSON_GetObjectItem(root, "latency_ms");
    assert_true(number(sub, "p50") == 350 && number(sub, "p95") == 420 &&
                number(sub, "p99") == 500);
    sub = cJSON_GetObjectItem(root, "status");
    assert_true(number(sub, "200") == 998 && number(sub, "404") == 2 && number(sub, "none") == 2);
    assert_int_equal(cJSON_GetArraySize(sub), 4);
    sub = cJSON_GetObjectItem(root, "politeness");
    assert_true(number(sub, "requests_before_a_deadline") == 0 && number(sub, "holds") == 4);
    assert_true(number(sub, "held_s") == 4.5 && number(sub, "status_429") == 11);
    assert_string_equal(cJSON_GetObjectItem(root, "csv")->valuestring, "maxsold.run/maxsold.csv");
    assert_string_equal(cJSON_GetObjectItem(root, "run_dir")->valuestring, "maxsold.run");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(root, "parquet")));
    sub = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "failures"), 0);
    assert_string_equal(cJSON_GetObjectItem(sub, "example")->valuestring, "GET /\"x\"");
    assert_null(cJSON_GetObjectItem(root, "stopped_by"));
    cJSON_Delete(root);
}

/* What was measured to the microsecond is not told to the attosecond; what says nothing is null. */
static void json__has_figures_as_they_were_measured(void **state)
{
    struct buf text = { 0 };

    (void)state;
    report.loop_cpu_s = 0.0098423949999999968;
    report.wall_s = 12.34567891;
    report.ideal_s = report.ideal_percent = 0;
    report.limited_s[LIMIT_CAP] = 1.0 / 3;
    report.made_of = 990;
    assert_int_equal(report_json(&report, &text), RESULT_OK);
    assert_non_null(strstr(buf_cstr(&text), "\"loop_cpu_s\":0.009842,"));
    assert_non_null(strstr(buf_cstr(&text), "\"wall_s\":12.346,"));
    assert_non_null(strstr(buf_cstr(&text), "\"CAP\":0.333333}"));
    assert_non_null(strstr(buf_cstr(&text), "\"ideal_s\":null,\"ideal_percent\":null,"));
    assert_non_null(strstr(buf_cstr(&text), "\"made_of\":990,"));
    buf_release(&text);
}

static void json__says_null_and_why__when_there_is_no_table_and_the_run_was_stopped(void **state)
{
    cJSON *root;

    (void)state;
    report.table_count = 0;
    snprintf(report.stopped_by, sizeof report.stopped_by, "stopped by request");
    root = read_back();
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(root, "csv")));
    assert_string_equal(cJSON_GetObjectItem(root, "stopped_by")->valuestring, "stopped by request");
    cJSON_Delete(root);
}

static void retries__are_told_by_what_went_before(void **state)
{
    static const struct failure reset = { FAILURE_CONNECT, 0 }, busy = { FAILURE_STATUS, 503 };
    struct report r = { .session_resent = 26 };
    struct buf line = { 0 };

    (void)state;
    assert_int_equal(report_retries(&(struct report){ .session_resent = 0 }, &line), RESULT_OK);
    assert_int_equal(line.len, 0);
    assert_int_equal(report_retries(&r, &line), RESULT_OK);
    assert_string_equal(buf_cstr(&line),
                        "26 sent once more at once, as a kept connection was lost");
    buf_reset(&line);
    assert_int_equal(report_retries(&(struct report){ .session_refused_streams = 3 }, &line),
                     RESULT_OK);
    assert_string_equal(buf_cstr(&line),
                        "3 sent once more at once, as the server refused a stream");
    buf_reset(&line);
    assert_int_equal(
        report_retries(&(struct report){ .session_resent = 26, .session_split = 9 }, &line),
        RESULT_OK);
    assert_string_equal(
        buf_cstr(&line),
        "26 sent once more at once, as a kept connection was lost; 9 too much for the server, and "
        "asked for in parts");
    buf_reset(&line);
    report_count_retry(r.retries, (struct failure){ FAILURE_NONE, 0 });
    report_count_retry(r.retries, busy);
    report_count_retry(r.retries, reset);
    report_count_retry(r.retries, reset);
    assert_int_equal(report_retries(&r, &line), RESULT_OK);
    assert_string_equal(buf_cstr(&line),
                        "tried again: 2 after a refused or lost connection, 1 after HTTP 503; 26 "
                        "sent once more at once, as a kept connection was lost");
    for (int status = 1; status < 3 * REPORT_RETRIES_MAX; status++) { /* more than there is room */
        report_count_retry(r.retries, (struct failure){ FAILURE_STATUS, status });
    }
    assert_int_equal(r.retries[0].count, 2);
    assert_int_equal(r.retries[REPORT_RETRIES_MAX - 1].count, 1);
    buf_release(&line);
}

static void rules__that_met_nothing_are_named(void **state)
{
    char texts[][24] = { "status=404 do=empty", "status=202 do=again", "status=418 do=stop" };
    struct report_rule rules[] = {
        { .name = "rule 1", .text = texts[0], .count = 12 },
        { .name = "rule 2", .text = texts[1] },
        { .name = "rule 3", .text = texts[2] },
    };
    struct report r = { .attempts = 1, .rules = rules, .rule_count = 3 };
    struct buf lines = { 0 };

    (void)state;
    assert_int_equal(report_rules(&r, &lines), RESULT_OK);
    assert_string_equal(
        buf_cstr(&lines),
        "12 answers met rule 1: status=404 do=empty\n"
        "no answer met rule 2 (status=202 do=again), rule 3 (status=418 do=stop)\n");
    buf_reset(&lines);
    r.attempts = 0; /* nothing was asked, so that says nothing */
    rules[0].count = 0;
    assert_int_equal(report_rules(&r, &lines), RESULT_OK);
    assert_int_equal(lines.len, 0);
    buf_release(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(line__is_as_promised, begin),
        cmocka_unit_test_setup(line__says_nothing_of_an_ideal__when_there_is_none, begin),
        cmocka_unit_test_setup(line__never_passes_the_ideal, begin),
        cmocka_unit_test_setup(line__tells_this_session_apart__when_there_were_others, begin),
        cmocka_unit_test_setup(line__writes_rates_as_people_do, begin),
        cmocka_unit_test_setup(politeness__tells_what_was_asked_of_whom, begin),
        cmocka_unit_test(retries__are_told_by_what_went_before),
        cmocka_unit_test(rules__that_met_nothing_are_named),
        cmocka_unit_test_setup(json__has_every_member_that_scripts_rely_on, begin),
        cmocka_unit_test_setup(json__has_figures_as_they_were_measured, begin),
        cmocka_unit_test_setup(
            json__says_null_and_why__when_there_is_no_table_and_the_run_was_stopped, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
