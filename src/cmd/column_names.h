/**
 * Lists of columns on the command line: "id,city".
 *
 * Errors   E-ARG1: a name is missing. RESULT_NOMEM.
 */
#ifndef SCRAPETOP_CMD_COLUMN_NAMES_H
#define SCRAPETOP_CMD_COLUMN_NAMES_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

/** As many as there can be in the list. */
size_t column_names_count(const char *list);

/** The names are views into the list; what `*names` was is freed, and the caller frees what it becomes. */
MUST_CHECK enum result column_names_read(const char *list, struct str **names, size_t *count,
                                         struct err *err);

/** The error for one that is missing. */
enum result column_names_missing(struct err *err);

#endif
