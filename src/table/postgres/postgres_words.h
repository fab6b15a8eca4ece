/**
 * SQL for PostgreSQL, word by word: names and texts from outside are quoted here and nowhere else.
 *
 * All append, and do nothing once `*result` is not RESULT_OK.
 *
 * Errors   RESULT_NOMEM.
 * Threads  pure; any.
 * Source   PostgreSQL 15 documentation, sql-syntax-lexical.
 */
#ifndef SCRAPETOP_TABLE_POSTGRES_POSTGRES_WORDS_H
#define SCRAPETOP_TABLE_POSTGRES_POSTGRES_WORDS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "table/layout.h"

#include <stdbool.h>

#define POSTGRES_NAME_MAX 63 /* bytes */
#define POSTGRES_COLUMNS_MAX 1600

void postgres_put(struct buf *sql, const char *text, enum result *result);

/** "a name", quotes within doubled. No name holds a NUL (postgres_check_name). */
void postgres_put_name(struct buf *sql, struct str name, enum result *result);

/** 'a text', likewise: for standard_conforming_strings. */
void postgres_put_text(struct buf *sql, struct str text, enum result *result);

/** E-DB2 (RESULT_DENIED): a name that PostgreSQL has not. */
MUST_CHECK enum result postgres_check_name(struct str name, struct err *err);

/** E-DB2 (RESULT_DENIED): more than a table can have, or a name that none has. */
MUST_CHECK enum result postgres_check_columns(const struct layout *layout, struct err *err);

/** The type of a column that we make. */
const char *postgres_type(const struct layout_column *column);

/** False: all its cells are empty. */
bool postgres_has_values(const struct layout_column *column);

/** The other table of a session, which lies before all schemas: it is not called as the table is. */
const char *postgres_stage_name(struct str table);

#endif
