/*
 * Ids of found requests that are the same for all workers, and the outbox of what no other knows of.
 */
#include "store/ledger_sql.h"

#include "plan/sort_key.h"

#include <string.h>

#define SHARED_ID_BIT (UINT64_C(1) << 62) /* above all ids of seeds, and below SQLite's sign */

uint64_t ledger_shared_id(uint32_t endpoint, const uint8_t digest[DIGEST_BYTES])
{
    uint8_t text[4 + DIGEST_BYTES], of_both[DIGEST_BYTES];
    uint64_t id = 0;

    for (int i = 0; i < 4; i++) {
        text[i] = (uint8_t)(endpoint >> (24 - 8 * i));
    }
    memcpy(text + 4, digest, DIGEST_BYTES);
    digest_of(text, sizeof text, of_both);
    for (int i = 0; i < 8; i++) {
        id = id << 8 | of_both[i];
    }
    return id >> 2 | SHARED_ID_BIT;
}

enum result ledger_put_outbox(struct ledger *ledger, uint64_t id, uint64_t *place, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_PUT_OUTBOX, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
        result = ledger_step(ledger, st, "noting what was found", err);
        *place = (uint64_t)sqlite3_last_insert_rowid(ledger->db);
    }
    return result;
}

enum result ledger_drop_outbox(struct ledger *ledger, uint64_t upto, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_DROP_OUTBOX, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)upto);
        result = ledger_step(ledger, st, "noting what is published", err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

enum result ledger_outbox_ends(struct ledger *ledger, uint64_t *before, uint64_t *last,
                               struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_OUTBOX_ENDS, &result, err);

    *before = *last = 0;
    while (st && ledger_next_row(ledger, st, &result, err)) {
        bool is_empty = sqlite3_column_type(st, 0) == SQLITE_NULL;

        *last = ledger_column_u64(st, 1);
        *before = is_empty ? *last : ledger_column_u64(st, 0);
    }
    return result;
}

/* A detail of a seed's record, or one of its pages. */
static bool is_fixed(const struct ledger *ledger, struct str place)
{
    return !ledger->is_shared || place.len <= SORT_KEY_SEED_BYTES + 8;
}

enum result ledger_put_also(struct ledger *ledger, uint32_t endpoint,
                            const uint8_t digest[DIGEST_BYTES], struct str place, struct str vars,
                            struct err *err)
{
    enum result result = RESULT_OK;
    sqlite3_stmt *st =
        is_fixed(ledger, place) ? NULL : ledger_statement(ledger, SQL_PUT_ALSO, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 1, endpoint);
        sqlite3_bind_blob(st, 2, digest, DIGEST_BYTES, SQLITE_STATIC);
        sqlite3_bind_blob(st, 3, place.data, (int)place.len, SQLITE_STATIC);
        ledger_bind_optional(st, 4, vars);
        result = ledger_step(ledger, st, "noting what was found", err);
    }
    return result;
}

enum result ledger_put_also_before(struct ledger *ledger, uint64_t id, struct str place,
                                   struct err *err)
{
    enum result result = RESULT_OK;
    sqlite3_stmt *st = is_fixed(ledger, place)
                           ? NULL
                           : ledger_statement(ledger, SQL_PUT_ALSO_BEFORE, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
        result = ledger_step(ledger, st, "noting what was found", err);
    }
    return result;
}
