/*
 * SQLite as a format: workers make values of cells, and one of them at a time binds and inserts them.
 *
 * All of a table goes into one transaction, which begins before the first row and ends with the last: whoever
 * reads meanwhile, and whatever kills us, sees the database as it was. WAL lets others read on.
 *
 * A database that was not there is made under a temporary name (output_file.h). It gets its own when it is whole:
 * so a failure leaves nothing. No file that others may have open is ever removed: SQLite takes the journal of
 * another file of that name for its own then.
 *
 * Source: sqlite.org: c3ref, lang_upsert, wal, datatype3.
 */
#include "table/layout.h"
#include "table/output_file.h"
#include "table/sqlite/sqlite_insert.h"
#include "table/sqlite/sqlite_rows.h"
#include "table/sqlite/sqlite_table.h"
#include "table/table_spec.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#define BUSY_MS 3000 /* that another program may take for its own transaction */

struct sqlite_sink {
    struct sqlite_table table;
    sqlite3_stmt *insert, *insert_many; /* of one row, and of `many` */
    uint32_t many;
    struct output_file *made; /* of a new database, until it has its name; else NULL */
};

struct sqlite_encoder {
    const struct sqlite_sink *sink;
};

static enum result run(struct sqlite_sink *s, const char *sql, struct err *err)
{
    return sqlite3_exec(s->table.db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? RESULT_OK
               : sqlite_table_fail(&s->table, err);
}

static enum result open_database(struct sqlite_sink *s, const char *path, struct err *err)
{
    if (sqlite3_open_v2(path, &s->table.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
        SQLITE_OK) {
        sqlite3_busy_timeout(s->table.db, BUSY_MS);
        return RESULT_OK;
    }
    return s->table.db ? sqlite_table_fail(&s->table, err) : err_nomem(err, "opening a database");
}

static enum result open_new(struct sqlite_sink *s, struct err *err)
{
    struct buf path = { 0 };
    enum result result = output_open(&s->made, s->table.target->path, err);

    if (result == RESULT_OK &&
        (output_temporary_path(s->made, &path) != RESULT_OK || !buf_cstr(&path))) {
        result = err_nomem(err, "opening a database");
    }
    result = result == RESULT_OK ? open_database(s, buf_cstr(&path), err) : result;
    buf_release(&path);
    return result;
}

static enum result open_old(struct sqlite_sink *s, struct err *err)
{
    enum result result = open_database(s, s->table.target->path, err);

    result = result == RESULT_OK ? run(s, "PRAGMA journal_mode = WAL", err) : result;
    return result == RESULT_BUSY ? RESULT_OK : result; /* without waiting: it stays as it is */
}

/* Of a new file a rollback journal holds next to nothing, while a WAL would be written twice. */
static enum result begin(struct sqlite_sink *s, struct err *err)
{
    enum result result =
        access(s->table.target->path, F_OK) == 0 ? open_old(s, err) : open_new(s, err);

    result = result == RESULT_OK ? run(s, "PRAGMA synchronous = FULL", err) : result;
    result = result == RESULT_OK ? run(s, "PRAGMA cache_size = -32768", err) : result;
    return result == RESULT_OK ? run(s, "BEGIN IMMEDIATE", err) : result;
}

static void end(struct sqlite_sink *s)
{
    sqlite3_close(s->table.db); /* rolls back what was not committed */
    s->table.db = NULL;
    output_abandon(s->made);
    s->made = NULL;
}

static enum result open_sqlite(void **table, const struct format_target *target, struct err *err)
{
    struct sqlite_sink *s = calloc(1, sizeof *s);
    enum result result;

    *table = s;
    if (!s) {
        return err_nomem(err, "starting a table");
    }
    s->table.target = target;
    result = begin(s, err);
    result = result == RESULT_OK ? sqlite_table_make(&s->table, err) : result;
    result = result == RESULT_OK ? sqlite_table_insert(&s->table, 1, &s->insert, err) : result;
    if (result != RESULT_OK) {
        return result;
    }
    s->many = sqlite_table_rows_at_once(&s->table);
    return s->many > 1 ? sqlite_table_insert(&s->table, s->many, &s->insert_many, err) : RESULT_OK;
}

/* Whether it could be written to now. */
static enum result check(const char *path, struct err *err)
{
    static const struct table_spec spec = { .meta = false };
    const struct format_target target = { .path = path, .spec = &spec };
    struct sqlite_sink s = { .table.target = &target };
    enum result result = begin(&s, err);

    end(&s);
    return result;
}

static int bind(sqlite3_stmt *st, int at, const struct sqlite_value *value)
{
    switch (value->kind) {
    case SQLITE_VALUE_INTEGER:
        return sqlite3_bind_int64(st, at, value->integer);
    case SQLITE_VALUE_REAL:
        return sqlite3_bind_double(st, at, value->real);
    case SQLITE_VALUE_TEXT:
        return sqlite3_bind_text64(st, at, value->text.data, value->text.len, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case SQLITE_VALUE_NULL:
        break;
    }
    return sqlite3_bind_null(st, at);
}

/* The row at `*at`, as the `index`th of the statement. */
static bool bind_row(const struct sqlite_sink *s, sqlite3_stmt *st, uint32_t index, const char **at)
{
    for (uint32_t i = 0; i < s->table.count; i++) {
        struct sqlite_value value = sqlite_rows_next(at);

        if (bind(st, (int)(index * s->table.count + i) + 1, &value) != SQLITE_OK) {
            return false;
        }
    }
    return true;
}

static enum result step(const struct sqlite_sink *s, sqlite3_stmt *st, struct err *err)
{
    return sqlite3_step(st) == SQLITE_DONE && sqlite3_reset(st) == SQLITE_OK
               ? RESULT_OK
               : sqlite_table_fail(&s->table, err);
}

/* Many rows at once. Where the block ends before there are as many, `*at` stays and RESULT_NOT_FOUND is said. */
static enum result insert_many(const struct sqlite_sink *s, const char **at, const char *end,
                               struct err *err)
{
    const char *next = *at;
    enum result result;

    for (uint32_t i = 0; i < s->many; i++) {
        if (next >= end) {
            return RESULT_NOT_FOUND;
        }
        if (!bind_row(s, s->insert_many, i, &next)) {
            return sqlite_table_fail(&s->table, err);
        }
    }
    result = step(s, s->insert_many, err);
    *at = next;
    return result;
}

static enum result take(void *sink, struct str block, struct err *err)
{
    struct sqlite_sink *s = sink;
    const char *at = block.data, *end = block.data + block.len;
    enum result result = s->insert_many ? RESULT_OK : RESULT_NOT_FOUND;

    while (result == RESULT_OK) {
        result = insert_many(s, &at, end, err);
    }
    result = result == RESULT_NOT_FOUND ? RESULT_OK : result;
    while (at < end && result == RESULT_OK) {
        result = bind_row(s, s->insert, 0, &at) ? step(s, s->insert, err)
                                                : sqlite_table_fail(&s->table, err);
    }
    return result;
}

/* Closed before it gets its name: then all of it is in the one file. */
static enum result give_name(struct sqlite_sink *s, struct err *err)
{
    struct output_file *made = s->made;
    struct err why; /* where no WAL can be, the table is there all the same */

    (void)!run(s, "PRAGMA journal_mode = WAL", &why);
    sqlite3_close(s->table.db);
    s->table.db = NULL;
    s->made = NULL;
    return output_commit_new(made, err);
}

static void finalize(struct sqlite_sink *s)
{
    sqlite3_finalize(s->insert);
    sqlite3_finalize(s->insert_many);
    s->insert = s->insert_many = NULL;
}

static enum result finish(void *sink, struct err *err)
{
    struct sqlite_sink *s = sink;
    enum result result;

    finalize(s);
    result = run(s, "COMMIT", err);
    return result == RESULT_OK && s->made ? give_name(s, err) : result;
}

static void close_sqlite(void *sink)
{
    struct sqlite_sink *s = sink;

    if (!s) {
        return;
    }
    finalize(s);
    end(s);
    sqlite_table_release(&s->table);
    free(s);
}

static enum result add(void *encoder, struct buf *block, const struct row *row,
                       uint64_t *lone_surrogates, struct err *err)
{
    const struct sqlite_encoder *e = encoder;
    const struct sqlite_table *t = &e->sink->table;
    static const struct row_cell missing = { .row = 0 };
    const struct row empty = { .cells = &missing, .count = 1, .number = row->number };

    return sqlite_rows_add(block, t->columns, t->is_empty ? &empty : row, lone_surrogates, err);
}

static void *encoder_new(void *sink)
{
    struct sqlite_encoder *e = calloc(1, sizeof *e);

    if (e) {
        e->sink = sink;
    }
    return e;
}

const struct table_format sqlite_format = {
    .name = "sqlite",
    .endings = "db sqlite sqlite3",
    .about = "A table in an SQLite database, whose other tables stay. With a key, rows take the "
             "place of those "
             "with the same key, and columns that are new are added; without one the table is made "
             "anew.",
    .typed = true,
    .has_keys = true,
    .has_place = true,
    .check = check,
    .open = open_sqlite,
    .take = take,
    .finish = finish,
    .close = close_sqlite,
    .encoder_new = encoder_new,
    .encoder_free = free,
    .add = add,
};
