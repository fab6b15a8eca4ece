#include "read/unpack.h"

#include "base/units.h"
#include "read/coding.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zip.h>

#define BLOCK_BYTES ((size_t)64 << 10)
#define HEAD_BYTES 4 /* that tell a packed file */

struct work {
    const struct unpack_source *source;
    const struct unpack_sink *sink;
    uint64_t max, in, out; /* bytes */
    uint64_t of_member;    /* of `out` */
    char head[HEAD_BYTES]; /* of the member */
    char *why;
    char block[BLOCK_BYTES], from[BLOCK_BYTES];
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

static enum result put(struct work *w, const char *bytes, size_t len)
{
    enum result result;

    for (size_t i = 0; w->of_member + i < HEAD_BYTES && i < len; i++) {
        w->head[w->of_member + i] = bytes[i];
    }
    w->of_member += len;
    w->out += len;
    if (w->of_member >= HEAD_BYTES && w->of_member - len < HEAD_BYTES &&
        unpack_kind((struct str){ w->head, HEAD_BYTES }) != PACK_NONE) {
        return fail(w, RESULT_DENIED, "holds another packed file, which is not opened");
    }
    result = check_ceilings(w);
    return result == RESULT_OK && len ? w->sink->put(w->sink->context, (struct str){ bytes, len })
                                      : result;
}

/* --- what goes in ------------------------------------------------------------------------------------- */

/* The next bytes of the source; none at its end. They are counted in `w->in`. */
static enum result take(struct work *w, struct str *bytes)
{
    const struct unpack_source *s = w->source;
    uint64_t size = s->fd < 0 ? s->bytes.len : s->size;
    size_t want = size - w->in < BLOCK_BYTES ? (size_t)(size - w->in) : BLOCK_BYTES;
    ssize_t got;

    if (s->fd < 0) {
        *bytes = (struct str){ s->bytes.data + w->in, want };
    } else {
        do {
            got = pread(s->fd, w->from, want, (off_t)w->in);
        } while (got < 0 && errno == EINTR);
        if (got < 0) {
            snprintf(w->why, UNPACK_WHY_MAX, "cannot be read: %.100s", strerror(errno));
            return RESULT_IO;
        }
        *bytes = (struct str){ w->from, (size_t)got };
    }
    w->in += bytes->len;
    return RESULT_OK;
}

/* --- gzip, Zstandard -------------------------------------------------------------------------------------- */

static enum result fail_coding(struct work *w, enum coding_result code, const char *name)
{
    switch (code) {
    case CODING_NO_MEMORY:
        return fail(w, RESULT_NOMEM, "there is no memory to unpack it");
    case CODING_WIDE:
        return fail(w, RESULT_DENIED, "has a window over 8 MiB: pack it without --ultra or --long");
    default:
        snprintf(w->why, UNPACK_WHY_MAX, "is a damaged %s file", name);
        return RESULT_INVALID;
    }
}

/* All that the next bytes of the source give. */
static enum result step(struct work *w, struct coding *coding, struct str in, const char *name)
{
    enum result result = RESULT_OK;

    while (result == RESULT_OK && (in.len || coding_has_more(coding))) {
        size_t made = 0;
        enum coding_result code = coding_step(coding, &in, w->block, BLOCK_BYTES, &made);

        if (code != CODING_OK) {
            return fail_coding(w, code, name);
        }
        result = put(w, w->block, made);
        if (!made && !in.len) {
            break;
        }
    }
    return result;
}

static enum result unpack_coded(struct work *w, enum coding_kind kind, const char *name)
{
    const struct coding_list list = { .kinds = { kind }, .count = 1 };
    struct coding *coding = NULL;
    enum coding_result code = coding_open(&coding, &list);
    enum result result = code == CODING_OK ? begin(w, STR("")) : fail_coding(w, code, name);
    struct str in = { NULL, 1 };

    while (result == RESULT_OK && in.len) {
        result = take(w, &in);
        result = result == RESULT_OK && in.len ? step(w, coding, in, name) : result;
    }
    if (result == RESULT_OK && !coding_is_whole(coding)) {
        snprintf(w->why, UNPACK_WHY_MAX, "is a %s file cut off", name);
        result = RESULT_INVALID;
    }
    coding_close(coding);
    return result;
}

/* --- ZIP ------------------------------------------------------------------------------------------------ */

/* A spreadsheet or a text of an office program: its parts are no data. */
static bool is_office(struct str name)
{
    return str_equal(name, STR("[Content_Types].xml")) ||
           str_equal(name, STR("META-INF/manifest.xml"));
}

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
    if (is_office(str_view(st.name))) {
        return fail(w, RESULT_DENIED,
                    "is a spreadsheet or document of an office program: save it as CSV");
    }
    if (is_passed_over(str_view(st.name))) {
        return RESULT_OK;
    }
    result = begin(w, str_view(st.name)); /* first, so that what fails is known to be this one */
    if (result != RESULT_OK) {
        return result;
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

enum result unpack_files(const struct unpack_source *source, enum pack pack, uint64_t max,
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
        result = unpack_coded(w, CODING_GZIP, "gzip");
        break;
    case PACK_ZSTD:
        result = unpack_coded(w, CODING_ZSTD, "Zstandard");
        break;
    case PACK_ZIP:
        result = unpack_zip(w);
        break;
    }
    free(w);
    return result;
}
