/**
 * Page end: why a listing of pages ended, one reason for each.
 *
 * A page that names no further one says why; what stands in the ledger is the number. Of several that the
 * pages of one listing give, the largest counts: the losses come last.
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_PLAN_PAGE_END_H
#define SCRAPETOP_PLAN_PAGE_END_H

#include <stdbool.h>

/** The ledger's values: append within each part, never renumber. */
enum page_end {
    PAGE_END_NONE = 0, /* it goes on, or has not been read so far */

    /* The listing is whole, as far as its server tells. */
    PAGE_END_NOTHING_TOLD = 1, /* the first page tells of no others (`auto`) */
    PAGE_END_NO_NEXT = 2,      /* no URL of a next page */
    PAGE_END_NO_CURSOR = 3,
    PAGE_END_EMPTY = 4,   /* a page without records */
    PAGE_END_STATUS = 5,  /* the page after the last is answered with 404, 400 or the like */
    PAGE_END_NO_MORE = 6, /* has_more false, is_last true, or a member that means the same */
    PAGE_END_TOTAL = 7,   /* as many records or pages came as were told */
    PAGE_END_RULE = 8,    /* a rule of the job says so */
    PAGE_END_OLD = 9,     /* its records are older than the job's `older_than` */
    PAGE_END_SEEN = 10,   /* the newest first: none of its records is since `{since}` */
    PAGE_END_SPLIT = 11,  /* it was too much, and is asked for in parts (plan/split.h) */

    /* It is not, or nobody can tell. */
    PAGE_END_LOSS = 32,  /* the first of these; no reason by itself */
    PAGE_END_GAP = 33,   /* a page was empty, or shorter than asked for, and others came after it */
    PAGE_END_FEWER = 34, /* fewer records came than were told */
    PAGE_END_MAX = 35,   /* the job's `max` */
    PAGE_END_ENDLESS = 36,    /* page after page without records, though there is said to be more */
    PAGE_END_SAME_PAGE = 37,  /* a page came a second time */
    PAGE_END_BACK = 38,       /* the next page is one that was asked before */
    PAGE_END_BAD_NEXT = 39,   /* the next page must not or cannot be asked: another host, no URL */
    PAGE_END_UNKNOWN = 40,    /* there is more, and nothing says how to ask for it */
    PAGE_END_DEEP_LIMIT = 41, /* the server refuses all pages from one on */
    PAGE_END_FAILED = 42,     /* a page failed for good */
};

/** "total reached", "page failed": what the screen and reports show. */
const char *page_end_words(enum page_end end);

/** "total", "failed": one word without blanks, as JSON reports have it. */
const char *page_end_name(enum page_end end);

/** Records are missing, or may be. */
bool page_end_is_loss(enum page_end end);

#endif
