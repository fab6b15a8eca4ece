#include "changes/state.h"

#include "base/buf.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* An own slot has no `what`, and the least of seats, which a parked one has too. A slot of this round has no seat before
 * it ends. */
static const char schema[] =
    "PRAGMA journal_mode=OFF;PRAGMA synchronous=OFF;PRAGMA temp_store=FILE;"
    "CREATE TABLE slot(slot INTEGER PRIMARY KEY, what BLOB UNIQUE, seed BLOB NOT NULL,"
    " seat BLOB, next BLOB, round INTEGER NOT NULL, line INTEGER);"
    "CREATE INDEX slot_seed ON slot(seed);"
    "CREATE TABLE line(what BLOB PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE row(slot INTEGER, key BLOB, cells BLOB NOT NULL, line INTEGER,"
    " PRIMARY KEY(slot,key))"
    " WITHOUT ROWID;"
    "CREATE INDEX row_key ON row(key);"
    "CREATE TABLE touched(key BLOB PRIMARY KEY, before BLOB, time TEXT, number INTEGER)"
    " WITHOUT ROWID;"
    "BEGIN;";

enum text {
    TEXT_FIND,
    TEXT_ADD,
    TEXT_ENTER,
    TEXT_OWN,
    TEXT_PUT_LINE,
    TEXT_SET_LINE,
    TEXT_LINE,
    TEXT_LINES,
    TEXT_PIN,
    TEXT_MOVE,
    TEXT_ROWS,
    TEXT_PUT,
    TEXT_DROP,
    TEXT_TOUCH,
    TEXT_LEFT,
    TEXT_TOUCH_SHARED,
    TEXT_PARK,
    TEXT_LEFT_ROWS,
    TEXT_DROP_ROWS,
    TEXT_DROP_SLOT,
    TEXT_KEEP_ROWS,
    TEXT_TAKE_SEATS,
    TEXT_TOUCHED,
    TEXT_NOW,
    TEXT_COUNT,
};

#define NOW_OF "FROM row r CROSS JOIN slot s ON s.slot=r.slot WHERE r.key="

static const char *const texts[TEXT_COUNT] = {
    [TEXT_FIND] = "SELECT slot,seat IS ?2 FROM slot WHERE what=?1",
    [TEXT_ADD] = "INSERT INTO slot(what,seed,next,round) VALUES(?1,?2,?3,?4)",
    [TEXT_ENTER] = "UPDATE slot SET seed=?2,next=?3,round=?4 WHERE slot=?1",
    [TEXT_OWN] = "SELECT slot FROM slot WHERE seed=?1 AND what IS NULL",
    [TEXT_PUT_LINE] = "INSERT OR REPLACE INTO line VALUES(?1,?2)",
    [TEXT_SET_LINE] = "UPDATE slot SET line=?2 WHERE what=?1",
    [TEXT_LINES] = "SELECT line FROM slot WHERE line IS NOT NULL"
                   " UNION SELECT line FROM row WHERE line IS NOT NULL",
    [TEXT_PIN] = "UPDATE row SET line=(SELECT s.line FROM slot s WHERE s.slot=?1)"
                 " WHERE slot=?1 AND line IS NULL",
    [TEXT_MOVE] = "INSERT OR REPLACE INTO row SELECT ?3,r.key,r.cells,ifnull(r.line,s.line)"
                  " FROM row r CROSS JOIN slot s ON s.slot=r.slot WHERE r.slot=?1 AND r.key=?2",
    [TEXT_LINE] = "SELECT id FROM line WHERE what=?1",
    [TEXT_ROWS] = "SELECT key,cells FROM row WHERE slot=?1",
    [TEXT_PUT] = "INSERT OR REPLACE INTO row VALUES(?1,?2,?3,NULL)",
    [TEXT_DROP] = "DELETE FROM row WHERE slot=?1 AND key=?2",
    [TEXT_TOUCH] = "INSERT INTO touched VALUES(?1,(SELECT r.cells " NOW_OF "?1"
                   " ORDER BY s.seat DESC LIMIT 1),?2,?3)"
                   " ON CONFLICT(key) DO UPDATE SET time=excluded.time",
    [TEXT_LEFT] = "SELECT slot FROM slot WHERE seed=?1 AND round<?2",
    [TEXT_TOUCH_SHARED] = "INSERT INTO touched SELECT p.key,(SELECT r.cells " NOW_OF "p.key"
                          " ORDER BY s.seat DESC LIMIT 1),?3,?4 FROM slot l"
                          " CROSS JOIN row p ON p.slot=l.slot"
                          " WHERE l.seed=?1 AND l.round<?2 AND l.seat>x'' AND EXISTS("
                          "SELECT 1 FROM row o WHERE o.key=p.key AND o.slot<>p.slot)"
                          " ON CONFLICT(key) DO NOTHING",
    [TEXT_PARK] = "UPDATE slot SET seat=x'' WHERE seed=?1 AND round<?2 AND seat>x''",
    [TEXT_LEFT_ROWS] = "SELECT key FROM row WHERE slot=?1",
    [TEXT_DROP_ROWS] = "DELETE FROM row WHERE slot=?1",
    [TEXT_DROP_SLOT] = "DELETE FROM slot WHERE slot=?1",
    [TEXT_KEEP_ROWS] = "INSERT OR REPLACE INTO row SELECT ?2,r.key,r.cells,ifnull(r.line,s.line)"
                       " FROM row r CROSS JOIN slot s ON s.slot=r.slot WHERE r.slot=?1",
    [TEXT_TAKE_SEATS] = "UPDATE slot SET seat=next WHERE round=?1",
    [TEXT_TOUCHED] = "SELECT key,before,time FROM touched ORDER BY number,key",
    [TEXT_NOW] = "SELECT r.cells,s.seat=x'' " NOW_OF "?1 ORDER BY s.seat DESC LIMIT 2",
};

struct state {
    sqlite3 *db;
    sqlite3_stmt *statements[TEXT_COUNT];
    bool seats_move;  /* a slot has another seat than in the round before */
    uint64_t touched; /* keys, in this round */
    struct buf keys;
};

static enum result fail(const struct state *s, struct err *err)
{
    int code = sqlite3_errcode(s->db) & 0xFF;

    if (code == SQLITE_NOMEM) {
        return err_nomem(err, "comparing rounds");
    }
    return err_set(err, code == SQLITE_FULL ? RESULT_FULL : RESULT_IO, "E-CHG1",
                   "comparing rounds: %s (a temporary file of SQLite: SQLITE_TMPDIR, TMPDIR)",
                   sqlite3_errmsg(s->db));
}

/* Statements are prepared at first use. */
static sqlite3_stmt *use(struct state *s, enum text which)
{
    if (!s->statements[which]) {
        (void)sqlite3_prepare_v3(s->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                 &s->statements[which], NULL);
    }
    return s->statements[which]; /* NULL: the next call on it says so */
}

static enum result run(struct state *s, sqlite3_stmt *st, struct err *err)
{
    int code = st ? sqlite3_step(st) : SQLITE_ERROR;

    if (st) {
        sqlite3_reset(st);
    }
    return code == SQLITE_DONE ? RESULT_OK : fail(s, err);
}

/* The next row; at the end, or on error, the statement is reset. */
static bool next(struct state *s, sqlite3_stmt *st, enum result *result, struct err *err)
{
    int code = st ? sqlite3_step(st) : SQLITE_ERROR;

    if (code == SQLITE_ROW) {
        return true;
    }
    if (st) {
        sqlite3_reset(st);
    }
    *result = code == SQLITE_DONE ? RESULT_OK : fail(s, err);
    return false;
}

static void bind(sqlite3_stmt *st, int at, struct str bytes)
{
    if (bytes.data) {
        sqlite3_bind_blob64(st, at, bytes.data, bytes.len, SQLITE_STATIC);
    } else {
        sqlite3_bind_null(st, at);
    }
}

static struct str column(sqlite3_stmt *st, int at)
{
    const void *bytes = sqlite3_column_blob(st, at);
    size_t len = (size_t)sqlite3_column_bytes(st, at);

    if (sqlite3_column_type(st, at) == SQLITE_NULL) {
        return STR_NONE;
    }
    return (struct str){ bytes ? bytes : "", len };
}

enum result state_new(struct state **state, uint64_t memory_bytes, struct err *err)
{
    struct state *s = calloc(1, sizeof *s);
    char text[64];
    enum result result = RESULT_OK;

    *state = NULL;
    if (!s) {
        return err_nomem(err, "comparing rounds");
    }
    sqlite3_snprintf(sizeof text, text, "PRAGMA cache_size=-%lld;",
                     (long long)(memory_bytes / 1024));
    if (sqlite3_open_v2("", &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(s->db, text, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK) {
        result = s->db ? fail(s, err) : err_nomem(err, "comparing rounds");
        state_free(s);
        return result;
    }
    *state = s;
    return RESULT_OK;
}

void state_free(struct state *s)
{
    if (!s) {
        return;
    }
    for (int i = 0; i < TEXT_COUNT; i++) {
        sqlite3_finalize(s->statements[i]);
    }
    sqlite3_close(s->db);
    buf_release(&s->keys);
    free(s);
}

/* --- slots ---------------------------------------------------------------------------------------------- */

static enum result find(struct state *s, const uint8_t what[DIGEST_BYTES], struct str seat,
                        int64_t *slot, bool *same_seat, struct err *err)
{
    sqlite3_stmt *st = use(s, TEXT_FIND);
    enum result result = RESULT_OK;

    *slot = 0;
    bind(st, 1, (struct str){ (const char *)what, DIGEST_BYTES });
    bind(st, 2, seat);
    while (next(s, st, &result, err)) {
        *slot = sqlite3_column_int64(st, 0);
        *same_seat = sqlite3_column_int(st, 1);
    }
    return result;
}

enum result state_has(struct state *s, const uint8_t what[DIGEST_BYTES], bool *has, struct err *err)
{
    int64_t slot;
    bool same;
    enum result result = find(s, what, STR_NONE, &slot, &same, err);

    *has = slot != 0;
    return result;
}

enum result state_enter(struct state *s, const uint8_t what[DIGEST_BYTES], struct str seed,
                        struct str seat, uint32_t round, int64_t *slot, bool *is_new,
                        struct err *err)
{
    bool same = false;
    enum result result = find(s, what, seat, slot, &same, err);
    sqlite3_stmt *st;

    *is_new = *slot == 0;
    if (result != RESULT_OK) {
        return result;
    }
    s->seats_move |= *is_new || !same;
    st = use(s, *is_new ? TEXT_ADD : TEXT_ENTER);
    if (*is_new) {
        bind(st, 1, (struct str){ (const char *)what, DIGEST_BYTES });
    } else {
        sqlite3_bind_int64(st, 1, *slot);
    }
    bind(st, 2, seed);
    bind(st, 3, seat);
    sqlite3_bind_int64(st, 4, round);
    result = run(s, st, err);
    *slot = *is_new ? sqlite3_last_insert_rowid(s->db) : *slot;
    return result;
}

/* The seed's own slot, made when there is none: it has been entered in every round. */
static enum result own_slot(struct state *s, struct str seed, int64_t *slot, struct err *err)
{
    sqlite3_stmt *st = use(s, TEXT_OWN);
    enum result result = RESULT_OK;

    *slot = 0;
    bind(st, 1, seed);
    while (next(s, st, &result, err)) {
        *slot = sqlite3_column_int64(st, 0);
    }
    if (result != RESULT_OK || *slot) {
        return result;
    }
    st = use(s, TEXT_ADD);
    bind(st, 1, STR_NONE);
    bind(st, 2, seed);
    bind(st, 3, STR(""));
    sqlite3_bind_int64(st, 4, 0);
    result = run(s, st, err);
    *slot = sqlite3_last_insert_rowid(s->db);
    return result;
}

enum result state_put_line(struct state *s, const uint8_t what[DIGEST_BYTES], uint64_t id,
                           struct err *err)
{
    sqlite3_stmt *st = use(s, TEXT_PUT_LINE);

    enum result result;

    bind(st, 1, (struct str){ (const char *)what, DIGEST_BYTES });
    sqlite3_bind_int64(st, 2, (sqlite3_int64)id);
    result = run(s, st, err);
    if (result != RESULT_OK) {
        return result;
    }
    st = use(s, TEXT_SET_LINE);
    bind(st, 1, (struct str){ (const char *)what, DIGEST_BYTES });
    sqlite3_bind_int64(st, 2, (sqlite3_int64)id);
    return run(s, st, err);
}

enum result state_each_line(struct state *s,
                            enum result (*visit)(void *context, uint64_t id, struct err *err),
                            void *context, struct err *err)
{
    sqlite3_stmt *st = use(s, TEXT_LINES);
    enum result result = RESULT_OK;

    while (next(s, st, &result, err)) {
        result = visit(context, (uint64_t)sqlite3_column_int64(st, 0), err);
        if (result != RESULT_OK) {
            sqlite3_reset(st);
            return result;
        }
    }
    return result;
}

enum result state_line(struct state *s, const uint8_t what[DIGEST_BYTES], uint64_t *id,
                       struct err *err)
{
    sqlite3_stmt *st = use(s, TEXT_LINE);
    enum result result = RESULT_OK;

    *id = 0;
    bind(st, 1, (struct str){ (const char *)what, DIGEST_BYTES });
    while (next(s, st, &result, err)) {
        *id = (uint64_t)sqlite3_column_int64(st, 0);
    }
    return result;
}

/* --- rows ----------------------------------------------------------------------------------------------- */

enum result state_each_row(struct state *s, int64_t slot, state_row_fn *visit, void *context,
                           struct err *err)
{
    sqlite3_stmt *st = use(s, TEXT_ROWS);
    enum result result = RESULT_OK;

    sqlite3_bind_int64(st, 1, slot);
    while (next(s, st, &result, err)) {
        result = visit(context, column(st, 0), column(st, 1), err);
        if (result != RESULT_OK) {
            sqlite3_reset(st);
            return result;
        }
    }
    return result;
}

/* The first time in a round its record is noted as it was. */
static enum result touch(struct state *s, struct str key, struct str time, struct err *err)
{
    sqlite3_stmt *st = use(s, TEXT_TOUCH);

    bind(st, 1, key);
    bind(st, 2, time);
    sqlite3_bind_int64(st, 3, (sqlite3_int64)s->touched++);
    return run(s, st, err);
}

enum result state_put(struct state *s, int64_t slot, struct str key, struct str cells,
                      struct str time, struct err *err)
{
    enum result result = touch(s, key, time, err);
    sqlite3_stmt *st = use(s, cells.data ? TEXT_PUT : TEXT_DROP);

    if (result != RESULT_OK) {
        return result;
    }
    sqlite3_bind_int64(st, 1, slot);
    bind(st, 2, key);
    if (cells.data) {
        bind(st, 3, cells);
    }
    return run(s, st, err);
}

static enum result run_of_slot(struct state *s, enum text which, int64_t slot, int64_t other,
                               struct err *err)
{
    sqlite3_stmt *st = use(s, which);

    sqlite3_bind_int64(st, 1, slot);
    if (other) {
        sqlite3_bind_int64(st, 2, other);
    }
    return run(s, st, err);
}

enum result state_pin(struct state *s, int64_t slot, struct err *err)
{
    return run_of_slot(s, TEXT_PIN, slot, 0, err);
}

enum result state_keep(struct state *s, int64_t slot, struct str key, struct str seed,
                       struct str time, struct err *err)
{
    sqlite3_stmt *st = use(s, TEXT_MOVE);
    int64_t own;
    enum result result = own_slot(s, seed, &own, err);

    result = result == RESULT_OK ? touch(s, key, time, err) : result;
    if (result != RESULT_OK) {
        return result;
    }
    sqlite3_bind_int64(st, 1, slot);
    bind(st, 2, key);
    sqlite3_bind_int64(st, 3, own);
    result = run(s, st, err);
    return result == RESULT_OK ? state_put(s, slot, key, STR_NONE, time, err) : result;
}

/* --- the ends of seeds and rounds -------------------------------------------------------------------------- */

/* All keys of the slot; they are gathered first, as a walk bears no change of what it is over. */
static enum result touch_all(struct state *s, int64_t slot, struct str time, struct err *err)
{
    sqlite3_stmt *st = use(s, TEXT_LEFT_ROWS);
    enum result result = RESULT_OK;

    buf_reset(&s->keys);
    sqlite3_bind_int64(st, 1, slot);
    while (next(s, st, &result, err)) {
        struct str key = column(st, 0);
        uint32_t len = (uint32_t)key.len;

        if (buf_append(&s->keys, &len, sizeof len) != RESULT_OK ||
            buf_append_str(&s->keys, key) != RESULT_OK) {
            sqlite3_reset(st);
            return err_nomem(err, "comparing rounds");
        }
    }
    for (size_t at = 0; result == RESULT_OK && at < s->keys.len;) {
        uint32_t len;

        memcpy(&len, s->keys.data + at, sizeof len);
        at += sizeof len;
        result = touch(s, (struct str){ s->keys.data + at, len }, time, err);
        at += len;
    }
    return result;
}

static enum result leave_slot(struct state *s, int64_t slot, struct str seed, bool keeps,
                              struct str time, struct err *err)
{
    int64_t own = 0;
    enum result result = touch_all(s, slot, time, err);

    if (result == RESULT_OK && keeps) {
        result = own_slot(s, seed, &own, err);
        result = result == RESULT_OK ? run_of_slot(s, TEXT_KEEP_ROWS, slot, own, err) : result;
    }
    result = result == RESULT_OK ? run_of_slot(s, TEXT_DROP_ROWS, slot, 0, err) : result;
    return result == RESULT_OK ? run_of_slot(s, TEXT_DROP_SLOT, slot, 0, err) : result;
}

/* One of the seed's slots that was not entered; its own one counts as such in whole rounds. */
static enum result next_left(struct state *s, struct str seed, uint32_t round, bool keeps,
                             int64_t *slot, struct err *err)
{
    sqlite3_stmt *st = use(s, TEXT_LEFT);
    enum result result = RESULT_OK;
    int64_t own = 0;

    *slot = 0;
    if (keeps) {
        result = own_slot(s, seed, &own, err);
    }
    bind(st, 1, seed);
    sqlite3_bind_int64(st, 2, round);
    while (result == RESULT_OK && next(s, st, &result, err)) {
        int64_t left = sqlite3_column_int64(st, 0);

        *slot = left != own ? left : *slot;
    }
    return result;
}

enum result state_leave(struct state *s, struct str seed, uint32_t round, bool keeps,
                        struct str time, struct err *err)
{
    int64_t slot;
    enum result result;

    do {
        result = next_left(s, seed, round, keeps, &slot, err);
        if (result == RESULT_OK && slot) {
            result = leave_slot(s, slot, seed, keeps, time, err);
        }
    } while (result == RESULT_OK && slot);
    return result;
}

static enum result run_of_seed(struct state *s, enum text which, struct str seed, uint32_t round,
                               struct str time, struct err *err)
{
    sqlite3_stmt *st = use(s, which);

    bind(st, 1, seed);
    sqlite3_bind_int64(st, 2, round);
    if (time.data) {
        bind(st, 3, time);
        sqlite3_bind_int64(st, 4, (sqlite3_int64)s->touched);
    }
    return run(s, st, err);
}

enum result state_park(struct state *s, struct str seed, uint32_t round, struct str time,
                       struct err *err)
{
    enum result result = run_of_seed(s, TEXT_TOUCH_SHARED, seed, round, time, err);

    s->touched += result == RESULT_OK ? (uint64_t)sqlite3_changes(s->db) : 0;
    return result == RESULT_OK ? run_of_seed(s, TEXT_PARK, seed, round, STR_NONE, err) : result;
}

/* What the key's record is now. */
static enum result find_now(struct state *s, struct str key, struct state_change *change,
                            enum result (*take)(void *context, const struct state_change *change,
                                                struct err *err),
                            void *context, struct err *err)
{
    sqlite3_stmt *st = use(s, TEXT_NOW);
    enum result result = RESULT_OK;
    struct buf now = { 0 };
    unsigned rows = 0;

    bind(st, 1, key);
    while (next(s, st, &result, err)) {
        struct str cells = column(st, 0);

        if (rows++) {
            change->is_doubled = !sqlite3_column_int(st, 1) && !str_equal(cells, buf_view(&now));
        } else if (buf_append_str(&now, cells) != RESULT_OK) {
            sqlite3_reset(st);
            return err_nomem(err, "comparing rounds");
        }
    }
    change->now = rows ? (struct str){ now.data ? now.data : "", now.len } : STR_NONE;
    if (result == RESULT_OK && (change->is_doubled || !change->now.data != !change->before.data ||
                                !str_equal(change->now, change->before))) {
        result = take(context, change, err);
    }
    buf_release(&now);
    return result;
}

enum result state_end_round(struct state *s, uint32_t round,
                            enum result (*take)(void *context, const struct state_change *change,
                                                struct err *err),
                            void *context, struct err *err)
{
    sqlite3_stmt *st = use(s, TEXT_TOUCHED);
    enum result result = s->seats_move ? run_of_slot(s, TEXT_TAKE_SEATS, round, 0, err) : RESULT_OK;

    s->seats_move = false;
    while (s->touched && result == RESULT_OK && next(s, st, &result, err)) {
        struct state_change change = { .before = column(st, 1), .time = column(st, 2) };

        result = find_now(s, column(st, 0), &change, take, context, err);
    }
    if (s->touched) {
        sqlite3_reset(st);
        if (result == RESULT_OK && sqlite3_exec(s->db, "DELETE FROM touched", NULL, NULL, NULL)) {
            result = fail(s, err);
        }
    }
    s->touched = 0;
    return result;
}
