/**
 * The statements around rows for PostgreSQL: what psql runs before and after them.
 *
 * All is one transaction: whoever reads the table meanwhile waits for its end, as ALTER TABLE and TRUNCATE lock the
 * table; the table stays as it was when psql ends before the last line. With a key, rows go
 * into a table of the session first, and from there take the place of those with the same key; rows that are as they were
 * are not written, and the table keeps all else. A table without a page gets its rows at once. Without a key, the table's
 * rows are replaced.
 *
 * A table that is there gets the columns that it lacks. A column of a type of ours that does not hold what comes becomes
 * a wider one: whole numbers and fractions become numeric, all else text. Other types are the user's, and PostgreSQL
 * says when a value does not fit.
 *
 * No name reaches psql unquoted (postgres_words.h), no value ever ends the rows (postgres_format.c).
 *
 * Errors   E-DB2: a key that is no column, a name or a number of columns that PostgreSQL has not. RESULT_NOMEM.
 * Threads  pure; any.
 * Source   PostgreSQL 15 documentation: sql-syntax-lexical, sql-copy, sql-insert, app-psql.
 */
#ifndef SCRAPETOP_TABLE_POSTGRES_POSTGRES_SQL_H
#define SCRAPETOP_TABLE_POSTGRES_POSTGRES_SQL_H

#include "base/buf.h"
#include "base/err.h"
#include "table/format.h"

/** The table's columns, in order, and which of them are the key. */
struct postgres_table {
    struct str name;
    const struct layout *layout;
    bool *is_key; /* by column */
    bool has_key;
};

/** Borrows the target. */
MUST_CHECK enum result postgres_table_init(struct postgres_table *table,
                                           const struct format_target *target, struct err *err);
void postgres_table_release(struct postgres_table *table);

/** Up to the line after which rows follow. */
MUST_CHECK enum result postgres_sql_before(const struct postgres_table *table, struct buf *sql);

/** From the line that ends the rows. */
MUST_CHECK enum result postgres_sql_after(const struct postgres_table *table, struct buf *sql);

#endif
