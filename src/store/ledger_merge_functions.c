/*
 * What the statements that take in a changed plan call: places of what has gone, whether a seed is as it was.
 */
#include "store/ledger_sql.h"

#include "plan/sort_key.h"

#include <string.h>

#define GONE_AT UINT64_C(0x4000000000000000) /* numbers after those of any plan */

static void gone_at(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct sort_key key;

    (void)count;
    sort_key_of_seed(0, GONE_AT + (uint64_t)sqlite3_value_int64(values[0]), &key);
    sqlite3_result_blob(context, key.bytes + SORT_KEY_ROUND_BYTES, LEDGER_NUMBER_BYTES,
                        SQLITE_TRANSIENT);
}

bool ledger_merge_is_same(uint64_t same, const uint8_t *number)
{
    struct sort_key last;

    sort_key_of_seed(0, same, &last);
    return memcmp(number, last.bytes + SORT_KEY_ROUND_BYTES, LEDGER_NUMBER_BYTES) <= 0;
}

static void is_same(sqlite3_context *context, int count, sqlite3_value **values)
{
    const uint64_t *same = sqlite3_user_data(context);

    (void)count;
    sqlite3_result_int(context, sqlite3_value_bytes(values[0]) == LEDGER_NUMBER_BYTES &&
                                    ledger_merge_is_same(*same, sqlite3_value_blob(values[0])));
}

enum result ledger_add_merge_functions(struct ledger *ledger, uint64_t *same, struct err *err)
{
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;

    return sqlite3_create_function(ledger->db, "merge_gone_at", 1, flags, NULL, gone_at, NULL,
                                   NULL) == SQLITE_OK &&
                   sqlite3_create_function(ledger->db, "merge_same", 1, flags, same, is_same, NULL,
                                           NULL) == SQLITE_OK
               ? ledger_add_round_functions(ledger, err)
               : ledger_fail(ledger, "taking in a plan that has changed", err);
}
