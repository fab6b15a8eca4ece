/*
 * Bodies in gzip: one honest, one a bomb that is a megabyte on the wire and a gigabyte inflated.
 *
 * The bomb costs no gigabyte to make: one block of spaces is compressed once, and because a full
 * flush makes it independent of what went before, its bytes can be repeated as they are.
 */
#include "demo/world.h"

#define ZLIB_CONST /* its input pointers become const */
#include <zlib.h>

#define BLOCK_BYTES 1048576
#define BLOCKS 1024
#define GZIP_WINDOW_BITS (15 + 16)
#define RAW_WINDOW_BITS (-15)
#define FULL_FLUSH_TAIL_BYTES 16

/* Deflates `in` to the end of `out`; `flush` is Z_FINISH or Z_FULL_FLUSH. */
static enum result deflate_append(struct buf *out, struct str in, int window_bits, int flush)
{
    z_stream z = { 0 };
    enum result result;
    uLong bound;

    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return RESULT_NOMEM;
    }
    bound = deflateBound(&z, (uLong)in.len) + FULL_FLUSH_TAIL_BYTES;
    result = buf_reserve(out, bound);
    if (result == RESULT_OK) {
        z.next_in = (const Bytef *)in.data;
        z.avail_in = (uInt)in.len;
        z.next_out = (Bytef *)out->data + out->len;
        z.avail_out = (uInt)bound;
        deflate(&z, flush); /* cannot fall short: there is room for the worst case */
        out->len += z.total_out;
    }
    deflateEnd(&z);
    return result;
}

void shape_compress(struct reply *reply)
{
    struct buf packed = { .max = reply->body.max };
    enum result result =
        deflate_append(&packed, buf_view(&reply->body), GZIP_WINDOW_BITS, Z_FINISH);

    if (result != RESULT_OK) {
        buf_release(&packed);
        reply->result = result;
        return;
    }
    buf_release(&reply->body);
    buf_take(&reply->body, &packed);
    reply_header(reply, "Content-Encoding", "gzip");
}

static enum result append_le32(struct buf *out, uLong value)
{
    const char bytes[4] = { (char)(value & 0xFF), (char)(value >> 8 & 0xFF),
                            (char)(value >> 16 & 0xFF), (char)(value >> 24 & 0xFF) };

    return buf_append(out, bytes, sizeof bytes);
}

/* `{"padding":"`, spaces, `"}`: valid JSON, for whoever gets to its end. */
static enum result append_blocks(struct buf *out, struct str block)
{
    const struct str head = STR("{\"padding\":\""), tail = STR("\"}");
    struct buf packed = { 0 };
    enum result result = deflate_append(&packed, block, RAW_WINDOW_BITS, Z_FULL_FLUSH);
    uLong sum = crc32(0, (const Bytef *)head.data, (uInt)head.len);
    uLong block_sum = crc32(0, (const Bytef *)block.data, (uInt)block.len);

    if (result == RESULT_OK) {
        result = deflate_append(out, head, RAW_WINDOW_BITS, Z_FULL_FLUSH);
    }
    for (int i = 0; result == RESULT_OK && i < BLOCKS; i++) {
        result = buf_append_str(out, buf_view(&packed));
        sum = crc32_combine(sum, block_sum, (z_off_t)block.len);
    }
    if (result == RESULT_OK) {
        result = deflate_append(out, tail, RAW_WINDOW_BITS, Z_FINISH);
    }
    sum = crc32_combine(sum, crc32(0, (const Bytef *)tail.data, (uInt)tail.len), (z_off_t)tail.len);
    if (result == RESULT_OK) {
        result = append_le32(out, sum);
    }
    if (result == RESULT_OK) {
        result = append_le32(out, (uLong)(head.len + block.len * BLOCKS + tail.len));
    }
    buf_release(&packed);
    return result;
}

static enum result make_bomb(struct buf *bomb)
{
    static const char gzip_header[] = { 0x1F, (char)0x8B, 8, 0, 0, 0, 0, 0, 0, 3 };
    struct buf block = { 0 }, made = { 0 };
    enum result result = buf_append(&made, gzip_header, sizeof gzip_header);

    if (result == RESULT_OK) {
        result = buf_reserve(&block, BLOCK_BYTES);
    }
    if (result == RESULT_OK) {
        for (; block.len < BLOCK_BYTES; block.len++) {
            block.data[block.len] = ' ';
        }
        result = append_blocks(&made, buf_view(&block));
    }
    if (result == RESULT_OK) {
        buf_take(bomb, &made);
    }
    buf_release(&made);
    buf_release(&block);
    return result;
}

void shape_bomb(struct world *world, const struct ask *ask, struct reply *reply)
{
    (void)ask;
    if (!world->bomb.len) {
        reply->result = make_bomb(&world->bomb);
    }
    reply->lent = &world->bomb;
    reply_header(reply, "Content-Encoding", "gzip");
}
