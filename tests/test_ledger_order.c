/* store/ledger_order: requests that were found twice, and what moves with the one that found them. */
#include "plan/sort_key.h"
#include "store/ledger.h"
#include "discovered_fixture.h"
#include "old_ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

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

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(ledger_put_discoveries__keeps_the_lesser_place__when_found_twice),
        TEST(ledger_put_discoveries__takes_along__what_a_moved_one_found),
        TEST(ledger_put_discoveries__take_their_place__where_their_finder_is_now),
        TEST(ledger_read_endpoint__merges__by_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
