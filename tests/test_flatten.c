#include "normalise/flatten.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Rows as "name=text;" with a line for each row; null is "name=~;". */
struct told {
    struct buf text;
    const struct columns *columns;
};

/* Where there is a list of columns that may have a cell, all that have one are in it, in their order. */
static void check_filled(const struct row *row)
{
    size_t n = 0;

    for (uint32_t i = 0; row->filled && i < row->count; i++) {
        if (n < row->filled_count && row->filled[n] == i) {
            n++;
        } else {
            assert_null(row_cell(row, i));
        }
    }
    assert_int_equal(n, row->filled_count);
}

static enum result tell_row(void *context, const struct row *row)
{
    struct told *told = context;
    enum result result = RESULT_OK;

    check_filled(row);
    for (uint32_t i = 0; result == RESULT_OK && i < row->count; i++) {
        const struct row_cell *cell = &row->cells[i];

        if (cell->row == row->number) {
            result = buf_printf(&told->text, "%.*s=%.*s;", STR_ARG(columns_name(told->columns, i)),
                                cell->kind == CELL_NULL ? 1 : (int)cell->len,
                                cell->kind == CELL_NULL ? "~" : cell->text);
        }
    }
    return result == RESULT_OK ? buf_append_char(&told->text, '\n') : result;
}

static void learn(struct columns *columns, const struct json_pointer *pointer, struct str text,
                  uint64_t chunk)
{
    struct flatten *f = flatten_new(pointer, columns, FLATTEN_LEARN);
    struct flatten_counts counts = { 0 };

    assert_non_null(f);
    assert_true(json_check(text, JSON_DEPTH_MAX, NULL));
    flatten_enter_chunk(f, chunk);
    assert_int_equal(flatten_document(f, text, NULL, NULL, &counts, NULL), RESULT_OK);
    flatten_free(f);
}

static void assert_rows(const char *records, struct str text, const char *want,
                        struct flatten_counts *counts)
{
    struct columns *columns = columns_new();
    struct json_pointer pointer;
    const struct json_pointer *p = records ? &pointer : NULL;
    struct told told = { .columns = columns };
    struct flatten_counts ignored = { 0 };
    struct flatten *f;

    assert_non_null(columns);
    assert_int_equal(json_pointer_parse(&pointer, str_view(records), NULL), RESULT_OK);
    learn(columns, p, text, 0);
    assert_int_equal(columns_settle(columns, STR("."), NULL), RESULT_OK);
    f = flatten_new(p, columns, FLATTEN_FILL);
    assert_non_null(f);
    assert_int_equal(flatten_document(f, text, tell_row, &told, counts ? counts : &ignored, NULL),
                     RESULT_OK);
    assert_string_equal(buf_cstr(&told.text), want);
    buf_release(&told.text);
    flatten_free(f);
    columns_free(columns);
}

static void flatten_document__joins_keys__when_objects_are_nested(void **state)
{
    (void)state;
    assert_rows(NULL, STR("{\"a\":{\"b\":{\"c\":1}},\"d\":[1, 2],\"e\":null}"),
                "a.b.c=1;d=[1, 2];e=~;\n", NULL);
    assert_rows(NULL, STR("[{\"a\":{\"b\":1},\"c\":2},{\"c\":3,\"a\":{\"b\":4}}]"),
                "a.b=1;c=2;\na.b=4;c=3;\n", NULL);
    assert_rows(NULL, STR(" [ { \"a\" : \"x\\\"y\" , \"b\" : { } , \"c\" : 1.50 } ] "),
                "a=x\\\"y;c=1.50;\n", NULL);
}

/* Names that begin and end alike, of which a part is another one, that are escaped, too long to be kept, or stand below
 * another member as well; in each record elsewhere, and the last of them at the end of the text. */
static void flatten_document__knows_members__wherever_they_stand(void **state)
{
    (void)state;
    assert_rows(
        NULL,
        STR("[{\"a\":1,\"ab\":2,\"o\":{\"a\":3,\"ab\":4},\"q\\\"a\":5,\"a_name_of_more_than_"
            "thirty_two_letters_1\":6,\"a_name_of_more_than_thirty_two_letters_2\":7,\"\":8},"
            "{\"\":9,\"o\":{\"ab\":10,\"a\":11},\"a_name_of_more_than_thirty_two_letters_2\":12,"
            "\"q\\\"a\":13,\"ab\":14,\"a\":15},{\"q\\u0022a\":16,\"\\u0061\":17,\"o\":{\"a\":18}},"
            "{\"ab\":19}]"),
        "a=1;ab=2;o.a=3;o.ab=4;q\"a=5;a_name_of_more_than_thirty_two_letters_1=6;"
        "a_name_of_more_than_thirty_two_letters_2=7;=8;\n"
        "a=15;ab=14;o.a=11;o.ab=10;q\"a=13;a_name_of_more_than_thirty_two_letters_2=12;=9;\n"
        "a=17;o.a=18;q\"a=16;\nab=19;\n",
        NULL);
}

static void flatten_document__makes_value__when_record_is_no_object(void **state)
{
    (void)state;
    assert_rows(NULL, STR("[1,\"x\",[2],true]"), "value=1;\nvalue=x;\nvalue=[2];\nvalue=true;\n",
                NULL);
    assert_rows(NULL, STR("\"top\""), "value=top;\n", NULL);
    assert_rows(NULL, STR("null"), "", NULL);
    assert_rows(NULL, STR("[]"), "", NULL);
    assert_rows(NULL, STR("[{},{\"a\":1}]"), "\na=1;\n", NULL);
}

static void flatten_document__follows_records__when_pointer_has_stars(void **state)
{
    static const struct str trains =
        STR_INIT("{\"26\":{\"t\":[{\"s\":1},{\"s\":2}]},\"33\":{\"t\":{\"s\":3}},\"no\":{}}");
    struct flatten_counts counts = { 0 };

    (void)state;
    assert_rows("/*/t", trains, "_key=26;s=1;\n_key=26;s=2;\n_key=33;s=3;\n", &counts);
    assert_int_equal(counts.matches, 2);
    assert_int_equal(counts.rows, 3);
    assert_rows("/26/t/*/s", trains, "value=1;\nvalue=2;\n", NULL);
    assert_rows("/nope", trains, "", &counts);
    assert_int_equal(counts.matches, 2);
    assert_rows("/items", STR("{\"items\":null}"), "", &counts);
    assert_int_equal(counts.matches, 3);
}

static void flatten_document__keeps_the_last__when_keys_are_equal(void **state)
{
    struct flatten_counts counts = { 0 };

    (void)state;
    assert_rows(NULL, STR("{\"a\":1,\"b\":2,\"a\":3}"), "a=3;b=2;\n", &counts);
    assert_int_equal(counts.duplicate_keys, 1);
    assert_rows(NULL, STR("{\"o\":{\"x\":1,\"p\":{\"q\":2}},\"k\":0,\"o\":{\"p\":{}}}"), "k=0;\n",
                &counts);
    assert_int_equal(counts.duplicate_keys, 2);
    assert_rows(NULL, STR("{\"a\":1,\"a\":{\"b\":2},\"a\":3,\"a\":{\"b\":4}}"), "a.b=4;\n",
                &counts);
    assert_int_equal(counts.duplicate_keys, 5);
    /* The same key in the next record is no duplicate. */
    assert_rows(NULL, STR("[{\"a\":1},{\"a\":2}]"), "a=1;\na=2;\n", &counts);
    assert_int_equal(counts.duplicate_keys, 5);
    /* An escape does not make it another key. */
    assert_rows(NULL, STR("{\"\\u0061\":1,\"a\":2}"), "a=2;\n", &counts);
    assert_int_equal(counts.duplicate_keys, 6);
}

static void flatten_document__tells__when_input_changed_after_learning(void **state)
{
    static const struct str later[] = {
        STR_INIT("{\"new\":1}"),         STR_INIT("{\"a\":1}"), STR_INIT("{\"a\":{\"b\""),
        STR_INIT("{\"a\":{\"b\":"),      STR_INIT("{\"a\" 1"),  STR_INIT("{"),
        STR_INIT("{\"a\":{\"b\":1 2}}"),
    };
    struct columns *columns = columns_new();
    struct told told = { .columns = columns };
    struct flatten *f;

    (void)state;
    learn(columns, NULL, STR("{\"a\":{\"b\":1}}"), 0);
    assert_int_equal(columns_settle(columns, STR("."), NULL), RESULT_OK);
    f = flatten_new(NULL, columns, FLATTEN_FILL);
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
        struct flatten_counts counts = { 0 };
        struct err err;
        char *copy = malloc(later[i].len); /* exact size: a read past it is seen */

        assert_non_null(copy);
        memcpy(copy, later[i].data, later[i].len);
        assert_int_equal(
            flatten_document(f, (struct str){ copy, later[i].len }, tell_row, &told, &counts, &err),
            RESULT_CORRUPT);
        assert_string_equal(err.code, "E-TAB2");
        free(copy);
    }
    buf_release(&told.text);
    flatten_free(f);
    columns_free(columns);
}

static void flatten_document__learns_nothing__when_text_is_invalid(void **state)
{
    struct columns *columns = columns_new();
    struct flatten *f = flatten_new(NULL, columns, FLATTEN_LEARN);
    struct flatten_counts counts = { 0 };

    (void)state;
    assert_int_equal(flatten_document(f, STR("[{\"a\":1},{\"b\":{\"c\":2},\"a\":tru}]"), NULL, NULL,
                                      &counts, NULL),
                     RESULT_INVALID);
    assert_int_equal(counts.rows, 0);
    assert_int_equal(counts.matches, 0);
    assert_int_equal(
        flatten_document(f, STR("{\"x\":{\"b\":0},\"b\":1}"), NULL, NULL, &counts, NULL),
        RESULT_OK);
    assert_int_equal(counts.rows, 1);
    assert_int_equal(columns_settle(columns, STR("."), NULL), RESULT_OK);
    assert_int_equal(columns_count(columns), 2);
    assert_true(str_equal(columns_name(columns, 0), STR("x.b")));
    assert_true(str_equal(columns_name(columns, 1), STR("b")));
    flatten_free(f);
    columns_free(columns);
}

static void flatten_document__stops_between_records__when_told(void **state)
{
    struct columns *columns = columns_new();
    struct flatten *f = flatten_new(NULL, columns, FLATTEN_LEARN);
    struct flatten_counts counts = { 0 };
    atomic_bool stop = false;

    (void)state;
    flatten_heed(f, &stop);
    assert_int_equal(flatten_document(f, STR("[1,2]"), NULL, NULL, &counts, NULL), RESULT_OK);
    atomic_store(&stop, true);
    assert_int_equal(flatten_document(f, STR("[1,2]"), NULL, NULL, &counts, NULL),
                     RESULT_CANCELLED);
    assert_int_equal(counts.rows, 2);
    flatten_free(f);
    columns_free(columns);
}

static void flatten_document__goes_to_the_bottom__when_nested_deep(void **state)
{
    struct buf text = { 0 };
    struct columns *columns = columns_new();

    (void)state;
    for (int i = 0; i < JSON_DEPTH_MAX; i++) {
        assert_int_equal(buf_append(&text, "{\"a\":", 5), RESULT_OK);
    }
    assert_int_equal(buf_append_char(&text, '1'), RESULT_OK);
    for (int i = 0; i < JSON_DEPTH_MAX; i++) {
        assert_int_equal(buf_append_char(&text, '}'), RESULT_OK);
    }
    learn(columns, NULL, buf_view(&text), 0);
    assert_int_equal(columns_settle(columns, STR("."), NULL), RESULT_OK);
    assert_int_equal(columns_count(columns), 1);
    assert_int_equal(columns_name(columns, 0).len, 2 * JSON_DEPTH_MAX - 1);
    columns_free(columns);
    buf_release(&text);
}

static void columns_merge__keeps_plan_order__when_workers_saw_chunks_in_any_order(void **state)
{
    static const char *const want[] = { "a", "z", "b", "c.d" };
    struct columns *even = columns_new(), *odd = columns_new();

    (void)state;
    /* Chunks 0 and 2 on one worker, 1 and 3 on the other. */
    learn(even, NULL, STR("{\"a\":1,\"z\":1}"), 0);
    learn(even, NULL, STR("{\"c\":{\"d\":1},\"b\":1}"), 2);
    learn(odd, NULL, STR("{\"b\":1,\"a\":1}"), 1);
    learn(odd, NULL, STR("{\"z\":1,\"c\":{\"d\":1}}"), 3);
    for (int swap = 0; swap < 2; swap++) {
        struct columns *all = columns_new();

        assert_int_equal(columns_merge(all, swap ? odd : even, NULL), RESULT_OK);
        assert_int_equal(columns_merge(all, swap ? even : odd, NULL), RESULT_OK);
        assert_int_equal(columns_settle(all, STR("."), NULL), RESULT_OK);
        assert_int_equal(columns_count(all), 4);
        for (uint32_t i = 0; i < 4; i++) {
            assert_true(str_equal(columns_name(all, i), str_view(want[i])));
        }
        columns_free(all);
    }
    columns_free(even);
    columns_free(odd);
}

static void columns_settle__adds_a_suffix__when_names_collide(void **state)
{
    struct columns *columns = columns_new();

    (void)state;
    learn(columns, NULL, STR("{\"a.b\":1,\"a\":{\"b\":2},\"a.b_2\":3}"), 0);
    assert_int_equal(columns_settle(columns, STR("."), NULL), RESULT_OK);
    assert_int_equal(columns_renamed(columns), 2);
    assert_true(str_equal(columns_name(columns, 0), STR("a.b")));
    assert_true(str_equal(columns_name(columns, 1), STR("a.b_2")));
    assert_true(str_equal(columns_name(columns, 2), STR("a.b_2_2")));
    columns_free(columns);
}

static void columns_mark__refuses__when_json_is_keyed_by_ids(void **state)
{
    struct columns *columns = columns_new();
    struct flatten *f = flatten_new(NULL, columns, FLATTEN_LEARN);
    struct flatten_counts counts = { 0 };
    struct buf text = { 0 };
    struct err err;

    (void)state;
    assert_int_equal(buf_append_char(&text, '{'), RESULT_OK);
    for (int i = 0; i <= COLUMNS_MAX; i++) {
        assert_int_equal(buf_printf(&text, "%s\"%d\":1", i ? "," : "", i), RESULT_OK);
    }
    assert_int_equal(buf_append_char(&text, '}'), RESULT_OK);
    assert_int_equal(flatten_document(f, buf_view(&text), NULL, NULL, &counts, &err), RESULT_LIMIT);
    assert_string_equal(err.code, "E-COL1");
    buf_release(&text);
    flatten_free(f);
    columns_free(columns);
}

#define WIDE 400

struct seen {
    uint64_t rows, lists, cells;
};

static enum result look_at_row(void *context, const struct row *row)
{
    struct seen *seen = context;

    check_filled(row);
    seen->rows++;
    seen->lists += row->filled != NULL;
    for (uint32_t i = 0; i < row->count; i++) {
        seen->cells += row_cell(row, i) != NULL;
    }
    return RESULT_OK;
}

/* A record's own cells, those beside it, those of elements that are objects or not, and keys that come twice. */
static void flatten_document__lists_filled_columns__when_there_are_many(void **state)
{
    static const struct flatten_meta meta = { .name = STR_INIT("_m"),
                                              .text = STR_INIT("1"),
                                              .kind = CELL_BARE };
    struct columns *columns = columns_new();
    struct json_pointer items;
    struct flatten_shape shape = { .explode = &items, .depth_max = FLATTEN_DEPTH_ALL };
    struct flatten_counts counts = { 0 };
    struct seen seen = { 0 };
    struct buf text = { 0 };
    struct flatten *f;

    (void)state;
    assert_int_equal(json_pointer_parse(&items, STR("/items"), NULL), RESULT_OK);
    assert_int_equal(buf_append_str(&text, STR("[{\"items\":[1]")), RESULT_OK);
    for (unsigned i = 0; i < WIDE; i++) {
        assert_int_equal(buf_printf(&text, ",\"c%u\":%u", i, i), RESULT_OK);
    }
    assert_int_equal(
        buf_append_str(&text, STR("},{\"c390\":1,\"c3\":2,\"items\":[{\"x\":1},7,{}]},{\"c5\":null,"
                                  "\"c6\":{\"y\":1},\"c6\":8,\"items\":[]},{}]")),
        RESULT_OK);
    for (int pass = 0; pass < 2; pass++) {
        f = flatten_new(NULL, columns, pass ? FLATTEN_FILL : FLATTEN_LEARN);
        assert_int_equal(flatten_set_shape(f, &shape, NULL), RESULT_OK);
        flatten_set_meta(f, &meta, 1);
        assert_int_equal(
            flatten_document(f, buf_view(&text), pass ? look_at_row : NULL, &seen, &counts, NULL),
            RESULT_OK);
        flatten_free(f);
        if (!pass) {
            assert_int_equal(columns_settle(columns, STR("."), NULL), RESULT_OK);
        }
    }
    assert_int_equal(seen.rows, 6);
    assert_int_equal(seen.lists, 5); /* the first row has them all */
    /* All of them and the element; twice 4, and 3 of the empty element; 2; 1: each with `_m`. */
    assert_int_equal(seen.cells, (WIDE + 2) + (4 + 4 + 3) + 2 + 1);
    buf_release(&text);
    columns_free(columns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flatten_document__lists_filled_columns__when_there_are_many),
        cmocka_unit_test(flatten_document__joins_keys__when_objects_are_nested),
        cmocka_unit_test(flatten_document__knows_members__wherever_they_stand),
        cmocka_unit_test(flatten_document__makes_value__when_record_is_no_object),
        cmocka_unit_test(flatten_document__follows_records__when_pointer_has_stars),
        cmocka_unit_test(flatten_document__keeps_the_last__when_keys_are_equal),
        cmocka_unit_test(flatten_document__tells__when_input_changed_after_learning),
        cmocka_unit_test(flatten_document__learns_nothing__when_text_is_invalid),
        cmocka_unit_test(flatten_document__stops_between_records__when_told),
        cmocka_unit_test(flatten_document__goes_to_the_bottom__when_nested_deep),
        cmocka_unit_test(columns_merge__keeps_plan_order__when_workers_saw_chunks_in_any_order),
        cmocka_unit_test(columns_settle__adds_a_suffix__when_names_collide),
        cmocka_unit_test(columns_mark__refuses__when_json_is_keyed_by_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
