/*
 * What failed, and what the server said then: written with the failure, read by people.
 */
#include "store/ledger_sql.h"

#include "plan/sort_key.h"

#include <string.h>

/* How many are kept, about: counted when that is not known, or when the count has reached the ceiling,
 * which deletions since then may have lowered. */
static enum result count_said(struct ledger *ledger, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_SAID_COUNT, &result, err);

    while (st && ledger_next_row(ledger, st, &result, err)) {
        ledger->said_count = ledger_column_u64(st, 0);
    }
    ledger->said_until_count = LEDGER_SAID_MAX / 10;
    return result;
}

/* Whether one more may be kept. A run in which everything fails does not count the table each time. */
static enum result has_room(struct ledger *ledger, bool *room, struct err *err)
{
    enum result result = RESULT_OK;

    if (!ledger->said_is_counted ||
        (ledger->said_count >= LEDGER_SAID_MAX && ledger->said_until_count-- == 0)) {
        ledger->said_is_counted = true;
        result = count_said(ledger, err);
    }
    *room = ledger->said_count < LEDGER_SAID_MAX;
    return result;
}

static enum result forget_said(struct ledger *ledger, uint64_t id, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_FORGET_SAID, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
        result = ledger_step(ledger, st, "keeping an answer", err);
    }
    return result;
}

enum result ledger_forget_said(struct ledger *ledger, uint64_t id, struct err *err)
{
    enum result result = RESULT_OK;

    if (!ledger->said_is_counted) {
        ledger->said_is_counted = true;
        result = count_said(ledger, err);
    }
    return result == RESULT_OK && ledger->said_count ? forget_said(ledger, id, err) : result;
}

enum result ledger_put_said(struct ledger *ledger, uint64_t id, const struct said *said,
                            struct err *err)
{
    bool room = false;
    enum result result;
    sqlite3_stmt *st;

    if (said->at_us) {
        result = has_room(ledger, &room, err);
        if (result != RESULT_OK) {
            return result;
        }
    }
    if (!room) { /* what an earlier try was answered is not what it failed with */
        result = forget_said(ledger, id, err);
        if (result != RESULT_OK || !said->at_us || sqlite3_changes(ledger->db) == 0) {
            return result;
        }
        ledger->said_count--; /* its own room */
    }
    st = ledger_statement(ledger, SQL_PUT_SAID, &result, err);
    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    sqlite3_bind_int64(st, 2, said->at_us);
    ledger_bind_text(st, 3, said->headers);
    sqlite3_bind_blob(st, 4, said->body.data ? said->body.data : "", (int)said->body.len,
                      SQLITE_STATIC);
    sqlite3_bind_int64(st, 5, (sqlite3_int64)said->body_bytes);
    result = ledger_step(ledger, st, "keeping an answer", err);
    ledger->said_count++; /* or replaced: then it is counted again a little sooner */
    return result;
}

/* ---- reading ---- */

static void read_row(sqlite3_stmt *st, struct failed_row *row)
{
    struct ledger_tried tried;

    ledger_read_tried(st, 4, &tried);
    *row = (struct failed_row){
        .id = ledger_column_u64(st, 0),
        .endpoint = (uint32_t)ledger_column_u64(st, 1),
        .attempt = (uint32_t)ledger_column_u64(st, 2),
        .key = ledger_column_text(st, 3),
        .last = tried.last,
        .reason = tried.reason,
        .url = ledger_column_text(st, 13),
        .said = { .at_us = sqlite3_column_int64(st, 14),
                  .headers = ledger_column_text(st, 15),
                  .body = ledger_column_bytes(st, 16),
                  .body_bytes = ledger_column_u64(st, 17) },
    };
}

/* One page of them. */
static enum result read_failed(struct ledger *ledger, const struct ledger_failed_query *query,
                               uint64_t *after_id, size_t *count, struct err *err)
{
    enum result result;
    sqlite3_stmt *st =
        ledger_statement(ledger, ledger->version < 3 ? SQL_FAILED_OLD : SQL_FAILED, &result, err);

    *count = 0;
    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, (sqlite3_int64)*after_id);
    sqlite3_bind_int(st, 2, LEDGER_FAILED_PAGE);
    while (ledger_next_row(ledger, st, &result, err)) {
        struct failed_row row;

        read_row(st, &row);
        *after_id = row.id;
        ++*count;
        result = query->visit(query->context, &row, err);
        if (result != RESULT_OK) {
            sqlite3_reset(st);
            break;
        }
    }
    return result;
}

enum result ledger_each_failed(struct ledger *ledger, const struct ledger_failed_query *query,
                               struct err *err)
{
    uint64_t after_id = 0;
    size_t count = LEDGER_FAILED_PAGE;
    enum result result = RESULT_OK;

    /* In pages, so that no long read keeps the writer of a live run from folding its log. */
    while (result == RESULT_OK && count == LEDGER_FAILED_PAGE) {
        result = read_failed(ledger, query, &after_id, &count, err);
    }
    return result;
}

enum result ledger_read_failed(struct ledger *ledger, uint64_t id,
                               const struct ledger_failed_query *query, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_FAILED_ONE, &result, err);

    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    while (ledger_next_row(ledger, st, &result, err)) {
        struct failed_row row;

        read_row(st, &row);
        result = query->visit(query->context, &row, err);
        if (result != RESULT_OK) {
            sqlite3_reset(st);
            break;
        }
    }
    return result;
}

/* --- how each ended ------------------------------------------------------------------------------------ */

typedef enum result end_fn(void *context, const struct ledger_end *end, struct err *err);

/* One page of them. */
static enum result read_ends(struct ledger *ledger, uint64_t *after_id, uint64_t last,
                             end_fn *visit, void *context, size_t *count, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_ENDS, &result, err);

    *count = 0;
    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, (sqlite3_int64)*after_id);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)last);
    sqlite3_bind_int(st, 3, LEDGER_FAILED_PAGE);
    while (ledger_next_row(ledger, st, &result, err)) {
        const struct ledger_end end = {
            .id = ledger_column_u64(st, 0),
            .state = (enum ledger_end_state)sqlite3_column_int(st, 1),
            .attempts = (uint32_t)ledger_column_u64(st, 2),
            .status = sqlite3_column_int(st, 3),
            .reason = ledger_column_text(st, 4),
        };

        *after_id = end.id;
        ++*count;
        result = visit(context, &end, err);
        if (result != RESULT_OK) {
            sqlite3_reset(st);
            break;
        }
    }
    return result;
}

/* Where the plan's own requests are found ones (ledger_merge): how far they have been read. */
struct listed_position {
    uint32_t endpoint;
    struct sort_key place;
};

static uint64_t number_of(const struct sort_key *place)
{
    uint64_t number = 0;

    for (size_t i = SORT_KEY_ROUND_BYTES; i < SORT_KEY_SEED_BYTES; i++) {
        number = number << 8 | place->bytes[i];
    }
    return number;
}

/* A place without its round; of none it comes before all. */
static void bind_number(sqlite3_stmt *st, int at, const struct sort_key *place)
{
    sqlite3_bind_blob(st, at, place->len ? (const char *)place->bytes + SORT_KEY_ROUND_BYTES : "",
                      place->len ? LEDGER_NUMBER_BYTES : 0, SQLITE_TRANSIENT);
}

static enum result read_listed_ends(struct ledger *ledger, struct listed_position *after,
                                    const struct sort_key *last, end_fn *visit, void *context,
                                    size_t *count, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(
        ledger, ledger->is_again ? SQL_NEWEST_ENDS : SQL_LISTED_ENDS, &result, err);

    *count = 0;
    if (!st) {
        return result;
    }
    if (ledger->is_again) {
        bind_number(st, 1, &after->place);
        bind_number(st, 2, last);
        sqlite3_bind_int(st, 3, LEDGER_FAILED_PAGE);
    } else {
        sqlite3_bind_int64(st, 1, after->endpoint);
        sqlite3_bind_blob(st, 2, after->place.bytes, (int)after->place.len, SQLITE_TRANSIENT);
        sqlite3_bind_blob(st, 3, last->bytes, (int)last->len, SQLITE_STATIC);
        sqlite3_bind_int(st, 4, LEDGER_FAILED_PAGE);
    }
    while (ledger_next_row(ledger, st, &result, err)) {
        struct str place = ledger_column_bytes(st, 0);
        struct ledger_end end = {
            .state = (enum ledger_end_state)sqlite3_column_int(st, 1),
            .attempts = (uint32_t)ledger_column_u64(st, 2),
            .status = sqlite3_column_int(st, 3),
            .reason = ledger_column_text(st, 4),
        };

        after->endpoint = (uint32_t)ledger_column_u64(st, 5);
        after->place.len = SORT_KEY_SEED_BYTES; /* the statement yields no other */
        memcpy(after->place.bytes, place.data, SORT_KEY_SEED_BYTES);
        end.id = number_of(&after->place);
        ++*count;
        result = visit(context, &end, err);
        if (result != RESULT_OK) {
            sqlite3_reset(st);
            break;
        }
    }
    return result;
}

enum result ledger_each_end(struct ledger *ledger, uint64_t last, end_fn *visit, void *context,
                            struct err *err)
{
    struct listed_position after = { .endpoint = 0 };
    struct sort_key end;
    uint64_t after_id = 0;
    enum result result = RESULT_OK;
    size_t count = 1;

    sort_key_of_seed(0, last, &end);
    if (ledger->is_again) {
        result = ledger_find_asked(ledger, err);
    }
    while (result == RESULT_OK && count) {
        result = ledger->is_listed
                     ? read_listed_ends(ledger, &after, &end, visit, context, &count, err)
                     : read_ends(ledger, &after_id, last, visit, context, &count, err);
    }
    return result;
}
