#include "store/segment.h"

#include "base/os.h"
#include "store/segment_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_BYTES (1U << 20) /* gathered before a write */
#define NAMES_TRIED_MAX 1000 /* foreign files skipped when beginning a segment */
#define FILE_MODE (S_IRUSR | S_IWUSR)

enum result segment_init(struct segment *segment, int raw_fd, struct err *err)
{
    *segment = (struct segment){ .raw_fd = raw_fd, .fd = -1, .out = malloc(OUT_BYTES) };
    return segment->out ? RESULT_OK : err_nomem(err, "opening the store");
}

void segment_release(struct segment *segment)
{
    if (segment->fd >= 0) {
        close(segment->fd);
    }
    free(segment->out);
    *segment = (struct segment){ .raw_fd = -1, .fd = -1 };
}

enum result segment_resume(struct segment *segment, const struct segment_extent *extent,
                           struct err *err)
{
    struct segment_bytes bytes;
    enum result result = segment_bytes_open(&bytes, segment->raw_fd, extent->number, err);
    bool is_packed = result == RESULT_OK && bytes.packed;

    if (result != RESULT_OK) {
        return result;
    }
    segment_bytes_close(&bytes);
    segment->extent = *extent;
    segment->end = extent->committed;
    return is_packed ? RESULT_OK /* and so it is full */
                     : segment_open(segment->raw_fd, extent->number, O_WRONLY | O_APPEND,
                                    &segment->fd, err);
}

/* -1 with EEXIST when the name holds somebody's bytes. */
static int create_exclusive(int raw_fd, const char *name)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(raw_fd, name, flags, FILE_MODE);
    struct stat st;

    if (fd >= 0 || errno != EEXIST) {
        return fd;
    }
    /* Empty: of a process that died before it told the ledger. */
    if (fstatat(raw_fd, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) || st.st_size ||
        unlinkat(raw_fd, name, 0)) {
        errno = EEXIST;
        return -1;
    }
    return openat(raw_fd, name, flags, FILE_MODE);
}

enum result segment_begin_next(struct segment *segment, struct err *err)
{
    uint32_t number = segment->extent.number;
    char name[SEGMENT_NAME_SIZE];
    int fd = -1;

    for (unsigned i = 0; fd < 0 && i < NAMES_TRIED_MAX; i++) {
        segment_name(++number, name);
        fd = create_exclusive(segment->raw_fd, name);
        if (fd < 0 && errno != EEXIST) {
            break;
        }
    }
    if (fd < 0) {
        return segment_disk_error(err, errno, "create", name);
    }
    if (os_fsync(segment->raw_fd)) {
        int errnum = errno;

        close(fd);
        return segment_disk_error(err, errnum, "sync the directory of", name);
    }
    if (segment->fd >= 0) {
        close(segment->fd);
    }
    segment->fd = fd;
    segment->extent = (struct segment_extent){ .number = number };
    segment->end = 0;
    segment->out_len = 0;
    return RESULT_OK;
}

bool segment_is_full(const struct segment *segment)
{
    return segment->fd < 0 || segment->end >= SEGMENT_MAX_BYTES;
}

static enum result write_out(struct segment *segment, struct str bytes, struct err *err)
{
    while (bytes.len) {
        ssize_t put = write(segment->fd, bytes.data, bytes.len);

        if (put < 0 && errno != EINTR) {
            char name[SEGMENT_NAME_SIZE];
            int errnum = errno;

            segment_name(segment->extent.number, name);
            return segment_disk_error(err, errnum, "write", name);
        }
        if (put > 0) { /* a short write is no error: what stops it comes back at the next one */
            bytes = (struct str){ bytes.data + put, bytes.len - (size_t)put };
        }
    }
    return RESULT_OK;
}

enum result segment_append(struct segment *segment, struct str bytes, struct err *err)
{
    enum result result = RESULT_OK;

    if (bytes.len > OUT_BYTES - segment->out_len) {
        result = segment_flush(segment, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    if (bytes.len >= OUT_BYTES) {
        result = write_out(segment, bytes, err);
    } else {
        memcpy(segment->out + segment->out_len, bytes.data, bytes.len);
        segment->out_len += bytes.len;
    }
    if (result == RESULT_OK) {
        segment->end += bytes.len;
    }
    return result;
}

enum result segment_flush(struct segment *segment, struct err *err)
{
    struct str gathered = { segment->out, segment->out_len };

    segment->out_len = 0;
    return write_out(segment, gathered, err);
}

enum result segment_sync(struct segment *segment, struct err *err)
{
    char name[SEGMENT_NAME_SIZE];

    if (!os_fdatasync(segment->fd)) {
        return RESULT_OK;
    }
    segment_name(segment->extent.number, name);
    segment_disk_error(err, errno, "sync", name);
    return RESULT_IO; /* even for ENOSPC: the kernel has dropped the pages that it could not write */
}

enum result segment_rewind(struct segment *segment, struct err *err)
{
    segment->out_len = 0;
    segment->end = segment->extent.committed;
    if (segment->fd >= 0 && ftruncate(segment->fd, (off_t)segment->end)) {
        char name[SEGMENT_NAME_SIZE];
        int errnum = errno;

        segment_name(segment->extent.number, name);
        return segment_disk_error(err, errnum, "cut an unfinished write of", name);
    }
    return RESULT_OK;
}
