#include "table/csv.h"

#include "base/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct csv_style plain = { 0 };

static void assert_styled(const struct csv_style *style, enum cell_kind kind, struct str text,
                          struct str want)
{
    const struct row_cell cells[] = {
        { .row = 1, .text = text.data, .len = (uint32_t)text.len, .kind = kind },
    };
    const struct row row = { .cells = cells, .count = 1, .number = 1 };
    struct buf out = { 0 };
    uint64_t lone = 0;

    assert_int_equal(csv_row(&out, style, &row, NULL, &lone), RESULT_OK);
    assert_int_equal(out.len, want.len + 1);
    assert_memory_equal(out.data, want.data, want.len);
    assert_int_equal(out.data[want.len], '\n');
    buf_release(&out);
}

static void assert_cell(enum cell_kind kind, struct str text, struct str want)
{
    assert_styled(&plain, kind, text, want);
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
    const struct row_cell cells[] = {
        { .row = 6, .text = "old", .len = 3, .kind = CELL_BARE },
        { .row = 7, .text = "x", .len = 1, .kind = CELL_STRING },
        { .row = 7, .text = "null", .len = 4, .kind = CELL_NULL },
        { 0 },
    };
    const struct row row = { .cells = cells, .count = 4, .number = 7 };
    struct buf out = { 0 };
    uint64_t lone = 0;

    (void)state;
    assert_int_equal(csv_row(&out, &plain, &row, NULL, &lone), RESULT_OK);
    assert_string_equal(buf_cstr(&out), ",x,,\n");
    buf_release(&out);
}

static void csv_row__counts_and_replaces__when_surrogate_is_alone(void **state)
{
    const struct row_cell cells[] = {
        { .row = 1, .text = "a\\ud83db", .len = 8, .kind = CELL_ESCAPED },
    };
    const struct row row = { .cells = cells, .count = 1, .number = 1 };
    struct buf out = { 0 };
    uint64_t lone = 0;

    (void)state;
    assert_int_equal(csv_row(&out, &plain, &row, NULL, &lone), RESULT_OK);
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

/* At every length, with what matters at every place, and with and without bytes after the cell. */
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
        struct row_cell cell = { .row = 1, .kind = kind };
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
        for (unsigned after = 0; after <= 200; after += 100) {
            char *copy = malloc(text.len + after + 1);

            assert_non_null(copy);
            memcpy(copy, text.len ? text.data : "", text.len);
            memset(copy + text.len, '"', after);
            cell.text = copy;
            row.readable = after ? copy + text.len + after : NULL;
            buf_reset(&got);
            assert_int_equal(csv_row(&got, &plain, &row, NULL, &lone), RESULT_OK);
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
    const struct row_cell cells[] = {
        { .row = 1, .text = "1234", .len = 4, .kind = CELL_BARE },
        { .row = 1, .text = "5678", .len = 4, .kind = CELL_BARE },
    };
    const struct row row = { .cells = cells, .count = 2, .number = 1 };
    struct buf out = { .max = 12 };
    uint64_t lone = 0;

    (void)state;
    assert_int_equal(csv_row(&out, &plain, &row, NULL, &lone), RESULT_LIMIT);
    assert_int_equal(out.len, 0);
    buf_release(&out);
}

/* The second cell of the second row differs where it may not, which shows that it is not looked at. */
static void csv_row__copies_the_first_cells__when_rows_are_of_one_record(void **state)
{
    struct row_cell cells[] = {
        { .row = 1, .text = "a\\ud83d", .len = 7, .kind = CELL_ESCAPED },
        { .row = 1, .text = "1,2", .len = 3, .kind = CELL_STRING },
        { .row = 1, .text = "x", .len = 1, .kind = CELL_STRING },
    };
    struct row row = { .cells = cells, .count = 3, .number = 1 };
    struct csv_repeat repeat = { .columns = 2 };
    struct buf out = { 0 };
    uint64_t lone = 0;

    (void)state;
    assert_int_equal(csv_row(&out, &plain, &row, &repeat, &lone), RESULT_OK);
    cells[1].text = "new";
    cells[2].text = "y";
    assert_int_equal(csv_row(&out, &plain, &row, &repeat, &lone), RESULT_OK);
    assert_int_equal(lone, 2);
    row.number = 2; /* of which only one cell is there */
    cells[1].row = 2;
    assert_int_equal(csv_row(&out, &plain, &row, &repeat, &lone), RESULT_OK);
    assert_string_equal(buf_cstr(&out), "a\xEF\xBF\xBD,\"1,2\",x\n"
                                        "a\xEF\xBF\xBD,\"1,2\",y\n"
                                        ",new,\n");
    assert_int_equal(lone, 2);
    repeat.columns = 3; /* all there are: nothing is left to differ */
    assert_int_equal(csv_row(&out, &plain, &row, &repeat, &lone), RESULT_OK);
    assert_string_equal(strrchr(buf_cstr(&out), '\n') - 5, ",new,\n");
    buf_release(&out);
}

static void csv_row__disarms__when_a_text_looks_like_a_formula(void **state)
{
    static const struct csv_style safe = { .safe = true };

    (void)state;
    assert_styled(&safe, CELL_STRING, STR("=1+1"), STR("'=1+1"));
    assert_styled(&safe, CELL_STRING, STR("@SUM(A1)"), STR("'@SUM(A1)"));
    assert_styled(&safe, CELL_STRING, STR("+1"), STR("'+1"));
    assert_styled(&safe, CELL_STRING, STR("-1-cmd"), STR("'-1-cmd"));
    assert_styled(&safe, CELL_STRING, STR("-"), STR("'-"));
    assert_styled(&safe, CELL_ESCAPED, STR("\\t=1"), STR("'\t=1"));
    assert_styled(&safe, CELL_ESCAPED, STR("\\r=1"), STR("\"'\r=1\""));
    assert_styled(&safe, CELL_ESCAPED, STR("\\u003d1"), STR("'=1"));
    assert_styled(&safe, CELL_STRING, STR("=a,\"b"), STR("\"'=a,\"\"b\""));
    /* numbers, in JSON's grammar, whether in quotes or not */
    assert_styled(&safe, CELL_BARE, STR("-12.5e3"), STR("-12.5e3"));
    assert_styled(&safe, CELL_STRING, STR("-12.5"), STR("-12.5"));
    assert_styled(&safe, CELL_STRING, STR("-012"), STR("'-012"));
    assert_styled(&safe, CELL_STRING, STR("a=1"), STR("a=1"));
    assert_styled(&safe, CELL_STRING, STR(""), STR("\"\""));
    assert_cell(CELL_STRING, STR("=1+1"), STR("=1+1"));
}

static void csv_row__follows_the_style__when_one_is_given(void **state)
{
    static const struct csv_style semicolon = { .delimiter = ';', .crlf = true };
    const struct row_cell cells[] = {
        { .row = 1, .text = "a,b", .len = 3, .kind = CELL_STRING },
        { .row = 1, .text = "c;d", .len = 3, .kind = CELL_STRING },
    };
    const struct row row = { .cells = cells, .count = 2, .number = 1 };
    struct buf out = { 0 };
    uint64_t lone = 0;

    (void)state;
    assert_int_equal(csv_row(&out, &semicolon, &row, NULL, &lone), RESULT_OK);
    assert_string_equal(buf_cstr(&out), "a,b;\"c;d\"\r\n");
    assert_true(csv_is_delimiter(';') && csv_is_delimiter('\t'));
    assert_false(csv_is_delimiter('"') || csv_is_delimiter('1') || csv_is_delimiter('\0') ||
                 csv_is_delimiter('-') || csv_is_delimiter('.') || csv_is_delimiter('e'));
    buf_release(&out);
}

static void csv_header__quotes_names__when_they_hold_commas(void **state)
{
    static const struct str names[] = { STR_INIT("id"), STR_INIT("a,b"), STR_INIT(""),
                                        STR_INIT("q\"q"), STR_INIT("=x") };
    static const struct csv_style excel = { .bom = true, .safe = true };
    struct buf out = { 0 };

    (void)state;
    assert_int_equal(csv_header(&out, &plain, names, 5), RESULT_OK);
    assert_string_equal(buf_cstr(&out), "id,\"a,b\",\"\",\"q\"\"q\",=x\n");
    buf_reset(&out);
    assert_int_equal(csv_header(&out, &excel, names + 3, 2), RESULT_OK);
    assert_string_equal(buf_cstr(&out), "\xEF\xBB\xBF\"q\"\"q\",'=x\n");
    buf_release(&out);
}

#define MANY 300

/* With the first columns in common or not, and those in the list filled or, as some may be, not. */
static void csv_row__writes_the_same__when_only_filled_cells_are_looked_at(void **state)
{
    static const size_t commons[] = { 0, 1, 7, MANY };
    struct row_cell cells[MANY];
    uint32_t filled[MANY];
    uint64_t lone = 0, random = 7;

    (void)state;
    for (unsigned round = 1; round < 2000; round++) {
        struct row row = { .cells = cells, .count = MANY, .number = round / 2 + 1 };
        size_t count = 0, every = 1 + round % 90, common = commons[round / 2 % 4];
        struct csv_repeat one = { .columns = common }, other = { .columns = common };
        struct buf want = { 0 }, got = { 0 };

        for (uint32_t i = 0; i < MANY; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
            cells[i] = (struct row_cell){ .row = 0 };
            if ((random >> 33) % every == 0) {
                filled[count++] = i;
                cells[i] = (struct row_cell){ .row = random >> 63 ? row.number : 0,
                                              .text = "a,b\\ud800",
                                              .len = i % 2 ? 3 : 9,
                                              .kind = i % 2 ? CELL_STRING : CELL_ESCAPED };
            }
        }
        for (int twice = 0; twice < 2; twice++) {
            assert_int_equal(csv_row(&want, &plain, &row, &one, &lone), RESULT_OK);
        }
        row.filled = filled;
        row.filled_count = count;
        for (int twice = 0; twice < 2; twice++) {
            assert_int_equal(csv_row(&got, &plain, &row, &other, &lone), RESULT_OK);
        }
        assert_string_equal(buf_cstr(&got), buf_cstr(&want));
        buf_release(&want);
        buf_release(&got);
    }
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
        cmocka_unit_test(csv_row__copies_the_first_cells__when_rows_are_of_one_record),
        cmocka_unit_test(csv_row__writes_the_same__when_only_filled_cells_are_looked_at),
        cmocka_unit_test(csv_row__disarms__when_a_text_looks_like_a_formula),
        cmocka_unit_test(csv_row__follows_the_style__when_one_is_given),
        cmocka_unit_test(csv_header__quotes_names__when_they_hold_commas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
