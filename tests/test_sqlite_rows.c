/* Cells as SQLite's values, and what is refused on the way. */
#include "table/sqlite/sqlite_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct row_cell cell_of(enum cell_kind kind, const char *text)
{
    return (struct row_cell){ .row = 1, .kind = kind, .text = text, .len = (uint32_t)strlen(text) };
}

static enum result add_one(struct buf *block, const struct sqlite_column *column,
                           struct row_cell cell, uint64_t *lone_surrogates, struct err *err)
{
    const struct row row = { .cells = &cell, .count = 1, .number = 1 };

    return sqlite_rows_add(block, column, &row, lone_surrogates, err);
}

/* "i:7", "r:1.5", "t:text" or "n". */
static void describe(const struct sqlite_value *value, char *text, size_t size)
{
    switch (value->kind) {
    case SQLITE_VALUE_NULL:
        snprintf(text, size, "n");
        break;
    case SQLITE_VALUE_INTEGER:
        snprintf(text, size, "i:%lld", (long long)value->integer);
        break;
    case SQLITE_VALUE_REAL:
        snprintf(text, size, "r:%.17g", value->real);
        break;
    case SQLITE_VALUE_TEXT:
        snprintf(text, size, "t:%.*s", STR_ARG(value->text));
        break;
    }
}

static const struct {
    enum sqlite_store store;
    int64_t epoch_unit_us;
    enum cell_kind kind;
    const char *cell, *want; /* NULL: it is not of that type */
} values[] = {
    { SQLITE_STORE_INTEGER, 0, CELL_BARE, "9223372036854775807", "i:9223372036854775807" },
    { SQLITE_STORE_INTEGER, 0, CELL_BARE, "-9223372036854775808", "i:-9223372036854775808" },
    { SQLITE_STORE_INTEGER, 0, CELL_BARE, "9223372036854775808", NULL },
    { SQLITE_STORE_INTEGER, 0, CELL_STRING, "x", NULL },
    { SQLITE_STORE_REAL, 0, CELL_BARE, "1e300", "r:1.0000000000000001e+300" },
    { SQLITE_STORE_REAL, 0, CELL_BARE, "-0.5", "r:-0.5" },
    { SQLITE_STORE_REAL, 0, CELL_STRING, "1.5x", NULL },
    { SQLITE_STORE_BOOLEAN, 0, CELL_BARE, "true", "i:1" },
    { SQLITE_STORE_BOOLEAN, 0, CELL_BARE, "false", "i:0" },
    { SQLITE_STORE_BOOLEAN, 0, CELL_BARE, "1", NULL },
    { SQLITE_STORE_TIMESTAMP, 0, CELL_STRING, "2026-01-31T23:59:59.5+01:00",
      "t:2026-01-31T22:59:59.500000Z" },
    { SQLITE_STORE_TIMESTAMP, 0, CELL_STRING, "2026-02-30T00:00:00Z", NULL },
    { SQLITE_STORE_TIMESTAMP, 1000, CELL_BARE, "1700000000123", "t:2023-11-14T22:13:20.123000Z" },
    { SQLITE_STORE_TIMESTAMP, 1000000, CELL_BARE, "9223372036854775", NULL }, /* past int64 */
    { SQLITE_STORE_TIMESTAMP, 1000, CELL_STRING, "2026-01-31T23:59:59Z", NULL },
    { SQLITE_STORE_LOCAL, 0, CELL_STRING, "2026-01-31T23:59:59", "t:2026-01-31T23:59:59.000000" },
    { SQLITE_STORE_DATE, 0, CELL_STRING, "1969-12-31", "t:1969-12-31" },
    { SQLITE_STORE_DATE, 0, CELL_STRING, "1969-13-31", NULL },
    { SQLITE_STORE_TEXT, 0, CELL_STRING, "", "t:" },
    { SQLITE_STORE_TEXT, 0, CELL_BARE, "1.50", "t:1.50" },
    { SQLITE_STORE_TEXT, 0, CELL_ESCAPED, "a\\n\\u00e9\\\"", "t:a\n\xC3\xA9\"" },
    { SQLITE_STORE_TEXT, 0, CELL_JSON, "[1, 2]", "t:[1,2]" },
    { SQLITE_STORE_INTEGER, 0, CELL_NULL, "null", "n" },
};

static void value__comes_back__as_its_column_has_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const struct sqlite_column column = { .name = STR_INIT("c"),
                                              .store = values[i].store,
                                              .epoch_unit_us = values[i].epoch_unit_us };
        struct buf block = { 0 };
        uint64_t lone_surrogates = 0;
        struct err err;
        char text[80] = "refused";
        enum result result = add_one(&block, &column, cell_of(values[i].kind, values[i].cell),
                                     &lone_surrogates, &err);

        if (result == RESULT_OK) {
            const char *at = block.data;
            struct sqlite_value value = sqlite_rows_next(&at);

            describe(&value, text, sizeof text);
            assert_ptr_equal(at, block.data + block.len);
        } else {
            assert_int_equal(result, RESULT_CORRUPT);
        }
        if (strcmp(text, values[i].want ? values[i].want : "refused") != 0) {
            fail_msg("%s: %s instead of %s", values[i].cell, text,
                     values[i].want ? values[i].want : "refused");
        }
        buf_release(&block);
    }
}

static void rows__lie_one_after_the_other__cells_of_other_rows_are_none(void **state)
{
    const struct sqlite_column columns[] = { { .store = SQLITE_STORE_INTEGER },
                                             { .store = SQLITE_STORE_TEXT } };
    struct row_cell cells[] = { cell_of(CELL_BARE, "1"), cell_of(CELL_STRING, "a") };
    struct row row = { .cells = cells, .count = 2, .number = 1 };
    static const char *const want[] = { "i:1", "t:a", "n", "t:" };
    struct buf block = { 0 };
    uint64_t lone_surrogates = 0;
    const char *at;

    (void)state;
    assert_int_equal(sqlite_rows_add(&block, columns, &row, &lone_surrogates, NULL), RESULT_OK);
    row.number = 2; /* the first column has no cell of it */
    cells[1] = (struct row_cell){ .row = 2, .kind = CELL_STRING, .text = "" };
    assert_int_equal(sqlite_rows_add(&block, columns, &row, &lone_surrogates, NULL), RESULT_OK);
    at = block.data;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        struct sqlite_value value = sqlite_rows_next(&at);
        char text[20];

        describe(&value, text, sizeof text);
        assert_string_equal(text, want[i]);
    }
    assert_ptr_equal(at, block.data + block.len);
    buf_release(&block);
}

static void lone_surrogate__is_replaced_and_counted(void **state)
{
    const struct sqlite_column column = { .store = SQLITE_STORE_TEXT };
    struct buf block = { 0 };
    uint64_t lone_surrogates = 5;
    struct sqlite_value value;
    const char *at;

    (void)state;
    assert_int_equal(
        add_one(&block, &column, cell_of(CELL_ESCAPED, "a\\ud83d"), &lone_surrogates, NULL),
        RESULT_OK);
    at = block.data;
    value = sqlite_rows_next(&at);
    assert_int_equal(value.text.len, 4);
    assert_memory_equal(value.text.data, "a\xEF\xBF\xBD", 4);
    assert_int_equal(lone_surrogates, 6);
    buf_release(&block);
}

static void check_refused(const struct sqlite_column *column, struct row_cell cell,
                          enum result want, const char *words)
{
    struct buf block = { 0 };
    uint64_t lone_surrogates = 0;
    struct err err = { .text = "" };

    assert_int_equal(add_one(&block, column, cell, &lone_surrogates, &err), want);
    if (!strstr(err.text, words)) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    }
    buf_release(&block);
}

static void row__is_refused__when_the_table_cannot_hold_it(void **state)
{
    const struct sqlite_column key = { .name = STR_INIT("id"), .is_key = true };
    const struct sqlite_column rounds = { .name = STR_INIT("n"),
                                          .store = SQLITE_STORE_INTEGER,
                                          .rounds = true };
    const struct sqlite_column empty = { .name = STR_INIT("e"), .is_empty = true };

    (void)state;
    check_refused(&key, cell_of(CELL_NULL, "null"), RESULT_DENIED,
                  "--key id: a row has no value there");
    check_refused(&key, (struct row_cell){ .row = 0 }, RESULT_DENIED, "--where-present id");
    check_refused(&rounds, cell_of(CELL_BARE, "9007199254740993"), RESULT_DENIED,
                  "column n is REAL and would round 9007199254740993");
    check_refused(&rounds, cell_of(CELL_BARE, "-9007199254740993"), RESULT_DENIED, "would round");
    check_refused(&rounds, cell_of(CELL_BARE, "9007199254740992"), RESULT_OK, "");
    check_refused(&empty, cell_of(CELL_STRING, "x"), RESULT_CORRUPT, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value__comes_back__as_its_column_has_it),
        cmocka_unit_test(rows__lie_one_after_the_other__cells_of_other_rows_are_none),
        cmocka_unit_test(lone_surrogate__is_replaced_and_counted),
        cmocka_unit_test(row__is_refused__when_the_table_cannot_hold_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
