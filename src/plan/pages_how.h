/**
 * The inside of pages, for its files: pages.c reads a page, pages_make.c makes requests of it.
 */
#ifndef SCRAPETOP_PLAN_PAGES_HOW_H
#define SCRAPETOP_PLAN_PAGES_HOW_H

#include "plan/pages.h"

/** One page being read. */
struct listing {
    const struct job_endpoint *endpoint;
    const struct request *request;
    const struct page_reply *reply;
    struct findings *out;
    struct job_pages pages; /* the endpoint's; texts borrowed */
    struct page_at page;    /* the page's own, filled in where it is a listing's first */
    uint32_t crc32c;        /* of its body */
    uint64_t count;         /* its records */
    struct str total, total_pages, next, has_more; /* what the pointers found; STR_NONE */
    enum result result;                            /* once it is not OK, nothing more is done */
};

/** Notes, unless memory has run out before. */
#define LISTING_NOTE(listing, ...)                                                                 \
    do {                                                                                           \
        if ((listing)->result == RESULT_OK) {                                                      \
            (listing)->result = findings_note((listing)->out, __VA_ARGS__);                        \
        }                                                                                          \
    } while (0)

/** What would be asked for one page. */
struct page_texts {
    struct buf url, body; /* body is empty when it is the request's own */
};

void page_texts_release(struct page_texts *texts);

/** Sets parameter `param` (of the query, or a pointer into the body) to `json`, a string or number. Of
 *  `given`, whose `url` and `body` it is set in. RESULT_INVALID: it cannot be set, or is longer than a URL
 *  may be; `err` says so in a clause. */
MUST_CHECK enum result page_texts_set(struct page_texts *texts, const char *param, struct str json,
                                      struct str url, struct str body, struct err *err);

/** What the request sends: its own body, or its endpoint's; STR_NONE for none. */
struct str listing_body(const struct listing *listing);

/** Adds the request for page `at->ordinal`; `at` is completed. */
void listing_add(struct listing *listing, const struct page_texts *texts, struct page_at at);

#endif
