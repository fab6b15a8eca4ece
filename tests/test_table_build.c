#include "base/crc32c.h"
#include "base/json_scan.h"
#include "normalise/file_source.h"
#include "table/table_build.h"
#include "table/table_report.h"
#include "table/table_run.h"
#include "table_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#define GOLDEN "tests/golden/tables"

/* `names` in the folder, up to a NULL, to t.csv in it. */
static enum result build(const char *records, unsigned workers, struct table_report *report,
                         const char *const *names)
{
    struct path output = in_folder("t.csv"), paths[4];
    const char *given[4];
    struct table_run_options options = {
        .table = { .records = records,
                   ONE_OUTPUT(output.text),
                   .workers = workers,
                   .split_bytes = UINT64_MAX },
    };
    size_t count = 0;

    for (; names[count]; count++) {
        paths[count] = in_folder(names[count]);
        given[count] = strcmp(names[count], "-") == 0 ? "-" : paths[count].text;
    }
    assert_int_equal(file_source_open(&options.source, given, count, NULL, NULL), RESULT_OK);
    return table_run(&options, report);
}

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

/* About `bytes` of lines, a new column every now and then, and one bad line. */
static void put_many_lines(const char *name, size_t bytes)
{
    struct buf text = { 0 };

    for (unsigned i = 0; text.len < bytes; i++) {
        assert_int_equal(buf_printf(&text,
                                    "{\"id\":%u,\"text\":\"line, %u\",\"o\":{\"c%u\":[%u, 2]}%s}\n",
                                    i, i, i / 10000, i, i == 50000 ? ",}" : ""),
                         RESULT_OK);
    }
    put(name, buf_view(&text));
    buf_release(&text);
}

static void table_run__gives_the_same_bytes__when_workers_are_many(void **state)
{
    static const char *const names[] = { "in.jsonl", NULL };
    struct table_report one, many;
    struct buf first = { 0 }, second = { 0 };

    (void)state;
    put_many_lines("in.jsonl", (size_t)7 << 20);
    assert_int_equal(build(NULL, 1, &one, names), RESULT_OK);
    assert_true(get(in_folder("t.csv").text, &first));
    assert_int_equal(build(NULL, 0, &many, names), RESULT_OK);
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
    assert_int_equal(build(NULL, 0, &report, names), RESULT_OK);
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
    assert_int_equal(build("/i", 0, &report, names), RESULT_OK);
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
    assert_int_equal(build("/itmes", 0, &report, names), RESULT_NOT_FOUND);
    assert_string_equal(report.err.code, "E-TAB1");
    assert_int_equal(build("itmes", 0, &report, names), RESULT_INVALID);
    assert_string_equal(report.err.code, "E-PTR1");
    assert_file("t.csv", "old");
    assert_int_equal(count_files(), 2);
    /* An empty array is found; a table without columns is an empty file. */
    assert_int_equal(build("/items", 0, &report, names), RESULT_OK);
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
    assert_int_equal(build(NULL, 0, &report, names), RESULT_OK);
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

/* A source of raw lines, as a run has them; its rewind may spoil what it points at. */
struct raw_source {
    struct record_source source;
    struct path path;
    const struct record_piece *pieces;
    size_t count, at;
    bool spoil;
    bool closed;
};

static enum result raw_next(struct record_source *source, struct record_piece *piece, bool *more,
                            struct err *err)
{
    struct raw_source *s = (struct raw_source *)source;

    (void)err;
    *more = s->at < s->count;
    if (*more) {
        *piece = s->pieces[s->at++];
        piece->path = s->path.text;
        piece->fd = piece->fd ? piece->fd : -1;
        piece->form = RECORD_RAW;
    }
    return RESULT_OK;
}

static enum result raw_rewind(struct record_source *source, struct err *err)
{
    struct raw_source *s = (struct raw_source *)source;

    (void)err;
    s->at = 0;
    if (s->spoil) {
        int fd = open(s->path.text, O_WRONLY);

        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, "{\"z\":9}", 7, (off_t)s->pieces[0].offset + 18), 7);
        close(fd);
    }
    return RESULT_OK;
}

static void raw_close(struct record_source *source)
{
    ((struct raw_source *)source)->closed = true;
}

#define LINE_1 "{\"key\":\"1\",\"body\":{\"a\":1}}\n"
#define LINE_2 "{\"id\":2,\"key\":\"page=2\",\"body\":{\"a\":\"<\", \"body\":[{}]}}\n"
#define LINE_3 "{\"id\":3,\"key\":\"k\\\"3\",\"text\":\"<html>\"}\n"
#define LINE_4 "{\"id\":4,\"key\":\"4\",\"status\":204}\n"
#define LINE_5 "{\"id\":5,\"key\":\n"
#define AT_2 (sizeof LINE_1 - 1)
#define AT_3 (AT_2 + sizeof LINE_2 - 1)
#define AT_4 (AT_3 + sizeof LINE_3 - 1)
#define AT_5 (AT_4 + sizeof LINE_4 - 1)

static const struct record_piece raw_pieces[] = {
    /* the plan's order is not the segment's */
    { .offset = 0, .length = sizeof LINE_1 - 1 },
    { .offset = AT_4, .length = sizeof LINE_4 - 1 },
    { .offset = AT_3, .length = sizeof LINE_3 - 1 },
    { .offset = AT_5, .length = sizeof LINE_5 - 1 },
    { .offset = AT_2, .length = sizeof LINE_2 - 1 },
};

static struct raw_source raw_source(void)
{
    put("00000001.jsonl", STR(LINE_1 LINE_2 LINE_3 LINE_4 LINE_5));
    return (struct raw_source){
        .source = { .next = raw_next, .rewind = raw_rewind, .close = raw_close },
        .path = in_folder("00000001.jsonl"),
        .pieces = raw_pieces,
        .count = sizeof raw_pieces / sizeof raw_pieces[0],
    };
}

static void table_run__takes_bodies_in_plan_order__when_source_is_a_run(void **state)
{
    struct raw_source source = raw_source();
    struct path output = in_folder("t.csv");
    struct table_run_options options = { .table = { ONE_OUTPUT(output.text) },
                                         .source = &source.source };
    struct table_report report;

    (void)state;
    assert_int_equal(table_run(&options, &report), RESULT_OK);
    assert_true(source.closed);
    assert_file("t.csv", "a,body\n1,\n<,[{}]\n");
    assert_int_equal(report.records, 5);
    assert_int_equal(report.empty, 1);
    assert_int_equal(report.skipped[TABLE_SKIP_OTHER].count, 1);
    assert_string_equal(report.skipped[TABLE_SKIP_OTHER].first[0], "k\\\"3: body is not JSON");
    assert_int_equal(report.skipped[TABLE_SKIP_DAMAGED].count, 1);
}

/* Lines as a store writes them, each with its checksum. */
struct sealed {
    struct buf text;
    struct record_piece pieces[5];
};

static struct sealed sealed_lines(void)
{
    struct sealed s = { 0 };

    for (unsigned i = 0; i < 5; i++) {
        char head[64], tail[64];
        size_t offset = s.text.len;
        uint32_t crc;

        snprintf(head, sizeof head, "{\"id\":%u,\"key\":\"%u\"", i + 1, i + 1);
        snprintf(tail, sizeof tail, ",\"body\":{\"a\":%u}}", 1111 * (i + 1));
        crc = crc32c(crc32c(0, head, strlen(head)), tail, strlen(tail));
        assert_int_equal(buf_printf(&s.text, "%s,\"crc32c\":\"%08x\"%s\n", head, crc, tail),
                         RESULT_OK);
        s.pieces[i] = (struct record_piece){
            .offset = offset, .length = s.text.len - offset, .is_sealed = true, .crc32c = crc
        };
    }
    return s;
}

/* The table of them, as `report` tells of it. */
static void run_sealed(struct sealed *s, struct table_report *report)
{
    struct path output = in_folder("t.csv");
    struct raw_source source = {
        .source = { .next = raw_next, .rewind = raw_rewind, .close = raw_close },
        .path = in_folder("00000001.jsonl"),
        .pieces = s->pieces,
        .count = 5
    };
    struct table_run_options options = { .table = { ONE_OUTPUT(output.text) },
                                         .source = &source.source };

    put("00000001.jsonl", buf_view(&s->text));
    assert_int_equal(table_run(&options, report), RESULT_OK);
    buf_release(&s->text);
}

static void table_run__leaves_out_a_record__when_any_byte_of_its_line_has_changed(void **state)
{
    struct sealed whole = sealed_lines();
    size_t first = whole.pieces[2].offset, after = first + whole.pieces[2].length;
    struct table_report report;
    char want[80];

    (void)state;
    snprintf(want, sizeof want, "00000001.jsonl: the record at byte %zu ", first);
    for (size_t at = first; at < after; at++) {
        struct sealed s = sealed_lines();

        s.text.data[at] ^= 2;
        run_sealed(&s, &report);
        assert_file("t.csv", "a\n1111\n2222\n4444\n5555\n");
        assert_int_equal(report.skipped[TABLE_SKIP_DAMAGED].count, 1);
        assert_non_null(strstr(report.skipped[TABLE_SKIP_DAMAGED].first[0], want));
    }
    buf_release(&whole.text);
}

static void table_run__leaves_out_a_record__when_it_is_another_than_the_ledger_names(void **state)
{
    struct sealed s = sealed_lines();
    struct table_report report;

    (void)state;
    s.pieces[0].crc32c = s.pieces[1].crc32c;
    run_sealed(&s, &report);
    assert_file("t.csv", "a\n2222\n3333\n4444\n5555\n");
    assert_int_equal(report.skipped[TABLE_SKIP_DAMAGED].count, 1);
}

static void table_run__leaves_out_what_it_cannot_read__and_nothing_else(void **state)
{
    struct sealed s = sealed_lines();
    int broken = open("/proc/self/mem", O_RDONLY | O_CLOEXEC); /* EIO where nothing is mapped */
    struct table_report report;

    (void)state;
    assert_true(broken >= 0);
    s.pieces[1].fd = broken;
    s.text.len -= 9; /* the last one is cut */
    run_sealed(&s, &report);
    assert_file("t.csv", "a\n1111\n3333\n4444\n");
    assert_int_equal(report.skipped[TABLE_SKIP_DAMAGED].count, 2);
    assert_non_null(strstr(report.skipped[TABLE_SKIP_DAMAGED].first[0], "cannot be read"));
    assert_non_null(strstr(report.skipped[TABLE_SKIP_DAMAGED].first[1], "is cut short"));
    close(broken);
}

static void table_run__keeps_the_old_table__when_input_changes_between_passes(void **state)
{
    struct raw_source source = raw_source();
    struct path output = in_folder("t.csv");
    struct table_run_options options = { .table = { ONE_OUTPUT(output.text) },
                                         .source = &source.source };
    struct table_report report;

    (void)state;
    put("t.csv", STR("old"));
    source.spoil = true;
    assert_int_equal(table_run(&options, &report), RESULT_CORRUPT);
    assert_string_equal(report.err.code, "E-TAB2");
    assert_file("t.csv", "old");
    assert_int_equal(count_files(), 2);
}

/* Looks at the threads that ask it for pieces. */
struct looking_source {
    struct record_source source;
    struct record_source *inner;
    unsigned asked, quiet; /* of those, by threads of SCHED_IDLE; the build calls under its lock */
};

static enum result looking_next(struct record_source *source, struct record_piece *piece,
                                bool *more, struct err *err)
{
    struct looking_source *s = (struct looking_source *)source;

    s->asked++;
    s->quiet += sched_getscheduler(0) == SCHED_IDLE;
    return s->inner->next(s->inner, piece, more, err);
}

static enum result looking_rewind(struct record_source *source, struct err *err)
{
    struct looking_source *s = (struct looking_source *)source;

    return s->inner->rewind(s->inner, err);
}

static void looking_close(struct record_source *source)
{
    struct looking_source *s = (struct looking_source *)source;

    s->inner->close(s->inner);
}

#define POOL_THREADS 6 /* as main sets it */

/* A job that holds its thread until every thread of the pool has one. */
struct pool_look {
    uv_work_t request;
    pthread_barrier_t *all;
    int policy, nice;
};

static void look_at_thread(uv_work_t *request)
{
    struct pool_look *look = (struct pool_look *)request;

    look->policy = sched_getscheduler(0);
    look->nice = getpriority(PRIO_PROCESS, 0); /* of this thread, on Linux */
    pthread_barrier_wait(look->all);
}

static void assert_pool_is_as_it_was(void)
{
    struct pool_look looks[POOL_THREADS];
    int usual = getpriority(PRIO_PROCESS, 0);
    pthread_barrier_t all;
    uv_loop_t loop;

    assert_int_equal(pthread_barrier_init(&all, NULL, POOL_THREADS), 0);
    assert_int_equal(uv_loop_init(&loop), 0);
    for (int i = 0; i < POOL_THREADS; i++) {
        looks[i].all = &all;
        assert_int_equal(uv_queue_work(&loop, &looks[i].request, look_at_thread, NULL), 0);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    pthread_barrier_destroy(&all);
    for (int i = 0; i < POOL_THREADS; i++) {
        assert_int_equal(looks[i].policy, SCHED_OTHER);
        assert_int_equal(looks[i].nice, usual);
    }
}

/* It gives way to everybody, gives the same table, and leaves the pool's threads as they were. */
static void table_run__gives_way__when_in_the_background(void **state)
{
    struct path input = in_folder("in.jsonl"), output = in_folder("t.csv");
    const char *paths[] = { input.text };
    struct buf tables[2] = { { 0 }, { 0 } };

    (void)state;
    put_many_lines("in.jsonl", (size_t)3 << 20);
    for (int background = 0; background < 2; background++) {
        struct looking_source looking = {
            .source = { .next = looking_next, .rewind = looking_rewind, .close = looking_close }
        };
        struct table_run_options options = { .table = { ONE_OUTPUT(output.text), .workers = 3,
                                                        .background = background },
                                             .source = &looking.source };
        struct table_report report;

        assert_int_equal(file_source_open(&looking.inner, paths, 1, NULL, NULL), RESULT_OK);
        assert_int_equal(table_run(&options, &report), RESULT_OK);
        assert_true(looking.asked > 2);
        /* Only a machine so busy that it denies them their share lets others take pieces, too. */
        assert_in_range(looking.quiet, background, background ? looking.asked : 0);
        assert_true(get(output.text, &tables[background]));
        assert_pool_is_as_it_was();
    }
    assert_true(str_equal(buf_view(&tables[0]), buf_view(&tables[1])));
    buf_release(&tables[0]);
    buf_release(&tables[1]);
}

/* Cancelled right away, and in each later turn of the loop. */
static void table_build_cancel__keeps_the_old_table__when_called_at_any_time(void **state)
{
    struct path input = in_folder("in.jsonl"), output = in_folder("t.csv");
    const struct table_options options = { ONE_OUTPUT(output.text) };
    const char *paths[] = { input.text };

    (void)state;
    put_many_lines("in.jsonl", (size_t)3 << 20);
    for (int turns = 0; turns < 6; turns++) {
        struct record_source *source;
        enum result result;

        put("t.csv", STR("old"));
        assert_int_equal(file_source_open(&source, paths, 1, NULL, NULL), RESULT_OK);
        result = cancel_after(turns, &options, source);
        if (result == RESULT_CANCELLED) {
            assert_file("t.csv", "old");
        } else {
            assert_int_equal(result, RESULT_OK); /* it was complete by then */
            assert_true(turns > 1);
        }
        assert_int_equal(count_files(), 2);
    }
}

static void table_build__has_as_many_workers_as_the_memory_does_for__when_more_could(void **state)
{
    static const struct {
        uint64_t memory_bytes;
        unsigned asked, limit, workers;
    } cases[] = {
        { 2 * TABLE_WORKER_BYTES, 0, 8, 2 }, { 2 * TABLE_WORKER_BYTES, 1, 8, 1 },
        { TABLE_WORKER_BYTES / 2, 4, 8, 1 }, { 8 * TABLE_WORKER_BYTES, 4, 8, 4 },
        { 8 * TABLE_WORKER_BYTES, 0, 3, 3 },
    };
    struct path input = in_folder("in.jsonl"), output = in_folder("t.csv");
    const char *paths[] = { input.text };

    (void)state;
    put("in.jsonl", STR("{\"a\":1}\n"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct table_options options = { ONE_OUTPUT(output.text), .workers = cases[i].asked,
                                               .spec = { .memory_bytes = cases[i].memory_bytes } };
        struct watched w = { 0 };
        struct record_source *source;
        struct table_progress progress;
        struct work work;
        uv_loop_t loop;

        assert_int_equal(uv_loop_init(&loop), 0);
        work_init(&work, &loop, cases[i].limit);
        assert_int_equal(file_source_open(&source, paths, 1, NULL, NULL), RESULT_OK);
        assert_int_equal(
            table_build_start(&w.build, &work, &options, source, watched_done, &w, NULL),
            RESULT_OK);
        table_build_progress(w.build, &progress);
        assert_int_equal(progress.workers, cases[i].workers);
        uv_run(&loop, UV_RUN_DEFAULT);
        assert_int_equal(w.calls, 1);
        assert_int_equal(w.result, RESULT_OK);
        assert_int_equal(uv_loop_close(&loop), 0);
    }
}

static void work_cancel__ends_the_build__when_workers_wait(void **state)
{
    struct path input = in_folder("in.jsonl"), output = in_folder("t.csv");
    const struct table_options options = { ONE_OUTPUT(output.text) };
    const char *paths[] = { input.text };
    struct watched w = { 0 };
    struct record_source *source;
    struct work work;
    uv_loop_t loop;

    (void)state;
    put_many_lines("in.jsonl", (size_t)3 << 20);
    assert_int_equal(uv_loop_init(&loop), 0);
    work_init(&work, &loop, 2);
    assert_int_equal(file_source_open(&source, paths, 1, NULL, NULL), RESULT_OK);
    assert_int_equal(table_build_start(&w.build, &work, &options, source, watched_done, &w, NULL),
                     RESULT_OK);
    table_build_cancel(w.build);
    work_cancel(&work);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(w.calls, 1);
    assert_int_equal(w.result, RESULT_CANCELLED);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(count_files(), 1);
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
        IN_FOLDER(table_run__takes_bodies_in_plan_order__when_source_is_a_run),
        IN_FOLDER(table_run__leaves_out_a_record__when_any_byte_of_its_line_has_changed),
        IN_FOLDER(table_run__leaves_out_a_record__when_it_is_another_than_the_ledger_names),
        IN_FOLDER(table_run__leaves_out_what_it_cannot_read__and_nothing_else),
        IN_FOLDER(table_run__keeps_the_old_table__when_input_changes_between_passes),
        IN_FOLDER(table_run__gives_way__when_in_the_background),
        IN_FOLDER(table_build_cancel__keeps_the_old_table__when_called_at_any_time),
        IN_FOLDER(table_build__has_as_many_workers_as_the_memory_does_for__when_more_could),
        IN_FOLDER(work_cancel__ends_the_build__when_workers_wait),
    };

    setenv("UV_THREADPOOL_SIZE", "6", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
