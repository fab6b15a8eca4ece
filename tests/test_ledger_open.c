/* store/ledger_open: who may read at the same time, what is refused, and ledgers of older versions. */
#include "store/ledger.h"

#include "ledger_fixture.h"
#include "old_ledger.h"
#include "store_fixture.h"

#include <fcntl.h>
#include <limits.h>
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
#include <sqlite3.h>

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
    file_damage(&w->dir, "ledger.db", 63, 8); /* user_version, the last of its four bytes */
    check_refused(w, "E-LEDG2");
    file_damage(&w->dir, "ledger.db", 63, 8);
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

/* All that a ledger has, a line for each column and index. To free. */
static char *described(struct world *w)
{
    static const char query[] =
        "SELECT group_concat(line,char(10)) FROM (SELECT m.name||' '||t.cid||' '||t.name||' '||"
        "t.type||' '||t.\"notnull\"||' '||ifnull(t.dflt_value,'-')||' '||t.pk AS line"
        " FROM sqlite_master m, pragma_table_xinfo(m.name) t WHERE m.type='table' UNION ALL"
        " SELECT m.name||' '||l.name||' '||l.strict||' '||l.wr FROM sqlite_master m,"
        " pragma_table_list(m.name) l WHERE m.type='table' UNION ALL"
        " SELECT m.sql FROM sqlite_master m WHERE m.type='index' AND m.sql NOT NULL ORDER BY 1)";
    char path[PATH_MAX];
    sqlite3 *db;
    sqlite3_stmt *st;
    char *text;

    snprintf(path, sizeof path, "%s/ledger.db", w->dir.path);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    text = strdup((const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    sqlite3_close(db);
    assert_non_null(text);
    return text;
}

/* A new one is made at once, an old one step by step: there is no telling them apart afterwards. */
static void ledger_open__makes_the_same__of_nothing_and_of_an_old_one(void **state)
{
    static const char *const old[] = {
        OLD_LEDGER_1 OLD_LEDGER_HEADER "1;",
        OLD_LEDGER_1 OLD_LEDGER_2 OLD_LEDGER_HEADER "2;",
        OLD_LEDGER_1 OLD_LEDGER_2 OLD_LEDGER_3 OLD_LEDGER_HEADER "3;",
        OLD_LEDGER_1 OLD_LEDGER_2 OLD_LEDGER_3 OLD_LEDGER_4 OLD_LEDGER_HEADER "4;",
        OLD_LEDGER_1 OLD_LEDGER_2 OLD_LEDGER_3 OLD_LEDGER_4 OLD_LEDGER_5 OLD_LEDGER_HEADER "5;",
    };
    struct world *w = *state;
    char *fresh = described(w), *brought_on;

    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++) {
        close_ledger(w);
        ledger_make(&w->dir, old[i]);
        open_ledger(w, false);
        brought_on = described(w);
        assert_string_equal(brought_on, fresh);
        free(brought_on);
    }
    free(fresh);
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

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(ledger_close__leaves_one_private_file),
        TEST(ledger_open_readonly__reads__live_and_at_rest),
        TEST(ledger_open_readonly__reads__after_a_kill),
        TEST(ledger_close__succeeds__with_a_reader_on_it),
        TEST(ledger_open__refuses__what_is_no_ledger),
        TEST(ledger_open__refuses__another_application_or_version),
        TEST(ledger_open__makes_facts__of_what_version_2_had_in_words),
        TEST(ledger_open__makes_the_same__of_nothing_and_of_an_old_one),
        TEST(ledger_check__sees_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
