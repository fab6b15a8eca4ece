#include "ledger_fixture.h"

#include "old_ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

void open_ledger(struct world *w, bool created)
{
    struct err err = { .result = RESULT_OK };
    bool is_new;

    if (ledger_open(&w->ledger, &w->dir, &is_new, &err) != RESULT_OK) {
        fail_msg("%s: %s", err.code, err.text);
    }
    assert_int_equal(is_new, created);
}

void close_ledger(struct world *w)
{
    assert_int_equal(ledger_checkpoint(w->ledger, true, NULL), RESULT_OK);
    ledger_close(w->ledger);
    w->ledger = NULL;
}

int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    temp_init(&w->temp);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    open_ledger(w, true);
    *state = w;
    return 0;
}

int teardown(void **state)
{
    struct world *w = *state;

    ledger_close(w->ledger);
    run_dir_close(&w->dir);
    temp_release(&w->temp);
    free(w);
    return 0;
}

bool put(struct world *w, struct settlement *s)
{
    bool duplicate;

    assert_int_equal(ledger_begin(w->ledger, NULL), RESULT_OK);
    assert_int_equal(ledger_put(w->ledger, s, &duplicate, NULL), RESULT_OK);
    assert_int_equal(ledger_commit(w->ledger, NULL), RESULT_OK);
    settlement_free(s);
    return duplicate;
}

struct settlement *done(uint64_t id, enum settle_body kind, uint64_t offset)
{
    struct settlement *s = settlement_make(id, SETTLE_DONE, kind, STR(""));

    s->record = (struct record){ id, offset, 10, 1, 0xDEADBEEF, 200, 0 };
    return s;
}

struct settlement *failed(uint64_t id, const char *reason)
{
    struct settlement *s = settlement_make(id, SETTLE_FAILED, SETTLE_BODY_NONE, STR(""));

    snprintf(s->response->request->reason, REQUEST_REASON_MAX, "%s", reason);
    s->response->status = 404;
    s->response->request->last = (struct last_try){ .outcome = OUTCOME_STATUS,
                                                    .status = 404,
                                                    .failure = { FAILURE_STATUS, 404 } };
    return s;
}

struct settlement *waiting(uint64_t id, int64_t not_before_us, uint32_t attempt)
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

void keep_row(void *context, const struct ledger_row *row)
{
    struct rows *rows = context;
    size_t i = rows->count++;

    assert_true(i < 8);
    rows->rows[i] = *row;
    snprintf(rows->reason[i], sizeof rows->reason[i], "%.*s", STR_ARG(row->reason));
}

void read_rows(struct world *w, struct rows *rows)
{
    rows->count = 0;
    assert_int_equal(ledger_each_row(w->ledger, keep_row, rows, NULL), RESULT_OK);
}
