#include "normalise/csv.h"

#include "base/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void assert_cell(enum cell_kind kind, struct str text, struct str want)
{
    const struct cell cells[] = {
        { .row = 1, .text = text.data, .len = (uint32_t)text.len, .kind = kind },
    };
    const struct row row = { .cells = cells, .count = 1, .number = 1 };
    struct buf out = { 0 };
    uint64_t lone = 0;

    assert_int_equal(csv_row(&out, &row, &lone), RESULT_OK);
    assert_int_equal(out.len, want.len + 1);
    assert_memory_equal(out.data, want.data, want.len);
    assert_int_equal(out.data[want.len], '\n');
    buf_release(&out);
}

static void csv_row__quotes_only_where_needed__when_cell_is_a_string(void **state)
{
    (void)state;
    assert_cell(CELL_STRING, STR("plain"), STR("plain"));
    assert_cell(CELL_STRING, STR(" spaces "), STR(" spaces "));
    assert_cell(CELL_STRING, STR(""), STR("\"\""));
    assert_cell(CELL_STRING, STR("a,b"), STR("\"a,b\""));
    assert_cell(CELL_STRING, STR("semi;tab\tpipe|"), STR("semi;tab\tpipe|"));
    assert_cell(CELL_ESCAPED, STR("q\\\"q"), STR("\"q\"\"q\""));
    assert_cell(CELL_ESCAPED, STR("\\\"\\\""), STR("\"\"\"\"\"\""));
    assert_cell(CELL_ESCAPED, STR("l\\nl"), STR("\"l\nl\""));
    assert_cell(CELL_ESCAPED, STR("l\\rl"), STR("\"l\rl\""));
    assert_cell(CELL_ESCAPED, STR("a\\u002cb"), STR("\"a,b\""));
    assert_cell(CELL_ESCAPED, STR("caf\\u00e9\\/x"), STR("caf\xC3\xA9/x"));
    assert_cell(CELL_ESCAPED, STR("a\\u0000b"), STR("a\0b"));
}

static void csv_row__copies__when_cell_is_bare_or_json(void **state)
{
    (void)state;
    assert_cell(CELL_BARE, STR("-0.0"), STR("-0.0"));
    assert_cell(CELL_BARE, STR("12345678901234567890"), STR("12345678901234567890"));
    assert_cell(CELL_BARE, STR("true"), STR("true"));
    assert_cell(CELL_NULL, STR("null"), STR(""));
    assert_cell(CELL_JSON, STR("[]"), STR("[]"));
    assert_cell(CELL_JSON, STR("[ 1 ,\n\t\"a b\\\" c\" ]"), STR("\"[1,\"\"a b\\\"\" c\"\"]\""));
}

static void csv_row__leaves_empty__when_cells_are_missing(void **state)
{
    const struct cell cells[] = {
        { .row = 6, .text = "old", .len = 3, .kind = CELL_BARE },
        { .row = 7, .text = "x", .len = 1, .kind = CELL_STRING },
        { .row = 7, .text = "null", .len = 4, .kind = CELL_NULL },
        { 0 },
    };
    const struct row row = { .cells = cells, .count = 4, .number = 7 };
    struct buf out = { 0 };
    uint64_t lone = 0;

    (void)state;
    assert_int_equal(csv_row(&out, &row, &lone), RESULT_OK);
    assert_string_equal(buf_cstr(&out), ",x,,\n");
    buf_release(&out);
}

static void csv_row__counts_and_replaces__when_surrogate_is_alone(void **state)
{
    const struct cell cells[] = {
        { .row = 1, .text = "a\\ud83db", .len = 8, .kind = CELL_ESCAPED },
    };
    const struct row row = { .cells = cells, .count = 1, .number = 1 };
    struct buf out = { 0 };
    uint64_t lone = 0;

    (void)state;
    assert_int_equal(csv_row(&out, &row, &lone), RESULT_OK);
    assert_string_equal(buf_cstr(&out), "a\xEF\xBF\xBD"
                                        "b\n");
    assert_int_equal(lone, 1);
    buf_release(&out);
}

/* The rules of csv.h, byte by byte. */
static void plain_cell(struct buf *out, enum cell_kind kind, struct str text)
{
    struct buf cell = { 0 };
    bool inside = false, quoted;

    if (kind == CELL_ESCAPED) {
        assert_int_equal(json_unescape(&cell, text, NULL), RESULT_OK);
    } else {
        for (size_t i = 0; i < text.len; i++) {
            if (kind == CELL_JSON && !inside && (unsigned char)text.data[i] <= ' ') {
                continue;
            }
            assert_int_equal(buf_append_char(&cell, text.data[i]), RESULT_OK);
            inside ^= text.data[i] == '"';
            if (text.data[i] == '\\' && kind == CELL_JSON) {
                assert_int_equal(buf_append_char(&cell, text.data[++i]), RESULT_OK);
            }
        }
    }
    quoted = kind != CELL_BARE && !cell.len;
    for (size_t i = 0; i < cell.len; i++) {
        quoted |= strchr(",\"\r\n", cell.data[i]) != NULL && cell.data[i];
    }
    buf_reset(out);
    assert_int_equal(buf_append(out, "\"", quoted ? 1 : 0), RESULT_OK);
    for (size_t i = 0; i < cell.len; i++) {
        assert_int_equal(buf_append(out, "\"", cell.data[i] == '"' ? 1 : 0), RESULT_OK);
        assert_int_equal(buf_append_char(out, cell.data[i]), RESULT_OK);
    }
    assert_int_equal(buf_append(out, "\"", quoted ? 1 : 0), RESULT_OK);
    buf_release(&cell);
}

/* At every length, with what matters at every place, and with and without bytes behind the cell. */
static void csv_row__keeps_its_rules__when_cells_are_written_in_blocks(void **state)
{
    static const char *const pieces[][6] = {
        [CELL_BARE] = { "1", "2", "3", "-", "e", "." },
        [CELL_STRING] = { "a", "b c", "\xC3\xA9", ",", "xyz", " " },
        [CELL_ESCAPED] = { "a", "\\n", "\\\"", ",", "\\/\\u00e9", "plain words" },
        [CELL_JSON] = { "\"a b\"", " ", "12", ",", "\"\\\\\"", "\"q\\\"{, \"" },
    };
    struct buf want = { 0 }, got = { 0 }, text = { 0 };
    uint64_t random = 88172645463325252U;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        enum cell_kind kind = (enum cell_kind)(CELL_BARE + i % 4);
        struct cell cell = { .row = 1, .kind = kind };
        struct row row = { .cells = &cell, .count = 1, .number = 1 };
        uint64_t lone = 0;

        buf_reset(&text);
        for (unsigned n = i / 4 % 40; n; n--) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            assert_int_equal(buf_append_str(&text, str_view(pieces[kind][random % 6])), RESULT_OK);
        }
        plain_cell(&want, kind, buf_view(&text));
        cell.len = (uint32_t)text.len;
        /* Of exactly that size, and then within something larger that must not show. */
        for (unsigned behind = 0; behind <= 200; behind += 100) {
            char *copy = malloc(text.len + behind + 1);

            assert_non_null(copy);
            memcpy(copy, text.len ? text.data : "", text.len);
            memset(copy + text.len, '"', behind);
            cell.text = copy;
            row.readable = behind ? copy + text.len + behind : NULL;
            buf_reset(&got);
            assert_int_equal(csv_row(&got, &row, &lone), RESULT_OK);
            assert_int_equal(got.len, want.len + 1);
            assert_memory_equal(got.data, want.data, want.len);
            free(copy);
        }
    }
    buf_release(&want);
    buf_release(&got);
    buf_release(&text);
}

static void csv_row__takes_all_back__when_buf_has_a_ceiling(void **state)
{
    const struct cell cells[] = {
        { .row = 1, .text = "1234", .len = 4, .kind = CELL_BARE },
        { .row = 1, .text = "5678", .len = 4, .kind = CELL_BARE },
    };
    const struct row row = { .cells = cells, .count = 2, .number = 1 };
    struct buf out = { .max = 12 };
    uint64_t lone = 0;

    (void)state;
    assert_int_equal(csv_row(&out, &row, &lone), RESULT_LIMIT);
    assert_int_equal(out.len, 0);
    buf_release(&out);
}

static void csv_header__quotes_names__when_they_hold_commas(void **state)
{
    static const char *const names[] = { "id", "a,b", "", "q\"q" };
    struct columns *columns = columns_new();
    struct buf out = { 0 };

    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t node;

        assert_int_equal(columns_add(columns, COLUMNS_ROOT, str_view(names[i]), &node, NULL),
                         RESULT_OK);
        assert_int_equal(columns_mark(columns, node, 0, i, NULL), RESULT_OK);
    }
    assert_int_equal(columns_settle(columns, NULL), RESULT_OK);
    assert_int_equal(csv_header(&out, columns), RESULT_OK);
    assert_string_equal(buf_cstr(&out), "id,\"a,b\",\"\",\"q\"\"q\"\n");
    buf_release(&out);
    columns_free(columns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_row__quotes_only_where_needed__when_cell_is_a_string),
        cmocka_unit_test(csv_row__copies__when_cell_is_bare_or_json),
        cmocka_unit_test(csv_row__leaves_empty__when_cells_are_missing),
        cmocka_unit_test(csv_row__counts_and_replaces__when_surrogate_is_alone),
        cmocka_unit_test(csv_row__keeps_its_rules__when_cells_are_written_in_blocks),
        cmocka_unit_test(csv_row__takes_all_back__when_buf_has_a_ceiling),
        cmocka_unit_test(csv_header__quotes_names__when_they_hold_commas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
