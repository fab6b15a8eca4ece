#include "table/parquet/parquet_page.h"

#include "base/little.h"
#include "table/parquet/parquet_bits.h"
#include "table/parquet/thrift.h"

#include <assert.h>
#include <string.h>

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
#define WORD_BITS 57             /* that are left when 8 bytes begin with a bit that is wanted */

unsigned parquet_index_width(uint32_t greatest)
{
    unsigned width = 1;

    while (width < 32 && greatest >> width) {
        width++;
    }
    return width;
}

enum result parquet_append_run(struct buf *out, uint32_t value, size_t count, unsigned width)
{
    enum result result = buf_reserve(out, THRIFT_VARINT_MAX + sizeof value);
    char *to;

    if (result != RESULT_OK) {
        return result;
    }
    to = thrift_put_varint(out->data + out->len, (uint64_t)count << 1);
    little_put_u32(to, value);
    out->len = (size_t)(to - out->data) + (width + 7) / 8;
    return RESULT_OK;
}

/* Whole groups, as many values at once as may be put. Behind them. */
static char *put_groups(char *to, const uint32_t *values, size_t count, unsigned width)
{
    struct parquet_bits bits = { .at = to };

    if (width <= PARQUET_BITS_MAX / 4) {
        for (size_t i = 0; i < count; i += 4) {
            uint64_t low = values[i] | (uint64_t)values[i + 1] << width;
            uint64_t high = values[i + 2] | (uint64_t)values[i + 3] << width;

            parquet_bits_put(&bits, low | high << 2 * width, 4 * width);
        }
    } else if (width <= PARQUET_BITS_MAX / 2) {
        for (size_t i = 0; i < count; i += 2) {
            parquet_bits_put(&bits, values[i] | (uint64_t)values[i + 1] << width, 2 * width);
        }
    } else {
        for (size_t i = 0; i < count; i++) {
            parquet_bits_put(&bits, values[i], width);
        }
    }
    return bits.at;
}

/* Groups of eight values, `width` bytes each; the last is filled up with zeros. */
static enum result append_packed(struct buf *out, const uint32_t *values, size_t count,
                                 unsigned width)
{
    size_t groups = (count + PARQUET_GROUP - 1) / PARQUET_GROUP, rest = count % PARQUET_GROUP;
    enum result result = thrift_append_varint(out, (uint64_t)groups << 1 | 1);
    uint32_t last[PARQUET_GROUP] = { 0 };
    char *end;

    if (result == RESULT_OK) {
        result = buf_reserve(out, groups * width + PARQUET_BITS_BEHIND);
    }
    if (result != RESULT_OK) {
        return result;
    }
    end = put_groups(out->data + out->len, values, count - rest, width);
    if (rest) {
        memcpy(last, values + count - rest, rest * sizeof *values);
        end = put_groups(end, last, PARQUET_GROUP, width);
    }
    out->len = (size_t)(end - out->data);
    return RESULT_OK;
}

/* Two at once. */
static inline uint64_t pair_at(const uint32_t *values)
{
    uint64_t pair;

    memcpy(&pair, values, sizeof pair);
    return pair;
}

/* Are the eight all the same? */
static bool is_run(const uint32_t *values)
{
    uint64_t same = (uint64_t)values[0] << 32 | values[0];

    return !((pair_at(values) ^ same) | (pair_at(values + 2) ^ same) |
             (pair_at(values + 4) ^ same) | (pair_at(values + 6) ^ same));
}

/* How many are the same as the first, if a group's are; else none. */
static size_t run_length(const uint32_t *values, size_t count)
{
    size_t n = 0;

    while (n + PARQUET_GROUP <= count && values[n] == values[0] && is_run(values + n)) {
        n += PARQUET_GROUP;
    }
    while (n && n < count && values[n] == values[0]) {
        n++;
    }
    return n;
}

enum result parquet_append_hybrid(struct buf *out, const uint32_t *values, size_t count,
                                  unsigned width)
{
    enum result result = RESULT_OK;
    size_t first = 0, at = 0; /* values from `first` to `at` wait to be packed, in whole groups */

    while (result == RESULT_OK && at < count) {
        size_t run = run_length(values + at, count - at);

        if (!run) {
            at += count - at < PARQUET_GROUP ? count - at : PARQUET_GROUP;
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

/* From the bit on, as many as WORD_BITS at least, with zeros after the last. */
static uint64_t word_at(const char *bits, size_t count, size_t at)
{
    const char *from = bits + at / 8;
    size_t left = (count + 7) / 8 - at / 8;
    char last[8] = { 0 };

    if (left < sizeof last) {
        memcpy(last, from, left);
        from = last;
    }
    return little_get_u64(from) >> at % 8;
}

static size_t run_of_bits(const char *bits, size_t count, size_t at)
{
    uint64_t same = word_at(bits, count, at) & 1 ? UINT64_MAX : 0;
    size_t end = at, part;

    do {
        uint64_t other = (word_at(bits, count, end) ^ same) | (uint64_t)1 << WORD_BITS;

        part = (size_t)__builtin_ctzll(other);
        end += part;
    } while (part == WORD_BITS && end < count);
    return (end < count ? end : count) - at;
}

static enum result append_packed_bits(struct buf *out, const char *bits, size_t count, size_t from,
                                      size_t end)
{
    size_t groups = (end - from + PARQUET_GROUP - 1) / PARQUET_GROUP;
    enum result result = thrift_append_varint(out, (uint64_t)groups << 1 | 1);

    result = result == RESULT_OK ? buf_reserve(out, groups) : result;
    for (size_t i = 0; result == RESULT_OK && i < groups; i++) {
        out->data[out->len++] = (char)word_at(bits, count, from + i * PARQUET_GROUP);
    }
    return result;
}

enum result parquet_append_bits(struct buf *out, const char *bits, size_t count)
{
    enum result result = RESULT_OK;
    size_t first = 0, at = 0; /* as above */

    while (result == RESULT_OK && at < count) {
        size_t run = run_of_bits(bits, count, at);

        if (run < PARQUET_GROUP) {
            at += count - at < PARQUET_GROUP ? count - at : PARQUET_GROUP;
            continue;
        }
        if (at > first) {
            result = append_packed_bits(out, bits, count, first, at);
        }
        if (result == RESULT_OK) {
            result = parquet_append_run(out, bits[at / 8] >> at % 8 & 1, run, 1);
        }
        first = at += run;
    }
    if (result == RESULT_OK && at > first) {
        result = append_packed_bits(out, bits, count, first, at);
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

/* The page is compressed into place, after room for the longest header, and then moved up to its own. */
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
