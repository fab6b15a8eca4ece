/* store/ledger_shared, ledger_outbox, ledger_union: what workers find is the same for all, and one table is made of it. */
#include "plan/sort_key.h"
#include "store/ledger.h"
#include "store/ledger_union.h"
#include "discovered_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ledger_plan shared_plan = {
    .seeds = SEEDS, .parents = parents, .endpoint_count = 4, .is_shared = true
};

struct workers {
    void *a, *b;
};

static struct world *share(void *state)
{
    struct world *w = state;

    assert_int_equal(ledger_claim_plan(w->ledger, &shared_plan, NULL), RESULT_OK);
    return w;
}

static int begin(void **state)
{
    struct workers *both = calloc(1, sizeof *both);

    assert_non_null(both);
    setup(&both->a);
    setup(&both->b);
    share(both->a);
    share(both->b);
    *state = both;
    return 0;
}

static int end(void **state)
{
    struct workers *both = *state;

    teardown(&both->a);
    teardown(&both->b);
    free(both);
    return 0;
}

/* As the archive does it. */
static void settle(struct world *w, struct settlement *s)
{
    bool duplicate;

    s->record = (struct record){ .length = 1, .segment = 1 };
    assert_int_equal(ledger_begin(w->ledger, NULL), RESULT_OK);
    assert_int_equal(ledger_put(w->ledger, s, &duplicate, NULL), RESULT_OK);
    assert_int_equal(ledger_put_taken(w->ledger, s->response->request, NULL), RESULT_OK);
    assert_int_equal(ledger_put_discoveries(w->ledger, s, NULL), RESULT_OK);
    assert_int_equal(ledger_commit(w->ledger, NULL), RESULT_OK);
}

/* It travels to another worker, who asks it. */
static struct settlement *taken(const struct discovered *found)
{
    struct settlement *s = done(found->id);

    request_free(s->response->request);
    s->response->request = request_make(found->id, found->endpoint, &found->texts);
    assert_non_null(s->response->request);
    return s;
}

static void read_outbox(struct world *w, uint64_t after, uint64_t before_want, uint64_t last_want)
{
    struct ledger_discovered_query query = {
        .after_id = after, .max = ROWS_MAX, .visit = keep, .context = w
    };
    uint64_t before, last;

    forget_rows(w);
    assert_int_equal(ledger_each_outbox(w->ledger, &query, NULL), RESULT_OK);
    assert_int_equal(ledger_outbox_ends(w->ledger, &before, &last, NULL), RESULT_OK);
    assert_int_equal(before, before_want);
    assert_int_equal(last, last_want);
}

static void outbox__has_what_is_found__until_others_know_of_it(void **state)
{
    struct workers *both = *state;
    struct world *w = both->a;
    struct settlement *one = done(1), *two = done(2), *asked;
    struct discovered *first = find_detail(one, "http://h.test/1", 0, NULL), *second, *again;

    second = find_detail(one, "http://h.test/2", 1, NULL);
    read_outbox(w, 0, 0, 0);
    settle(w, one);
    assert_int_equal(one->outbox_last, 2);
    assert_true(first->id > (UINT64_C(1) << 62) && second->id > (UINT64_C(1) << 62));
    again = find_detail(two, "http://h.test/1", 0, NULL);
    settle(w, two);
    assert_int_equal(again->id, 0);
    assert_int_equal(two->outbox_last, 0);
    read_outbox(w, 0, 0, 2);
    assert_int_equal(w->row_count, 2);
    assert_int_equal(w->rows[0]->id, first->id);
    read_outbox(w, 1, 0, 2);
    assert_int_equal(w->rows[0]->id, second->id);
    assert_int_equal(ledger_begin(w->ledger, NULL), RESULT_OK);
    assert_int_equal(ledger_drop_outbox(w->ledger, 2, NULL), RESULT_OK);
    assert_int_equal(ledger_commit(w->ledger, NULL), RESULT_OK);
    read_outbox(w, 0, 2, 2);
    assert_int_equal(w->row_count, 0);
    asked = taken(first);
    settle(w, asked); /* what has ended here others need not be told of */
    assert_int_equal(ledger_fill_outbox(w->ledger, NULL), RESULT_OK);
    read_outbox(w, 0, 2, 3);
    assert_int_equal(w->row_count, 1);
    assert_int_equal(w->rows[0]->id, second->id);
    drop(one);
    drop(two);
    drop(asked);
}

static void check_record(struct ledger *ledger, uint32_t endpoint, uint64_t id,
                         const struct discovered *by, uint32_t record, const char *vars)
{
    struct record_position position = { 0 };
    struct placed_record records[2];
    struct request request = { .sort_key = by->texts.sort_key };
    struct sort_key place;
    size_t count;

    place.len = by->texts.sort_key.len;
    memcpy(place.bytes, by->texts.sort_key.data, place.len);
    if (record) {
        assert_true(sort_key_of_record(&request, record, &place));
    }
    assert_int_equal(ledger_read_endpoint(ledger, endpoint, &position, records, 2, &count, NULL),
                     RESULT_OK);
    assert_int_equal(count, 1);
    assert_int_equal(records[0].record.id, id);
    assert_int_equal(sort_key_compare(sort_key_view(&records[0].sort_key), sort_key_view(&place)),
                     0);
    assert_string_equal(records[0].vars, vars);
    free(records[0].vars);
}

static void check_none(struct ledger *ledger, uint32_t endpoint)
{
    struct record_position position = { 0 };
    struct placed_record record;
    size_t count;

    assert_int_equal(ledger_read_endpoint(ledger, endpoint, &position, &record, 1, &count, NULL),
                     RESULT_OK);
    assert_int_equal(count, 0);
}

/* A finds x at 5, B asks it, and finds a review; A finds x at 2, too, and asks the review: all of it stands at 2. */
static void union__puts_all_at_the_least_place__whoever_found_and_asked_it(void **state)
{
    struct workers *both = *state;
    struct world *a = both->a, *b = both->b;
    struct settlement *late = done(5), *early = done(2), *detail, *review;
    struct discovered *at_late = find_detail(late, "http://h.test/x", 3, "{\"a\":5}");
    struct discovered *at_early, *found;
    struct ledger *ledgers[] = { a->ledger, b->ledger };
    struct ledger_union *u;

    settle(a, late);
    detail = taken(at_late);
    found = find_detail(detail, "http://h.test/r", 1, "{\"a\":5,\"x.id\":7}");
    found->endpoint = 2;
    settle(b, detail);
    at_early = find_detail(early, "http://h.test/x", 9, "{\"a\":2}");
    settle(a, early);
    assert_int_equal(at_early->id, 0);
    review = taken(found);
    settle(a, review);

    assert_true(ledger_union_is_for(ledgers, 2));
    for (int turn = 0; turn < 2; turn++) { /* in whatever order they are named */
        assert_int_equal(ledger_union_make(&u, ledgers, 2, &shared_plan, NULL), RESULT_OK);
        check_record(b->ledger, 1, at_late->id, at_early, 0, "{\"a\":2}");
        check_record(a->ledger, 2, found->id, at_early, 1, "{\"a\":2,\"x.id\":7}");
        check_none(a->ledger, 1);
        check_none(b->ledger, 2);
        ledger_union_free(u);
        ledgers[0] = b->ledger;
        ledgers[1] = a->ledger;
    }
    drop(late);
    drop(early);
    drop(detail);
    drop(review);
}

static void union__takes_the_record_of_one__when_both_have_asked_it(void **state)
{
    struct workers *both = *state;
    struct world *a = both->a, *b = both->b;
    struct settlement *one = done(1), *first, *second;
    struct discovered *found = find_detail(one, "http://h.test/x", 3, "{}");
    struct ledger *ledgers[] = { a->ledger, b->ledger };
    struct ledger_union *u;

    settle(a, one);
    first = taken(found);
    second = taken(found);
    settle(a, first);
    settle(b, second);
    assert_int_equal(ledger_union_make(&u, ledgers, 2, &shared_plan, NULL), RESULT_OK);
    check_none(b->ledger, 1);
    ledger_union_free(u);
    drop(one);
    drop(first);
    drop(second);
}

static void ledger_claim_plan__refuses_to_share__what_is_numbered_in_order(void **state)
{
    struct err err = { .result = RESULT_OK };
    struct world *w;
    struct settlement *one = done(1);

    setup(state);
    w = *state;
    find_detail(one, "http://h.test/x", 3, "{}");
    put(w, one);
    assert_int_equal(ledger_claim_plan(w->ledger, &shared_plan, &err), RESULT_INVALID);
    assert_string_equal(err.code, "E-FLEET6");
    drop(one);
    teardown(state);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(outbox__has_what_is_found__until_others_know_of_it),
        TEST(union__puts_all_at_the_least_place__whoever_found_and_asked_it),
        TEST(union__takes_the_record_of_one__when_both_have_asked_it),
        cmocka_unit_test(ledger_claim_plan__refuses_to_share__what_is_numbered_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
