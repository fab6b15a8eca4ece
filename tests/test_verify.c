#include "store/extract.h"
#include "store/verify.h"

#include "store/archive.h"
#include "store_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SEGMENT "raw/00000001.jsonl"

struct world {
    struct temp temp;
    struct run_dir dir; /* as the process that runs it has it */
    struct run_reader reader;
    struct record records[16]; /* by id */
    /* what verify_run told */
    struct verify_report report;
    uint64_t damaged_ids[16];
    size_t damaged_count;
    /* what extract_bodies wrote, and told */
    char *out;
    size_t out_len;
    uint64_t count;
    unsigned damages;
    struct err err;
};

static void store(struct world *w, struct archive *archive, struct settlement *s)
{
    assert_int_equal(archive_store(archive, s, 0, NULL), RESULT_OK);
    w->records[s->response->request->id] = s->record;
    settlement_free(s);
}

static struct settlement *with_key(struct settlement *s, struct str key)
{
    struct request *request = request_new(s->response->request->id, 0, key, STR("http://h.test/"));

    assert_non_null(request);
    request_free(s->response->request);
    s->response->request = request;
    return s;
}

/* Six requests, settled out of order: 1 and 4 JSON, 2 text, 3 bytes, 5 failed with a body, 6 waits. */
static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct archive a;
    struct recovery recovery;

    temp_init(&w->temp);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    assert_int_equal(archive_open(&a, &w->dir,
                                  &(struct archive_options){ .plan = NULL, .clock.wall_us = 1 },
                                  &recovery, NULL),
                     RESULT_OK);
    store(w, &a, settlement_make(4, SETTLE_DONE, SETTLE_BODY_JSON, STR("[4]")));
    store(w, &a,
          with_key(settlement_make(2, SETTLE_DONE, SETTLE_BODY_FOREIGN, STR("two\nlines")),
                   STR("../a b")));
    store(w, &a,
          with_key(settlement_make(3, SETTLE_DONE, SETTLE_BODY_FOREIGN, STR("\xFF\0\x01")),
                   STR("..\\a/b")));
    store(w, &a, settlement_make(1, SETTLE_DONE, SETTLE_BODY_JSON, STR("{\"a\":\n1}")));
    store(w, &a, settlement_make(5, SETTLE_FAILED, SETTLE_BODY_FOREIGN, STR("no such item")));
    store(w, &a, settlement_make(6, SETTLE_WAITING, SETTLE_BODY_NONE, STR("")));
    assert_int_equal(ledger_session_end(a.ledger, 2, true, NULL), RESULT_OK);
    archive_close(&a);
    run_dir_close(&w->dir);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK); /* not fresh any more */
    assert_int_equal(run_reader_open(&w->reader, w->temp.run, NULL), RESULT_OK);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    run_reader_close(&w->reader);
    run_dir_close(&w->dir);
    temp_release(&w->temp);
    free(w->out);
    free(w);
    return 0;
}

static void on_found(void *context, const struct verify_finding *finding)
{
    struct world *w = context;

    assert_non_null(finding->text);
    if (finding->kind == VERIFY_RECORD) {
        assert_true(w->damaged_count < 16);
        w->damaged_ids[w->damaged_count++] = finding->id;
    }
}

static void verify(struct world *w)
{
    w->damaged_count = 0;
    assert_int_equal(verify_run(&w->reader, on_found, w, &w->report, NULL), RESULT_OK);
}

static void verify_run__finds_nothing__when_sound(void **state)
{
    struct world *w = *state;

    verify(w);
    assert_int_equal(w->report.records, 5);
    assert_int_equal(w->report.damaged, 0);
    assert_int_equal(w->report.segments, 1);
    for (size_t kind = 0; kind <= VERIFY_FILE; kind++) {
        assert_int_equal(w->report.discoveries[kind], 0);
    }
    assert_false(verify_report_is_damage(&w->report));
}

static void verify_run__names_the_record__when_one_byte_changed(void **state)
{
    struct world *w = *state;

    file_damage(&w->dir, SEGMENT, w->records[3].offset + 20, 0x10);
    verify(w);
    assert_int_equal(w->report.damaged, 1);
    assert_int_equal(w->damaged_ids[0], 3);
    assert_true(verify_report_is_damage(&w->report));
}

static void verify_run__names_all_lost__when_a_segment_is_short(void **state)
{
    struct world *w = *state;
    int fd = openat(w->dir.fd, SEGMENT, O_WRONLY | O_CLOEXEC);

    /* Behind 1 lies only 5: both lose bytes. */
    assert_int_equal(ftruncate(fd, (off_t)w->records[1].offset + 5), 0);
    close(fd);
    verify(w);
    assert_int_equal(w->report.discoveries[VERIFY_SEGMENT], 1);
    assert_int_equal(w->report.damaged, 2);
    assert_int_equal(w->damaged_ids[0], 1);
    assert_int_equal(w->damaged_ids[1], 5);
}

static void verify_run__names_all_lost__when_a_segment_is_missing(void **state)
{
    struct world *w = *state;

    assert_int_equal(unlinkat(w->dir.fd, SEGMENT, 0), 0);
    verify(w);
    assert_int_equal(w->report.discoveries[VERIFY_SEGMENT], 1);
    assert_int_equal(w->report.damaged, 5);
}

static void verify_run__notes__tail_orphans_and_foreign_files(void **state)
{
    struct world *w = *state;
    struct recovery recovery;
    struct archive a;
    uint64_t lost = w->records[5].length;
    int fd;

    assert_int_equal(archive_open(&a, &w->dir,
                                  &(struct archive_options){ .plan = NULL, .clock.wall_us = 3 },
                                  &recovery, NULL),
                     RESULT_OK);
    store(w, &a, settlement_make(5, SETTLE_DONE, SETTLE_BODY_JSON, STR("5"))); /* at last */
    archive_close(&a);
    fd = openat(w->dir.fd, SEGMENT, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "torn", 4), 4);
    close(fd);
    file_write(&w->dir, "raw/notes.txt", STR("?"));
    verify(w);
    assert_int_equal(w->report.records, 5);
    assert_int_equal(w->report.orphan_bytes, lost);
    assert_int_equal(w->report.tail_bytes, 4);
    assert_int_equal(w->report.discoveries[VERIFY_FILE], 1);
    assert_false(verify_report_is_damage(&w->report));
}

static void on_damaged(void *context, const struct err *err)
{
    struct world *w = context;

    assert_int_equal(err->result, RESULT_CORRUPT);
    w->damages++;
}

static enum result extract(struct world *w, const char *const *keys, size_t key_count,
                           const char *dir)
{
    struct extract_options options = {
        .keys = keys, .key_count = key_count, .dir = dir, .damaged = on_damaged, .context = w
    };
    enum result result;

    free(w->out);
    w->out = NULL;
    options.to = open_memstream(&w->out, &w->out_len);
    assert_non_null(options.to);
    result = extract_bodies(&w->reader, &options, &w->count, &w->err);
    fclose(options.to);
    return result;
}

static void assert_out(const struct world *w, struct str wanted)
{
    assert_int_equal(w->out_len, wanted.len);
    assert_memory_equal(w->out, wanted.data, wanted.len);
}

static void extract_bodies__puts_out_what_is_done__in_plan_order(void **state)
{
    struct world *w = *state;

    assert_int_equal(extract(w, NULL, 0, NULL), RESULT_OK);
    assert_out(w, STR("{\"a\": 1}\ntwo\nlines\n\xFF\0\x01\n[4]\n"));
    assert_int_equal(w->count, 4);
}

static void extract_bodies__takes_keys__in_the_order_given(void **state)
{
    struct world *w = *state;
    const char *keys[] = { "5", "../a b", "1", "5" };

    assert_int_equal(extract(w, keys, 4, NULL), RESULT_OK);
    assert_out(w, STR("no such item\ntwo\nlines\n{\"a\": 1}\n"));
}

static void extract_bodies__names_the_first_missing_key__after_the_others(void **state)
{
    struct world *w = *state;
    const char *keys[] = { "zzz", "4", "6", "aaa" };

    assert_int_equal(extract(w, keys, 4, NULL), RESULT_NOT_FOUND);
    assert_out(w, STR("[4]\n"));
    assert_string_equal(w->err.code, "E-KEY1");
    assert_non_null(strstr(w->err.text, "zzz"));
}

static void extract_bodies__passes_over_damage__and_tells(void **state)
{
    struct world *w = *state;

    file_damage(&w->dir, SEGMENT, w->records[2].offset + w->records[2].length - 5, 1);
    assert_int_equal(extract(w, NULL, 0, NULL), RESULT_OK);
    assert_out(w, STR("{\"a\": 1}\n\xFF\0\x01\n[4]\n"));
    assert_int_equal(w->damages, 1);
}

static void extract_bodies__makes_plain_names__into_a_directory(void **state)
{
    struct world *w = *state;
    struct run_dir out = { .fd = -1 };
    char path[128];
    size_t len;
    char *text;

    snprintf(path, sizeof path, "%s/out", w->temp.base);
    assert_int_equal(extract(w, NULL, 0, path), RESULT_OK);
    assert_int_equal(w->count, 4);
    out.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    text = file_read(&out, "1.json", &len);
    assert_string_equal(text, "{\"a\": 1}");
    free(text);
    text = file_read(&out, "_._a_b.txt", &len); /* of "../a b" */
    assert_string_equal(text, "two\nlines");
    free(text);
    text = file_read(&out, "_.__a_b.bin", &len);
    assert_int_equal(len, 3);
    free(text);
    close(out.fd);
    assert_int_equal(extract(w, NULL, 0, path), RESULT_INVALID); /* not empty any more */
    assert_string_equal(w->err.code, "E-OUT2");
}

static void extract_bodies__keeps_both__when_names_collide(void **state)
{
    struct world *w = *state;
    struct run_dir out = { .fd = -1 };
    struct recovery recovery;
    struct archive a;
    char path[128];
    size_t len;
    char *text;

    assert_int_equal(archive_open(&a, &w->dir,
                                  &(struct archive_options){ .plan = NULL, .clock.wall_us = 3 },
                                  &recovery, NULL),
                     RESULT_OK);
    store(w, &a, with_key(settlement_make(8, SETTLE_DONE, SETTLE_BODY_JSON, STR("8")), STR("x?1")));
    store(w, &a, with_key(settlement_make(7, SETTLE_DONE, SETTLE_BODY_JSON, STR("7")), STR("x&1")));
    archive_close(&a);
    snprintf(path, sizeof path, "%s/out", w->temp.base);
    assert_int_equal(extract(w, NULL, 0, path), RESULT_OK);
    out.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    text = file_read(&out, "x_1.json", &len);
    assert_string_equal(text, "7");
    free(text);
    text = file_read(&out, "x_1-8.json", &len);
    assert_string_equal(text, "8");
    free(text);
    close(out.fd);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(verify_run__finds_nothing__when_sound),
        TEST(verify_run__names_the_record__when_one_byte_changed),
        TEST(verify_run__names_all_lost__when_a_segment_is_short),
        TEST(verify_run__names_all_lost__when_a_segment_is_missing),
        TEST(verify_run__notes__tail_orphans_and_foreign_files),
        TEST(extract_bodies__puts_out_what_is_done__in_plan_order),
        TEST(extract_bodies__takes_keys__in_the_order_given),
        TEST(extract_bodies__names_the_first_missing_key__after_the_others),
        TEST(extract_bodies__passes_over_damage__and_tells),
        TEST(extract_bodies__makes_plain_names__into_a_directory),
        TEST(extract_bodies__keeps_both__when_names_collide),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
