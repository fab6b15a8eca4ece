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

#include "base/err.h"
#include "table/sqlite/sqlite_words.h"

/** Within a transaction: columns, the table itself, and its key's index. */
MUST_CHECK enum result sqlite_table_make(struct sqlite_table *table, struct err *err);
void sqlite_table_release(struct sqlite_table *table);

#endif
