/**
 * The records of one answer as rows that compare: a key, and the values of all columns.
 *
 * A row's bytes are the same whenever the record's values are, whatever the order of its members. They are a list of
 * cells in the order of the columns' numbers, which do not change while the reader lives:
 *
 *   number of the column (4 bytes) . kind (1) . length (4) . text
 *
 * Columns are those of tables (normalise/flatten.h); null and a missing value are the same.
 *
 * Ownership  rows are views, until the next record_rows_read.
 * Errors     RESULT_NOMEM, RESULT_LIMIT (columns), RESULT_NOT_FOUND (no record is where `records` points),
 *            RESULT_INVALID (not JSON).
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_CHANGES_RECORD_ROWS_H
#define SCRAPETOP_CHANGES_RECORD_ROWS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/record_shape.h"
#include "base/str.h"
#include "normalise/flatten.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum row_text { ROW_BARE, ROW_STRING, ROW_JSON };

struct record_cell { /* a view */
    uint32_t column;
    enum row_text kind;
    struct str text; /* as meant, without escapes; JSON of ROW_JSON */
};

/** The next cell of a row, which is cut from its front; false at the end. */
bool record_cell_next(struct str *row, struct record_cell *cell);

struct record_row {
    struct str key; /* empty: it has none */
    struct str cells;
    bool is_doubled; /* a later row of the answer has the same key */
};

struct record_rows_spec {
    const char *records; /* JSON Pointer; NULL: as tables have it */
    enum record_shape shape;
    const struct flatten_shape *flatten; /* without facts; NULL: all there is */
    const char *separator;               /* NULL: "." */
    const struct str *unique;
    size_t unique_count;
    const struct str *with; /* of the request's variables; "_fetched_at" is none */
    size_t with_count;
    const struct str *columns; /* only these, and the key's; none: all */
    size_t column_count;
    size_t answer_max; /* bytes of an answer that is reshaped */
};

struct record_rows;

/** The spec's texts are borrowed. */
MUST_CHECK enum result record_rows_new(struct record_rows **rows,
                                       const struct record_rows_spec *spec, struct err *err);
void record_rows_free(struct record_rows *rows);

/** `body` is an answer's JSON, `vars` an object or STR_NONE. */
MUST_CHECK enum result record_rows_read(struct record_rows *rows, struct str body, struct str vars,
                                        const struct record_row **list, size_t *count,
                                        struct err *err);

/** The row of the last record_rows_read that counts for the key; SIZE_MAX: none has it. */
size_t record_rows_find(const struct record_rows *rows, struct str key);

/** What the column is called; until the next record_rows_read. */
struct str record_rows_name(const struct record_rows *rows, uint32_t column);

/** Of the key's columns the one called unique[i]; UINT32_MAX: no record has had it so far. */
uint32_t record_rows_key_column(const struct record_rows *rows, size_t i);

#endif
