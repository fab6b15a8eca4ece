/* Requests that several shards of one plan have found, each by itself: a table of all has one of them. */
#include "store/ledger_sql.h"

#include "base/digest.h"

#include <string.h>

/* False: this ledger does not know it as found. */
static enum result read_digest(struct ledger *ledger, uint64_t id, uint8_t digest[DIGEST_BYTES],
                               bool *known, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_FOUND_DIGEST, &result, err);

    *known = false;
    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    while (ledger_next_row(ledger, st, &result, err)) {
        struct str bytes = ledger_column_bytes(st, 0);

        *known = bytes.len == DIGEST_BYTES;
        if (*known) {
            memcpy(digest, bytes.data, DIGEST_BYTES);
        }
    }
    return result;
}

/* A request of the plan's own, the first page of a listing, goes before all that was found. */
static enum result look_in(struct ledger *other, const struct placed_record *record,
                           const uint8_t digest[DIGEST_BYTES], bool *before, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(other, SQL_FOUND_DONE, &result, err);

    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, record->record.endpoint);
    sqlite3_bind_blob(st, 2, digest, DIGEST_BYTES, SQLITE_STATIC);
    while (ledger_next_row(other, st, &result, err)) {
        struct str place = ledger_column_bytes(st, 1);

        *before |= ledger_column_u64(st, 0) <= other->seeds ||
                   sort_key_compare(place, sort_key_view(&record->sort_key)) < 0;
    }
    return result;
}

enum result ledger_is_found_before(struct ledger *ledger, const struct placed_record *record,
                                   struct ledger *const *others, size_t count, bool *before,
                                   struct err *err)
{
    uint8_t digest[DIGEST_BYTES];
    bool known = false;
    enum result result = RESULT_OK;

    *before = false;
    if (!ledger->seeds || record->record.id <= ledger->seeds) {
        return RESULT_OK;
    }
    result = read_digest(ledger, record->record.id, digest, &known, err);
    for (size_t i = 0; i < count && known && !*before && result == RESULT_OK; i++) {
        if (others[i] != ledger) {
            result = look_in(others[i], record, digest, before, err);
        }
    }
    return result;
}
