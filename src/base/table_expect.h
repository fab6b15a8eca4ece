/**
 * What a table must hold to be taken ("expect", --expect), and the words for it. table/contract.h sees to it.
 *
 *   rows      ">= 1000"            how many: >=, >, <=, < or =
 *   unique    columns              no two rows have the same values there
 *   not_null  columns              every row has a value there
 *   types     "frozen"             columns and types are those of the last table of the run
 *   fresh     "/updated_at < 2d"   the latest time in this column is not older than that
 *
 * Ownership  texts and lists are the caller's.
 * Errors     RESULT_INVALID (E-EXP2): the text says none of that.
 */
#ifndef SCRAPETOP_BASE_TABLE_EXPECT_H
#define SCRAPETOP_BASE_TABLE_EXPECT_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_expect {
    const char *order; /* of the rows: ">=" and so on; NULL: as many as there are */
    uint64_t rows;
    const struct str *unique, *not_null; /* columns */
    size_t unique_count, not_null_count;
    bool types_frozen;
    struct str fresh; /* column, or pointer into the record; STR_NONE */
    uint64_t fresh_us;
};

/** Whether anything is expected. */
bool table_expect_any(const struct table_expect *expect);

MUST_CHECK enum result table_expect_rows(struct table_expect *expect, struct str text,
                                         struct err *err);
MUST_CHECK enum result table_expect_types(struct table_expect *expect, struct str text,
                                          struct err *err);
MUST_CHECK enum result table_expect_fresh(struct table_expect *expect, struct str text,
                                          struct err *err);

/** Whether `count` rows are as many as are expected. */
bool table_expect_holds(const struct table_expect *expect, uint64_t count);

#endif
