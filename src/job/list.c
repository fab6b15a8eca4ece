#include "job/list.h"

#include "base/buf.h"
#include "base/os.h"
#include "base/units.h"
#include "base/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_SIZE ((size_t)256 * 1024)
#define BUFFER_SIZE (READ_SIZE + LIST_LINE_MAX)

struct list {
    char *name; /* for messages */
    int fd;
    bool owns_fd;
    int pipe;          /* that more comes from; -1: none */
    struct buf begun;  /* a line of it that has not ended yet */
    uint64_t end;      /* nothing is read beyond; UINT64_MAX: all of the file */
    char *buffer;      /* BUFFER_SIZE bytes of the file, */
    size_t buffer_len; /* of which so many are filled, */
    uint64_t start;    /* from this offset on */
    struct list_entry_reader entries;
};

static int temporary_file(void)
{
    const char *dir = getenv("TMPDIR");
    char path[4096];
    int fd;

    if (!dir || dir[0] != '/' || strlen(dir) > sizeof path / 2) {
        dir = "/tmp";
    }
    snprintf(path, sizeof path, "%s/scrapetop-list-XXXXXX", dir);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) {
        unlink(path);
    }
    return fd;
}

static void close_pipe(struct list *list)
{
    if (list->pipe > STDERR_FILENO) {
        close(list->pipe);
    }
    list->pipe = -1;
}

/* Whole lines go to the copy, the begun one waits for its end. */
static enum result keep(struct list *list, const char *bytes, size_t len, struct err *err)
{
    const char *last = os_memrchr(bytes, '\n', len);
    size_t whole = last ? (size_t)(last - bytes) + 1 : 0;
    struct str begun = buf_view(&list->begun);

    if (!whole && begun.len + len > 2 * LIST_LINE_MAX) {
        whole = len; /* too long for a line: who looks at the copy says so */
    }
    if (whole) {
        int errnum = write_all(list->fd, begun);

        errnum = errnum ? errnum : write_all(list->fd, (struct str){ bytes, whole });
        if (errnum) {
            return err_set_errno(err, errnum, "E-IN2", "cannot keep a copy of %s", list->name);
        }
    }
    if (whole) {
        buf_reset(&list->begun);
    }
    return buf_append(&list->begun, bytes + whole, len - whole) == RESULT_OK
               ? RESULT_OK
               : err_nomem(err, "reading a list");
}

static enum result end_pipe(struct list *list, struct err *err)
{
    struct str begun = buf_view(&list->begun);
    int errnum = write_all(list->fd, begun);

    close_pipe(list);
    buf_reset(&list->begun);
    return errnum ? err_set_errno(err, errnum, "E-IN2", "cannot keep a copy of %s", list->name)
                  : RESULT_OK;
}

enum result list_read_on(struct list *list, bool to_end, struct err *err)
{
    enum result result = RESULT_OK;
    bool has_whole = false;

    while (result == RESULT_OK && list->pipe >= 0) {
        struct pollfd ready = { .fd = list->pipe, .events = POLLIN };
        ssize_t got;

        if (!to_end && has_whole && poll(&ready, 1, LIST_PAUSE_MS) == 0) {
            break;
        }
        got = read(list->pipe, list->buffer, BUFFER_SIZE);
        if (got < 0 && errno != EINTR) {
            result = err_set_errno(err, errno, "E-IN2", "cannot read %s", list->name);
        } else if (got == 0) {
            result = end_pipe(list, err);
        } else if (got > 0) {
            has_whole = has_whole || memchr(list->buffer, '\n', (size_t)got);
            result = keep(list, list->buffer, (size_t)got, err);
        }
    }
    list->buffer_len = 0; /* it was lent */
    return result;
}

/* What can be read only once is copied, so that it can be read by offset. */
static enum result spool(struct list *list, bool to_end, struct err *err)
{
    int copy = temporary_file();

    if (copy < 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot keep a copy of %s", list->name);
    }
    list->pipe = list->fd;
    list->fd = copy;
    list->owns_fd = true;
    return list_read_on(list, to_end, err);
}

bool list_is_open(const struct list *list)
{
    return list->pipe >= 0;
}

int list_give_pipe(struct list *list, struct buf *begun)
{
    int given = list->pipe;

    *begun = list->begun;
    list->begun = (struct buf){ .max = 0 };
    list->pipe = -1;
    return given;
}

void list_end_at(struct list *list, uint64_t size)
{
    list->end = size;
}

bool list_begins_with(const struct list *list, int fd, uint64_t size)
{
    char ours[4096], theirs[4096];

    for (uint64_t at = 0; at < size;) {
        size_t want = size - at < sizeof ours ? (size_t)(size - at) : sizeof ours;
        ssize_t got = pread(list->fd, ours, want, (off_t)at);

        if (got <= 0 || pread(fd, theirs, (size_t)got, (off_t)at) != got ||
            memcmp(ours, theirs, (size_t)got) != 0) {
            return false;
        }
        at += (uint64_t)got;
    }
    return true;
}

static enum result list_new(struct list **list, const char *name, struct err *err)
{
    struct list *l = calloc(1, sizeof *l);

    *list = l;
    if (!l) {
        return err_nomem(err, "opening a list");
    }
    l->fd = l->pipe = -1;
    l->end = UINT64_MAX;
    list_entry_init(&l->entries);
    l->name = str_dup(str_view(name));
    l->buffer = malloc(BUFFER_SIZE);
    if (!l->name || !l->buffer) {
        list_free(l);
        *list = NULL;
        return err_nomem(err, "opening a list");
    }
    return RESULT_OK;
}

static enum result open_path(struct list **list, const char *path, bool to_end, struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct list *l;
    struct stat st;
    enum result result = list_new(list, is_stdin ? "stdin" : path, err);

    if (result != RESULT_OK) {
        return result;
    }
    l = *list;
    l->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    l->owns_fd = !is_stdin;
    if (l->fd < 0 || fstat(l->fd, &st) != 0) {
        result = err_set_errno(err, errno, "E-IN2", "cannot read %s", l->name);
    } else if (S_ISDIR(st.st_mode)) {
        result = err_set(err, RESULT_INVALID, "E-IN2", "%s is a directory, want a list of URLs",
                         l->name);
    } else if (!S_ISREG(st.st_mode) || is_stdin) {
        result = spool(l, to_end, err);
    }
    if (result != RESULT_OK) {
        list_free(l);
        *list = NULL;
    }
    return result;
}

enum result list_open(struct list **list, const char *path, struct err *err)
{
    return open_path(list, path, true, err);
}

enum result list_open_begun(struct list **list, const char *path, struct err *err)
{
    return open_path(list, path, false, err);
}

enum result list_open_fd(struct list **list, int fd, const char *name, struct err *err)
{
    enum result result = list_new(list, name, err);

    if (result == RESULT_OK) {
        (*list)->fd = fd;
    }
    return result;
}

void list_free(struct list *list)
{
    if (!list) {
        return;
    }
    close_pipe(list);
    if (list->owns_fd && list->fd >= 0) {
        close(list->fd);
    }
    buf_release(&list->begun);
    list_entry_release(&list->entries);
    free(list->buffer);
    free(list->name);
    free(list);
}

/* More of the file after what the buffer holds, after dropping what stands before `offset`.
 * RESULT_NOT_FOUND when there is no more. */
static enum result fill(struct list *list, uint64_t offset, struct err *err)
{
    ssize_t got;
    size_t want;

    if (offset < list->start || offset > list->start + list->buffer_len) {
        list->buffer_len = 0;
    } else {
        size_t done = (size_t)(offset - list->start);

        list->buffer_len -= done;
        memmove(list->buffer, list->buffer + done, list->buffer_len);
    }
    list->start = offset;
    want = BUFFER_SIZE - list->buffer_len;
    if (list->end - offset < list->buffer_len + want) {
        want = list->end > offset + list->buffer_len
                   ? (size_t)(list->end - offset - list->buffer_len)
                   : 0;
    }
    do {
        got = pread(list->fd, list->buffer + list->buffer_len, want,
                    (off_t)(offset + list->buffer_len));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", list->name);
    }
    list->buffer_len += (size_t)got;
    return got ? RESULT_OK : RESULT_NOT_FOUND;
}

/* What the buffer holds from `offset` on. */
static struct str buffered(const struct list *list, uint64_t offset)
{
    size_t at;

    if (offset < list->start || offset - list->start >= list->buffer_len) {
        return STR_NONE;
    }
    at = (size_t)(offset - list->start);
    return (struct str){ list->buffer + at, list->buffer_len - at };
}

/* Moves `*offset` past the end of a line that is longer than any line may be. */
static enum result skip_line(struct list *list, uint64_t *offset, struct err *err)
{
    for (;;) {
        struct str rest = buffered(list, *offset);
        const char *end = rest.len ? memchr(rest.data, '\n', rest.len) : NULL;
        enum result result;

        if (end) {
            *offset += (uint64_t)(end - rest.data) + 1;
            return RESULT_OK;
        }
        *offset += rest.len;
        result = fill(list, *offset, err);
        if (result != RESULT_OK) {
            return result == RESULT_NOT_FOUND ? RESULT_OK : result;
        }
    }
}

/* The line at `*offset`, without its end. RESULT_NOT_FOUND at the end of the file, RESULT_LIMIT for a
 * line that is too long. */
static enum result read_line(struct list *list, uint64_t *offset, struct str *line, struct err *err)
{
    struct str rest = buffered(list, *offset);
    const char *end = rest.len ? memchr(rest.data, '\n', rest.len) : NULL;
    enum result result;

    while (!end && rest.len <= LIST_LINE_MAX) {
        result = fill(list, *offset, err);
        if (result != RESULT_OK && result != RESULT_NOT_FOUND) {
            return result;
        }
        rest = buffered(list, *offset);
        if (result == RESULT_NOT_FOUND && !rest.len) {
            return RESULT_NOT_FOUND;
        }
        end = memchr(rest.data, '\n', rest.len);
        if (!end && result == RESULT_NOT_FOUND) {
            end = rest.data + rest.len; /* the last line needs no end of its own */
        }
    }
    if (!end || end - rest.data > LIST_LINE_MAX) {
        result = skip_line(list, offset, err);
        return result == RESULT_OK
                   ? err_set(err, RESULT_LIMIT, "E-IN1", "line over %d bytes", LIST_LINE_MAX)
                   : result;
    }
    *line = (struct str){ rest.data, (size_t)(end - rest.data) };
    if (*offset == 0 && str_starts(*line, STR("\xEF\xBB\xBF"))) {
        line->data += 3;
        line->len -= 3;
    }
    *offset += (uint64_t)(end - rest.data) + (end < rest.data + rest.len);
    return RESULT_OK;
}

enum result list_next(struct list *list, uint64_t *offset, struct list_entry *entry,
                      struct err *err)
{
    for (;;) {
        uint64_t start = *offset;
        struct str line;
        enum result result = read_line(list, offset, &line, err);

        if (result == RESULT_OK) {
            result = list_entry_read(&list->entries, line, entry, err);
        }
        if (result == RESULT_INVALID || result == RESULT_LIMIT) {
            err_prefix(err, "%s, line at offset %llu", list->name, (unsigned long long)start);
        }
        if (result != RESULT_OK || entry->url.len) {
            return result;
        }
    }
}

/* Word by word, with a multiply to spread each over the rest: fast, and good enough to notice that a
 * list was edited between two sessions, which is all it is for. */
static uint64_t checksum_add(uint64_t sum, struct str line)
{
    const uint64_t spread = UINT64_C(0x9E3779B97F4A7C15);

    sum = (sum ^ line.len) * spread;
    while (line.len) {
        size_t len = line.len < sizeof sum ? line.len : sizeof sum;
        uint64_t word = 0;

        memcpy(&word, line.data, len);
        sum = (sum ^ word) * spread;
        sum ^= sum >> 29;
        line.data += len;
        line.len -= len;
    }
    return sum;
}

static void note_bad_line(const struct list *list, struct list_report *report, uint64_t number,
                          struct err *bad)
{
    err_prefix(bad, "%s:%llu", list->name, (unsigned long long)number);
    if (report->bad < LIST_BAD_SHOWN) {
        report->errors[report->bad] = *bad;
    }
    report->bad++;
}

enum result list_check(struct list *list, struct list_report *report, struct err *err)
{
    uint64_t offset = 0, number = 1;
    struct list_entry entry;
    struct str line;

    memset(report, 0, sizeof *report);
    for (;; number++) {
        struct err bad;
        enum result result = read_line(list, &offset, &line, &bad);

        if (result == RESULT_NOT_FOUND) {
            break;
        }
        if (result == RESULT_OK) {
            report->checksum = checksum_add(report->checksum, line);
            result = list_entry_read(&list->entries, line, &entry, &bad);
            report->urls += result == RESULT_OK && entry.url.len;
        }
        if (result == RESULT_INVALID || result == RESULT_LIMIT) {
            note_bad_line(list, report, number, &bad);
        } else if (result != RESULT_OK) {
            if (err) {
                *err = bad;
            }
            return result;
        }
    }
    report->size = offset;
    if (report->bad) {
        return err_set(err, RESULT_INVALID, "E-IN1", "%s has %llu bad line%s; nothing was started",
                       list->name, (unsigned long long)report->bad, units_plural(report->bad));
    }
    if (!report->urls) {
        return err_set(err, RESULT_INVALID, "E-IN2", "no URLs in %s", list->name);
    }
    return RESULT_OK;
}

enum result list_copy(struct list *list, int fd, struct err *err)
{
    uint64_t offset = 0;

    for (;;) {
        enum result result = fill(list, offset, err);
        int errnum;

        if (result == RESULT_NOT_FOUND) {
            return RESULT_OK;
        }
        if (result != RESULT_OK) {
            return result;
        }
        errnum = write_all(fd, (struct str){ list->buffer, list->buffer_len });
        if (errnum) {
            return err_set_errno(err, errnum, "E-IN2", "cannot keep a copy of %s", list->name);
        }
        offset += list->buffer_len;
    }
}
