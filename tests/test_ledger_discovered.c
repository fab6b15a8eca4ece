/* What is found, in the ledger and through the committer. */
#include "plan/sort_key.h"
#include "store/committer.h"
#include "store/ledger.h"

#include "old_ledger.h"
#include "store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include <cmocka.h>

#define SEEDS 10
#define ROWS_MAX 16

/* 0 the listing; 1 its details, 2 theirs; 3 other details of the listing. */
static const uint32_t parents[] = { 0, 0, 1, 0 };
static const struct ledger_plan plan = { SEEDS, parents, 4 };

struct world {
    struct temp temp;
    struct run_dir dir;
    struct ledger *ledger;
    struct request *rows[ROWS_MAX];
    int64_t not_before_us[ROWS_MAX];
    size_t row_count;
    uv_loop_t loop;
    bool closed;
};

static void open_ledger(struct world *w)
{
    struct err err = { .result = RESULT_OK };
    bool created;

    if (ledger_open(&w->ledger, &w->dir, &created, &err) != RESULT_OK ||
        ledger_claim_plan(w->ledger, &plan, &err) != RESULT_OK) {
        fail_msg("%s: %s", err.code, err.text);
    }
}

static void close_ledger(struct world *w)
{
    if (w->ledger) {
        assert_int_equal(ledger_checkpoint(w->ledger, true, NULL), RESULT_OK);
        ledger_close(w->ledger);
        w->ledger = NULL;
    }
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    temp_init(&w->temp);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    open_ledger(w);
    *state = w;
    return 0;
}

static void forget_rows(struct world *w)
{
    while (w->row_count) {
        request_free(w->rows[--w->row_count]);
    }
}

static int teardown(void **state)
{
    struct world *w = *state;

    forget_rows(w);
    close_ledger(w);
    run_dir_close(&w->dir);
    temp_release(&w->temp);
    free(w);
    return 0;
}

static struct settlement *done(uint64_t id)
{
    return settlement_make(id, SETTLE_DONE, SETTLE_BODY_JSON, STR("{}"));
}

/* A detail of the settlement's record, or its listing's page `page.ordinal`. */
static struct discovered *find(struct settlement *s, const char *url, uint32_t record,
                               struct page_at page, const char *vars)
{
    struct sort_key place;
    struct discovered *found;

    if (page.ordinal) {
        sort_key_of_page(s->response->request, page.ordinal, &place);
    } else {
        assert_true(sort_key_of_record(s->response->request, record, &place));
    }
    found = discovered_new(page.ordinal ? s->response->request->endpoint : 1,
                           &(struct request_texts){ .key = str_view(url),
                                                    .url = str_view(url),
                                                    .vars = str_view(vars),
                                                    .sort_key = sort_key_view(&place) },
                           &page);
    assert_non_null(found);
    discoveries_add(&s->discoveries, found);
    return found;
}

static struct discovered *find_detail(struct settlement *s, const char *url, uint32_t record,
                                      const char *vars)
{
    return find(s, url, record, (struct page_at){ 0 }, vars);
}

static struct discovered *find_page(struct settlement *s, const char *url, uint32_t ordinal)
{
    return find(s, url, 0,
                (struct page_at){ .chain = 1,
                                  .number = UINT64_MAX - 5,
                                  .ordinal = ordinal,
                                  .total = PAGE_TOTAL_UNKNOWN,
                                  .expected = UINT32_MAX,
                                  .size = 50,
                                  .empty = 3,
                                  .kind = 4,
                                  .named_by_crc32c = 0xFFFFFFFF },
                NULL);
}

static void put(struct world *w, struct settlement *s)
{
    struct err err = { .result = RESULT_OK };
    bool duplicate;

    if (ledger_begin(w->ledger, &err) != RESULT_OK ||
        ledger_put(w->ledger, s, &duplicate, &err) != RESULT_OK ||
        ledger_put_discoveries(w->ledger, s, &err) != RESULT_OK ||
        ledger_commit(w->ledger, &err) != RESULT_OK) {
        fail_msg("%s: %s", err.code, err.text);
    }
}

static void drop(struct settlement *s)
{
    discoveries_release(&s->discoveries);
    settlement_free(s);
}

static enum result keep(void *context, struct request *request, int64_t not_before_us)
{
    struct world *w = context;

    assert_true(w->row_count < ROWS_MAX);
    w->not_before_us[w->row_count] = not_before_us;
    w->rows[w->row_count++] = request;
    return RESULT_OK;
}

static void read_found(struct world *w, enum ledger_discovered which, uint64_t after_id, size_t max)
{
    struct ledger_discovered_query query = { which, after_id, max, keep, w };

    forget_rows(w);
    assert_int_equal(ledger_each_discovered(w->ledger, &query, NULL), RESULT_OK);
}

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

static void ledger_put_discoveries__keeps_the_lesser_place__when_found_twice(void **state)
{
    struct world *w = *state;
    struct settlement *late = done(5), *early = done(2), *again = done(7);
    struct discovered *first = find_detail(late, "http://h.test/d", 3, "{\"by\":5}");
    struct discovered *lesser, *greater;

    put(w, late);
    lesser = find_detail(early, "http://h.test/d", 9, "{\"by\":2}");
    put(w, early);
    greater = find_detail(again, "http://h.test/d", 0, "{\"by\":7}");
    put(w, again);
    assert_int_equal(first->id, SEEDS + 1);
    assert_int_equal(lesser->id, 0);
    assert_int_equal(greater->id, 0);
    read_found(w, LEDGER_DISCOVERED_NEW, 0, 10);
    assert_int_equal(w->row_count, 1);
    assert_string_equal(w->rows[0]->vars.data, "{\"by\":2}");
    assert_int_equal(sort_key_compare(w->rows[0]->sort_key, lesser->texts.sort_key), 0);
    drop(late);
    drop(early);
    drop(again);
}

/* A found one of that endpoint and place. */
static struct settlement *done_at(uint64_t id, uint32_t endpoint, struct str place)
{
    struct settlement *s = done(id);

    request_free(s->response->request);
    s->response->request =
        request_make(id, endpoint,
                     &(struct request_texts){
                         .key = STR("k"), .url = STR("http://h.test/x"), .sort_key = place });
    return s;
}

static void check_row(struct world *w, uint64_t id, const struct discovered *by, uint32_t record,
                      const char *vars)
{
    struct ledger_discovered_query query = { .visit = keep, .context = w };
    struct sort_key place;
    struct request request = { .sort_key = by->texts.sort_key };

    assert_true(sort_key_of_record(&request, record, &place));
    forget_rows(w);
    assert_int_equal(ledger_each_discovered_of(w->ledger, &id, 1, &query, NULL), RESULT_OK);
    assert_int_equal(w->row_count, 1);
    assert_int_equal(sort_key_compare(w->rows[0]->sort_key, sort_key_view(&place)), 0);
    assert_string_equal(w->rows[0]->vars.data, vars);
}

/* Endpoint 1 is moved, and with it what it found in endpoint 2, but not the listing's others in 3. */
static void ledger_put_discoveries__takes_along__what_a_moved_one_found(void **state)
{
    struct world *w = *state;
    struct settlement *late = done(5), *early = done(2), *detail;
    struct discovered *at_late =
        find_detail(late, "http://h.test/x", 3, "{\"a\":9007199254740993}");
    struct discovered *other = find_detail(late, "http://h.test/y", 3, "{\"a\":5}");
    struct discovered *at_early, *review;

    other->endpoint = 3;
    put(w, late);
    detail = done_at(SEEDS + 1, 1, at_late->texts.sort_key);
    review = find_detail(detail, "http://h.test/r", 1, "{\"a\":9007199254740993,\"x.id\":7}");
    review->endpoint = 2;
    put(w, detail);
    check_row(w, SEEDS + 3, at_late, 1, "{\"a\":9007199254740993,\"x.id\":7}");
    at_early = find_detail(early, "http://h.test/x", 9, "{\"a\":9007199254740995}");
    put(w, early);
    check_row(w, SEEDS + 3, at_early, 1, "{\"a\":9007199254740995,\"x.id\":7}");
    forget_rows(w);
    read_found(w, LEDGER_DISCOVERED_NEW, SEEDS + 1, 1);
    assert_int_equal(w->rows[0]->id, SEEDS + 2);
    assert_int_equal(sort_key_compare(w->rows[0]->sort_key, other->texts.sort_key), 0);
    assert_string_equal(w->rows[0]->vars.data, "{\"a\":5}");
    drop(late);
    drop(early);
    drop(detail);
}

/* It was moved while it was asked, so its answer speaks of the place that it had. */
static void ledger_put_discoveries__take_their_place__where_their_finder_is_now(void **state)
{
    struct world *w = *state;
    struct settlement *late = done(5), *early = done(2), *detail;
    struct discovered *at_late = find_detail(late, "http://h.test/x", 3, "{\"a\":5}");
    struct discovered *at_early, *review;
    struct record_position position = { 0 };
    struct placed_record record;
    size_t count;

    put(w, late);
    at_early = find_detail(early, "http://h.test/x", 9, "{\"a\":2}");
    put(w, early);
    detail = done_at(SEEDS + 1, 1, at_late->texts.sort_key);
    detail->record = (struct record){ .length = 1, .segment = 1 };
    review = find_detail(detail, "http://h.test/r", 1, "{\"a\":5,\"x.id\":7}");
    review->endpoint = 2;
    put(w, detail);
    check_row(w, SEEDS + 2, at_early, 1, "{\"a\":2,\"x.id\":7}");
    assert_int_equal(ledger_read_endpoint(w->ledger, 1, &position, &record, 1, &count, NULL),
                     RESULT_OK);
    assert_int_equal(count, 1);
    assert_string_equal(record.vars, "{\"a\":2}");
    free(record.vars);
    drop(late);
    drop(early);
    drop(detail);
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
    static const struct ledger_plan other = { SEEDS + 1, parents, 4 };
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

/* Six found in another order than that of their places, between two of the plan's own. */
static void ledger_read_endpoint__merges__by_place(void **state)
{
    static const uint64_t expected[] = { 1, SEEDS + 2, SEEDS + 1, 2, SEEDS + 4, SEEDS + 3 };
    struct world *w = *state;
    struct settlement *s[6] = { done(2), done(1) };
    struct record_position position = { 0 };
    struct placed_record records[3];
    size_t count, seen = 0;

    s[0]->response->request->page.chain = 0;
    find_page(s[1], "http://h.test/1/p3", 2)->page.chain = 1;
    find_page(s[1], "http://h.test/1/p2", 1)->page.chain = 1;
    find_page(s[0], "http://h.test/2/p3", 2)->page.chain = 2;
    find_page(s[0], "http://h.test/2/p2", 1)->page.chain = 2;
    find_detail(s[0], "http://h.test/d", 0, NULL);
    for (size_t i = 1; i <= 4; i++) {
        s[i + 1] = done(SEEDS + i);
    }
    for (size_t i = 0; i < 6; i++) {
        size_t order = i < 2 ? 1 - i : i;

        s[order]->record = (struct record){ .offset = i, .length = 1, .segment = 1 };
        put(w, s[order]);
    }
    do {
        assert_int_equal(ledger_read_endpoint(w->ledger, 0, &position, records, 3, &count, NULL),
                         RESULT_OK);
        for (size_t i = 0; i < count; i++) {
            assert_true(seen < 6);
            assert_int_equal(records[i].record.id, expected[seen++]);
        }
    } while (count);
    assert_int_equal(seen, 6);
    position = (struct record_position){ 0 };
    assert_int_equal(ledger_read_endpoint(w->ledger, 1, &position, records, 3, &count, NULL),
                     RESULT_OK);
    assert_int_equal(count, 0); /* not asked yet */
    for (size_t i = 0; i < 6; i++) {
        drop(s[i]);
    }
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

/* ---- through the committer ---- */

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
        TEST(ledger_put_discoveries__keeps_the_lesser_place__when_found_twice),
        TEST(ledger_put_discoveries__takes_along__what_a_moved_one_found),
        TEST(ledger_put_discoveries__take_their_place__where_their_finder_is_now),
        TEST(ledger_put_discoveries__tells_rounds_apart),
        TEST(ledger_put_discoveries__notes_a_listing_that_runs_back),
        TEST(ledger_put_discoveries__keeps_notes__once_each),
        TEST(ledger_each_found__yields__what_is_asked_for),
        TEST(ledger_each_found_of__yields__these),
        TEST(ledger_summarise__counts_what_was_found),
        TEST(ledger_claim_plan__refuses__when_ids_would_mean_others),
        TEST(ledger_read_endpoint__merges__by_place),
        TEST(ledger_open__brings_an_old_one_up),
        TEST(committer_read_found__answers__what_was_committed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
