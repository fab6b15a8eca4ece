/**
 * Spots: the members of a page's frame whose names mean something to a paginator, for pages_guess.
 *
 * Names are compared by their letters and digits alone. Only what stands outside arrays is looked at, and
 * arrays of links.
 *
 * Pure; any thread. Nothing is allocated.
 */
#ifndef SCRAPETOP_PLAN_PAGES_SPOTS_H
#define SCRAPETOP_PLAN_PAGES_SPOTS_H

#include "plan/pages_guess.h"

#define SPOT_PARAM_MAX 96 /* bytes of a parameter's name as it stands in a URL */

enum role {
    ROLE_NEXT,
    ROLE_MORE, /* true: there is more */
    ROLE_LAST, /* true: there is not */
    ROLE_TOTAL,
    ROLE_PAGES,
    ROLE_PAGE,
    ROLE_OFFSET,
    ROLE_SIZE,
    ROLES
};

struct spot {
    bool found;
    bool has_value; /* not null, nor empty, nor what else says "none" */
    size_t rank;    /* in role_names */
    char pointer[PAGES_GUESS_POINTER_MAX];
    struct str key,
        value; /* the key still escaped; of links in an array the URL of the next page */
};

struct spots {
    struct spot of[ROLES];
    struct spot cursor_param; /* in a request's body: where a cursor goes */
    bool is_cut_short;        /* there is more, by a key that nobody here knows how to ask with */
};

/** What stands in a body: a reply's, or one that was sent. */
void spots_find(struct str body, struct spots *spots);

/** The parameter that takes the cursor, when ROLE_NEXT is found there: "" for one of the cursor's own name,
 *  "*" for those that the members of an object name, NULL when it can only be a URL. */
const char *spot_cursor_param(const struct spot *next);

/** The parameter of a URL (as it stands there, at most SPOT_PARAM_MAX bytes) that plays this role, and its
 *  value as a number, 0 when it is none. */
bool spots_in_url(struct str url, enum role role, struct str *name, uint64_t *number);

/** The parameter of a URL that takes a cursor. */
bool spots_cursor_in_url(struct str url, struct str *name);

#endif
