#include "store/ledger_sql.h"

/* The first row of a query that always has one; numbers and nothing else. NULL reads as `null`. */
static enum result read_numbers(struct ledger *ledger, enum statement which, int64_t *numbers,
                                int count, int64_t null, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, which, &result, err);

    if (st && ledger_next_row(ledger, st, &result, err)) {
        for (int i = 0; i < count; i++) {
            numbers[i] =
                sqlite3_column_type(st, i) == SQLITE_NULL ? null : sqlite3_column_int64(st, i);
        }
        sqlite3_reset(st);
    }
    return result;
}

/* What was found is numbered after the whole plan, of which a shard has a part only. */
static int64_t planned_with_found(int64_t planned, int64_t last_found, int64_t seeds)
{
    return last_found <= seeds ? planned : planned ? planned + last_found - seeds : last_found;
}

static enum result summarise(struct ledger *ledger, struct ledger_summary *summary, struct err *err)
{
    int64_t all[3] = { 0 }, open[3] = { 0 }, segments[3] = { 0 }, sessions[5] = { 0 };
    int64_t planned = 0, last_found = 0, earlier[2] = { 0 };
    enum result result = read_numbers(ledger, SQL_TOTALS, all, 3, 0, err);

    if (result == RESULT_OK) {
        result = read_numbers(ledger, SQL_OPEN_TOTALS, open, 3, INT64_MAX, err);
    }
    if (result == RESULT_OK) {
        result = read_numbers(ledger, SQL_SEGMENT_TOTALS, segments, 3, 0, err);
    }
    if (result == RESULT_OK) {
        result = read_numbers(ledger, SQL_SESSIONS, sessions, 5, 0, err);
    }
    if (result == RESULT_OK) {
        result = read_numbers(ledger, SQL_PLANNED, &planned, 1, 0, err);
    }
    if (result == RESULT_OK && ledger->version >= 2) {
        result = ledger_read_seeds(ledger, err);
    }
    if (result == RESULT_OK && ledger->version >= 2) {
        result = read_numbers(ledger,
                              ledger->is_shared   ? SQL_SHARED_COUNT
                              : ledger->is_listed ? SQL_LISTED_COUNT
                                                  : SQL_FOUND_COUNT,
                              &last_found, 1, 0, err);
    }
    if (result == RESULT_OK && ledger->round_from) {
        result = read_numbers(ledger, SQL_EARLIER, earlier, 2, 0, err);
    }
    *summary = (struct ledger_summary){
        .round_from = ledger->round_from,
        .earlier = { .done = (uint64_t)earlier[0], .unchanged = (uint64_t)earlier[1] },
        .planned = ledger->is_listed ? (uint64_t)last_found
                   : ledger->is_shared
                       ? (uint64_t)(planned + last_found)
                       : (uint64_t)planned_with_found(planned, last_found, (int64_t)ledger->seeds),
        .is_listed = ledger->is_listed,
        .own = (uint64_t)planned,
        .done = (uint64_t)(all[0] - open[0] - open[1]),
        .failed = (uint64_t)open[0],
        .waiting = (uint64_t)open[1],
        .unchanged = (uint64_t)all[2],
        .attempts = (uint64_t)all[1],
        .next_deadline_us = open[2],
        .segments = (uint32_t)segments[0],
        .line_bytes = (uint64_t)segments[1],
        .body_bytes = (uint64_t)segments[2],
        .sessions = (uint64_t)sessions[0],
        .first_start_us = sessions[1],
        .last_start_us = sessions[2],
        .last_end_us = sessions[3],
        .last_clean = sessions[4] != 0,
    };
    return result;
}

enum result ledger_summarise(struct ledger *ledger, struct ledger_summary *summary, struct err *err)
{
    enum result result = ledger_run(ledger, SQL_BEGIN_READ, "reading the ledger", err);

    if (result == RESULT_OK) {
        result = summarise(ledger, summary, err); /* all of it as of one moment */
    }
    ledger_roll_back(ledger);
    return result;
}

/* Copies the first keys of a reason into `bytes`, and points `reason` at them. */
static enum result read_keys(struct ledger *ledger, struct ledger_reason *reason, struct buf *bytes,
                             struct err *err)
{
    size_t lengths[LEDGER_KEYS_SHOWN];
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_REASON_KEYS, &result, err);
    size_t at = 0;

    if (!st) {
        return result;
    }
    ledger_bind_text(st, 1, reason->reason);
    sqlite3_bind_int(st, 2, LEDGER_KEYS_SHOWN);
    buf_reset(bytes);
    while (ledger_next_row(ledger, st, &result, err)) {
        struct str key = ledger_column_text(st, 0);

        if (buf_append_str(bytes, key) != RESULT_OK) {
            sqlite3_reset(st);
            return err_nomem(err, "reading the ledger");
        }
        lengths[reason->key_count++] = key.len;
    }
    for (size_t i = 0; i < reason->key_count; i++) {
        reason->keys[i] = (struct str){ bytes->data + at, lengths[i] };
        at += lengths[i];
    }
    return result;
}

enum result ledger_each_reason(struct ledger *ledger, size_t max,
                               void (*visit)(void *context, const struct ledger_reason *reason),
                               void *context, struct err *err)
{
    struct buf bytes = { .max = 0 };
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_REASONS, &result, err);

    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, (sqlite3_int64)max);
    while (ledger_next_row(ledger, st, &result, err)) {
        struct ledger_reason reason = { .reason = ledger_column_text(st, 0),
                                        .count = ledger_column_u64(st, 1) };

        result = read_keys(ledger, &reason, &bytes, err);
        if (result != RESULT_OK) {
            sqlite3_reset(st);
            break;
        }
        visit(context, &reason);
    }
    buf_release(&bytes);
    return result;
}
