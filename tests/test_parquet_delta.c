/* What is written is read back here as Encodings.md says; that others understand it, too, is for
 * parquet_reads.mjs to show. */
#include "table/parquet/parquet_delta.h"

#include "base/little.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define VALUES_MAX 5000

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return *state >> 32 | *state << 32;
}

static uint64_t read_varint(const struct buf *in, size_t *at)
{
    uint64_t value = 0;

    for (unsigned shift = 0;; shift += 7) {
        unsigned char byte;

        assert_true(*at < in->len && shift < 64);
        byte = (unsigned char)in->data[(*at)++];
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80)) {
            return value;
        }
    }
}

static int64_t read_zigzag(const struct buf *in, size_t *at)
{
    uint64_t value = read_varint(in, at);

    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

static uint64_t read_bits(const struct buf *in, uint64_t first, unsigned width)
{
    uint64_t value = 0;

    assert_true((first + width + 7) / 8 <= in->len);
    for (unsigned i = 0; i < width; i++) {
        uint64_t bit = first + i;

        value |= (uint64_t)((unsigned char)in->data[bit / 8] >> bit % 8 & 1) << i;
    }
    return value;
}

/* What a reader does that neither wraps around nor looks at what it does not need. */
static size_t read_delta(const struct buf *in, int64_t *values, size_t max)
{
    size_t at = 0, count, done = 0;
    uint64_t block = read_varint(in, &at), parts = read_varint(in, &at);
    int64_t last;

    assert_true(block && block % 128 == 0 && parts && block / parts % 32 == 0);
    count = read_varint(in, &at);
    assert_in_range(count, 1, max);
    values[done++] = last = read_zigzag(in, &at);
    while (done < count) {
        int64_t least = read_zigzag(in, &at);
        size_t widths = at;

        at += parts;
        for (uint64_t part = 0; part < parts && done < count; part++) {
            unsigned width = (unsigned char)in->data[widths + part];

            assert_in_range(width, 0, 64);
            for (uint64_t i = 0; i < block / parts && done < count; i++) {
                uint64_t more = read_bits(in, (uint64_t)at * 8 + i * width, width);
                int64_t difference;

                assert_false(__builtin_add_overflow(least, more, &difference));
                assert_false(__builtin_add_overflow(last, difference, &last));
                values[done++] = last;
            }
            at += block / parts / 8 * width;
        }
    }
    assert_int_equal(at, in->len);
    return count;
}

/* Bytes that it took, or 0 when it was said not to pay. */
static size_t write_and_read(const int64_t *values, size_t count)
{
    static int64_t back[VALUES_MAX];
    char *plain = malloc(count * 8 + 1); /* so that asan sees what is read after it */
    struct buf out = { 0 };
    bool pays = false;
    size_t len;

    assert_non_null(plain);
    for (size_t i = 0; i < count; i++) {
        little_put_u64(plain + 8 * i, (uint64_t)values[i]);
    }
    assert_int_equal(buf_append(&out, "levels", 6), RESULT_OK);
    assert_int_equal(parquet_append_delta(&out, (struct str){ plain, count * 8 }, &pays),
                     RESULT_OK);
    assert_memory_equal(out.data, "levels", 6);
    len = out.len - 6;
    assert_int_equal(len > 0, pays);
    if (pays) {
        struct buf view = { .data = out.data + 6, .len = len };

        assert_int_equal(read_delta(&view, back, VALUES_MAX), count);
        assert_memory_equal(back, values, count * sizeof *values);
        assert_true(len < count * 6);
    }
    buf_release(&out);
    free(plain);
    return len;
}

static void append_delta__writes_the_format__when_values_go_up(void **state)
{
    char plain[9 * 8];
    struct buf out = { 0 };
    bool pays = false;

    (void)state;
    for (int i = 0; i < 9; i++) { /* 7, 9, 12, 14, 17 ...: differences of 2 and 3 */
        little_put_u64(plain + 8 * i, (uint64_t)(7 + 5 * i / 2));
    }
    assert_int_equal(parquet_append_delta(&out, (struct str){ plain, sizeof plain }, &pays),
                     RESULT_OK);
    assert_true(pays);
    /* 128 in a block, 4 miniblocks, 9 values, the first; the least difference, widths, and a bit each. */
    assert_int_equal(out.len, 14);
    assert_memory_equal(out.data, "\x80\x01\x04\x09\x0E\x04\x01\x00\x00\x00\xAA\x00\x00\x00", 14);
    buf_release(&out);
}

static void append_delta__reads_back__when_counts_end_anywhere_in_a_block(void **state)
{
    static const size_t counts[] = { 2,   3,   31,  32,  33,  34,  64,  65,  66,  127,  128,
                                     129, 130, 160, 161, 256, 257, 258, 385, 386, 4999, 5000 };
    static int64_t values[VALUES_MAX];
    uint64_t random = 1;

    (void)state;
    for (size_t c = 0; c < COUNT(counts); c++) {
        for (size_t i = 0; i < counts[c]; i++) {
            values[i] = (int64_t)(i * 1000 + next_random(&random) % 900);
        }
        (void)write_and_read(values, counts[c]);
        assert_true(counts[c] < 32 || write_and_read(values, counts[c]) > 0);
    }
    assert_int_equal(write_and_read(values, 0), 0);
    assert_int_equal(write_and_read(values, 1), 0);
}

static void append_delta__reads_back__when_differences_are_of_any_width(void **state)
{
    static int64_t values[1000];
    uint64_t random = 7;

    (void)state;
    for (unsigned width = 0; width <= 62; width++) {
        size_t len;

        for (size_t i = 0; i < COUNT(values); i++) { /* some below zero */
            uint64_t bits = width ? next_random(&random) >> (64 - width) : 0;

            values[i] = (int64_t)bits - ((int64_t)1 << width) / 3;
        }
        len = write_and_read(values, COUNT(values));
        assert_int_equal(len > 0, width > 0 && width < 46); /* and a bit more each, below 48 */
    }
}

/* Each miniblock has a width of its own. */
static void append_delta__reads_back__when_widths_vary(void **state)
{
    static int64_t values[3000];
    uint64_t random = 99;
    unsigned paid = 0;

    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        int64_t last = (int64_t)next_random(&random) / 4;

        for (size_t i = 0; i < COUNT(values); i++) {
            unsigned shift = i % 32 == 5 && next_random(&random) % 8 == 0
                                 ? 2 + (unsigned)(next_random(&random) % 62)
                                 : 44 + round % 20;
            int64_t difference = (int64_t)next_random(&random) >> shift;

            if (__builtin_add_overflow(last, difference, &last) || last >= INT64_MAX / 2 ||
                last < INT64_MIN / 2) {
                last = difference;
            }
            values[i] = last;
        }
        paid += write_and_read(values, COUNT(values)) > 0;
    }
    assert_true(paid > 100);
}

/* One that is far off costs its block up to 64 bits each, and the others nothing. */
static void append_delta__pays__when_few_are_far_off(void **state)
{
    static int64_t values[2000];

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        values[i] = i % 500 == 300 ? INT64_MAX / 2 : (int64_t)i;
    }
    assert_in_range(write_and_read(values, COUNT(values)), 4 * 256, 4 * 1024 + 300);
}

static void append_delta__leaves_plain__when_a_difference_could_be_too_wide(void **state)
{
    static const int64_t ends[] = { INT64_MAX, INT64_MIN, INT64_MAX / 2 + 1, INT64_MIN / 2 - 1 };
    int64_t values[1000];

    (void)state;
    for (size_t e = 0; e < COUNT(ends); e++) {
        for (size_t at = 0; at < COUNT(values); at += 333) {
            for (size_t i = 0; i < COUNT(values); i++) {
                values[i] = (int64_t)i;
            }
            values[at] = ends[e];
            assert_int_equal(write_and_read(values, COUNT(values)), 0);
            values[at] /= 4;
            assert_true(write_and_read(values, COUNT(values)) > 0);
        }
    }
}

static void append_delta__leaves_plain__when_most_are_the_same_as_the_one_before(void **state)
{
    static int64_t values[4000];
    uint64_t random = 3;

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        values[i] = i % 40 ? values[i - 1] : (int64_t)(next_random(&random) >> 20);
    }
    assert_int_equal(write_and_read(values, COUNT(values)), 0);
    for (size_t i = 0; i < COUNT(values); i++) { /* but one more each time takes next to nothing */
        values[i] = (int64_t)i / 10;
    }
    assert_in_range(write_and_read(values, COUNT(values)), 1, COUNT(values) / 4);
}

static void append_delta__leaves_plain__when_numbers_are_random(void **state)
{
    static int64_t values[VALUES_MAX];
    uint64_t random = 5;

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        values[i] = (int64_t)(next_random(&random) >> 2);
    }
    assert_int_equal(write_and_read(values, COUNT(values)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(append_delta__writes_the_format__when_values_go_up),
        cmocka_unit_test(append_delta__reads_back__when_counts_end_anywhere_in_a_block),
        cmocka_unit_test(append_delta__reads_back__when_differences_are_of_any_width),
        cmocka_unit_test(append_delta__reads_back__when_widths_vary),
        cmocka_unit_test(append_delta__pays__when_few_are_far_off),
        cmocka_unit_test(append_delta__leaves_plain__when_a_difference_could_be_too_wide),
        cmocka_unit_test(append_delta__leaves_plain__when_most_are_the_same_as_the_one_before),
        cmocka_unit_test(append_delta__leaves_plain__when_numbers_are_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
