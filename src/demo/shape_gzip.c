/* Bodies in gzip. */
#include "demo/world.h"

#define ZLIB_CONST /* its input pointers become const */
#include <zlib.h>

#define GZIP_WINDOW_BITS (15 + 16)
#define FULL_FLUSH_TAIL_BYTES 16

enum result shape_deflate(struct buf *out, struct str in, int window_bits, int flush)
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
    enum result result = shape_deflate(&packed, buf_view(&reply->body), GZIP_WINDOW_BITS, Z_FINISH);

    if (result != RESULT_OK) {
        buf_release(&packed);
        reply->result = result;
        return;
    }
    buf_release(&reply->body);
    buf_take(&reply->body, &packed);
    reply_header(reply, "Content-Encoding", "gzip");
}
