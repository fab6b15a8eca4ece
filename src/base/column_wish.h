/**
 * What a column is declared to be, and what becomes of a value that is not: names only. table/table_wish.h heeds it.
 */
#ifndef SCRAPETOP_BASE_COLUMN_WISH_H
#define SCRAPETOP_BASE_COLUMN_WISH_H

#include "base/str.h"

#include <stdbool.h>

enum column_type {
    COLUMN_ANY, /* found by looking at the values */
    COLUMN_TEXT,
    COLUMN_INT64,
    COLUMN_DOUBLE,
    COLUMN_BOOLEAN,
    COLUMN_TIMESTAMP,
    COLUMN_DATE,
    COLUMN_TYPE_COUNT,
};

enum column_on_error {
    COLUMN_ERROR_NULL, /* the cell stays empty */
    COLUMN_ERROR_TEXT, /* the column is text after all */
    COLUMN_ERROR_DROP, /* the row is left out */
    COLUMN_ERROR_FAIL, /* there is no table */
    COLUMN_ERROR_COUNT,
};

#define COLUMN_TYPE_WORDS "text int64 double boolean timestamp date"
#define COLUMN_ERROR_WORDS "null text drop fail"

struct column_wish {
    enum column_type type;
    enum column_on_error on_error;
};

/** "double" ...; empty for COLUMN_ANY. */
const char *column_type_name(enum column_type type);
const char *column_error_name(enum column_on_error on_error);

/** False when none is called so. */
bool column_type_parse(struct str text, enum column_type *type);
bool column_error_parse(struct str text, enum column_on_error *on_error);

#endif
