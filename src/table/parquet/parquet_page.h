/**
 * Parquet's pages, one at a time: values and levels encoded, compressed, and a header in front.
 *
 * Shared by the two halves of table/parquet/parquet.h, and of no use to anybody else.
 *
 * Errors   RESULT_NOMEM, or RESULT_LIMIT from a buf.
 * Source   apache/parquet-format: Encodings.md, parquet.thrift (PageHeader).
 */
#ifndef SCRAPETOP_TABLE_PARQUET_PAGE_H
#define SCRAPETOP_TABLE_PARQUET_PAGE_H

#include "base/buf.h"
#include "table/parquet/parquet.h"

#include <stdint.h>
#include <string.h>
#include <zstd.h>

/* Of parquet.thrift. */
enum parquet_type {
    PARQUET_BOOLEAN = 0,
    PARQUET_INT32 = 1,
    PARQUET_INT64 = 2,
    PARQUET_DOUBLE = 5,
    PARQUET_BYTE_ARRAY = 6
};
enum parquet_encoding {
    PARQUET_PLAIN = 0,
    PARQUET_RLE = 3,
    PARQUET_DELTA_BINARY_PACKED = 5,
    PARQUET_RLE_DICTIONARY = 8,
};
enum { PARQUET_CODEC_ZSTD = 6 };
enum { PARQUET_DATA_PAGE = 0, PARQUET_DICTIONARY_PAGE = 2 };

#define PARQUET_GROUP 8 /* values: the fewest that are packed, or are worth a run of their own */

/** One run of the hybrid: the same value `count` times. */
MUST_CHECK enum result parquet_append_run(struct buf *out, uint32_t value, size_t count,
                                          unsigned width);

/** The hybrid of run lengths and bit packing; `width` from 1 to 32 bits a value. */
MUST_CHECK enum result parquet_append_hybrid(struct buf *out, const uint32_t *values, size_t count,
                                             unsigned width);

/** The same of values that are a bit each, and are packed already; after the last, the byte's are 0. */
MUST_CHECK enum result parquet_append_bits(struct buf *out, const char *bits, size_t count);

/** Bits for indices up to the greatest: one at least. */
unsigned parquet_index_width(uint32_t greatest);

struct parquet_page {
    int type; /* PARQUET_DATA_PAGE ... */
    enum parquet_encoding encoding;
    uint32_t value_count; /* nulls included */
    bool packed; /* most of the body is packed bits, in which there is little to be found */
};

/** What compresses pages; ZSTD_freeCCtx. NULL when out of memory. */
ZSTD_CCtx *parquet_zstd_new(void);

/** Appends header and compressed body; `*plain_bytes` is what both would be without compression. How hard it is
 *  tried to compress it depends on the body and on what is said of it alone. */
MUST_CHECK enum result parquet_append_page(struct buf *out, const struct parquet_page *page,
                                           struct str body, ZSTD_CCtx *zstd, uint64_t *plain_bytes);

/* As PLAIN has it, once it is little-endian. */
static inline uint64_t parquet_double_bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double parquet_double(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
