#include "store/segment.h"

#include "base/units.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_BYTES (1U << 20)    /* gathered before a write */
#define SCAN_BYTES (256U << 10) /* read at a time when checking a batch */
#define KEY_BYTES 256           /* read at first when only the key is wanted */
#define SURELY_THERE_BYTES                                                                         \
    (4U << 20)               /* a length up to this is read without looking how much there is */
#define NAMES_TRIED_MAX 1000 /* foreign files skipped when beginning a segment */
#define FILE_MODE (S_IRUSR | S_IWUSR)

/* A disk error as this module tells it: E-DISK1 may pass, E-DISK2 is final. */
static enum result disk_error(struct err *err, int errnum, const char *doing, const char *name)
{
    enum result result = err_set_errno(err, errnum, "E-DISK2", "raw/%s: cannot %s", name, doing);

    if (result == RESULT_FULL && err) {
        snprintf(err->code, sizeof err->code, "E-DISK1");
    }
    return result == RESULT_FULL || result == RESULT_NOMEM ? result : RESULT_IO;
}

void segment_name(uint32_t number, char name[SEGMENT_NAME_SIZE])
{
    static const char shape[SEGMENT_NAME_SIZE] = "00000000.jsonl";

    memcpy(name, shape, sizeof shape);
    for (size_t i = 8; i-- && number; number /= 10) {
        name[i] = (char)('0' + number % 10);
    }
}

enum result segment_dir_open(const struct run_dir *dir, bool create, int *raw_fd, struct err *err)
{
    if (create && mkdirat(dir->fd, SEGMENT_DIR, S_IRWXU) && errno != EEXIST) {
        return err_set_write(err, errno, "E-DIR1", "%s/raw: cannot create", dir->path);
    }
    *raw_fd = openat(dir->fd, SEGMENT_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*raw_fd < 0) {
        return err_set_errno(err, errno, "E-DIR1", "%s/raw: cannot open", dir->path);
    }
    return RESULT_OK;
}

enum result segment_dir_is_empty(int raw_fd, bool *empty, struct err *err)
{
    int fd = openat(raw_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    *empty = true;
    if (!listing) {
        if (fd >= 0) {
            close(fd);
        }
        return err_set_errno(err, errno, "E-DIR1", "raw: cannot list the directory");
    }
    while ((entry = readdir(listing))) {
        struct stat st;

        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
            !fstatat(raw_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
            !(S_ISREG(st.st_mode) && st.st_size == 0)) {
            *empty = false;
        }
    }
    closedir(listing);
    return RESULT_OK;
}

static enum result refuse_odd(const char *name, struct err *err)
{
    return err_set(err, RESULT_CORRUPT, "E-SEG3",
                   "raw/%s is not a regular file: put the segment back from a copy, or begin anew "
                   "with --fresh (the old run is set aside, not deleted)",
                   name);
}

/* Never waits: a FIFO that nobody writes to would keep its reader for ever. */
static enum result open_existing(int raw_fd, uint32_t number, int flags, int *fd, struct err *err)
{
    char name[SEGMENT_NAME_SIZE];
    struct stat st;

    segment_name(number, name);
    *fd = openat(raw_fd, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0) {
        switch (errno) {
        case ENOENT:
            return err_set(err, RESULT_CORRUPT, "E-LEDG4",
                           "raw/%s is missing though the ledger names it: put it back from a "
                           "copy, or begin anew with --fresh (the old run is set aside, not "
                           "deleted)",
                           name);
        case ELOOP: /* a symlink */
        case ENXIO: /* a FIFO without a reader, a socket, a device that is not there */
        case EISDIR:
            return refuse_odd(name, err);
        default:
            return disk_error(err, errno, "open", name);
        }
    }
    if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode)) {
        return RESULT_OK;
    }
    close(*fd);
    *fd = -1;
    return refuse_odd(name, err);
}

enum result segment_open_to_read(int raw_fd, uint32_t number, int *fd, struct err *err)
{
    return open_existing(raw_fd, number, O_RDONLY, fd, err);
}

static enum result cut_tail(int fd, const struct segment_extent *extent, const char *name,
                            uint64_t *discarded, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st)) {
        return disk_error(err, errno, "stat", name);
    }
    if ((uint64_t)st.st_size < extent->committed) {
        return err_set(err, RESULT_CORRUPT, "E-SEG1",
                       "raw/%s is %" PRIu64 " byte%s short: the ledger has %" PRIu64
                       "; 'scrapetop verify' lists the records lost",
                       name, extent->committed - (uint64_t)st.st_size,
                       units_plural(extent->committed - (uint64_t)st.st_size), extent->committed);
    }
    if ((uint64_t)st.st_size == extent->committed) {
        return RESULT_OK;
    }
    if (ftruncate(fd, (off_t)extent->committed)) {
        return disk_error(err, errno, "cut the uncommitted tail", name);
    }
    if (fsync(fd)) {
        return disk_error(err, errno, "sync", name);
    }
    *discarded += (uint64_t)st.st_size - extent->committed;
    return RESULT_OK;
}

enum result segment_recover(int raw_fd, const struct segment_extent *extent, uint64_t *discarded,
                            struct err *err)
{
    char name[SEGMENT_NAME_SIZE];
    enum result result;
    int fd;

    segment_name(extent->number, name);
    result = open_existing(raw_fd, extent->number, O_WRONLY, &fd, err);
    if (result == RESULT_OK) {
        result = cut_tail(fd, extent, name, discarded, err);
        close(fd);
    }
    return result;
}

/* "00000017.jsonl": 17; 0 when it is no segment's name. */
static uint32_t number_of(const char *name)
{
    char again[SEGMENT_NAME_SIZE];
    uint64_t number;

    if (strlen(name) != sizeof again - 1 || !str_to_u64((struct str){ name, 8 }, &number)) {
        return 0;
    }
    segment_name((uint32_t)number, again);
    return strcmp(name, again) == 0 ? (uint32_t)number : 0;
}

struct file_list {
    struct file {
        uint32_t number;
        uint64_t size;
    } * items;
    size_t count, room;
};

static enum result list_file(struct file_list *list, int raw_fd, const char *name, struct err *err)
{
    uint32_t number = number_of(name);
    struct stat st;

    if (!number || fstatat(raw_fd, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) ||
        st.st_size <= 0) {
        return RESULT_OK;
    }
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        struct file *items = reallocarray(list->items, room, sizeof *items);

        if (!items) {
            return err_nomem(err, "listing segments");
        }
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = (struct file){ number, (uint64_t)st.st_size };
    return RESULT_OK;
}

static int compare_files(const void *a, const void *b)
{
    const struct file *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

static enum result list_files(struct file_list *list, int raw_fd, struct err *err)
{
    int fd = openat(raw_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    enum result result = RESULT_OK;
    struct dirent *entry;

    if (!listing) {
        result = err_set_errno(err, errno, "E-DIR1", "raw: cannot list the directory");
        if (fd >= 0) {
            close(fd);
        }
        return result;
    }
    while (result == RESULT_OK && (entry = readdir(listing))) {
        result = list_file(list, raw_fd, entry->d_name, err);
    }
    closedir(listing);
    if (list->count) {
        qsort(list->items, list->count, sizeof *list->items, compare_files);
    }
    return result;
}

enum result segment_each_file(int raw_fd,
                              enum result (*visit)(void *context, uint32_t number, uint64_t size,
                                                   struct err *err),
                              void *context, struct err *err)
{
    struct file_list list = { .items = NULL };
    enum result result = list_files(&list, raw_fd, err);

    for (size_t i = 0; result == RESULT_OK && i < list.count; i++) {
        result = visit(context, list.items[i].number, list.items[i].size, err);
    }
    free(list.items);
    return result;
}

static enum result say_damaged(const char *name, uint64_t offset, const char *how, struct err *err)
{
    return err_set(err, RESULT_CORRUPT, "E-SEG2",
                   "raw/%s: the record at byte %" PRIu64 " %s; 'scrapetop verify' lists the damage",
                   name, offset, how);
}

/* Checks the whole lines at the head of `bytes`; `*used` gets their length. */
static enum result check_lines(struct str bytes, const char *name, uint64_t offset, size_t *used,
                               struct err *err)
{
    const char *feed;

    *used = 0;
    while (*used < bytes.len &&
           (feed = memchr(bytes.data + *used, '\n', bytes.len - *used)) != NULL) {
        struct str text = { bytes.data + *used, (size_t)(feed + 1 - (bytes.data + *used)) };
        struct line_view view;

        if (line_parse(text, &view) != RESULT_OK) {
            return say_damaged(name, offset + *used, "is not a record", err);
        }
        if (line_crc32c(&view) != view.crc32c) {
            return say_damaged(name, offset + *used, "does not match its CRC", err);
        }
        *used += text.len;
    }
    return RESULT_OK;
}

static enum result check_range(int fd, const char *name, uint64_t offset, uint64_t end,
                               struct buf *bytes, struct err *err)
{
    uint64_t at = offset; /* of bytes->data[0] */

    while (at < end) {
        uint64_t left = end - at - bytes->len;
        enum result result;
        size_t used;

        if (left) {
            ssize_t got;

            if (buf_reserve(bytes, SCAN_BYTES) != RESULT_OK) {
                return err_nomem(err, "checking the last batch");
            }
            got = pread(fd, bytes->data + bytes->len, left < SCAN_BYTES ? (size_t)left : SCAN_BYTES,
                        (off_t)(at + bytes->len));
            if (got <= 0) {
                return disk_error(err, got ? errno : EIO, "read", name);
            }
            bytes->len += (size_t)got;
        }
        result = check_lines(buf_view(bytes), name, at, &used, err);
        if (result != RESULT_OK) {
            return result;
        }
        if (!used && !left) {
            return say_damaged(name, at, "has no end", err);
        }
        memmove(bytes->data, bytes->data + used, bytes->len - used);
        bytes->len -= used;
        at += used;
    }
    return RESULT_OK;
}

enum result segment_check_last_batch(int raw_fd, const struct segment_extent *extent,
                                     struct err *err)
{
    char name[SEGMENT_NAME_SIZE];
    struct buf bytes = { .max = 0 };
    enum result result;
    int fd;

    segment_name(extent->number, name);
    result = open_existing(raw_fd, extent->number, O_RDONLY, &fd, err);
    if (result == RESULT_OK) {
        result = check_range(fd, name, extent->last_batch, extent->committed, &bytes, err);
        close(fd);
    }
    buf_release(&bytes);
    return result;
}

struct lines {
    uint32_t number;
    enum result (*visit)(void *context, struct record *record, const struct line_view *line,
                         struct err *err);
    void *context;
};

/* The whole lines at the head of `bytes`, which lie at `offset`; `*used` gets their length. */
static enum result tell_lines(const struct lines *lines, struct str bytes, uint64_t offset,
                              size_t *used, struct err *err)
{
    enum result result = RESULT_OK;
    const char *feed;

    *used = 0;
    while (result == RESULT_OK && *used < bytes.len &&
           (feed = memchr(bytes.data + *used, '\n', bytes.len - *used)) != NULL) {
        struct str text = { bytes.data + *used, (size_t)(feed + 1 - (bytes.data + *used)) };
        struct line_view view;

        if (text.len <= RECORD_LINE_MAX && line_parse(text, &view) == RESULT_OK &&
            line_crc32c(&view) == view.crc32c) {
            struct record record = { .id = view.id,
                                     .offset = offset + *used,
                                     .length = (uint32_t)text.len,
                                     .segment = lines->number,
                                     .crc32c = view.crc32c,
                                     .status = (uint16_t)view.status };

            result = lines->visit(lines->context, &record, &view, err);
        }
        *used += text.len;
    }
    return result;
}

static enum result read_lines(const struct lines *lines, int fd, uint64_t at, struct buf *bytes,
                              struct err *err)
{
    enum result result = RESULT_OK;
    char name[SEGMENT_NAME_SIZE];

    segment_name(lines->number, name);
    while (result == RESULT_OK) {
        ssize_t got;
        size_t used;

        if (bytes->len > RECORD_LINE_MAX) {
            return RESULT_OK; /* no line of ours */
        }
        if (buf_reserve(bytes, SCAN_BYTES) != RESULT_OK) {
            return err_nomem(err, "reading a segment");
        }
        got = pread(fd, bytes->data + bytes->len, SCAN_BYTES, (off_t)(at + bytes->len));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got ? disk_error(err, errno, "read", name) : RESULT_OK;
        }
        bytes->len += (size_t)got;
        result = tell_lines(lines, buf_view(bytes), at, &used, err);
        memmove(bytes->data, bytes->data + used, bytes->len - used);
        bytes->len -= used;
        at += used;
    }
    return result;
}

enum result segment_each_line(int raw_fd, uint32_t number, uint64_t from,
                              enum result (*visit)(void *context, struct record *record,
                                                   const struct line_view *line, struct err *err),
                              void *context, struct err *err)
{
    struct lines lines = { number, visit, context };
    struct buf bytes = { .max = 0 };
    int fd;
    enum result result = open_existing(raw_fd, number, O_RDONLY, &fd, err);

    if (result == RESULT_OK) {
        result = read_lines(&lines, fd, from, &bytes, err);
        close(fd);
    }
    buf_release(&bytes);
    return result;
}

enum result segment_sync_file(int raw_fd, uint32_t number, struct err *err)
{
    char name[SEGMENT_NAME_SIZE];
    int fd;
    enum result result = open_existing(raw_fd, number, O_WRONLY, &fd, err);

    if (result == RESULT_OK) {
        if (fdatasync(fd)) {
            segment_name(number, name);
            disk_error(err, errno, "sync", name);
            result = RESULT_IO;
        }
        close(fd);
    }
    return result;
}

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
    enum result result =
        open_existing(segment->raw_fd, extent->number, O_WRONLY | O_APPEND, &segment->fd, err);

    if (result == RESULT_OK) {
        segment->extent = *extent;
        segment->end = extent->committed;
    }
    return result;
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
        return disk_error(err, errno, "create", name);
    }
    if (fsync(segment->raw_fd)) {
        int errnum = errno;

        close(fd);
        return disk_error(err, errnum, "sync the directory of", name);
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
            return disk_error(err, errnum, "write", name);
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

    if (!fdatasync(segment->fd)) {
        return RESULT_OK;
    }
    segment_name(segment->extent.number, name);
    disk_error(err, errno, "sync", name);
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
        return disk_error(err, errnum, "cut an unfinished write of", name);
    }
    return RESULT_OK;
}

void segment_reader_init(struct segment_reader *reader, int raw_fd)
{
    *reader = (struct segment_reader){ .raw_fd = raw_fd };
}

void segment_reader_release(struct segment_reader *reader)
{
    for (size_t i = 0; i < SEGMENT_READER_FILES; i++) {
        if (reader->files[i].number) {
            close(reader->files[i].fd);
        }
    }
    segment_reader_init(reader, -1);
}

static enum result reader_file(struct segment_reader *reader, uint32_t number, int *fd,
                               struct err *err)
{
    unsigned slot = reader->next;
    enum result result;

    for (size_t i = 0; i < SEGMENT_READER_FILES; i++) {
        if (reader->files[i].number == number) {
            *fd = reader->files[i].fd;
            return RESULT_OK;
        }
    }
    result = open_existing(reader->raw_fd, number, O_RDONLY, fd, err);
    if (result == RESULT_OK) {
        if (reader->files[slot].number) {
            close(reader->files[slot].fd);
        }
        reader->files[slot].number = number;
        reader->files[slot].fd = *fd;
        reader->next = (slot + 1) % SEGMENT_READER_FILES;
    }
    return result;
}

/* What the ledger says of a length is no reason to take as much memory. */
static bool is_there(int fd, uint64_t offset, uint64_t length)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (uint64_t)st.st_size >= offset &&
           (uint64_t)st.st_size - offset >= length;
}

/* Makes `line` the first `length` bytes of the record; it may hold some of them already. */
static enum result read_head(struct segment_reader *reader, const struct record *record,
                             uint32_t length, struct buf *line, struct err *err)
{
    char name[SEGMENT_NAME_SIZE];
    enum result result;
    int fd;

    segment_name(record->segment, name);
    result = reader_file(reader, record->segment, &fd, err);
    if (result != RESULT_OK) {
        return result;
    }
    if (length > SURELY_THERE_BYTES && !is_there(fd, record->offset, length)) {
        return say_damaged(name, record->offset, "is cut short", err);
    }
    if (length > line->len && buf_reserve(line, length - line->len) != RESULT_OK) {
        return err_nomem(err, "reading a stored record");
    }
    while (line->len < length) {
        ssize_t got = pread(fd, line->data + line->len, length - line->len,
                            (off_t)(record->offset + line->len));

        if (got < 0 && errno != EINTR) {
            return disk_error(err, errno, "read", name);
        }
        if (got == 0) {
            return say_damaged(name, record->offset, "is cut short", err);
        }
        line->len += got > 0 ? (size_t)got : 0;
    }
    return RESULT_OK;
}

enum result segment_read_line(struct segment_reader *reader, const struct record *record,
                              struct buf *line, struct line_view *view, struct err *err)
{
    char name[SEGMENT_NAME_SIZE];
    enum result result;

    buf_reset(line);
    result = read_head(reader, record, record->length, line, err);
    if (result != RESULT_OK) {
        return result;
    }
    segment_name(record->segment, name);
    if (line_parse(buf_view(line), view) != RESULT_OK) {
        return say_damaged(name, record->offset, "is not a record", err);
    }
    if (line_crc32c(view) != record->crc32c || view->crc32c != record->crc32c) {
        return say_damaged(name, record->offset, "does not match its CRC", err);
    }
    if (view->id != record->id) {
        return say_damaged(name, record->offset, "has another request's id", err);
    }
    return RESULT_OK;
}

enum result segment_read_key(struct segment_reader *reader, const struct record *record,
                             struct buf *line, struct line_view *view, struct err *err)
{
    uint32_t wanted = KEY_BYTES;
    enum result result;

    buf_reset(line);
    do {
        if (wanted > record->length) {
            wanted = record->length;
        }
        result = read_head(reader, record, wanted, line, err);
        if (result != RESULT_OK) {
            return result;
        }
        result = line_parse_key(buf_view(line), view);
        wanted = wanted > UINT32_MAX / 8 ? UINT32_MAX : wanted * 8;
    } while (result == RESULT_LIMIT && line->len < record->length);

    if (result != RESULT_OK || view->id != record->id) {
        char name[SEGMENT_NAME_SIZE];

        segment_name(record->segment, name);
        return say_damaged(name, record->offset, "is not the record that the ledger names", err);
    }
    return RESULT_OK;
}
