/* Requests that take more than one question (plan/exchange.h), in the ledger while they wait. */
#include "store/ledger_sql.h"

/* One whose URL holds a credential is as one that was never asked: it begins anew. */
static bool is_kept(const struct settlement *settlement)
{
    return settlement->state == SETTLE_WAITING &&
           !settlement->response->request->exchange.is_secret;
}

enum result ledger_put_exchange(struct ledger *ledger, const struct settlement *settlement,
                                struct err *err)
{
    const struct request *request = settlement->response->request;
    const struct exchange *x = &request->exchange;
    bool keeps = is_kept(settlement);
    enum result result;
    sqlite3_stmt *st =
        ledger_statement(ledger, keeps ? SQL_PUT_EXCHANGE : SQL_DROP_EXCHANGE, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)request->id);
    }
    if (st && keeps) {
        ledger_bind_optional(st, 2, str_view(x->url));
        sqlite3_bind_int64(st, 3, x->asked);
        sqlite3_bind_int64(st, 4, (sqlite3_int64)x->waited_us);
        sqlite3_bind_int(st, 5, x->is_foreign);
        sqlite3_bind_int(st, 6, x->from_public);
        sqlite3_bind_int(st, 7, x->with_get);
    }
    if (st) {
        result = ledger_step(ledger, st, "noting that a request is not ready", err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

enum result ledger_each_exchange(struct ledger *ledger,
                                 enum result (*visit)(void *context, uint64_t id,
                                                      const struct exchange *exchange,
                                                      struct err *err),
                                 void *context, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_EXCHANGES, &result, err);

    while (st && ledger_next_row(ledger, st, &result, err)) {
        bool has_url = sqlite3_column_type(st, 1) == SQLITE_TEXT;
        char *url = has_url ? str_dup(ledger_column_text(st, 1)) : NULL;
        struct exchange x = {
            .url = url,
            .asked = (uint32_t)ledger_column_u64(st, 2),
            .waited_us = ledger_column_u64(st, 3),
            .is_foreign = sqlite3_column_int(st, 4) != 0,
            .from_public = sqlite3_column_int(st, 5) != 0,
            .with_get = sqlite3_column_int(st, 6) != 0,
        };

        result = has_url && !url ? err_nomem(err, "reading the ledger")
                                 : visit(context, ledger_column_u64(st, 0), &x, err);
        exchange_release(&x);
        if (result != RESULT_OK) {
            sqlite3_reset(st);
            break;
        }
    }
    return result;
}
