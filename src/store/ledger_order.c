/*
 * An endpoint's records in the order of its table: the plan's own requests by id and found ones by
 * place, merged, a page at a time.
 */
#include "store/ledger_sql.h"

#include <stdlib.h>
#include <string.h>

struct stream {
    struct placed_record *list;
    size_t count, at;
};

static void read_key(struct sort_key *key, sqlite3_stmt *st)
{
    const void *bytes = sqlite3_column_blob(st, 7);
    size_t len = (size_t)sqlite3_column_bytes(st, 7);

    key->len = len < sizeof key->bytes ? len : sizeof key->bytes;
    if (key->len) {
        memcpy(key->bytes, bytes, key->len);
    }
}

static enum result read_seed_records(struct ledger *ledger, uint32_t endpoint,
                                     const struct record_position *position, size_t max,
                                     struct stream *stream, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_SEED_RECORDS, &result, err);

    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, (sqlite3_int64)position->seed);
    sqlite3_bind_int64(st, 2, ledger->seeds ? (sqlite3_int64)ledger->seeds : INT64_MAX);
    sqlite3_bind_int64(st, 3, endpoint);
    sqlite3_bind_int64(st, 4, (sqlite3_int64)max);
    while (ledger_next_row(ledger, st, &result, err)) {
        struct placed_record *p = &stream->list[stream->count++];

        p->record = ledger_record(st);
        p->vars = NULL;
        sort_key_of_seed(0, p->record.id, &p->sort_key);
    }
    return result;
}

static enum result read_discovered_records(struct ledger *ledger, uint32_t endpoint,
                                           const struct record_position *position, size_t max,
                                           struct stream *stream, struct err *err)
{
    enum result result = RESULT_OK;
    sqlite3_stmt *st = ledger->united ? ledger_union_statement(ledger)
                                      : ledger_statement(ledger, SQL_FOUND_RECORDS, &result, err);

    if (!st) {
        return result;
    }
    sqlite3_bind_blob(st, 1, position->sort_key.bytes, (int)position->sort_key.len, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)position->found);
    sqlite3_bind_int64(st, 3, endpoint);
    sqlite3_bind_int64(st, 4, (sqlite3_int64)max);
    if (!ledger->united) {
        sqlite3_bind_int64(st, 5, (sqlite3_int64)ledger->seeds);
    }
    while (ledger_next_row(ledger, st, &result, err)) {
        struct placed_record *p = &stream->list[stream->count++];

        p->record = ledger_record(st);
        p->vars = NULL;
        read_key(&p->sort_key, st);
        if (sqlite3_column_type(st, 8) != SQLITE_NULL) {
            p->vars = ledger_copy_vars(ledger_column_text(st, 8));
            if (!p->vars) {
                sqlite3_reset(st);
                return err_nomem(err, "reading the ledger");
            }
        }
    }
    return result;
}

/* The one that comes first; NULL at the end of both. Moves `position` past it. */
static const struct placed_record *take_first(struct stream *seeds, struct stream *found,
                                              struct record_position *position)
{
    const struct placed_record *seed = seeds->at < seeds->count ? &seeds->list[seeds->at] : NULL;
    const struct placed_record *other = found->at < found->count ? &found->list[found->at] : NULL;

    if (seed && (!other || sort_key_compare(sort_key_view(&seed->sort_key),
                                            sort_key_view(&other->sort_key)) <= 0)) {
        seeds->at++;
        position->seed = seed->record.id;
        return seed;
    }
    if (other) {
        found->at++;
        position->sort_key = other->sort_key;
        position->found = other->record.id;
    }
    return other;
}

enum result ledger_read_endpoint(struct ledger *ledger, uint32_t endpoint,
                                 struct record_position *position, struct placed_record *records,
                                 size_t max, size_t *count, struct err *err)
{
    struct placed_record *lists;
    struct stream seeds = { 0 }, found = { 0 };
    const struct placed_record *first;
    enum result result;

    if (ledger->is_again && !(endpoint < LEDGER_ENDPOINTS_MAX && ledger->keeps_rounds[endpoint])) {
        return ledger_read_newest(ledger, endpoint, position, records, max, count, err);
    }
    lists = malloc(2 * max * sizeof *lists);
    *count = 0;
    if (!lists) {
        return err_nomem(err, "reading the ledger");
    }
    seeds.list = lists;
    found.list = lists + max;
    result = ledger->is_listed ? RESULT_OK
                               : read_seed_records(ledger, endpoint, position, max, &seeds, err);
    if (result == RESULT_OK && (ledger->seeds || ledger->is_listed)) {
        result = read_discovered_records(ledger, endpoint, position, max, &found, err);
    }
    while (result == RESULT_OK && *count < max &&
           (first = take_first(&seeds, &found, position)) != NULL) {
        records[(*count)++] = *first;
    }
    while (found.at < found.count) { /* read in vain: another call's */
        free(found.list[found.at++].vars);
    }
    free(lists);
    return result;
}
