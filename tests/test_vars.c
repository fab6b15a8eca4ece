#include "job/vars.h"

#include "base/zone.h"
#include "job/dates.h"
#include "job/expansion.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/scrapetop-test-XXXXXX";
static struct job_faults faults;

/* Writes DIR/NAME and answers its path, good until the next call. */
static const char *file(const char *name, const char *bytes, size_t len)
{
    static char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
    return path;
}

static void parse(struct job *job, const char *vars, const char *endpoints)
{
    struct buf text = { 0 };
    char path[128];
    struct err err = { .text = "" };

    snprintf(path, sizeof path, "%s/j.json", dir);
    assert_int_equal(buf_printf(&text, "{\"vars\":%s,\"endpoints\":%s}", vars, endpoints),
                     RESULT_OK);
    if (job_file_parse(job, buf_view(&text), path, NULL, &faults, &err) != RESULT_OK) {
        fail_msg("%s", faults.errors[0].text);
    }
    buf_release(&text);
}

#define PLAIN "[{\"url\":\"https://h/\"}]"

static struct vars *open_vars(const char *text)
{
    struct job job;
    struct vars *vars = NULL;
    struct err err = { .text = "" };

    parse(&job, text, PLAIN);
    if (vars_new(&vars, &job, NULL, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
    job_release(&job);
    return vars;
}

static void assert_value(const struct vars *vars, uint64_t index, struct str field,
                         const char *want)
{
    struct buf out = { 0 };

    assert_int_equal(vars_value(vars, 0, index, field, &out), RESULT_OK);
    assert_string_equal(buf_cstr(&out), want);
    buf_release(&out);
}

static void patterns__give_numbers__when_they_are_plain_ranges(void **state)
{
    struct vars *vars = open_vars("{\"a\":\"[8-12:2]\"}");

    (void)state;
    assert_int_equal(vars_count(vars, 0), 3);
    assert_value(vars, 2, STR_NONE, "12");
    vars_free(vars);
    vars = open_vars("{\"a\":\"[098-101]\"}");
    assert_value(vars, 0, STR_NONE, "\"098\"");
    assert_value(vars, 3, STR_NONE, "\"101\"");
    vars_free(vars);
    vars = open_vars("{\"a\":\"{x,y}-[1-2]\"}");
    assert_int_equal(vars_count(vars, 0), 4);
    assert_value(vars, 3, STR_NONE, "\"y-2\"");
    assert_false(vars_has_field(vars, 0, STR("x")));
    vars_free(vars);
    vars = open_vars("{\"a\":\"[1-2][3-4]\"}");
    assert_value(vars, 0, STR_NONE, "\"13\"");
    vars_free(vars);
}

static void lists__keep_values_as_written(void **state)
{
    struct vars *vars = open_vars("{\"a\":[\"x\\u00e9\", 12345678901234567890, true]}");

    (void)state;
    assert_int_equal(vars_count(vars, 0), 3);
    assert_value(vars, 0, STR_NONE, "\"x\\u00e9\"");
    assert_value(vars, 1, STR_NONE, "12345678901234567890");
    vars_free(vars);
}

static void csv__is_read__with_quotes_and_line_breaks(void **state)
{
    static const char text[] =
        "\xEF\xBB\xBFid,\"last name\",c\r\n1,\"a \"\"b\"\", \nc\",x\r\n\r\n2,,\"\"";
    struct vars *vars;

    (void)state;
    file("a.csv", text, sizeof text - 1);
    vars = open_vars("{\"a\":{\"file\":\"a.csv\"}}");
    assert_int_equal(vars_count(vars, 0), 2);
    assert_value(vars, 0, STR("id"), "\"1\"");
    assert_value(vars, 0, STR("last name"), "\"a \\\"b\\\", \\nc\"");
    assert_value(vars, 0, STR("c"), "\"x\"");
    assert_value(vars, 1, STR("last name"), "\"\"");
    assert_value(vars, 1, STR("c"), "\"\"");
    assert_true(vars_has_field(vars, 0, STR("c")));
    assert_false(vars_has_field(vars, 0, STR("d")));
    assert_false(vars_has_field(vars, 0, STR_NONE));
    assert_true(str_equal(vars_field(vars, 0, 1), STR("last name")));
    assert_null(vars_field(vars, 0, 3).data);
    vars_free(vars);
    file("a.tsv", "id\tb\n1\tx,y\n", 11);
    vars = open_vars("{\"a\":{\"file\":\"a.tsv\"}}");
    assert_value(vars, 0, STR("b"), "\"x,y\"");
    vars_free(vars);
}

static void json_lines_and_texts__are_read__by_their_ending(void **state)
{
    static const char lines[] =
        "{\"id\": 90071992547409931, \"a\": {\"b\": \"c\"}, \"n\": null}\n\n"
        "{\"id\": \"x\"}\r\n";
    struct vars *vars;
    struct buf out = { 0 };

    (void)state;
    file("a.jsonl", lines, sizeof lines - 1);
    vars = open_vars("{\"a\":{\"file\":\"a.jsonl\"}}");
    assert_int_equal(vars_count(vars, 0), 2);
    assert_value(vars, 0, STR("id"), "90071992547409931");
    assert_value(vars, 0, STR("a.b"), "\"c\"");
    assert_int_equal(vars_value(vars, 0, 0, STR("n"), &out), RESULT_NOT_FOUND);
    assert_int_equal(vars_value(vars, 0, 1, STR("a.b"), &out), RESULT_NOT_FOUND);
    vars_free(vars);
    file("b", "7\n\"x\"\n", 6);
    vars = open_vars("{\"a\":{\"file\":\"b\"}}");
    assert_value(vars, 0, STR_NONE, "7");
    assert_value(vars, 1, STR_NONE, "\"x\"");
    vars_free(vars);
    file("c.txt", "7\n new york \n", 13);
    vars = open_vars("{\"a\":{\"file\":\"c.txt\"}}");
    assert_value(vars, 0, STR_NONE, "\"7\"");
    assert_value(vars, 1, STR_NONE, "\"new york\"");
    vars_free(vars);
    buf_release(&out);
}

static void files__are_refused__line_by_line(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t len;
        const char *code, *want;
        size_t bad;
    } cases[] = {
        { "bad.csv", "a,b\n1\n2,3,4\n5,6\n7\n", 18, "E-IN1", "bad.csv: 3 bad lines", 3 },
        { "bad.csv", "a,b\n1,\"x\n", 9, "E-IN1", "bad.csv:2: a quote or a NUL", 1 },
        { "bad.csv", "a,b\n1,\0\n", 8, "E-IN1", "bad.csv:2: a quote or a NUL", 1 },
        { "bad.csv", "a\n\"x\"y\n", 7, "E-IN1", "bad.csv:2: a quote or a NUL", 1 },
        { "bad.csv", "a,b\n", 4, "E-IN2", "no values in", 0 },
        { "bad.csv", "", 0, "E-IN2", "no values in", 0 },
        { "bad.jsonl", "{}\n{\"a\":}\n", 10, "E-IN1", "bad.jsonl:2: ", 1 },
        { "bad.txt", "a\nb\0\n", 5, "E-IN1", "bad.txt:2: holds a NUL", 1 },
        /* Windows-1252, as Excel writes it; each line is named. */
        { "bad.csv", "id,city\n1,Bern\n2,Z\xFCrich\n", 24, "E-IN1", "bad.csv:3: is not UTF-8", 1 },
        { "bad.csv", "id,city\n1,\"B\nZ\xFCrich\"\n", 21, "E-IN1", "bad.csv:3: is not UTF-8", 1 },
        { "bad.csv", "id,gr\xF6sse\n1,2\n", 13, "E-IN1", "bad.csv:1: is not UTF-8", 0 },
        { "bad.tsv", "id\n\xE4\n\xF6\n", 7, "E-IN1", "bad.tsv: 2 bad lines", 2 },
        { "bad.txt", "Bern\nZ\xFCrich", 11, "E-IN1", "bad.txt:2: is not UTF-8", 1 },
        { "bad.jsonl", "{\"a\":1}\n{\"a\":\"\xFC\"}", 17, "E-IN1", "bad.jsonl:2: is not UTF-8", 1 },
        { "bad.txt", "a\n\xC3", 3, "E-IN1", "bad.txt:2: is not UTF-8", 1 }, /* half a letter */
        { "bad.csv",
          "\xFF\xFE"
          "a\0\n\0"
          "1\0",
          8, "E-IN1", "bad.csv:1: is UTF-16: save", 0 },
        { "bad.txt", "\xFE\xFF\0a", 4, "E-IN1", "bad.txt:1: is UTF-16: save", 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        struct job job;
        struct vars *vars;
        struct err err = { .text = "" };

        file(cases[i].name, cases[i].bytes, cases[i].len);
        snprintf(text, sizeof text, "{\"v\":{\"file\":\"%s\"}}", cases[i].name);
        parse(&job, text, PLAIN);
        assert_int_equal(vars_new(&vars, &job, &faults, &err), RESULT_INVALID);
        if (strcmp(err.code, cases[i].code) != 0 || !strstr(err.text, cases[i].want) ||
            faults.count != cases[i].bad) {
            fail_msg("%zu: want \"%s\", got %s \"%s\" (%zu)", i, cases[i].want, err.code, err.text,
                     faults.count);
        }
        job_release(&job);
    }
}

static void files__must_be_what_they_were__when_the_job_knows_their_checksum(void **state)
{
    struct job job;
    struct vars *vars;
    struct err err;

    (void)state;
    file("a.txt", "1\n2\n", 4);
    parse(&job, "{\"v\":{\"file\":\"a.txt\"}}", PLAIN);
    assert_int_equal(vars_new(&vars, &job, NULL, &err), RESULT_OK);
    job.vars[0].crc32c = vars_crc32c(vars, 0);
    job.vars[0].has_crc32c = true;
    vars_free(vars);
    assert_int_equal(vars_new(&vars, &job, NULL, &err), RESULT_OK);
    vars_free(vars);
    file("a.txt", "1\n3\n", 4);
    assert_int_equal(vars_new(&vars, &job, NULL, &err), RESULT_INVALID);
    assert_string_equal(err.code, "E-IN5");
    job_release(&job);
}

static void dates__step_by_days_weeks_and_months(void **state)
{
    struct vars *vars;

    (void)state;
    vars = open_vars("{\"a\":{\"from\":\"2024-02-27\",\"to\":\"2024-03-02\",\"step\":\"1d\"}}");
    assert_int_equal(vars_count(vars, 0), 5);
    assert_value(vars, 2, STR_NONE, "\"2024-02-29\"");
    assert_value(vars, 2, STR("last"), "\"2024-02-29\"");
    assert_value(vars, 2, STR("next"), "\"2024-03-01\"");
    vars_free(vars);
    vars = open_vars("{\"a\":{\"from\":\"2026-01-01\",\"to\":\"2026-01-16\",\"step\":\"2w\"}}");
    assert_int_equal(vars_count(vars, 0), 2);
    assert_value(vars, 0, STR("last"), "\"2026-01-14\"");
    assert_value(vars, 1, STR("last"), "\"2026-01-16\"");
    assert_value(vars, 1, STR("next"), "\"2026-01-17\"");
    vars_free(vars);
    vars = open_vars("{\"a\":{\"from\":\"2023-12-31\",\"to\":\"2024-03-31\",\"step\":\"1month\"}}");
    assert_int_equal(vars_count(vars, 0), 4);
    assert_value(vars, 2, STR_NONE, "\"2024-02-29\"");
    assert_value(vars, 3, STR_NONE, "\"2024-03-31\"");
    vars_free(vars);
    vars = open_vars("{\"a\":{\"from\":\"2026-01-01\",\"to\":\"2026-01-01\",\"format\":"
                     "\"%d.%m.%y %j %s %%\"}}");
    assert_value(vars, 0, STR_NONE, "\"01.01.26 001 1767225600 %\"");
    vars_free(vars);
}

static void dates__give_windows_of_hours__also_as_numbers(void **state)
{
    struct vars *vars;

    (void)state;
    vars = open_vars("{\"a\":{\"from\":\"2026-01-01\",\"to\":\"2026-01-02\",\"step\":\"12h\"}}");
    assert_int_equal(vars_count(vars, 0), 4);
    assert_value(vars, 1, STR_NONE, "\"2026-01-01T12:00:00Z\"");
    assert_value(vars, 1, STR("last"), "\"2026-01-01T23:59:59Z\"");
    assert_value(vars, 1, STR("epoch"), "1767268800");
    assert_value(vars, 1, STR("next.epoch"), "1767312000");
    assert_value(vars, 1, STR("last.epoch_ms"), "1767311999999");
    assert_true(vars_has_field(vars, 0, STR("next.epoch_ms")));
    assert_false(vars_has_field(vars, 0, STR("next.hour")));
    vars_free(vars);
    vars = open_vars("{\"a\":{\"from\":\"2026-01-01\",\"to\":\"2026-01-02\",\"step\":\"1d\"}}");
    assert_value(vars, 0, STR("epoch"), "1767225600");
    assert_value(vars, 0, STR("last.epoch"), "1767311999");
    vars_free(vars);
}

static void dates__are_those_of_their_zone(void **state)
{
    struct vars *vars;
    struct err err;
    struct zone *zone;

    (void)state;
    if (zone_open(&zone, STR("Europe/Berlin"), &err) != RESULT_OK) {
        skip(); /* no tzdata here */
    }
    zone_free(zone);
    vars = open_vars("{\"a\":{\"from\":\"2026-03-29\",\"to\":\"2026-03-29\",\"step\":\"12h\","
                     "\"zone\":\"Europe/Berlin\"}}");
    assert_int_equal(vars_count(vars, 0), 2);
    assert_value(vars, 1, STR_NONE, "\"2026-03-29T13:00:00+02:00\"");
    assert_value(vars, 1, STR("next"), "\"2026-03-30T00:00:00+02:00\"");
    vars_free(vars);
}

static void instants__are_read_and_written_in_utc(void **state)
{
    static const struct {
        const char *text, *back;
    } good[] = { { "2026-11-21T04:15:00Z", "2026-11-21T04:15:00Z" },
                 { "2026-11-21T01:15:00+02:00", "2026-11-20T23:15:00Z" },
                 { "2026-11-21 22:15:00-02:30", "2026-11-22T00:45:00Z" },
                 { "2026-11-21T04:15:00+0200", "2026-11-21T02:15:00Z" },
                 { "2026-11-21T04:15Z", "2026-11-21T04:15:00Z" },
                 { "2024-02-29", "2024-02-29T00:00:00Z" } };
    static const char *const bad[] = { "",
                                       "2026-11-21T04:15:00",
                                       "2026-11-21T24:15:00Z",
                                       "2026-11-21T04:15:00X",
                                       "2025-02-29",
                                       "26-11-21",
                                       "0000-11-21",
                                       "2026-11-21T04:15:00-" };
    char text[DATES_INSTANT_MAX];
    int64_t us;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(dates_parse_instant(str_view(good[i].text), &us, NULL), RESULT_OK);
        dates_format_instant(us, text);
        assert_string_equal(text, good[i].back);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(dates_parse_instant(str_view(bad[i]), &us, NULL), RESULT_INVALID);
    }
}

/* --- expansion -------------------------------------------------------------------------------------- */

struct plan {
    struct job job;
    struct vars *vars;
    struct expansion *x;
    struct expansion_texts texts;
};

static void plan_open(struct plan *p, const char *vars, const char *endpoints)
{
    struct err err = { .text = "" };

    *p = (struct plan){ .x = NULL };
    parse(&p->job, vars, endpoints);
    if (vars_new(&p->vars, &p->job, NULL, &err) != RESULT_OK ||
        expansion_new(&p->x, &p->job, 0, p->vars, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
}

static void plan_close(struct plan *p)
{
    expansion_texts_release(&p->texts);
    expansion_free(p->x);
    vars_free(p->vars);
    job_release(&p->job);
}

static void assert_request(struct plan *p, uint64_t index, const char *key, const char *url,
                           const char *body, const char *vars)
{
    struct err err = { .text = "" };

    if (expansion_read(p->x, index, &p->texts, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
    assert_string_equal(buf_cstr(&p->texts.key), key);
    assert_string_equal(buf_cstr(&p->texts.url), url);
    assert_string_equal(buf_cstr(&p->texts.body), body);
    assert_string_equal(buf_cstr(&p->texts.vars), vars);
}

static void expansion__varies_the_last_named_fastest(void **state)
{
    struct plan p;

    (void)state;
    plan_open(&p, "{\"id\":\"[1-3]\",\"city\":[\"a b\",\"c\"],\"unused\":\"[1-1000]\"}",
              "[{\"url\":\"https://h/{city}/{id}?again={city}\",\"json\":{\"id\":\"{id}\"}}]");
    assert_int_equal(expansion_count(p.x), 6);
    assert_request(&p, 0, "a b,1", "https://h/a%20b/1?again=a%20b", "{\"id\":1}",
                   "{\"city\":\"a b\",\"id\":1}");
    assert_request(&p, 5, "c,3", "https://h/c/3?again=c", "{\"id\":3}",
                   "{\"city\":\"c\",\"id\":3}");
    assert_request(&p, 2, "a b,3", "https://h/a%20b/3?again=a%20b", "{\"id\":3}",
                   "{\"city\":\"a b\",\"id\":3}");
    plan_close(&p);
}

static void expansion__is_one__without_variables(void **state)
{
    struct plan p;

    (void)state;
    plan_open(&p, "{\"id\":\"[1-3]\"}", "[{\"url\":\"https://h/a/b?token=x\"}]");
    assert_int_equal(expansion_count(p.x), 1);
    assert_request(&p, 0, "a/b?token=***", "https://h/a/b?token=x", "", "");
    plan_close(&p);
}

static void expansion__holds_what_later_endpoints_need(void **state)
{
    struct plan p;

    (void)state;
    file("a.csv", "id,name\n1,x\n2,y\n", 16);
    plan_open(&p, "{\"row\":{\"file\":\"a.csv\"},\"n\":\"[1-2]\"}",
              "[{\"name\":\"a\",\"url\":\"https://h/{row.id}\",\"with\":[\"n\"]},"
              "{\"name\":\"b\",\"url\":\"https://h/{a.id}\",\"with\":[\"row.name\"]}]");
    assert_int_equal(expansion_count(p.x), 4);
    assert_request(&p, 3, "2,2", "https://h/2", "",
                   "{\"row.id\":\"2\",\"n\":2,\"row.name\":\"y\"}");
    plan_close(&p);
}

static void check__tells_what_no_request_can_be_made_of(void **state)
{
    static const struct {
        const char *vars, *url, *code, *want;
        size_t count;
    } cases[] = {
        { "{\"v\":{\"file\":\"c.csv\"}}", "https://h/{v.idd}", "E-CFG5",
          "{v.idd}: no such field (did you mean \"id\"?)", 1 },
        { "{\"v\":{\"file\":\"c.csv\"}}", "https://h/{v}", "E-CFG5",
          "{v} is a file with columns; want one of them, as in {v.id}", 1 },
        { "{\"v\":\"[1-3]\"}", "https://h/{v.x}", "E-CFG5", "{v.x}: v has no such field", 1 },
        { "{\"v\":{\"file\":\"c.jsonl\"}}", "https://h/{v.id}", "E-TPL2",
          "{v.id} has no value in row 2 of", 1 },
        { "{\"v\":[\"a\",\"a\\nb\"]}",
          "https://h/\",\"headers\":{\"X-A\":\"{v}\"},\"method\":\"GET", "E-HDR2",
          "value 2 of \"v\": {v}: line break not allowed", 1 },
        { "{\"v\":{\"file\":\"c.csv\"}}", "{v.id}", "E-CFG5", "endpoint \"j\": 2 mistakes", 2 },
        { "{\"v\":[\"ok\",\"..\"]}", "https://h/{v}", "E-TPL3", "value 2 of \"v\": {v}: the value",
          1 },
        { "{\"a\":\"[1-9]\",\"v\":[\"https://h/\",\"http:///x\"]}", "{v}?{a}", "E-URL4",
          "value 2 of \"v\": ", 1 },
    };

    (void)state;
    file("c.csv", "id\n1\n2\n", 7);
    file("c.jsonl", "{\"id\":1}\n{\"id\":null}\n", 21);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char endpoints[128];
        struct plan p;
        struct err err = { .text = "" };

        snprintf(endpoints, sizeof endpoints, "[{\"url\":\"%s\"}]", cases[i].url);
        plan_open(&p, cases[i].vars, endpoints);
        assert_int_not_equal(expansion_check(p.x, &faults, &err), RESULT_OK);
        if (strcmp(err.code, cases[i].code) != 0 || !strstr(err.text, cases[i].want) ||
            faults.count != cases[i].count) {
            fail_msg("%zu: want \"%s\", got %s \"%s\" (%zu)", i, cases[i].want, err.code, err.text,
                     faults.count);
        }
        plan_close(&p);
    }
}

static void check__tries_values__not_combinations(void **state)
{
    struct plan p;

    (void)state;
    plan_open(&p, "{\"a\":\"[1-1000000000]\",\"b\":\"[1-1000000000]\"}",
              "[{\"url\":\"https://h/{a}/{b}\"}]");
    assert_true(expansion_count(p.x) == UINT64_C(1000000000000000000));
    assert_int_equal(expansion_check(p.x, NULL, NULL), RESULT_OK);
    assert_request(&p, UINT64_C(999999999999999999), "1000000000,1000000000",
                   "https://h/1000000000/1000000000", "", "{\"a\":1000000000,\"b\":1000000000}");
    plan_close(&p);
}

static void expansion__refuses__more_than_can_be_counted(void **state)
{
    struct job job;
    struct vars *vars;
    struct expansion *x;
    struct err err;

    (void)state;
    parse(&job, "{\"a\":\"[1-10000000000]\",\"b\":\"[1-10000000000]\"}",
          "[{\"url\":\"https://h/{a}/{b}\"}]");
    assert_int_equal(vars_new(&vars, &job, NULL, &err), RESULT_OK);
    assert_int_equal(expansion_new(&x, &job, 0, vars, &err), RESULT_LIMIT);
    assert_string_equal(err.code, "E-GLOB3");
    vars_free(vars);
    job_release(&job);
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns__give_numbers__when_they_are_plain_ranges),
        cmocka_unit_test(lists__keep_values_as_written),
        cmocka_unit_test(csv__is_read__with_quotes_and_line_breaks),
        cmocka_unit_test(json_lines_and_texts__are_read__by_their_ending),
        cmocka_unit_test(files__are_refused__line_by_line),
        cmocka_unit_test(files__must_be_what_they_were__when_the_job_knows_their_checksum),
        cmocka_unit_test(dates__step_by_days_weeks_and_months),
        cmocka_unit_test(dates__give_windows_of_hours__also_as_numbers),
        cmocka_unit_test(dates__are_those_of_their_zone),
        cmocka_unit_test(instants__are_read_and_written_in_utc),
        cmocka_unit_test(expansion__varies_the_last_named_fastest),
        cmocka_unit_test(expansion__is_one__without_variables),
        cmocka_unit_test(expansion__holds_what_later_endpoints_need),
        cmocka_unit_test(check__tells_what_no_request_can_be_made_of),
        cmocka_unit_test(check__tries_values__not_combinations),
        cmocka_unit_test(expansion__refuses__more_than_can_be_counted),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
