#include "normalise/parquet_page.h"

#include "normalise/thrift.h"

#include <stdlib.h>

#define ZSTD_LEVEL 1
#define RUN_MIN 8 /* equal values that are worth a run of their own */

unsigned parquet_index_width(uint32_t dictionary_count)
{
    unsigned width = 1;

    while (width < 32 && dictionary_count > UINT32_C(1) << width) {
        width++;
    }
    return width;
}

static size_t run_length(const uint32_t *values, size_t count)
{
    size_t n = 1;

    while (n < count && values[n] == values[0]) {
        n++;
    }
    return n;
}

static enum result append_run(struct buf *out, uint32_t value, size_t count, unsigned width)
{
    enum result result = thrift_append_varint(out, (uint64_t)count << 1);
    char bytes[4];

    parquet_put_u32(bytes, value);
    return result == RESULT_OK ? buf_append(out, bytes, (width + 7) / 8) : result;
}

/* Groups of eight values, `width` bytes each, lowest bits first; the last is filled up with zeros. */
static enum result append_packed(struct buf *out, const uint32_t *values, size_t count,
                                 unsigned width)
{
    size_t groups = (count + 7) / 8;
    enum result result = thrift_append_varint(out, (uint64_t)groups << 1 | 1);
    uint64_t bits = 0;
    unsigned held = 0;

    if (result == RESULT_OK) {
        result = buf_reserve(out, groups * width);
    }
    if (result != RESULT_OK) {
        return result;
    }
    for (size_t i = 0; i < groups * 8; i++) {
        bits |= (uint64_t)(i < count ? values[i] : 0) << held;
        for (held += width; held >= 8; held -= 8, bits >>= 8) {
            out->data[out->len++] = (char)bits;
        }
    }
    return RESULT_OK;
}

enum result parquet_append_hybrid(struct buf *out, const uint32_t *values, size_t count,
                                  unsigned width)
{
    enum result result = RESULT_OK;
    size_t first = 0, at = 0; /* values from `first` to `at` wait to be packed, in whole groups */

    while (result == RESULT_OK && at < count) {
        size_t run = run_length(values + at, count - at);

        if (run < RUN_MIN) {
            at += count - at < 8 ? count - at : 8;
            continue;
        }
        if (at > first) {
            result = append_packed(out, values + first, at - first, width);
        }
        if (result == RESULT_OK) {
            result = append_run(out, values[at], run, width);
        }
        first = at += run;
    }
    if (result == RESULT_OK && at > first) {
        result = append_packed(out, values + first, at - first, width);
    }
    return result;
}

static enum result append_header(struct buf *out, const struct parquet_page *page, size_t plain,
                                 size_t packed)
{
    struct thrift t;

    thrift_begin(&t, out);
    thrift_i32(&t, 1, page->type);
    thrift_i32(&t, 2, (int32_t)plain);
    thrift_i32(&t, 3, (int32_t)packed);
    if (page->type == PARQUET_DATA_PAGE) {
        thrift_struct(&t, 5); /* DataPageHeader */
        thrift_i32(&t, 1, (int32_t)page->value_count);
        thrift_i32(&t, 2, (int32_t)page->encoding);
        thrift_i32(&t, 3, PARQUET_RLE); /* definition levels */
        thrift_i32(&t, 4, PARQUET_RLE); /* repetition levels: there are none */
    } else {
        thrift_struct(&t, 7); /* DictionaryPageHeader */
        thrift_i32(&t, 1, (int32_t)page->value_count);
        thrift_i32(&t, 2, (int32_t)page->encoding);
        thrift_bool(&t, 3, true); /* is_sorted */
    }
    thrift_end(&t);
    thrift_end(&t);
    return t.result;
}

enum result parquet_append_page(struct buf *out, const struct parquet_page *page, struct str body,
                                ZSTD_CCtx *zstd, uint64_t *plain_bytes)
{
    size_t bound = ZSTD_compressBound(body.len), packed, header_len;
    char *scratch = malloc(bound);
    enum result result;

    if (!scratch) {
        return RESULT_NOMEM;
    }
    packed = ZSTD_compressCCtx(zstd, scratch, bound, body.data, body.len, ZSTD_LEVEL);
    header_len = out->len;
    result = ZSTD_isError(packed) ? RESULT_NOMEM : append_header(out, page, body.len, packed);
    header_len = out->len - header_len;
    if (result == RESULT_OK) {
        result = buf_append(out, scratch, packed);
    }
    free(scratch);
    *plain_bytes = header_len + body.len;
    return result;
}

enum result parquet_append_dictionary(struct buf *out, const struct dictionary *dictionary,
                                      ZSTD_CCtx *zstd, uint64_t *plain_bytes)
{
    struct parquet_page page = { .type = PARQUET_DICTIONARY_PAGE,
                                 .encoding = PARQUET_PLAIN,
                                 .value_count = dictionary_count(dictionary) };
    enum result result = RESULT_OK;
    struct buf body = { 0 };

    for (uint32_t i = 0; result == RESULT_OK && i < page.value_count; i++) {
        struct str text = dictionary_text(dictionary, i);
        char len[4];

        parquet_put_u32(len, (uint32_t)text.len);
        result = buf_append(&body, len, sizeof len);
        result = result == RESULT_OK ? buf_append_str(&body, text) : result;
    }
    if (result == RESULT_OK) {
        result = parquet_append_page(out, &page, buf_view(&body), zstd, plain_bytes);
    }
    buf_release(&body);
    return result;
}
