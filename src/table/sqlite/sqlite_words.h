/**
 * A table in an SQLite database as the parts that fill it know it, and the words of its SQL.
 *
 * Names are quoted as SQL wants it; none holds a NUL, which would end the statement.
 *
 * Ownership  the database and the target are borrowed; sqlite_table.h owns the columns.
 * Errors     RESULT_NOMEM of words; of sqlite_table_fail those that sqlite_table.h names.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_TABLE_SQLITE_WORDS_H
#define SCRAPETOP_TABLE_SQLITE_WORDS_H

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

/** "a", quotes within it doubled. */
MUST_CHECK enum result sqlite_words_name(struct buf *sql, struct str name);

/** ("a","b"): the columns of the key. */
MUST_CHECK enum result sqlite_words_keys(const struct sqlite_table *table, struct buf *sql);

/** What went wrong with the database last. */
enum result sqlite_table_fail(const struct sqlite_table *table, struct err *err);

#endif
