/* store/ledger: what was put is read back, in order, counted and in pages. */
#include "store/ledger.h"

#include "ledger_fixture.h"
#include "old_ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void ledger_each_row__gives_all__in_order_of_id(void **state)
{
    struct world *w = *state;
    struct rows rows;

    put(w, waiting(9, INT64_C(1700000000000000), 3));
    put(w, failed(4, "http 404"));
    put(w, done(2, SETTLE_BODY_JSON, 0));
    close_ledger(w);
    open_ledger(w, false);
    read_rows(w, &rows);
    assert_int_equal(rows.count, 3);
    assert_int_equal(rows.rows[0].id, 2);
    assert_int_equal(rows.rows[0].state, SETTLE_DONE);
    assert_int_equal(rows.rows[1].id, 4);
    assert_int_equal(rows.rows[1].state, SETTLE_FAILED);
    assert_string_equal(rows.reason[1], "http 404");
    assert_int_equal(rows.rows[2].id, 9);
    assert_int_equal(rows.rows[2].state, SETTLE_WAITING);
    assert_int_equal(rows.rows[2].attempt, 3);
    assert_int_equal(rows.rows[2].not_before_wall_us, INT64_C(1700000000000000));
    assert_int_equal(rows.rows[1].last.outcome, OUTCOME_STATUS);
    assert_int_equal(rows.rows[1].last.failure.class, FAILURE_STATUS);
    assert_int_equal(rows.rows[1].last.failure.status, 404);
    assert_int_equal(rows.rows[1].due.by, DUE_NONE);
    assert_int_equal(rows.rows[2].last.status, 429);
    assert_int_equal(rows.rows[2].due.by, DUE_RETRY_AFTER);
    assert_int_equal(rows.rows[2].due.wait_us, 30000000);
    assert_string_equal(rows.rows[2].due.said, "30");
    assert_string_equal(rows.rows[2].due.host, "a.test");
}

static void ledger_put__overwrites__unless_done(void **state)
{
    struct world *w = *state;
    struct rows rows;

    assert_false(put(w, waiting(1, 5, 1)));
    assert_false(put(w, waiting(1, 6, 2)));
    assert_false(put(w, failed(1, "gave up")));
    assert_false(put(w, waiting(1, 7, 3))); /* asked again by hand */
    assert_false(put(w, done(1, SETTLE_BODY_JSON, 0)));
    assert_true(put(w, done(1, SETTLE_BODY_JSON, 77)));
    assert_true(put(w, failed(1, "late")));
    assert_true(put(w, waiting(1, 8, 4)));
    read_rows(w, &rows);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.rows[0].state, SETTLE_DONE);
    assert_string_equal(rows.reason[0], "");
}

static void ledger_read_index__yields_pages__of_what_is_asked_for(void **state)
{
    struct world *w = *state;
    struct settlement *kept = failed(5, "http 404");
    struct record records[4];
    size_t count;

    kept->body_kind = SETTLE_BODY_FOREIGN;
    kept->record = (struct record){ 5, 40, 10, 1, 1, 404, 0 };
    put(w, done(4, SETTLE_BODY_EMPTY, 30));
    put(w, done(3, SETTLE_BODY_JSON, 20));
    put(w, done(1, SETTLE_BODY_JSON, 0));
    put(w, kept);
    put(w, failed(6, "no body"));
    put(w, waiting(7, 1, 1));

    assert_int_equal(ledger_read_index(w->ledger, LEDGER_JSON, 0, records, 4, &count, NULL),
                     RESULT_OK);
    assert_int_equal(count, 2);
    assert_int_equal(records[0].id, 1);
    assert_int_equal(records[1].id, 3);
    assert_int_equal(records[1].offset, 20);
    assert_int_equal(records[1].crc32c, 0xDEADBEEF);
    assert_int_equal(records[1].status, 200);
    assert_int_equal(ledger_read_index(w->ledger, LEDGER_DONE, 1, records, 4, &count, NULL),
                     RESULT_OK);
    assert_int_equal(count, 2);
    assert_int_equal(records[1].id, 4);
    assert_int_equal(ledger_read_index(w->ledger, LEDGER_STORED, 3, records, 1, &count, NULL),
                     RESULT_OK);
    assert_int_equal(count, 1);
    assert_int_equal(records[0].id, 4);
    assert_int_equal(ledger_read_index(w->ledger, LEDGER_STORED, 4, records, 4, &count, NULL),
                     RESULT_OK);
    assert_int_equal(count, 1);
    assert_int_equal(records[0].status, 404);
    assert_int_equal(
        ledger_read_index(w->ledger, LEDGER_STORED, UINT64_MAX, records, 4, &count, NULL),
        RESULT_OK);
    assert_int_equal(count, 0);
}

static void ledger_summarise__counts_all(void **state)
{
    struct world *w = *state;
    struct segment_extent extent = { 1, 30, 10, 17, 3 };
    struct ledger_summary s;

    put(w, done(1, SETTLE_BODY_JSON, 0));
    put(w, failed(2, "x"));
    put(w, waiting(3, 900, 4));
    put(w, waiting(4, 800, 2));
    assert_int_equal(ledger_session_begin(w->ledger, 100, NULL), RESULT_OK);
    assert_int_equal(ledger_session_end(w->ledger, 200, true, NULL), RESULT_OK);
    assert_int_equal(ledger_session_begin(w->ledger, 300, NULL), RESULT_OK);
    assert_int_equal(ledger_begin(w->ledger, NULL), RESULT_OK);
    assert_int_equal(ledger_put_segment(w->ledger, &extent, NULL), RESULT_OK);
    assert_int_equal(ledger_put_planned(w->ledger, 10, NULL), RESULT_OK);
    assert_int_equal(ledger_commit(w->ledger, NULL), RESULT_OK);

    assert_int_equal(ledger_summarise(w->ledger, &s, NULL), RESULT_OK);
    assert_int_equal(s.planned, 10);
    assert_int_equal(s.done, 1);
    assert_int_equal(s.failed, 1);
    assert_int_equal(s.waiting, 2);
    assert_int_equal(s.attempts, 8);
    assert_int_equal(s.next_deadline_us, 800);
    assert_int_equal(s.body_bytes, 17);
    assert_int_equal(s.line_bytes, 30);
    assert_int_equal(s.segments, 1);
    assert_int_equal(s.sessions, 2);
    assert_int_equal(s.first_start_us, 100);
    assert_int_equal(s.last_start_us, 300);
    assert_int_equal(s.last_end_us, 0);
    assert_false(s.last_clean);
}

static void ledger_summarise__of_nothing(void **state)
{
    struct world *w = *state;
    struct ledger_summary s;

    assert_int_equal(ledger_summarise(w->ledger, &s, NULL), RESULT_OK);
    assert_int_equal(s.done + s.failed + s.waiting + s.planned + s.sessions, 0);
    assert_true(s.next_deadline_us == INT64_MAX);
}

struct reasons {
    char text[512];
};

static void keep_reason(void *context, const struct ledger_reason *reason)
{
    struct reasons *reasons = context;
    size_t used = strlen(reasons->text);

    used += (size_t)snprintf(reasons->text + used, sizeof reasons->text - used,
                             "%.*s=%d:", STR_ARG(reason->reason), (int)reason->count);
    for (size_t i = 0; i < reason->key_count; i++) {
        used += (size_t)snprintf(reasons->text + used, sizeof reasons->text - used, "%.*s,",
                                 STR_ARG(reason->keys[i]));
    }
}

static void ledger_each_reason__has_the_most_frequent_first(void **state)
{
    struct world *w = *state;
    struct reasons reasons = { "" };

    put(w, failed(8, "timeout"));
    for (uint64_t id = 4; id > 0; id--) {
        put(w, failed(id, "http 404"));
    }
    put(w, failed(9, ""));
    put(w, failed(7, "timeout"));
    put(w, waiting(6, 1, 1));
    assert_int_equal(ledger_each_reason(w->ledger, 10, keep_reason, &reasons, NULL), RESULT_OK);
    assert_string_equal(reasons.text, "http 404=4:1,2,3,timeout=2:7,8,=1:9,");
    reasons.text[0] = '\0';
    assert_int_equal(ledger_each_reason(w->ledger, 1, keep_reason, &reasons, NULL), RESULT_OK);
    assert_string_equal(reasons.text, "http 404=4:1,2,3,");
}

static void ledger_put__keeps_bytes_from_outside(void **state)
{
    struct world *w = *state;
    struct settlement *s = failed(1, "\xFF\x1b[31m'; DROP TABLE request;--");
    struct rows rows;

    put(w, s);
    read_rows(w, &rows);
    assert_string_equal(rows.reason[0], "\xFF\x1b[31m'; DROP TABLE request;--");
}

static enum result keep_extent(void *context, const struct segment_extent *extent, struct err *err)
{
    struct segment_extent *kept = context;

    (void)err;
    kept[extent->number - 1] = *extent;
    return extent->number == 3 ? RESULT_CANCELLED : RESULT_OK;
}

static void ledger_each_segment__ends__when_told(void **state)
{
    struct world *w = *state;
    struct segment_extent kept[4] = { { 0 } };

    assert_int_equal(ledger_begin(w->ledger, NULL), RESULT_OK);
    for (uint32_t number = 4; number > 0; number--) {
        struct segment_extent extent = { number, number * UINT64_C(10), 5, 4, 3 };

        assert_int_equal(ledger_put_segment(w->ledger, &extent, NULL), RESULT_OK);
    }
    assert_int_equal(ledger_commit(w->ledger, NULL), RESULT_OK);
    assert_int_equal(ledger_each_segment(w->ledger, keep_extent, kept, NULL), RESULT_CANCELLED);
    assert_int_equal(kept[1].committed, 20);
    assert_int_equal(kept[2].last_batch, 5);
    assert_int_equal(kept[3].number, 0);
}

/* A request that was to wait for 4 s from wall time 1000 s and monotonic time 50 s. */
static int64_t wait_by(struct world *w, const struct ledger_clock *clock)
{
    struct rows rows = { .count = 0 };

    ledger_set_clock(w->ledger, clock);
    assert_int_equal(ledger_each_row(w->ledger, keep_row, &rows, NULL), RESULT_OK);
    assert_int_equal(rows.count, 1);
    return rows.rows[0].not_before_wall_us;
}

#define S INT64_C(1000000)

static void ledger_each_row__bounds_a_wait__when_the_clock_was_set(void **state)
{
    struct world *w = *state;
    struct settlement *s = waiting(1, 1004 * S, 1);

    ledger_set_clock(w->ledger, &(struct ledger_clock){ 1000 * S, 50 * S, 7 });
    s->waits_us = 4 * S;
    s->response->request->due_us = 54 * S;
    put(w, s);
    /* Of another boot: the wall clock, but no longer than it was. */
    assert_int_equal(wait_by(w, &(struct ledger_clock){ 1001 * S, 1 * S, 8 }), 1004 * S);
    assert_int_equal(wait_by(w, &(struct ledger_clock){ 9 * S, 1 * S, 8 }), 13 * S);
    assert_int_equal(wait_by(w, &(struct ledger_clock){ 9999 * S, 1 * S, 8 }), 1004 * S);
    assert_int_equal(wait_by(w, &(struct ledger_clock){ 9 * S, 1 * S, 0 }), 13 * S);
    /* Of the same one: what is left by the clock that nobody sets. */
    assert_int_equal(wait_by(w, &(struct ledger_clock){ 9 * S, 51 * S, 7 }), 12 * S);
    assert_int_equal(wait_by(w, &(struct ledger_clock){ 9999 * S, 51 * S, 7 }), 10002 * S);
    assert_int_equal(wait_by(w, &(struct ledger_clock){ 9999 * S, 60 * S, 7 }), 9993 * S);
    assert_int_equal(wait_by(w, &(struct ledger_clock){ .wall_us = 0 }), 1004 * S);
}

static void ledger_read_kept__gives_the_last_text__that_was_put(void **state)
{
    struct world *w = *state;
    struct buf text = { 0 };
    struct err err;

    assert_int_equal(ledger_read_kept(w->ledger, "job.json", &text, &err), RESULT_NOT_FOUND);
    assert_string_equal(err.code, "E-LEDG5");
    assert_int_equal(ledger_put_kept(w->ledger, "job.json", STR("{\"a\":1}"), NULL), RESULT_OK);
    assert_int_equal(ledger_put_kept(w->ledger, "job.json", STR("{\"b\":\"\xC3\xA9\"}"), NULL),
                     RESULT_OK);
    close_ledger(w);
    open_ledger(w, false);
    assert_int_equal(ledger_read_kept(w->ledger, "job.json", &text, NULL), RESULT_OK);
    assert_string_equal(buf_cstr(&text), "{\"b\":\"\xC3\xA9\"}");
    buf_release(&text);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(ledger_each_row__bounds_a_wait__when_the_clock_was_set),
        TEST(ledger_read_kept__gives_the_last_text__that_was_put),
        TEST(ledger_each_row__gives_all__in_order_of_id),
        TEST(ledger_put__overwrites__unless_done),
        TEST(ledger_read_index__yields_pages__of_what_is_asked_for),
        TEST(ledger_summarise__counts_all),
        TEST(ledger_summarise__of_nothing),
        TEST(ledger_each_reason__has_the_most_frequent_first),
        TEST(ledger_put__keeps_bytes_from_outside),
        TEST(ledger_each_segment__ends__when_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
