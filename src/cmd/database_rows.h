/**
 * Option rows of `normalise` about databases: the table's name, its key, its CREATE TABLE statement.
 *
 * They write into a struct read_options. Errors: E-ARG1, RESULT_NOMEM.
 */
#ifndef SCRAPETOP_CMD_DATABASE_ROWS_H
#define SCRAPETOP_CMD_DATABASE_ROWS_H

#include "cmd/options.h"

#define NORMALISE_DATABASE_ROWS 3
extern const struct option_row normalise_database_rows[NORMALISE_DATABASE_ROWS];

#endif
