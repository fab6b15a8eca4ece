/* Requests that must not be sent twice, in the ledger while they are being sent. */
#include "store/ledger_sql.h"

enum result ledger_drop_sending(struct ledger *ledger, uint64_t id, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_DROP_SENDING, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
        result = ledger_step(ledger, st, "noting what was sent", err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

enum result ledger_put_sending(struct ledger *ledger, const struct settlement *settlement,
                               struct err *err)
{
    const struct request *request = settlement->response->request;
    enum result result;
    sqlite3_stmt *st;

    if (settlement->state == SETTLE_UNSENT) {
        return ledger_drop_sending(ledger, request->id, err);
    }
    st = ledger_statement(ledger, SQL_PUT_SENDING, &result, err);
    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)request->id);
        sqlite3_bind_int(st, 2, (int)request->endpoint);
        sqlite3_bind_int64(st, 3, (sqlite3_int64)request->attempt + 1);
        ledger_bind_text(st, 4, request->key);
        ledger_bind_text(st, 5, settlement->url.data ? settlement->url : request->url);
        result = ledger_step(ledger, st, "noting what is to be sent", err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

enum result ledger_end_sending(struct ledger *ledger, bool forget, uint64_t *count, struct err *err)
{
    enum result result = RESULT_OK;

    *count = 0;
    if (!forget) {
        sqlite3_stmt *st = ledger_statement(ledger, SQL_END_SENDING, &result, err);

        if (st) {
            sqlite3_bind_int(st, 1, (int)OUTCOME_CANCELLED);
            sqlite3_bind_int(st, 2, (int)FAILURE_MAYBE_SENT);
            ledger_bind_text(st, 3, STR("it was being sent when the run was cut off"));
            result = ledger_step(ledger, st, "noting what was being sent", err);
        }
        *count = (uint64_t)sqlite3_changes(ledger->db);
    }
    if (result == RESULT_OK) {
        result = ledger_run(ledger, SQL_DROP_ALL_SENDING, "noting what was being sent", err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    } else if (forget) {
        *count = (uint64_t)sqlite3_changes(ledger->db);
    }
    return result;
}
