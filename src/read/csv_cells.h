/**
 * CSV, as people and servers write it, taken apart into rows of cells.
 *
 * RFC 4180 and what is common beside it: cells parted by commas, semicolons, tabs or bars; rows ended by CR LF,
 * LF or CR; quoted cells with doubled quotes, delimiters and line breaks inside. A quote within a cell that does
 * not begin with one is an ordinary character, and what follows a closing quote belongs to the cell: so
 * Python's csv module reads, too. A blank line is no row. Nothing is trimmed.
 *
 * Only a quoted cell that nothing closes is an error, for then the table was cut off.
 *
 * Ownership  a row keeps its memory from row to row; csv_row_release frees it. Cells are views into it.
 * Errors     RESULT_INVALID (a quote that nothing closes), RESULT_LIMIT (CSV_CELLS_MAX), RESULT_NOMEM.
 * Threads    no state but the caller's.
 * Sources    RFC 4180; IANA text/tab-separated-values.
 */
#ifndef SCRAPETOP_READ_CSV_CELLS_H
#define SCRAPETOP_READ_CSV_CELLS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSV_CELLS_MAX 65536 /* of one row */
#define CSV_SNIFF_BYTES ((size_t)64 << 10)

struct csv_cell {
    struct str text;
    bool is_quoted;
};

struct csv_row {
    struct csv_cell *cells;
    size_t count, cap;
    struct buf text; /* of cells that do not stand in the input as they are */
    uint64_t line;   /* that it begins in, from 1 */
};

struct csv_reader {
    const char *at, *end;
    char delimiter;
    uint64_t line; /* of `at`, from 1 */
};

/** `*more` is false at the end. The row's cells live until the next call, and while the text does. */
MUST_CHECK enum result csv_next(struct csv_reader *reader, struct csv_row *row, bool *more);
void csv_row_release(struct csv_row *row);

/* Looks for ends of rows in text that comes block by block; zeroed, it stands where a row begins. */
enum csv_scan_state { CSV_AT_CELL, CSV_PLAIN, CSV_QUOTED, CSV_CLOSED, CSV_AFTER_CR };

struct csv_scan {
    enum csv_scan_state state;
    uint64_t lines; /* that have ended */
};

/** True when a row ends in the block, which then goes on after its line break. False: all of the block was looked
 *  at, and the row goes on in the next one. A CR that ends a block is decided with the next one, too. */
bool csv_scan_row(struct csv_scan *scan, char delimiter, struct str *block);

/** The delimiter that parts the rows of `head` most evenly, and `*rows` and `*cells` that it makes there: `cells`
 *  is 0 when they are not all alike. The last row of a head that was cut is not counted. */
char csv_sniff(struct str head, bool is_cut, size_t *rows, size_t *cells);

/** "sep=;" in a first line, as spreadsheets write it: its delimiter, and `*text` goes on after it; or 0. */
char csv_take_separator_line(struct str *text);

#endif
