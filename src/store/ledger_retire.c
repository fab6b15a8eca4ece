#include "store/ledger_retire.h"

#include "store/ledger_sql.h"

#include <stdio.h>
#include <string.h>

#define DOING "retiring old rounds"

static enum result execute(struct ledger *ledger, const char *text, struct err *err)
{
    enum result result = RESULT_OK;

    if (sqlite3_exec(ledger->db, text, NULL, NULL, NULL) != SQLITE_OK) {
        result = ledger_fail(ledger, DOING, err);
        ledger_roll_back(ledger);
    }
    return result;
}

/* One that is of use once in a while: not kept. */
static sqlite3_stmt *prepare(struct ledger *ledger, const char *text, enum result *result,
                             struct err *err)
{
    sqlite3_stmt *st = NULL;

    *result = sqlite3_prepare_v2(ledger->db, text, -1, &st, NULL) == SQLITE_OK
                  ? RESULT_OK
                  : ledger_fail(ledger, DOING, err);
    return st;
}

enum result ledger_read_journal(struct ledger *ledger, struct ledger_journal *journal,
                                struct err *err)
{
    enum result result;
    sqlite3_stmt *st =
        prepare(ledger, "SELECT name,value FROM meta WHERE name GLOB 'journal_*'", &result, err);

    *journal = (struct ledger_journal){ 0 };
    while (st && ledger_next_row(ledger, st, &result, err)) {
        if (str_equal(ledger_column_text(st, 0), STR("journal_bytes"))) {
            journal->bytes = ledger_column_u64(st, 1);
        } else if (str_equal(ledger_column_text(st, 0), STR("journal_rounds"))) {
            journal->rounds = (uint32_t)ledger_column_u64(st, 1);
        }
    }
    sqlite3_finalize(st);
    return result;
}

enum result ledger_put_journal(struct ledger *ledger, const struct ledger_journal *journal,
                               struct err *err)
{
    char text[160];

    snprintf(text, sizeof text,
             "INSERT OR REPLACE INTO meta(name,value) VALUES('journal_bytes',%llu),"
             "('journal_rounds',%u)",
             (unsigned long long)journal->bytes, (unsigned)journal->rounds);
    return execute(ledger, text, err);
}

enum result ledger_begin_needs(struct ledger *ledger, struct err *err)
{
    return execute(ledger,
                   "DROP TRIGGER IF EXISTS temp.note_needed;"
                   "DROP TABLE IF EXISTS temp.needed;"
                   "CREATE TEMP TABLE needed(id INTEGER PRIMARY KEY)",
                   err);
}

enum result ledger_watch_needs(struct ledger *ledger, struct err *err)
{
    return execute(ledger,
                   "CREATE TEMP TRIGGER note_needed AFTER UPDATE ON main.polled"
                   " WHEN OLD.request IS NOT NULL BEGIN"
                   " INSERT INTO needed SELECT OLD.request"
                   " WHERE NOT EXISTS (SELECT 1 FROM needed WHERE id=OLD.request); END",
                   err);
}

enum result ledger_end_needs(struct ledger *ledger, struct err *err)
{
    return execute(ledger,
                   "DROP TRIGGER IF EXISTS temp.note_needed;"
                   "DROP TABLE IF EXISTS temp.needed",
                   err);
}

enum result ledger_need(struct ledger *ledger, uint64_t id, struct err *err)
{
    char text[80];

    snprintf(text, sizeof text, "INSERT OR IGNORE INTO temp.needed VALUES(%llu)",
             (unsigned long long)id);
    return execute(ledger, text, err);
}

enum result ledger_retire(struct ledger *ledger, uint32_t endpoint, uint32_t rounds,
                          uint64_t *count, struct err *err)
{
    char text[640];
    enum result result;

    snprintf(text, sizeof text,
             "UPDATE request SET body=4,segment=NULL,line_at=NULL,line_bytes=NULL,crc32c=NULL"
             " WHERE endpoint=%u AND state=1 AND body=1 AND line_bytes IS NOT NULL"
             " AND id NOT IN (SELECT id FROM temp.needed)"
             " AND (id IN (SELECT f.id FROM found f WHERE f.endpoint=%u"
             " AND substr(f.place,1,4)<x'%08x')"
             " OR (id<=%lld AND %d))",
             (unsigned)endpoint, (unsigned)endpoint, (unsigned)rounds, (long long)ledger->seeds,
             ledger->seeds && !ledger->is_listed);
    result = execute(ledger, text, err);
    *count = result == RESULT_OK ? (uint64_t)sqlite3_changes64(ledger->db) : 0;
    return result;
}

enum result ledger_forget_retired(struct ledger *ledger, struct err *err)
{
    return execute(ledger,
                   "UPDATE polled SET etag=NULL,digest=x'' WHERE request IS NULL"
                   " OR (SELECT r.body FROM request r WHERE r.id=polled.request)=4",
                   err);
}

enum result ledger_find_holey(struct ledger *ledger, const struct ledger_holey *which,
                              uint32_t *number, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = prepare(
        ledger,
        "SELECT s.number FROM segment s LEFT JOIN (SELECT segment,sum(line_bytes) AS bytes"
        " FROM request WHERE line_bytes IS NOT NULL GROUP BY segment) r ON r.segment=s.number"
        " WHERE s.number<?1 AND s.number>?2 AND ifnull(r.bytes,0)*?3<s.committed ORDER BY s.number "
        "LIMIT 1",
        &result, err);

    *number = 0;
    if (st) {
        sqlite3_bind_int64(st, 1, which->below);
        sqlite3_bind_int64(st, 2, which->after);
        sqlite3_bind_int64(st, 3, which->half ? 2 : 1);
    }
    while (st && ledger_next_row(ledger, st, &result, err)) {
        *number = (uint32_t)ledger_column_u64(st, 0);
    }
    sqlite3_finalize(st);
    return result;
}

enum result ledger_read_segment(struct ledger *ledger, uint32_t number, uint64_t from,
                                struct record *records, size_t max, size_t *count, struct err *err)
{
    enum result result;
    sqlite3_stmt *st =
        prepare(ledger,
                "SELECT id,line_at,line_bytes,segment,crc32c,status,endpoint FROM request"
                " WHERE segment=?1 AND line_bytes IS NOT NULL AND line_at>=?2"
                " ORDER BY line_at LIMIT ?3",
                &result, err);

    *count = 0;
    if (st) {
        sqlite3_bind_int64(st, 1, number);
        sqlite3_bind_int64(st, 2, (sqlite3_int64)from);
        sqlite3_bind_int64(st, 3, (sqlite3_int64)max);
    }
    while (st && ledger_next_row(ledger, st, &result, err)) {
        records[(*count)++] = ledger_record(st);
    }
    sqlite3_finalize(st);
    return result;
}

enum result ledger_move_line(struct ledger *ledger, const struct record *record, struct err *err)
{
    char text[160];

    snprintf(text, sizeof text, "UPDATE request SET segment=%u,line_at=%llu WHERE id=%llu",
             (unsigned)record->segment, (unsigned long long)record->offset,
             (unsigned long long)record->id);
    return execute(ledger, text, err);
}

enum result ledger_put_twins(struct ledger *ledger, const char *id,
                             const struct ledger_twins *twins, struct err *err)
{
    char text[200];

    snprintf(text, sizeof text,
             "INSERT OR REPLACE INTO meta(name,value) VALUES('twin:%.8s:%08u:%012llu',%llu)", id,
             (unsigned)twins->segment, (unsigned long long)twins->from,
             (unsigned long long)twins->to);
    return execute(ledger, text, err);
}

enum result ledger_each_twins(struct ledger *ledger, const char *id,
                              enum result (*visit)(void *context, const struct ledger_twins *twins,
                                                   struct err *err),
                              void *context, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = prepare(
        ledger,
        "SELECT substr(name,15),value FROM meta WHERE name GLOB 'twin:'||?1||':*' ORDER BY name",
        &result, err);

    if (st) {
        sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
    }
    while (st && ledger_next_row(ledger, st, &result, err)) {
        struct ledger_twins twins = { .to = ledger_column_u64(st, 1) };
        const char *place = (const char *)sqlite3_column_text(st, 0);
        unsigned long long from = 0;

        if (!place || sscanf(place, "%8u:%12llu", &twins.segment, &from) != 2) {
            continue;
        }
        twins.from = from;
        result = visit(context, &twins, err);
        if (result != RESULT_OK) {
            break;
        }
    }
    sqlite3_finalize(st);
    return result;
}

enum result ledger_drop_segment(struct ledger *ledger, uint32_t number, struct err *err)
{
    char text[280];

    snprintf(text, sizeof text,
             "DELETE FROM segment WHERE number=%u;"
             "DELETE FROM meta WHERE name GLOB 'twin:????????:%08u:*';"
             "INSERT OR REPLACE INTO meta(name,value) VALUES('dropped:%08u',%u)",
             (unsigned)number, (unsigned)number, (unsigned)number, (unsigned)number);
    return execute(ledger, text, err);
}

enum result ledger_forget_dropped(struct ledger *ledger, struct err *err)
{
    return execute(ledger, "DELETE FROM meta WHERE name GLOB 'dropped:*'", err);
}

enum result ledger_each_dropped(struct ledger *ledger,
                                enum result (*visit)(void *context, uint32_t number,
                                                     struct err *err),
                                void *context, struct err *err)
{
    enum result result;
    sqlite3_stmt *st =
        prepare(ledger, "SELECT value FROM meta WHERE name GLOB 'dropped:*'", &result, err);

    while (st && ledger_next_row(ledger, st, &result, err)) {
        result = visit(context, (uint32_t)ledger_column_u64(st, 0), err);
        if (result != RESULT_OK) {
            break;
        }
    }
    sqlite3_finalize(st);
    return result;
}
