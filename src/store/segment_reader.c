#include "store/segment_reader.h"

#include <errno.h>
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
            segment_bytes_close(&reader->files[i].bytes);
        }
    }
    segment_reader_init(reader, -1);
}

static enum result reader_file(struct segment_reader *reader, uint32_t number,
                               struct segment_bytes **bytes, struct err *err)
{
    unsigned slot = reader->next;
    struct segment_bytes opened;
    enum result result;

    for (size_t i = 0; i < SEGMENT_READER_FILES; i++) {
        if (reader->files[i].number == number) {
            *bytes = &reader->files[i].bytes;
            return RESULT_OK;
        }
    }
    result = segment_bytes_open(&opened, reader->raw_fd, number, err);
    if (result == RESULT_OK) {
        if (reader->files[slot].number) {
            segment_bytes_close(&reader->files[slot].bytes);
        }
        reader->files[slot].number = number;
        reader->files[slot].bytes = opened;
        *bytes = &reader->files[slot].bytes;
        reader->next = (slot + 1) % SEGMENT_READER_FILES;
    }
    return result;
}

/* What the ledger says of a length is no reason to take as much memory. */
static bool is_there(const struct segment_bytes *bytes, const struct record *record,
                     uint64_t length)
{
    uint64_t size;

    return segment_bytes_size(bytes, record->segment, &size, NULL) == RESULT_OK &&
           size >= record->offset && size - record->offset >= length;
}

/* Makes `line` the first `length` bytes of the record; it may hold some of them already. */
static enum result read_head(struct segment_reader *reader, const struct record *record,
                             uint32_t length, struct buf *line, struct err *err)
{
    char name[SEGMENT_NAME_SIZE];
    struct segment_bytes *bytes;
    enum result result;

    segment_name(record->segment, name);
    result = reader_file(reader, record->segment, &bytes, err);
    if (result != RESULT_OK) {
        return result;
    }
    if (length > SURELY_THERE_BYTES && !is_there(bytes, record, length)) {
        return segment_damaged(name, record->offset, "is cut short", err);
    }
    if (length > line->len && buf_reserve(line, length - line->len) != RESULT_OK) {
        return err_nomem(err, "reading a stored record");
    }
    while (line->len < length) {
        ssize_t got = segment_bytes_read(bytes, line->data + line->len, length - line->len,
                                         record->offset + line->len);

        if (got < 0 && errno == EBADMSG) {
            return segment_damaged(name, record->offset, "lies in a packed frame that is damaged",
                                   err);
        }
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
