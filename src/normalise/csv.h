/**
 * CSV as RFC 4180 has it: a header line, then a line for each row, in UTF-8.
 *
 * A cell is quoted only where it must be: when it holds the delimiter, a quote, CR or LF, and when it
 * is the empty string, which is `""`, so that it differs from a missing or null cell, which is
 * nothing. (A row without any cell in a table of one column is thus an empty line.) Numbers and
 * booleans are copied as they were written; arrays are JSON text without its white space.
 * Lines end with LF.
 *
 * Errors   RESULT_NOMEM, or RESULT_LIMIT from `out`.
 * Source   RFC 4180.
 */
#ifndef SCRAPETOP_NORMALISE_CSV_H
#define SCRAPETOP_NORMALISE_CSV_H

#include "base/buf.h"
#include "normalise/columns.h"
#include "normalise/rows.h"

MUST_CHECK enum result csv_header(struct buf *out, const struct columns *columns);

/** `lone_surrogates` is raised by the number of U+FFFD written for them. */
MUST_CHECK enum result csv_row(struct buf *out, const struct row *row, uint64_t *lone_surrogates);

#endif
