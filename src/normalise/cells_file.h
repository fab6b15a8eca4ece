/**
 * A CSV file as a source of records: its header is read once, its rows are handed out in pieces of whole ones.
 *
 * Ownership  cells_file_release; pieces borrow the names.
 * Errors     RESULT_LIMIT (E-IN2) for a header or a row over its ceiling, RESULT_INVALID (E-IN2) for a header that
 *            cannot be read, E-IN2 when the file cannot be.
 * Memory     the header and a block.
 * Threads    cells_file_read_header and cells_file_end: one at a time. Names may be read by any.
 */
#ifndef SCRAPETOP_NORMALISE_CELLS_FILE_H
#define SCRAPETOP_NORMALISE_CELLS_FILE_H

#include "base/body_format.h"
#include "base/err.h"
#include "read/csv_json.h"

#include <stdint.h>

#define CELLS_HEADER_MAX ((size_t)4 << 20) /* bytes of the header row, at most */
#define CELLS_ROW_MAX ((uint64_t)1 << 30)

struct cells_file {
    struct csv_names names;
    char delimiter;
    uint64_t begin; /* of the first row that is a record, ... */
    uint64_t line;  /* ... and its line, from 1 */
};

/** Up to `len` bytes at `offset`; fewer only at the end of the file. E-IN2. */
MUST_CHECK enum result cells_file_read_at(int fd, const char *path, char *to, size_t len,
                                          uint64_t offset, size_t *got, struct err *err);

/** Of the `size` bytes at `from`. `how`: what is told of the dialect. */
MUST_CHECK enum result cells_file_read_header(struct cells_file *cells, int fd, const char *path,
                                              uint64_t from, uint64_t size,
                                              const struct body_reading *how, struct err *err);
void cells_file_release(struct cells_file *cells);

/** Where whole rows that begin at `offset` end, some `bytes` after it or at `size`; `*lines` of them. */
MUST_CHECK enum result cells_file_end(const struct cells_file *cells, int fd, const char *path,
                                      uint64_t offset, uint64_t bytes, uint64_t size, uint64_t *end,
                                      uint64_t *lines, struct err *err);

#endif
