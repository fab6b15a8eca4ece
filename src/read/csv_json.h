/**
 * CSV as JSON: each row an object, its members named by the header row.
 *
 * A cell is a string, and an empty one that is not quoted is null: what type a column has is found later, over
 * all of its values. Names that are empty or taken are made up (`column_3`, `price_2`), so that no cell is lost.
 * A row with more cells than there are names keeps them as an array, `_more`; one with fewer lacks the last
 * members. Both are counted, and the first is named.
 *
 * Ownership  csv_names_release; names live on their own.
 * Errors     RESULT_NOMEM, RESULT_LIMIT (cells, or `out`'s ceiling), RESULT_INVALID as read/csv_cells.h has it.
 * Units      lines from 1.
 */
#ifndef SCRAPETOP_READ_CSV_JSON_H
#define SCRAPETOP_READ_CSV_JSON_H

#include "read/csv_cells.h"

struct csv_names {
    struct buf text; /* `"name":` of each, in JSON, one after the other */
    size_t *ends;    /* of each in `text` */
    size_t count;    /* without the last one, of `_more` */
};

/* How the text is meant. */
struct csv_dialect {
    char delimiter; /* 0: sniff */
    bool no_header; /* the first row is a record: columns are column_1 ... */
};

/* Rows that are not as long as the header. */
struct csv_odd {
    uint64_t rows, long_rows, short_rows;
    uint64_t first_line, first_cells, cells; /* of the first such row; what the header has */
};

/** Names out of a header row; or of so many columns, when `row` is NULL. */
MUST_CHECK enum result csv_names_make(struct csv_names *names, const struct csv_row *row,
                                      size_t count);
void csv_names_release(struct csv_names *names);

/** Appends the row as an object. */
MUST_CHECK enum result csv_append_row(const struct csv_names *names, const struct csv_row *row,
                                      struct buf *out, struct csv_odd *odd);

/** Appends all of it as one array. `text` is UTF-8. At RESULT_INVALID `*line` is where the open quote's row begins. */
MUST_CHECK enum result csv_append_array(struct str text, const struct csv_dialect *dialect,
                                        struct buf *out, struct csv_odd *odd, uint64_t *line);

#endif
