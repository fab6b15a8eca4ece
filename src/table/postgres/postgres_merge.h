/**
 * The statements by which a table in PostgreSQL is made, widened, filled and merged.
 *
 * Those with `sql` only write them (postgres_words.h has the rules).
 *
 * Errors   RESULT_NOMEM; of postgres_merge those of postgres_link.h, and E-DB2 for a key by which the rows that are there
 *          cannot be told apart.
 * Threads  one at a time.
 */
#ifndef SCRAPETOP_TABLE_POSTGRES_POSTGRES_MERGE_H
#define SCRAPETOP_TABLE_POSTGRES_POSTGRES_MERGE_H

#include "table/postgres/postgres_target.h"

void postgres_merge_create(const struct postgres_target *t, struct buf *sql, enum result *result);

/** Nobody changes the table's columns from now on. Without a key nobody reads it either: it is emptied and widened. */
void postgres_merge_lock(const struct postgres_target *t, struct buf *sql, enum result *result);

/** The table of the session. */
void postgres_merge_stage(const struct postgres_target *t, struct buf *sql, enum result *result);

void postgres_merge_copy(const struct postgres_target *t, struct buf *sql, enum result *result);

/** After the rows: what is left to do before they are committed. */
MUST_CHECK enum result postgres_merge(struct postgres_target *t, struct err *err);

#endif
