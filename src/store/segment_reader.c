#include "store/segment_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_BYTES 256 /* read at first when only the key is wanted */
/* a length up to this is read without looking how much there is */
#define SURELY_THERE_BYTES (4U << 20)

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
    result = segment_open(reader->raw_fd, number, O_RDONLY, fd, err);
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
        return segment_damaged(name, record->offset, "is cut short", err);
    }
    if (length > line->len && buf_reserve(line, length - line->len) != RESULT_OK) {
        return err_nomem(err, "reading a stored record");
    }
    while (line->len < length) {
        ssize_t got = pread(fd, line->data + line->len, length - line->len,
                            (off_t)(record->offset + line->len));

        if (got < 0 && errno != EINTR) {
            return segment_disk_error(err, errno, "read", name);
        }
        if (got == 0) {
            return segment_damaged(name, record->offset, "is cut short", err);
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
        return segment_damaged(name, record->offset, "is not a record", err);
    }
    if (line_crc32c(view) != record->crc32c || view->crc32c != record->crc32c) {
        return segment_damaged(name, record->offset, "does not match its CRC", err);
    }
    if (view->id != record->id) {
        return segment_damaged(name, record->offset, "has another request's id", err);
    }
    return RESULT_OK;
}

/* As much of the line as `parse` wants. */
static enum result read_part(struct segment_reader *reader, const struct record *record,
                             enum result (*parse)(struct str head, struct line_view *view),
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
        result = parse(buf_view(line), view);
        wanted = wanted > UINT32_MAX / 8 ? UINT32_MAX : wanted * 8;
    } while (result == RESULT_LIMIT && line->len < record->length);

    if (result != RESULT_OK || view->id != record->id) {
        char name[SEGMENT_NAME_SIZE];

        segment_name(record->segment, name);
        return segment_damaged(name, record->offset, "is not the record that the ledger names",
                               err);
    }
    return RESULT_OK;
}

enum result segment_read_key(struct segment_reader *reader, const struct record *record,
                             struct buf *line, struct line_view *view, struct err *err)
{
    return read_part(reader, record, line_parse_key, line, view, err);
}

enum result segment_read_time(struct segment_reader *reader, const struct record *record,
                              struct buf *line, struct line_view *view, struct err *err)
{
    return read_part(reader, record, line_parse_time, line, view, err);
}
