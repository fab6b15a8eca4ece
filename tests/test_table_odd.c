/* Columns that are text because of a few values: which these are, and where the first of them stands. */
#include "normalise/file_source.h"
#include "table/table_report.h"
#include "table/table_run.h"
#include "table_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void assert_conflicts(const struct table_report *report, const char *words)
{
    struct buf text = { 0 };

    assert_int_equal(table_report_remark(report, TABLE_REMARK_CONFLICT, &text), RESULT_OK);
    assert_string_equal(text.len ? buf_cstr(&text) : "", words);
    buf_release(&text);
}

/* Records of which some hold what does not fit, as lines or as one array that is cut up; and a line before them that is
 * no record at all. */
static void put_odd_records(bool lines)
{
    struct buf json = { 0 };

    (void)!buf_append_str(&json, lines ? STR("{\"price\":\n") : STR("[{\"price\":null}"));
    for (int i = 2; i <= 5000; i++) {
        const char *price =
            i == 3210 ? "\"n/a\""
            : i == 4000 || i == 4001
                ? "\"a text of more than forty bytes: \303\266\303\266\303\266\303\266\303\266\""
                : "\"12.50\"";

        assert_int_equal(
            buf_printf(&json,
                       "%s{\"price\":%s,\"when\":\"2026-01-%02d%s\",\"id\":%s,\"flag\":%s}%s",
                       lines ? "" : ",", price, i % 28 + 1, i == 77 || i == 78 ? "" : "T00:00:00Z",
                       i == 4444 ? "0.5"
                       : i % 2   ? "9007199254740993"
                                 : "7",
                       i == 5000 ? "[true]" : "true", lines ? "\n" : ""),
            RESULT_OK);
    }
    assert_int_equal(lines ? RESULT_OK : buf_append_char(&json, ']'), RESULT_OK);
    put(lines ? "in.jsonl" : "in.json", buf_view(&json));
    buf_release(&json);
}

static void odd__is_named_by_its_record__whatever_pieces_the_input_is_read_in(void **state)
{
    static const char want[] =
        "column price is text: 3 of 4,999 values are not numbers, first: record %s, \"n/a\"; "
        "column when is text: 2 of 4,999 values are not timestamps, first: record %s, "
        "\"2026-01-22\"; "
        "column id is text: 1 of 4,999 values is a fraction, first: record %s, 0.5; "
        "column flag is text: 1 of 4,999 values is not a boolean, first: record %s, [true]";

    (void)state;
    for (int i = 0; i < 8; i++) {
        bool lines = i & 1;
        struct path input = in_folder(lines ? "in.jsonl" : "in.json"), to = in_folder("t.csv");
        const char *paths[] = { input.text };
        struct table_report report;
        char words[512];
        struct table_run_options options = {
            .table = { ONE_OUTPUT(to.text), .spec = { .types = true, .coerce = true },
                       .workers = i & 2 ? 3 : 1, .chunk_bytes = i & 4 ? 3000 : 0,
                       .split_bytes = i & 4 ? 5000 : 0 },
        };

        put_odd_records(lines);
        assert_int_equal(file_source_open(&options.source, paths, 1, NULL, NULL), RESULT_OK);
        assert_int_equal(table_run(&options, &report), RESULT_OK);
        /* The line that is skipped counts as no record. */
        snprintf(words, sizeof words, want, lines ? "3,209" : "3,210", lines ? "76" : "77",
                 lines ? "4,443" : "4,444", lines ? "4,999" : "5,000");
        assert_conflicts(&report, words);
        table_schema_free(report.schema);
    }
}

/* With --types strings that are numbers are told where most are, and not where a few happen to be. */
static void odd__is_told_of_numbers_in_quotes__only_where_most_are(void **state)
{
    struct path input = in_folder("in.jsonl"), to = in_folder("t.csv");
    const char *paths[] = { input.text };
    struct table_run_options options = {
        .table = { ONE_OUTPUT(to.text), .spec = { .types = true, .coerce = true } },
    };
    struct table_report report;

    (void)state;
    put("in.jsonl", STR("{\"a\":\"1\",\"b\":\"1\"}\n{\"a\":\"2\",\"b\":\"x\"}\n"
                        "{\"a\":\"n\\u002fa, and more than forty bytes in all\",\"b\":\"y\"}\n"));
    assert_int_equal(file_source_open(&options.source, paths, 1, NULL, NULL), RESULT_OK);
    assert_int_equal(table_run(&options, &report), RESULT_OK);
    assert_conflicts(&report, "column a is text: 1 of 3 values is not a number, first: record 3, "
                              "\"n\\u002fa, and more than forty bytes in a...\"");
    table_schema_free(report.schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(odd__is_named_by_its_record__whatever_pieces_the_input_is_read_in),
        IN_FOLDER(odd__is_told_of_numbers_in_quotes__only_where_most_are),
    };

    setenv("UV_THREADPOOL_SIZE", "6", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
