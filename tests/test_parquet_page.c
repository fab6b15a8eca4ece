/* Pages and what they are made of, byte by byte. */
#include "table/parquet/parquet_levels.h"
#include "table/parquet/parquet_page.h"
#include "table/parquet/thrift.h"

#include "base/little.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return *state >> 32;
}

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
    static const unsigned widths[] = { 1, 2, 7, 8, 10, 13, 14, 15, 27, 28, 29, 31, 32 };
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

/* Bits that are packed already make what they would one by one, of whatever lengths the runs are. */
static void parquet_append_bits__makes_the_same__as_the_hybrid_of_each(void **state)
{
    uint32_t values[3000];
    uint64_t random = 11;

    (void)state;
    for (size_t count = 1; count < COUNT(values); count += count < 150 ? 1 : 71) {
        size_t bytes = (count + 7) / 8;
        char *bits = calloc(bytes, 1); /* so that asan sees what is read after it */
        struct buf out = { 0 }, want = { 0 };

        assert_non_null(bits);
        for (size_t i = 0, end = 0; i < count; i++) {
            if (i == end) {
                end += 1 + next_random(&random) % (UINT64_C(1) << (next_random(&random) % 9));
            }
            values[i] = end & 1;
            bits[i / 8] = (char)(bits[i / 8] | (int)values[i] << i % 8);
        }
        assert_int_equal(parquet_append_bits(&out, bits, count), RESULT_OK);
        assert_int_equal(parquet_append_hybrid(&want, values, count, 1), RESULT_OK);
        assert_bytes(&out, want.data, want.len);
        buf_release(&out);
        buf_release(&want);
        free(bits);
    }
}

static void put_run(struct buf *runs, uint32_t none, uint32_t some)
{
    assert_int_equal(thrift_append_varint(runs, none), RESULT_OK);
    assert_int_equal(thrift_append_varint(runs, some), RESULT_OK);
}

/* Levels of few runs and of many, short and long ones, up to the last row and not: what they would be one by one. */
static void parquet_append_levels__makes_the_same__as_the_hybrid_of_each(void **state)
{
    static uint32_t values[50000];
    uint64_t random = 3;

    (void)state;
    for (unsigned lap = 0; lap < 400; lap++) {
        uint32_t rows = 1 + (uint32_t)(next_random(&random) % COUNT(values)), at = 0;
        unsigned gaps = 1 + lap % 14, lengths = 1 + lap % 5;
        struct buf runs = { 0 }, out = { 0 }, want = { 0 }, spare = { 0 };

        memset(values, 0, sizeof values);
        while (at < rows) {
            uint32_t none = (uint32_t)(next_random(&random) % (UINT64_C(1) << gaps));
            uint32_t some = 1 + (uint32_t)(next_random(&random) % (UINT64_C(1) << lengths));

            none += at > 0 && !none; /* only the first run may begin at once */
            if (none >= rows - at) {
                break;
            }
            some = some > rows - at - none ? rows - at - none : some;
            put_run(&runs, none, some);
            for (at += none; some; some--) {
                values[at++] = 1;
            }
        }
        assert_int_equal(parquet_append_levels(&out, buf_view(&runs), rows, &spare), RESULT_OK);
        assert_int_equal(parquet_append_hybrid(&want, values, rows, 1), RESULT_OK);
        assert_bytes(&out, want.data, want.len);
        buf_release(&runs);
        buf_release(&out);
        buf_release(&want);
        buf_release(&spare);
    }
}

/* --- whole pages ---------------------------------------------------------------------------------- */

#define BODY_MAX 300000

enum kind { ZEROS, RANDOM, TEXT, PERIODIC, KINDS };

static void make_body(char *body, size_t len, enum kind kind)
{
    uint64_t random = len;

    for (size_t i = 0; i < len; i++) {
        body[i] = kind == ZEROS                     ? 0
                  : kind == TEXT                    ? (char)('a' + next_random(&random) % 16)
                  : kind == RANDOM || len - i < 512 ? (char)next_random(&random)
                                                    : (char)(i % 511 * 167);
    }
}

/* Behind the byte that names a field, and the varint that it is. */
static const char *skip_number(const char *at)
{
    do {
        at++;
    } while (*at & 0x80);
    return at + 1;
}

/* Of a data page's values, as the header has it. */
static enum parquet_encoding encoding_of(const char *page)
{
    for (int i = 0; i < 3; i++) {
        page = skip_number(page);
    }
    page = skip_number(page + 1); /* in DataPageHeader: how many values */
    return (enum parquet_encoding)((unsigned char)page[1] >> 1);
}

/* What the page's frame takes, whose content must be the body. */
static size_t append_and_read(ZSTD_CCtx *zstd, const struct parquet_page *page, struct str body)
{
    struct buf out = { 0 };
    uint64_t plain_bytes = 0;
    size_t header = 0, packed;
    char *back = malloc(body.len + 1);

    assert_non_null(back);
    assert_int_equal(parquet_append_page(&out, page, body, zstd, &plain_bytes), RESULT_OK);
    if (page->type == PARQUET_DATA_PAGE) {
        assert_int_equal(encoding_of(out.data), page->encoding);
    }
    while (little_get_u32(out.data + header) != ZSTD_MAGICNUMBER) {
        header++;
        assert_true(header + 4 < out.len);
    }
    packed = out.len - header;
    assert_int_equal(plain_bytes, header + body.len);
    assert_int_equal(ZSTD_getFrameContentSize(out.data + header, packed), body.len);
    assert_int_equal(ZSTD_decompress(back, body.len + 1, out.data + header, packed), body.len);
    assert_memory_equal(back, body.data, body.len);
    free(back);
    buf_release(&out);
    return packed;
}

/* Of all sizes and kinds, one after the other: the same as from a context that has met no other. */
static void append_page__reads_back_and_forgets__whatever_the_body(void **state)
{
    static const size_t lens[] = { 0,   1,   63,   64,   65,    127,    128,    254,     255,
                                   256, 257, 1000, 5000, 70000, 131072, 131073, BODY_MAX };
    static char body[BODY_MAX];
    ZSTD_CCtx *zstd = parquet_zstd_new();

    (void)state;
    assert_non_null(zstd);
    for (size_t i = 0; i < COUNT(lens) * KINDS * 4; i++) {
        const struct parquet_page page = {
            .type = i & 1 ? PARQUET_DATA_PAGE : PARQUET_DICTIONARY_PAGE,
            .encoding = i & 2 ? PARQUET_RLE_DICTIONARY : PARQUET_PLAIN,
            .value_count = (uint32_t)(i * i * i),
            .packed = i & 2,
        };
        struct str view = { body, lens[i / 4 % COUNT(lens)] };
        ZSTD_CCtx *fresh = parquet_zstd_new();

        make_body(body, view.len, (enum kind)(i / 4 / COUNT(lens)));
        assert_int_equal(append_and_read(zstd, &page, view), append_and_read(fresh, &page, view));
        ZSTD_freeCCtx(fresh);
    }
    ZSTD_freeCCtx(zstd);
}

static void append_page__tries_no_more_than_pays__when_the_body_is_short_or_flat(void **state)
{
    const struct parquet_page indices = { .type = PARQUET_DATA_PAGE,
                                          .encoding = PARQUET_RLE_DICTIONARY,
                                          .packed = true };
    const struct parquet_page texts = { .type = PARQUET_DATA_PAGE };
    static char body[20000];
    ZSTD_CCtx *zstd = parquet_zstd_new();

    (void)state;
    make_body(body, sizeof body, TEXT);
    assert_int_equal(append_and_read(zstd, &indices, (struct str){ body, 255 }), 255 + 9);
    assert_int_equal(append_and_read(zstd, &texts, (struct str){ body, 64 }), 64 + 9);
    /* Half a byte each, and tables. */
    assert_in_range(append_and_read(zstd, &texts, (struct str){ body, 255 }), 128, 180);
    assert_in_range(append_and_read(zstd, &indices, (struct str){ body, 20000 }), 10000, 10400);
    make_body(body, sizeof body, RANDOM);
    assert_in_range(append_and_read(zstd, &indices, (struct str){ body, 20000 }), 20000, 20020);
    /* Flat for who looks at bytes one by one, and nevertheless the same over and over. */
    make_body(body, sizeof body, PERIODIC);
    assert_in_range(append_and_read(zstd, &indices, (struct str){ body, 20000 }), 511, 2000);
    ZSTD_freeCCtx(zstd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parquet_append_hybrid__packs__when_values_vary),
        cmocka_unit_test(parquet_append_hybrid__counts__when_values_repeat),
        cmocka_unit_test(parquet_append_hybrid__reads_back__when_runs_and_others_mix),
        cmocka_unit_test(parquet_append_bits__makes_the_same__as_the_hybrid_of_each),
        cmocka_unit_test(parquet_append_levels__makes_the_same__as_the_hybrid_of_each),
        cmocka_unit_test(append_page__reads_back_and_forgets__whatever_the_body),
        cmocka_unit_test(append_page__tries_no_more_than_pays__when_the_body_is_short_or_flat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
