/*
 * What the statements that take in a changed plan call: places of what has gone, digests of polls, whether a seed is as it was.
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

static struct str text_of(sqlite3_value *value)
{
    const unsigned char *text = sqlite3_value_text(value);

    return text ? (struct str){ (const char *)text, (size_t)sqlite3_value_bytes(value) } : STR_NONE;
}

static void polled_as(sqlite3_context *context, int count, sqlite3_value **values)
{
    const void *place = sqlite3_value_blob(values[1]);
    struct str key = { place ? place : "", (size_t)sqlite3_value_bytes(values[1]) };
    struct request_texts texts = { .url = text_of(values[2]), .body = text_of(values[3]) };
    uint8_t digest[DIGEST_BYTES];

    (void)count;
    if (key.len < SORT_KEY_SEED_BYTES) {
        sqlite3_result_null(context); /* of a ledger that is not as we write it */
        return;
    }
    if (ledger_digest_polled((uint32_t)sqlite3_value_int64(values[0]), key, &texts, digest) !=
        RESULT_OK) {
        sqlite3_result_error_nomem(context);
        return;
    }
    sqlite3_result_blob(context, digest, DIGEST_BYTES, SQLITE_TRANSIENT);
}

enum result ledger_add_merge_functions(struct ledger *ledger, uint64_t *same, struct err *err)
{
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;

    return sqlite3_create_function(ledger->db, "merge_gone_at", 1, flags, NULL, gone_at, NULL,
                                   NULL) == SQLITE_OK &&
                   sqlite3_create_function(ledger->db, "merge_same", 1, flags, same, is_same, NULL,
                                           NULL) == SQLITE_OK &&
                   sqlite3_create_function(ledger->db, "merge_polled_as", 4, flags, NULL, polled_as,
                                           NULL, NULL) == SQLITE_OK
               ? RESULT_OK
               : ledger_fail(ledger, "taking in a plan that has changed", err);
}
