/* The statements around rows for PostgreSQL: names and texts from outside stay quoted, whatever they are. */
#include "table/postgres/postgres_sql.h"
#include "table/postgres/postgres_words.h"

#include "table/layout.h"
#include "table/table_spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct script {
    struct layout_column columns[4];
    struct layout layout;
    struct str keys[2];
    struct table_spec spec;
    struct format_target target;
    struct err err;
    struct buf before, after;
};

static void begin(struct script *s, const char *path)
{
    *s = (struct script){ .layout.columns = s->columns,
                          .spec.key = s->keys,
                          .target = { .path = path, .layout = &s->layout, .spec = &s->spec } };
}

static void add(struct script *s, struct str name, enum type type)
{
    s->columns[s->layout.count++] = (struct layout_column){ .name = name, .decision.type = type };
}

static enum result make(struct script *s)
{
    struct postgres_table table;
    enum result result = postgres_table_init(&table, &s->target, &s->err);

    buf_reset(&s->before);
    buf_reset(&s->after);
    if (result == RESULT_OK) {
        assert_int_equal(postgres_sql_before(&table, &s->before), RESULT_OK);
        assert_int_equal(postgres_sql_after(&table, &s->after), RESULT_OK);
    }
    postgres_table_release(&table);
    return result;
}

static void end(struct script *s)
{
    buf_release(&s->before);
    buf_release(&s->after);
}

static void check_has(struct buf *sql, const char *words)
{
    if (!strstr(buf_cstr(sql), words)) {
        fail_msg("no \"%s\" in\n%s", words, buf_cstr(sql));
    }
}

static void check_refused(struct script *s, enum result result, const char *words)
{
    assert_int_equal(make(s), result);
    if (!strstr(s->err.text, words)) {
        fail_msg("\"%s\" does not say \"%s\"", s->err.text, words);
    }
}

static void without_a_key__rows_are_replaced(void **state)
{
    struct script s;

    (void)state;
    begin(&s, "/x/day.items.sql");
    add(&s, STR("id"), TYPE_INT64);
    add(&s, STR("at"), TYPE_LOCAL_TIMESTAMP);
    assert_int_equal(make(&s), RESULT_OK);
    check_has(&s.before, "CREATE TABLE IF NOT EXISTS \"day.items\" (\n  \"id\" bigint,\n"
                         "  \"at\" timestamp without time zone\n);\n");
    check_has(&s.before,
              "TRUNCATE \"day.items\";\nCOPY \"day.items\" (\"id\", \"at\") FROM STDIN;\n");
    assert_string_equal(buf_cstr(&s.after), "\\.\nCOMMIT;\n");
    end(&s);
}

static void with_a_key__rows_take_the_place_of_others(void **state)
{
    struct script s;

    (void)state;
    begin(&s, "-");
    add(&s, STR("id"), TYPE_INT64);
    add(&s, STR("v"), TYPE_TEXT);
    s.keys[s.spec.key_count++] = STR("id");
    assert_int_equal(make(&s), RESULT_OK);
    check_has(&s.before, "CREATE TABLE IF NOT EXISTS \"items\"");
    check_has(&s.before, "COPY :\"scrapetop_into\" (\"id\", \"v\") FROM STDIN;\n");
    check_has(&s.after, "UPDATE \"items\" AS old SET \"v\" = new.\"v\"\n"
                        "  FROM scrapetop_new AS new WHERE old.\"id\" = new.\"id\"");
    check_has(&s.after, "CREATE UNIQUE INDEX ON \"items\" (\"id\");");
    s.spec.table = STR("scrapetop_new"); /* the stage has another name then */
    assert_int_equal(make(&s), RESULT_OK);
    check_has(&s.after, "FROM scrapetop_new_rows AS new");
    s.keys[s.spec.key_count++] = STR("v"); /* all columns: there is nothing to update */
    assert_int_equal(make(&s), RESULT_OK);
    assert_null(strstr(buf_cstr(&s.after), "UPDATE"));
    end(&s);
}

/* Takes what stands between quotes out: nothing of an attack may be left. */
static void check_quoted(struct buf *sql)
{
    char quote = 0;

    assert_non_null(buf_cstr(sql));
    for (char *p = sql->data; *p; p++) {
        if (quote) {
            quote = *p == quote ? 0 : quote;
            *p = ' ';
        } else if (*p == '"' || *p == '\'') {
            quote = *p;
            *p = ' ';
        }
    }
    assert_int_equal(quote, 0);
    if (strstr(sql->data, "EVIL")) {
        fail_msg("outside of quotes:\n%s", sql->data);
    }
}

static void names__stay_quoted__whatever_they_are(void **state)
{
    static const char *const attacks[] = {
        "\"; EVIL --", "'; EVIL --", "\"\"EVIL\"", "''EVIL'",      "\\'; EVIL", "EVIL\n\\! EVIL\n",
        ":EVIL",       "$$EVIL",     "/* EVIL",    "E'\\''; EVIL", "%I EVIL",   "\xC2\xA0\" EVIL",
    };

    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
        struct script s;

        begin(&s, "x.sql");
        s.spec.table = str_view(attacks[i]);
        add(&s, str_view(attacks[i]), TYPE_TEXT);
        add(&s, STR("v"), TYPE_DOUBLE);
        s.keys[s.spec.key_count++] = str_view(attacks[i]);
        assert_int_equal(make(&s), RESULT_OK);
        check_quoted(&s.before);
        check_quoted(&s.after);
        end(&s);
    }
}

static void names__that_postgresql_has_not__are_refused(void **state)
{
    char longest[POSTGRES_NAME_MAX + 2];
    struct script s;

    (void)state;
    memset(longest, 'x', sizeof longest);
    begin(&s, "x.sql");
    add(&s, (struct str){ longest, POSTGRES_NAME_MAX }, TYPE_TEXT);
    assert_int_equal(make(&s), RESULT_OK);
    s.columns[0].name.len++;
    check_refused(&s, RESULT_DENIED, "names have 1 to 63 bytes and no NUL");
    s.columns[0].name = STR("");
    check_refused(&s, RESULT_DENIED, "\"\": PostgreSQL's names");
    s.columns[0].name = STR("a\0b");
    check_refused(&s, RESULT_DENIED, "no NUL");
    s.columns[0].name = STR("a");
    s.spec.table = STR("");
    check_refused(&s, RESULT_DENIED, "\"\": PostgreSQL's names");
    s.spec.table = STR("t");
    s.keys[s.spec.key_count++] = STR("A"); /* another name, to PostgreSQL */
    check_refused(&s, RESULT_NOT_FOUND, "--key A: the table has no such column");
    end(&s);
}

static void columns__more_than_postgresql_has__are_refused(void **state)
{
    struct layout_column *columns = calloc(POSTGRES_COLUMNS_MAX + 1, sizeof *columns);
    struct script s;

    (void)state;
    assert_non_null(columns);
    for (size_t i = 0; i <= POSTGRES_COLUMNS_MAX; i++) {
        columns[i].name = STR("c");
    }
    begin(&s, "x.sql");
    s.layout.columns = columns;
    s.layout.count = POSTGRES_COLUMNS_MAX + 1;
    check_refused(&s, RESULT_DENIED, "1601 columns; PostgreSQL's tables have 1600 at most");
    end(&s);
    free(columns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_key__rows_are_replaced),
        cmocka_unit_test(with_a_key__rows_take_the_place_of_others),
        cmocka_unit_test(names__stay_quoted__whatever_they_are),
        cmocka_unit_test(names__that_postgresql_has_not__are_refused),
        cmocka_unit_test(columns__more_than_postgresql_has__are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
