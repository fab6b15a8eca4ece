/*
 * What is found in a run whose requests any worker may ask: taken from others, and put out for them.
 */
#include "store/ledger_sql.h"

enum result ledger_put_taken(struct ledger *ledger, const struct request *request, struct err *err)
{
    const struct request_texts texts = { request->key,  request->url,      request->body,
                                         request->vars, request->sort_key, STR_NONE };
    struct buf scratch = { .max = 0 };
    uint8_t digest[DIGEST_BYTES];
    enum result result = RESULT_OK;
    uint64_t id;

    if (!ledger->is_shared || request->id <= ledger->seeds) {
        return RESULT_OK;
    }
    if (ledger_digest_found(&texts, &request->page, &scratch, digest) != RESULT_OK) {
        result = err_nomem(err, "noting what was found");
    }
    buf_release(&scratch);
    if (result == RESULT_OK) {
        result = ledger_put_found(ledger, request->endpoint, &texts, &request->page, digest,
                                  request->id, &id, err);
    }
    if (result == RESULT_OK && !id) {
        result = ledger_move_found(ledger, request->endpoint, &texts, &request->page, digest, err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

enum result ledger_fill_outbox(struct ledger *ledger, struct err *err)
{
    enum result result = ledger_begin(ledger, err);
    sqlite3_stmt *st = NULL;

    if (result == RESULT_OK) {
        result = ledger_run(ledger, SQL_EMPTY_OUTBOX, "filling the outbox", err);
    }
    if (result == RESULT_OK) {
        st = ledger_statement(ledger, SQL_FILL_OUTBOX, &result, err);
    }
    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)ledger->seeds);
        result = ledger_step(ledger, st, "filling the outbox", err);
    }
    if (result == RESULT_OK) {
        result = ledger_commit(ledger, err);
    }
    ledger_roll_back(ledger);
    return result;
}

enum result ledger_each_outbox(struct ledger *ledger, const struct ledger_discovered_query *query,
                               struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_OUTBOX, &result, err);

    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, (sqlite3_int64)query->after_id);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)query->max);
    return ledger_visit_found(ledger, st, query, err);
}
