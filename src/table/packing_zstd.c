/*
 * One zstd frame: pieces that were packed apart cannot be put together into one, so libzstd's own
 * threads do it. Its jobs are cut by bytes alone, so that their number does not show in the file.
 *
 * Source: RFC 8878, zstd.h.
 */
#include "table/packing.h"

#include <stdlib.h>
#include <zstd.h>

struct zstd_stream {
    const struct packing_target *target;
    ZSTD_CCtx *context;
    size_t room;
    char *out;
};

static void close_stream(void *stream)
{
    struct zstd_stream *s = stream;

    if (s) {
        ZSTD_freeCCtx(s->context);
        free(s->out);
        free(s);
    }
}

/* A libzstd without threads refuses to have any, and packs in the caller's: slower, but no error. */
static enum result open_stream(void **stream, const struct packing_target *target, struct err *err)
{
    struct zstd_stream *s = calloc(1, sizeof *s);

    *stream = s;
    if (s) {
        s->target = target;
        s->context = ZSTD_createCCtx();
        s->room = ZSTD_CStreamOutSize();
        s->out = malloc(s->room);
    }
    if (!s || !s->context || !s->out) {
        return err_nomem(err, "starting a table");
    }
    (void)ZSTD_CCtx_setParameter(s->context, ZSTD_c_compressionLevel, ZSTD_CLEVEL_DEFAULT);
    (void)ZSTD_CCtx_setParameter(s->context, ZSTD_c_checksumFlag, 1);
    (void)ZSTD_CCtx_setParameter(s->context, ZSTD_c_nbWorkers, (int)target->workers);
    return RESULT_OK;
}

static enum result pack(struct zstd_stream *s, struct str block, ZSTD_EndDirective mode,
                        struct err *err)
{
    ZSTD_inBuffer in = { block.data, block.len, 0 };
    enum result result = RESULT_OK;
    size_t left;

    do {
        ZSTD_outBuffer out = { s->out, s->room, 0 };

        left = ZSTD_compressStream2(s->context, &out, &in, mode);
        if (ZSTD_isError(left)) {
            return err_nomem(err, "packing rows"); /* all else that can go wrong is our fault */
        }
        if (out.pos) {
            result = s->target->write(s->target->context, (struct str){ s->out, out.pos }, err);
        }
    } while (result == RESULT_OK && (in.pos < in.size || (mode == ZSTD_e_end && left)));
    return result;
}

static enum result take(void *stream, struct str block, struct err *err)
{
    return pack(stream, block, ZSTD_e_continue, err);
}

static enum result finish(void *stream, struct err *err)
{
    return pack(stream, STR(""), ZSTD_e_end, err);
}

const struct table_packing zstd_packing = {
    .ending = "zst",
    .about = "Likewise packed with zstd, as one frame.",
    .open = open_stream,
    .take = take,
    .finish = finish,
    .close = close_stream,
};
