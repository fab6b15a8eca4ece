/* store/committer: what is put comes back committed, in order, and is there when the run is opened again. */
#include "store/committer.h"

#include "store/ledger.h"
#include "store/line.h"
#include "store/verify.h"
#include "committer_fixture.h"
#include "store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct settlement *waiting(uint64_t id)
{
    struct settlement *s = settlement_make(id, SETTLE_WAITING, SETTLE_BODY_NONE, STR(""));

    s->not_before_wall_us = 123;
    return s;
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
    unsigned counts[SETTLE_WAITING + 1] = { 0 };

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
        TEST(committer_event__appends__and_ends_a_torn_line),
        TEST(committer_event__counts__what_it_drops),
        TEST(committer_set_planned__is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
