#include "table/sqlite/sqlite_table.h"

#include "normalise/types.h"
#include "table/layout.h"
#include "table/run_tables.h"
#include "table/sqlite/sqlite_insert.h"
#include "table/table_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NUMBER_MAX 16 /* bytes of "_2" after a name */

/* What went wrong last is the table's doing, not the disk's. */
static bool is_refused(const struct sqlite_table *t)
{
    int code = sqlite3_errcode(t->db);

    return code == SQLITE_ERROR || code == SQLITE_CONSTRAINT;
}

/* --- names ------------------------------------------------------------------------------------------- */

static bool same_name(struct str a, struct str b)
{
    return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}

static uint32_t find_column(const struct sqlite_table *t, uint32_t count, struct str name)
{
    uint32_t i = 0;

    while (i < count && !same_name(t->columns[i].name, name)) {
        i++;
    }
    return i;
}

/* The column's own copy of a name, with spaces for NULs, and a number after it, if that is not 0. */
static enum result own_name(struct sqlite_column *column, struct str name, unsigned number)
{
    char *made = malloc(name.len + NUMBER_MAX);

    if (!made) {
        return RESULT_NOMEM;
    }
    for (size_t i = 0; i < name.len; i++) {
        made[i] = (char)(name.data[i] ? name.data[i] : ' ');
    }
    made[name.len] = '\0';
    if (number) {
        snprintf(made + name.len, NUMBER_MAX, "_%u", number);
    }
    free(column->own_name);
    column->own_name = made;
    column->name = str_view(made);
    return RESULT_OK;
}

/* "id" and "ID" are one name to SQLite: the later one becomes "ID_2". */
static enum result name_column(struct sqlite_table *t, uint32_t index, struct str name)
{
    struct sqlite_column *column = &t->columns[index];
    enum result result = RESULT_OK;
    uint32_t first;

    column->name = name;
    if (name.len && memchr(name.data, '\0', name.len)) {
        result = own_name(column, name, 0);
    }
    first = result == RESULT_OK ? find_column(t, index, column->name) : index;
    if (first == index) {
        return result;
    }
    do { /* not from 2 on again for the thousandth of one name */
        unsigned number = t->columns[first].last_number ? t->columns[first].last_number + 1 : 2;

        t->columns[first].last_number = number;
        result = own_name(column, name, number);
    } while (result == RESULT_OK && find_column(t, index, column->name) < index);
    return result;
}

/* --- columns ----------------------------------------------------------------------------------------- */

static enum sqlite_store store_of(enum type type)
{
    static const enum sqlite_store stores[TYPE_COUNT] = {
        [TYPE_TEXT] = SQLITE_STORE_TEXT,
        [TYPE_INT64] = SQLITE_STORE_INTEGER,
        [TYPE_DOUBLE] = SQLITE_STORE_REAL,
        [TYPE_BOOLEAN] = SQLITE_STORE_BOOLEAN,
        [TYPE_TIMESTAMP] = SQLITE_STORE_TIMESTAMP,
        [TYPE_DATE] = SQLITE_STORE_DATE,
        [TYPE_LOCAL_TIMESTAMP] = SQLITE_STORE_LOCAL,
    };

    return stores[type];
}

static const char *type_of(enum sqlite_store store)
{
    static const char *const types[] = {
        [SQLITE_STORE_TEXT] = "TEXT",           [SQLITE_STORE_INTEGER] = "INTEGER",
        [SQLITE_STORE_REAL] = "REAL",           [SQLITE_STORE_BOOLEAN] = "BOOLEAN",
        [SQLITE_STORE_TIMESTAMP] = "TIMESTAMP", [SQLITE_STORE_DATE] = "DATE",
        [SQLITE_STORE_LOCAL] = "TIMESTAMP",
    };

    return types[store];
}

/* A column without any value may hold anything later: it gets no type, and none is asked of it. */
static bool has_values(const struct sqlite_table *t, uint32_t column)
{
    const struct layout *layout = t->target->layout;

    return column < layout->count &&
           (!layout->columns[column].facts || types_present(layout->columns[column].facts));
}

static enum result mark_keys(struct sqlite_table *t, struct err *err)
{
    const struct table_spec *spec = t->target->spec;

    for (size_t i = 0; i < spec->key_count; i++) {
        uint32_t column = find_column(t, t->count, spec->key[i]);

        if (column == t->count || t->is_empty) {
            return err_set(err, RESULT_INVALID, "E-DB2", "--key %.*s: the table has no such column",
                           STR_ARG(spec->key[i]));
        }
        t->columns[column].is_key = true;
    }
    return RESULT_OK;
}

/* SQLite would refuse them as well, but only after all names were compared with each other. */
static enum result check_count(const struct sqlite_table *t, struct err *err)
{
    int most = sqlite3_limit(t->db, SQLITE_LIMIT_COLUMN, -1);
    uint32_t count = t->target->layout->count;

    return count <= (uint32_t)most
               ? RESULT_OK
               : err_set(err, RESULT_LIMIT, "E-DB2",
                         "%u columns: a table of SQLite has %d at most; choose some with --columns",
                         (unsigned)count, most);
}

static enum result make_columns(struct sqlite_table *t, struct err *err)
{
    const struct layout *layout = t->target->layout;
    enum result result = check_count(t, err);

    if (result != RESULT_OK) {
        return result;
    }
    t->is_empty = !layout->count;
    t->count = layout->count + t->is_empty;
    t->columns = calloc(t->count, sizeof *t->columns);
    if (!t->columns) {
        return err_nomem(err, "starting a table");
    }
    if (t->is_empty) {
        t->columns[0].name = STR("value");
    }
    for (uint32_t i = 0; i < layout->count && result == RESULT_OK; i++) {
        t->columns[i].store = store_of(layout->columns[i].decision.type);
        t->columns[i].epoch_unit_us = layout->columns[i].decision.epoch_unit_us;
        result = name_column(t, i, layout->columns[i].name);
    }
    return result == RESULT_OK ? mark_keys(t, err) : err_nomem(err, "starting a table");
}

/* --- the table that is there ------------------------------------------------------------------------- */

enum affinity { AFFINITY_NONE, AFFINITY_INTEGER, AFFINITY_REAL, AFFINITY_NUMERIC, AFFINITY_TEXT };

/* What SQLite makes of values that are put into a column of that type (Datatypes In SQLite, 3.1). */
static enum affinity affinity_of(const char *type)
{
    if (strcasestr(type, "INT")) {
        return AFFINITY_INTEGER;
    }
    if (strcasestr(type, "CHAR") || strcasestr(type, "CLOB") || strcasestr(type, "TEXT")) {
        return AFFINITY_TEXT;
    }
    if (!*type || strcasestr(type, "BLOB")) {
        return AFFINITY_NONE;
    }
    return strcasestr(type, "REAL") || strcasestr(type, "FLOA") || strcasestr(type, "DOUB")
               ? AFFINITY_REAL
               : AFFINITY_NUMERIC;
}

/* Text in a column of numbers may be taken for one: "007" would become 7. But times and days never are. */
static bool may_change_text(enum sqlite_store store, enum affinity affinity, const char *type)
{
    bool is_time = store == SQLITE_STORE_TIMESTAMP || store == SQLITE_STORE_LOCAL ||
                   store == SQLITE_STORE_DATE;

    if (store != SQLITE_STORE_TEXT && !is_time) {
        return false;
    }
    return affinity != AFFINITY_NONE && affinity != AFFINITY_TEXT &&
           !(is_time && (strcasestr(type, "DATE") || strcasestr(type, "TIME")));
}

/* The column of the table that is there takes what comes, or it is told why not. */
static enum result fit_column(struct sqlite_table *t, uint32_t index, const char *type,
                              struct err *err)
{
    struct sqlite_column *column = &t->columns[index];
    enum affinity affinity = affinity_of(type);

    column->is_empty =
        !has_values(t, index) && affinity != AFFINITY_NONE && affinity != AFFINITY_TEXT;
    if (has_values(t, index) && may_change_text(column->store, affinity, type)) {
        return err_set(err, RESULT_INVALID, "E-DB2",
                       "column %.*s of table %.*s is %s, but now holds %s; give the table another "
                       "name, or make it anew without --key",
                       STR_ARG(column->name), STR_ARG(t->name), type,
                       column->store == SQLITE_STORE_TEXT ? "text" : "times");
    }
    column->rounds = affinity == AFFINITY_REAL && column->store == SQLITE_STORE_INTEGER;
    if (affinity == AFFINITY_TEXT) {
        column->store = SQLITE_STORE_TEXT;
    }
    return RESULT_OK;
}

static enum result run(struct sqlite_table *t, struct buf *sql, struct err *err)
{
    const char *text = buf_cstr(sql);

    if (!text) {
        return err_nomem(err, "writing to SQLite");
    }
    return sqlite3_exec(t->db, text, NULL, NULL, NULL) == SQLITE_OK ? RESULT_OK
                                                                    : sqlite_table_fail(t, err);
}

static enum result add_definition(const struct sqlite_table *t, uint32_t column, struct buf *sql)
{
    enum result result = sqlite_words_name(sql, t->columns[column].name);

    return result == RESULT_OK && (has_values(t, column) || t->columns[column].is_key)
               ? buf_printf(sql, " %s", type_of(t->columns[column].store))
               : result;
}

static enum result create(struct sqlite_table *t, struct err *err)
{
    struct buf sql = { 0 };
    enum result result = buf_append_str(&sql, STR("CREATE TABLE "));

    result = result == RESULT_OK ? sqlite_words_name(&sql, t->name) : result;
    for (uint32_t i = 0; i < t->count && result == RESULT_OK; i++) {
        result = buf_append_char(&sql, i ? ',' : '(');
        result = result == RESULT_OK ? add_definition(t, i, &sql) : result;
    }
    if (result == RESULT_OK && t->target->spec->key_count) {
        result = buf_append_str(&sql, STR(", PRIMARY KEY "));
        result = result == RESULT_OK ? sqlite_words_keys(t, &sql) : result;
    }
    result = result == RESULT_OK ? buf_append_char(&sql, ')') : result;
    result = result == RESULT_OK ? run(t, &sql, err) : err_nomem(err, "writing to SQLite");
    buf_release(&sql);
    return result;
}

static enum result drop(struct sqlite_table *t, struct err *err)
{
    struct buf sql = { 0 };
    enum result result = buf_append_str(&sql, STR("DROP TABLE "));

    result = result == RESULT_OK ? sqlite_words_name(&sql, t->name) : result;
    result = result == RESULT_OK ? run(t, &sql, err) : err_nomem(err, "writing to SQLite");
    buf_release(&sql);
    return result;
}

static enum result add_column(struct sqlite_table *t, uint32_t column, struct err *err)
{
    struct buf sql = { 0 };
    enum result result = buf_append_str(&sql, STR("ALTER TABLE "));

    result = result == RESULT_OK ? sqlite_words_name(&sql, t->name) : result;
    result = result == RESULT_OK ? buf_append_str(&sql, STR(" ADD COLUMN ")) : result;
    result = result == RESULT_OK ? add_definition(t, column, &sql) : result;
    result = result == RESULT_OK ? run(t, &sql, err) : err_nomem(err, "writing to SQLite");
    buf_release(&sql);
    return result == RESULT_IO && is_refused(t) /* a STRICT table knows few types */
               ? err_set(err, RESULT_INVALID, "E-DB2", "table %.*s takes no column %.*s: %s",
                         STR_ARG(t->name), STR_ARG(t->columns[column].name), sqlite3_errmsg(t->db))
               : result;
}

#define IS_GENERATED 2 /* and above, in what SQLite calls "hidden" */

/* Fits the columns that both have; `there` says which those are. */
static enum result fit_columns(struct sqlite_table *t, bool *there, struct err *err)
{
    sqlite3_stmt *st = NULL;
    enum result result = RESULT_OK;
    int step = SQLITE_DONE;

    if (sqlite3_prepare_v2(t->db, "SELECT name, type, hidden FROM pragma_table_xinfo(?1)", -1, &st,
                           NULL) != SQLITE_OK ||
        sqlite3_bind_text(st, 1, t->name.data, (int)t->name.len, SQLITE_STATIC) != SQLITE_OK) {
        result = sqlite_table_fail(t, err);
    }
    while (result == RESULT_OK && (step = sqlite3_step(st)) == SQLITE_ROW) {
        struct str name = { (const char *)sqlite3_column_text(st, 0),
                            (size_t)sqlite3_column_bytes(st, 0) };
        const char *type = (const char *)sqlite3_column_text(st, 1);
        uint32_t column = name.data ? find_column(t, t->count, name) : t->count;

        if (column == t->count) {
            continue;
        }
        there[column] = true;
        result = sqlite3_column_int(st, 2) < IS_GENERATED
                     ? fit_column(t, column, type ? type : "", err)
                     : err_set(err, RESULT_INVALID, "E-DB2",
                               "column %.*s of table %.*s is generated and takes no values",
                               STR_ARG(name), STR_ARG(t->name));
    }
    if (result == RESULT_OK && step != SQLITE_DONE) {
        result = sqlite_table_fail(t, err);
    }
    sqlite3_finalize(st);
    return result;
}

static enum result widen(struct sqlite_table *t, struct err *err)
{
    bool *there = calloc(t->count, sizeof *there);
    enum result result = there ? fit_columns(t, there, err) : err_nomem(err, "starting a table");

    for (uint32_t i = 0; i < t->count && result == RESULT_OK; i++) {
        result = there[i] ? RESULT_OK : add_column(t, i, err);
    }
    free(there);
    return result;
}

/* "items_key", with a number after it where that is the name of something else. */
static enum result name_index(const struct sqlite_table *t, struct buf *name)
{
    sqlite3_stmt *st = NULL;
    enum result result = RESULT_OK;
    int step = SQLITE_ROW;

    if (sqlite3_prepare_v2(t->db, "SELECT 1 FROM sqlite_master WHERE name = ?1 COLLATE NOCASE", -1,
                           &st, NULL) != SQLITE_OK) {
        return RESULT_IO;
    }
    for (unsigned n = 1; step == SQLITE_ROW && result == RESULT_OK; n++) {
        buf_reset(name);
        result = buf_printf(name, "%.*s_key", STR_ARG(t->name));
        if (result == RESULT_OK && n > 1) {
            result = buf_printf(name, "_%u", n);
        }
        if (result == RESULT_OK) {
            sqlite3_reset(st);
            sqlite3_bind_text(st, 1, name->data, (int)name->len, SQLITE_STATIC);
            step = sqlite3_step(st);
        }
    }
    sqlite3_finalize(st);
    return step == SQLITE_DONE || result != RESULT_OK ? result : RESULT_IO;
}

/* A table that was not made by us may lack the index that tells keys apart. */
static enum result index_keys(struct sqlite_table *t, struct err *err)
{
    sqlite3_stmt *insert;
    struct buf name = { 0 }, sql = { 0 };
    enum result result;

    if (sqlite_table_insert(t, 1, &insert, NULL) == RESULT_OK) {
        sqlite3_finalize(insert);
        return RESULT_OK;
    }
    result = name_index(t, &name);
    if (result == RESULT_IO) {
        buf_release(&name);
        return sqlite_table_fail(t, err);
    }
    result = result == RESULT_OK ? buf_append_str(&sql, STR("CREATE UNIQUE INDEX ")) : result;
    result = result == RESULT_OK ? sqlite_words_name(&sql, buf_view(&name)) : result;
    result = result == RESULT_OK ? buf_append_str(&sql, STR(" ON ")) : result;
    result = result == RESULT_OK ? sqlite_words_name(&sql, t->name) : result;
    result = result == RESULT_OK ? sqlite_words_keys(t, &sql) : result;
    result = result == RESULT_OK ? run(t, &sql, err) : err_nomem(err, "writing to SQLite");
    buf_release(&name);
    buf_release(&sql);
    return result == RESULT_IO && is_refused(t)
               ? err_set(err, RESULT_INVALID, "E-DB2",
                         "--key: the rows of table %.*s cannot be told apart by it: %s",
                         STR_ARG(t->name), sqlite3_errmsg(t->db))
               : result;
}

/* Whether a table of the name is there; a view is none that rows can go to. */
static enum result find_table(struct sqlite_table *t, bool *found, struct err *err)
{
    static const char sql[] = "SELECT type FROM sqlite_master WHERE type IN ('table', 'view') AND "
                              "name = ?1 COLLATE NOCASE";
    sqlite3_stmt *st = NULL;
    enum result result = RESULT_OK;
    int step;

    if (sqlite3_prepare_v2(t->db, sql, -1, &st, NULL) != SQLITE_OK ||
        sqlite3_bind_text(st, 1, t->name.data, (int)t->name.len, SQLITE_STATIC) != SQLITE_OK) {
        sqlite3_finalize(st);
        return sqlite_table_fail(t, err);
    }
    step = sqlite3_step(st);
    *found = step == SQLITE_ROW;
    if (*found && strcmp((const char *)sqlite3_column_text(st, 0), "table") != 0) {
        result = err_set(err, RESULT_INVALID, "E-DB2",
                         "%.*s is a view in %s: give the table another name", STR_ARG(t->name),
                         t->target->path);
    } else if (!*found && step != SQLITE_DONE) {
        result = sqlite_table_fail(t, err);
    }
    sqlite3_finalize(st);
    return result;
}

/* --table, or the file's name without its ending. */
static struct str name_of(const struct format_target *target)
{
    return target->spec->table.data ? target->spec->table : run_tables_name(target->path);
}

enum result sqlite_table_make(struct sqlite_table *t, struct err *err)
{
    bool has_key = t->target->spec->key_count > 0, found = false;
    enum result result;

    t->name = name_of(t->target);
    result = make_columns(t, err);
    result = result == RESULT_OK ? find_table(t, &found, err) : result;
    if (result == RESULT_OK && found && !has_key) {
        result = drop(t, err);
        found = false;
    }
    if (result != RESULT_OK) {
        return result;
    }
    if (!found) {
        return create(t, err);
    }
    result = widen(t, err);
    return result == RESULT_OK ? index_keys(t, err) : result;
}

void sqlite_table_release(struct sqlite_table *t)
{
    for (uint32_t i = 0; t->columns && i < t->count; i++) {
        free(t->columns[i].own_name);
    }
    free(t->columns);
}
