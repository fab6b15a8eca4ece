/* A table in SQLite made ready for rows: names, types, what is there already, and what others made of it. */
#include "table/sqlite/sqlite_table.h"

#include "table/layout.h"
#include "table/sqlite/sqlite_insert.h"
#include "table/table_spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROOM 8

struct world {
    sqlite3 *db;
    struct layout_column columns[ROOM];
    struct layout layout;
    struct str keys[2];
    struct table_spec spec;
    struct format_target target;
    struct sqlite_table table;
    struct err err;
};

static const struct type_facts no_values; /* a column in which nothing was ever met */

static int set_up(void **state)
{
    static struct world w;

    w = (struct world){ .layout.columns = w.columns,
                        .spec.key = w.keys,
                        .target = { .path = "/x/items.db", .layout = &w.layout, .spec = &w.spec } };
    assert_int_equal(sqlite3_open(":memory:", &w.db), SQLITE_OK);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    sqlite_table_release(&w->table);
    assert_int_equal(sqlite3_close(w->db), SQLITE_OK); /* busy when a statement is left */
    return 0;
}

static void add_str(struct world *w, struct str name, enum type type)
{
    assert_true(w->layout.count < ROOM);
    w->columns[w->layout.count++] = (struct layout_column){ .name = name, .decision.type = type };
}

static void add(struct world *w, const char *name, enum type type)
{
    add_str(w, str_view(name), type);
}

static void add_key(struct world *w, const char *name)
{
    w->keys[w->spec.key_count++] = str_view(name);
}

static enum result make(struct world *w)
{
    sqlite_table_release(&w->table);
    w->table = (struct sqlite_table){ .target = &w->target, .db = w->db };
    w->err.text[0] = '\0';
    return sqlite_table_make(&w->table, &w->err);
}

static void make_well(struct world *w)
{
    if (make(w) != RESULT_OK) {
        fail_msg("%s", w->err.text);
    }
}

static void check_refused(struct world *w, enum result result, const char *words)
{
    assert_int_equal(make(w), result);
    if (!strstr(w->err.text, words)) {
        fail_msg("\"%s\" does not say \"%s\"", w->err.text, words);
    }
}

static void run(struct world *w, const char *sql)
{
    if (sqlite3_exec(w->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(w->db));
    }
}

/* The only value that `sql` gives. */
static void check_sql(struct world *w, const char *sql, const char *want)
{
    sqlite3_stmt *st;

    assert_int_equal(sqlite3_prepare_v2(w->db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(st, 0), want);
    sqlite3_finalize(st);
}

#define SCHEMA "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'items'"
#define NAMES "SELECT group_concat(name, '|') FROM pragma_table_info('items')"
#define INDICES "SELECT group_concat(sql, '|') FROM sqlite_master WHERE type = 'index'"

/* --- a table that was not there ---------------------------------------------------------------------------- */

static void make__creates_columns_of_their_types(void **state)
{
    struct world *w = *state;

    add(w, "id", TYPE_INT64);
    add(w, "x", TYPE_DOUBLE);
    add(w, "yes", TYPE_BOOLEAN);
    add(w, "at", TYPE_TIMESTAMP);
    add(w, "local", TYPE_LOCAL_TIMESTAMP);
    add(w, "day", TYPE_DATE);
    add(w, "text", TYPE_TEXT);
    add(w, "none", TYPE_TEXT);
    w->columns[7].facts = &no_values;
    make_well(w);
    check_sql(w, SCHEMA,
              "CREATE TABLE \"items\"(\"id\" INTEGER,\"x\" REAL,\"yes\" BOOLEAN,\"at\" TIMESTAMP,"
              "\"local\" TIMESTAMP,\"day\" DATE,\"text\" TEXT,\"none\")");
    assert_false(w->table.is_empty);
}

static void make__gives_a_key_its_type__without_any_value(void **state)
{
    struct world *w = *state;

    add(w, "a", TYPE_TEXT);
    add(w, "b", TYPE_INT64);
    w->columns[0].facts = &no_values;
    add_key(w, "B");
    add_key(w, "a");
    make_well(w);
    check_sql(w, SCHEMA,
              "CREATE TABLE \"items\"(\"a\" TEXT,\"b\" INTEGER, PRIMARY KEY (\"B\",\"a\"))");
    assert_true(w->table.columns[0].is_key && w->table.columns[1].is_key);
}

static void make__has_a_column_that_stays_empty__without_columns(void **state)
{
    struct world *w = *state;

    make_well(w);
    assert_true(w->table.is_empty);
    check_sql(w, SCHEMA, "CREATE TABLE \"items\"(\"value\")");
    add_key(w, "value"); /* which is none of the records' */
    check_refused(w, RESULT_INVALID, "--key value: the table has no such column");
}

static void name__is_the_files__or_what_was_asked_for(void **state)
{
    static const struct {
        const char *path, *table, *want;
    } cases[] = {
        { "a.b.db", NULL, "a.b" }, { "/x.y/plain", NULL, "plain" },
        { "/x/.db", NULL, ".db" }, { "x.db", "it\"s", "it\"s" },
        { "x.db", "", "" },
    };
    struct world *w = *state;

    add(w, "a", TYPE_TEXT);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        w->target.path = cases[i].path;
        w->spec.table = cases[i].table ? str_view(cases[i].table) : STR_NONE;
        make_well(w);
        check_sql(w, "SELECT name FROM sqlite_master ORDER BY rowid DESC", cases[i].want);
    }
}

static void names__that_are_one_to_sqlite__get_numbers(void **state)
{
    struct world *w = *state;

    add(w, "id", TYPE_TEXT);
    add(w, "ID", TYPE_TEXT);
    add(w, "ID_2", TYPE_TEXT); /* taken by the one before */
    add(w, "iD", TYPE_TEXT);
    add_str(w, STR("a\0b"), TYPE_TEXT); /* a NUL would end the statement */
    add(w, "a b", TYPE_TEXT);
    add(w, "\");DROP TABLE x;--", TYPE_TEXT);
    add(w, "", TYPE_TEXT);
    make_well(w);
    check_sql(w, NAMES, "id|ID_2|ID_2_2|iD_3|a b|a b_2|\");DROP TABLE x;--|");
    make_well(w); /* they are found again, or made again */
    check_sql(w, NAMES, "id|ID_2|ID_2_2|iD_3|a b|a b_2|\");DROP TABLE x;--|");
}

static void columns__more_than_sqlite_has__are_refused(void **state)
{
    struct world *w = *state;

    sqlite3_limit(w->db, SQLITE_LIMIT_COLUMN, 6);
    for (const char *name = "fedcba"; *name; name++) {
        add(w, name, TYPE_TEXT);
    }
    make_well(w);
    add(w, "x", TYPE_TEXT);
    check_refused(w, RESULT_LIMIT, "7 columns: a table of SQLite has 6 at most");
    sqlite3_limit(w->db, SQLITE_LIMIT_COLUMN, 2000);
    check_sql(w, NAMES, "fedcba|edcba|dcba|cba|ba|a"); /* the old one is there */
}

/* --- a table that is there ---------------------------------------------------------------------------------- */

static void make__begins_anew__without_a_key(void **state)
{
    struct world *w = *state;

    run(w, "CREATE TABLE ITEMS(old); INSERT INTO items VALUES (1); CREATE TABLE other(x)");
    add(w, "a", TYPE_TEXT);
    make_well(w);
    check_sql(w, "SELECT group_concat(sql, '|') FROM sqlite_master",
              "CREATE TABLE other(x)|CREATE TABLE \"items\"(\"a\" TEXT)");
}

static void make__adds_columns_and_an_index__with_a_key(void **state)
{
    struct world *w = *state;

    run(w, "CREATE TABLE items(ID INTEGER, old); INSERT INTO items VALUES (1, 2), (2, NULL)");
    add(w, "id", TYPE_INT64);
    add(w, "new", TYPE_TIMESTAMP);
    add_key(w, "id");
    for (int i = 0; i < 2; i++) { /* nothing is done twice */
        make_well(w);
        check_sql(w, NAMES, "ID|old|new");
        check_sql(w, INDICES, "CREATE UNIQUE INDEX \"items_key\" ON \"items\"(\"id\")");
        check_sql(w, "SELECT sum(old) FROM items", "2");
    }
}

static void index__takes_another_name__when_its_own_is_taken(void **state)
{
    struct world *w = *state;

    run(w, "CREATE TABLE items(id, day); CREATE TABLE items_key(x); CREATE INDEX ITEMS_KEY_2 ON "
           "items(day)");
    add(w, "id", TYPE_INT64);
    add(w, "day", TYPE_DATE);
    add_key(w, "id");
    make_well(w);
    w->keys[0] = STR("day"); /* somebody thinks better of it */
    make_well(w);
    check_sql(w, INDICES,
              "CREATE INDEX ITEMS_KEY_2 ON items(day)|"
              "CREATE UNIQUE INDEX \"items_key_3\" ON \"items\"(\"id\")|"
              "CREATE UNIQUE INDEX \"items_key_4\" ON \"items\"(\"day\")");
}

static void table__that_cannot_take_what_comes__is_refused(void **state)
{
    static const struct {
        const char *sql, *words;
    } cases[] = {
        { "CREATE TABLE t(id); CREATE VIEW Items AS SELECT * FROM t",
          "items is a view in /x/items.db" },
        { "CREATE TABLE items(id); INSERT INTO items VALUES (1), (1)",
          "the rows of table items cannot be told apart by it: UNIQUE constraint failed: "
          "items.id" },
        { "CREATE TABLE items(id INTEGER PRIMARY KEY, v TEXT AS (id || 'x'))",
          "column v of table items is generated and takes no values" },
        { "CREATE TABLE items(id INTEGER PRIMARY KEY, v TEXT AS (id || 'x') STORED)",
          "column v of table items is generated and takes no values" },
        { "CREATE TABLE items(id INTEGER PRIMARY KEY) STRICT", "table items takes no column v: " },
    };
    struct world *w = *state;

    add(w, "id", TYPE_INT64);
    add(w, "v", TYPE_TIMESTAMP);
    add_key(w, "id");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run(w, "SAVEPOINT before");
        run(w, cases[i].sql);
        check_refused(w, RESULT_INVALID, cases[i].words);
        run(w, "ROLLBACK TO before");
    }
    w->keys[0] = STR("missing");
    check_refused(w, RESULT_INVALID, "--key missing: the table has no such column");
}

/* What a declared type makes of values: SQLite's rule, by the letters in its name. */
static void column__of_others__fits_or_is_refused(void **state)
{
    enum fate { FITS, AS_TEXT, ROUNDS, IS_REFUSED };
    static const struct {
        const char *declared;
        enum type type;
        enum fate fate;
    } cases[] = {
        { "TEXT", TYPE_TEXT, FITS },
        { "", TYPE_TEXT, FITS },
        { "BLOB", TYPE_TEXT, FITS },
        { "VARCHAR(9)", TYPE_INT64, AS_TEXT },
        { "CLOB", TYPE_TIMESTAMP, AS_TEXT },
        { "nvarchar", TYPE_BOOLEAN, AS_TEXT },
        { "INTEGER", TYPE_TEXT, IS_REFUSED },
        { "CHARINT", TYPE_TEXT, IS_REFUSED },
        { "FLOATING POINT", TYPE_TEXT, IS_REFUSED },
        { "DECIMAL(9,2)", TYPE_TEXT, IS_REFUSED },
        { "TIMESTAMP", TYPE_TEXT, IS_REFUSED }, /* "007" would become 7 */
        { "DATETIME", TYPE_TIMESTAMP, FITS },
        { "DATE", TYPE_LOCAL_TIMESTAMP, FITS },
        { "timestamp", TYPE_DATE, FITS },
        { "INTEGER", TYPE_TIMESTAMP, IS_REFUSED },
        { "NUMERIC", TYPE_DATE, IS_REFUSED },
        { "INTEGER", TYPE_DOUBLE, FITS },
        { "BOOLEAN", TYPE_INT64, FITS },
        { "DOUBLE", TYPE_INT64, ROUNDS },
        { "float", TYPE_INT64, ROUNDS },
        { "REAL", TYPE_DOUBLE, FITS },
    };
    struct world *w = *state;

    add(w, "id", TYPE_INT64);
    add(w, "v", TYPE_TEXT);
    add_key(w, "id");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sqlite_column *v;
        enum result result;
        enum fate fate;
        char sql[120];

        snprintf(sql, sizeof sql,
                 "DROP TABLE IF EXISTS items; CREATE TABLE items(id INTEGER PRIMARY KEY, v %s)",
                 cases[i].declared);
        run(w, sql);
        w->columns[1].decision.type = cases[i].type;
        result = make(w);
        v = &w->table.columns[1];
        fate = result != RESULT_OK                                           ? IS_REFUSED
               : v->rounds                                                   ? ROUNDS
               : v->store == SQLITE_STORE_TEXT && cases[i].type != TYPE_TEXT ? AS_TEXT
                                                                             : FITS;
        if (fate != cases[i].fate || (fate == IS_REFUSED && result != RESULT_INVALID)) {
            fail_msg("%s, type %d: %d instead of %d; %s", cases[i].declared, (int)cases[i].type,
                     (int)fate, (int)cases[i].fate, w->err.text);
        }
    }
}

static void column__without_values__keeps_texts_from_one_that_would_change_them(void **state)
{
    struct world *w = *state;

    run(w, "CREATE TABLE items(id INTEGER PRIMARY KEY, v INTEGER, t TEXT)");
    add(w, "id", TYPE_INT64);
    add(w, "v", TYPE_TEXT);
    add(w, "t", TYPE_TEXT);
    w->columns[1].facts = w->columns[2].facts = &no_values;
    add_key(w, "id");
    make_well(w);
    assert_true(w->table.columns[1].is_empty);
    assert_false(w->table.columns[2].is_empty);
}

/* --- rows --------------------------------------------------------------------------------------------------- */

static void check_insert(struct world *w, const char *want)
{
    sqlite3_stmt *insert = NULL;

    make_well(w);
    assert_int_equal(sqlite_table_insert(&w->table, 1, &insert, &w->err), RESULT_OK);
    assert_string_equal(sqlite3_sql(insert), want);
    sqlite3_finalize(insert);
}

static void insert__replaces_by_the_key(void **state)
{
    struct world *w = *state;

    add(w, "id", TYPE_INT64);
    check_insert(w, "INSERT INTO \"items\"(\"id\") VALUES (?)");
    add_key(w, "id");
    run(w, "DROP TABLE items");
    check_insert(w, "INSERT INTO \"items\"(\"id\") VALUES (?) ON CONFLICT (\"id\") DO NOTHING");
    add(w, "a\"b", TYPE_TEXT);
    add(w, "c", TYPE_TEXT);
    check_insert(
        w, "INSERT INTO \"items\"(\"id\",\"a\"\"b\",\"c\") VALUES (?,?,?) ON CONFLICT (\"id\") "
           "DO UPDATE SET \"a\"\"b\"=excluded.\"a\"\"b\",\"c\"=excluded.\"c\" WHERE "
           "(\"a\"\"b\" COLLATE BINARY,\"c\" COLLATE BINARY) IS NOT "
           "(excluded.\"a\"\"b\",excluded.\"c\")");
}

static void insert__takes_several_rows__of_one_key_too(void **state)
{
    struct world *w = *state;
    sqlite3_stmt *insert = NULL;

    add(w, "id", TYPE_INT64);
    add(w, "c", TYPE_TEXT);
    add_key(w, "id");
    make_well(w);
    assert_int_equal(sqlite_table_rows_at_once(&w->table), 16);
    assert_int_equal(sqlite_table_insert(&w->table, 3, &insert, &w->err), RESULT_OK);
    assert_int_equal(sqlite3_bind_parameter_count(insert), 6);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sqlite3_bind_int(insert, 2 * i + 1, i ? 7 : 1), SQLITE_OK);
        assert_int_equal(sqlite3_bind_text(insert, 2 * i + 2, &"abc"[i], 1, SQLITE_STATIC),
                         SQLITE_OK);
    }
    assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
    sqlite3_finalize(insert);
    check_sql(w, "SELECT group_concat(id || c) FROM items", "1a,7c");
}

/* One row, with `c` as SQL has it; how many were changed. */
static int put(struct world *w, const char *c)
{
    char sql[64];
    sqlite3_stmt *value, *insert = NULL;

    snprintf(sql, sizeof sql, "SELECT %s", c);
    assert_int_equal(sqlite3_prepare_v2(w->db, sql, -1, &value, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(value), SQLITE_ROW);
    assert_int_equal(sqlite_table_insert(&w->table, 1, &insert, &w->err), RESULT_OK);
    assert_int_equal(sqlite3_bind_int(insert, 1, 7), SQLITE_OK);
    assert_int_equal(sqlite3_bind_value(insert, 2, sqlite3_column_value(value, 0)), SQLITE_OK);
    run(w, "UPDATE items SET id = id WHERE 0"); /* changes() is 0 */
    assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
    sqlite3_finalize(insert);
    sqlite3_finalize(value);
    return sqlite3_changes(w->db);
}

static void insert__writes_rows_that_differ__alone(void **state)
{
    struct world *w = *state;

    add(w, "id", TYPE_INT64);
    add(w, "c", TYPE_TEXT);
    add_key(w, "id");
    run(w, "CREATE TABLE items(id INTEGER PRIMARY KEY, c TEXT COLLATE NOCASE)");
    make_well(w);
    assert_int_equal(put(w, "NULL"), 1);
    assert_int_equal(put(w, "NULL"), 0);
    assert_int_equal(put(w, "'a'"), 1);
    assert_int_equal(put(w, "'a'"), 0);
    assert_int_equal(put(w, "'A'"), 1);
    assert_int_equal(put(w, "''"), 1);
    assert_int_equal(put(w, "NULL"), 1);
}

static void rows_at_once__are_fewer__of_many_columns(void **state)
{
    static const struct {
        uint32_t columns, rows;
    } cases[] = { { 1, 16 }, { 64, 16 }, { 65, 15 }, { 512, 2 }, { 513, 1 }, { 2000, 1 } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sqlite_table table = { .count = cases[i].columns };

        assert_int_equal(sqlite_table_rows_at_once(&table), cases[i].rows);
    }
}

static void failure__is_told_as_what_it_is(void **state)
{
    struct world *w = *state;

    add(w, "id", TYPE_INT64);
    run(w, "PRAGMA query_only = 1");
    check_refused(w, RESULT_IO, "/x/items.db may not be written to");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(make__creates_columns_of_their_types),
        TEST(make__gives_a_key_its_type__without_any_value),
        TEST(make__has_a_column_that_stays_empty__without_columns),
        TEST(name__is_the_files__or_what_was_asked_for),
        TEST(names__that_are_one_to_sqlite__get_numbers),
        TEST(columns__more_than_sqlite_has__are_refused),
        TEST(make__begins_anew__without_a_key),
        TEST(make__adds_columns_and_an_index__with_a_key),
        TEST(index__takes_another_name__when_its_own_is_taken),
        TEST(table__that_cannot_take_what_comes__is_refused),
        TEST(column__of_others__fits_or_is_refused),
        TEST(column__without_values__keeps_texts_from_one_that_would_change_them),
        TEST(insert__replaces_by_the_key),
        TEST(insert__takes_several_rows__of_one_key_too),
        TEST(insert__writes_rows_that_differ__alone),
        TEST(rows_at_once__are_fewer__of_many_columns),
        TEST(failure__is_told_as_what_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
