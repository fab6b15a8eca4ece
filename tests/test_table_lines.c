/* Tables of a run's raw lines: their order, damaged lines, and input that changes between two passes. */
#include "base/crc32c.h"
#include "table/table_build.h"
#include "table/table_run.h"
#include "table_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(table_run__takes_bodies_in_plan_order__when_source_is_a_run),
        IN_FOLDER(table_run__leaves_out_a_record__when_any_byte_of_its_line_has_changed),
        IN_FOLDER(table_run__leaves_out_a_record__when_it_is_another_than_the_ledger_names),
        IN_FOLDER(table_run__leaves_out_what_it_cannot_read__and_nothing_else),
        IN_FOLDER(table_run__keeps_the_old_table__when_input_changes_between_passes),
    };

    setenv("UV_THREADPOOL_SIZE", "6", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
