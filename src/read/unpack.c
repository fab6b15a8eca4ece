#include "read/unpack.h"

#include "base/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ZLIB_CONST
#include <zip.h>
#include <zlib.h>
#include <zstd.h>

#define BLOCK_BYTES ((size_t)64 << 10)
#define WINDOW_LOG_MAX 27 /* 128 MiB: what `zstd` itself unpacks unasked */
#define HEAD_BYTES 4      /* that tell a packed file */

struct work {
    const struct unpack_source *source;
    const struct unpack_sink *sink;
    uint64_t max, in, out; /* bytes */
    uint64_t of_member;    /* of `out` */
    char head[HEAD_BYTES]; /* of the member */
    char *why;
    unsigned char block[BLOCK_BYTES], from[BLOCK_BYTES];
};

enum pack unpack_kind(struct str head)
{
    if (str_starts(head, STR("\x1F\x8B\x08"))) {
        return PACK_GZIP;
    }
    if (str_starts(head, STR("\x28\xB5\x2F\xFD"))) {
        return PACK_ZSTD;
    }
    return str_starts(head, STR("PK\x03\x04")) || str_starts(head, STR("PK\x05\x06")) ? PACK_ZIP
                                                                                      : PACK_NONE;
}

const char *unpack_name(enum pack pack)
{
    static const char *const names[] = {
        [PACK_NONE] = "no packed file",
        [PACK_GZIP] = "a gzip file",
        [PACK_ZSTD] = "a Zstandard file",
        [PACK_ZIP] = "a ZIP file",
    };

    return names[pack];
}

static enum result fail(struct work *w, enum result result, const char *why)
{
    snprintf(w->why, UNPACK_WHY_MAX, "%s", why);
    return result;
}

/* --- what comes out ----------------------------------------------------------------------------------- */

static enum result begin(struct work *w, struct str name)
{
    w->of_member = 0;
    return w->sink->begin(w->sink->context, name);
}

static enum result check_ceilings(struct work *w)
{
    char text[UNITS_TEXT_MAX];

    if (w->out > w->max) {
        units_format_bytes(w->max, text);
        snprintf(w->why, UNPACK_WHY_MAX, "unpacks to more than %s (--max-body)", text);
        return RESULT_LIMIT;
    }
    if (w->out >= UNPACK_EXPANSION_FROM && w->in && w->out / w->in > UNPACK_EXPANSION_MAX) {
        snprintf(w->why, UNPACK_WHY_MAX, "expands over %d:1 when unpacked", UNPACK_EXPANSION_MAX);
        return RESULT_LIMIT;
    }
    return RESULT_OK;
}

static enum result put(struct work *w, const unsigned char *bytes, size_t len)
{
    enum result result;

    for (size_t i = 0; w->of_member + i < HEAD_BYTES && i < len; i++) {
        w->head[w->of_member + i] = (char)bytes[i];
    }
    w->of_member += len;
    w->out += len;
    if (w->of_member >= HEAD_BYTES && w->of_member - len < HEAD_BYTES &&
        unpack_kind((struct str){ w->head, HEAD_BYTES }) != PACK_NONE) {
        return fail(w, RESULT_DENIED, "holds another packed file, which is not opened");
    }
    result = check_ceilings(w);
    return result == RESULT_OK && len
               ? w->sink->put(w->sink->context, (struct str){ (const char *)bytes, len })
               : result;
}

/* --- what goes in ------------------------------------------------------------------------------------- */

/* The next bytes of the source; none at its end. They are counted in `w->in`. */
static enum result take(struct work *w, const unsigned char **bytes, size_t *len)
{
    const struct unpack_source *s = w->source;

    if (s->fd < 0) {
        *len = s->bytes.len - w->in < BLOCK_BYTES ? s->bytes.len - w->in : BLOCK_BYTES;
        *bytes = (const unsigned char *)s->bytes.data + w->in;
    } else {
        ssize_t got;

        do {
            got = pread(s->fd, w->from, BLOCK_BYTES, (off_t)w->in);
        } while (got < 0 && errno == EINTR);
        if (got < 0) {
            snprintf(w->why, UNPACK_WHY_MAX, "cannot be read: %.100s", strerror(errno));
            return RESULT_IO;
        }
        *len = (size_t)got;
        *bytes = w->from;
    }
    w->in += *len;
    return RESULT_OK;
}

/* --- gzip ---------------------------------------------------------------------------------------------- */

/* Behind a member: another one, or zeros that fill a block. */
static enum result next_member(struct work *w, z_stream *z, bool *is_padding)
{
    if (*z->next_in == 0) {
        *is_padding = true;
        z->avail_in = 0;
        return RESULT_OK;
    }
    return inflateReset(z) == Z_OK ? RESULT_OK : fail(w, RESULT_INVALID, "is no gzip to its end");
}

static enum result inflate_block(struct work *w, z_stream *z, bool *is_between, bool *is_padding)
{
    enum result result = RESULT_OK;

    bool is_full = false; /* then there may be more to come of what went in */

    while (result == RESULT_OK && (z->avail_in || is_full) && !*is_padding) {
        int code;

        if (*is_between) {
            result = next_member(w, z, is_padding);
            *is_between = *is_padding;
            continue;
        }
        z->next_out = w->block;
        z->avail_out = BLOCK_BYTES;
        code = inflate(z, Z_NO_FLUSH);
        if (code == Z_MEM_ERROR) {
            return fail(w, RESULT_NOMEM, "there is no memory to unpack it");
        }
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
            return fail(w, RESULT_INVALID, "is a damaged gzip file");
        }
        result = put(w, w->block, BLOCK_BYTES - z->avail_out);
        *is_between = code == Z_STREAM_END;
        is_full = z->avail_out == 0 && !*is_between;
    }
    return result;
}

static enum result unpack_gzip(struct work *w)
{
    z_stream z = { .next_in = NULL };
    bool is_between = false, is_padding = false;
    enum result result = begin(w, STR(""));
    size_t len = 1;

    if (inflateInit2(&z, 15 + 16) != Z_OK) {
        return fail(w, RESULT_NOMEM, "there is no memory to unpack it");
    }
    while (result == RESULT_OK && len) {
        const unsigned char *bytes;

        result = take(w, &bytes, &len);
        if (result == RESULT_OK && len) {
            z.next_in = bytes;
            z.avail_in = (uInt)len;
            result = inflate_block(w, &z, &is_between, &is_padding);
        }
    }
    inflateEnd(&z);
    return result == RESULT_OK && !is_between ? fail(w, RESULT_INVALID, "is a gzip file cut off")
                                              : result;
}

/* --- Zstandard ------------------------------------------------------------------------------------------ */

static enum result decompress_block(struct work *w, ZSTD_DStream *z, ZSTD_inBuffer *in,
                                    size_t *left)
{
    enum result result = RESULT_OK;
    bool is_full = true;

    while (result == RESULT_OK && (in->pos < in->size || is_full)) {
        ZSTD_outBuffer out = { w->block, BLOCK_BYTES, 0 };

        *left = ZSTD_decompressStream(z, &out, in);
        if (ZSTD_isError(*left)) {
            return fail(w, RESULT_INVALID, "is a damaged Zstandard file");
        }
        is_full = out.pos == out.size && *left; /* a frame that has ended holds nothing back */
        result = put(w, w->block, out.pos);
    }
    return result;
}

static enum result unpack_zstd(struct work *w)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    enum result result = begin(w, STR(""));
    size_t len = 1, left = 1;

    if (!z || ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
        ZSTD_freeDStream(z);
        return fail(w, RESULT_NOMEM, "there is no memory to unpack it");
    }
    while (result == RESULT_OK && len) {
        const unsigned char *bytes;

        result = take(w, &bytes, &len);
        if (result == RESULT_OK && len) {
            ZSTD_inBuffer in = { bytes, len, 0 };

            result = decompress_block(w, z, &in, &left);
        }
    }
    ZSTD_freeDStream(z);
    return result == RESULT_OK && left ? fail(w, RESULT_INVALID, "is a Zstandard file cut off")
                                       : result;
}

/* --- ZIP ------------------------------------------------------------------------------------------------ */

/* Directories, and what other systems put beside the files. */
static bool is_passed_over(struct str name)
{
    return !name.len || name.data[name.len - 1] == '/' || str_starts(name, STR("__MACOSX/")) ||
           (name.len >= 9 && memcmp(name.data + name.len - 9, ".DS_Store", 9) == 0);
}

static enum result unpack_member(struct work *w, zip_t *zip, zip_uint64_t index)
{
    zip_stat_t st;
    zip_file_t *file;
    zip_int64_t got = 0;
    enum result result;

    if (zip_stat_index(zip, index, 0, &st) != 0 || !(st.valid & ZIP_STAT_NAME)) {
        return fail(w, RESULT_INVALID, "is a damaged ZIP file");
    }
    if (is_passed_over(str_view(st.name))) {
        return RESULT_OK;
    }
    if (st.valid & ZIP_STAT_ENCRYPTION_METHOD && st.encryption_method != ZIP_EM_NONE) {
        return fail(w, RESULT_DENIED, "is an encrypted ZIP file, for which there is no password");
    }
    file = zip_fopen_index(zip, index, 0);
    if (!file) {
        return fail(w, RESULT_INVALID,
                    "is a ZIP file that is damaged, or compressed in a way "
                    "that is not known");
    }
    result = begin(w, str_view(st.name));
    while (result == RESULT_OK && (got = zip_fread(file, w->block, BLOCK_BYTES)) > 0) {
        result = put(w, w->block, (size_t)got);
    }
    zip_fclose(file);
    return result == RESULT_OK && got < 0 ? fail(w, RESULT_INVALID, "is a damaged ZIP file")
                                          : result;
}

static zip_t *open_zip(struct work *w)
{
    const struct unpack_source *s = w->source;
    zip_error_t error;
    zip_source_t *source;
    zip_t *zip;
    int fd, code;

    if (s->fd >= 0) {
        fd = dup(s->fd);
        zip = fd >= 0 && lseek(fd, 0, SEEK_SET) == 0 ? zip_fdopen(fd, ZIP_CHECKCONS, &code) : NULL;
        if (!zip && fd >= 0) {
            close(fd);
        }
        w->in = s->size;
        return zip;
    }
    zip_error_init(&error);
    source = zip_source_buffer_create(s->bytes.data, s->bytes.len, 0, &error);
    zip = source ? zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error) : NULL;
    if (source && !zip) {
        zip_source_free(source);
    }
    zip_error_fini(&error);
    w->in = s->bytes.len;
    return zip;
}

static enum result unpack_zip(struct work *w)
{
    zip_t *zip = open_zip(w);
    zip_int64_t count;
    enum result result = RESULT_OK;

    if (!zip) {
        return fail(w, RESULT_INVALID, "is a ZIP file that is damaged or cut off");
    }
    count = zip_get_num_entries(zip, 0);
    if (count > UNPACK_MEMBERS_MAX) {
        snprintf(w->why, UNPACK_WHY_MAX, "holds more than %d files", UNPACK_MEMBERS_MAX);
        result = RESULT_LIMIT;
    }
    for (zip_int64_t i = 0; result == RESULT_OK && i < count; i++) {
        result = unpack_member(w, zip, (zip_uint64_t)i);
    }
    zip_discard(zip);
    return result;
}

/* -------------------------------------------------------------------------------------------------------- */

enum result unpack(const struct unpack_source *source, enum pack pack, uint64_t max,
                   const struct unpack_sink *sink, char why[UNPACK_WHY_MAX])
{
    struct work *w = calloc(1, sizeof *w);
    enum result result = RESULT_INVALID;

    if (!w) {
        snprintf(why, UNPACK_WHY_MAX, "there is no memory to unpack it");
        return RESULT_NOMEM;
    }
    why[0] = '\0';
    w->source = source;
    w->sink = sink;
    w->max = max;
    w->why = why;
    switch (pack) {
    case PACK_NONE:
        break;
    case PACK_GZIP:
        result = unpack_gzip(w);
        break;
    case PACK_ZSTD:
        result = unpack_zstd(w);
        break;
    case PACK_ZIP:
        result = unpack_zip(w);
        break;
    }
    free(w);
    return result;
}
