/**
 * What stands in a body, in few words: for the note that a pointer finds nothing.
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_PLAN_PAGES_PAGE_SUGGEST_H
#define SCRAPETOP_PLAN_PAGES_PAGE_SUGGEST_H

#include "base/json_scan.h"

#define PAGE_SUGGEST_MAX 112
#define PAGE_SUGGEST_DEPTH 4

enum page_suggest_kind {
    PAGE_SUGGEST_ARRAYS,
    PAGE_SUGGEST_NUMBERS,
    PAGE_SUGGEST_TEXTS, /* and numbers and nulls: what could be a cursor */
    PAGE_SUGGEST_BOOLEANS,
};

/** "there are /items [50], /meta/tags [0]", as many as find room; what lies within arrays is not listed.
 *  Bytes from outside. */
void page_suggest(struct str body, enum page_suggest_kind wanted, char text[PAGE_SUGGEST_MAX]);

#endif
