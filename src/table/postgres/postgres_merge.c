#include "table/postgres/postgres_merge.h"

#include "table/postgres/postgres_words.h"

#include <string.h>

#define UNIQUE_VIOLATION "23505"

static enum result run(struct postgres_target *t, struct buf *sql, enum result made,
                       struct err *err)
{
    enum result result = made == RESULT_OK ? postgres_link_run(t->link, sql, err)
                                           : err_nomem(err, "writing to PostgreSQL");

    buf_release(sql);
    return result;
}

/* --- words ------------------------------------------------------------------------------------------------ */

/* "schema"."table" */
static void put_table(const struct postgres_target *t, struct buf *sql, enum result *result)
{
    postgres_put_name(sql, str_view(t->schema), result);
    postgres_put(sql, ".", result);
    postgres_put_name(sql, t->name, result);
}

static void put_stage(const struct postgres_target *t, struct buf *sql, enum result *result)
{
    postgres_put(sql, "pg_temp.", result);
    postgres_put(sql, postgres_stage_name(t->name), result);
}

/* Where the rows of COPY are. */
static void put_place(const struct postgres_target *t, struct buf *sql, enum result *result)
{
    if (t->is_staged) {
        put_stage(t, sql, result);
    } else {
        put_table(t, sql, result);
    }
}

enum which { ALL, KEYS, OTHERS };

typedef void put_column_fn(const struct postgres_target *t, uint32_t column, struct buf *sql,
                           enum result *result);

static void put_each(const struct postgres_target *t, enum which which, const char *between,
                     put_column_fn *put_column, struct buf *sql, enum result *result)
{
    bool is_first = true;

    for (uint32_t i = 0; i < t->count; i++) {
        if (which == ALL || t->rows[i].is_key == (which == KEYS)) {
            postgres_put(sql, is_first ? "" : between, result);
            put_column(t, i, sql, result);
            is_first = false;
        }
    }
}

static void put_name(const struct postgres_target *t, uint32_t column, struct buf *sql,
                     enum result *result)
{
    postgres_put_name(sql, t->rows[column].from->name, result);
}

static void put_after(const char *before, const struct postgres_target *t, uint32_t column,
                      struct buf *sql, enum result *result)
{
    postgres_put(sql, before, result);
    put_name(t, column, sql, result);
}

static void put_old(const struct postgres_target *t, uint32_t column, struct buf *sql,
                    enum result *result)
{
    put_after("old.", t, column, sql, result);
}

static void put_new(const struct postgres_target *t, uint32_t column, struct buf *sql,
                    enum result *result)
{
    put_after("new.", t, column, sql, result);
}

static void put_same(const struct postgres_target *t, uint32_t column, struct buf *sql,
                     enum result *result)
{
    put_old(t, column, sql, result);
    put_after(" = new.", t, column, sql, result);
}

static void put_set(const struct postgres_target *t, uint32_t column, struct buf *sql,
                    enum result *result)
{
    put_name(t, column, sql, result);
    put_after(" = excluded.", t, column, sql, result);
}

/* As the table's column has it. */
static void put_cast(const struct postgres_target *t, uint32_t column, struct buf *sql,
                     enum result *result)
{
    const char *cast = t->columns[column].cast;

    postgres_put(sql, *cast ? "CAST(" : "", result);
    put_after("it.", t, column, sql, result);
    if (*cast) {
        postgres_put(sql, " AS ", result);
        postgres_put(sql, cast, result); /* a type as the server itself writes it */
        postgres_put(sql, ") AS ", result);
        put_name(t, column, sql, result);
    }
}

static const char *const stored[POSTGRES_STORE_COUNT] = {
    [POSTGRES_STORE_TEXT] = "text",
    [POSTGRES_STORE_INT8] = "bigint",
    [POSTGRES_STORE_FLOAT8] = "double precision",
    [POSTGRES_STORE_BOOLEAN] = "boolean",
    [POSTGRES_STORE_TIME] = NULL, /* as its own type says */
    [POSTGRES_STORE_DATE] = "date",
};

static void put_definition(const struct postgres_target *t, uint32_t column, struct buf *sql,
                           enum result *result)
{
    const struct postgres_row_column *of = &t->rows[column];

    put_name(t, column, sql, result);
    postgres_put(sql, " ", result);
    postgres_put(sql, stored[of->store] ? stored[of->store] : postgres_type(of->from), result);
}

/* --- before the rows -------------------------------------------------------------------------------------- */

void postgres_merge_create(const struct postgres_target *t, struct buf *sql, enum result *result)
{
    postgres_put(sql, "CREATE TABLE ", result);
    put_table(t, sql, result);
    postgres_put(sql, " (", result);
    put_each(t, ALL, ", ", put_definition, sql, result);
    postgres_put(sql, ");\n", result);
}

/* Columns that are lacking, and those that are too narrow. */
static void put_changes(const struct postgres_target *t, struct buf *sql, enum result *result)
{
    bool any = false;

    for (uint32_t i = 0; i < t->count; i++) {
        const struct postgres_target_column *column = &t->columns[i];

        if (column->there[0] && !column->wider) {
            continue;
        }
        postgres_put(sql, any ? ", " : "ALTER TABLE ", result);
        if (!any) {
            put_table(t, sql, result);
            postgres_put(sql, " ", result);
        }
        any = true;
        if (!column->there[0]) {
            postgres_put(sql, "ADD COLUMN ", result);
            put_definition(t, i, sql, result);
            continue;
        }
        postgres_put(sql, "ALTER COLUMN ", result);
        put_name(t, i, sql, result);
        postgres_put(sql, " TYPE ", result);
        postgres_put(sql, column->wider, result);
        postgres_put(sql, " USING ", result);
        put_name(t, i, sql, result);
        postgres_put(sql, "::text::", result);
        postgres_put(sql, column->wider, result);
    }
    postgres_put(sql, any ? ";\n" : "", result);
}

void postgres_merge_lock(const struct postgres_target *t, struct buf *sql, enum result *result)
{
    if (t->has_key) {
        postgres_put(sql, "LOCK TABLE ", result);
        put_table(t, sql, result);
        postgres_put(sql, " IN SHARE UPDATE EXCLUSIVE MODE;\n", result);
        return;
    }
    postgres_put(sql, "TRUNCATE ", result);
    put_table(t, sql, result);
    postgres_put(sql, ";\n", result);
    put_changes(t, sql, result);
}

void postgres_merge_stage(const struct postgres_target *t, struct buf *sql, enum result *result)
{
    postgres_put(sql, "CREATE TEMPORARY TABLE ", result);
    postgres_put(sql, postgres_stage_name(t->name), result);
    postgres_put(sql, " (", result);
    put_each(t, ALL, ", ", put_definition, sql, result);
    postgres_put(sql, ") ON COMMIT DROP;\n", result);
}

void postgres_merge_copy(const struct postgres_target *t, struct buf *sql, enum result *result)
{
    postgres_put(sql, "COPY ", result);
    put_place(t, sql, result);
    if (t->count) {
        postgres_put(sql, " (", result);
        put_each(t, ALL, ", ", put_name, sql, result);
        postgres_put(sql, ")", result);
    }
    postgres_put(sql, " FROM STDIN (FORMAT binary", result);
    /* The table came with this transaction, so nobody can see rows too early. */
    postgres_put(sql, t->is_there ? ")" : ", FREEZE)", result);
}

/* --- keys ------------------------------------------------------------------------------------------------- */

/* Of rows with one key the last counts; ctid is the order in which they came. */
static void put_drop_doubled(const struct postgres_target *t, struct buf *sql, enum result *result)
{
    postgres_put(sql, "DELETE FROM ", result);
    put_place(t, sql, result);
    postgres_put(sql,
                 " WHERE ctid IN (SELECT ctid FROM (SELECT ctid, row_number() OVER (PARTITION BY ",
                 result);
    put_each(t, KEYS, ", ", put_name, sql, result);
    postgres_put(sql, " ORDER BY ctid DESC) AS nth FROM ", result);
    put_place(t, sql, result);
    postgres_put(sql, ") AS it WHERE nth > 1);\n", result);
}

static void put_primary_key(const struct postgres_target *t, struct buf *sql, enum result *result)
{
    postgres_put(sql, "ALTER TABLE ", result);
    put_table(t, sql, result);
    postgres_put(sql, " ADD PRIMARY KEY (", result);
    put_each(t, KEYS, ", ", put_name, sql, result);
    postgres_put(sql, ");\n", result);
}

/* Mostly no key stands twice, and to find that out costs nothing: the key is made, or refused. */
static enum result key_new_table(struct postgres_target *t, struct err *err)
{
    struct buf sql = { 0 }, again = { 0 };
    enum result result = RESULT_OK, made = RESULT_OK;

    postgres_put(&sql, "SAVEPOINT scrapetop;\n", &made);
    put_primary_key(t, &sql, &made);
    result = run(t, &sql, made, err);
    if (result == RESULT_OK || !postgres_link_failed_by(t->link, UNIQUE_VIOLATION)) {
        return result;
    }
    postgres_put(&again, "ROLLBACK TO SAVEPOINT scrapetop;\n", &made);
    put_drop_doubled(t, &again, &made);
    put_primary_key(t, &again, &made);
    return run(t, &again, made, err);
}

static void note_yes(void *context, const char *const *values, int count)
{
    *(bool *)context |= count == 1 && values[0] && strcmp(values[0], "t") == 0;
}

static enum result ask(struct postgres_target *t, struct buf *sql, enum result made, bool *yes,
                       struct err *err)
{
    enum result result = made == RESULT_OK ? postgres_link_ask(t->link, sql, note_yes, yes, err)
                                           : err_nomem(err, "writing to PostgreSQL");

    buf_release(sql);
    return result;
}

static enum result drop_doubled(struct postgres_target *t, struct err *err)
{
    struct buf sql = { 0 }, drop = { 0 };
    enum result made = RESULT_OK, result;
    bool any = false;

    postgres_put(&sql, "SELECT EXISTS (SELECT 1 FROM ", &made);
    put_place(t, &sql, &made);
    postgres_put(&sql, " GROUP BY ", &made);
    put_each(t, KEYS, ", ", put_name, &sql, &made);
    postgres_put(&sql, " HAVING count(*) > 1)", &made);
    result = ask(t, &sql, made, &any, err);
    if (result != RESULT_OK || !any) {
        return result;
    }
    put_drop_doubled(t, &drop, &made);
    return run(t, &drop, made, err);
}

static void put_name_text(const struct postgres_target *t, uint32_t column, struct buf *sql,
                          enum result *result)
{
    postgres_put_text(sql, t->rows[column].from->name, result);
}

/* Whether an index tells just these columns apart, in whatever order. */
static void put_is_indexed(const struct postgres_target *t, struct buf *sql, enum result *result)
{
    postgres_put(sql,
                 "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_index AS i\n"
                 "  JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid\n"
                 "  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace\n"
                 "  WHERE n.nspname = current_schema() AND i.indisunique AND i.indisvalid AND "
                 "i.indimmediate\n  AND i.indpred IS NULL AND i.indexprs IS NULL AND c.relname = ",
                 result);
    postgres_put_text(sql, t->name, result);
    postgres_put(
        sql,
        "\n  AND ARRAY(SELECT a.attname::text COLLATE \"C\" FROM pg_catalog.pg_attribute AS a\n"
        "    WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[]) ORDER BY 1)\n"
        "  = ARRAY(SELECT k COLLATE \"C\" FROM unnest(ARRAY[",
        result);
    put_each(t, KEYS, ", ", put_name_text, sql, result);
    postgres_put(sql, "]) AS k ORDER BY 1))", result);
}

static enum result index_keys(struct postgres_target *t, struct err *err)
{
    struct buf sql = { 0 }, make = { 0 };
    enum result made = RESULT_OK, result;
    bool is_indexed = false;

    put_is_indexed(t, &sql, &made);
    result = ask(t, &sql, made, &is_indexed, err);
    if (result != RESULT_OK || is_indexed) {
        return result;
    }
    postgres_put(&make, "CREATE UNIQUE INDEX ON ", &made);
    put_table(t, &make, &made);
    postgres_put(&make, " (", &made);
    put_each(t, KEYS, ", ", put_name, &make, &made);
    postgres_put(&make, ")", &made);
    result = run(t, &make, made, err);
    if (result != RESULT_OK && postgres_link_failed_by(t->link, UNIQUE_VIOLATION)) {
        err_prefix(err, "--key: the rows of table %.*s cannot be told apart by it",
                   STR_ARG(t->name));
    }
    return result;
}

/* --- the merge -------------------------------------------------------------------------------------------- */

/* INSERT INTO ... SELECT ... FROM (what was staged, as the table has it) AS new */
static void put_insert(const struct postgres_target *t, struct buf *sql, enum result *result)
{
    postgres_put(sql, "INSERT INTO ", result);
    put_table(t, sql, result);
    postgres_put(sql, " (", result);
    put_each(t, ALL, ", ", put_name, sql, result);
    postgres_put(sql, ")\n  SELECT ", result);
    put_each(t, ALL, ", ", put_new, sql, result);
    postgres_put(sql, " FROM (SELECT ", result);
    put_each(t, ALL, ", ", put_cast, sql, result);
    postgres_put(sql, " FROM ", result);
    put_stage(t, sql, result);
    postgres_put(sql, " AS it) AS new", result);
}

static bool is_all_key(const struct postgres_target *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (!t->rows[i].is_key) {
            return false;
        }
    }
    return true;
}

/* A row that is as it was is not touched, not even locked: images of rows can be compared whatever their types are. */
static void put_merge(const struct postgres_target *t, struct buf *sql, enum result *result)
{
    bool all_key = is_all_key(t);

    put_insert(t, sql, result);
    postgres_put(sql, "\n  WHERE NOT EXISTS (SELECT 1 FROM ", result);
    put_table(t, sql, result);
    postgres_put(sql, " AS old WHERE ", result);
    put_each(t, KEYS, " AND ", put_same, sql, result);
    if (!all_key) {
        postgres_put(sql, "\n    AND ROW(", result);
        put_each(t, OTHERS, ", ", put_old, sql, result);
        postgres_put(sql, ")::record OPERATOR(pg_catalog.*=) ROW(", result);
        put_each(t, OTHERS, ", ", put_new, sql, result);
        postgres_put(sql, ")::record", result);
    }
    postgres_put(sql, ")\n  ON CONFLICT (", result);
    put_each(t, KEYS, ", ", put_name, sql, result);
    postgres_put(sql, all_key ? ") DO NOTHING" : ") DO UPDATE SET ", result);
    if (!all_key) {
        put_each(t, OTHERS, ", ", put_set, sql, result);
    }
    postgres_put(sql, ";\n", result);
}

static enum result merge_staged(struct postgres_target *t, struct err *err)
{
    struct buf changes = { 0 }, sql = { 0 };
    enum result made = RESULT_OK;
    enum result result = drop_doubled(t, err);

    if (result != RESULT_OK) {
        return result;
    }
    put_changes(t, &changes, &made);
    postgres_put(&changes, "ANALYZE ", &made);
    put_stage(t, &changes, &made);
    result = run(t, &changes, made, err);
    result = result == RESULT_OK ? index_keys(t, err) : result;
    if (result != RESULT_OK) {
        return result;
    }
    put_merge(t, &sql, &made);
    return run(t, &sql, made, err);
}

static enum result replace_staged(struct postgres_target *t, struct err *err)
{
    struct buf sql = { 0 };
    enum result made = RESULT_OK;

    put_insert(t, &sql, &made);
    return run(t, &sql, made, err);
}

enum result postgres_merge(struct postgres_target *t, struct err *err)
{
    if (t->is_staged) {
        return t->has_key ? merge_staged(t, err) : replace_staged(t, err);
    }
    return t->has_key ? key_new_table(t, err) : RESULT_OK;
}
