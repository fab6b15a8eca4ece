/**
 * Rows as SQLite's values: what workers make of cells, so that who inserts them only binds.
 *
 * A block is rows one after the other; a row is a value for each column: a byte that says what it is, then its
 * bytes. In memory only.
 *
 * Errors   RESULT_NOMEM; RESULT_CORRUPT (E-TAB2) for a value that is not of its column's type;
 *          RESULT_DENIED (E-DB2) for a key without a value, and for a number that a column of the
 *          existing table would round.
 * Threads  no state.
 */
#ifndef SCRAPETOP_TABLE_SQLITE_ROWS_H
#define SCRAPETOP_TABLE_SQLITE_ROWS_H

#include "base/buf.h"
#include "base/err.h"
#include "normalise/rows.h"

#include <stdbool.h>
#include <stdint.h>

/* How a column's values are stored. */
enum sqlite_store {
    SQLITE_STORE_TEXT, /* as CSV has them */
    SQLITE_STORE_INTEGER,
    SQLITE_STORE_REAL,
    SQLITE_STORE_BOOLEAN, /* 0 and 1 */
    SQLITE_STORE_TIMESTAMP,
    SQLITE_STORE_LOCAL, /* likewise, without an offset */
    SQLITE_STORE_DATE,
};

struct sqlite_column {
    struct str name;
    char *own_name;       /* what `name` is a view of, if it had to be made */
    unsigned last_number; /* that was put after this name, for a later column; 0: none */
    enum sqlite_store store;
    int64_t epoch_unit_us; /* see struct type_decision */
    bool rounds;           /* the table's own column is REAL: a whole number must survive that */
    bool is_empty;         /* no value is known, and the table's own column would change a text */
    bool is_key;
};

/** Appends the row. `lone_surrogates` as in struct table_format. */
MUST_CHECK enum result sqlite_rows_add(struct buf *block, const struct sqlite_column *columns,
                                       const struct row *row, uint64_t *lone_surrogates,
                                       struct err *err);

enum sqlite_value_kind {
    SQLITE_VALUE_NULL,
    SQLITE_VALUE_INTEGER,
    SQLITE_VALUE_REAL,
    SQLITE_VALUE_TEXT
};

struct sqlite_value {
    enum sqlite_value_kind kind;
    int64_t integer;
    double real;
    struct str text; /* a view into the block */
};

/** The next value of a block; `*at` moves after it. */
struct sqlite_value sqlite_rows_next(const char **at);

#endif
