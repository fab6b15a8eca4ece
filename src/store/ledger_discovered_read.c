/*
 * Reading what answers gave rise to: requests made of rows of `found`, a few at a time.
 */
#include "store/ledger_sql.h"

#include <stdio.h>
#include <string.h>

#define FOUND_WAITS_AT 26 /* columns of what waits begin here, in a query that has them */

static struct request *request_of_row(sqlite3_stmt *st)
{
    struct request_texts texts = {
        .sort_key = ledger_column_bytes(st, 2),
        .key = ledger_column_text(st, 3),
        .url = ledger_column_text(st, 4),
        .body = ledger_column_text(st, 5),
        .vars = ledger_column_text(st, 6),
        .etag = ledger_column_text(st, 7),
    };
    struct request *request =
        request_make(ledger_column_u64(st, 0), (uint32_t)ledger_column_u64(st, 1), &texts);

    if (!request) {
        return NULL;
    }
    request->page = (struct page_at){
        .chain = ledger_column_u64(st, 8),
        .number = (uint64_t)sqlite3_column_int64(st, 9),
        .ordinal = (uint32_t)ledger_column_u64(st, 10),
        .total = (uint64_t)sqlite3_column_int64(st, 11),
        .expected = (uint32_t)ledger_column_u64(st, 12),
        .size = (uint32_t)ledger_column_u64(st, 13),
        .empty = (uint32_t)ledger_column_u64(st, 14),
        .kind = (uint32_t)ledger_column_u64(st, 15),
        .named_by_crc32c = (uint32_t)ledger_column_u64(st, 16),
        .came = ledger_column_u64(st, 17),
        .previous = (uint32_t)ledger_column_u64(st, 18),
        .most = (uint32_t)ledger_column_u64(st, 19),
        .records_type = (uint32_t)ledger_column_u64(st, 20),
        .records_at = (uint32_t)ledger_column_u64(st, 21),
        .basis = (uint32_t)ledger_column_u64(st, 22),
        .repeats = (uint32_t)ledger_column_u64(st, 23),
    };
    request->attempt = (uint32_t)ledger_column_u64(st, 24);
    if (sqlite3_column_count(st) > FOUND_WAITS_AT) {
        struct ledger_tried tried;

        ledger_read_tried(st, FOUND_WAITS_AT, &tried);
        request->last = tried.last;
        request->due = tried.due;
        snprintf(request->reason, sizeof request->reason, "%.*s", STR_ARG(tried.reason));
    }
    return request;
}

enum result ledger_visit_found(struct ledger *ledger, sqlite3_stmt *st,
                               const struct ledger_discovered_query *query, struct err *err)
{
    enum result result;

    while (ledger_next_row(ledger, st, &result, err)) {
        int64_t not_before_us = sqlite3_column_int64(st, 25);
        struct request *request = request_of_row(st);

        result = request ? query->visit(query->context, request, not_before_us)
                         : err_nomem(err, "reading what was found");
        if (result != RESULT_OK) {
            sqlite3_reset(st);
            break;
        }
    }
    return result;
}

enum result ledger_each_discovered(struct ledger *ledger,
                                   const struct ledger_discovered_query *query, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(
        ledger, query->which == LEDGER_DISCOVERED_NEW ? SQL_FOUND_NEW : SQL_FOUND_WAITING, &result,
        err);

    if (!st) {
        return result;
    }
    if (query->which == LEDGER_DISCOVERED_WAITING) {
        ledger_bind_clock(ledger, st);
    }
    sqlite3_bind_int64(st, 1, (sqlite3_int64)query->after_id);
    sqlite3_bind_int64(st, 2, query->max > INT64_MAX ? INT64_MAX : (sqlite3_int64)query->max);
    return ledger_visit_found(ledger, st, query, err);
}

enum result ledger_each_discovered_of(struct ledger *ledger, const uint64_t *ids, size_t count,
                                      const struct ledger_discovered_query *query, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_FOUND_ONE, &result, err);

    for (size_t i = 0; st && i < count && result == RESULT_OK; i++) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)ids[i]);
        result = ledger_visit_found(ledger, st, query, err);
    }
    return result;
}

enum result ledger_count_discovered(struct ledger *ledger, uint64_t *counts, size_t endpoint_count,
                                    struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(
        ledger, ledger->is_shared ? SQL_SHARED_ENDPOINTS : SQL_FOUND_ENDPOINTS, &result, err);

    memset(counts, 0, endpoint_count * sizeof *counts);
    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)ledger->seeds);
    }
    while (st && ledger_next_row(ledger, st, &result, err)) {
        uint64_t endpoint = ledger_column_u64(st, 0);

        if (endpoint < endpoint_count) {
            counts[endpoint] = ledger_column_u64(st, 1);
        }
    }
    return result;
}
