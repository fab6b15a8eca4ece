/* Records of an answer as rows that compare, and what all records are from round to round. */
#include "changes/record_rows.h"
#include "changes/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- rows ------------------------------------------------------------------------------------------------------ */

static struct record_rows *rows_by(const struct str *unique, const struct str *columns)
{
    const struct record_rows_spec spec = {
        .unique = unique, .unique_count = 1, .columns = columns, .column_count = columns ? 1 : 0
    };
    struct record_rows *rows;

    assert_int_equal(record_rows_new(&rows, &spec, NULL), RESULT_OK);
    return rows;
}

static const struct record_row *read_rows(struct record_rows *rows, const char *body, size_t want)
{
    const struct record_row *list;
    struct err err;
    size_t count;

    assert_int_equal(record_rows_read(rows, str_view(body), STR_NONE, &list, &count, &err),
                     RESULT_OK);
    assert_int_equal(count, want);
    return list;
}

static char *copy(struct str text)
{
    char *bytes = malloc(text.len + 1);

    assert_non_null(bytes);
    memcpy(bytes, text.data, text.len);
    return bytes;
}

static void rows__are_the_same_bytes__whatever_the_order_of_members(void **state)
{
    static const struct str id = STR_INIT("id");
    struct record_rows *rows = rows_by(&id, NULL);
    const struct record_row *list =
        read_rows(rows, "[{\"id\":1,\"a\":{\"x\":\"\\u0041\",\"y\":null},\"t\":[1, 2]}]", 1);
    char *cells = copy(list->cells), *key = copy(list->key);
    size_t cells_len = list->cells.len, key_len = list->key.len;

    (void)state;
    read_rows(rows, "[{\"new\":true,\"id\":9}]", 1); /* a column more between */
    list = read_rows(rows, "[{\"t\":[1,2],\"a\":{\"x\":\"A\"},\"id\":\"1\"}]", 1);
    assert_int_equal(list->key.len, key_len); /* 1 and "1" are one key */
    assert_memory_equal(list->key.data, key, key_len);
    assert_int_equal(list->cells.len, cells_len); /* but not one value: that is told */
    assert_memory_not_equal(list->cells.data, cells, cells_len);
    list = read_rows(rows, "[{\"t\":[1,2],\"a\":{\"x\":\"A\"},\"id\":1}]", 1);
    assert_memory_equal(list->cells.data, cells, cells_len);
    free(cells);
    free(key);
    record_rows_free(rows);
}

static void rows__tell_doubled_and_missing_keys(void **state)
{
    static const struct str id = STR_INIT("id"), only = STR_INIT("v");
    struct record_rows *rows = rows_by(&id, &only);
    const struct record_row *list = read_rows(
        rows, "[{\"id\":1,\"v\":1,\"w\":0},{\"id\":null},{\"v\":3},{\"id\":1,\"v\":2,\"w\":1}]", 4);
    struct record_cell cell;
    struct str rest = list[3].cells;

    (void)state;
    assert_true(list[0].is_doubled);
    assert_false(list[3].is_doubled);
    assert_int_equal(list[1].key.len, 0);
    assert_int_equal(list[2].key.len, 0);
    assert_int_equal(record_rows_find(rows, list[0].key), 3);
    assert_true(record_cell_next(&rest, &cell));
    assert_true(str_equal(record_rows_name(rows, cell.column), STR("id")));
    assert_true(record_cell_next(&rest, &cell));
    assert_true(str_equal(record_rows_name(rows, cell.column), STR("v")));
    assert_true(str_equal(cell.text, STR("2")));
    assert_false(record_cell_next(&rest, &cell)); /* w was not asked for */
    record_rows_free(rows);
}

static void rows__are_none__of_what_is_no_json(void **state)
{
    static const struct str id = STR_INIT("id");
    struct record_rows *rows = rows_by(&id, NULL);
    const struct record_row *list;
    struct err err;
    size_t count;

    (void)state;
    assert_int_equal(record_rows_read(rows, STR("{\"id\":"), STR_NONE, &list, &count, &err),
                     RESULT_INVALID);
    read_rows(rows, "[]", 0);
    record_rows_free(rows);
}

/* --- state ------------------------------------------------------------------------------------------------------ */

static const uint8_t page_1[DIGEST_BYTES] = { 1 }, page_2[DIGEST_BYTES] = { 2 };

struct told {
    char text[200];
};

static enum result tell(void *context, const struct state_change *change, struct err *err)
{
    struct told *told = context;
    size_t at = strlen(told->text);

    (void)err;
    snprintf(told->text + at, sizeof told->text - at, "%.*s>%.*s%s ", STR_ARG(change->before),
             STR_ARG(change->now), change->is_doubled ? "!" : "");
    return RESULT_OK;
}

static void end_round(struct state *state, uint32_t round, const char *want)
{
    struct told told = { "" };
    struct err err;

    assert_int_equal(state_end_round(state, round, tell, &told, &err), RESULT_OK);
    assert_string_equal(told.text, want);
}

static int64_t enter(struct state *state, const uint8_t *what, const char *seat, uint32_t round)
{
    struct err err;
    int64_t slot;
    bool is_new;

    assert_int_equal(
        state_enter(state, what, STR("s"), str_view(seat), round, &slot, &is_new, &err), RESULT_OK);
    return slot;
}

static void put(struct state *state, int64_t slot, const char *key, const char *cells)
{
    struct err err;

    assert_int_equal(
        state_put(state, slot, str_view(key), cells ? str_view(cells) : STR_NONE, STR("now"), &err),
        RESULT_OK);
}

static void leave(struct state *state, uint32_t round, bool keeps)
{
    struct err err;

    assert_int_equal(state_leave(state, STR("s"), round, keeps, STR("now"), &err), RESULT_OK);
}

static struct state *new_state(void)
{
    struct state *state;
    struct err err;

    assert_int_equal(state_new(&state, 1 << 20, &err), RESULT_OK);
    return state;
}

static void state__tells_what_came_changed_and_went(void **unused)
{
    struct state *state = new_state();
    int64_t slot = enter(state, page_1, "s1", 1);

    (void)unused;
    put(state, slot, "a", "a1");
    put(state, slot, "b", "b1");
    leave(state, 1, false);
    end_round(state, 1, ">a1 >b1 ");
    assert_int_equal(enter(state, page_1, "s1", 2), slot);
    put(state, slot, "a", "a2");
    put(state, slot, "b", NULL);
    put(state, slot, "c", "c1");
    put(state, slot, "c", NULL);
    end_round(state, 2, "a1>a2 b1> ");
    end_round(state, 3, "");
    state_free(state);
}

static void state__has_the_row_at_the_last_seat__of_one_key(void **unused)
{
    struct state *state = new_state();
    int64_t one = enter(state, page_1, "s1", 1), two = enter(state, page_2, "s2", 1);

    (void)unused;
    put(state, two, "a", "second");
    put(state, one, "a", "first");
    end_round(state, 1, ">second! ");
    (void)enter(state, page_1, "s3", 2); /* they change places */
    (void)enter(state, page_2, "s2", 2);
    put(state, one, "a", "third");
    end_round(state, 2, "second>third! ");
    (void)enter(state, page_1, "s3", 3); /* the second page is no more */
    leave(state, 3, false);
    end_round(state, 3, "");
    leave(state, 4, false);
    end_round(state, 4, "third> ");
    state_free(state);
}

static void state__keeps_what_a_partial_round_does_not_show(void **unused)
{
    struct state *state = new_state();
    int64_t one = enter(state, page_1, "s1", 1), two = enter(state, page_2, "s2", 1);
    struct err err;

    (void)unused;
    put(state, one, "a", "a1");
    put(state, two, "b", "b1");
    end_round(state, 1, ">a1 >b1 ");
    (void)enter(state, page_1, "s1", 2);
    assert_int_equal(state_keep(state, one, STR("a"), STR("s"), STR("now"), &err), RESULT_OK);
    put(state, one, "c", "c1");
    leave(state, 2, true); /* the second page did not come */
    end_round(state, 2, ">c1 ");
    (void)enter(state, page_1, "s1", 3);
    leave(state, 3, false); /* now it is whole: there is c alone */
    end_round(state, 3, "a1> b1> ");
    state_free(state);
}

static void state__goes_beyond_its_memory(void **unused)
{
    struct state *state = new_state();
    int64_t slot = enter(state, page_1, "s1", 1);
    char key[16], cells[300];
    struct err err;
    uint64_t id;
    bool has;

    (void)unused;
    memset(cells, 'x', sizeof cells - 1);
    cells[sizeof cells - 1] = '\0';
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "%u", i);
        assert_int_equal(state_put(state, slot, str_view(key), str_view(cells), STR("t"), &err),
                         RESULT_OK);
    }
    assert_int_equal(state_put_line(state, page_1, 7, &err), RESULT_OK);
    assert_int_equal(state_line(state, page_1, &id, &err), RESULT_OK);
    assert_int_equal(id, 7);
    assert_int_equal(state_has(state, page_2, &has, &err), RESULT_OK);
    assert_false(has);
    state_free(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows__are_the_same_bytes__whatever_the_order_of_members),
        cmocka_unit_test(rows__tell_doubled_and_missing_keys),
        cmocka_unit_test(rows__are_none__of_what_is_no_json),
        cmocka_unit_test(state__tells_what_came_changed_and_went),
        cmocka_unit_test(state__has_the_row_at_the_last_seat__of_one_key),
        cmocka_unit_test(state__keeps_what_a_partial_round_does_not_show),
        cmocka_unit_test(state__goes_beyond_its_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
