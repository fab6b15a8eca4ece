#include "store/segment_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum result packed_error(enum result result, const char *name, struct err *err)
{
    switch (result) {
    case RESULT_CORRUPT:
        return err_set(err, RESULT_CORRUPT, "E-SEG2",
                       "raw/%s is damaged: its table of frames is not whole", name);
    case RESULT_NOMEM:
        return err_nomem(err, "reading a packed segment");
    default:
        return segment_disk_error(err, errno, "read", name);
    }
}

/* The plain file first: while a segment is packed both are there, and both are whole. It may go between two looks. */
enum result segment_bytes_open(struct segment_bytes *bytes, int raw_fd, uint32_t number,
                               struct err *err)
{
    char name[SEGMENT_PACKED_SIZE];
    enum result result;
    int fd;

    *bytes = (struct segment_bytes){ .fd = -1 };
    segment_name(number, name);
    if (faccessat(raw_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        result = segment_open(raw_fd, number, O_RDONLY, &bytes->fd, err);
        if (result == RESULT_OK || result != RESULT_CORRUPT) {
            return result;
        }
    }
    result = segment_open_packed(raw_fd, number, &fd, err);
    if (result == RESULT_NOT_FOUND) { /* as it says of a plain one */
        return segment_open(raw_fd, number, O_RDONLY, &bytes->fd, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    segment_packed_name(number, name);
    result = packed_text_open(&bytes->packed, fd);
    return result == RESULT_OK ? RESULT_OK : packed_error(result, name, err);
}

void segment_bytes_close(struct segment_bytes *bytes)
{
    if (bytes->fd >= 0) {
        close(bytes->fd);
    }
    packed_text_close(bytes->packed);
    packed_window_release(&bytes->window);
    *bytes = (struct segment_bytes){ .fd = -1 };
}

enum result segment_bytes_size(const struct segment_bytes *bytes, uint32_t number, uint64_t *size,
                               struct err *err)
{
    char name[SEGMENT_NAME_SIZE];
    struct stat st;

    *size = 0;
    if (bytes->packed) {
        *size = packed_text_bytes(bytes->packed);
        return RESULT_OK;
    }
    segment_name(number, name);
    if (fstat(bytes->fd, &st)) {
        return segment_disk_error(err, errno, "stat", name);
    }
    *size = (uint64_t)st.st_size;
    return RESULT_OK;
}

ssize_t segment_bytes_read(struct segment_bytes *bytes, void *to, size_t len, uint64_t offset)
{
    enum result result;
    size_t got;

    if (!bytes->packed) {
        return pread(bytes->fd, to, len, (off_t)offset);
    }
    result = packed_text_read(bytes->packed, &bytes->window, offset, to, len, &got);
    if (result == RESULT_OK) {
        return (ssize_t)got;
    }
    errno = result == RESULT_CORRUPT ? EBADMSG : result == RESULT_NOMEM ? ENOMEM : errno;
    return -1;
}
