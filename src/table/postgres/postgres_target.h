/**
 * A table in a PostgreSQL server, made ready for rows and merged with them, all in one transaction.
 *
 *   not there       made; rows go into it at once, and get their key after
 *   without a key   emptied; rows go into it at once, if all its columns are of our types
 *   with a key      rows go into a table of the session; from there those that are new or differ take their places,
 *                   by INSERT ... ON CONFLICT DO UPDATE; the table keeps all else
 *
 * Whoever reads sees the old rows until the end; who reads a table without a key waits, as TRUNCATE locks it. Others of
 * us wait for one another.
 *
 * A table that is there gets the columns that it lacks. A column of a type of ours that does not hold what comes becomes
 * a wider one: whole numbers and fractions become numeric, all else text. Other types are the user's: values go there as
 * texts and are cast, and PostgreSQL says when one does not fit.
 *
 * Ownership  link and format_target are borrowed; postgres_target_release frees the columns.
 * Errors     those of postgres_link.h; E-DB2: a key that is no column, a name or a number of columns that PostgreSQL has
 *            not, a table that takes no rows.
 * Threads    one at a time; columns are read by all workers once they are made.
 * Source     PostgreSQL 15 documentation: sql-insert, sql-copy, catalogs, functions-comparisons.
 */
#ifndef SCRAPETOP_TABLE_POSTGRES_POSTGRES_TARGET_H
#define SCRAPETOP_TABLE_POSTGRES_POSTGRES_TARGET_H

#include "base/buf.h"
#include "base/err.h"
#include "table/format.h"
#include "table/postgres/postgres_link.h"
#include "table/postgres/postgres_rows.h"

#include <stdint.h>

#define POSTGRES_TYPE_MAX 160 /* bytes of a type's name, with the schema of a user's own */

struct postgres_target_column {
    char there[POSTGRES_TYPE_MAX]; /* its type, without lengths; "": there is none such */
    char cast[POSTGRES_TYPE_MAX];  /* what its texts are cast to; "": nothing */
    const char *wider;             /* the type that it gets, or NULL */
};

struct postgres_target {
    const struct format_target *target;
    struct postgres_link *link;
    struct str name;
    char schema[256];
    struct postgres_row_column *rows; /* by column, as the next */
    struct postgres_target_column *columns;
    uint32_t count;
    bool has_key;
    bool is_there; /* before we came */
    bool is_staged;
};

/** Whether a table could be made there now. */
MUST_CHECK enum result postgres_target_check(struct postgres_link *link, const char *url,
                                             struct err *err);

/** Begins the transaction; rows may be put into the link after. `t` has target and link. */
MUST_CHECK enum result postgres_target_begin(struct postgres_target *t, struct err *err);

/** After the last row: merges, and commits. */
MUST_CHECK enum result postgres_target_end(struct postgres_target *t, struct err *err);

void postgres_target_release(struct postgres_target *t);

#endif
