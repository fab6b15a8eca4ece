/**
 * Rows as PostgreSQL's COPY reads them in its binary form: what workers make of cells, so that who sends them only sends.
 *
 * Numbers and times go as the server keeps them. A column of the table that is of no type of ours gets texts, which the
 * server casts. What PostgreSQL cannot hold, U+0000, becomes U+FFFD, and is counted.
 *
 * Errors   RESULT_NOMEM; RESULT_CORRUPT (E-TAB2) for a value that is not of its column's type; RESULT_DENIED (E-DB2) for a
 *          key without a value.
 * Threads  no state.
 * Source   PostgreSQL 15 documentation, sql-copy, "Binary Format"; the types' forms are those of their *_recv.
 */
#ifndef SCRAPETOP_TABLE_POSTGRES_POSTGRES_ROWS_H
#define SCRAPETOP_TABLE_POSTGRES_POSTGRES_ROWS_H

#include "base/buf.h"
#include "base/err.h"
#include "normalise/rows.h"
#include "table/layout.h"

#include <stdbool.h>
#include <stdint.h>

/* How a column's values are sent. */
enum postgres_store {
    POSTGRES_STORE_TEXT,
    POSTGRES_STORE_INT8,
    POSTGRES_STORE_FLOAT8,
    POSTGRES_STORE_BOOLEAN,
    POSTGRES_STORE_TIME, /* with an offset or without one */
    POSTGRES_STORE_DATE,
    POSTGRES_STORE_COUNT,
};

/** How a column of our own type is sent. */
enum postgres_store postgres_rows_store(enum type type);

struct postgres_row_column {
    const struct layout_column *from;
    enum postgres_store store;
    bool is_key;
};

/** Before the first row, and after the last. */
extern const struct str postgres_rows_head, postgres_rows_end;

/** Appends the row, which has the layout's columns. `replaced` is raised by each U+FFFD. */
MUST_CHECK enum result postgres_rows_add(struct buf *block,
                                         const struct postgres_row_column *columns, uint32_t count,
                                         const struct row *row, uint64_t *replaced,
                                         struct err *err);

#endif
