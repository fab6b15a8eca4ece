/*
 * A bomb: a megabyte of gzip that is a gigabyte inflated.
 *
 * It costs no gigabyte to make: one block of spaces is compressed once, and because a full flush makes it
 * independent of what went before, its bytes can be repeated as they are.
 */
#include "traps.h"

#include "demo/reply.h"

#define ZLIB_CONST /* its input pointers become const */
#include <zlib.h>

#define BLOCK_BYTES 1048576
#define BLOCKS 1024
#define RAW_WINDOW_BITS (-15)

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
    enum result result = shape_deflate(&packed, block, RAW_WINDOW_BITS, Z_FULL_FLUSH);
    uLong sum = crc32(0, (const Bytef *)head.data, (uInt)head.len);
    uLong block_sum = crc32(0, (const Bytef *)block.data, (uInt)block.len);

    if (result == RESULT_OK) {
        result = shape_deflate(out, head, RAW_WINDOW_BITS, Z_FULL_FLUSH);
    }
    for (int i = 0; result == RESULT_OK && i < BLOCKS; i++) {
        result = buf_append_str(out, buf_view(&packed));
        sum = crc32_combine(sum, block_sum, (z_off_t)block.len);
    }
    if (result == RESULT_OK) {
        result = shape_deflate(out, tail, RAW_WINDOW_BITS, Z_FINISH);
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
    if (!world->kept.len) {
        reply->result = make_bomb(&world->kept);
    }
    reply->lent = &world->kept;
    reply_header(reply, "Content-Encoding", "gzip");
}
