/*
 * One gzip member made by many: each block is raw deflate that ends on a whole byte and leaves no
 * bit of state after (Z_SYNC_FLUSH), so such pieces may follow each other. The member's CRC is made of
 * theirs, and an empty last block ends it.
 *
 * Source: RFC 1951, RFC 1952.
 */
#include "table/packing.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define GZIP_LEVEL 5            /* nearly as small as 6, in two thirds of its time */
#define RAW_WINDOW_BITS (-15)   /* deflate without a header */
#define MEMORY_LEVEL 8          /* zlib's usual one */
#define FLUSH_ROOM ((size_t)64) /* more than a flush adds to deflateBound */

/* In front of a packed block. */
struct piece {
    uint64_t bytes; /* before packing */
    uint32_t crc;
};

struct gzip_stream {
    const struct packing_target *target;
    uint32_t crc;
    uint32_t bytes; /* modulo 2^32, as the format has it */
};

static enum result write_out(const struct gzip_stream *s, const void *bytes, size_t len,
                             struct err *err)
{
    return s->target->write(s->target->context, (struct str){ bytes, len }, err);
}

static enum result open_stream(void **stream, const struct packing_target *target, struct err *err)
{
    /* Deflate, no name, no time, so that the same table gives the same file; made on Unix. */
    static const unsigned char header[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
    struct gzip_stream *s = calloc(1, sizeof *s);

    *stream = s;
    if (!s) {
        return err_nomem(err, "starting a table");
    }
    s->target = target;
    return write_out(s, header, sizeof header, err);
}

static enum result take(void *stream, struct str block, struct err *err)
{
    struct gzip_stream *s = stream;
    struct piece piece;

    memcpy(&piece, block.data, sizeof piece);
    s->crc = (uint32_t)crc32_combine(s->crc, piece.crc, (z_off_t)piece.bytes);
    s->bytes += (uint32_t)piece.bytes;
    return write_out(s, block.data + sizeof piece, block.len - sizeof piece, err);
}

static enum result finish(void *stream, struct err *err)
{
    struct gzip_stream *s = stream;
    unsigned char end[10] = { 3, 0 }; /* an empty last block of fixed codes */

    for (unsigned i = 0; i < 4; i++) {
        end[2 + i] = (unsigned char)(s->crc >> (8 * i));
        end[6 + i] = (unsigned char)(s->bytes >> (8 * i));
    }
    return write_out(s, end, sizeof end, err);
}

static void *packer_new(void)
{
    z_stream *z = calloc(1, sizeof *z);

    if (z && deflateInit2(z, GZIP_LEVEL, Z_DEFLATED, RAW_WINDOW_BITS, MEMORY_LEVEL,
                          Z_DEFAULT_STRATEGY) != Z_OK) {
        free(z);
        return NULL;
    }
    return z;
}

static void packer_free(void *packer)
{
    z_stream *z = packer;

    if (z) {
        deflateEnd(z);
        free(z);
    }
}

/* A block is far smaller than zlib can count: rows are handed over by the megabyte, and one row is a part
 * of a document of 4 GiB at most. */
static enum result pack(void *packer, struct str block, struct buf *out, struct err *err)
{
    z_stream *z = packer;
    struct piece piece = { .bytes = block.len };
    size_t room = deflateBound(z, block.len) + FLUSH_ROOM, left = block.len;
    unsigned char *from = (unsigned char *)(uintptr_t)block.data; /* zlib's input is not const */
    int flush;

    if (buf_reserve(out, sizeof piece + room) != RESULT_OK) {
        return err_nomem(err, "packing rows");
    }
    piece.crc = (uint32_t)crc32_z(0, from, block.len);
    memcpy(out->data + out->len, &piece, sizeof piece);
    out->len += sizeof piece;
    do {
        uInt part = left < UINT32_MAX / 2 ? (uInt)left : UINT32_MAX / 2;

        z->next_in = from + (block.len - left);
        z->avail_in = part;
        left -= part;
        flush = left ? Z_NO_FLUSH : Z_SYNC_FLUSH;
        z->next_out = (unsigned char *)out->data + out->len;
        z->avail_out = room < UINT32_MAX ? (uInt)room : UINT32_MAX;
        room -= z->avail_out;
        (void)deflate(z, flush); /* cannot fail: there is room for all */
        room += z->avail_out;
        out->len = (size_t)((char *)z->next_out - out->data);
    } while (left || z->avail_in);
    return deflateReset(z) == Z_OK ? RESULT_OK : err_nomem(err, "packing rows");
}

const struct table_packing gzip_packing = {
    .ending = "gz",
    .about = "Behind one of the others: packed with gzip, by all workers, as one member.",
    .open = open_stream,
    .take = take,
    .finish = finish,
    .close = free,
    .packer_new = packer_new,
    .packer_free = packer_free,
    .pack = pack,
};
