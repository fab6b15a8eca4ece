#include "normalise/cells_file.h"

#include "base/json_scan.h"
#include "base/utf8.h"
#include "read/csv_cells.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK_BYTES ((size_t)64 << 10)

enum result cells_file_read_at(int fd, const char *path, char *to, size_t len, uint64_t offset,
                               size_t *got, struct err *err)
{
    *got = 0;
    while (*got < len) {
        ssize_t n = pread(fd, to + *got, len - *got, (off_t)(offset + *got));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_set_errno(err, errno, "E-IN2", "cannot read %s", path);
        }
        if (n == 0) {
            break;
        }
        *got += (size_t)n;
    }
    return RESULT_OK;
}

void cells_file_release(struct cells_file *cells)
{
    csv_names_release(&cells->names);
}

/* The first row of `head`, which is all of the file when it is not cut. */
static enum result take_header(struct cells_file *cells, struct str head, bool is_cut,
                               const char *path, const struct body_reading *how, struct err *err)
{
    struct str text = json_without_bom(head);
    char told = csv_take_separator_line(&text);
    struct csv_row row = { 0 };
    struct csv_reader reader;
    size_t rows, width;
    bool more = false;
    enum result result;

    cells->delimiter = how->delimiter        ? how->delimiter
                       : how->as == BODY_TSV ? '\t'
                       : told                ? told
                                             : csv_sniff(text, is_cut, &rows, &width);
    reader = (struct csv_reader){ text.data, text.data + text.len, cells->delimiter, 1 + !!told };
    result = csv_next(&reader, &row, &more);
    if (result == RESULT_NOMEM) {
        err_nomem(err, "reading a header");
    } else if (result != RESULT_OK || (is_cut && reader.at == reader.end)) {
        result = err_set(err, RESULT_INVALID, "E-IN2",
                         "%s: the first row does not end, or has too many cells: is it CSV?", path);
    } else if (utf8_valid_prefix((struct str){ text.data, (size_t)(reader.at - text.data) }) !=
               (size_t)(reader.at - text.data)) {
        result = err_set(err, RESULT_INVALID, "E-IN2",
                         "%s: the first row is not UTF-8: say which --charset it has", path);
    } else {
        result = csv_names_make(&cells->names, how->no_header ? NULL : &row, row.count);
        cells->begin =
            how->no_header ? (uint64_t)(text.data - head.data) : (uint64_t)(reader.at - head.data);
        cells->line = how->no_header ? 1 + !!told : reader.line;
    }
    csv_row_release(&row);
    return result;
}

enum result cells_file_read_header(struct cells_file *cells, int fd, const char *path,
                                   uint64_t from, uint64_t size, const struct body_reading *how,
                                   struct err *err)
{
    enum result result = RESULT_OK;
    char *head = NULL;

    for (size_t room = BLOCK_BYTES;; room *= 8) {
        size_t want = size < room ? (size_t)size : room, got = 0;

        free(head);
        head = malloc(room);
        result = head ? cells_file_read_at(fd, path, head, want, from, &got, err)
                      : err_nomem(err, "reading a header");
        if (result == RESULT_OK) {
            result = take_header(cells, (struct str){ head, got }, got < size, path, how, err);
        }
        if (result != RESULT_INVALID || got == size || room >= CELLS_HEADER_MAX) {
            break;
        }
        cells_file_release(cells);
    }
    cells->begin += from;
    free(head);
    return result;
}

enum result cells_file_end(const struct cells_file *cells, int fd, const char *path,
                           uint64_t offset, uint64_t bytes, uint64_t size, uint64_t *end,
                           uint64_t *lines, struct err *err)
{
    struct csv_scan scan = { 0 };
    uint64_t at = offset, row = offset;
    char block[BLOCK_BYTES];

    *end = size;
    while (at < size) {
        struct str text = { block, 0 };
        size_t got;
        enum result result = cells_file_read_at(fd, path, block, sizeof block, at, &got, err);

        if (result != RESULT_OK || !got) {
            return result;
        }
        text.len = got;
        while (text.len && csv_scan_row(&scan, cells->delimiter, &text)) {
            row = at + (uint64_t)(text.data - block);
            if (row - offset >= bytes) {
                *end = row < size ? row : size;
                *lines = scan.lines;
                return RESULT_OK;
            }
        }
        at += got;
        if (at - row > CELLS_ROW_MAX) {
            return err_set(err, RESULT_LIMIT, "E-IN2", "%s: a row is over 1 GiB", path);
        }
    }
    *lines = scan.lines;
    return RESULT_OK;
}
