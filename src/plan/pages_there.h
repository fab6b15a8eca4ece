/**
 * What stands in a body, in few words: for the note that a pointer finds nothing.
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_PLAN_PAGES_THERE_H
#define SCRAPETOP_PLAN_PAGES_THERE_H

#include "base/json_scan.h"

#define PAGES_THERE_MAX 112
#define PAGES_THERE_DEPTH 4

enum pages_there {
    PAGES_THERE_ARRAYS,
    PAGES_THERE_NUMBERS,
    PAGES_THERE_TEXTS, /* and numbers and nulls: what could be a cursor */
    PAGES_THERE_BOOLEANS,
};

/** "there are /items [50], /meta/tags [0]", as many as find room; what lies within arrays is not listed.
 *  Bytes from outside. */
void pages_there(struct str body, enum pages_there wanted, char text[PAGES_THERE_MAX]);

#endif
