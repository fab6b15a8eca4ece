/**
 * CSV as RFC 4180 has it: a header line, then a line for each row, in UTF-8.
 *
 * A cell is quoted only where it must be: when it holds the delimiter, a quote, CR or LF, and when it
 * is the empty string, which is `""`, so that it differs from a missing or null cell, which is
 * nothing. (A row without any cell in a table of one column is thus an empty line.) Numbers and
 * booleans are copied as they were written; arrays are JSON text without its white space.
 * Lines end with LF, or CR and LF when the style says so.
 *
 * `safe` is for tables that go to a spreadsheet: a text that one would take for a formula (it begins
 * with = + - @, TAB or CR) gets an apostrophe in front, unless it is a number in JSON's grammar.
 *
 * Errors   RESULT_NOMEM, or RESULT_LIMIT from `out`.
 * Source   RFC 4180.
 */
#ifndef SCRAPETOP_TABLE_CSV_H
#define SCRAPETOP_TABLE_CSV_H

#include "base/buf.h"
#include "normalise/rows.h"

#include <stdbool.h>

/* Zeroed: as above. */
struct csv_style {
    char delimiter; /* 0: a comma */
    bool crlf;
    /* a byte order mark in front, for programs that take UTF-8 for something else without */
    bool bom;
    bool safe;
};

/** Which characters may stand between cells: none that a number or a quote is made of. */
bool csv_is_delimiter(char c);

MUST_CHECK enum result csv_header(struct buf *out, const struct csv_style *style,
                                  const struct str *names, size_t count);

/* The cells that begin each row of one record, if several rows are made of it: they are written once and
 * then copied. Zeroed but for `columns`: nothing has been written. */
struct csv_repeat {
    size_t columns; /* how many */
    uint64_t row;   /* number of the rows that they were written for last ... */
    size_t at, len; /* ... and where, in `out` */
    uint64_t lone_surrogates;
};

/** `lone_surrogates` is raised by the number of U+FFFD written for them. `repeat` may be NULL; to be zeroed
 *  when `out` is emptied. */
MUST_CHECK enum result csv_row(struct buf *out, const struct csv_style *style,
                               const struct row *row, struct csv_repeat *repeat,
                               uint64_t *lone_surrogates);

#endif
