#include "table/postgres/postgres_sql.h"

#include "table/layout.h"
#include "table/postgres/postgres_words.h"
#include "table/run_tables.h"
#include "table/table_spec.h"

#include <stdlib.h>
#include <string.h>

enum result postgres_table_init(struct postgres_table *t, const struct format_target *target,
                                struct err *err)
{
    const struct layout *layout = target->layout;
    enum result result;

    *t = (struct postgres_table){ .layout = layout };
    t->name = target->spec->table.data         ? target->spec->table
              : strcmp(target->path, "-") == 0 ? STR("items")
                                               : run_tables_name(target->path);
    t->is_key = calloc(layout->count + 1U, sizeof *t->is_key);
    if (!t->is_key) {
        return err_nomem(err, "starting a table");
    }
    result = postgres_check_name(t->name, err);
    result = result == RESULT_OK ? postgres_check_columns(layout, err) : result;
    t->has_key = target->spec->key_count > 0;
    return result == RESULT_OK ? layout_find_keys(layout, target->spec, t->is_key, err) : result;
}

void postgres_table_release(struct postgres_table *t)
{
    free(t->is_key);
    *t = (struct postgres_table){ .is_key = NULL };
}

/* --- words ---------------------------------------------------------------------------------------------- */

/* `"a", "b"`: all columns, or those of the key, each before `after`. */
static void put_names(const struct postgres_table *t, bool keys, struct buf *sql,
                      enum result *result)
{
    bool is_first = true;

    for (uint32_t i = 0; i < t->layout->count; i++) {
        if (!keys || t->is_key[i]) {
            postgres_put(sql, is_first ? "" : ", ", result);
            postgres_put_name(sql, t->layout->columns[i].name, result);
            is_first = false;
        }
    }
}

/* --- the table ------------------------------------------------------------------------------------------ */

static void put_definition(const struct layout_column *column, struct buf *sql, enum result *result)
{
    postgres_put_name(sql, column->name, result);
    postgres_put(sql, " ", result);
    postgres_put(sql, postgres_type(column), result);
}

static void create(const struct postgres_table *t, struct buf *sql, enum result *result)
{
    postgres_put(sql, "CREATE TABLE IF NOT EXISTS ", result);
    postgres_put_name(sql, t->name, result);
    postgres_put(sql, " (", result);
    for (uint32_t i = 0; i < t->layout->count; i++) {
        postgres_put(sql, i ? ",\n  " : "\n  ", result);
        put_definition(&t->layout->columns[i], sql, result);
    }
    postgres_put(sql, "\n);\n", result);
}

/* Makes a column that is there wide enough: psql runs the statement that the query makes, if it makes one. */
static void widen(const struct postgres_table *t, const struct layout_column *column,
                  struct buf *sql, enum result *result)
{
    bool is_number = column->decision.type == TYPE_INT64 || column->decision.type == TYPE_DOUBLE;

    postgres_put(sql, "SELECT format('ALTER TABLE %I ALTER COLUMN %I TYPE %s USING %I::text::%s',",
                 result);
    postgres_put(sql, " table_name, column_name, wide, column_name, wide)\n", result);
    postgres_put(sql, "  FROM (SELECT table_name, column_name, data_type, CASE WHEN ", result);
    postgres_put(sql, is_number ? "data_type IN ('bigint', 'double precision')" : "false", result);
    postgres_put(sql, " THEN 'numeric' ELSE 'text' END AS wide\n", result);
    postgres_put(sql, "    FROM information_schema.columns WHERE table_schema = current_schema()",
                 result);
    postgres_put(sql, " AND table_name = ", result);
    postgres_put_text(sql, t->name, result);
    postgres_put(sql, " AND column_name = ", result);
    postgres_put_text(sql, column->name, result);
    postgres_put(sql,
                 ") AS it\n  WHERE data_type IN ('bigint', 'double precision', 'boolean', 'date', "
                 "'timestamp with time zone', 'timestamp without time zone'",
                 result);
    postgres_put(sql, is_number ? ")" : ", 'numeric')", result);
    postgres_put(sql, " AND data_type <> '", result);
    postgres_put(sql, postgres_type(column), result);
    postgres_put(sql, "' \\gexec\n", result);
}

static void fit(const struct postgres_table *t, struct buf *sql, enum result *result)
{
    for (uint32_t i = 0; i < t->layout->count; i++) {
        const struct layout_column *column = &t->layout->columns[i];

        postgres_put(sql, "ALTER TABLE ", result);
        postgres_put_name(sql, t->name, result);
        postgres_put(sql, " ADD COLUMN IF NOT EXISTS ", result);
        put_definition(column, sql, result);
        postgres_put(sql, ";\n", result);
        if (postgres_has_values(column)) {
            widen(t, column, sql, result);
        }
    }
}

/* Where the rows go: into a table without a page they go at once, as there is nothing that they could meet; else into
 * one of the session. */
static void choose_place(const struct postgres_table *t, struct buf *sql, enum result *result)
{
    postgres_put(sql, "SELECT NOT is_new AS scrapetop_merges, CASE WHEN is_new THEN relname ELSE '",
                 result);
    postgres_put(sql, postgres_stage_name(t->name), result);
    postgres_put(
        sql,
        "' END AS scrapetop_into\n"
        "  FROM (SELECT relname, relkind = 'r' AND NOT relhassubclass AND pg_relation_size(oid) = "
        "0 "
        "AS is_new\n"
        "    FROM pg_catalog.pg_class WHERE relnamespace = (SELECT oid FROM "
        "pg_catalog.pg_namespace WHERE nspname = current_schema()) AND "
        "relname = ",
        result);
    postgres_put_text(sql, t->name, result);
    postgres_put(sql, ") AS it \\gset\n", result);
}

static void stage(const struct postgres_table *t, struct buf *sql, enum result *result)
{
    postgres_put(sql, "\\if :scrapetop_merges\nCREATE TEMPORARY TABLE ", result);
    postgres_put(sql, postgres_stage_name(t->name), result);
    postgres_put(sql, " ON COMMIT DROP AS SELECT ", result);
    put_names(t, false, sql, result);
    postgres_put(sql, " FROM ", result);
    postgres_put_name(sql, t->name, result);
    postgres_put(sql, " WITH NO DATA;\n\\endif\n", result);
}

enum result postgres_sql_before(const struct postgres_table *t, struct buf *sql)
{
    enum result result = RESULT_OK;

    postgres_put(sql,
                 "-- For psql: psql -X -f FILE, or ... | psql -X\n"
                 "\\set QUIET on\n"
                 "\\set ON_ERROR_STOP on\n"
                 "\\set ECHO none\n"
                 "BEGIN;\n"
                 "SET LOCAL client_encoding = 'UTF8';\n"
                 "SET LOCAL standard_conforming_strings = on;\n"
                 "SET LOCAL client_min_messages = warning;\n"
                 "SET LOCAL work_mem = '128MB';\n"
                 "SET LOCAL maintenance_work_mem = '128MB';\n"
                 "SET LOCAL TIME ZONE 'UTC';\n"
                 "SET LOCAL DateStyle = 'ISO, YMD';\n",
                 &result);
    create(t, sql, &result);
    fit(t, sql, &result);
    if (t->has_key) {
        choose_place(t, sql, &result);
        stage(t, sql, &result);
    } else {
        postgres_put(sql, "TRUNCATE ", &result);
        postgres_put_name(sql, t->name, &result);
        postgres_put(sql, ";\n", &result);
    }
    postgres_put(sql, "COPY ", &result);
    if (t->has_key) {
        postgres_put(sql, ":\"scrapetop_into\"", &result);
    } else {
        postgres_put_name(sql, t->name, &result);
    }
    if (t->layout->count) {
        postgres_put(sql, " (", &result);
        put_names(t, false, sql, &result);
        postgres_put(sql, ")", &result);
    }
    postgres_put(sql, " FROM STDIN;\n", &result);
    return result;
}

static bool is_all_key(const struct postgres_table *t)
{
    for (uint32_t i = 0; i < t->layout->count; i++) {
        if (!t->is_key[i]) {
            return false;
        }
    }
    return true;
}

/* Columns one after the other, each as "a.NAME", or as what `put_one` makes of it. */
static void put_each(const struct postgres_table *t, bool keys, const char *between,
                     void (*put_one)(struct str name, struct buf *sql, enum result *result),
                     struct buf *sql, enum result *result)
{
    bool is_first = true;

    for (uint32_t i = 0; i < t->layout->count; i++) {
        if (t->is_key[i] == keys) {
            postgres_put(sql, is_first ? "" : between, result);
            put_one(t->layout->columns[i].name, sql, result);
            is_first = false;
        }
    }
}

static void put_same(struct str name, struct buf *sql, enum result *result)
{
    postgres_put(sql, "old.", result);
    postgres_put_name(sql, name, result);
    postgres_put(sql, " = new.", result);
    postgres_put_name(sql, name, result);
}

static void put_set(struct str name, struct buf *sql, enum result *result)
{
    postgres_put_name(sql, name, result);
    postgres_put(sql, " = new.", result);
    postgres_put_name(sql, name, result);
}

static void put_old(struct str name, struct buf *sql, enum result *result)
{
    postgres_put(sql, "old.", result);
    postgres_put_name(sql, name, result);
}

static void put_new(struct str name, struct buf *sql, enum result *result)
{
    postgres_put(sql, "new.", result);
    postgres_put_name(sql, name, result);
}

/* Of rows with one key the last counts; ctid is the order in which they came. There are mostly none: to find that out
 * takes no sorting. */
static void drop_doubled(const struct postgres_table *t, struct buf *sql, enum result *result)
{
    postgres_put(sql, "SELECT EXISTS (SELECT 1 FROM ", result);
    postgres_put(sql, ":\"scrapetop_into\"", result);
    postgres_put(sql, " GROUP BY ", result);
    put_names(t, true, sql, result);
    postgres_put(
        sql,
        " HAVING count(*) > 1) AS scrapetop_doubled \\gset\n\\if :scrapetop_doubled\nDELETE FROM ",
        result);
    postgres_put(sql, ":\"scrapetop_into\"", result);
    postgres_put(sql,
                 " WHERE ctid IN (SELECT ctid FROM (SELECT ctid, row_number() OVER (PARTITION BY ",
                 result);
    put_names(t, true, sql, result);
    postgres_put(sql, " ORDER BY ctid DESC) AS nth FROM ", result);
    postgres_put(sql, ":\"scrapetop_into\"", result);
    postgres_put(sql, ") AS it WHERE nth > 1);\n\\endif\n", result);
}

/* Rows that have changed are written, those that are as they were are not: images of rows can be compared whatever
 * their types are. Nobody else writes meanwhile, as ALTER TABLE has locked the table. */
static void update(const struct postgres_table *t, struct buf *sql, enum result *result)
{
    postgres_put(sql, "UPDATE ", result);
    postgres_put_name(sql, t->name, result);
    postgres_put(sql, " AS old SET ", result);
    put_each(t, false, ", ", put_set, sql, result);
    postgres_put(sql, "\n  FROM ", result);
    postgres_put(sql, postgres_stage_name(t->name), result);
    postgres_put(sql, " AS new WHERE ", result);
    put_each(t, true, " AND ", put_same, sql, result);
    postgres_put(sql, "\n  AND ROW(", result);
    put_each(t, false, ", ", put_old, sql, result);
    postgres_put(sql, ")::record OPERATOR(pg_catalog.*<>) ROW(", result);
    put_each(t, false, ", ", put_new, sql, result);
    postgres_put(sql, ")::record;\n", result);
}

static void insert(const struct postgres_table *t, struct buf *sql, enum result *result)
{
    postgres_put(sql, "INSERT INTO ", result);
    postgres_put_name(sql, t->name, result);
    postgres_put(sql, " (", result);
    put_names(t, false, sql, result);
    postgres_put(sql, ")\n  SELECT ", result);
    put_names(t, false, sql, result);
    postgres_put(sql, " FROM ", result);
    postgres_put(sql, postgres_stage_name(t->name), result);
    postgres_put(sql, " AS new WHERE NOT EXISTS (SELECT 1 FROM ", result);
    postgres_put_name(sql, t->name, result);
    postgres_put(sql, " AS old WHERE ", result);
    put_each(t, true, " AND ", put_same, sql, result);
    postgres_put(sql, ");\n", result);
}

/* The index that tells keys apart, unless there is one of these columns. It comes after the rows, as that is many times
 * as fast into an empty table, and PostgreSQL finds a name that is free. */
static void index_keys(const struct postgres_table *t, struct buf *sql, enum result *result)
{
    bool is_first = true;

    postgres_put(sql,
                 "SELECT NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index AS i\n"
                 "  JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid\n"
                 "  WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname "
                 "= current_schema()) AND i.indisunique AND "
                 "i.indisvalid\n"
                 "  AND i.indpred IS NULL AND i.indexprs IS NULL AND c.relname = ",
                 result);
    postgres_put_text(sql, t->name, result);
    postgres_put(
        sql,
        "\n  AND ARRAY(SELECT a.attname::text COLLATE \"C\" FROM pg_catalog.pg_attribute AS a\n"
        "    WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[]) ORDER BY 1)\n"
        "  = ARRAY(SELECT k COLLATE \"C\" FROM unnest(ARRAY[",
        result);
    for (uint32_t i = 0; i < t->layout->count; i++) {
        if (t->is_key[i]) {
            postgres_put(sql, is_first ? "" : ", ", result);
            postgres_put_text(sql, t->layout->columns[i].name, result);
            is_first = false;
        }
    }
    postgres_put(sql, "]) AS k ORDER BY 1)) AS scrapetop_unindexed \\gset\n", result);
    postgres_put(sql, "\\if :scrapetop_unindexed\nCREATE UNIQUE INDEX ON ", result);
    postgres_put_name(sql, t->name, result);
    postgres_put(sql, " (", result);
    put_names(t, true, sql, result);
    postgres_put(sql, ");\n\\endif\n", result);
}

static void merge(const struct postgres_table *t, struct buf *sql, enum result *result)
{
    drop_doubled(t, sql, result);
    postgres_put(sql, "\\if :scrapetop_merges\nANALYZE ", result);
    postgres_put(sql, postgres_stage_name(t->name), result);
    postgres_put(sql, ";\n", result);
    if (!is_all_key(t)) {
        update(t, sql, result);
    }
    insert(t, sql, result);
    postgres_put(sql, "\\endif\n", result);
    index_keys(t, sql, result);
}

enum result postgres_sql_after(const struct postgres_table *t, struct buf *sql)
{
    enum result result = RESULT_OK;

    postgres_put(sql, "\\.\n", &result);
    if (t->has_key) {
        merge(t, sql, &result);
    }
    postgres_put(sql, "COMMIT;\n", &result);
    return result;
}
