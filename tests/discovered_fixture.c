#include "discovered_fixture.h"

#include "plan/sort_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

const uint32_t parents[] = { 0, 0, 1, 0 };

const struct ledger_plan plan = { .seeds = SEEDS, .parents = parents, .endpoint_count = 4 };

void open_ledger(struct world *w)
{
    struct err err = { .result = RESULT_OK };
    bool created;

    if (ledger_open(&w->ledger, &w->dir, &created, &err) != RESULT_OK ||
        ledger_claim_plan(w->ledger, &plan, &err) != RESULT_OK) {
        fail_msg("%s: %s", err.code, err.text);
    }
}

void close_ledger(struct world *w)
{
    if (w->ledger) {
        assert_int_equal(ledger_checkpoint(w->ledger, true, NULL), RESULT_OK);
        ledger_close(w->ledger);
        w->ledger = NULL;
    }
}

int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    temp_init(&w->temp);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    open_ledger(w);
    *state = w;
    return 0;
}

void forget_rows(struct world *w)
{
    while (w->row_count) {
        request_free(w->rows[--w->row_count]);
    }
}

int teardown(void **state)
{
    struct world *w = *state;

    forget_rows(w);
    close_ledger(w);
    run_dir_close(&w->dir);
    temp_release(&w->temp);
    free(w);
    return 0;
}

struct settlement *done(uint64_t id)
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

struct discovered *find_detail(struct settlement *s, const char *url, uint32_t record,
                               const char *vars)
{
    return find(s, url, record, (struct page_at){ 0 }, vars);
}

struct discovered *find_page(struct settlement *s, const char *url, uint32_t ordinal)
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

void put(struct world *w, struct settlement *s)
{
    ledger_put_all(w->ledger, s);
}

void drop(struct settlement *s)
{
    discoveries_release(&s->discoveries);
    settlement_free(s);
}

enum result keep(void *context, struct request *request, int64_t not_before_us)
{
    struct world *w = context;

    assert_true(w->row_count < ROWS_MAX);
    w->not_before_us[w->row_count] = not_before_us;
    w->rows[w->row_count++] = request;
    return RESULT_OK;
}

void read_found(struct world *w, enum ledger_discovered which, uint64_t after_id, size_t max)
{
    struct ledger_discovered_query query = { which, after_id, max, keep, w };

    forget_rows(w);
    assert_int_equal(ledger_each_discovered(w->ledger, &query, NULL), RESULT_OK);
}
