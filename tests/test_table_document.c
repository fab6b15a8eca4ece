/* One document of a table: where its columns beside the records come from, which rows are wanted, what is expected of
 * them, and what is made of documents that are not plain JSON. */
#include "normalise/file_source.h"
#include "table/table_run.h"
#include "table_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- sources ------------------------------------------------------------------------------------------------ */

#define LINES_MAX 16

/* The raw lines of a run, a piece each. */
struct lines_source {
    struct record_source base;
    struct path path;
    struct record_piece pieces[LINES_MAX];
    size_t count, at;
};

static enum result next_line(struct record_source *source, struct record_piece *piece, bool *more,
                             struct err *err)
{
    struct lines_source *s = (struct lines_source *)source;

    (void)err;
    *more = s->at < s->count;
    if (*more) {
        *piece = s->pieces[s->at++];
    }
    return RESULT_OK;
}

static enum result rewind_lines(struct record_source *source, struct err *err)
{
    (void)err;
    ((struct lines_source *)source)->at = 0;
    return RESULT_OK;
}

static void close_lines(struct record_source *source)
{
    free(source);
}

static struct record_source *lines_of(const char *text)
{
    struct lines_source *s = calloc(1, sizeof *s);

    assert_non_null(s);
    put("00000001.jsonl", str_view(text));
    s->base =
        (struct record_source){ .next = next_line, .rewind = rewind_lines, .close = close_lines };
    s->path = in_folder("00000001.jsonl");
    for (const char *at = text, *end; *at; at = end + 1) {
        end = strchr(at, '\n');
        assert_true(s->count < LINES_MAX);
        s->pieces[s->count++] = (struct record_piece){ .form = RECORD_RAW,
                                                       .fd = -1,
                                                       .path = s->path.text,
                                                       .offset = (uint64_t)(at - text),
                                                       .length = (uint64_t)(end + 1 - at) };
    }
    return &s->base;
}

static struct record_source *file_of(const char *name, const char *text,
                                     const struct body_reading *how)
{
    struct path path = in_folder(name);
    const char *paths[] = { path.text };
    struct record_source *source;

    put(name, str_view(text));
    assert_int_equal(file_source_open(&source, paths, 1, how, NULL), RESULT_OK);
    return source;
}

/* Takes the source. */
static enum result build(struct record_source *source, const char *records,
                         const struct table_spec *spec, struct table_report *report)
{
    struct path output = in_folder("t.csv");
    struct table_run_options options = {
        .table = { .records = records, ONE_OUTPUT(output.text), .workers = 2, .spec = *spec },
        .source = source,
    };
    enum result result = table_run(&options, report);

    table_schema_free(report->schema);
    report->schema = NULL;
    return result;
}

static void check(struct record_source *source, const char *records, const struct table_spec *spec,
                  struct table_report *report, const char *want)
{
    if (build(source, records, spec, report) != RESULT_OK) {
        fail_msg("%s", report->err.text);
    }
    assert_file("t.csv", want);
}

static void check_first(const struct table_report *report, enum table_skip why, uint64_t count,
                        const char *words)
{
    const struct table_skips *skips = &report->skipped[why];

    assert_int_equal(skips->count, count);
    if (!count || !strstr(skips->first[0], words)) {
        fail_msg("\"%s\" does not say \"%s\"", count ? skips->first[0] : "", words);
    }
}

/* --- columns beside the records' own ------------------------------------------------------------------------- */

static void meta__says_where_a_record_came_from(void **state)
{
    static const struct table_spec spec = { .meta = true };
    struct table_report report;
    char want[2 * PATH_SIZE + 300];
    struct path raw = in_folder("00000001.jsonl");

    (void)state;
    snprintf(want, sizeof want,
             "_request_key,_url,_status,_fetched_at,_source_file,a\n"
             "\"k\"\"1\",https://h/?x=1,200,2026-11-21T04:15:00.000Z,%s,1\n"
             ",,,,%s,2\n",
             raw.text, raw.text);
    check(lines_of("{\"id\":1,\"key\":\"k\\\"1\",\"url\":\"https://h/?x=1\",\"status\":200,"
                   "\"fetched_at\":\"2026-11-21T04:15:00.000Z\",\"body\":{\"a\":1}}\n"
                   "{\"id\":2,\"body\":{\"a\":2}}\n"),
          NULL, &spec, &report, want);
    { /* of a file only its name is known, which is quoted as any cell is */
        char path[2 * PATH_SIZE], *at = path;

        *at++ = '"';
        for (const char *c = in_folder("i,\"n.json").text; *c; c++) {
            *at++ = *c;
            if (*c == '"') {
                *at++ = '"';
            }
        }
        *at++ = '"';
        *at = '\0';
        snprintf(want, sizeof want, "_source_file,a\n%s,1\n", path);
    }
    check(file_of("i,\"n.json", "{\"a\":1}", NULL), NULL, &spec, &report, want);
}

static void with__takes_variables_of_the_request__as_they_are(void **state)
{
    static const struct str names[] = { STR_INIT("id"), STR_INIT("who"), STR_INIT("none"),
                                        STR_INIT("list"), STR_INIT("_fetched_at") };
    static const struct table_spec spec = { .with = names, .with_count = 5 };
    struct table_report report;

    (void)state;
    check(lines_of("{\"fetched_at\":\"T\",\"vars\":{\"id\":9007199254740993,\"who\":\"a\\u00e9,\","
                   "\"none\":null,\"list\":[1, {}]},\"body\":{\"x\":1}}\n"
                   "{\"vars\":{\"id\":1,\"id\":\"02\",\"who\":false,\"list\":{\"k\":2}},"
                   "\"body\":{\"x\":2}}\n" /* the later of two stands */
                   "{\"vars\":{},\"body\":{\"x\":3}}\n"
                   "{\"body\":{\"x\":4}}\n"),
          NULL, &spec, &report,
          "id,who,none,list,_fetched_at,x\n"
          "9007199254740993,\"a\xC3\xA9,\",,\"[1,{}]\",T,1\n"
          "02,false,,\"{\"\"k\"\":2}\",,2\n"
          ",,,,,3\n"
          ",,,,,4\n");
    assert_int_equal(report.rows, 4);
}

/* --- which rows ---------------------------------------------------------------------------------------------- */

#define DATED                                                                                      \
    "{\"fetched_at\":\"2026-11-21T04:00:00Z\",\"body\":{\"id\":1,\"v\":\"b\"}}\n"                  \
    "{\"fetched_at\":\"2026-11-21T03:00:00Z\",\"body\":{\"id\":1,\"v\":\"a\"}}\n"                  \
    "{\"fetched_at\":\"2026-11-21T05:00:00Z\",\"body\":{\"id\":2}}\n"                              \
    "{\"fetched_at\":\"soon\",\"body\":{\"id\":3,\"v\":\"\"}}\n"

static void as_of__leaves_out_what_came_later(void **state)
{
    struct table_spec spec = { .as_of_us = INT64_C(1795233600) * 1000000 }; /* 04:00:00 */
    struct table_report report;

    (void)state;
    check(lines_of(DATED), NULL, &spec, &report, "id,v\n1,b\n1,a\n3,\"\"\n");
    assert_int_equal(report.later, 1);
    assert_int_equal(report.records, 3);
    spec.as_of_us--;
    check(lines_of(DATED), NULL, &spec, &report, "id,v\n1,a\n3,\"\"\n");
    assert_int_equal(report.later, 2);
}

static void keep__is_of_the_answer_that_came_last(void **state)
{
    static const struct str unique[] = { STR_INIT("id") };
    struct table_spec spec = { .unique = unique, .unique_count = 1 };
    struct table_report report;

    (void)state;
    check(lines_of(DATED), NULL, &spec, &report, "id,v\n1,b\n2,\n3,\"\"\n");
    assert_int_equal(report.not_unique, 1);
    spec.keep = ROW_KEEP_LAST; /* which stands first */
    check(lines_of(DATED), NULL, &spec, &report, "id,v\n1,b\n2,\n3,\"\"\n");
    spec.keep = ROW_KEEP_LAST;
    check(file_of("in.jsonl", "{\"id\":1,\"v\":1}\n{\"id\":1,\"v\":2}\n", NULL), NULL, &spec,
          &report, "id,v\n1,2\n"); /* of files the last in order */
}

static void where_present__drops_rows_without_a_value(void **state)
{
    static const struct table_spec spec = { .where_present = STR_INIT("v") };
    struct table_report report;

    (void)state;
    check(file_of("in.jsonl", "{\"v\":null,\"id\":1}\n{\"id\":2}\n{\"v\":\"\",\"id\":3}\n", NULL),
          NULL, &spec, &report, "v,id\n\"\",3\n");
    assert_int_equal(report.not_present, 2);
}

/* --- declared columns ------------------------------------------------------------------------------------------ */

#define PRICES                                                                                     \
    "{\"id\":1,\"price\":2.50}\n{\"id\":2,\"price\":\"n/"                                          \
    "a\"}\n{\"id\":3,\"price\":\"7\"}\n{\"id\":4}\n"

static void declared__column_heeds_its_type(void **state)
{
    static const struct {
        enum column_on_error on_error;
        enum result result;
        const char *want;
    } cases[] = {
        { COLUMN_ERROR_NULL, RESULT_OK, "id,price\n1,2.50\n2,\n3,7\n4,\n" },
        { COLUMN_ERROR_DROP, RESULT_OK, "id,price\n1,2.50\n3,7\n4,\n" },
        { COLUMN_ERROR_TEXT, RESULT_OK, "id,price\n1,2.50\n2,n/a\n3,7\n4,\n" },
        { COLUMN_ERROR_FAIL, RESULT_NOT_FOUND, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct table_pick picks[] = {
            { .name = STR_INIT("id"), .pointer = { NULL, 0 } },
            { .name = STR_INIT("price"),
              .pointer = { NULL, 0 },
              .wish = { COLUMN_DOUBLE, cases[i].on_error } },
        };
        const struct table_spec spec = { .picks = picks, .pick_count = 2, .types = true };
        struct table_report report;
        enum result result = build(file_of("in.jsonl", PRICES, NULL), NULL, &spec, &report);

        if (result != cases[i].result) {
            fail_msg("case %zu: %d: %s", i, (int)result, report.err.text);
        }
        if (cases[i].want) {
            assert_file("t.csv", cases[i].want);
        } else {
            assert_non_null(strstr(report.err.text, "price"));
        }
        if (cases[i].on_error == COLUMN_ERROR_NULL) {
            check_first(&report, TABLE_BAD_CELLS, 1, "in.jsonl:2: price is no double: \"n/a\"");
        }
    }
}

/* --- what is expected -------------------------------------------------------------------------------------------- */

static void expected__is_looked_at_in_each_row(void **state)
{
    static const struct str id[] = { STR_INIT("id") }, v[] = { STR_INIT("v") };
    const struct table_spec held = {
        .expect = { .order = ">=", .rows = 4, .unique = id, .unique_count = 1 }
    };
    const struct table_spec broken = { .expect = { .order = "<",
                                                   .rows = 4,
                                                   .unique = v,
                                                   .unique_count = 1,
                                                   .not_null = v,
                                                   .not_null_count = 1 } };
    static const char text[] =
        "{\"id\":1,\"v\":\"a\"}\n{\"id\":2}\n{\"id\":3,\"v\":\"a\"}\n{\"id\":4,\"v\":null}\n";
    struct table_report report;
    char nulls[CONTRACT_TEXT];

    (void)state;
    check(file_of("in.jsonl", text, NULL), NULL, &held, &report, "id,v\n1,a\n2,\n3,a\n4,\n");
    assert_int_equal(report.verdict.count, 0);
    assert_int_equal(build(file_of("in.jsonl", text, NULL), NULL, &broken, &report),
                     RESULT_INVALID);
    assert_int_equal(report.verdict.count, 3);
    assert_string_equal(report.verdict.broken[0], "rows < 4: there are 4");
    assert_string_equal(report.verdict.broken[1],
                        "unique v: 1 row has values that another has, first: a");
    snprintf(nulls, sizeof nulls, "not_null v: 2 rows without a value, first: %s:2: v",
             in_folder("in.jsonl").text);
    assert_string_equal(report.verdict.broken[2], nulls);
    assert_file("t.csv", "id,v\n1,a\n2,\n3,a\n4,\n"); /* the table of before stays */
}

/* --- documents that are not plain JSON ------------------------------------------------------------------------------ */

static void shape__of_a_table_becomes_objects(void **state)
{
    static const struct table_spec header = { .shape = RECORD_SHAPE_HEADER };
    struct table_report report;

    (void)state;
    check(file_of("in.jsonl",
                  "{\"t\":[[\"a\",\"b\"],[1,2],[3]]}\n"
                  "{\"t\":[[\"b\"],[9]]}\n"
                  "{\"t\":\n"
                  "{\"u\":[]}\n",
                  NULL),
          "/t", &header, &report, "a,b\n1,2\n3,\n,9\n");
    check_first(&report, TABLE_SKIP_INVALID, 1, "in.jsonl:3: ");
    check_first(&report, TABLE_SKIP_NO_MATCH, 1, "in.jsonl:4");
}

static void text__that_is_not_json__is_read_as_what_it_is_or_named(void **state)
{
    static const struct table_spec spec = { .types = true };
    struct table_report report;

    (void)state;
    check(file_of("in.jsonl", "{\"a\":1}\n{\"a\":NaN}\n<html>\n{\"a\":-Infinity}\n", NULL), NULL,
          &spec, &report, "a\n1\n\n\n");
    assert_int_equal(report.read_as[__builtin_ctz(BODY_WAS_NAN)], 2);
    check_first(&report, TABLE_SKIP_INVALID, 1, "in.jsonl:3: ");
    assert_int_equal(report.records, 4);
}

static void cells__too_many_or_too_few__are_told(void **state)
{
    static const struct table_spec spec = { .types = true };
    struct table_report report;

    (void)state;
    check(file_of("in.csv", "a,b\n1,2\n3\n4,5,6\n", NULL), NULL, &spec, &report,
          "a,b,_more\n1,2,\n3,,\n4,5,\"[\"\"6\"\"]\"\n");
    check_first(&report, TABLE_ODD_CELLS, 2, "in.csv:3: 1 cell, the header has 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(meta__says_where_a_record_came_from),
        IN_FOLDER(with__takes_variables_of_the_request__as_they_are),
        IN_FOLDER(as_of__leaves_out_what_came_later),
        IN_FOLDER(keep__is_of_the_answer_that_came_last),
        IN_FOLDER(where_present__drops_rows_without_a_value),
        IN_FOLDER(declared__column_heeds_its_type),
        IN_FOLDER(expected__is_looked_at_in_each_row),
        IN_FOLDER(shape__of_a_table_becomes_objects),
        IN_FOLDER(text__that_is_not_json__is_read_as_what_it_is_or_named),
        IN_FOLDER(cells__too_many_or_too_few__are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
