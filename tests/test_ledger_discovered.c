/* store/ledger_discovered: requests that answers gave rise to, numbered, read and counted. */
#include "plan/sort_key.h"

#include "store/committer.h"
#include "store/ledger.h"
#include "discovered_fixture.h"
#include "old_ledger.h"
#include "store_fixture.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void check_note(struct world *w, enum page_note_kind kind, bool there)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    char path[256];

    snprintf(path, sizeof path, "%s/ledger.db", w->temp.run);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT count(*) FROM page_note WHERE kind=?1", -1, &st, NULL),
        SQLITE_OK);
    sqlite3_bind_int(st, 1, (int)kind);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(st, 0), there);
    sqlite3_finalize(st);
    sqlite3_close(db);
}

static void ledger_put_discoveries__numbers_them__after_the_seeds(void **state)
{
    struct world *w = *state;
    struct settlement *s = done(1);
    struct discovered *page = find_page(s, "http://h.test/p2", 1);
    struct discovered *detail = find_detail(s, "http://h.test/d1", 0, "{\"a.id\":1}");

    put(w, s);
    assert_int_equal(page->id, SEEDS + 1);
    assert_int_equal(detail->id, SEEDS + 2);
    read_found(w, LEDGER_DISCOVERED_NEW, SEEDS, 10);
    assert_int_equal(w->row_count, 2);
    assert_string_equal(w->rows[0]->url.data, "http://h.test/p2");
    assert_int_equal(w->rows[0]->page.ordinal, 1);
    assert_true(w->rows[0]->page.number == UINT64_MAX - 5);
    assert_true(w->rows[0]->page.total == PAGE_TOTAL_UNKNOWN);
    assert_int_equal(w->rows[0]->page.named_by_crc32c, 0xFFFFFFFF);
    assert_int_equal(w->rows[0]->page.expected, UINT32_MAX);
    assert_int_equal(w->rows[0]->page.size, 50);
    assert_int_equal(w->rows[0]->page.empty, 3);
    assert_int_equal(w->rows[0]->page.kind, 4);
    assert_null(w->rows[0]->vars.data);
    assert_int_equal(w->rows[1]->endpoint, 1);
    assert_int_equal(w->rows[1]->page.chain, 0);
    assert_string_equal(w->rows[1]->vars.data, "{\"a.id\":1}");
    assert_int_equal(sort_key_compare(w->rows[1]->sort_key, detail->texts.sort_key), 0);
    drop(s);
}

static void ledger_put_discoveries__tells_rounds_apart(void **state)
{
    struct world *w = *state;
    struct settlement *s = done(1);
    struct sort_key place;
    struct page_at page = { 0 };

    for (uint32_t round = 1; round < 3; round++) {
        sort_key_of_seed(round, 1, &place);
        discoveries_add(&s->discoveries,
                        discovered_new(0,
                                       &(struct request_texts){ .key = STR("k"),
                                                                .url = STR("http://h.test/1"),
                                                                .etag = STR("\"x\""),
                                                                .sort_key = sort_key_view(&place) },
                                       &page));
    }
    put(w, s);
    read_found(w, LEDGER_DISCOVERED_NEW, SEEDS, 10);
    assert_int_equal(w->row_count, 2);
    assert_string_equal(w->rows[1]->etag.data, "\"x\"");
    drop(s);
}

static void ledger_put_discoveries__notes_a_listing_that_runs_back(void **state)
{
    struct world *w = *state;
    struct settlement *first = done(1), *second = done(SEEDS + 1), *once_more = done(1);

    find_page(first, "http://h.test/p2", 1);
    put(w, first);
    find_page(once_more, "http://h.test/p2", 1);
    put(w, once_more);
    check_note(w, PAGE_NOTE_BACK, false);
    second->response->request->page = (struct page_at){ .chain = 1, .ordinal = 1 };
    find_page(second, first->response->request->url.data, 2);
    put(w, second);
    check_note(w, PAGE_NOTE_BACK, true);
    read_found(w, LEDGER_DISCOVERED_NEW, SEEDS, 10);
    assert_int_equal(w->row_count, 0);
    drop(first);
    drop(second);
    drop(once_more);
}

static void ledger_put_discoveries__keeps_notes__once_each(void **state)
{
    struct world *w = *state;
    struct settlement *s = done(1);

    assert_int_equal(discoveries_note(&s->discoveries, PAGE_NOTE_LIMIT, "more than %d", 5),
                     RESULT_OK);
    put(w, s);
    put(w, s);
    check_note(w, PAGE_NOTE_LIMIT, true);
    drop(s);
}

static struct settlement *ended(uint64_t id, enum settle_state state, int status)
{
    struct settlement *s = settlement_make(id, state, SETTLE_BODY_NONE, STR(""));
    struct request *request = s->response->request;

    s->response->status = status;
    s->not_before_wall_us = 77;
    request->attempt = 3;
    snprintf(request->reason, sizeof request->reason, "http %d", status);
    request->last = (struct last_try){ .outcome = OUTCOME_STATUS,
                                       .status = status,
                                       .failure = { FAILURE_STATUS, status } };
    request->due = (struct due){ .by = DUE_BACKOFF, .wait_us = 7, .ceiling_us = 9 };
    return s;
}

static void ledger_each_found__yields__what_is_asked_for(void **state)
{
    struct world *w = *state;
    struct settlement *s = done(1), *ends[4];

    for (uint32_t i = 0; i < 6; i++) {
        char url[32];

        snprintf(url, sizeof url, "http://h.test/%u", (unsigned)i);
        find_detail(s, url, i, NULL);
    }
    put(w, s);
    ends[0] = done(SEEDS + 1);
    ends[1] = ended(SEEDS + 2, SETTLE_WAITING, 503);
    ends[2] = ended(SEEDS + 3, SETTLE_FAILED, 404);
    ends[3] = ended(SEEDS + 4, SETTLE_FAILED, 500);
    for (size_t i = 0; i < 4; i++) {
        put(w, ends[i]);
        drop(ends[i]);
    }
    read_found(w, LEDGER_DISCOVERED_NEW, SEEDS, 1);
    assert_int_equal(w->row_count, 1);
    assert_int_equal(w->rows[0]->id, SEEDS + 5);
    read_found(w, LEDGER_DISCOVERED_NEW, SEEDS + 5, 10);
    assert_int_equal(w->row_count, 1);
    assert_int_equal(w->rows[0]->id, SEEDS + 6);
    read_found(w, LEDGER_DISCOVERED_WAITING, 0, 10);
    assert_int_equal(w->row_count, 1);
    assert_int_equal(w->rows[0]->attempt, 3);
    assert_string_equal(w->rows[0]->reason, "http 503");
    assert_int_equal(w->rows[0]->last.failure.class, FAILURE_STATUS);
    assert_int_equal(w->rows[0]->last.failure.status, 503);
    assert_int_equal(w->rows[0]->due.by, DUE_BACKOFF);
    assert_int_equal(w->rows[0]->due.ceiling_us, 9);
    assert_int_equal(w->not_before_us[0], 77);
    drop(s);
}

static void ledger_each_found_of__yields__these(void **state)
{
    struct world *w = *state;
    struct settlement *s = done(1), *failed = ended(SEEDS + 2, SETTLE_FAILED, 500);
    struct ledger_discovered_query query = { .visit = keep, .context = w };
    uint64_t ids[] = { SEEDS + 2, SEEDS + 9, SEEDS + 1 }, counts[2];

    find_page(s, "http://h.test/p2", 1);
    find_detail(s, "http://h.test/d", 0, NULL);
    put(w, s);
    put(w, failed);
    assert_int_equal(ledger_each_discovered_of(w->ledger, ids, 3, &query, NULL), RESULT_OK);
    assert_int_equal(w->row_count, 2);
    assert_string_equal(w->rows[0]->url.data, "http://h.test/d");
    assert_int_equal(w->rows[0]->attempt, 0);
    assert_int_equal(ledger_count_discovered(w->ledger, counts, 2, NULL), RESULT_OK);
    assert_int_equal(counts[0], 1);
    assert_int_equal(counts[1], 1);
    drop(s);
    drop(failed);
}

static void ledger_summarise__counts_what_was_found(void **state)
{
    struct world *w = *state;
    struct ledger_summary summary;
    struct settlement *s = done(1);

    find_detail(s, "http://h.test/d", 0, NULL);
    put(w, s);
    assert_int_equal(ledger_summarise(w->ledger, &summary, NULL), RESULT_OK);
    assert_int_equal(summary.planned, SEEDS + 1);
    drop(s);
}

static void ledger_claim_plan__refuses__when_ids_would_mean_others(void **state)
{
    static const struct ledger_plan other = { .seeds = SEEDS + 1,
                                              .parents = parents,
                                              .endpoint_count = 4 };
    struct world *w = *state;
    struct err err;
    struct settlement *s = done(1);

    assert_int_equal(ledger_claim_plan(w->ledger, &other, &err), RESULT_OK); /* none found */
    assert_int_equal(ledger_claim_plan(w->ledger, &plan, &err), RESULT_OK);
    find_detail(s, "http://h.test/d", 0, NULL);
    put(w, s);
    assert_int_equal(ledger_claim_plan(w->ledger, &other, &err), RESULT_CORRUPT);
    assert_string_equal(err.code, "E-LEDG3");
    assert_int_equal(ledger_claim_plan(w->ledger, &plan, &err), RESULT_OK);
    drop(s);
}

static void ledger_open__brings_an_old_one_up(void **state)
{
    struct world *w = *state;
    struct ledger_summary summary;
    struct settlement *s = done(2);

    close_ledger(w);
    ledger_make(&w->dir, OLD_LEDGER_1 "INSERT INTO request(id,state,endpoint,attempt,status,body)"
                                      " VALUES(1,1,0,1,200,3);" OLD_LEDGER_HEADER "1;");
    assert_int_equal(ledger_open_readonly(&w->ledger, &w->dir, NULL), RESULT_OK);
    assert_int_equal(ledger_summarise(w->ledger, &summary, NULL), RESULT_OK);
    assert_int_equal(summary.done, 1);
    ledger_close(w->ledger);
    open_ledger(w);
    find_detail(s, "http://h.test/d", 0, NULL);
    put(w, s);
    close_ledger(w);
    open_ledger(w);
    assert_int_equal(ledger_summarise(w->ledger, &summary, NULL), RESULT_OK);
    assert_int_equal(summary.done, 2);
    assert_int_equal(summary.planned, SEEDS + 1);
    drop(s);
}

static void on_committed(void *context, struct settlement *list)
{
    struct world *w = context;

    for (struct settlement *next; list; list = next) {
        next = list->next;
        drop(list);
    }
    uv_stop(&w->loop);
}

static void on_trouble(void *context, enum result result, const struct err *err)
{
    (void)context;
    fail_msg("%d %s: %s", (int)result, err->code, err->text);
}

static void on_found(void *context, struct request *list, size_t count)
{
    struct world *w = context;
    size_t counted = 0;

    for (struct request *next; list; list = next) {
        next = list->next;
        assert_int_equal(keep(w, list, 0), RESULT_OK);
        counted++;
    }
    assert_int_equal(counted, count);
    uv_stop(&w->loop);
}

static void on_closed(void *context)
{
    struct world *w = context;

    w->closed = true;
}

static void committer_read_found__answers__what_was_committed(void **state)
{
    struct world *w = *state;
    struct committer *committer;
    struct recovery recovery;
    struct settlement *s = done(1);
    struct committer_options options = { .loop = &w->loop,
                                         .dir = &w->dir,
                                         .plan = &plan,
                                         .clock = clock_system(),
                                         .on_committed = on_committed,
                                         .on_trouble = on_trouble,
                                         .on_found = on_found,
                                         .context = w };
    struct committer_question question = { .after_id = SEEDS, .max = 2 };

    close_ledger(w);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    assert_int_equal(committer_open(&committer, &options, &recovery, NULL), RESULT_OK);
    assert_int_equal(committer_start(committer, NULL), RESULT_OK);
    find_page(s, "http://h.test/p2", 1);
    find_page(s, "http://h.test/p3", 2);
    find_page(s, "http://h.test/p4", 3);
    committer_put(committer, s);
    committer_flush(committer);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    committer_read_discovered(committer, &question);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(w->row_count, 2);
    question.after_id = w->rows[1]->id;
    committer_read_discovered(committer, &question);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(w->row_count, 3);
    assert_string_equal(w->rows[2]->url.data, "http://h.test/p4");
    committer_close(committer, true, on_closed);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_true(w->closed);
    assert_int_equal(uv_loop_close(&w->loop), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(ledger_put_discoveries__numbers_them__after_the_seeds),
        TEST(ledger_put_discoveries__tells_rounds_apart),
        TEST(ledger_put_discoveries__notes_a_listing_that_runs_back),
        TEST(ledger_put_discoveries__keeps_notes__once_each),
        TEST(ledger_each_found__yields__what_is_asked_for),
        TEST(ledger_each_found_of__yields__these),
        TEST(ledger_summarise__counts_what_was_found),
        TEST(ledger_claim_plan__refuses__when_ids_would_mean_others),
        TEST(ledger_open__brings_an_old_one_up),
        TEST(committer_read_found__answers__what_was_committed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
