#include "store/event_log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum result event_log_open(struct event_log *log, const struct run_dir *dir, struct err *err)
{
    struct stat st;
    char last;

    *log = (struct event_log){ .fd = openat(dir->fd, "events.jsonl",
                                            O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
                                            S_IRUSR | S_IWUSR) };
    if (log->fd < 0 || fstat(log->fd, &st)) {
        err_set_errno(err, errno, "E-DIR3", "%s/events.jsonl: cannot open", dir->path);
        event_log_close(log);
        return RESULT_IO;
    }
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

void event_log_append(struct event_log *log, struct str lines)
{
    struct str rest = lines;

    if (log->torn && write(log->fd, "\n", 1) == 1) {
        log->torn = false;
    }
    while (rest.len && !log->torn) {
        ssize_t put = write(log->fd, rest.data, rest.len);

        if (put < 0 && errno != EINTR) {
            log->torn = rest.data != lines.data && rest.data[-1] != '\n';
            return;
        }
        if (put > 0) {
            rest = (struct str){ rest.data + put, rest.len - (size_t)put };
        }
    }
}
