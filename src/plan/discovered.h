/**
 * What an answer gave rise to: further requests, and what is to be said of the pages so far.
 *
 * A discovered request is named by the body of another one: the next page, all other pages when the total is known,
 * the detail of a record. It is committed together with the page that named it, so that a crash neither loses it nor
 * asks it twice, and gets its id then: after those of the plan's own sources, in the order of discovery. That order
 * depends on timing, so the order of rows comes from `sort_key` (plan/sort_key.h); what is discovered twice (same
 * endpoint, method, URL and body) is asked once, with the lesser key.
 *
 * Ownership  discovered_free frees one, discoveries_release all of a list.
 */
#ifndef SCRAPETOP_PLAN_DISCOVERED_H
#define SCRAPETOP_PLAN_DISCOVERED_H

#include "base/err.h"
#include "plan/page_end.h"
#include "plan/request.h"
#include "plan/since.h"

#include <stdbool.h>
#include <stddef.h>

struct discovered {
    struct discovered *next;
    uint64_t id; /* given when it is committed; 0: it was found before */
    uint32_t endpoint;
    struct page_at page;
    struct request_texts texts; /* views into `bytes` */
    char bytes[];
};

/** What went wrong with a listing: the run has missing pages then, and says so. */
enum page_note_kind {
    PAGE_NOTE_TOTAL_CHANGED = 1, /* the ledger's values: never renumber */
    PAGE_NOTE_SAME_PAGE = 2,     /* a page came a second time: the listing was left there */
    PAGE_NOTE_BACK = 3,          /* `next` names a page that was asked before */
    PAGE_NOTE_LIMIT = 4,         /* more pages than `max` */
    PAGE_NOTE_BAD_TOTAL = 5,     /* no number, negative, or less than what came */
    PAGE_NOTE_BAD_NEXT = 6,      /* another host, http after https, or no URL */
    PAGE_NOTE_NO_MATCH = 7,      /* a pointer finds nothing on the first page */
    PAGE_NOTE_ENDLESS = 8,       /* page after page without a record */
    PAGE_NOTE_NO_VALUE = 9,      /* records without what their detail's request is made of */
    PAGE_NOTE_FEWER = 10,        /* fewer records than the total told; of the account alone */
    PAGE_NOTE_GAP = 11,   /* an empty page, or one with fewer records than asked, before others */
    PAGE_NOTE_SHORT = 12, /* a page with fewer records than others have, before others */
};

/** "total changed", "same page" ... */
const char *page_note_name(enum page_note_kind kind);

/** Pages are missing because of it; the others are only told. */
bool page_note_is_loss(enum page_note_kind kind);

struct page_note {
    struct page_note *next;
    enum page_note_kind kind;
    char text[REQUEST_REASON_MAX]; /* one clause; bytes from outside */
};

/** What one page says of its listing, for the ledger's account. */
struct page_result {
    bool is_page;   /* else nothing of it means anything */
    bool is_repeat; /* its records are those of the page that named it: no table gets them again */
    enum page_end end; /* why no page follows; PAGE_END_NONE: one does, or another page says it */
    uint64_t records;
    uint64_t total;    /* records of the listing, as it tells; PAGE_TOTAL_UNKNOWN */
    uint32_t ordinal;  /* in its listing, from 0 */
    uint32_t expected; /* pages of the listing, as reckoned by now; 0: nobody knows */
    uint32_t size;     /* records that a page has but for the last; 0: nobody knows */
    uint32_t crc32c;   /* of its records; 0: it has none */
};

struct discoveries {
    struct discovered *first, *last;
    size_t count;
    struct page_note *notes;
    struct page_result page;
    struct since_seen since; /* of an endpoint that has a `since` */
    /* The answer is no page: no records, where its listing has some, and no end is told. Nothing else is
     * found in it then. */
    bool is_no_page;
    char why[REQUEST_REASON_MAX]; /* one clause */
    struct str said; /* what the server said of it, a view into the body; it may repeat a secret */
};

/** Copies the texts. NULL when out of memory. */
struct discovered *discovered_new(uint32_t endpoint, const struct request_texts *texts,
                                  const struct page_at *page);
void discovered_free(struct discovered *found);

void discoveries_add(struct discoveries *discoveries, struct discovered *found); /* takes it */
MUST_CHECK enum result discoveries_note(struct discoveries *discoveries, enum page_note_kind kind,
                                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void discoveries_release(struct discoveries *discoveries);

#endif
