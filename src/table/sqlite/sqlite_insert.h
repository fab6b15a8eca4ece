/**
 * The statement that puts rows into a table in SQLite: with a key, in the place of those with the same, if they differ.
 *
 * Ownership  the statement is the caller's, to finalize.
 * Errors     as sqlite_table.h.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_TABLE_SQLITE_INSERT_H
#define SCRAPETOP_TABLE_SQLITE_INSERT_H

#include "base/err.h"
#include "table/sqlite/sqlite_words.h"

#include <sqlite3.h>
#include <stdint.h>

/** The statement that puts in so many rows, 1 or more: a parameter for each column of the first, then of the next. */
MUST_CHECK enum result sqlite_table_insert(const struct sqlite_table *table, uint32_t rows,
                                           sqlite3_stmt **insert, struct err *err);

/** How many rows one statement should take: with more of them, what it costs to begin one weighs less. 1 or more. */
uint32_t sqlite_table_rows_at_once(const struct sqlite_table *table);

#endif
