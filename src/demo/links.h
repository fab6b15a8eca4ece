/**
 * Links: the Link header (RFC 8288) of a listing in pages: first, prev, next, last.
 */
#ifndef SCRAPETOP_DEMO_LINKS_H
#define SCRAPETOP_DEMO_LINKS_H

#include "demo/world.h"

struct links {
    const char *page_param, *size_param;
    uint64_t page, size; /* the page that is answered, from 1, and records a page */
    uint64_t total;      /* records */
};

/** Absolute URLs of the path that was asked. */
void links_tell(const struct world *world, const struct ask *ask, struct reply *reply,
                const struct links *links);

#endif
