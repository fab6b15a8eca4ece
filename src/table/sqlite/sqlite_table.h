/**
 * A table in an SQLite database, made ready for rows: created, or widened by the columns that it lacks.
 *
 * With a key, rows take the place of those with the same key, and the table keeps all else. Without one, the
 * table is made anew. Names are matched as SQLite does, whatever the case of ASCII letters.
 *
 * Ownership  the database is borrowed; sqlite_table_release frees the columns.
 * Errors     E-DB1 the database is no such, read-only or locked; E-DB2 key or columns do not fit the table that is
 *            there; E-DB3 SQLite could not write.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_TABLE_SQLITE_TABLE_H
#define SCRAPETOP_TABLE_SQLITE_TABLE_H

#include "base/buf.h"
#include "base/err.h"
#include "table/format.h"
#include "table/sqlite/sqlite_rows.h"

#include <sqlite3.h>
#include <stdint.h>

struct sqlite_table {
    const struct format_target *target;
    sqlite3 *db;
    struct str name;
    struct sqlite_column *columns;
    uint32_t count;
    bool is_empty; /* the layout has no columns: there is one that stays empty */
};

/** Within a transaction: columns, the table itself, and its key's index. */
MUST_CHECK enum result sqlite_table_make(struct sqlite_table *table, struct err *err);
void sqlite_table_release(struct sqlite_table *table);

/** The statement that puts in so many rows, 1 or more: a parameter for each column of the first, then of the next. */
MUST_CHECK enum result sqlite_table_insert(const struct sqlite_table *table, uint32_t rows,
                                           sqlite3_stmt **insert, struct err *err);

/** How many rows one statement should take: with more of them, what it costs to begin one weighs less. 1 or more. */
uint32_t sqlite_table_rows_at_once(const struct sqlite_table *table);

/** What went wrong with the database last. */
enum result sqlite_table_fail(const struct sqlite_table *table, struct err *err);

#endif
