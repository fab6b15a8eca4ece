/* Requests that several runs of parts of one plan have, each by itself: a table of all has one of them. */
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

/* A request of the plan's own, the first page of a listing, goes before all that was found. Of two at one place that
 * of the run `is_earlier` counts. */
static enum result look_in(struct ledger *other, const struct placed_record *record,
                           const uint8_t digest[DIGEST_BYTES], bool is_earlier, bool *before,
                           struct err *err)
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
                   sort_key_compare(place, sort_key_view(&record->sort_key)) < (is_earlier ? 1 : 0);
    }
    return result;
}

static enum result has(struct ledger *other, uint64_t id, bool *it_has, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(other, SQL_DONE_ONE, &result, err);

    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    while (ledger_next_row(other, st, &result, err)) {
        *it_has = true;
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
    bool is_earlier = true, is_own = !ledger->seeds || record->record.id <= ledger->seeds;

    *before = false;
    if (!is_own && ledger->united) {
        return RESULT_OK; /* there it is chosen already */
    }
    if (!is_own) {
        result = read_digest(ledger, record->record.id, digest, &known, err);
    }
    for (size_t i = 0; i < count && !*before && result == RESULT_OK; i++) {
        if (others[i] == ledger) {
            is_earlier = false;
        } else if (is_own && is_earlier) {
            result = has(others[i], record->record.id, before, err);
        } else if (known) {
            result = look_in(others[i], record, digest, is_earlier, before, err);
        }
    }
    return result;
}
