#include "table/parquet/parquet_delta.h"

#include "base/little.h"
#include "table/parquet/parquet_bits.h"
#include "table/parquet/thrift.h"

#include <stdint.h>
#include <string.h>

/* What writers commonly take, and the least that the format allows. */
#define BLOCK_VALUES 128
#define MINIBLOCKS 4
#define MINIBLOCK_VALUES (BLOCK_VALUES / MINIBLOCKS)

#define HEADER_MAX (4 * THRIFT_VARINT_MAX)
#define BLOCK_MAX (THRIFT_VARINT_MAX + MINIBLOCKS + BLOCK_VALUES * 8)

/* Of a value that differs from the one before: zstd makes about as many of the eight, and takes its time. */
#define BYTES_THAT_PAY 6
#define LEEWAY 512 /* bytes that some blocks may be too long, as others may make up for them */

struct differences {
    uint64_t last;    /* value */
    uint64_t changes; /* values that are not the same as the one before */
    uint64_t wide;    /* has its top bit once a value needed more than 63 bits */
    int64_t least;    /* of the block's */
    uint64_t block[BLOCK_VALUES];
};

static char *put_zigzag(char *to, int64_t value)
{
    return thrift_put_varint(to, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

static char *put_header(char *to, uint64_t count, int64_t first)
{
    to = thrift_put_varint(to, BLOCK_VALUES);
    to = thrift_put_varint(to, MINIBLOCKS);
    to = thrift_put_varint(to, count);
    return put_zigzag(to, first);
}

static void subtract(struct differences *d, const char *values, size_t count)
{
    uint64_t last = d->last;
    int64_t least = INT64_MAX;

    for (size_t i = 0; i < count; i++) {
        uint64_t value = little_get_u64(values + 8 * i);
        uint64_t difference = value - last;

        d->wide |= value ^ value << 1;
        d->changes += difference != 0;
        least = (int64_t)difference < least ? (int64_t)difference : least;
        d->block[i] = difference;
        last = value;
    }
    d->last = last;
    d->least = least;
}

static char *pack(char *to, const uint64_t values[MINIBLOCK_VALUES], unsigned width)
{
    struct parquet_bits bits = { .at = to };

    for (size_t i = 0; i < MINIBLOCK_VALUES && width > PARQUET_BITS_MAX; i++) {
        little_put_u64(to + 8 * i, values[i]);
    }
    for (size_t i = 0; i < MINIBLOCK_VALUES && width && width <= PARQUET_BITS_MAX; i++) {
        parquet_bits_put(&bits, values[i], width);
    }
    return to + MINIBLOCK_VALUES / 8 * width;
}

/* What a miniblock's are more than the least; those that it lacks become none. */
static unsigned rebase(uint64_t values[MINIBLOCK_VALUES], size_t count, int64_t least)
{
    uint64_t any = 0;
    unsigned width;

    for (size_t i = count; i < MINIBLOCK_VALUES; i++) {
        values[i] = (uint64_t)least;
    }
    for (size_t i = 0; i < MINIBLOCK_VALUES; i++) {
        values[i] -= (uint64_t)least;
        any |= values[i];
    }
    width = any ? 64 - (unsigned)__builtin_clzll(any) : 0;
    return width > PARQUET_BITS_MAX ? 64 : width; /* such values are stored as they are */
}

static char *put_block(char *to, struct differences *d, size_t count)
{
    char *widths = put_zigzag(to, d->least);

    to = widths + MINIBLOCKS;
    memset(widths, 0, MINIBLOCKS);
    for (size_t i = 0; i < MINIBLOCKS && i * MINIBLOCK_VALUES < count; i++) {
        uint64_t *values = d->block + i * MINIBLOCK_VALUES;
        size_t left = count - i * MINIBLOCK_VALUES;
        unsigned width = rebase(values, left, d->least);

        widths[i] = (char)width;
        to = pack(to, values, width);
    }
    return to;
}

/* The end of what was put, or NULL when it does not pay. */
static char *put_all(char *to, const char *plain, uint64_t count)
{
    struct differences d = { .last = little_get_u64(plain) };
    const char *begin = to;
    uint64_t spent = 0, earned = 0;

    d.wide = d.last ^ d.last << 1;
    to = put_header(to, count, (int64_t)d.last);
    for (uint64_t at = 1; at < count && spent <= earned + LEEWAY; at += BLOCK_VALUES) {
        size_t part = count - at < BLOCK_VALUES ? (size_t)(count - at) : BLOCK_VALUES;

        subtract(&d, plain + 8 * at, part);
        to = put_block(to, &d, part);
        spent = (uint64_t)(to - begin);
        earned = d.changes * BYTES_THAT_PAY;
    }
    return spent < earned && !(d.wide >> 63) ? to : NULL;
}

enum result parquet_append_delta(struct buf *out, struct str plain, bool *pays)
{
    uint64_t count = plain.len / 8;
    enum result result;
    char *end;

    *pays = false;
    if (!count) {
        return RESULT_OK;
    }
    result = buf_reserve(out, HEADER_MAX + count * BYTES_THAT_PAY + LEEWAY + BLOCK_MAX +
                                  PARQUET_BITS_BEHIND);
    if (result != RESULT_OK) {
        return result;
    }
    end = put_all(out->data + out->len, plain.data, count);
    *pays = end != NULL;
    out->len = end ? (size_t)(end - out->data) : out->len;
    return RESULT_OK;
}
