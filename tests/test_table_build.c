/* table/table_build: golden tables as bytes, whatever the number of workers and wherever a document is cut. */
#include "base/crc32c.h"

#include "base/json_scan.h"
#include "normalise/file_source.h"
#include "table/table_build.h"
#include "table/table_report.h"
#include "table/table_run.h"
#include "table_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define GOLDEN "tests/golden/tables"

static void check_golden(const char *name, uint64_t split_bytes)
{
    char path[PATH_SIZE], want_path[PATH_SIZE], pointer_path[PATH_SIZE];
    const char *paths[] = { path };
    struct path output = in_folder("t.csv");
    struct buf want = { 0 }, pointer = { 0 }, got = { 0 };
    struct table_run_options options = { .table = { ONE_OUTPUT(output.text),
                                                    .split_bytes = split_bytes } };
    struct table_report report;
    int stem = (int)(strrchr(name, '.') - name);

    snprintf(path, sizeof path, GOLDEN "/%s", name);
    snprintf(want_path, sizeof want_path, GOLDEN "/%.*s.csv", stem, name);
    snprintf(pointer_path, sizeof pointer_path, GOLDEN "/%.*s.records", stem, name);
    assert_true(get(want_path, &want));
    if (get(pointer_path, &pointer)) {
        options.table.records = buf_cstr(&pointer);
    }
    assert_int_equal(file_source_open(&options.source, paths, 1, NULL, NULL), RESULT_OK);
    assert_int_equal(table_run(&options, &report), RESULT_OK);
    assert_true(get(output.text, &got));
    if (!str_equal(buf_view(&got), buf_view(&want))) {
        fail_msg("%s:\n%s\nis not\n%s", name, buf_cstr(&got), buf_cstr(&want));
    }
    buf_release(&want);
    buf_release(&pointer);
    buf_release(&got);
}

/* Cut up as soon as it is larger than that many bytes: the same table. */
static const uint64_t splits[] = { 0, 1, 40, 256, 1024 };

static void table_run__gives_the_golden_table__when_json_is_any_shape(void **state)
{
    DIR *d = opendir(GOLDEN);
    const struct dirent *entry;
    unsigned seen = 0;

    (void)state;
    assert_non_null(d);
    while ((entry = readdir(d))) {
        if (strstr(entry->d_name, ".json")) {
            for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++) {
                check_golden(entry->d_name, splits[i]);
            }
            seen++;
        }
    }
    closedir(d);
    assert_true(seen >= 15);
}

static void table_run__gives_the_same_bytes__when_workers_are_many(void **state)
{
    static const char *const names[] = { "in.jsonl", NULL };
    struct table_report one, many;
    struct buf first = { 0 }, second = { 0 };

    (void)state;
    put_many_lines("in.jsonl", (size_t)7 << 20);
    assert_int_equal(build_files(NULL, 1, &one, names), RESULT_OK);
    assert_true(get(in_folder("t.csv").text, &first));
    assert_int_equal(build_files(NULL, 0, &many, names), RESULT_OK);
    assert_true(get(in_folder("t.csv").text, &second));
    assert_true(str_equal(buf_view(&first), buf_view(&second)));
    assert_int_equal(one.rows, many.rows);
    assert_int_equal(one.records, one.rows + 1);
    assert_int_equal(one.bytes_out, first.len);
    assert_int_equal(one.skipped[TABLE_SKIP_INVALID].count, 1);
    assert_non_null(strstr(one.skipped[TABLE_SKIP_INVALID].first[0], "in.jsonl:50001: expected"));
    assert_string_equal(one.skipped[TABLE_SKIP_INVALID].first[0],
                        many.skipped[TABLE_SKIP_INVALID].first[0]);
    buf_release(&first);
    buf_release(&second);
}

static enum result build_split(const char *records, uint64_t split_bytes, const char *name,
                               struct table_report *report)
{
    struct path input = in_folder(name), output = in_folder("t.csv");
    const char *paths[] = { input.text };
    struct table_run_options options = {
        .table = { .records = records, ONE_OUTPUT(output.text), .split_bytes = split_bytes },
    };

    assert_int_equal(file_source_open(&options.source, paths, 1, NULL, NULL), RESULT_OK);
    return table_run(&options, report);
}

static void table_run__gives_the_same__when_a_document_is_split(void **state)
{
    static const struct {
        const char *records;
        struct str text;
    } cases[] = {
        { "/items",
          STR_INIT(
              "{\"n\":1,\"items\":[{\"a\":1},{\"a\":\"],[{\\\"\"},{\"b\":[1,2]}],\"m\":[3]}") },
        { "/items",
          STR_INIT("\xEF\xBB\xBF { \"items\" : [ 1 , 2 , [ 3 , 4 ] , { \"a\" : { } } ] } \n") },
        { "/items",
          STR_INIT("{\"items\":[],\"more\":\"0123456789012345678901234567890123456789\"}") },
        { "/items", STR_INIT("{\"items\":[  \n ]}") },
        { "/a/*/b",
          STR_INIT("{\"a\":{\"x\":{\"b\":1},\"y\":{\"c\":2},\"z\":{\"b\":[3,{\"d\":4}]}}}") },
        { "/*", STR_INIT("[[1,2],[3],{\"a\":4},null,\"x\"]") },
        { "/*/*",
          STR_INIT("{\"a\":{\"x\":{\"i\":1},\"x\":{\"i\":2}},\"b\":[{\"i\":3}],\"a\":{\"y\":5}}") },
        { NULL, STR_INIT("[{\"a\":1,\"a\":2},{\"b\":{\"c\":\"\\\\\"}},7,[8]]") },
        /* Those that must be looked at whole: a name twice, and what is not valid somewhere. */
        { "/items", STR_INIT("{\"items\":[{\"a\":1},{\"b\":2}],\"n\":1,\"items\":[{\"a\":3}]}") },
        { "/items", STR_INIT("{\"items\":[{\"a\":1},{\"b\":2},],\"n\":1}") },
        { "/items", STR_INIT("{\"items\":[{\"a\":1},{\"b\":2},{\"b\":02}],\"n\":1}") },
        { "/items", STR_INIT("{\"items\":[{\"a\":1},{\"b\":2},{\"b\":2}],\"n\":}") },
        { "/items", STR_INIT("{\"items\":[{\"a\":1},{\"b\":2},{\"b\":2},{\"b\":2},{\"b\":2}") },
        { "/items", STR_INIT("{\"items\":[{\"a\":1}}{\"b\":2},{\"b\":2},{\"b\":2},{\"b\":2}]}") },
        { "/nothing/*", STR_INIT("{\"nothing\":[{\"a\":1},{\"a\":2}]}") },
        { "/x/*/y", STR_INIT("{\"x\":[{\"a\":1},{\"a\":2}]}") },
    };
    struct buf want = { 0 }, got = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct table_report whole, split;

        put("in.json", cases[i].text);
        unlink(in_folder("t.csv").text);
        build_split(cases[i].records, UINT64_MAX, "in.json", &whole);
        get(in_folder("t.csv").text, &want);
        for (uint64_t bytes = 1; bytes < 64; bytes += 9) {
            unlink(in_folder("t.csv").text);
            assert_int_equal(build_split(cases[i].records, bytes, "in.json", &split), whole.result);
            get(in_folder("t.csv").text, &got);
            assert_string_equal(buf_cstr(&got), buf_cstr(&want));
            assert_int_equal(split.records, whole.records);
            assert_int_equal(split.rows, whole.rows);
            assert_int_equal(split.duplicate_keys, whole.duplicate_keys);
            assert_int_equal(table_report_skipped(&split), table_report_skipped(&whole));
            assert_string_equal(split.skipped[TABLE_SKIP_INVALID].first[0],
                                whole.skipped[TABLE_SKIP_INVALID].first[0]);
        }
    }
    buf_release(&want);
    buf_release(&got);
}

static void table_run__spills__when_one_document_outgrows_memory(void **state)
{
    static const char *const names[] = { "a.json", "b.json", "a.json", NULL };
    struct buf text = { 0 };
    struct table_report report;

    (void)state;
    for (unsigned i = 0; text.len < (size_t)6 << 20; i++) {
        assert_int_equal(buf_printf(&text, "%s{\"i\":%u,\"pad\":\"0123456789012345678901234\"}",
                                    i ? "," : "[", i),
                         RESULT_OK);
    }
    assert_int_equal(buf_append_char(&text, ']'), RESULT_OK);
    put("a.json", buf_view(&text));
    put("b.json", STR("{\"i\":\"between\"}"));
    assert_int_equal(build_files(NULL, 0, &report, names), RESULT_OK);
    assert_int_equal(report.records, 3);
    assert_int_equal(get(in_folder("t.csv").text, &text), true);
    assert_int_equal(report.bytes_out, text.len);
    assert_non_null(strstr(buf_cstr(&text), "\nbetween,\n0,0123"));
    buf_release(&text);
}

/* Held at 4 kB: what can be cut up is built whatever its size, what cannot is refused by name. */
static void table_run__refuses__when_one_piece_outgrows_memory(void **state)
{
    static const struct {
        const char *name, *head, *tail, *says;
    } cases[] = {
        { "many.json", "[{\"a\":1},{\"a\":2}", "]", NULL },
        { "one.json", "{\"a\":1,\"b\":[0", "]}", "one.json: one document has " },
        { "record.json", "[{\"a\":1},{\"a\":[0", "]}]", "record.json: one record has " },
        { "invalid.json", "[{\"a\":1}", "", "invalid.json: one document has " },
        { "line.jsonl", "{\"a\":1}\n{\"a\":[0", "]}\n", "line.jsonl: one line has " },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct path input = in_folder(cases[i].name), output = in_folder("t.csv");
        const char *paths[] = { input.text };
        struct table_run_options options = {
            .table = { ONE_OUTPUT(output.text), .split_bytes = 1024, .spec.memory_bytes = 4096 }
        };
        struct table_report report;
        struct buf text = { 0 };

        assert_int_equal(buf_append_str(&text, str_view(cases[i].head)), RESULT_OK);
        while (text.len < 10000) {
            assert_int_equal(buf_append_str(&text, STR(",1")), RESULT_OK);
        }
        assert_int_equal(buf_append_str(&text, str_view(cases[i].tail)), RESULT_OK);
        put(cases[i].name, buf_view(&text));
        put("t.csv", STR("old\n"));
        buf_release(&text);
        assert_int_equal(file_source_open(&options.source, paths, 1, NULL, NULL), RESULT_OK);
        assert_int_equal(table_run(&options, &report), cases[i].says ? RESULT_LIMIT : RESULT_OK);
        if (cases[i].says) {
            assert_string_equal(report.err.code, "E-TAB3");
            assert_non_null(strstr(report.err.text, cases[i].says));
            assert_non_null(strstr(report.err.text, "--memory"));
            assert_file("t.csv", "old\n");
        }
    }
}

static void table_run__skips_and_names__when_records_are_bad(void **state)
{
    static const char *const names[] = { "cut.json", "in.jsonl", "empty.json", NULL };
    struct table_report report;
    struct buf json = { 0 };

    (void)state;
    put("in.jsonl", STR("\xEF\xBB\xBF{\"i\":[{\"a\":1}]}\r\n\r\n{\"i\":[}\r\n{\"j\":1}\r\n"
                        "{\"i\":[{\"a\":\"\xFF\"}]}\r\n{\"i\":{\"a\":2}}"));
    put("cut.json", STR("{\"i\":[{\"a\":3}"));
    put("empty.json", STR(""));
    assert_int_equal(build_files("/i", 0, &report, names), RESULT_OK);
    assert_file("t.csv", "a\n1\n2\n");
    assert_int_equal(report.records, 7);
    assert_int_equal(report.rows, 2);
    assert_int_equal(report.columns, 1);
    assert_int_equal(table_report_skipped(&report), 5);
    assert_int_equal(report.skipped[TABLE_SKIP_INVALID].count, 4);
    assert_int_equal(report.skipped[TABLE_SKIP_INVALID].named, 3);
    assert_non_null(strstr(report.skipped[TABLE_SKIP_INVALID].first[1],
                           "in.jsonl:3: expected a value at byte 6"));
    assert_non_null(strstr(report.skipped[TABLE_SKIP_INVALID].first[2],
                           "in.jsonl:5: invalid UTF-8 at byte 12"));
    assert_non_null(strstr(report.skipped[TABLE_SKIP_INVALID].first[0],
                           "cut.json: JSON ends at byte 13 inside array"));
    assert_int_equal(report.skipped[TABLE_SKIP_NO_MATCH].count, 1);
    assert_non_null(strstr(report.skipped[TABLE_SKIP_NO_MATCH].first[0], "in.jsonl:4:"));
    assert_int_equal(table_report_json(&report, &json), RESULT_OK);
    assert_true(json_check(buf_view(&json), 8, NULL));
    buf_release(&json);
}

static void table_run__keeps_the_old_table__when_pointer_finds_nothing(void **state)
{
    static const char *const names[] = { "in.json", NULL };
    struct table_report report;

    (void)state;
    put("t.csv", STR("old"));
    put("in.json", STR("{\"items\":[]}"));
    assert_int_equal(build_files("/itmes", 0, &report, names), RESULT_NOT_FOUND);
    assert_string_equal(report.err.code, "E-TAB1");
    assert_int_equal(build_files("itmes", 0, &report, names), RESULT_INVALID);
    assert_string_equal(report.err.code, "E-PTR1");
    assert_file("t.csv", "old");
    assert_int_equal(count_files(), 2);
    /* An empty array is found; a table without columns is an empty file. */
    assert_int_equal(build_files("/items", 0, &report, names), RESULT_OK);
    assert_file("t.csv", "");
}

static void table_run__reads_all__when_input_is_stdin(void **state)
{
    static const char *const names[] = { "-", NULL };
    struct table_report report;
    int old = dup(STDIN_FILENO), fd;

    (void)state;
    put("in", STR("{\"a\":1}\n{\"a\":2,\"b\":3}\n"));
    fd = open(in_folder("in").text, O_RDONLY);
    assert_true(old >= 0 && fd >= 0);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(build_files(NULL, 0, &report, names), RESULT_OK);
    assert_file("t.csv", "a,b\n1,\n2,3\n");
    assert_int_equal(dup2(old, STDIN_FILENO), STDIN_FILENO);
    close(old);
    close(fd);
}

static void file_source_open__says_why__when_input_cannot_be_read(void **state)
{
    struct path missing = in_folder("missing.json");
    struct path folder = in_folder("");
    const char *paths[] = { folder.text };
    struct record_source *source;
    struct err err;

    (void)state;
    assert_int_equal(file_source_open(&source, paths, 1, NULL, &err), RESULT_INVALID);
    assert_non_null(strstr(err.text, "is a directory, not a file"));
    paths[0] = missing.text;
    assert_int_equal(file_source_open(&source, paths, 1, NULL, &err), RESULT_NOT_FOUND);
    assert_string_equal(err.code, "E-IN2");
    assert_null(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(table_run__gives_the_golden_table__when_json_is_any_shape),
        IN_FOLDER(table_run__gives_the_same_bytes__when_workers_are_many),
        IN_FOLDER(table_run__gives_the_same__when_a_document_is_split),
        IN_FOLDER(table_run__spills__when_one_document_outgrows_memory),
        IN_FOLDER(table_run__refuses__when_one_piece_outgrows_memory),
        IN_FOLDER(table_run__skips_and_names__when_records_are_bad),
        IN_FOLDER(table_run__keeps_the_old_table__when_pointer_finds_nothing),
        IN_FOLDER(table_run__reads_all__when_input_is_stdin),
        IN_FOLDER(file_source_open__says_why__when_input_cannot_be_read),
    };

    setenv("UV_THREADPOOL_SIZE", "6", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
