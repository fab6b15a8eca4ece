/**
 * A row: what the flattener hands to writers of tables.
 *
 * A row is a view of one record's cells, by column; the text of each is still JSON, where it lay in
 * the body, so that a number keeps its digits and nothing is copied before it is written.
 *
 * Ownership  a row lives during the call that is told of it.
 */
#ifndef SCRAPETOP_NORMALISE_ROWS_H
#define SCRAPETOP_NORMALISE_ROWS_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum cell_kind {
    CELL_NULL,   /* null: as empty as a missing cell */
    CELL_BARE,   /* a number or boolean, as written */
    CELL_STRING, /* the inside of a JSON string (UTF-8, no control character) without a backslash */
    CELL_ESCAPED, /* the inside of a JSON string with one */
    CELL_JSON,    /* an array, or what lies deeper than the table goes: JSON text */
};

struct row_cell {
    uint64_t row; /* number of the row that it was filled for */
    const char *text;
    uint32_t len;
    enum cell_kind kind;
};

/* Slack that may be read after a cell that was copied out of the document. */
#define ROW_CELL_AFTER 128

struct row_value; /* normalise/types.h */

struct row {
    const struct row_cell *cells; /* by column; one with another row's number is missing */
    /* What these are, if they have just been looked at to find the columns' types. Or NULL. */
    const struct row_value *values;
    size_t count;
    /* Columns that may have a cell, ascending: all others are missing. NULL: any may have one. */
    const uint32_t *filled;
    size_t filled_count;
    /* Never 0. Rows of one exploded record have the same, and where the text of a cell lies at
     * the same address, it is the same cell. */
    uint64_t number;
    /* End of the document that the cells lie in: up to there a copy may read past a cell. After the text of a cell
     * that lies elsewhere there are ROW_CELL_AFTER bytes to be read. NULL: no copy may read past a cell. */
    const char *readable;
};

/** The row's cell in that column, NULL when it is missing or null. */
static inline const struct row_cell *row_cell(const struct row *row, size_t column)
{
    const struct row_cell *cell = &row->cells[column];

    return cell->row == row->number && cell->kind != CELL_NULL ? cell : NULL;
}

/** Told of each row, in the order of the document. Another result than OK ends the walk. */
typedef enum result row_fn(void *context, const struct row *row);

#endif
