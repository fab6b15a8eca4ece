/* Encodings byte by byte; that whole files say what they should is for other readers to tell, see
 * parquet_reads.mjs. */
#include "normalise/parquet.h"
#include "normalise/parquet_page.h"
#include "normalise/thrift.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void assert_bytes(const struct buf *got, const void *want, size_t len)
{
    assert_int_equal(got->len, len);
    assert_memory_equal(got->data, want, len);
}

static void parquet_append_hybrid__packs__when_values_vary(void **state)
{
    /* The example of Encodings.md: 0 to 7 in three bits. */
    static const uint32_t values[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    struct buf out = { 0 };

    (void)state;
    assert_int_equal(parquet_append_hybrid(&out, values, 8, 3), RESULT_OK);
    assert_bytes(&out, "\x03\x88\xC6\xFA", 4);
    buf_reset(&out);
    assert_int_equal(parquet_append_hybrid(&out, values, 2, 3), RESULT_OK); /* filled up */
    assert_bytes(&out, "\x03\x08\x00\x00", 4);
    buf_release(&out);
}

static void parquet_append_hybrid__counts__when_values_repeat(void **state)
{
    uint32_t values[1000];
    struct buf out = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        values[i] = 300;
    }
    assert_int_equal(parquet_append_hybrid(&out, values, COUNT(values), 9), RESULT_OK);
    assert_bytes(&out, "\xD0\x0F\x2C\x01", 4); /* 1000 << 1, then 300 in two bytes */
    buf_release(&out);
}

/* What a reader does; for values of up to 32 bits. */
static size_t read_hybrid(const struct buf *in, unsigned width, uint32_t *values, size_t max)
{
    size_t at = 0, count = 0;

    while (at < in->len) {
        uint64_t head = 0;
        unsigned shift = 0;

        do {
            head |= (uint64_t)(in->data[at] & 0x7F) << shift;
            shift += 7;
        } while (in->data[at++] & 0x80);
        if (head & 1) {
            uint64_t bit = (uint64_t)at * 8;

            for (uint64_t i = 0; i < (head >> 1) * 8; i++) {
                uint32_t value = 0;

                for (unsigned b = 0; b < width; b++, bit++) {
                    value |= (uint32_t)((unsigned char)in->data[bit / 8] >> bit % 8 & 1) << b;
                }
                if (count < max) {
                    values[count++] = value;
                }
            }
            at += (head >> 1) * width;
        } else {
            uint32_t value = 0;

            for (unsigned b = 0; b < (width + 7) / 8; b++) {
                value |= (uint32_t)(unsigned char)in->data[at++] << 8 * b;
            }
            for (uint64_t i = 0; i < head >> 1 && count < max; i++) {
                values[count++] = value;
            }
        }
    }
    return count;
}

static void parquet_append_hybrid__reads_back__when_runs_and_others_mix(void **state)
{
    static const unsigned widths[] = { 1, 2, 7, 8, 10, 13, 31, 32 };
    uint32_t values[777], back[777];
    uint64_t random = 7;

    (void)state;
    for (size_t w = 0; w < COUNT(widths); w++) {
        struct buf out = { 0 };

        for (size_t i = 0; i < COUNT(values); i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
            values[i] = i && random >> 60
                            ? values[i - 1]
                            : (uint32_t)(random >> 20) & (UINT32_MAX >> (32 - widths[w]));
        }
        assert_int_equal(parquet_append_hybrid(&out, values, COUNT(values), widths[w]), RESULT_OK);
        assert_int_equal(read_hybrid(&out, widths[w], back, COUNT(back)), COUNT(back));
        assert_memory_equal(values, back, sizeof values);
        buf_release(&out);
    }
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
    static const struct parquet_schema schema = { &column, 1 };
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
    static const struct parquet_schema schema = { &column, 1 };
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

#define COLUMNS 100
#define TEXT_BYTES ((size_t)1 << 20)

/* What is large in one column after the other is in no two of them at once. Under the sanitizers memory is not
 * counted, and nothing compared. */
static void parquet__keeps_little__when_columns_are_large_in_turn(void **state)
{
    struct parquet_column columns[COLUMNS];
    const struct parquet_schema schema = { columns, COLUMNS };
    struct row_cell cells[COLUMNS] = { { .row = 0 } };
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
    assert_int_equal(parquet_file_new(&file, &schema, TEXT_BYTES, count, &written, NULL),
                     RESULT_OK);
    for (uint32_t i = 0; i < COLUMNS; i++) {
        const struct row row = { .cells = cells, .count = COLUMNS, .number = i + 1 };

        cells[i] = (struct row_cell){ i + 1, text.data, (uint32_t)text.len, CELL_STRING };
        assert_int_equal(parquet_block_row(block, &row, &lone, NULL), RESULT_OK);
        buf_reset(&out);
        assert_int_equal(parquet_block_finish(block, &out, NULL), RESULT_OK);
        assert_int_equal(parquet_file_take(file, buf_view(&out), NULL), RESULT_OK);
    }
    assert_true(written > COLUMNS * TEXT_BYTES / 2); /* no page waits */
    assert_in_range(mallinfo2().uordblks + mallinfo2().hblkhd, 0, 32 * TEXT_BYTES);
    parquet_file_free(file);
    parquet_block_free(block);
    buf_release(&text);
    buf_release(&out);
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
        const struct parquet_schema schema = { &columns[i], 1 };
        struct parquet_block *block = parquet_block_new(&schema);

        assert_int_equal(parquet_block_row(block, &row, &lone, &err), RESULT_CORRUPT);
        assert_string_equal(err.code, "E-TAB2");
        parquet_block_free(block);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parquet_append_hybrid__packs__when_values_vary),
        cmocka_unit_test(parquet_append_hybrid__counts__when_values_repeat),
        cmocka_unit_test(parquet_append_hybrid__reads_back__when_runs_and_others_mix),
        cmocka_unit_test(thrift__writes_the_compact_protocol__when_fields_are_given),
        cmocka_unit_test(parquet_file__is_whole__when_there_are_no_rows),
        cmocka_unit_test(parquet_file__passes_the_error_on__when_the_sink_is_full),
        cmocka_unit_test(parquet__keeps_little__when_columns_are_large_in_turn),
        cmocka_unit_test(parquet_block_row__tells_of_the_change__when_a_value_is_of_another_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
