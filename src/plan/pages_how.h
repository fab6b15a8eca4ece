/**
 * The inside of pages, for its files: pages.c reads a page, pages_number.c and pages_next.c know what it names,
 * pages_make.c makes requests of that.
 */
#ifndef SCRAPETOP_PLAN_PAGES_HOW_H
#define SCRAPETOP_PLAN_PAGES_HOW_H

#include "plan/pages.h"
#include "plan/pages_guess.h"
#include "plan/records.h"

/** One page being read. */
struct listing {
    const struct job_endpoint *endpoint;
    const struct request *request;
    const struct page_reply *reply;
    struct findings *out;
    struct job_pages pages; /* the endpoint's, or what was guessed; texts borrowed */
    struct page_at page;    /* the page's own, filled in where it is a listing's first */
    const char *key_param;  /* the query parameter that is a credential; or NULL */
    uint32_t crc32c;        /* of its body */
    const char *records;    /* where its records are looked for; NULL: the body */
    char likely[PAGES_GUESS_POINTER_MAX];          /* room for that, when it is guessed */
    enum records_presence presence;                /* what is there */
    uint64_t count;                                /* its records */
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

/** What stands where a next page is named, but says that there is none: null, "", false, 0, -1. */
bool page_is_none(struct str value);

/** The head of a text from outside, as much as a note has room for. */
struct str page_shown(struct str text);

bool page_is_numbered(enum job_pages_kind kind);

/** The number or offset that a listing begins with. */
uint64_t page_first_number(const struct job_pages *pages);

/** The answer is no page of its listing, but a failure told within a 200 (pages_check.c). `findings` say
 *  so then. Records must have been counted and the pointers looked up. */
bool listing_is_no_page(struct listing *listing);

/** A number of records or pages at `where`, a pointer whose `value` has been looked up, or a header. A bad
 *  one is noted on the first page. */
bool listing_read_count(struct listing *listing, const char *where, struct str value,
                        uint64_t *count);

enum more { MORE_UNTOLD, MORE_YES, MORE_NO };

enum more listing_has_more(const struct listing *listing);

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

/** False, and noted, when `ordinal` is a page too many. */
bool listing_is_within(struct listing *listing, uint64_t ordinal);

/** How a listing's pages are numbered, and how many there are, as its page at hand says. */
struct course {
    bool known;     /* how many: else `announced` and `expected` mean nothing */
    bool overtaken; /* more came than was announced */
    uint64_t announced, expected;
    uint64_t number, step; /* of this page; between two pages */
    uint64_t size;         /* records a page that `expected` relies on */
    struct str url;        /* in which `param` is set */
    const char *param;
};

/** The page from which on the others are known: mostly the first. Names those up to the end of their block,
 *  and the next block too when the page that should do it lies behind. */
void listing_begin_course(struct listing *listing, struct course *course);

/** A page whose number of fellows is known: names its block's successor, and what has been added. */
void listing_keep_course(struct listing *listing, struct course *course, enum more more);

void listing_read_numbered(struct listing *listing);
void listing_read_named(struct listing *listing);
void listing_read_link(struct listing *listing);

#endif
