#include "store/segment_scan.h"

#include "base/os.h"
#include "base/units.h"
#include "store/segment_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCAN_BYTES (256U << 10) /* read at a time */

static enum result check_size(const struct segment_extent *extent, const char *name, uint64_t size,
                              struct err *err)
{
    return size >= extent->committed
               ? RESULT_OK
               : err_set(err, RESULT_CORRUPT, "E-SEG1",
                         "raw/%s is %" PRIu64 " byte%s short: the ledger has %" PRIu64
                         "; 'scrapetop verify' lists the records lost",
                         name, extent->committed - size, units_plural(extent->committed - size),
                         extent->committed);
}

static enum result cut_tail(int fd, const struct segment_extent *extent, const char *name,
                            uint64_t *discarded, struct err *err)
{
    enum result result;
    struct stat st;

    if (fstat(fd, &st)) {
        return segment_disk_error(err, errno, "stat", name);
    }
    result = check_size(extent, name, (uint64_t)st.st_size, err);
    if (result != RESULT_OK || (uint64_t)st.st_size == extent->committed) {
        return result;
    }
    if (ftruncate(fd, (off_t)extent->committed)) {
        return segment_disk_error(err, errno, "cut the uncommitted tail", name);
    }
    if (os_fsync(fd)) {
        return segment_disk_error(err, errno, "sync", name);
    }
    *discarded += (uint64_t)st.st_size - extent->committed;
    return RESULT_OK;
}

/* A packed one has no tail: it was closed. */
enum result segment_recover(int raw_fd, const struct segment_extent *extent, uint64_t *discarded,
                            struct err *err)
{
    char name[SEGMENT_NAME_SIZE];
    struct segment_bytes bytes;
    enum result result = segment_bytes_open(&bytes, raw_fd, extent->number, err);
    uint64_t size;
    int fd;

    if (result != RESULT_OK) {
        return result;
    }
    segment_name(extent->number, name);
    if (bytes.packed) {
        result = segment_bytes_size(&bytes, extent->number, &size, err);
        result = result == RESULT_OK ? check_size(extent, name, size, err) : result;
    } else {
        result = segment_open(raw_fd, extent->number, O_WRONLY, &fd, err);
        if (result == RESULT_OK) {
            result = cut_tail(fd, extent, name, discarded, err);
            close(fd);
        }
    }
    segment_bytes_close(&bytes);
    return result;
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
            return segment_damaged(name, offset + *used, "is not a record", err);
        }
        if (line_crc32c(&view) != view.crc32c) {
            return segment_damaged(name, offset + *used, "does not match its CRC", err);
        }
        *used += text.len;
    }
    return RESULT_OK;
}

static enum result check_range(struct segment_bytes *from, const char *name, uint64_t offset,
                               uint64_t end, struct buf *bytes, struct err *err)
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
            got =
                segment_bytes_read(from, bytes->data + bytes->len,
                                   left < SCAN_BYTES ? (size_t)left : SCAN_BYTES, at + bytes->len);
            if (got <= 0) {
                return segment_disk_error(err, got ? errno : EIO, "read", name);
            }
            bytes->len += (size_t)got;
        }
        result = check_lines(buf_view(bytes), name, at, &used, err);
        if (result != RESULT_OK) {
            return result;
        }
        if (!used && !left) {
            return segment_damaged(name, at, "has no end", err);
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
    struct segment_bytes from;
    enum result result = segment_bytes_open(&from, raw_fd, extent->number, err);

    segment_name(extent->number, name);
    if (result == RESULT_OK) {
        result = check_range(&from, name, extent->last_batch, extent->committed, &bytes, err);
        segment_bytes_close(&from);
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

static enum result read_lines(const struct lines *lines, struct segment_bytes *from, uint64_t at,
                              struct buf *bytes, struct err *err)
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
        got = segment_bytes_read(from, bytes->data + bytes->len, SCAN_BYTES, at + bytes->len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got ? segment_disk_error(err, errno, "read", name) : RESULT_OK;
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
    struct segment_bytes text;
    enum result result = segment_bytes_open(&text, raw_fd, number, err);

    if (result == RESULT_OK) {
        result = read_lines(&lines, &text, from, &bytes, err);
        segment_bytes_close(&text);
    }
    buf_release(&bytes);
    return result;
}
