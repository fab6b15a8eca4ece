#include "store/committer.h"

#include "store/ledger.h"
#include "store/line.h"
#include "store/verify.h"
#include "store_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BACK_MAX 256

/* A run in a directory of its own, on a loop that must be empty at the end. */
struct world {
    struct temp temp;
    uv_loop_t loop;
    struct run_dir dir;
    struct committer *committer;
    struct recovery recovery;
    struct settlement *back[BACK_MAX]; /* in the order in which they came */
    size_t back_count, wanted;         /* the loop is stopped when so many are back */
    enum result troubles[8];
    size_t trouble_count, troubles_wanted;
    char trouble_code[ERR_CODE_MAX];
    bool closed;
};

static void on_committed(void *context, struct settlement *list)
{
    struct world *w = context;

    for (struct settlement *s = list; s; s = s->next) {
        assert_true(w->back_count < BACK_MAX);
        w->back[w->back_count++] = s;
    }
    if (w->wanted && w->back_count >= w->wanted) {
        uv_stop(&w->loop);
    }
}

static void on_trouble(void *context, enum result result, const struct err *err)
{
    struct world *w = context;

    assert_true(w->trouble_count < 8);
    w->troubles[w->trouble_count++] = result;
    snprintf(w->trouble_code, sizeof w->trouble_code, "%s", err->code);
    if (w->trouble_count == w->troubles_wanted) {
        uv_stop(&w->loop);
    }
}

static void on_closed(void *context)
{
    struct world *w = context;

    w->closed = true;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    temp_init(&w->temp);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < w->back_count; i++) {
        settlement_free(w->back[i]);
    }
    assert_int_equal(uv_loop_close(&w->loop), 0);
    temp_release(&w->temp);
    free(w);
    return 0;
}

static enum result try_open(struct world *w, struct err *err)
{
    struct committer_options options = {
        .loop = &w->loop,
        .dir = &w->dir,
        .clock = clock_system(),
        .on_committed = on_committed,
        .on_trouble = on_trouble,
        .context = w,
    };
    enum result result = run_dir_open(&w->dir, w->temp.run, err);

    w->closed = false;
    w->wanted = 0;
    if (result == RESULT_OK) {
        result = committer_open(&w->committer, &options, &w->recovery, err);
        if (result != RESULT_OK) {
            run_dir_close(&w->dir);
        }
    }
    return result;
}

static void open_run(struct world *w)
{
    struct err err = { .result = RESULT_OK };

    if (try_open(w, &err) != RESULT_OK) {
        fail_msg("%s: %s", err.code, err.text);
    }
}

static void start_run(struct world *w)
{
    open_run(w);
    assert_int_equal(committer_start(w->committer, NULL), RESULT_OK);
}

static void close_run(struct world *w, bool clean)
{
    w->wanted = 0;
    committer_close(w->committer, clean, on_closed);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_true(w->closed);
    run_dir_close(&w->dir);
}

static struct settlement *done(uint64_t id)
{
    char body[64];

    snprintf(body, sizeof body, "{\"id\":%llu}", (unsigned long long)id);
    return settlement_make(id, SETTLE_DONE, SETTLE_BODY_JSON, str_view(body));
}

static struct settlement *waiting(uint64_t id)
{
    struct settlement *s = settlement_make(id, SETTLE_WAITING, SETTLE_BODY_NONE, STR(""));

    s->not_before_wall_us = 123;
    return s;
}

/* Runs the loop until `count` more are back. */
static void wait_back(struct world *w, size_t count)
{
    w->wanted = w->back_count + count;
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(w->back_count, w->wanted);
}

static struct settlement *put_and_wait(struct world *w, struct settlement *s)
{
    committer_put(w->committer, s);
    committer_flush(w->committer);
    wait_back(w, 1);
    assert_ptr_equal(w->back[w->back_count - 1], s);
    return s;
}

static void ignore_finding(void *context, const struct verify_finding *finding)
{
    (void)context;
    (void)finding;
}

static void verify(struct world *w, struct verify_report *report)
{
    struct run_reader reader;

    assert_int_equal(run_reader_open(&reader, w->temp.run, NULL), RESULT_OK);
    assert_int_equal(verify_run(&reader, ignore_finding, NULL, report, NULL), RESULT_OK);
    run_reader_close(&reader);
}

static void committer__writes_line_and_row__when_done(void **state)
{
    struct world *w = *state;
    struct settlement *s;
    struct line_view view;
    size_t len;
    char *raw;

    start_run(w);
    assert_false(w->recovery.resumed);
    s = put_and_wait(w, settlement_make(7, SETTLE_DONE, SETTLE_BODY_JSON, STR("{\"a\":\n1}")));
    assert_int_equal(s->state, SETTLE_DONE);
    assert_false(s->duplicate);
    assert_int_equal(s->record.segment, 1);
    assert_int_equal(s->record.offset, 0);
    raw = file_read(&w->dir, "raw/00000001.jsonl", &len);
    assert_int_equal(len, s->record.length);
    assert_int_equal(line_parse((struct str){ raw, len }, &view), RESULT_OK);
    assert_int_equal(view.id, 7);
    assert_true(str_equal(view.body, STR("{\"a\": 1}")));
    assert_int_equal(line_crc32c(&view), s->record.crc32c);
    free(raw);
    close_run(w, true);
}

static void count_rows(void *context, const struct ledger_row *row)
{
    unsigned *counts = context;

    counts[row->state]++;
}

static void committer__resumes_rows__when_reopened(void **state)
{
    struct world *w = *state;
    unsigned counts[4] = { 0 };

    start_run(w);
    put_and_wait(w, done(1));
    put_and_wait(w, settlement_make(2, SETTLE_FAILED, SETTLE_BODY_NONE, STR("")));
    put_and_wait(w, waiting(3));
    close_run(w, true);

    open_run(w);
    assert_true(w->recovery.resumed);
    assert_false(w->recovery.unclean);
    assert_int_equal(w->recovery.done, 1);
    assert_int_equal(w->recovery.failed, 1);
    assert_int_equal(w->recovery.waiting, 1);
    assert_int_equal(w->recovery.body_bytes, strlen("{\"id\":1}"));
    assert_int_equal(committer_each_row(w->committer, count_rows, counts, NULL), RESULT_OK);
    assert_int_equal(counts[SETTLE_DONE], 1);
    assert_int_equal(counts[SETTLE_FAILED], 1);
    assert_int_equal(counts[SETTLE_WAITING], 1);
    close_run(w, true); /* never started */
}

static void committer__gives_back_in_order__without_a_flush(void **state)
{
    struct world *w = *state;
    struct verify_report report;

    start_run(w);
    for (uint64_t id = 1; id <= 200; id++) {
        committer_put(w->committer, id % 3 ? done(id) : waiting(id));
    }
    assert_int_equal(committer_pending(w->committer), 200);
    wait_back(w, 200);
    assert_int_equal(committer_pending(w->committer), 0);
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(w->back[i]->response->request->id, i + 1);
    }
    close_run(w, true);
    verify(w, &report);
    assert_int_equal(report.records, 134);
    assert_false(verify_report_is_damage(&report));
    assert_int_equal(report.orphan_bytes, 0);
}

static void committer_close__commits__what_was_put(void **state)
{
    struct world *w = *state;

    start_run(w);
    for (uint64_t id = 1; id <= 20; id++) {
        committer_put(w->committer, done(id));
    }
    close_run(w, true);
    assert_int_equal(w->back_count, 20);
    open_run(w);
    assert_int_equal(w->recovery.done, 20);
    close_run(w, true);
}

static void committer__leaves_the_first__when_done_twice(void **state)
{
    struct world *w = *state;
    struct verify_report report;
    struct settlement *second;

    start_run(w);
    put_and_wait(w, waiting(1));
    assert_false(put_and_wait(w, done(1))->duplicate);
    second = put_and_wait(w, done(1));
    assert_true(second->duplicate);
    assert_int_equal(second->state, SETTLE_DONE);
    close_run(w, true);
    verify(w, &report);
    assert_int_equal(report.records, 1);
    assert_int_equal(report.orphan_bytes, second->record.length);
    assert_false(verify_report_is_damage(&report));
}

static void committer_is_full__until_it_is_back(void **state)
{
    struct world *w = *state;
    struct settlement *big = waiting(1);

    start_run(w);
    assert_int_equal(buf_reserve(&big->response->body, COMMITTER_QUEUE_BYTES), RESULT_OK);
    big->response->body.len = COMMITTER_QUEUE_BYTES; /* counted, and never written */
    assert_false(committer_is_full(w->committer));
    committer_put(w->committer, big);
    assert_true(committer_is_full(w->committer));
    wait_back(w, 1);
    assert_false(committer_is_full(w->committer));
    close_run(w, true);
}

/* In a child: commits two records, leaves a torn line after them, and is killed. */
static void crash(struct world *w)
{
    int fd;

    start_run(w);
    put_and_wait(w, done(1));
    put_and_wait(w, done(2));
    fd = openat(w->dir.fd, "raw/00000001.jsonl", O_WRONLY | O_APPEND | O_CLOEXEC);
    raise(write(fd, "{\"id\":3,\"ke", 12) == 12 ? SIGKILL : SIGABRT);
}

static void run_and_crash(struct world *w)
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        assert_int_equal(uv_loop_fork(&w->loop), 0);
        crash(w);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void committer_open__cuts_the_tail__after_a_kill(void **state)
{
    struct world *w = *state;
    struct verify_report report;

    run_and_crash(w);
    start_run(w);
    assert_true(w->recovery.unclean);
    assert_int_equal(w->recovery.done, 2);
    assert_int_equal(w->recovery.discarded_bytes, 12);
    put_and_wait(w, done(3));
    close_run(w, true);
    verify(w, &report);
    assert_int_equal(report.records, 3);
    assert_int_equal(report.orphan_bytes + report.tail_bytes + report.damaged, 0);
}

static void committer_open__refuses__when_a_kill_hid_a_lost_page(void **state)
{
    struct world *w = *state;
    struct err err = { .result = RESULT_OK };
    size_t len;
    char *raw;

    run_and_crash(w);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    raw = file_read(&w->dir, "raw/00000001.jsonl", &len);
    free(raw);
    file_damage(&w->dir, "raw/00000001.jsonl", len - 20, 0xFF);
    run_dir_close(&w->dir);
    assert_int_equal(try_open(w, &err), RESULT_CORRUPT);
    assert_string_equal(err.code, "E-SEG2");
}

static void committer_open__refuses__when_the_ledger_is_gone(void **state)
{
    struct world *w = *state;
    struct err err = { .result = RESULT_OK };

    start_run(w);
    put_and_wait(w, done(1));
    close_run(w, true);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    assert_int_equal(unlinkat(w->dir.fd, "ledger.db", 0), 0);
    run_dir_close(&w->dir);
    assert_int_equal(try_open(w, &err), RESULT_CORRUPT);
    assert_string_equal(err.code, "E-LEDG4");
    assert_int_equal(try_open(w, &err), RESULT_CORRUPT); /* nothing was begun in its place */
}

struct index_reader {
    uv_work_t work;
    struct world *world;
    struct placed_record records[8];
    size_t count;
    enum result result;
};

static void read_index(uv_work_t *work)
{
    struct index_reader *reader = work->data;

    struct record_position position = { .seed = 1 };

    reader->result = committer_read_endpoint(reader->world->committer, 0, &position,
                                             reader->records, 8, &reader->count, NULL);
}

static void on_read(uv_work_t *work, int status)
{
    struct index_reader *reader = work->data;

    (void)status;
    uv_stop(&reader->world->loop);
}

static void committer_read_endpoint__answers__while_the_thread_idles(void **state)
{
    struct world *w = *state;
    struct index_reader reader = { .world = w };

    reader.work.data = &reader;
    start_run(w);
    put_and_wait(w, done(3));
    put_and_wait(w, done(1));
    put_and_wait(w, done(2));
    w->wanted = 0;
    uv_queue_work(&w->loop, &reader.work, read_index, on_read);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(reader.result, RESULT_OK);
    assert_int_equal(reader.count, 2);
    assert_int_equal(reader.records[0].record.id, 2);
    assert_int_equal(reader.records[1].record.id, 3);
    assert_int_equal(reader.records[1].record.offset, 0);
    close_run(w, true);
}

static void committer_event__appends__and_ends_a_torn_line(void **state)
{
    struct world *w = *state;
    size_t len;
    char *text;

    start_run(w);
    committer_event(w->committer, STR("{\"event\":\"a\"}"));
    close_run(w, true);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    file_write(&w->dir, "events.jsonl", STR("{\"event\":\"a\"}\n{\"eve"));
    run_dir_close(&w->dir);
    start_run(w);
    committer_event(w->committer, STR("{\"event\":\"b\"}"));
    close_run(w, true);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    text = file_read(&w->dir, "events.jsonl", &len);
    assert_string_equal(text, "{\"event\":\"a\"}\n{\"eve\n{\"event\":\"b\"}\n");
    free(text);
    run_dir_close(&w->dir);
}

static void committer_event__counts__what_it_drops(void **state)
{
    struct world *w = *state;
    struct str line = { calloc(1, COMMITTER_EVENTS_BYTES), COMMITTER_EVENTS_BYTES };
    size_t len;
    char *text;

    start_run(w);
    committer_event(w->committer, line); /* with its line feed one byte too much */
    committer_event(w->committer, line);
    close_run(w, true);
    free((char *)(uintptr_t)line.data);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    text = file_read(&w->dir, "events.jsonl", &len);
    assert_string_equal(text, "{\"event\":\"dropped\",\"lines\":2}\n");
    free(text);
    run_dir_close(&w->dir);
}

static void committer_set_planned__is_kept(void **state)
{
    struct world *w = *state;
    struct ledger_summary summary;
    struct run_reader reader;

    start_run(w);
    committer_set_planned(w->committer, 1234);
    close_run(w, false);
    assert_int_equal(run_reader_open(&reader, w->temp.run, NULL), RESULT_OK);
    assert_int_equal(ledger_summarise(reader.ledger, &summary, NULL), RESULT_OK);
    assert_int_equal(summary.planned, 1234);
    assert_true(summary.last_end_us > 0);
    assert_false(summary.last_clean);
    run_reader_close(&reader);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void wait_trouble(struct world *w)
{
    w->troubles_wanted = w->trouble_count + 1;
    w->wanted = 0;
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(w->trouble_count, w->troubles_wanted);
}

/* The file-size limit stands in for a full disk: EFBIG in segment and ledger alike. */
static void committer__pauses_and_goes_on__when_the_disk_is_full(void **state)
{
    struct world *w = *state;
    struct verify_report report;

    start_run(w);
    put_and_wait(w, done(1));
    limit_files(100);
    committer_put(w->committer, done(2));
    wait_trouble(w);
    assert_int_equal(w->troubles[0], RESULT_FULL);
    assert_string_equal(w->trouble_code, "E-DISK1");
    assert_int_equal(committer_pending(w->committer), 1);
    committer_put(w->committer, done(3));
    limit_files(RLIM_INFINITY);
    committer_flush(w->committer);
    wait_trouble(w);
    assert_int_equal(w->troubles[1], RESULT_OK);
    committer_flush(w->committer);
    close_run(w, true);
    assert_int_equal(w->back_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(w->back[i]->state, SETTLE_DONE);
    }
    verify(w, &report);
    assert_int_equal(report.records, 3);
    assert_int_equal(report.orphan_bytes + report.tail_bytes + report.damaged, 0);
}

static void committer_close__gives_back_lost__when_the_disk_stays_full(void **state)
{
    struct world *w = *state;

    start_run(w);
    put_and_wait(w, done(1));
    limit_files(100);
    committer_put(w->committer, done(2));
    wait_trouble(w);
    committer_put(w->committer, done(3));
    close_run(w, false);
    limit_files(RLIM_INFINITY);
    assert_int_equal(w->back_count, 3);
    assert_int_equal(w->back[1]->state, SETTLE_LOST);
    assert_int_equal(w->back[2]->state, SETTLE_LOST);
    open_run(w);
    assert_int_equal(w->recovery.done, 1);
    close_run(w, true);
}

/* Makes the descriptor of the segment one that cannot be written, so that the next write fails. */
static void break_segment(struct world *w)
{
    char link[64], target[256];
    int broken = openat(w->dir.fd, "raw/00000001.jsonl", O_RDONLY | O_CLOEXEC);

    assert_true(broken >= 0);
    for (int fd = 3; fd < 64; fd++) {
        ssize_t len;

        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        len = readlink(link, target, sizeof target - 1);
        target[len > 0 ? len : 0] = '\0';
        if (fd != broken && strstr(target, w->temp.base) && strstr(target, "00000001.jsonl")) {
            assert_int_equal(dup3(broken, fd, O_CLOEXEC), fd);
        }
    }
    close(broken);
}

static void committer__is_final__when_the_disk_fails(void **state)
{
    struct world *w = *state;

    start_run(w);
    put_and_wait(w, done(1));
    break_segment(w);
    committer_put(w->committer, done(2));
    committer_put(w->committer, done(3));
    wait_back(w, 2);
    assert_int_equal(w->trouble_count, 1); /* told before they came back */
    assert_int_equal(w->troubles[0], RESULT_IO);
    assert_string_equal(w->trouble_code, "E-DISK2");
    assert_int_equal(put_and_wait(w, done(4))->state, SETTLE_LOST);
    assert_int_equal(w->back[1]->state, SETTLE_LOST);
    close_run(w, false);
    open_run(w);
    assert_true(w->recovery.unclean);
    assert_int_equal(w->recovery.done, 1);
    close_run(w, true);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(committer__writes_line_and_row__when_done),
        TEST(committer__resumes_rows__when_reopened),
        TEST(committer__gives_back_in_order__without_a_flush),
        TEST(committer_close__commits__what_was_put),
        TEST(committer__leaves_the_first__when_done_twice),
        TEST(committer_is_full__until_it_is_back),
        TEST(committer_open__cuts_the_tail__after_a_kill),
        TEST(committer_open__refuses__when_a_kill_hid_a_lost_page),
        TEST(committer_open__refuses__when_the_ledger_is_gone),
        TEST(committer_read_endpoint__answers__while_the_thread_idles),
        TEST(committer_event__appends__and_ends_a_torn_line),
        TEST(committer_event__counts__what_it_drops),
        TEST(committer_set_planned__is_kept),
        TEST(committer__pauses_and_goes_on__when_the_disk_is_full),
        TEST(committer_close__gives_back_lost__when_the_disk_stays_full),
        TEST(committer__is_final__when_the_disk_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
