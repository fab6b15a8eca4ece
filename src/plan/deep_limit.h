/**
 * Deep limit: a listing whose server refuses all pages from one on.
 *
 * GitHub's search gives 1,000 records and answers the pages after them with 422, Elasticsearch stops at 10,000
 * with 400, others with 403 or 404, whatever total they tell. When DEEP_LIMIT_PAGES pages of one listing in a
 * row have failed for good with the same status, and none after them came, the others after the first of them
 * are not worth asking for.
 *
 * Only the last DEEP_LIMIT_LISTINGS listings that had such a page are remembered, and only in this session.
 *
 * Pure; loop thread. Nothing is allocated.
 */
#ifndef SCRAPETOP_PLAN_DEEP_LIMIT_H
#define SCRAPETOP_PLAN_DEEP_LIMIT_H

#include "plan/request.h"

#include <stdbool.h>

#define DEEP_LIMIT_PAGES 5
#define DEEP_LIMIT_LISTINGS 64

struct deep_limits {
    /* Private: */
    struct deep_listing {
        uint64_t chain;         /* 0: free */
        uint64_t used;          /* when it was looked at last, by `uses` */
        uint32_t first, failed; /* the first page that failed, and how many did */
        int status;
        bool is_cut;
    } listings[DEEP_LIMIT_LISTINGS];
    uint64_t uses;
};

/** A page failed for good with that status. True when it is the one by which its listing has met a limit:
 *  once. Only pages of listings that are counted (page.expected) may. */
bool deep_limit_failed(struct deep_limits *limits, const struct page_at *page, int status);

/** A page came. */
void deep_limit_came(struct deep_limits *limits, const struct page_at *page);

/** The page lies beyond a known limit: it is not worth a request. */
bool deep_limit_cuts(const struct deep_limits *limits, const struct page_at *page);

#endif
