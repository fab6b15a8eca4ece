#include "changes/journal_file.h"

#include "base/crc32c.h"
#include "base/little.h"
#include "base/os.h"
#include "base/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

static const char magic[4] = { 'S', 'C', 'J', '1' };
#define FRONT_BYTES 12
#define NAMES_MAX 60000
#define PACKED_MAX ((size_t)64 << 20) /* a block holds some MiB of lines at the most */
#define LINES_MAX ((size_t)256 << 20)

static enum result disk_error(struct err *err, const char *what)
{
    return err_set_write(err, errno, "E-JRN1", JOURNAL_FILE ": cannot %s", what);
}

static enum result damaged(uint64_t at, struct err *err)
{
    return err_set(err, RESULT_CORRUPT, "E-JRN1",
                   JOURNAL_FILE " is damaged at byte %llu: the changes from there on are lost "
                                "unless it is put back from a copy",
                   (unsigned long long)at);
}

/* --- writing -------------------------------------------------------------------------------------------- */

enum result journal_open(struct journal_writer *w, const struct run_dir *dir, uint64_t bytes,
                         struct err *err)
{
    struct stat st;
    enum result result;

    *w = (struct journal_writer){ .fd = -1, .bytes = bytes };
    result = run_dir_open_file(dir, JOURNAL_FILE, O_RDWR | O_CREAT, &w->fd, err);
    if (result != RESULT_OK) {
        return result;
    }
    if (fstat(w->fd, &st) || (uint64_t)st.st_size < bytes) {
        result = damaged((uint64_t)st.st_size, err);
    } else if (ftruncate(w->fd, (off_t)bytes) || lseek(w->fd, (off_t)bytes, SEEK_SET) < 0) {
        result = disk_error(err, "cut what a kill left");
    }
    if (result != RESULT_OK) {
        journal_close(w);
    }
    return result;
}

void journal_close(struct journal_writer *w)
{
    if (w->fd >= 0) {
        close(w->fd);
    }
    w->fd = -1;
    buf_release(&w->head);
    buf_release(&w->block);
}

/* The endpoint and the key, each with a NUL after it. */
static enum result put_names(struct buf *out, const char *endpoint, const struct str *key,
                             size_t key_count)
{
    enum result result = buf_append(out, endpoint, strlen(endpoint) + 1);

    for (size_t i = 0; i < key_count && result == RESULT_OK; i++) {
        result = buf_append_str(out, key[i]);
        result = result == RESULT_OK ? buf_append_char(out, '\0') : result;
    }
    return result;
}

static enum result too_long(const char *endpoint, struct err *err)
{
    return err_set(err, RESULT_LIMIT, "E-JRN3",
                   "a change of \"%s\" is too long for the journal of changes", endpoint);
}

enum result journal_put(struct journal_writer *w, const char *endpoint, const struct str *key,
                        size_t key_count, struct str lines, struct err *err)
{
    size_t room = ZSTD_compressBound(lines.len), packed, at;
    char front[FRONT_BYTES + 2] = { 0 };
    enum result result;
    int error;

    if (lines.len > LINES_MAX) { /* it could be written, but nobody would read it again */
        return too_long(endpoint, err);
    }
    buf_reset(&w->block);
    buf_reset(&w->head);
    result = put_names(&w->head, endpoint, key, key_count);
    result = result == RESULT_OK ? buf_append(&w->block, front, sizeof front) : result;
    result = result == RESULT_OK ? buf_append_str(&w->block, buf_view(&w->head)) : result;
    result = result == RESULT_OK ? buf_reserve(&w->block, room) : result;
    if (result != RESULT_OK || w->head.len > NAMES_MAX) {
        return err_nomem(err, "writing the journal of changes");
    }
    at = w->block.len;
    packed = ZSTD_compress(w->block.data + at, room, lines.data, lines.len, ZSTD_CLEVEL_DEFAULT);
    if (ZSTD_isError(packed)) {
        return err_nomem(err, "writing the journal of changes");
    }
    w->block.len += packed;
    if (w->block.len - FRONT_BYTES > PACKED_MAX) {
        return too_long(endpoint, err);
    }
    memcpy(w->block.data, magic, sizeof magic);
    w->block.data[FRONT_BYTES] = (char)(w->head.len & 0xFF);
    w->block.data[FRONT_BYTES + 1] = (char)(w->head.len >> 8);
    little_put_u32(w->block.data + 4, (uint32_t)(w->block.len - FRONT_BYTES));
    little_put_u32(w->block.data + 8,
                   crc32c(0, w->block.data + FRONT_BYTES, w->block.len - FRONT_BYTES));
    error = write_all(w->fd, buf_view(&w->block));
    errno = error ? error : errno;
    w->bytes += error ? 0 : w->block.len;
    return error ? disk_error(err, "write") : RESULT_OK;
}

enum result journal_sync(struct journal_writer *w, const struct run_dir *dir, struct err *err)
{
    return os_fsync(w->fd) || os_fsync(dir->fd) ? disk_error(err, "sync") : RESULT_OK;
}

/* --- reading -------------------------------------------------------------------------------------------- */

struct reading {
    int fd;
    uint64_t at, end;
    struct buf block, names, lines;
    const char *endpoint; /* NULL: all blocks are looked at, and none is told */
    enum result (*take)(void *context, struct str lines, struct err *err);
    void *context;
};

static enum result read_exactly(struct reading *r, uint64_t at, size_t len, struct err *err)
{
    buf_reset(&r->block);
    if (buf_reserve(&r->block, len + 1) != RESULT_OK) {
        return err_nomem(err, "reading the journal of changes");
    }
    while (r->block.len < len) {
        ssize_t got = pread(r->fd, r->block.data + r->block.len, len - r->block.len,
                            (off_t)(at + r->block.len));

        if (got < 0 && errno != EINTR) {
            return disk_error(err, "read");
        }
        if (got == 0) {
            return damaged(at, err);
        }
        r->block.len += got > 0 ? (size_t)got : 0;
    }
    return RESULT_OK;
}

static enum result unpack(struct reading *r, struct str packed, struct err *err)
{
    unsigned long long size = ZSTD_getFrameContentSize(packed.data, packed.len);
    size_t got;

    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > LINES_MAX) {
        return damaged(r->at, err);
    }
    buf_reset(&r->lines);
    if (buf_reserve(&r->lines, (size_t)size + 1) != RESULT_OK) {
        return err_nomem(err, "reading the journal of changes");
    }
    got = ZSTD_decompress(r->lines.data, (size_t)size, packed.data, packed.len);
    if (ZSTD_isError(got) || got != size) {
        return damaged(r->at, err);
    }
    r->lines.len = got;
    return RESULT_OK;
}

static enum result take_block(struct reading *r, struct err *err)
{
    size_t names = (size_t)(unsigned char)r->block.data[0] | (size_t)(unsigned char)r->block.data[1]
                                                                 << 8;
    struct str wanted = buf_view(&r->names), got;
    enum result result;

    if (names + 2 > r->block.len) {
        return damaged(r->at, err);
    }
    got = (struct str){ r->block.data + 2, names };
    result = unpack(r, (struct str){ r->block.data + 2 + names, r->block.len - 2 - names }, err);
    if (result != RESULT_OK || !r->endpoint || names < strlen(r->endpoint) + 1 ||
        memcmp(got.data, r->endpoint, strlen(r->endpoint) + 1) != 0) {
        return result;
    }
    return str_equal(got, wanted)
               ? r->take(r->context, buf_view(&r->lines), err)
               : err_set(err, RESULT_INVALID, "E-JRN2",
                         "--unique: the changes of rounds that are not kept any more were written "
                         "down by another key");
}

static enum result read_block(struct reading *r, struct err *err)
{
    enum result result = read_exactly(r, r->at, FRONT_BYTES, err);
    uint32_t len, crc;

    if (result != RESULT_OK) {
        return result;
    }
    len = little_get_u32(r->block.data + 4);
    crc = little_get_u32(r->block.data + 8);
    if (memcmp(r->block.data, magic, sizeof magic) != 0 || len < 2 || len > PACKED_MAX ||
        len > r->end - r->at - FRONT_BYTES) {
        return damaged(r->at, err);
    }
    result = read_exactly(r, r->at + FRONT_BYTES, len, err);
    if (result == RESULT_OK && crc32c(0, r->block.data, len) != crc) {
        return damaged(r->at, err);
    }
    result = result == RESULT_OK ? take_block(r, err) : result;
    r->at += FRONT_BYTES + len;
    return result;
}

static enum result read_all(struct reading *r, const struct run_dir *dir, struct err *err)
{
    struct stat st;
    enum result result =
        r->end ? run_dir_open_file(dir, JOURNAL_FILE, O_RDONLY, &r->fd, err) : RESULT_OK;

    if (result == RESULT_OK && r->end && (fstat(r->fd, &st) || (uint64_t)st.st_size < r->end)) {
        result = damaged((uint64_t)st.st_size, err);
    }
    while (result == RESULT_OK && r->at < r->end) {
        result = r->end - r->at < FRONT_BYTES ? damaged(r->at, err) : read_block(r, err);
    }
    if (r->fd >= 0) {
        close(r->fd);
    }
    buf_release(&r->block);
    buf_release(&r->names);
    buf_release(&r->lines);
    return result;
}

enum result journal_read(const struct run_dir *dir, uint64_t bytes, const char *endpoint,
                         const struct str *key, size_t key_count,
                         enum result (*take)(void *context, struct str lines, struct err *err),
                         void *context, struct err *err)
{
    struct reading r = {
        .fd = -1, .end = bytes, .endpoint = endpoint, .take = take, .context = context
    };

    if (put_names(&r.names, endpoint, key, key_count) != RESULT_OK) {
        buf_release(&r.names);
        return err_nomem(err, "reading the journal of changes");
    }
    return read_all(&r, dir, err);
}

enum result journal_check(const struct run_dir *dir, uint64_t bytes, struct err *err)
{
    struct reading r = { .fd = -1, .end = bytes };

    return read_all(&r, dir, err);
}
