#include "store/ledger.h"

#include "old_ledger.h"
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    struct temp temp;
    struct run_dir dir;
    struct ledger *ledger;
};

static void open_ledger(struct world *w, bool created)
{
    struct err err = { .result = RESULT_OK };
    bool is_new;

    if (ledger_open(&w->ledger, &w->dir, &is_new, &err) != RESULT_OK) {
        fail_msg("%s: %s", err.code, err.text);
    }
    assert_int_equal(is_new, created);
}

static void close_ledger(struct world *w)
{
    assert_int_equal(ledger_checkpoint(w->ledger, true, NULL), RESULT_OK);
    ledger_close(w->ledger);
    w->ledger = NULL;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    temp_init(&w->temp);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    open_ledger(w, true);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    ledger_close(w->ledger);
    run_dir_close(&w->dir);
    temp_release(&w->temp);
    free(w);
    return 0;
}

static bool put(struct world *w, struct settlement *s)
{
    bool duplicate;

    assert_int_equal(ledger_begin(w->ledger, NULL), RESULT_OK);
    assert_int_equal(ledger_put(w->ledger, s, &duplicate, NULL), RESULT_OK);
    assert_int_equal(ledger_commit(w->ledger, NULL), RESULT_OK);
    settlement_free(s);
    return duplicate;
}

static struct settlement *done(uint64_t id, enum settle_body kind, uint64_t offset)
{
    struct settlement *s = settlement_make(id, SETTLE_DONE, kind, STR(""));

    s->record = (struct record){ id, offset, 10, 1, 0xDEADBEEF, 200, 0 };
    return s;
}

static struct settlement *failed(uint64_t id, const char *reason)
{
    struct settlement *s = settlement_make(id, SETTLE_FAILED, SETTLE_BODY_NONE, STR(""));

    snprintf(s->response->request->reason, REQUEST_REASON_MAX, "%s", reason);
    s->response->status = 404;
    s->response->request->last = (struct last_try){ .outcome = OUTCOME_STATUS,
                                                    .status = 404,
                                                    .failure = { FAILURE_STATUS, 404 } };
    return s;
}

static struct settlement *waiting(uint64_t id, int64_t not_before_us, uint32_t attempt)
{
    struct settlement *s = settlement_make(id, SETTLE_WAITING, SETTLE_BODY_NONE, STR(""));

    s->not_before_wall_us = not_before_us;
    s->response->request->attempt = attempt;
    snprintf(s->response->request->reason, REQUEST_REASON_MAX, "http 429");
    s->response->status = 429;
    s->response->request->last = (struct last_try){ .outcome = OUTCOME_STATUS,
                                                    .status = 429,
                                                    .failure = { FAILURE_STATUS, 429 } };
    s->response->request->due =
        (struct due){ .by = DUE_RETRY_AFTER, .wait_us = 30000000, .said = "30", .host = "a.test" };
    return s;
}

struct rows {
    struct ledger_row rows[8];
    char reason[8][REQUEST_REASON_MAX];
    size_t count;
};

static void keep_row(void *context, const struct ledger_row *row)
{
    struct rows *rows = context;
    size_t i = rows->count++;

    assert_true(i < 8);
    rows->rows[i] = *row;
    snprintf(rows->reason[i], sizeof rows->reason[i], "%.*s", STR_ARG(row->reason));
}

static void read_rows(struct world *w, struct rows *rows)
{
    rows->count = 0;
    assert_int_equal(ledger_each_row(w->ledger, keep_row, rows, NULL), RESULT_OK);
}

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

static bool exists(struct world *w, const char *name)
{
    return faccessat(w->dir.fd, name, F_OK, 0) == 0;
}

static void ledger_close__leaves_one_private_file(void **state)
{
    struct world *w = *state;
    struct stat st;

    put(w, done(1, SETTLE_BODY_JSON, 0));
    assert_true(exists(w, "ledger.db-wal"));
    assert_int_equal(fstatat(w->dir.fd, "ledger.db-wal", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    close_ledger(w);
    assert_false(exists(w, "ledger.db-wal"));
    assert_false(exists(w, "ledger.db-shm"));
    assert_int_equal(fstatat(w->dir.fd, "ledger.db", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static uint64_t count_readonly(struct world *w)
{
    struct ledger *reader;
    struct ledger_summary s;
    struct err err = { .result = RESULT_OK };

    if (ledger_open_readonly(&reader, &w->dir, &err) != RESULT_OK) {
        fail_msg("%s: %s", err.code, err.text);
    }
    assert_int_equal(ledger_summarise(reader, &s, NULL), RESULT_OK);
    ledger_close(reader);
    return s.done;
}

static void ledger_open_readonly__reads__live_and_at_rest(void **state)
{
    struct world *w = *state;

    put(w, done(1, SETTLE_BODY_JSON, 0));
    assert_int_equal(count_readonly(w), 1);
    put(w, done(2, SETTLE_BODY_JSON, 10));
    assert_int_equal(count_readonly(w), 2);
    close_ledger(w);
    assert_int_equal(count_readonly(w), 2);
    assert_false(exists(w, "ledger.db-wal"));
}

static void ledger_open_readonly__reads__after_a_kill(void **state)
{
    struct world *w = *state;
    int status;
    pid_t pid;

    close_ledger(w);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        open_ledger(w, false);
        put(w, done(1, SETTLE_BODY_JSON, 0));
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_true(exists(w, "ledger.db-wal"));
    assert_int_equal(count_readonly(w), 1);
    assert_int_equal(count_readonly(w), 1);
    open_ledger(w, false);
    put(w, done(2, SETTLE_BODY_JSON, 0));
    assert_int_equal(count_readonly(w), 2);
}

/* A reader in the middle of everything keeps neither the writer nor the fold from its work. */
static void ledger_close__succeeds__with_a_reader_on_it(void **state)
{
    struct world *w = *state;
    struct ledger *reader;
    struct ledger_summary s;

    put(w, done(1, SETTLE_BODY_JSON, 0));
    assert_int_equal(ledger_open_readonly(&reader, &w->dir, NULL), RESULT_OK);
    assert_int_equal(ledger_summarise(reader, &s, NULL), RESULT_OK);
    put(w, done(2, SETTLE_BODY_JSON, 0));
    assert_int_equal(ledger_checkpoint(w->ledger, true, NULL), RESULT_OK);
    close_ledger(w);
    open_ledger(w, false);
    put(w, done(3, SETTLE_BODY_JSON, 0));
    assert_int_equal(ledger_summarise(reader, &s, NULL), RESULT_OK);
    assert_int_equal(s.done, 3);
    ledger_close(reader);
}

static void check_refused(struct world *w, const char *code)
{
    struct err err = { .result = RESULT_OK };
    bool created;

    assert_int_equal(ledger_open(&w->ledger, &w->dir, &created, &err), RESULT_CORRUPT);
    assert_string_equal(err.code, code);
    assert_non_null(strstr(err.text, "ledger.db"));
    assert_null(w->ledger);
}

static void ledger_open__refuses__what_is_no_ledger(void **state)
{
    struct world *w = *state;
    char *text;
    size_t len;

    close_ledger(w);
    file_write(&w->dir, "ledger.db",
               STR("this is not a database, however long it may be ......."
                   "....................................................."));
    check_refused(w, "E-LEDG1");
    text = file_read(&w->dir, "ledger.db", &len);
    assert_memory_equal(text, "this is not", 11); /* nothing was overwritten */
    free(text);
}

static void ledger_open__refuses__another_application_or_version(void **state)
{
    struct world *w = *state;

    put(w, done(1, SETTLE_BODY_JSON, 0));
    close_ledger(w);
    file_damage(&w->dir, "ledger.db", 63, 4); /* user_version, the last of its four bytes */
    check_refused(w, "E-LEDG2");
    file_damage(&w->dir, "ledger.db", 63, 4);
    file_damage(&w->dir, "ledger.db", 68, 1); /* application_id */
    check_refused(w, "E-LEDG1");
    file_damage(&w->dir, "ledger.db", 68, 1);
    open_ledger(w, false);
}

/* The words of before are read as facts, once; done rows stay as they were. */
static void ledger_open__makes_facts__of_what_version_2_had_in_words(void **state)
{
    struct world *w = *state;
    struct rows rows;

    close_ledger(w);
    ledger_make(
        &w->dir, OLD_LEDGER_1 OLD_LEDGER_2
        "INSERT INTO request(id,state,endpoint,attempt,status,body,key,reason,set_by,not_before_us)"
        " VALUES(1,1,0,1,200,3,NULL,NULL,NULL,NULL),"
        "(2,2,0,6,404,0,'2','HTTP 404','',NULL),"
        "(3,3,0,2,429,0,'3','HTTP 429','Retry-After: 30',77),"
        "(4,3,0,1,0,0,'4','Operation timed out after 30000 milliseconds',"
        "'backoff 2.5 s of 0-4 s',78),"
        "(5,2,0,1,0,0,'5','dropped by you','',NULL);" OLD_LEDGER_HEADER "2;");
    open_ledger(w, false);
    for (int again = 0; again < 2; again++) {
        read_rows(w, &rows);
        assert_int_equal(rows.count, 5);
        assert_int_equal(rows.rows[1].last.failure.class, FAILURE_STATUS);
        assert_int_equal(rows.rows[1].last.failure.status, 404);
        assert_string_equal(rows.reason[1], "HTTP 404");
        assert_int_equal(rows.rows[2].last.status, 429);
        assert_int_equal(rows.rows[2].due.by, DUE_RETRY_AFTER);
        assert_string_equal(rows.rows[2].due.said, "30");
        assert_int_equal(rows.rows[2].not_before_wall_us, 77);
        assert_int_equal(rows.rows[3].last.outcome, OUTCOME_TIMEOUT);
        assert_int_equal(rows.rows[3].due.by, DUE_BACKOFF);
        assert_int_equal(rows.rows[3].due.wait_us, 2500000);
        assert_int_equal(rows.rows[3].due.ceiling_us, 4000000);
        assert_int_equal(rows.rows[4].last.failure.class, FAILURE_DROPPED);
        close_ledger(w);
        open_ledger(w, false);
    }
    assert_true(put(w, done(1, SETTLE_BODY_JSON, 0))); /* it has been done */
    assert_false(put(w, done(3, SETTLE_BODY_JSON, 0)));
    read_rows(w, &rows);
    assert_int_equal(rows.rows[2].state, SETTLE_DONE);
}

/* --- what failed, and what was said --- */

struct failures {
    size_t count;
    uint64_t id;
    enum failure_class class;
    char key[32], url[64], headers[64], body[64];
    int64_t at_us;
    uint64_t body_bytes;
};

static enum result keep_failed(void *context, const struct failed_row *row, struct err *err)
{
    struct failures *f = context;

    (void)err;
    f->count++;
    f->id = row->id;
    f->class = row->last.failure.class;
    f->at_us = row->said.at_us;
    f->body_bytes = row->said.body_bytes;
    snprintf(f->key, sizeof f->key, "%.*s", STR_ARG(row->key));
    snprintf(f->url, sizeof f->url, "%.*s", STR_ARG(row->url));
    snprintf(f->headers, sizeof f->headers, "%.*s", STR_ARG(row->said.headers));
    snprintf(f->body, sizeof f->body, "%.*s", STR_ARG(row->said.body));
    return RESULT_OK;
}

static struct failures one_failed(struct world *w, uint64_t id)
{
    struct failures f = { 0 };
    struct ledger_failed_query query = { keep_failed, &f };

    assert_int_equal(ledger_read_failed(w->ledger, id, &query, NULL), RESULT_OK);
    return f;
}

static struct failures all_failed(struct world *w)
{
    struct failures f = { 0 };
    struct ledger_failed_query query = { keep_failed, &f };

    assert_int_equal(ledger_each_failed(w->ledger, &query, NULL), RESULT_OK);
    return f;
}

static struct settlement *says(struct settlement *s, const char *body)
{
    s->said = (struct said){
        .headers = STR("a: b\n"), .body = str_view(body), .body_bytes = 9000, .at_us = 5
    };
    return s;
}

static void said__is_of_the_last_failure__until_it_succeeds(void **state)
{
    struct world *w = *state;
    struct failures f;

    put(w, says(waiting(7, 1, 1), "first"));
    assert_string_equal(one_failed(w, 7).body, "first");
    assert_int_equal(all_failed(w).count, 0); /* it waits */
    put(w, says(failed(7, "HTTP 404"), "second"));
    f = all_failed(w);
    assert_int_equal(f.count, 1);
    assert_int_equal(f.class, FAILURE_STATUS);
    assert_string_equal(f.key, "7");
    assert_string_equal(f.url, "http://h.test/items/7");
    assert_string_equal(f.body, "second");
    assert_string_equal(f.headers, "a: b\n");
    assert_int_equal(f.body_bytes, 9000);
    put(w, failed(7, "Connection refused")); /* nobody said anything this time */
    assert_int_equal(one_failed(w, 7).at_us, 0);
    put(w, says(failed(7, "HTTP 404"), "third"));
    put(w, done(7, SETTLE_BODY_JSON, 0));
    assert_int_equal(one_failed(w, 7).count, 0);
    put(w, says(failed(7, "HTTP 404"), "late")); /* a done row stays, and nothing is kept of this */
    assert_int_equal(one_failed(w, 7).count, 0);
}

/* A run in which everything fails keeps so much and no more; what is freed is used again. */
static void said__is_bounded__for_a_whole_run(void **state)
{
    struct world *w = *state;
    bool duplicate;

    for (int round = 0; round < 2; round++) {
        assert_int_equal(ledger_begin(w->ledger, NULL), RESULT_OK);
        for (uint64_t id = 1; id <= LEDGER_SAID_MAX + LEDGER_SAID_MAX / 5; id++) {
            struct settlement *s = says(failed(id, "HTTP 404"), "x");

            assert_int_equal(ledger_put(w->ledger, s, &duplicate, NULL), RESULT_OK);
            settlement_free(s);
        }
        assert_int_equal(ledger_commit(w->ledger, NULL), RESULT_OK);
        assert_int_equal(one_failed(w, 1).at_us, 5);
        assert_int_equal(one_failed(w, LEDGER_SAID_MAX + 1).at_us, 0);
        assert_int_equal(all_failed(w).count, LEDGER_SAID_MAX + LEDGER_SAID_MAX / 5);
    }
}

static void ledger_each_failed__reads__one_of_version_2(void **state)
{
    struct world *w = *state;
    struct failures f;

    close_ledger(w);
    ledger_make(&w->dir, OLD_LEDGER_1 OLD_LEDGER_2
                "INSERT INTO request(id,state,endpoint,attempt,status,body,key,reason,set_by)"
                " VALUES(2,2,0,6,0,0,'two','Could not resolve host: x','');" OLD_LEDGER_HEADER
                "2;");
    assert_int_equal(ledger_open_readonly(&w->ledger, &w->dir, NULL), RESULT_OK);
    f = all_failed(w);
    assert_int_equal(f.count, 1);
    assert_int_equal(f.class, FAILURE_DNS);
    assert_string_equal(f.key, "two");
    assert_string_equal(f.url, "");
    assert_int_equal(f.at_us, 0);
}

static void ledger_check__sees_damage(void **state)
{
    struct world *w = *state;
    struct err err = { .result = RESULT_OK };

    for (uint64_t id = 1; id <= 300; id++) {
        put(w, done(id, SETTLE_BODY_JSON, id));
    }
    assert_int_equal(ledger_check(w->ledger, &err), RESULT_OK);
    close_ledger(w);
    file_damage(&w->dir, "ledger.db", 4096 + 3, 0xFF); /* the cell count of the table's root */
    open_ledger(w, false);
    assert_int_equal(ledger_check(w->ledger, &err), RESULT_CORRUPT);
    assert_string_equal(err.code, "E-LEDG3");
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
        TEST(ledger_close__leaves_one_private_file),
        TEST(ledger_open_readonly__reads__live_and_at_rest),
        TEST(ledger_open_readonly__reads__after_a_kill),
        TEST(ledger_close__succeeds__with_a_reader_on_it),
        TEST(ledger_open__refuses__what_is_no_ledger),
        TEST(ledger_open__refuses__another_application_or_version),
        TEST(ledger_open__makes_facts__of_what_version_2_had_in_words),
        TEST(said__is_of_the_last_failure__until_it_succeeds),
        TEST(said__is_bounded__for_a_whole_run),
        TEST(ledger_each_failed__reads__one_of_version_2),
        TEST(ledger_check__sees_damage),
        TEST(ledger_each_segment__ends__when_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
