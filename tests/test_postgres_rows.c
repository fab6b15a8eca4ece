/* Cells as PostgreSQL's COPY reads them in binary, and what is refused on the way. */
#include "table/postgres/postgres_rows.h"

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

static enum result add_one(struct buf *block, enum postgres_store store,
                           struct type_decision decision, bool is_key, struct row_cell cell,
                           uint64_t *replaced, struct err *err)
{
    struct layout_column from = { .name = STR("c"), .decision = decision };
    struct postgres_row_column column = { .from = &from, .store = store, .is_key = is_key };
    const struct row row = { .cells = &cell, .count = 1, .number = 1 };

    return postgres_rows_add(block, &column, 1, &row, replaced, err);
}

/* In hexadecimal, without the count of columns. */
static void show(const struct buf *block, char *text)
{
    for (size_t i = 2; i < block->len; i++) {
        snprintf(text + 2 * (i - 2), 3, "%02x", (unsigned char)block->data[i]);
    }
}

static const struct {
    enum postgres_store store;
    enum type type;
    int64_t epoch_unit_us;
    enum cell_kind kind;
    const char *cell, *want; /* NULL: it is not of that type */
} values[] = {
    { POSTGRES_STORE_INT8, TYPE_INT64, 0, CELL_BARE, "258", "000000080000000000000102" },
    { POSTGRES_STORE_INT8, TYPE_INT64, 0, CELL_BARE, "-9223372036854775808",
      "000000088000000000000000" },
    { POSTGRES_STORE_INT8, TYPE_INT64, 0, CELL_BARE, "9223372036854775808", NULL },
    { POSTGRES_STORE_FLOAT8, TYPE_DOUBLE, 0, CELL_BARE, "1.5", "000000083ff8000000000000" },
    { POSTGRES_STORE_FLOAT8, TYPE_INT64, 0, CELL_BARE, "2", "000000084000000000000000" },
    { POSTGRES_STORE_FLOAT8, TYPE_DOUBLE, 0, CELL_STRING, "x", NULL },
    { POSTGRES_STORE_BOOLEAN, TYPE_BOOLEAN, 0, CELL_BARE, "true", "0000000101" },
    { POSTGRES_STORE_BOOLEAN, TYPE_BOOLEAN, 0, CELL_BARE, "false", "0000000100" },
    { POSTGRES_STORE_BOOLEAN, TYPE_BOOLEAN, 0, CELL_BARE, "1", NULL },
    { POSTGRES_STORE_TIME, TYPE_TIMESTAMP, 0, CELL_STRING, "2000-01-01T01:00:00.000002+01:00",
      "000000080000000000000002" },
    { POSTGRES_STORE_TIME, TYPE_LOCAL_TIMESTAMP, 0, CELL_STRING, "1999-12-31T23:59:59.999999",
      "00000008ffffffffffffffff" },
    { POSTGRES_STORE_TIME, TYPE_TIMESTAMP, 1000000, CELL_BARE, "946684801",
      "0000000800000000000f4240" },
    { POSTGRES_STORE_TIME, TYPE_TIMESTAMP, 1000000, CELL_BARE, "9223372036854775", NULL },
    { POSTGRES_STORE_TIME, TYPE_TIMESTAMP, 0, CELL_STRING, "2026-02-30T00:00:00Z", NULL },
    { POSTGRES_STORE_DATE, TYPE_DATE, 0, CELL_STRING, "2000-01-02", "0000000400000001" },
    { POSTGRES_STORE_DATE, TYPE_DATE, 0, CELL_STRING, "1999-12-31", "00000004ffffffff" },
    { POSTGRES_STORE_DATE, TYPE_DATE, 0, CELL_STRING, "1999-13-31", NULL },
    { POSTGRES_STORE_TEXT, TYPE_TEXT, 0, CELL_STRING, "", "00000000" },
    { POSTGRES_STORE_TEXT, TYPE_TEXT, 0, CELL_STRING, "a\\N", "00000003615c4e" },
    { POSTGRES_STORE_TEXT, TYPE_TEXT, 0, CELL_ESCAPED, "a\\nb", "00000003610a62" },
    { POSTGRES_STORE_TEXT, TYPE_TEXT, 0, CELL_JSON, "[1, 2]", "000000055b312c325d" },
    { POSTGRES_STORE_TEXT, TYPE_INT64, 0, CELL_BARE, "7", "0000000137" },
    { POSTGRES_STORE_TEXT, TYPE_DATE, 0, CELL_STRING, "2000-01-02",
      "0000000a323030302d30312d3032" },
};

static void values__are_what_the_server_keeps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct type_decision decision = { .type = values[i].type,
                                          .epoch_unit_us = values[i].epoch_unit_us };
        struct buf block = { 0 };
        char text[256] = "";
        uint64_t replaced = 0;
        struct err err;
        enum result result = add_one(&block, values[i].store, decision, false,
                                     cell_of(values[i].kind, values[i].cell), &replaced, &err);

        assert_int_equal(result, values[i].want ? RESULT_OK : RESULT_CORRUPT);
        if (values[i].want) {
            show(&block, text);
            assert_string_equal(text, values[i].want);
            assert_memory_equal(block.data, "\0\1", 2);
        }
        buf_release(&block);
    }
}

static void nul__becomes_another_character__and_is_counted(void **state)
{
    struct buf block = { 0 };
    uint64_t replaced = 0;
    char text[256] = "";
    struct err err;

    (void)state;
    assert_int_equal(add_one(&block, POSTGRES_STORE_TEXT,
                             (struct type_decision){ .type = TYPE_TEXT }, false,
                             cell_of(CELL_ESCAPED, "\\u0000a\\u0000\\u0000b"), &replaced, &err),
                     RESULT_OK);
    show(&block, text);
    assert_string_equal(text, "0000000befbfbd61efbfbdefbfbd62");
    assert_int_equal(replaced, 3);
    buf_release(&block);
}

static void cell__that_is_missing__is_null__but_in_a_key(void **state)
{
    struct buf block = { 0 };
    uint64_t replaced = 0;
    char text[64] = "";
    struct err err;
    struct row_cell none = cell_of(CELL_NULL, "");

    (void)state;
    assert_int_equal(add_one(&block, POSTGRES_STORE_INT8,
                             (struct type_decision){ .type = TYPE_INT64 }, false, none, &replaced,
                             &err),
                     RESULT_OK);
    show(&block, text);
    assert_string_equal(text, "ffffffff");
    assert_int_equal(add_one(&block, POSTGRES_STORE_INT8,
                             (struct type_decision){ .type = TYPE_INT64 }, true, none, &replaced,
                             &err),
                     RESULT_DENIED);
    assert_string_equal(err.code, "E-DB2");
    buf_release(&block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values__are_what_the_server_keeps),
        cmocka_unit_test(nul__becomes_another_character__and_is_counted),
        cmocka_unit_test(cell__that_is_missing__is_null__but_in_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
