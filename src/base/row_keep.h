/**
 * Which of the rows that are alike stays: names only. table/dedup.h finds it.
 */
#ifndef SCRAPETOP_BASE_ROW_KEEP_H
#define SCRAPETOP_BASE_ROW_KEEP_H

#include "base/str.h"

#include <stdbool.h>

enum row_keep {
    ROW_KEEP_FIRST, /* in the plan's order */
    ROW_KEEP_LAST, /* whose answer came last; of those of one answer, or of files, the last in order */
    ROW_KEEP_COUNT,
};

#define ROW_KEEP_WORDS "first last"

const char *row_keep_name(enum row_keep keep);

/** False when none is called so. */
bool row_keep_parse(struct str text, enum row_keep *keep);

#endif
