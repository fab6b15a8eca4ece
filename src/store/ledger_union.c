#include "store/ledger_union.h"

#include "base/grow.h"
#include "plan/sort_key.h"
#include "store/ledger_sql.h"

#include <stdlib.h>
#include <string.h>

enum {
    UNION_LOOK,
    UNION_PUT,
    UNION_MOVE,
    UNION_MOVE_SUBTREE,
    UNION_TAKE,
    UNION_PATCH,
    UNION_READ,
    UNION_STATEMENTS
};

static const char schema[] =
    "PRAGMA journal_mode=OFF;PRAGMA synchronous=OFF;PRAGMA cache_size=-16384;"
    "CREATE TABLE found(id INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL, digest BLOB NOT NULL,"
    " place BLOB NOT NULL, vars TEXT, moved INTEGER NOT NULL, run INTEGER, line_at INTEGER,"
    " line_bytes INTEGER, segment INTEGER, crc32c INTEGER, status INTEGER) STRICT;"
    "CREATE UNIQUE INDEX found_once ON found(endpoint,digest);"
    "CREATE INDEX found_place ON found(endpoint,place);BEGIN;";

static const char *const texts[UNION_STATEMENTS] = {
    [UNION_LOOK] = "SELECT id,place,vars,run FROM found WHERE endpoint=?1 AND digest=?2",
    [UNION_PUT] = "INSERT INTO found(id,endpoint,digest,place,vars,moved)"
                  " VALUES(?1,?2,?3,?4,?5,?6) ON CONFLICT DO NOTHING",
    [UNION_MOVE] = "UPDATE found SET place=?2,vars=?3,moved=1 WHERE id=?1",
    [UNION_MOVE_SUBTREE] = "UPDATE found SET place=CAST(?4||substr(place,?5) AS BLOB),"
                           "vars=CASE WHEN ?6 IS NULL THEN vars"
                           " ELSE json_patch(ifnull(vars,'{}'),?6) END,moved=1"
                           " WHERE endpoint=?1 AND place>?2 AND place<?3",
    [UNION_TAKE] = "UPDATE found SET run=?2,line_at=?3,line_bytes=?4,segment=?5,crc32c=?6,"
                   "status=?7,moved=max(moved,?8) WHERE id=?1",
    [UNION_PATCH] = "SELECT json_patch(ifnull(?1,'{}'),?2)",
    [UNION_READ] = "SELECT id,line_at,line_bytes,segment,crc32c,status,endpoint,place,"
                   "CASE moved WHEN 1 THEN vars END FROM found"
                   " WHERE endpoint=?3 AND (place,id)>(?1,?2) AND run=?5"
                   " ORDER BY place,id LIMIT ?4",
};

/* A found request that others may have been found by: where it stands in its ledger, and in the union. */
struct ancestor {
    uint32_t endpoint;
    struct sort_key place, at;
    struct buf vars; /* in the union */
};

#define PASSES_MAX 16 /* what has moved may make others' places lesser */
#define ANCESTORS_MAX (2 * SORT_KEY_LEVELS_MAX + 2)

struct ledger_union {
    sqlite3 *db;
    sqlite3_stmt *statements[UNION_STATEMENTS];
    struct ledger *const *ledgers;
    size_t count;
    const struct ledger_plan *plan;
    struct ancestor ancestors[ANCESTORS_MAX];
    size_t depth;
    bool has_moved; /* something, in this pass */
};

/* A row of a ledger, the views for as long as its statement stands at it. */
struct row {
    uint64_t id;
    uint32_t endpoint;
    struct str digest, place, vars;
    bool is_moved, has_record;
    struct record record;
    size_t run;
};

static enum result fail(const struct ledger_union *u, struct err *err)
{
    int code = u->db ? sqlite3_errcode(u->db) : SQLITE_NOMEM;

    return code == SQLITE_NOMEM ? err_nomem(err, "putting runs together")
           : code == SQLITE_FULL
               ? err_set(err, RESULT_FULL, "E-DISK1", "no space left for temporary files (TMPDIR)")
               : err_set(err, RESULT_IO, "E-DISK2",
                         "a temporary file, while runs are put together: %s",
                         u->db ? sqlite3_errmsg(u->db) : "");
}

static enum result run(struct ledger_union *u, int which, struct err *err)
{
    enum result result =
        sqlite3_step(u->statements[which]) == SQLITE_DONE ? RESULT_OK : fail(u, err);

    sqlite3_reset(u->statements[which]);
    return result;
}

static void bind_bytes(sqlite3_stmt *st, int at, struct str bytes)
{
    sqlite3_bind_blob(st, at, bytes.data ? bytes.data : "", (int)bytes.len, SQLITE_STATIC);
}

static void copy_key(struct sort_key *to, struct str from)
{
    to->len = from.len < sizeof to->bytes ? from.len : sizeof to->bytes;
    if (to->len) {
        memcpy(to->bytes, from.data, to->len);
    }
}

/* --- one row ------------------------------------------------------------------------------------------ */

static bool descends(const struct ledger_plan *plan, uint32_t endpoint, uint32_t from)
{
    while (endpoint != from && endpoint < plan->endpoint_count &&
           plan->parents[endpoint] != endpoint) {
        endpoint = plan->parents[endpoint];
    }
    return endpoint == from;
}

/* Rows come in the order of their places: what does not begin this one's has no more to come. */
static const struct ancestor *find_parent(struct ledger_union *u, const struct row *row)
{
    while (u->depth) {
        const struct ancestor *a = &u->ancestors[u->depth - 1];

        if (a->place.len <= row->place.len &&
            memcmp(a->place.bytes, row->place.data, a->place.len) == 0) {
            break;
        }
        u->depth--;
    }
    for (size_t i = u->depth; i-- > 0;) {
        const struct ancestor *a = &u->ancestors[i];

        if (a->place.len < row->place.len && descends(u->plan, row->endpoint, a->endpoint)) {
            return a;
        }
    }
    return NULL;
}

/* Where it stands by what its parent has become; false: where it does in its ledger. */
static bool carry_along(const struct ancestor *parent, const struct row *row, struct sort_key *at)
{
    size_t rest = parent ? row->place.len - parent->place.len : 0;

    copy_key(at, row->place);
    if (!parent ||
        sort_key_compare(sort_key_view(&parent->place), sort_key_view(&parent->at)) == 0 ||
        parent->at.len + rest > sizeof at->bytes) {
        return false;
    }
    *at = parent->at;
    memcpy(at->bytes + at->len, row->place.data + parent->place.len, rest);
    at->len += rest;
    return true;
}

/* The first after all that begin with it. */
static void end_of(const struct sort_key *key, struct sort_key *end)
{
    *end = *key;
    while (end->len && ++end->bytes[end->len - 1] == 0) {
        end->len--;
    }
}

/* What stands at `from`, and all that it led to. The variables of the one take the place of those handed on. */
static enum result move(struct ledger_union *u, uint64_t id, uint32_t endpoint,
                        const struct sort_key *from, const struct sort_key *to, struct str vars,
                        struct err *err)
{
    sqlite3_stmt *st = u->statements[UNION_MOVE];
    struct sort_key end;
    enum result result;

    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    bind_bytes(st, 2, sort_key_view(to));
    ledger_bind_optional(st, 3, vars);
    result = run(u, UNION_MOVE, err);
    end_of(from, &end);
    st = u->statements[UNION_MOVE_SUBTREE];
    for (uint32_t i = 0; i < u->plan->endpoint_count && result == RESULT_OK; i++) {
        if (descends(u->plan, i, endpoint)) {
            sqlite3_bind_int64(st, 1, i);
            bind_bytes(st, 2, sort_key_view(from));
            bind_bytes(st, 3, sort_key_view(&end));
            bind_bytes(st, 4, sort_key_view(to));
            sqlite3_bind_int64(st, 5, (sqlite3_int64)from->len + 1);
            ledger_bind_optional(st, 6, vars);
            result = run(u, UNION_MOVE_SUBTREE, err);
        }
    }
    return result;
}

static enum result take_record(struct ledger_union *u, const struct row *row, bool is_other,
                               struct err *err)
{
    sqlite3_stmt *st = u->statements[UNION_TAKE];

    sqlite3_bind_int64(st, 1, (sqlite3_int64)row->id);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)row->run);
    sqlite3_bind_int64(st, 3, (sqlite3_int64)row->record.offset);
    sqlite3_bind_int64(st, 4, row->record.length);
    sqlite3_bind_int64(st, 5, row->record.segment);
    sqlite3_bind_int64(st, 6, row->record.crc32c);
    sqlite3_bind_int(st, 7, row->record.status);
    sqlite3_bind_int(st, 8, is_other || row->is_moved);
    return run(u, UNION_TAKE, err);
}

/* What the union has by now. */
struct known {
    uint64_t id; /* 0: nothing */
    struct sort_key at;
    struct buf vars;
    bool has_record;
};

static enum result look(struct ledger_union *u, const struct row *row, struct known *known,
                        struct err *err)
{
    sqlite3_stmt *st = u->statements[UNION_LOOK];
    enum result result = RESULT_OK;
    int code;

    known->id = 0;
    buf_reset(&known->vars);
    sqlite3_bind_int64(st, 1, row->endpoint);
    bind_bytes(st, 2, row->digest);
    code = sqlite3_step(st);
    if (code == SQLITE_ROW) {
        known->id = ledger_column_u64(st, 0);
        copy_key(&known->at, ledger_column_bytes(st, 1));
        result = buf_append_str(&known->vars, ledger_column_text(st, 2));
        known->has_record = sqlite3_column_type(st, 3) != SQLITE_NULL;
    } else if (code != SQLITE_DONE) {
        result = fail(u, err);
    }
    sqlite3_reset(st);
    return result == RESULT_NOMEM ? err_nomem(err, "putting runs together") : result;
}

static enum result put(struct ledger_union *u, const struct row *row, const struct sort_key *at,
                       struct str vars, bool is_moved, struct err *err)
{
    sqlite3_stmt *st = u->statements[UNION_PUT];

    sqlite3_bind_int64(st, 1, (sqlite3_int64)row->id);
    sqlite3_bind_int64(st, 2, row->endpoint);
    bind_bytes(st, 3, row->digest);
    bind_bytes(st, 4, sort_key_view(at));
    ledger_bind_optional(st, 5, vars);
    sqlite3_bind_int(st, 6, is_moved || row->is_moved);
    return run(u, UNION_PUT, err);
}

static enum result push(struct ledger_union *u, const struct row *row, const struct known *known)
{
    struct ancestor *a;

    if (u->depth == ANCESTORS_MAX) {
        return RESULT_OK; /* no place is as deep */
    }
    a = &u->ancestors[u->depth++];
    a->endpoint = row->endpoint;
    copy_key(&a->place, row->place);
    a->at = known->at;
    buf_reset(&a->vars);
    return buf_append_str(&a->vars, buf_view(&known->vars));
}

/* Its variables, with those that its parent hands on by now in the place of what it did. */
static enum result hand_on(struct ledger_union *u, const struct row *row,
                           const struct ancestor *parent, struct buf *vars, struct err *err)
{
    sqlite3_stmt *st = u->statements[UNION_PATCH];
    enum result result = RESULT_OK;

    buf_reset(vars);
    ledger_bind_optional(st, 1, row->vars);
    ledger_bind_text(st, 2, buf_view(&parent->vars));
    if (sqlite3_step(st) == SQLITE_ROW) {
        result = buf_append_str(vars, ledger_column_text(st, 0)) == RESULT_OK
                     ? RESULT_OK
                     : err_nomem(err, "putting runs together");
    } else {
        result = fail(u, err);
    }
    sqlite3_reset(st);
    return result;
}

/* It stands at the least place that any ledger has for it, by what its parent there has become. */
static enum result add(struct ledger_union *u, const struct row *row, struct known *known,
                       struct buf *patched, struct err *err)
{
    const struct ancestor *parent = find_parent(u, row);
    struct sort_key at;
    bool is_carried = carry_along(parent, row, &at);
    struct str vars = row->vars;
    enum result result = look(u, row, known, err);

    if (result == RESULT_OK && is_carried && parent->vars.len) {
        result = hand_on(u, row, parent, patched, err);
        vars = buf_view(patched);
    }
    if (result == RESULT_OK && !known->id) {
        result = put(u, row, &at, vars, is_carried, err);
    } else if (result == RESULT_OK && row->id == known->id &&
               sort_key_compare(sort_key_view(&at), sort_key_view(&known->at)) < 0) {
        result = move(u, row->id, row->endpoint, &known->at, &at, vars, err);
        u->has_moved = true;
    }
    if (result == RESULT_OK) {
        result = look(u, row, known, err);
    }
    if (result == RESULT_OK && row->has_record && row->id == known->id && !known->has_record) {
        result =
            take_record(u, row, sort_key_compare(sort_key_view(&known->at), row->place) != 0, err);
    }
    return result == RESULT_OK && push(u, row, known) != RESULT_OK
               ? err_nomem(err, "putting runs together")
               : result;
}

/* --- all of them --------------------------------------------------------------------------------------- */

static void read_row(sqlite3_stmt *st, size_t run, struct row *row)
{
    *row = (struct row){
        .id = ledger_column_u64(st, 0),
        .endpoint = (uint32_t)ledger_column_u64(st, 6),
        .digest = ledger_column_bytes(st, 7),
        .place = ledger_column_bytes(st, 8),
        .vars = ledger_column_text(st, 9),
        .is_moved = sqlite3_column_int(st, 10) != 0,
        .has_record = sqlite3_column_type(st, 2) != SQLITE_NULL,
        .record = ledger_record(st),
        .run = run,
    };
    row->place.len = row->place.len < SORT_KEY_MAX ? row->place.len : SORT_KEY_MAX;
}

static enum result add_ledger(struct ledger_union *u, size_t run, struct err *err)
{
    struct known known = { .vars = { .max = 0 } };
    struct buf patched = { .max = 0 };
    struct row row;
    enum result result, added = RESULT_OK;
    sqlite3_stmt *st = ledger_statement(u->ledgers[run], SQL_UNION_FOUND, &result, err);

    u->depth = 0;
    while (st && added == RESULT_OK && ledger_next_row(u->ledgers[run], st, &result, err)) {
        read_row(st, run, &row);
        added = add(u, &row, &known, &patched, err);
    }
    if (added != RESULT_OK) {
        sqlite3_reset(st);
    }
    buf_release(&known.vars);
    buf_release(&patched);
    return added != RESULT_OK ? added : result;
}

static enum result open_union(struct ledger_union *u, struct err *err)
{
    if (sqlite3_open_v2("", &u->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(u->db, schema, NULL, NULL, NULL) != SQLITE_OK) {
        return fail(u, err);
    }
    for (int i = 0; i < UNION_STATEMENTS; i++) {
        if (sqlite3_prepare_v2(u->db, texts[i], -1, &u->statements[i], NULL) != SQLITE_OK) {
            return fail(u, err);
        }
    }
    return RESULT_OK;
}

bool ledger_union_is_for(struct ledger *const *ledgers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!ledgers[i]->is_shared) {
            return false;
        }
    }
    return count > 0;
}

enum result ledger_union_make(struct ledger_union **made, struct ledger *const *ledgers,
                              size_t count, const struct ledger_plan *plan, struct err *err)
{
    struct ledger_union *u = calloc(1, sizeof *u);
    enum result result;

    *made = NULL;
    if (!u) {
        return err_nomem(err, "putting runs together");
    }
    u->ledgers = ledgers;
    u->count = count;
    u->plan = plan;
    result = open_union(u, err);
    u->has_moved = true;
    for (int pass = 0; pass < PASSES_MAX && u->has_moved && result == RESULT_OK; pass++) {
        u->has_moved = false;
        for (size_t i = 0; i < count && result == RESULT_OK; i++) {
            result = add_ledger(u, i, err);
        }
    }
    if (result != RESULT_OK) {
        ledger_union_free(u);
        return result;
    }
    for (size_t i = 0; i < count; i++) {
        ledgers[i]->united = u;
        ledgers[i]->number = i;
    }
    *made = u;
    return RESULT_OK;
}

void ledger_union_free(struct ledger_union *u)
{
    if (!u) {
        return;
    }
    for (size_t i = 0; i < u->count; i++) {
        u->ledgers[i]->united = NULL;
    }
    for (int i = 0; i < UNION_STATEMENTS; i++) {
        sqlite3_finalize(u->statements[i]);
    }
    for (size_t i = 0; i < ANCESTORS_MAX; i++) {
        buf_release(&u->ancestors[i].vars);
    }
    sqlite3_close(u->db);
    free(u);
}

sqlite3_stmt *ledger_union_statement(struct ledger *ledger)
{
    sqlite3_stmt *st = ledger->united->statements[UNION_READ];

    sqlite3_reset(st); /* another ledger's look may have ended in its midst */
    sqlite3_bind_int64(st, 5, (sqlite3_int64)ledger->number);
    return st;
}
