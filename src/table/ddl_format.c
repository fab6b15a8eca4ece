/*
 * CREATE TABLE statements as formats: the columns that a table has, in the words of a database, and no rows.
 *
 * Names come from outside: they are quoted here, as each database reads quotes. Columns of --key are the primary key and not
 * null; ClickHouse, which has no such thing, keeps the last row of each key when it merges.
 *
 * Errors   E-DB2: a key that is no column, a name that no database has.
 * Source   PostgreSQL 15 documentation, sql-createtable and sql-syntax-lexical; DuckDB documentation, "CREATE TABLE
 *          Statement"; ClickHouse documentation, "Syntax" (identifiers are escaped as strings are), "MergeTree".
 */
#include "table/ddl_format.h"

#include "table/layout.h"
#include "table/run_tables.h"

#include <stdlib.h>
#include <string.h>

struct dialect {
    const char *types[TYPE_COUNT];
    bool has_backslashes; /* within quotes, where others double the quote */
    bool is_nullable_by_type;
};

static const struct dialect postgres = {
    .types = { [TYPE_TEXT] = "text",
               [TYPE_INT64] = "bigint",
               [TYPE_DOUBLE] = "double precision",
               [TYPE_BOOLEAN] = "boolean",
               [TYPE_TIMESTAMP] = "timestamp with time zone",
               [TYPE_LOCAL_TIMESTAMP] = "timestamp without time zone",
               [TYPE_DATE] = "date" },
};

static const struct dialect duckdb = {
    .types = { [TYPE_TEXT] = "VARCHAR",
               [TYPE_INT64] = "BIGINT",
               [TYPE_DOUBLE] = "DOUBLE",
               [TYPE_BOOLEAN] = "BOOLEAN",
               [TYPE_TIMESTAMP] = "TIMESTAMP WITH TIME ZONE",
               [TYPE_LOCAL_TIMESTAMP] = "TIMESTAMP",
               [TYPE_DATE] = "DATE" },
};

static const struct dialect clickhouse = {
    .types = { [TYPE_TEXT] = "String",
               [TYPE_INT64] = "Int64",
               [TYPE_DOUBLE] = "Float64",
               [TYPE_BOOLEAN] = "Bool",
               [TYPE_TIMESTAMP] = "DateTime64(6, 'UTC')",
               [TYPE_LOCAL_TIMESTAMP] = "DateTime64(6, 'UTC')",
               [TYPE_DATE] = "Date32" },
    .has_backslashes = true,
    .is_nullable_by_type = true,
};

/* --- the statement ------------------------------------------------------------------------------------ */

static void put(struct buf *sql, const char *text, enum result *result)
{
    *result = *result == RESULT_OK ? buf_append_str(sql, str_view(text)) : *result;
}

static void put_name(const struct dialect *d, struct buf *sql, struct str name, enum result *result)
{
    put(sql, "\"", result);
    for (size_t i = 0; i < name.len && *result == RESULT_OK; i++) {
        bool is_quote = name.data[i] == '"';

        if (d->has_backslashes ? is_quote || name.data[i] == '\\' : is_quote) {
            *result = buf_append_char(sql, d->has_backslashes ? '\\' : '"');
        }
        *result = *result == RESULT_OK ? buf_append_char(sql, name.data[i]) : *result;
    }
    put(sql, "\"", result);
}

static void put_column(const struct dialect *d, struct buf *sql, const struct layout_column *column,
                       bool is_key, enum result *result)
{
    const char *type = d->types[column->decision.type];
    bool wraps = d->is_nullable_by_type && !is_key;

    put(sql, "\n  ", result);
    put_name(d, sql, column->name, result);
    put(sql, wraps ? " Nullable(" : " ", result);
    put(sql, type, result);
    put(sql, wraps ? ")" : "", result);
    put(sql, is_key && !d->is_nullable_by_type ? " NOT NULL" : "", result);
}

/* `("a", "b")` */
static void put_keys(const struct dialect *d, struct buf *sql, const struct table_spec *spec,
                     enum result *result)
{
    for (size_t k = 0; k < spec->key_count; k++) {
        put(sql, k ? ", " : "(", result);
        put_name(d, sql, spec->key[k], result);
    }
    put(sql, ")", result);
}

static void put_end(const struct dialect *d, struct buf *sql, const struct table_spec *spec,
                    enum result *result)
{
    if (!d->is_nullable_by_type) {
        put(sql, spec->key_count ? ",\n  PRIMARY KEY " : "", result);
        if (spec->key_count) {
            put_keys(d, sql, spec, result);
        }
        put(sql, "\n);\n", result);
    } else if (spec->key_count) {
        put(sql, "\n) ENGINE = ReplacingMergeTree ORDER BY ", result);
        put_keys(d, sql, spec, result);
        put(sql, ";\n", result);
    } else {
        put(sql, "\n) ENGINE = MergeTree ORDER BY tuple();\n", result);
    }
}

static enum result put_table(const struct dialect *d, struct buf *sql, struct str name,
                             const struct format_target *target, const bool *is_key)
{
    const struct layout *layout = target->layout;
    enum result result = RESULT_OK;

    put(sql, "CREATE TABLE ", &result);
    put_name(d, sql, name, &result);
    put(sql, " (", &result);
    for (uint32_t i = 0; i < layout->count; i++) {
        put(sql, i ? "," : "", &result);
        put_column(d, sql, &layout->columns[i], is_key[i], &result);
    }
    put_end(d, sql, target->spec, &result);
    return result;
}

static enum result check_names(struct str name, const struct layout *layout, struct err *err)
{
    bool good = name.len > 0 && !memchr(name.data, '\0', name.len);

    for (uint32_t i = 0; i < layout->count; i++) {
        struct str column = layout->columns[i].name;

        good &= column.len > 0 && !memchr(column.data, '\0', column.len);
    }
    return good ? RESULT_OK
                : err_set(err, RESULT_DENIED, "E-DB2",
                          "names in a database have at least one byte and no NUL; choose and name "
                          "columns with --columns, the table with --table");
}

static enum result open_in(const struct dialect *d, void **table,
                           const struct format_target *target, struct err *err)
{
    struct str name = target->spec->table.data         ? target->spec->table
                      : strcmp(target->path, "-") == 0 ? STR("items")
                                                       : run_tables_name(target->path);
    bool *is_key = calloc(target->layout->count + 1U, sizeof *is_key);
    struct buf sql = { 0 };
    enum result result;

    *table = NULL;
    if (!is_key) {
        return err_nomem(err, "starting a table");
    }
    result = check_names(name, target->layout, err);
    if (result == RESULT_OK) {
        result = layout_find_keys(target->layout, target->spec, is_key, err);
    }
    if (result == RESULT_OK) {
        result = put_table(d, &sql, name, target, is_key) == RESULT_OK
                     ? target->write(target->context, buf_view(&sql), err)
                     : err_nomem(err, "starting a table");
    }
    buf_release(&sql);
    free(is_key);
    return result;
}

static enum result open_postgres(void **table, const struct format_target *target, struct err *err)
{
    return open_in(&postgres, table, target, err);
}

static enum result open_duckdb(void **table, const struct format_target *target, struct err *err)
{
    return open_in(&duckdb, table, target, err);
}

static enum result open_clickhouse(void **table, const struct format_target *target,
                                   struct err *err)
{
    return open_in(&clickhouse, table, target, err);
}

/* --- no rows ------------------------------------------------------------------------------------------ */

static void close_ddl(void *table)
{
    (void)table; /* all was written at once */
}

static void *encoder_new(void *table)
{
    (void)table;
    return malloc(1);
}

static enum result add(void *encoder, struct buf *block, const struct row *row,
                       uint64_t *lone_surrogates, struct err *err)
{
    (void)encoder;
    (void)block;
    (void)row;
    (void)lone_surrogates;
    (void)err;
    return RESULT_OK;
}

#define DDL_FORMAT(dialect)                                                                        \
    {                                                                                              \
        .name = #dialect, .endings = "", .about = "", .typed = true, .has_keys = true,             \
        .packable = true, .open = open_##dialect, .close = close_ddl, .encoder_new = encoder_new,  \
        .encoder_free = free, .add = add,                                                          \
    }

static const struct table_format formats[] = { DDL_FORMAT(postgres), DDL_FORMAT(duckdb),
                                               DDL_FORMAT(clickhouse) };

const struct table_format *ddl_format_named(struct str dialect)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (str_equal(dialect, str_view(formats[i].name))) {
            return &formats[i];
        }
    }
    return NULL;
}
