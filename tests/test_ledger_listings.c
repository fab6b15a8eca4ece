/* How listings ended, as the ledger's account of an endpoint tells it. */
#include "store/ledger.h"

#include "store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS 100

struct world {
    struct temp temp;
    struct run_dir dir;
    struct ledger *ledger;
    struct page_account account;
};

static int setup(void **state)
{
    static const uint32_t parents[] = { 0 };
    static const struct ledger_plan plan = { .seeds = SEEDS,
                                             .parents = parents,
                                             .endpoint_count = 1 };
    struct world *w = calloc(1, sizeof *w);
    bool created;

    assert_non_null(w);
    temp_init(&w->temp);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    assert_int_equal(ledger_open(&w->ledger, &w->dir, &created, NULL), RESULT_OK);
    assert_int_equal(ledger_claim_plan(w->ledger, &plan, NULL), RESULT_OK);
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

static void put(struct world *w, struct settlement *s)
{
    ledger_put_all(w->ledger, s);
    discoveries_release(&s->discoveries);
    settlement_free(s);
}

/* Page `ordinal` of the listing of seed `chain` comes; it names `names` pages after it. */
struct came {
    uint64_t id, chain;
    uint32_t ordinal;
    struct page_result page;
    unsigned names;
};

static void come(struct world *w, struct came came)
{
    struct settlement *s = settlement_make(came.id, SETTLE_DONE, SETTLE_BODY_JSON, STR("{}"));
    struct request *request = s->response->request;

    came.chain = came.chain ? came.chain : came.id;
    request->page.chain = came.chain;
    request->page.ordinal = came.ordinal;
    s->discoveries.page = came.page;
    s->discoveries.page.is_page = true;
    s->discoveries.page.ordinal = came.ordinal;
    if (!came.page.total) {
        s->discoveries.page.total = PAGE_TOTAL_UNKNOWN;
    }
    for (unsigned i = 0; i < came.names; i++) {
        uint32_t ordinal = came.ordinal + 1 + i;
        char key[32], url[64];
        struct discovered *found;

        snprintf(key, sizeof key, "page=%u", (unsigned)ordinal + 1);
        snprintf(url, sizeof url, "http://h.test/%u?%s", (unsigned)came.chain, key);
        found = discovered_new(
            0,
            &(struct request_texts){
                .key = str_view(key), .url = str_view(url), .sort_key = STR("\0\0\0\0") },
            &(struct page_at){
                .chain = came.chain, .ordinal = ordinal, .expected = came.page.expected });
        assert_non_null(found);
        discoveries_add(&s->discoveries, found);
    }
    put(w, s);
}

static void put_failed(struct world *w, uint64_t id, struct failure failure)
{
    struct settlement *s = settlement_make(id, SETTLE_FAILED, SETTLE_BODY_NONE, STR(""));

    s->response->status = failure.status;
    s->response->request->last = (struct last_try){ .failure = failure, .status = failure.status };
    put(w, s);
}

static const struct page_account *read_account(struct world *w)
{
    struct err err = { .result = RESULT_OK };

    if (ledger_read_account(w->ledger, 0, &w->account, &err) != RESULT_OK) {
        fail_msg("%s: %s", err.code, err.text);
    }
    return &w->account;
}

static const char *note_of(const struct page_account *a, enum page_note_kind kind)
{
    for (size_t i = 0; i < a->note_count; i++) {
        if (a->notes[i].kind == kind) {
            return a->notes[i].text;
        }
    }
    return "";
}

static void account__has_one_reason__for_each_listing(void **state)
{
    struct world *w = *state;
    const struct page_account *a;

    come(w, (struct came){ .id = 1, .page = { .records = 2, .crc32c = 1 }, .names = 1 });
    come(w, (struct came){ SEEDS + 1, 1, 1, { .end = PAGE_END_NO_CURSOR, .records = 1 }, 0 });
    come(w, (struct came){ .id = 2, .page = { .records = 3, .end = PAGE_END_EMPTY } });
    come(w, (struct came){ .id = 3, .page = { .records = 2 }, .names = 1 }); /* goes on */
    put_failed(w, 4, (struct failure){ FAILURE_TIMEOUT, 0 });
    a = read_account(w);
    assert_int_equal(a->listings, 4);
    assert_int_equal(a->records, 8);
    assert_int_equal(a->listings_told, 0);
    assert_int_equal(a->end, PAGE_END_FAILED);
    assert_int_equal(a->end_count, 4);
    assert_int_equal(a->ends[0].end, PAGE_END_FAILED); /* the worst first */
    assert_int_equal(a->ends[1].end, PAGE_END_EMPTY);
    assert_int_equal(a->ends[2].end, PAGE_END_NO_CURSOR);
    assert_int_equal(a->ends[3].end, PAGE_END_NONE);
    assert_false(a->is_cut);
}

static void account__counts_records__against_the_last_total_told(void **state)
{
    struct world *w = *state;
    const struct page_account *a;

    /* It shrank from 9 to 5 while it was read. */
    come(w, (struct came){ .id = 1,
                           .page = { .records = 3, .total = 9, .expected = 2, .size = 3 },
                           .names = 1 });
    come(w, (struct came){ SEEDS + 1,
                           1,
                           1,
                           { .end = PAGE_END_TOTAL, .records = 2, .total = 5, .expected = 2 },
                           0 });
    a = read_account(w);
    assert_int_equal(a->end, PAGE_END_TOTAL);
    assert_int_equal(a->records_missing, 0);
    assert_false(page_account_is_loss(a));
    assert_int_equal(a->records_told, 5);
}

static void account__names_short_pages__when_fewer_came_than_told(void **state)
{
    struct world *w = *state;
    const struct page_account *a;

    come(w, (struct came){ .id = 1,
                           .page = { .records = 3, .total = 9, .expected = 3, .size = 3 },
                           .names = 2 });
    come(w, (struct came){
                SEEDS + 1, 1, 1, { .records = 1, .total = 9, .expected = 3, .size = 3 }, 0 });
    come(w, (struct came){
                SEEDS + 2,
                1,
                2,
                { .end = PAGE_END_TOTAL, .records = 3, .total = 9, .expected = 3, .size = 3 },
                0 });
    a = read_account(w);
    assert_int_equal(a->end, PAGE_END_FEWER);
    assert_int_equal(a->records_missing, 2);
    assert_true(page_account_is_loss(a));
    assert_string_equal(note_of(a, PAGE_NOTE_FEWER), "7 of 9 records came: page=2 has 1 of 3");
}

static void account__is_open__while_pages_in_the_middle_are_not_asked(void **state)
{
    struct world *w = *state;
    const struct page_account *a;

    come(w, (struct came){ .id = 1,
                           .page = { .records = 3, .total = 9, .expected = 3, .size = 3 },
                           .names = 2 });
    come(w, (struct came){
                SEEDS + 2,
                1,
                2,
                { .end = PAGE_END_TOTAL, .records = 3, .total = 9, .expected = 3, .size = 3 },
                0 });
    a = read_account(w);
    assert_int_equal(a->end, PAGE_END_NONE);
    assert_int_equal(a->records_missing, 0);
}

static void account__finds__pages_with_the_same_records(void **state)
{
    struct world *w = *state;
    const struct page_account *a;

    come(w, (struct came){ .id = 1,
                           .page = { .records = 3, .expected = 4, .size = 3, .crc32c = 1 },
                           .names = 3 });
    for (uint32_t i = 1; i < 4; i++) {
        come(w, (struct came){ SEEDS + i,
                               1,
                               i,
                               { .end = i == 3 ? PAGE_END_TOTAL : PAGE_END_NONE,
                                 .records = 3,
                                 .expected = 4,
                                 .size = 3,
                                 .crc32c = i == 3 ? 7 : i + 6 },
                               0 });
    }
    a = read_account(w);
    assert_int_equal(a->end, PAGE_END_SAME_PAGE);
    assert_true(a->is_cut);
    assert_string_equal(note_of(a, PAGE_NOTE_SAME_PAGE), "page=4 has the records of page=2 again");
}

static void account__tells_a_deep_limit__from_pages_that_failed(void **state)
{
    struct world *w = *state;
    const struct page_account *a;

    come(w, (struct came){ .id = 1,
                           .page = { .records = 3, .total = 9, .expected = 3, .size = 3 },
                           .names = 2 });
    put_failed(w, SEEDS + 1, (struct failure){ FAILURE_STATUS, 422 });
    put_failed(w, SEEDS + 2, (struct failure){ FAILURE_NOT_ASKED, 0 });
    a = read_account(w);
    assert_int_equal(a->end, PAGE_END_DEEP_LIMIT);
    assert_int_equal(a->records_missing, 6);
    assert_true(page_account_is_loss(a));
    put_failed(w, SEEDS + 1, (struct failure){ FAILURE_STATUS, 500 });
    put_failed(w, SEEDS + 2, (struct failure){ FAILURE_STATUS, 422 });
    assert_int_equal(read_account(w)->end, PAGE_END_FAILED);
}

static void account__keeps__what_a_page_says_of_a_loss(void **state)
{
    struct world *w = *state;

    come(w, (struct came){ .id = 1, .page = { .records = 3, .end = PAGE_END_GAP }, .names = 1 });
    come(w, (struct came){ SEEDS + 1, 1, 1, { .end = PAGE_END_EMPTY }, 0 });
    assert_int_equal(read_account(w)->end, PAGE_END_GAP);
    assert_true(w->account.is_cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(account__has_one_reason__for_each_listing, setup, teardown),
        cmocka_unit_test_setup_teardown(account__counts_records__against_the_last_total_told, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(account__names_short_pages__when_fewer_came_than_told,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(account__is_open__while_pages_in_the_middle_are_not_asked,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(account__finds__pages_with_the_same_records, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(account__tells_a_deep_limit__from_pages_that_failed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(account__keeps__what_a_page_says_of_a_loss, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
