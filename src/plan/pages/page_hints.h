/**
 * Spots: the members of a page's frame whose names mean something to a paginator, for pages_guess.
 *
 * Names are compared by their letters and digits alone. Only what stands outside arrays is looked at, and
 * arrays of links.
 *
 * Pure; any thread. Nothing is allocated.
 */
#ifndef SCRAPETOP_PLAN_PAGES_PAGE_HINTS_H
#define SCRAPETOP_PLAN_PAGES_PAGE_HINTS_H

#include "plan/pages/page_guess.h"

#define PAGE_HINT_PARAM_MAX 96 /* bytes of a parameter's name as it stands in a URL */

enum page_hint_kind {
    HINT_NEXT,
    HINT_MORE, /* true: there is more */
    HINT_LAST, /* true: there is not */
    HINT_TOTAL,
    HINT_PAGES,
    HINT_PAGE,
    HINT_OFFSET,
    HINT_SIZE,
    HINT_KINDS
};

struct page_hint {
    bool found;
    bool has_value; /* not null, nor empty, nor what else says "none" */
    size_t rank;    /* in hint_names */
    char pointer[PAGES_GUESS_POINTER_MAX];
    struct str key,
        value; /* the key still escaped; of links in an array the URL of the next page */
};

struct page_hints {
    struct page_hint of[HINT_KINDS];
    struct page_hint cursor_param; /* in a request's body: where a cursor goes */
    bool is_cut_short; /* there is more, by a key that nobody here knows how to ask with */
};

/** What stands in a body: a reply's, or one that was sent. */
void page_hints_find(struct str body, struct page_hints *hints);

/** The parameter that takes the cursor, when HINT_NEXT is found there: "" for one of the cursor's own name,
 *  "*" for those that the members of an object name, NULL when it can only be a URL. */
const char *page_hint_param(const struct page_hint *next);

/** The parameter of a URL (as it stands there, at most PAGE_HINT_PARAM_MAX bytes) that plays this kind, and its
 *  value as a number, 0 when it is none. */
bool page_hints_in_url(struct str url, enum page_hint_kind kind, struct str *name,
                       uint64_t *number);

/** The parameter of a URL that takes a cursor. */
bool page_hints_cursor_in_url(struct str url, struct str *name);

#endif
