#include "store/event_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum result open_log(const struct run_dir *dir, int *fd, struct err *err)
{
    return run_dir_open_file(dir, EVENT_LOG_NAME, O_RDWR | O_CREAT | O_APPEND, fd, err);
}

enum result event_log_open(struct event_log *log, const struct run_dir *dir, struct err *err)
{
    enum result result;
    struct stat st;
    char last;

    *log = (struct event_log){ .dir = dir, .fd = -1, .max_bytes = EVENT_LOG_MAX };
    result = open_log(dir, &log->fd, err);
    if (result != RESULT_OK) {
        return result;
    }
    if (fstat(log->fd, &st)) {
        result =
            err_set_errno(err, errno, "E-DIR3", "%s/" EVENT_LOG_NAME ": cannot stat", dir->path);
        event_log_close(log);
        return result;
    }
    log->bytes = (size_t)st.st_size;
    log->torn = st.st_size && (pread(log->fd, &last, 1, st.st_size - 1) != 1 || last != '\n');
    return RESULT_OK;
}

void event_log_close(struct event_log *log)
{
    if (log->fd >= 0) {
        close(log->fd);
        log->fd = -1;
    }
}

/* Begins another file. When that fails the old one grows on, by whatever name, and the next lines try
 * again. */
static void set_aside(struct event_log *log)
{
    int dir = log->dir->fd, fd;

    if (renameat(dir, EVENT_LOG_NAME, dir, EVENT_LOG_ASIDE) != 0 && errno != ENOENT) {
        return;
    }
    if (open_log(log->dir, &fd, NULL) == RESULT_OK) {
        close(log->fd);
        log->fd = fd;
        log->bytes = 0;
    }
}

/* Somebody has removed the file: what is still to come goes into another. */
static void begin_anew_if_removed(struct event_log *log)
{
    struct stat st;
    int fd;

    if (fstat(log->fd, &st) == 0 && st.st_nlink == 0 &&
        open_log(log->dir, &fd, NULL) == RESULT_OK) {
        close(log->fd);
        log->fd = fd;
        log->bytes = 0;
        log->torn = false;
    }
}

void event_log_append(struct event_log *log, struct str lines)
{
    struct str rest = lines;

    begin_anew_if_removed(log);

    if (log->torn && write(log->fd, "\n", 1) == 1) {
        log->torn = false;
        log->bytes++;
    }
    if (!log->torn && log->bytes && log->bytes + lines.len > log->max_bytes) {
        set_aside(log);
    }
    while (rest.len && !log->torn) {
        ssize_t put = write(log->fd, rest.data, rest.len);

        if (put < 0 && errno != EINTR) {
            log->torn = rest.data != lines.data && rest.data[-1] != '\n';
            return;
        }
        if (put > 0) {
            rest = (struct str){ rest.data + put, rest.len - (size_t)put };
            log->bytes += (size_t)put;
        }
    }
}

enum result event_log_read(const struct run_dir *dir, size_t max, struct buf *out, struct err *err)
{
    enum result result = run_dir_read(dir, EVENT_LOG_ASIDE, max, out, err);

    return result == RESULT_OK || result == RESULT_NOT_FOUND
               ? run_dir_read(dir, EVENT_LOG_NAME, max, out, err)
               : result;
}

/* Regular files only: nothing that could keep its reader waiting. */
static enum result append_tail(const struct run_dir *dir, const char *name, size_t max,
                               struct buf *out)
{
    int fd = openat(dir->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    enum result result = RESULT_OK;
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        result = buf_reserve(out, max);
        if (result == RESULT_OK) {
            ssize_t got = pread(fd, out->data + out->len, max,
                                st.st_size > (off_t)max ? st.st_size - (off_t)max : 0);

            out->len += got > 0 ? (size_t)got : 0;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return result;
}

/* The file that was set aside is asked first, though not all of it may be wanted: the other begins at
 * any moment. */
enum result event_log_tail(const struct run_dir *dir, size_t max, struct buf *out)
{
    enum result result = append_tail(dir, EVENT_LOG_ASIDE, max, out);

    if (result == RESULT_OK) {
        result = append_tail(dir, EVENT_LOG_NAME, max, out);
    }
    if (out->len > max) {
        memmove(out->data, out->data + out->len - max, max);
        out->len = max;
    }
    return result;
}
