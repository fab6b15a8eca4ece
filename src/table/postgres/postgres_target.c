#include "table/postgres/postgres_target.h"

#include "table/layout.h"
#include "table/postgres/postgres_merge.h"
#include "table/postgres/postgres_words.h"
#include "table/table_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_MIN 120000 /* as server_version_num */

static enum result run(struct postgres_target *t, struct buf *sql, enum result made,
                       struct err *err)
{
    enum result result = made == RESULT_OK ? postgres_link_run(t->link, sql, err)
                                           : err_nomem(err, "writing to PostgreSQL");

    buf_release(sql);
    return result;
}

/* --- the server ------------------------------------------------------------------------------------------ */

struct server {
    long version;
    bool is_read_only;
    char schema[256]; /* "": none */
};

static void note_server(void *context, const char *const *values, int count)
{
    struct server *s = context;

    if (count == 3 && values[0] && values[1]) {
        s->version = strtol(values[0], NULL, 10);
        s->is_read_only = strcmp(values[1], "on") == 0;
        snprintf(s->schema, sizeof s->schema, "%s", values[2] ? values[2] : "");
    }
}

static enum result look_at_server(struct postgres_link *link, const char *url,
                                  struct server *server, struct err *err)
{
    struct buf sql = { 0 };
    enum result result =
        buf_append_str(&sql, STR("SELECT current_setting('server_version_num'), "
                                 "current_setting('transaction_read_only'), current_schema()"));

    *server = (struct server){ .version = 0 };
    result = result == RESULT_OK ? postgres_link_ask(link, &sql, note_server, server, err)
                                 : err_nomem(err, "writing to PostgreSQL");
    buf_release(&sql);
    if (result != RESULT_OK) {
        return result;
    }
    if (server->version < VERSION_MIN) {
        return err_set(err, RESULT_DENIED, "E-DB1",
                       "%s: the server is older than PostgreSQL 12; -o items.sql makes a script "
                       "for psql",
                       url);
    }
    if (server->is_read_only) {
        return err_set(err, RESULT_DENIED, "E-DB1",
                       "%s: the server takes no writes: it is a standby, or read-only", url);
    }
    return server->schema[0] ? RESULT_OK
                             : err_set(err, RESULT_NOT_FOUND, "E-DB1",
                                       "%s: no schema of the search_path is there to make tables "
                                       "in",
                                       url);
}

enum result postgres_target_check(struct postgres_link *link, const char *url, struct err *err)
{
    struct server server;

    return look_at_server(link, url, &server, err);
}

struct milliseconds {
    uint64_t value;
};

static void note_milliseconds(void *context, const char *const *values, int count)
{
    struct milliseconds *ms = context;

    if (count != 1 || !values[0] || !str_to_u64(str_view(values[0]), &ms->value)) {
        ms->value = 0;
    }
}

/* What the user allows a statement, here too: a process of the server's that is frozen does not keep to it. */
static enum result keep_to_timeout(struct postgres_target *t, struct err *err)
{
    struct milliseconds ms = { 0 };
    struct buf sql = { 0 };
    enum result result = buf_append_str(
        &sql, STR("SELECT setting FROM pg_catalog.pg_settings WHERE name = 'statement_timeout'"));

    result = result == RESULT_OK ? postgres_link_ask(t->link, &sql, note_milliseconds, &ms, err)
                                 : err_nomem(err, "writing to PostgreSQL");
    buf_release(&sql);
    if (result == RESULT_OK) {
        postgres_link_limit(t->link, ms.value);
    }
    return result;
}

/* One of us at a time has the table: the lock is of this name, and ends with the transaction. */
static enum result begin(struct postgres_target *t, struct err *err)
{
    bool is_limited = postgres_link_has_setting(t->link, "statement_timeout");
    struct buf sql = { 0 };
    enum result result = is_limited ? keep_to_timeout(t, err) : RESULT_OK;

    if (result != RESULT_OK) {
        return result;
    }
    postgres_put(&sql, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n", &result);
    postgres_put(&sql, is_limited ? "" : "SET LOCAL statement_timeout = 0;\n", &result);
    postgres_put(&sql,
                 "SET LOCAL standard_conforming_strings = on;\n"
                 "SET LOCAL client_min_messages = warning;\n"
                 "SET LOCAL idle_in_transaction_session_timeout = 0;\n"
                 "SET LOCAL work_mem = '128MB';\n"
                 "SET LOCAL maintenance_work_mem = '128MB';\n"
                 "SET LOCAL TIME ZONE 'UTC';\n"
                 "SET LOCAL DateStyle = 'ISO, YMD';\n"
                 "SELECT set_config('lock_timeout', '10s', true) WHERE "
                 "current_setting('lock_timeout') = '0';\n"
                 "SELECT pg_catalog.pg_advisory_xact_lock(1935896180, pg_catalog.hashtext(",
                 &result);
    postgres_put_text(&sql, t->name, &result);
    postgres_put(&sql, "))", &result);
    return run(t, &sql, result, err);
}

/* --- the table that is there ------------------------------------------------------------------------------ */

struct catalog {
    struct postgres_target *t;
    struct err *err;
    enum result result;
};

static bool is_one_of(const char *type, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(type, list[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_number(const char *type)
{
    static const char *const numbers[] = { "bigint", "double precision" };

    return is_one_of(type, numbers, sizeof numbers / sizeof numbers[0]);
}

static bool is_of_ours(const char *type)
{
    static const char *const types[] = { "boolean", "date", "timestamp with time zone",
                                         "timestamp without time zone" };

    return is_number(type) || is_one_of(type, types, sizeof types / sizeof types[0]);
}

/* Whole numbers that a double holds all. */
static bool fits_double(const struct layout_column *from)
{
    return from->decision.type == TYPE_INT64 && from->facts &&
           from->facts->seen[KIND_WIDE] + from->facts->seen[KIND_TEXT_WIDE] == 0;
}

/* How values get into a column that is there: `type` without lengths, `whole` with them. */
static void fit_column(struct postgres_target *t, uint32_t index, const char *type,
                       const char *whole)
{
    const struct layout_column *from = t->rows[index].from;
    struct postgres_target_column *column = &t->columns[index];
    const char *own = postgres_type(from);
    bool is_text;

    snprintf(column->there, sizeof column->there, "%s", type);
    if (postgres_has_values(from) && strcmp(type, own) == 0) {
        return;
    }
    if (postgres_has_values(from) && strcmp(type, "double precision") == 0 && fits_double(from)) {
        t->rows[index].store = POSTGRES_STORE_FLOAT8;
        return;
    }
    if (postgres_has_values(from) && (is_of_ours(type) || strcmp(whole, "numeric") == 0)) {
        column->wider = is_number(own) && (is_number(type) || strcmp(type, "numeric") == 0)
                            ? "numeric"
                            : "text";
    }
    t->rows[index].store = POSTGRES_STORE_TEXT;
    is_text = strcmp(column->wider ? column->wider : type, "text") == 0;
    /* A cast to a length would cut what is too long, an assignment refuses it. */
    snprintf(column->cast, sizeof column->cast, "%s",
             is_text                         ? ""
             : column->wider                 ? column->wider
             : strncmp(type, "char", 4) == 0 ? type
                                             : whole);
    if (column->wider && strcmp(column->wider, type) == 0) {
        column->wider = NULL;
    }
}

static uint32_t find_column(const struct postgres_target *t, struct str name)
{
    uint32_t i = 0;

    while (i < t->count && !str_equal(t->rows[i].from->name, name)) {
        i++;
    }
    return i;
}

/* relkind, and of each column its name, types, and whether it makes its values by itself. */
static void note_column(void *context, const char *const *values, int count)
{
    struct catalog *c = context;
    struct postgres_target *t = c->t;
    uint32_t column;

    if (count != 5 || !values[0] || c->result != RESULT_OK) {
        return;
    }
    t->is_there = true;
    if (!strchr("rp", values[0][0])) {
        c->result = err_set(c->err, RESULT_INVALID, "E-DB2",
                            "%.*s is no table in %s but a view or the like: give the table "
                            "another name with --table",
                            STR_ARG(t->name), t->target->path);
        return;
    }
    column = values[1] && values[2] && values[3] ? find_column(t, str_view(values[1])) : t->count;
    if (column == t->count) {
        return;
    }
    if (strcmp(values[4], "t") == 0) {
        c->result = err_set(c->err, RESULT_INVALID, "E-DB2",
                            "column %s of table %.*s is generated and takes no values", values[1],
                            STR_ARG(t->name));
        return;
    }
    if (strlen(values[3]) >= POSTGRES_TYPE_MAX) {
        c->result = err_set(c->err, RESULT_INVALID, "E-DB2",
                            "column %s of table %.*s has a type whose name is too long", values[1],
                            STR_ARG(t->name));
        return;
    }
    fit_column(t, column, values[2], values[3]);
}

static enum result look_at_table(struct postgres_target *t, struct err *err)
{
    struct catalog catalog = { .t = t, .err = err };
    struct buf sql = { 0 };
    enum result result = RESULT_OK;

    postgres_put(
        &sql,
        "SELECT c.relkind, a.attname, format_type(a.atttypid, NULL), "
        "format_type(a.atttypid, a.atttypmod), a.attgenerated <> '' OR a.attidentity = 'a'\n"
        "FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = "
        "c.relnamespace\n"
        "LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT "
        "a.attisdropped\nWHERE n.nspname = current_schema() AND c.relname = ",
        &result);
    postgres_put_text(&sql, t->name, &result);
    result = result == RESULT_OK ? postgres_link_ask(t->link, &sql, note_column, &catalog, err)
                                 : err_nomem(err, "writing to PostgreSQL");
    buf_release(&sql);
    return result == RESULT_OK ? catalog.result : result;
}

/* --- where the rows go ------------------------------------------------------------------------------------ */

static enum result make_columns(struct postgres_target *t, struct err *err)
{
    const struct layout *layout = t->target->layout;
    bool *is_key = calloc(layout->count + 1U, sizeof *is_key);
    enum result result;

    t->count = layout->count;
    t->rows = calloc(t->count + 1U, sizeof *t->rows);
    t->columns = calloc(t->count + 1U, sizeof *t->columns);
    if (!t->rows || !t->columns || !is_key) {
        free(is_key);
        return err_nomem(err, "starting a table");
    }
    result = layout_find_keys(layout, t->target->spec, is_key, err);
    for (uint32_t i = 0; i < t->count; i++) {
        t->rows[i] = (struct postgres_row_column){ .from = &layout->columns[i],
                                                   .store = postgres_rows_store(
                                                       layout->columns[i].decision.type),
                                                   .is_key = is_key[i] };
    }
    free(is_key);
    return result;
}

static bool needs_casts(const struct postgres_target *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->columns[i].cast[0]) {
            return true;
        }
    }
    return false;
}

/* The table, or the one of the session, as empty as rows need it. */
static enum result prepare(struct postgres_target *t, struct err *err)
{
    struct buf sql = { 0 };
    enum result result = RESULT_OK;

    t->is_staged = t->is_there && (t->has_key || needs_casts(t));
    if (!t->is_there) {
        postgres_merge_create(t, &sql, &result);
    } else {
        postgres_merge_lock(t, &sql, &result);
    }
    if (t->is_staged) {
        postgres_merge_stage(t, &sql, &result);
    }
    return run(t, &sql, result, err);
}

static enum result begin_copy(struct postgres_target *t, struct err *err)
{
    struct buf sql = { 0 };
    enum result result = RESULT_OK;

    postgres_merge_copy(t, &sql, &result);
    result = result == RESULT_OK ? postgres_link_copy(t->link, &sql, err)
                                 : err_nomem(err, "writing to PostgreSQL");
    buf_release(&sql);
    return result == RESULT_OK ? postgres_link_put(t->link, postgres_rows_head, err) : result;
}

enum result postgres_target_begin(struct postgres_target *t, struct err *err)
{
    const struct table_spec *spec = t->target->spec;
    struct server server;
    enum result result;

    t->name = spec->table.data ? spec->table : STR("items");
    t->has_key = spec->key_count > 0;
    result = postgres_check_name(t->name, err);
    result = result == RESULT_OK ? postgres_check_columns(t->target->layout, err) : result;
    result = result == RESULT_OK ? make_columns(t, err) : result;
    result = result == RESULT_OK ? look_at_server(t->link, t->target->path, &server, err) : result;
    if (result != RESULT_OK) {
        return result;
    }
    snprintf(t->schema, sizeof t->schema, "%s", server.schema);
    result = begin(t, err);
    result = result == RESULT_OK ? look_at_table(t, err) : result;
    result = result == RESULT_OK ? prepare(t, err) : result;
    return result == RESULT_OK ? begin_copy(t, err) : result;
}

/* --- the end ---------------------------------------------------------------------------------------------- */

/* Whether it went through is not known when the connection breaks now: the same again leads to the same table. */
static enum result commit(struct postgres_target *t, struct err *err)
{
    struct buf sql = { 0 };
    enum result result = buf_append_str(&sql, STR("COMMIT"));

    result = run(t, &sql, result, err);
    return result == RESULT_BUSY && postgres_link_failed_by(t->link, "")
               ? err_set(err, RESULT_BUSY, "E-DB1",
                         "%s: the connection broke while the table was committed: it is as it was, "
                         "or has all rows; the same command again makes sure",
                         t->target->path)
               : result;
}

enum result postgres_target_end(struct postgres_target *t, struct err *err)
{
    enum result result = postgres_link_put(t->link, postgres_rows_end, err);

    result = result == RESULT_OK ? postgres_link_put_end(t->link, err) : result;
    result = result == RESULT_OK ? postgres_merge(t, err) : result;
    return result == RESULT_OK ? commit(t, err) : result;
}

void postgres_target_release(struct postgres_target *t)
{
    free(t->rows);
    free(t->columns);
}
