#include "store/segment.h"
#include "store/segment_reader.h"
#include "store/segment_scan.h"

#include "store_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    struct temp temp;
    struct run_dir dir;
    int raw_fd;
    struct segment segment;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    temp_init(&w->temp);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    assert_int_equal(segment_dir_open(&w->dir, true, &w->raw_fd, NULL), RESULT_OK);
    assert_int_equal(segment_init(&w->segment, w->raw_fd, NULL), RESULT_OK);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    segment_release(&w->segment);
    close(w->raw_fd);
    run_dir_close(&w->dir);
    temp_release(&w->temp);
    free(w);
    return 0;
}

static void begin_next(struct world *w)
{
    struct err err = { .result = RESULT_OK };

    if (segment_begin_next(&w->segment, &err) != RESULT_OK) {
        fail_msg("%s: %s", err.code, err.text);
    }
}

/* Writes `bytes` and lets them count. */
static void commit(struct world *w, struct str bytes)
{
    assert_int_equal(segment_append(&w->segment, bytes, NULL), RESULT_OK);
    assert_int_equal(segment_flush(&w->segment, NULL), RESULT_OK);
    assert_int_equal(segment_sync(&w->segment, NULL), RESULT_OK);
    w->segment.extent.last_batch = w->segment.extent.committed;
    w->segment.extent.committed = w->segment.end;
}

static struct record commit_record(struct world *w, uint64_t id, struct str body)
{
    struct settlement *s = settlement_make(id, SETTLE_DONE, SETTLE_BODY_JSON, body);
    struct buf text = { .max = 0 };
    struct record record;
    struct line line;

    line_init(&line);
    assert_int_equal(line_make(&line, s), RESULT_OK);
    assert_int_equal(buf_append_str(&text, buf_view(&line.head)), RESULT_OK);
    assert_int_equal(buf_append_str(&text, line.value), RESULT_OK);
    assert_int_equal(buf_append_str(&text, LINE_TAIL), RESULT_OK);
    record = (struct record){ .id = id,
                              .offset = w->segment.end,
                              .length = line.length,
                              .segment = w->segment.extent.number,
                              .crc32c = line.crc32c };
    commit(w, buf_view(&text));
    line_release(&line);
    buf_release(&text);
    settlement_free(s);
    return record;
}

static off_t size_of(struct world *w, const char *name)
{
    struct stat st;

    assert_int_equal(fstatat(w->raw_fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
    return st.st_size;
}

static void segment_begin_next__makes_private_numbered_files(void **state)
{
    struct world *w = *state;
    struct stat st;

    assert_true(segment_is_full(&w->segment));
    begin_next(w);
    begin_next(w);
    assert_int_equal(w->segment.extent.number, 2);
    assert_int_equal(fstatat(w->raw_fd, "00000002.jsonl", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_false(segment_is_full(&w->segment));
    w->segment.end = SEGMENT_MAX_BYTES;
    assert_true(segment_is_full(&w->segment));
    w->segment.end = 0;
}

static void segment_begin_next__passes_over__what_is_not_empty(void **state)
{
    struct world *w = *state;
    size_t len;
    char *text;

    file_write(&w->dir, "raw/00000001.jsonl", STR("precious\n"));
    file_write(&w->dir, "raw/00000002.jsonl", STR(""));
    begin_next(w);
    assert_int_equal(w->segment.extent.number, 2);
    commit(w, STR("new\n"));
    text = file_read(&w->dir, "raw/00000001.jsonl", &len);
    assert_string_equal(text, "precious\n");
    free(text);
}

static void segment_append__keeps_order__when_pieces_are_large(void **state)
{
    struct world *w = *state;
    size_t big_len = 3 << 20, len;
    char *big = malloc(big_len);
    char *text;

    assert_non_null(big);
    memset(big, 'x', big_len);
    begin_next(w);
    assert_int_equal(segment_append(&w->segment, STR("head"), NULL), RESULT_OK);
    assert_int_equal(segment_append(&w->segment, (struct str){ big, big_len }, NULL), RESULT_OK);
    assert_int_equal(segment_append(&w->segment, STR("tail"), NULL), RESULT_OK);
    commit(w, STR("\n"));
    assert_int_equal(w->segment.end, big_len + 9);
    text = file_read(&w->dir, "raw/00000001.jsonl", &len);
    assert_int_equal(len, big_len + 9);
    assert_memory_equal(text, "headxxxx", 8);
    assert_memory_equal(text + big_len + 4, "tail\n", 5);
    free(text);
    free(big);
}

/* A full disk by way of the file-size limit: a short write, then EFBIG. */
static void segment_rewind__leaves_only_what_counts__when_full(void **state)
{
    struct world *w = *state;
    struct err err = { .result = RESULT_OK };
    struct rlimit before, tight;
    enum result result;

    begin_next(w);
    commit(w, STR("kept\n"));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight = (struct rlimit){ 8, before.rlim_max };
    assert_int_equal(segment_append(&w->segment, STR("more than fits\n"), NULL), RESULT_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    result = segment_flush(&w->segment, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(result, RESULT_FULL);
    assert_string_equal(err.code, "E-DISK1");
    assert_int_equal(size_of(w, "00000001.jsonl"), 8);

    assert_int_equal(segment_rewind(&w->segment, NULL), RESULT_OK);
    assert_int_equal(size_of(w, "00000001.jsonl"), 5);
    commit(w, STR("next\n")); /* and it goes on after what counts */
    assert_int_equal(size_of(w, "00000001.jsonl"), 10);
}

static void segment_recover__cuts_the_tail_and_no_more(void **state)
{
    struct world *w = *state;
    struct segment_extent extent = { .number = 1, .committed = 5 };
    uint64_t discarded = 0;
    struct err err = { .result = RESULT_OK };

    file_write(&w->dir, "raw/00000001.jsonl", STR("kept\ntorn li"));
    assert_int_equal(segment_recover(w->raw_fd, &extent, &discarded, &err), RESULT_OK);
    assert_int_equal(discarded, 7);
    assert_int_equal(size_of(w, "00000001.jsonl"), 5);
    assert_int_equal(segment_recover(w->raw_fd, &extent, &discarded, &err), RESULT_OK);
    assert_int_equal(discarded, 7);
}

static void segment_recover__refuses__when_short_or_missing(void **state)
{
    struct world *w = *state;
    struct segment_extent extent = { .number = 1, .committed = 5 };
    uint64_t discarded = 0;
    struct err err = { .result = RESULT_OK };

    assert_int_equal(segment_recover(w->raw_fd, &extent, &discarded, &err), RESULT_CORRUPT);
    assert_string_equal(err.code, "E-LEDG4");
    file_write(&w->dir, "raw/00000001.jsonl", STR("kep"));
    assert_int_equal(segment_recover(w->raw_fd, &extent, &discarded, &err), RESULT_CORRUPT);
    assert_string_equal(err.code, "E-SEG1");
    assert_non_null(strstr(err.text, "2 bytes short"));
    assert_int_equal(size_of(w, "00000001.jsonl"), 3);
}

static void segment_check_last_batch__sees_damage__in_it_only(void **state)
{
    struct world *w = *state;
    struct err err = { .result = RESULT_OK };
    struct record first, last;

    begin_next(w);
    first = commit_record(w, 1, STR("[1]"));
    last = commit_record(w, 2, STR("[2]"));
    assert_int_equal(segment_check_last_batch(w->raw_fd, &w->segment.extent, &err), RESULT_OK);
    file_damage(&w->dir, "raw/00000001.jsonl", first.offset + 10, 1);
    assert_int_equal(segment_check_last_batch(w->raw_fd, &w->segment.extent, &err), RESULT_OK);
    file_damage(&w->dir, "raw/00000001.jsonl", last.offset + last.length - 3, 1);
    assert_int_equal(segment_check_last_batch(w->raw_fd, &w->segment.extent, &err), RESULT_CORRUPT);
    assert_string_equal(err.code, "E-SEG2");
    file_damage(&w->dir, "raw/00000001.jsonl", last.offset + last.length - 3, 1);
    file_damage(&w->dir, "raw/00000001.jsonl", last.offset + last.length - 1, 1); /* no line feed */
    assert_int_equal(segment_check_last_batch(w->raw_fd, &w->segment.extent, &err), RESULT_CORRUPT);
}

/* Lines across the pieces in which a batch is read. */
static void segment_check_last_batch__reads_lines_of_any_size(void **state)
{
    struct world *w = *state;
    char *body = malloc(400001);

    assert_non_null(body);
    memset(body, '1', 400000);
    body[400000] = '\0';
    begin_next(w);
    for (uint64_t id = 1; id <= 5; id++) {
        commit_record(w, id, (struct str){ body, 400000 - id * 70001 });
    }
    w->segment.extent.last_batch = 0;
    assert_int_equal(segment_check_last_batch(w->raw_fd, &w->segment.extent, NULL), RESULT_OK);
    free(body);
}

static void segment_read_line__gives_back__what_was_written(void **state)
{
    struct world *w = *state;
    struct record records[SEGMENT_READER_FILES + 2];
    size_t count = sizeof records / sizeof *records;
    struct segment_reader reader;
    struct buf line = { .max = 0 };
    struct line_view view;

    for (size_t i = 0; i < count; i++) {
        begin_next(w);
        records[i] = commit_record(w, i + 1, STR("{\"a\":[]}"));
    }
    segment_reader_init(&reader, w->raw_fd);
    for (size_t i = 0; i < 3 * count; i++) { /* more files than it keeps open */
        const struct record *record = &records[i * 5 % count];

        assert_int_equal(segment_read_line(&reader, record, &line, &view, NULL), RESULT_OK);
        assert_int_equal(view.id, record->id);
        assert_true(str_equal(view.body, STR("{\"a\":[]}")));
        assert_int_equal(segment_read_key(&reader, record, &line, &view, NULL), RESULT_OK);
        assert_int_equal(view.key.len, 1);
        assert_int_equal(view.key.data[0], '0' + (int)record->id);
    }
    buf_release(&line);
    segment_reader_release(&reader);
}

static void segment_read_line__tells_damage__when_row_and_line_differ(void **state)
{
    struct world *w = *state;
    struct segment_reader reader;
    struct buf line = { .max = 0 };
    struct err err = { .result = RESULT_OK };
    struct line_view view;
    struct record good, bad;

    begin_next(w);
    good = commit_record(w, 1, STR("[1]"));
    segment_reader_init(&reader, w->raw_fd);
    assert_int_equal(segment_read_line(&reader, &good, &line, &view, &err), RESULT_OK);
    bad = good;
    bad.id = 2;
    assert_int_equal(segment_read_line(&reader, &bad, &line, &view, &err), RESULT_CORRUPT);
    assert_int_equal(segment_read_key(&reader, &bad, &line, &view, &err), RESULT_CORRUPT);
    bad = good;
    bad.crc32c ^= 1;
    assert_int_equal(segment_read_line(&reader, &bad, &line, &view, &err), RESULT_CORRUPT);
    bad = good;
    bad.length++;
    assert_int_equal(segment_read_line(&reader, &bad, &line, &view, &err), RESULT_CORRUPT);
    bad = good;
    bad.segment = 9;
    assert_int_equal(segment_read_line(&reader, &bad, &line, &view, &err), RESULT_CORRUPT);
    assert_string_equal(err.code, "E-LEDG4");
    buf_release(&line);
    segment_reader_release(&reader);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(segment_begin_next__makes_private_numbered_files),
        TEST(segment_begin_next__passes_over__what_is_not_empty),
        TEST(segment_append__keeps_order__when_pieces_are_large),
        TEST(segment_rewind__leaves_only_what_counts__when_full),
        TEST(segment_recover__cuts_the_tail_and_no_more),
        TEST(segment_recover__refuses__when_short_or_missing),
        TEST(segment_check_last_batch__sees_damage__in_it_only),
        TEST(segment_check_last_batch__reads_lines_of_any_size),
        TEST(segment_read_line__gives_back__what_was_written),
        TEST(segment_read_line__tells_damage__when_row_and_line_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
