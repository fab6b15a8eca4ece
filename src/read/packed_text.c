#include "read/packed_text.h"

#include "base/little.h"
#include "base/write_all.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define TABLE_MAGIC 0x184D2A5EU /* a skippable frame */
#define FOOT_MAGIC 0x8F92EAB1U
#define HEAD_BYTES 8
#define ENTRY_BYTES 8
#define CHECKED_ENTRY_BYTES 12 /* with a checksum, which we do not write */
#define FOOT_BYTES 9
#define HAS_CHECKSUMS 0x80U
#define FRAMES_MAX ((uint32_t)1 << 20)

struct packed_frame {
    uint64_t at;   /* in the file */
    uint64_t text; /* its first byte in the text */
};

struct packed_text {
    int fd;
    struct packed_frame *frames; /* one more than there are: the ends */
    size_t count;
};

/* Exactly these bytes. */
static enum result read_at(int fd, void *to, size_t len, uint64_t offset)
{
    size_t done = 0;

    while (done < len) {
        ssize_t got = pread(fd, (char *)to + done, len - done, (off_t)(offset + done));

        if (got < 0 && errno != EINTR) {
            return RESULT_IO;
        }
        if (got == 0) {
            return RESULT_CORRUPT;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return RESULT_OK;
}

/* --- the table of frames -------------------------------------------------------------------------------- */

/* The sizes as they stand there; all must add up to where the table begins. */
static enum result take_sizes(struct packed_text *t, const char *table, size_t entry, uint64_t end)
{
    uint64_t at = 0, text = 0;

    for (size_t i = 0; i < t->count; i++) {
        uint32_t packed = little_get_u32(table + i * entry),
                 bytes = little_get_u32(table + i * entry + 4);

        t->frames[i] = (struct packed_frame){ at, text };
        if (!bytes || bytes > PACKED_FRAME_BYTES || packed > end - at ||
            packed > ZSTD_COMPRESSBOUND(PACKED_FRAME_BYTES)) {
            return RESULT_CORRUPT;
        }
        at += packed;
        text += bytes;
    }
    t->frames[t->count] = (struct packed_frame){ at, text };
    return at == end ? RESULT_OK : RESULT_CORRUPT;
}

static enum result read_table(struct packed_text *t, uint64_t size)
{
    char foot[FOOT_BYTES], head[HEAD_BYTES];
    enum result result = size < HEAD_BYTES + FOOT_BYTES
                             ? RESULT_CORRUPT
                             : read_at(t->fd, foot, sizeof foot, size - FOOT_BYTES);
    uint32_t count = result == RESULT_OK ? little_get_u32(foot) : 0;
    size_t entry = (unsigned char)foot[4] & HAS_CHECKSUMS ? CHECKED_ENTRY_BYTES : ENTRY_BYTES;
    uint64_t table = (uint64_t)count * entry, whole = HEAD_BYTES + table + FOOT_BYTES;
    char *bytes;

    if (result != RESULT_OK) {
        return result;
    }
    if (little_get_u32(foot + 5) != FOOT_MAGIC || count > FRAMES_MAX || whole > size) {
        return RESULT_CORRUPT;
    }
    bytes = malloc(table + 1);
    t->frames = calloc((size_t)count + 1, sizeof *t->frames);
    t->count = count;
    if (!bytes || !t->frames) {
        free(bytes);
        return RESULT_NOMEM;
    }
    result = read_at(t->fd, head, sizeof head, size - whole);
    result = result == RESULT_OK ? read_at(t->fd, bytes, table, size - whole + HEAD_BYTES) : result;
    if (result == RESULT_OK &&
        (little_get_u32(head) != TABLE_MAGIC || little_get_u32(head + 4) != table + FOOT_BYTES)) {
        result = RESULT_CORRUPT;
    }
    result = result == RESULT_OK ? take_sizes(t, bytes, entry, size - whole) : result;
    free(bytes);
    return result;
}

enum result packed_text_open(struct packed_text **text, int fd)
{
    struct packed_text *t = calloc(1, sizeof *t);
    struct stat st;
    enum result result;

    *text = NULL;
    if (!t) {
        close(fd);
        return RESULT_NOMEM;
    }
    t->fd = fd;
    result = fstat(fd, &st) ? RESULT_IO : read_table(t, (uint64_t)st.st_size);
    if (result != RESULT_OK) {
        packed_text_close(t);
        return result;
    }
    *text = t;
    return RESULT_OK;
}

void packed_text_close(struct packed_text *t)
{
    if (t) {
        close(t->fd);
        free(t->frames);
        free(t);
    }
}

uint64_t packed_text_bytes(const struct packed_text *t)
{
    return t->frames[t->count].text;
}

/* --- reading -------------------------------------------------------------------------------------------- */

static size_t frame_of(const struct packed_text *t, uint64_t offset)
{
    size_t low = 0, high = t->count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        *(t->frames[middle].text <= offset ? &low : &high) = middle;
    }
    return low;
}

static enum result unpack(const struct packed_text *t, struct packed_window *w, size_t frame)
{
    const struct packed_frame *f = &t->frames[frame];
    size_t packed = (size_t)(f[1].at - f[0].at), len = (size_t)(f[1].text - f[0].text), got;
    char *bytes = malloc(packed + 1);
    enum result result = RESULT_NOMEM;

    w->of = NULL;
    w->bytes = w->bytes ? w->bytes : malloc(PACKED_FRAME_BYTES);
    if (bytes && w->bytes) {
        result = read_at(t->fd, bytes, packed, f->at);
    }
    if (result == RESULT_OK) {
        got = ZSTD_decompress(w->bytes, PACKED_FRAME_BYTES, bytes, packed);
        result = ZSTD_isError(got) || got != len ? RESULT_CORRUPT : RESULT_OK;
    }
    free(bytes);
    if (result == RESULT_OK) {
        w->of = t;
        w->frame = frame;
        w->len = len;
    }
    return result;
}

enum result packed_text_read(const struct packed_text *t, struct packed_window *w, uint64_t offset,
                             void *to, size_t len, size_t *got)
{
    uint64_t end = packed_text_bytes(t);

    *got = 0;
    while (*got < len && offset < end) {
        size_t frame = frame_of(t, offset), at = (size_t)(offset - t->frames[frame].text), part;
        enum result result = w->of == t && w->frame == frame ? RESULT_OK : unpack(t, w, frame);

        if (result != RESULT_OK) {
            return result;
        }
        part = w->len - at < len - *got ? w->len - at : len - *got;
        memcpy((char *)to + *got, w->bytes + at, part);
        *got += part;
        offset += part;
    }
    return RESULT_OK;
}

void packed_window_release(struct packed_window *w)
{
    free(w->bytes);
    *w = (struct packed_window){ .of = NULL };
}

/* --- writing -------------------------------------------------------------------------------------------- */

struct packing {
    int from, to;
    ZSTD_CCtx *context;
    char *text, *packed;
    size_t room;
    char *table;
    uint32_t count;
};

static enum result put(const struct packing *p, const void *bytes, size_t len)
{
    int error = write_all(p->to, (struct str){ bytes, len });

    errno = error ? error : errno;
    return error ? RESULT_IO : RESULT_OK;
}

static enum result pack_frame(struct packing *p, uint64_t at, size_t len)
{
    enum result result = read_at(p->from, p->text, len, at);
    char *entry = p->table + (size_t)p->count * ENTRY_BYTES;
    size_t size =
        result == RESULT_OK ? ZSTD_compress2(p->context, p->packed, p->room, p->text, len) : 0;

    if (result != RESULT_OK) {
        return result;
    }
    if (ZSTD_isError(size)) {
        return RESULT_NOMEM; /* all else that can go wrong is our fault */
    }
    little_put_u32(entry, (uint32_t)size);
    little_put_u32(entry + 4, (uint32_t)len);
    p->count++;
    return put(p, p->packed, size);
}

static enum result put_table(const struct packing *p)
{
    char head[HEAD_BYTES], foot[FOOT_BYTES] = { 0 };
    uint32_t table = p->count * ENTRY_BYTES;
    enum result result;

    little_put_u32(head, TABLE_MAGIC);
    little_put_u32(head + 4, table + FOOT_BYTES);
    little_put_u32(foot, p->count);
    little_put_u32(foot + 5, FOOT_MAGIC);
    result = put(p, head, sizeof head);
    result = result == RESULT_OK ? put(p, p->table, table) : result;
    return result == RESULT_OK ? put(p, foot, sizeof foot) : result;
}

/* What was written says the same as what was read. */
static enum result compare(const struct packing *p, uint64_t bytes, const atomic_bool *stop)
{
    struct packed_window window = { .of = NULL };
    struct packed_text *text = NULL;
    int fd = dup(p->to);
    enum result result = fd < 0 ? RESULT_IO : packed_text_open(&text, fd);

    if (result == RESULT_OK && packed_text_bytes(text) != bytes) {
        result = RESULT_CORRUPT;
    }
    for (size_t i = 0; result == RESULT_OK && i < text->count; i++) {
        result = unpack(text, &window, i);
        result = result == RESULT_OK ? read_at(p->from, p->text, window.len, text->frames[i].text)
                                     : result;
        if (result == RESULT_OK && memcmp(p->text, window.bytes, window.len) != 0) {
            result = RESULT_CORRUPT;
        }
        if (stop && atomic_load(stop)) {
            result = RESULT_CANCELLED;
        }
    }
    packed_window_release(&window);
    packed_text_close(text);
    return result;
}

static enum result pack_all(struct packing *p, uint64_t bytes, const atomic_bool *stop)
{
    enum result result = RESULT_OK;

    for (uint64_t at = 0; result == RESULT_OK && at < bytes; at += PACKED_FRAME_BYTES) {
        uint64_t left = bytes - at;

        result = pack_frame(p, at, left < PACKED_FRAME_BYTES ? (size_t)left : PACKED_FRAME_BYTES);
        if (stop && atomic_load(stop)) {
            result = RESULT_CANCELLED;
        }
    }
    result = result == RESULT_OK ? put_table(p) : result;
    return result == RESULT_OK ? compare(p, bytes, stop) : result;
}

enum result packed_text_write(int from, uint64_t bytes, int to, const atomic_bool *stop)
{
    uint64_t frames = bytes / PACKED_FRAME_BYTES + 1;
    struct packing p = { .from = from, .to = to, .room = ZSTD_compressBound(PACKED_FRAME_BYTES) };
    enum result result = frames > FRAMES_MAX ? RESULT_CORRUPT : RESULT_NOMEM;

    if (frames <= FRAMES_MAX) {
        p.context = ZSTD_createCCtx();
        p.text = malloc(PACKED_FRAME_BYTES);
        p.packed = malloc(p.room);
        p.table = calloc((size_t)frames, ENTRY_BYTES);
    }
    if (p.context && p.text && p.packed && p.table) {
        (void)ZSTD_CCtx_setParameter(p.context, ZSTD_c_checksumFlag, 1);
        result = pack_all(&p, bytes, stop);
    }
    ZSTD_freeCCtx(p.context);
    free(p.text);
    free(p.packed);
    free(p.table);
    return result;
}
