/* Encodings byte by byte; that whole files say what they should is for other readers to tell, see
 * parquet_reads.mjs. */
#include "table/parquet/parquet.h"
#include "table/parquet/thrift.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void assert_bytes(const struct buf *got, const void *want, size_t len)
{
    assert_int_equal(got->len, len);
    assert_memory_equal(got->data, want, len);
}

static void thrift__writes_the_compact_protocol__when_fields_are_given(void **state)
{
    struct buf out = { 0 };
    struct thrift t;

    (void)state;
    thrift_begin(&t, &out);
    thrift_i32(&t, 1, -1);
    thrift_i64(&t, 3, 150);
    thrift_bool(&t, 20, true); /* too far for the short form */
    thrift_struct(&t, 21);
    thrift_binary(&t, 1, STR("ab"));
    thrift_end(&t);
    thrift_list(&t, 22, THRIFT_I32, 2);
    thrift_element_i32(&t, 1);
    thrift_element_i32(&t, 2);
    thrift_end(&t);
    assert_int_equal(t.result, RESULT_OK);
    assert_bytes(&out,
                 "\x15\x01"
                 "\x26\xAC\x02"
                 "\x01\x28"
                 "\x1C\x18\x02"
                 "ab\x00"
                 "\x19\x25\x02\x04\x00",
                 18);
    buf_release(&out);
}

static enum result append(void *context, const void *bytes, size_t len, struct err *err)
{
    (void)err;
    return buf_append(context, bytes, len);
}

static enum result count(void *context, const void *bytes, size_t len, struct err *err)
{
    uint64_t *written = context;

    (void)bytes;
    (void)err;
    *written += len;
    return RESULT_OK;
}

static enum result refuse(void *context, const void *bytes, size_t len, struct err *err)
{
    (void)context;
    (void)bytes;
    (void)len;
    return err_set(err, RESULT_FULL, "E-OUT2", "no space");
}

static void parquet_file__is_whole__when_there_are_no_rows(void **state)
{
    static const struct parquet_column column = { .name = STR_INIT("a"), .type = TYPE_INT64 };
    static const struct parquet_schema schema = { .columns = &column, .count = 1 };
    struct parquet_file *file;
    struct buf out = { 0 };

    (void)state;
    assert_int_equal(parquet_file_new(&file, &schema, 0, append, &out, NULL), RESULT_OK);
    assert_int_equal(parquet_file_finish(file, NULL), RESULT_OK);
    assert_memory_equal(out.data, "PAR1", 4);
    assert_memory_equal(out.data + out.len - 4, "PAR1", 4);
    assert_int_equal((unsigned char)out.data[out.len - 8], out.len - 12); /* the footer's length */
    parquet_file_free(file);
    buf_release(&out);
}

static void parquet_file__passes_the_error_on__when_the_sink_is_full(void **state)
{
    static const struct parquet_column column = { .name = STR_INIT("a"), .type = TYPE_BOOLEAN };
    static const struct parquet_schema schema = { .columns = &column, .count = 1 };
    const struct row_cell cell = { .row = 1, .text = "true", .len = 4, .kind = CELL_BARE };
    const struct row row = { .cells = &cell, .count = 1, .number = 1 };
    struct parquet_block *block = parquet_block_new(&schema);
    struct parquet_file *file;
    struct buf out = { 0 };
    uint64_t lone = 0;
    struct err err;

    (void)state;
    assert_int_equal(parquet_file_new(&file, &schema, 1, refuse, NULL, NULL), RESULT_OK);
    assert_int_equal(parquet_block_row(block, &row, &lone, NULL), RESULT_OK);
    assert_int_equal(parquet_block_finish(block, &out, NULL), RESULT_OK);
    assert_int_equal(parquet_file_take(file, buf_view(&out), &err), RESULT_FULL);
    assert_string_equal(err.code, "E-OUT2");
    parquet_file_free(file);
    parquet_block_free(block);
    buf_release(&out);
}

/* What a worker does with a block when its turn has come. */
static void encode(struct parquet_block *block, struct parquet_dictionaries *dictionaries,
                   struct buf *out)
{
    assert_int_equal(parquet_block_begin(block, out, NULL), RESULT_OK);
    if (parquet_block_waits(block)) {
        assert_int_equal(parquet_block_adopt(block, dictionaries, NULL), RESULT_OK);
    }
    assert_int_equal(parquet_block_finish(block, out, NULL), RESULT_OK);
}

#define COLUMNS 100
#define TEXT_BYTES ((size_t)1 << 20)

/* What is large in one column after the other is in no two of them at once. Under the sanitizers memory is not
 * counted, and nothing compared. */
static void parquet__keeps_little__when_columns_are_large_in_turn(void **state)
{
    struct parquet_column columns[COLUMNS];
    const struct parquet_schema schema = { .columns = columns, .count = COLUMNS };
    struct row_cell cells[COLUMNS] = { { .row = 0 } };
    struct parquet_dictionaries *dictionaries;
    struct parquet_block *block;
    struct parquet_file *file;
    struct buf text = { 0 }, out = { 0 };
    uint64_t written = 0, lone = 0, random = 7;

    (void)state;
    while (text.len < TEXT_BYTES) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
        assert_int_equal(buf_append_char(&text, (char)('0' + (random >> 58))), RESULT_OK);
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        columns[i] = (struct parquet_column){ .name = STR("a"), .type = TYPE_TEXT };
    }
    block = parquet_block_new(&schema);
    dictionaries = parquet_dictionaries_new(&schema, TEXT_BYTES);
    assert_int_equal(parquet_file_new(&file, &schema, TEXT_BYTES, count, &written, NULL),
                     RESULT_OK);
    for (uint32_t i = 0; i < COLUMNS; i++) {
        const struct row row = { .cells = cells, .count = COLUMNS, .number = i + 1 };

        cells[i] = (struct row_cell){ i + 1, text.data, (uint32_t)text.len, CELL_STRING };
        assert_int_equal(parquet_block_row(block, &row, &lone, NULL), RESULT_OK);
        buf_reset(&out);
        encode(block, dictionaries, &out);
        assert_int_equal(parquet_file_take(file, buf_view(&out), NULL), RESULT_OK);
    }
    assert_true(written > COLUMNS * TEXT_BYTES / 2); /* no page waits */
    assert_in_range(mallinfo2().uordblks + mallinfo2().hblkhd, 0, 32 * TEXT_BYTES);
    parquet_file_free(file);
    parquet_block_free(block);
    parquet_dictionaries_free(dictionaries);
    buf_release(&text);
    buf_release(&out);
}

#define RECORDS 40
#define RECORD_COLUMNS 4

/* Records of one row to four, whose first three cells are their own; some records lack one of them. */
static enum result add_records(struct parquet_block *block, uint64_t *lone)
{
    static const char *const texts[] = { "7", "12.5", "\"a\\u0062\\ud800", "8", "10.25", "c" };
    static const enum cell_kind kinds[] = { CELL_BARE, CELL_BARE, CELL_ESCAPED, CELL_BARE };
    char element[8];

    for (uint32_t record = 0; record < RECORDS; record++) {
        for (uint32_t n = 0; n <= record % 4; n++) {
            struct row_cell cells[RECORD_COLUMNS];
            const struct row row = { .cells = cells,
                                     .count = RECORD_COLUMNS,
                                     .number = record + 1 };
            enum result result;

            snprintf(element, sizeof element, "%u", n);
            for (uint32_t i = 0; i < RECORD_COLUMNS; i++) {
                const char *text = i == 3 ? element : texts[i + record % 2 * 3];

                cells[i] = (struct row_cell){ .row = record % 5 == i ? 0 : record + 1,
                                              .text = text,
                                              .len = (uint32_t)strlen(text),
                                              .kind = kinds[i] };
            }
            result = parquet_block_row(block, &row, lone, NULL);
            if (result != RESULT_OK) {
                return result;
            }
        }
    }
    return RESULT_OK;
}

static void parquet_block_row__makes_the_same__when_common_cells_are_not_looked_at(void **state)
{
    static const struct parquet_column columns[] = {
        { .name = STR_INIT("int"), .type = TYPE_INT64 },
        { .name = STR_INIT("double"), .type = TYPE_DOUBLE },
        { .name = STR_INIT("text"), .type = TYPE_TEXT },
        { .name = STR_INIT("element"), .type = TYPE_INT64 },
    };
    struct buf out[2] = { { 0 }, { 0 } };

    (void)state;
    for (uint32_t common = 0; common <= 3; common++) {
        const struct parquet_schema schema = { .columns = columns,
                                               .count = RECORD_COLUMNS,
                                               .common = common };
        struct parquet_dictionaries *dictionaries = parquet_dictionaries_new(&schema, TEXT_BYTES);
        struct parquet_block *block = parquet_block_new(&schema);
        struct buf *to = &out[common > 0];
        uint64_t lone = 0;

        buf_reset(to);
        for (int blocks = 0; blocks < 2; blocks++) {
            assert_int_equal(add_records(block, &lone), RESULT_OK);
            encode(block, dictionaries, to);
        }
        assert_true(str_equal(buf_view(&out[0]), buf_view(to)));
        assert_int_equal(lone, 2 * (RECORDS / 2 - RECORDS / 10)); /* each record's once */
        parquet_block_free(block);
        parquet_dictionaries_free(dictionaries);
    }
    buf_release(&out[0]);
    buf_release(&out[1]);
}

static void parquet_block_row__tells_of_the_change__when_a_value_is_of_another_type(void **state)
{
    static const struct parquet_column columns[] = {
        { .name = STR_INIT("int"), .type = TYPE_INT64 },
        { .name = STR_INIT("double"), .type = TYPE_DOUBLE },
        { .name = STR_INIT("flag"), .type = TYPE_BOOLEAN },
        { .name = STR_INIT("time"), .type = TYPE_TIMESTAMP },
    };
    const struct row_cell cell = { .row = 1, .text = "1e999", .len = 5, .kind = CELL_BARE };
    const struct row row = { .cells = &cell, .count = 1, .number = 1 };
    uint64_t lone = 0;
    struct err err;

    (void)state;
    for (size_t i = 0; i < COUNT(columns); i++) {
        const struct parquet_schema schema = { .columns = &columns[i], .count = 1 };
        struct parquet_block *block = parquet_block_new(&schema);

        assert_int_equal(parquet_block_row(block, &row, &lone, &err), RESULT_CORRUPT);
        assert_string_equal(err.code, "E-TAB2");
        parquet_block_free(block);
    }
}

#define BLOCKS 40
#define BLOCK_ROWS 900
#define WORKERS_MAX 5

static const struct parquet_column growing[] = {
    { .name = STR_INIT("few"), .type = TYPE_TEXT },
    { .name = STR_INIT("drawn"), .type = TYPE_TEXT },
    { .name = STR_INIT("unique"), .type = TYPE_TEXT },
    { .name = STR_INIT("long"), .type = TYPE_TEXT },     /* one is, in the 20th block */
    { .name = STR_INIT("repeats"), .type = TYPE_INT64 }, /* up to the 10th */
    { .name = STR_INIT("half"), .type = TYPE_DOUBLE },
    { .name = STR_INIT("time"), .type = TYPE_TIMESTAMP },
    { .name = STR_INIT("flag"), .type = TYPE_BOOLEAN },
};
#define GROWING COUNT(growing)

/* Row i; `text` holds what its cells view. */
static struct row make_row(uint32_t i, char text[GROWING][5000], struct row_cell cells[GROWING])
{
    uint32_t far = i * 2654435761U >> 8;
    static const enum cell_kind kinds[] = { CELL_ESCAPED, CELL_STRING, CELL_STRING, CELL_STRING,
                                            CELL_BARE,    CELL_BARE,   CELL_STRING, CELL_BARE };

    snprintf(text[0], 5000, "\\u0041%u", i % 7);
    snprintf(text[1], 5000, "some name of thousands: %u", far % 3000);
    snprintf(text[2], 5000, "nobody else is called %u", i);
    snprintf(text[3], 5000, "%0*u", i == 20 * BLOCK_ROWS + 5 ? 4500 : 20, far % 30);
    snprintf(text[4], 5000, "%u", i < 10 * BLOCK_ROWS ? far % 40 : i);
    snprintf(text[5], 5000, "%s%u.5", i % 2 ? "-" : "", far % 300);
    snprintf(text[6], 5000, "2026-11-21T04:15:%02u.%03uZ", i % 60, far % 5);
    snprintf(text[7], 5000, "%s", i % 3 ? "true" : "false");
    for (size_t c = 0; c < GROWING; c++) {
        /* Rows miss cells, and one block all of a column. */
        bool missing = i % 11 == c || (c == 1 && i / BLOCK_ROWS == 3);

        cells[c] = (struct row_cell){ .row = missing ? 0 : i + 1U,
                                      .text = text[c],
                                      .len = (uint32_t)strlen(text[c]),
                                      .kind = kinds[c] };
    }
    return (struct row){ .cells = cells, .count = GROWING, .number = i + 1U };
}

/* The file, its blocks dealt to so many workers in an irregular order, and encoded with a delay. */
static void write_growing(unsigned workers, uint64_t group_bytes, size_t room, uint32_t block_rows,
                          struct buf *out)
{
    static char text[GROWING][5000];
    const struct parquet_schema schema = { .columns = growing, .count = GROWING };
    struct parquet_dictionaries *d = parquet_dictionaries_new(&schema, room);
    struct parquet_block *blocks[WORKERS_MAX];
    struct buf encoded[WORKERS_MAX] = { { 0 } };
    struct row_cell cells[GROWING];
    struct parquet_file *file;
    uint64_t lone = 0;

    assert_int_equal(parquet_file_new(&file, &schema, group_bytes, append, out, NULL), RESULT_OK);
    for (unsigned w = 0; w < workers; w++) {
        blocks[w] = parquet_block_new(&schema);
    }
    for (uint32_t first = 0, round = 0; first < BLOCKS * BLOCK_ROWS; round++) {
        unsigned count = 0;

        /* Each worker that takes part has a block; then they are adopted; then they are encoded. */
        for (; count < workers && first < BLOCKS * BLOCK_ROWS; count++) {
            struct parquet_block *block = blocks[(count + round * round) % workers];

            for (uint32_t end = first + block_rows; first < end; first++) {
                struct row row = make_row(first, text, cells);

                assert_int_equal(parquet_block_row(block, &row, &lone, NULL), RESULT_OK);
            }
        }
        for (unsigned i = 0; i < count; i++) {
            unsigned w = (i + round * round) % workers;

            assert_int_equal(parquet_block_begin(blocks[w], &encoded[w], NULL), RESULT_OK);
            if (parquet_block_waits(blocks[w])) {
                assert_int_equal(parquet_block_adopt(blocks[w], d, NULL), RESULT_OK);
            }
        }
        for (unsigned i = 0; i < count; i++) {
            unsigned w = (i + round * round) % workers;

            assert_int_equal(parquet_block_finish(blocks[w], &encoded[w], NULL), RESULT_OK);
            assert_int_equal(parquet_file_take(file, buf_view(&encoded[w]), NULL), RESULT_OK);
            buf_reset(&encoded[w]);
            parquet_block_forget(blocks[w], w % 2 ? 50000 : 1000000);
        }
    }
    assert_int_equal(parquet_file_finish(file, NULL), RESULT_OK);
    for (unsigned w = 0; w < workers; w++) {
        parquet_block_free(blocks[w]);
        buf_release(&encoded[w]);
    }
    parquet_file_free(file);
    parquet_dictionaries_free(d);
}

/* Pages of their own and loose ones; one row group and many; room for all and for few. */
static void parquet__writes_one_file__whoever_encodes_its_blocks(void **state)
{
    static const struct {
        uint64_t group_bytes;
        size_t room;
        uint32_t block_rows;
    } cases[] = { { 0, 64 << 20, BLOCK_ROWS },
                  { 100 << 10, 64 << 20, BLOCK_ROWS },
                  { 0, 200 << 10, BLOCK_ROWS },
                  { 300 << 10, 64 << 20, 20 },
                  { 0, 0, 100 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf one = { 0 };

        write_growing(1, cases[i].group_bytes, cases[i].room, cases[i].block_rows, &one);
        for (unsigned workers = 2; workers <= WORKERS_MAX; workers++) {
            struct buf other = { 0 };

            write_growing(workers, cases[i].group_bytes, cases[i].room, cases[i].block_rows,
                          &other);
            assert_bytes(&other, one.data, one.len);
            buf_release(&other);
        }
        buf_release(&one);
    }
}

static size_t bytes_of(struct parquet_block *block, uint32_t first)
{
    static char text[GROWING][5000];
    struct row_cell cells[GROWING];
    uint64_t lone = 0;

    for (uint32_t i = first; i < first + BLOCK_ROWS; i++) {
        struct row row = make_row(i, text, cells);

        assert_int_equal(parquet_block_row(block, &row, &lone, NULL), RESULT_OK);
    }
    return parquet_block_bytes(block);
}

/* Else a block would end earlier with one worker than with another. */
static void parquet_block_bytes__are_the_same__whatever_was_met_before(void **state)
{
    const struct parquet_schema schema = { .columns = growing, .count = GROWING };
    struct parquet_dictionaries *d = parquet_dictionaries_new(&schema, 64 << 20);
    struct parquet_block *old = parquet_block_new(&schema), *new = parquet_block_new(&schema);
    struct buf out = { 0 };

    (void)state;
    for (uint32_t first = 0; first < 30 * BLOCK_ROWS; first += BLOCK_ROWS) {
        size_t bytes = bytes_of(old, first);

        encode(old, d, &out);
        assert_int_equal(bytes_of(new, first), bytes);
        assert_int_equal(parquet_block_bytes(old), 0);
        buf_reset(&out);
        parquet_block_free(new);
        new = parquet_block_new(&schema);
    }
    parquet_block_free(old);
    parquet_block_free(new);
    parquet_dictionaries_free(d);
    buf_release(&out);
}

/* In pass 1 a value has just been read when its row is written: it is not read again if it is what its column
 * holds. The text here would not do. */
static void parquet_block_row__takes_the_value__when_it_is_known(void **state)
{
    static const struct parquet_column columns[] = {
        { .name = STR_INIT("int"), .type = TYPE_INT64 },
        { .name = STR_INIT("double"), .type = TYPE_DOUBLE },
        { .name = STR_INIT("time"), .type = TYPE_TIMESTAMP },
        { .name = STR_INIT("seconds"), .type = TYPE_TIMESTAMP, .epoch_unit_us = 1000000 },
    };
    static const struct row_value values[] = {
        { .kind = KIND_WIDE, .value.whole = 7 },
        { .kind = KIND_DOUBLE, .value.fraction = 0.5 },
        { .kind = KIND_TIME, .value.whole = 7 },
        { .kind = KIND_TEXT },
    };
    const struct row_cell cell = { .row = 1, .text = "x", .len = 1, .kind = CELL_BARE };
    uint64_t lone = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(columns); i++) {
        for (size_t j = 0; j < COUNT(values); j++) {
            const struct parquet_schema schema = { .columns = &columns[i], .count = 1 };
            const struct row row = {
                .cells = &cell, .values = &values[j], .count = 1, .number = 1
            };
            struct parquet_block *block = parquet_block_new(&schema);

            assert_int_equal(parquet_block_row(block, &row, &lone, NULL),
                             i == j && i < 3 ? RESULT_OK : RESULT_CORRUPT);
            parquet_block_free(block);
        }
    }
}

/* --- rows that have few of many columns ------------------------------------------------------------- */

#define MANY (PARQUET_DICTIONARIES_MAX + 88)
#define MANY_ROWS 900
#define MANY_CELLS 7

/* The row has the columns i * step, or, if it is one of the dense, all. Texts may be long. */
static void add_many(struct parquet_block *block, uint32_t number, bool list)
{
    static char texts[4][3000];
    static struct row_cell cells[MANY];
    static uint32_t filled[MANY];
    bool dense = number % 100 == 99;
    size_t count = 0;
    struct row row = { .cells = cells, .count = MANY, .number = number + 1U };
    uint64_t lone = 0;

    for (uint32_t c = (number * 31) % 80; c < MANY; c += dense ? 1 : MANY / MANY_CELLS) {
        int len = c % 4 == 0   ? snprintf(texts[0], sizeof texts[0], "%u", 1000 - number)
                  : c % 4 == 1 ? snprintf(texts[1], sizeof texts[1], "%u.5", number)
                  : c % 4 == 2
                      ? snprintf(texts[2], sizeof texts[2], "%s", number % 3 ? "true" : "false")
                      : snprintf(texts[3], sizeof texts[3], "%*u", number % 50 ? 9 : 2900, number);

        cells[c] = (struct row_cell){ .row = number % 7 == c % 7 ? 0 : row.number,
                                      .text = texts[c % 4],
                                      .len = (uint32_t)len,
                                      .kind = c % 4 == 3 ? CELL_STRING : CELL_BARE };
        filled[count++] = c;
    }
    row.filled = list && !dense ? filled : NULL;
    row.filled_count = row.filled ? count : 0;
    assert_int_equal(parquet_block_row(block, &row, &lone, NULL), RESULT_OK);
}

static void write_many(const struct parquet_schema *schema, bool list, struct buf *out)
{
    struct parquet_block *block = parquet_block_new(schema);
    struct buf made = { 0 };
    struct parquet_file *file;

    assert_int_equal(parquet_file_new(&file, schema, 0, append, out, NULL), RESULT_OK);
    for (uint32_t i = 0; i < MANY_ROWS; i++) {
        add_many(block, i, list);
        if (i % 60 == 59 || i + 1 == MANY_ROWS) {
            assert_int_equal(buf_printf(out, "%zu ", parquet_block_bytes(block)), RESULT_OK);
            assert_int_equal(parquet_block_begin(block, &made, NULL), RESULT_OK);
            assert_false(parquet_block_waits(block));
            assert_int_equal(parquet_block_finish(block, &made, NULL), RESULT_OK);
            assert_int_equal(parquet_file_take(file, buf_view(&made), NULL), RESULT_OK);
            buf_reset(&made);
        }
    }
    assert_int_equal(parquet_file_finish(file, NULL), RESULT_OK);
    parquet_file_free(file);
    parquet_block_free(block);
    buf_release(&made);
}

/* Gathered first and sorted then, or put into their columns at once; and some of either in one block. */
static void parquet_block_row__makes_the_same__when_a_row_says_what_it_has(void **state)
{
    static const enum type types[] = { TYPE_INT64, TYPE_DOUBLE, TYPE_BOOLEAN, TYPE_TEXT };
    static struct parquet_column columns[MANY];
    const struct parquet_schema schema = { .columns = columns, .count = MANY };
    struct buf gathered = { 0 }, at_once = { 0 };

    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        columns[i] = (struct parquet_column){ .name = STR("c"), .type = types[i % 4] };
    }
    write_many(&schema, true, &gathered);
    write_many(&schema, false, &at_once);
    assert_bytes(&gathered, at_once.data, at_once.len);
    buf_release(&gathered);
    buf_release(&at_once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thrift__writes_the_compact_protocol__when_fields_are_given),
        cmocka_unit_test(parquet_file__is_whole__when_there_are_no_rows),
        cmocka_unit_test(parquet_file__passes_the_error_on__when_the_sink_is_full),
        cmocka_unit_test(parquet__keeps_little__when_columns_are_large_in_turn),
        cmocka_unit_test(parquet__writes_one_file__whoever_encodes_its_blocks),
        cmocka_unit_test(parquet_block_bytes__are_the_same__whatever_was_met_before),
        cmocka_unit_test(parquet_block_row__takes_the_value__when_it_is_known),
        cmocka_unit_test(parquet_block_row__makes_the_same__when_a_row_says_what_it_has),
        cmocka_unit_test(parquet_block_row__makes_the_same__when_common_cells_are_not_looked_at),
        cmocka_unit_test(parquet_block_row__tells_of_the_change__when_a_value_is_of_another_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
