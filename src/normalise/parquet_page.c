#include "normalise/parquet_page.h"

#include "base/little.h"
#include "normalise/thrift.h"

#include <assert.h>

#define ZSTD_LEVEL 1
#define ZSTD_LEVEL_FLAT (-1) /* finds what is repeated, but codes no bytes: a third of the time */

/* Level 1 has a larger hash table for more than 128 KiB, which is all of the nearest cache. With the one that it
 * has for less, texts take an eighth less time and 1 to 3 % more room. A dictionary is written for many pages. */
#define LARGE_BODY ((size_t)128 << 10)
#define LARGE_BODY_HASH_LOG 13

/* A sample of the body: the middle of each of its parts, as both ends may be special. Of bytes that are all as
 * frequent, one pair in 256 is equal. */
#define SAMPLE_SPANS 4
#define SPAN_BYTES 64
#define SAMPLE_BYTES (SAMPLE_SPANS * SPAN_BYTES)
#define FLAT_PAIRS_MAX (3 * (SAMPLE_BYTES * (SAMPLE_BYTES - 1) / 2) / 256)

#define HEADER_MAX 64 /* bytes of a page's header: three numbers, and five in a struct */
#define RAW_FRAME_HEADER 9
#define RAW_FRAME_BODY_MAX 64    /* above, zstd gains more than it costs ... */
#define RAW_FRAME_PACKED_MAX 255 /* ... of packed bits; its length fits into the frame's byte */
#define RUN_MIN 8                /* equal values that are worth a run of their own */

unsigned parquet_index_width(uint32_t greatest)
{
    unsigned width = 1;

    while (width < 32 && greatest >> width) {
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

enum result parquet_append_run(struct buf *out, uint32_t value, size_t count, unsigned width)
{
    enum result result = thrift_append_varint(out, (uint64_t)count << 1);
    char bytes[4];

    little_put_u32(bytes, value);
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
        held += width;
        if (held >= 32) {
            little_put_u32(out->data + out->len, (uint32_t)bits);
            out->len += 4;
            bits >>= 32;
            held -= 32;
        }
    }
    for (; held; held -= 8, bits >>= 8) { /* a whole number of bytes */
        out->data[out->len++] = (char)bits;
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
            result = parquet_append_run(out, values[at], run, width);
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
        thrift_bool(&t, 3, false); /* is_sorted */
    }
    thrift_end(&t);
    thrift_end(&t);
    return t.result;
}

/* Behind the byte that names a field, and the varint that it is. */
static const char *skip_number(const char *at)
{
    do {
        at++;
    } while (*at & 0x80);
    return at + 1;
}

enum parquet_encoding parquet_page_encoding(const char *page)
{
    for (int i = 0; i < 3; i++) {
        page = skip_number(page);
    }
    page = skip_number(page + 1); /* in DataPageHeader: how many values */
    return (enum parquet_encoding)((unsigned char)page[1] >> 1);
}

/* A frame of one block that is not compressed (RFC 8878, 3.1.1): what zstd would make of a few bytes, if
 * not something longer, without the thousands of cycles that it takes to begin. */
static size_t put_raw_frame(char *to, struct str body)
{
    const unsigned block_header = (unsigned)body.len << 3 | 1; /* Raw_Block, Last_Block */

    little_put_u32(to, 0xFD2FB528U);
    to[4] = 0x20; /* Single_Segment_flag, Frame_Content_Size in one byte */
    to[5] = (char)body.len;
    to[6] = (char)block_header;
    to[7] = (char)(block_header >> 8);
    to[8] = 0;
    memcpy(to + RAW_FRAME_HEADER, body.data, body.len);
    return RAW_FRAME_HEADER + body.len;
}

/* Would coding frequent bytes in fewer bits gain next to nothing? So it is with packed indices and differences. */
static bool is_flat(struct str body)
{
    uint16_t seen[256] = { 0 };
    unsigned pairs = 0; /* of equal bytes */

    if (body.len < SAMPLE_BYTES) {
        return false;
    }
    for (size_t span = 0; span < SAMPLE_SPANS; span++) {
        size_t part = body.len / SAMPLE_SPANS;
        const char *from = body.data + part * span + (part - SPAN_BYTES) / 2;

        for (size_t i = 0; i < SPAN_BYTES; i++) {
            pairs += seen[(unsigned char)from[i]]++;
        }
    }
    return pairs < FLAT_PAIRS_MAX;
}

ZSTD_CCtx *parquet_zstd_new(void)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();

    /* For ZSTD_compress2; the other calls bring their own. */
    if (zstd && (ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) ||
                 ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_hashLog, LARGE_BODY_HASH_LOG)))) {
        ZSTD_freeCCtx(zstd);
        return NULL;
    }
    return zstd;
}

static size_t compress(ZSTD_CCtx *zstd, char *to, size_t room, const struct parquet_page *page,
                       struct str body)
{
    if (is_flat(body)) {
        return ZSTD_compressCCtx(zstd, to, room, body.data, body.len, ZSTD_LEVEL_FLAT);
    }
    if (page->type == PARQUET_DATA_PAGE && body.len > LARGE_BODY) {
        return ZSTD_compress2(zstd, to, room, body.data, body.len);
    }
    return ZSTD_compressCCtx(zstd, to, room, body.data, body.len, ZSTD_LEVEL);
}

/* The page is compressed into place, behind room for the longest header, and then moved up to its own. */
enum result parquet_append_page(struct buf *out, const struct parquet_page *page, struct str body,
                                ZSTD_CCtx *zstd, uint64_t *plain_bytes)
{
    bool tiny = body.len <= (page->packed ? RAW_FRAME_PACKED_MAX : RAW_FRAME_BODY_MAX);
    size_t bound = tiny ? RAW_FRAME_HEADER + body.len : ZSTD_compressBound(body.len);
    size_t packed, at = out->len;
    char *place;
    enum result result = buf_reserve(out, HEADER_MAX + bound);

    if (result != RESULT_OK) {
        return result;
    }
    place = out->data + at + HEADER_MAX;
    packed = tiny ? put_raw_frame(place, body) : compress(zstd, place, bound, page, body);
    result = ZSTD_isError(packed) ? RESULT_NOMEM : append_header(out, page, body.len, packed);
    if (result != RESULT_OK) {
        return result;
    }
    assert(out->len - at <= HEADER_MAX);
    memmove(out->data + out->len, place, packed);
    *plain_bytes = out->len - at + body.len;
    out->len += packed;
    return RESULT_OK;
}
