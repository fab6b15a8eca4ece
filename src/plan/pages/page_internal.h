/**
 * The inside of pages, for its files: pages.c reads a page, page_check.c tells whether it is one, page_more.c whether
 * there is more; style_*.c know what follows, with page_plan.c (by number) and page_next.c (the page names it);
 * page_request.c makes requests of that.
 */
#ifndef SCRAPETOP_PLAN_PAGES_PAGE_INTERNAL_H
#define SCRAPETOP_PLAN_PAGES_PAGE_INTERNAL_H

#include "plan/pages/page_guess.h"
#include "plan/pages/pages.h"
#include "plan/records.h"

enum more { MORE_UNTOLD, MORE_YES, MORE_NO };

struct page_style;

/** One page being read. */
struct listing {
    const struct job_endpoint *endpoint;
    const struct request *request;
    const struct page_reply *reply;
    struct discoveries *out;
    struct job_pages pages;         /* the endpoint's, or what was guessed; texts borrowed */
    const struct page_style *style; /* of `pages` */
    struct page_at page;            /* the page's own, filled in where it is a listing's first */
    const char *key_param;          /* the query parameter that is a credential; or NULL */
    const char *records;            /* where its records are looked for; NULL: the body */
    char likely[PAGES_GUESS_POINTER_MAX];                   /* room for that, when it is guessed */
    struct records_found found;                             /* what is there */
    uint64_t count;                                         /* its records: found.count */
    char next_text[2 * JOB_URL_MAX];                        /* of a header that has it, as JSON */
    struct str total, total_pages, next, has_more, is_last; /* what the pointers found; STR_NONE */
    bool has_told, has_told_pages; /* it tells how many records, or pages, there are: */
    uint64_t told, told_pages;
    enum more more;     /* by the job's pointers, or by a member that means nothing else */
    enum more hint;     /* by a member that mostly means it */
    enum result result; /* once it is not OK, nothing more is done */
};

/** Notes, unless memory has run out before. */
#define LISTING_NOTE(listing, ...)                                                                 \
    do {                                                                                           \
        if ((listing)->result == RESULT_OK) {                                                      \
            (listing)->result = discoveries_note((listing)->out, __VA_ARGS__);                     \
        }                                                                                          \
    } while (0)

/** What stands where a next page is named, but says that there is none: null, "", false, 0, -1. */
bool page_is_none(struct str value);

/** The number in a header that tells a total: all of it, or of a Content-Range ("items 0-9/100") what stands after
 *  the slash. */
struct str pages_total_in(struct str value);

/** The head of a text from outside, as much as a note has room for. */
struct str page_shown(struct str text);

bool page_is_numbered(enum job_pages_kind kind);

/** The number or offset that a listing begins with. */
uint64_t page_first_number(const struct job_pages *pages);

/** Why no page follows. Of several reasons the largest stays. */
void listing_end(struct listing *listing, enum page_end end);

/* Reading a page, in this order. */

/** Finds its records: `records`, `found` and `count`. */
void listing_find_records(struct listing *listing);

/** Where they are, for the pages after it. */
void listing_keep_records(const struct listing *listing, struct page_at *at);

/** Reads the numbers of records and pages that are told; bad ones are noted on the first page. */
void listing_read_totals(struct listing *listing);

/** The value of the answer's header of that name; STR_NONE. */
struct str listing_header(const struct listing *listing, const char *name);

/** What a member of this plain name means when it is true: MORE_YES, MORE_NO, or MORE_UNTOLD for no such name.
 *  `*is_sure`: it means nothing else. */
enum more pages_more_word(struct str plain, bool *is_sure);

/** Reads whether there is more: `more` and `hint`. */
void listing_read_more(struct listing *listing);

/** The answer is no page of its listing, but a failure told within a 200. `discoveries` say so then. */
bool listing_is_no_page(struct listing *listing);

/** Notes that the page has the records of the one that named it: its end. */
void listing_note_repeat(struct listing *listing);

/** Notes that a page before this one lacks records. */
void listing_note_gap(struct listing *listing);

/* Where it stands. */

/** Records of the pages before this one. */
uint64_t listing_before(const struct listing *listing);

/** How the records up to and with this page stand to the total told, by it or by a page before. */
enum reached { REACHED_UNKNOWN, REACHED_NOT, REACHED_ALL, REACHED_MORE };
enum reached listing_reached(const struct listing *listing);

/** It has fewer records than a page before, or than are asked for. */
bool listing_is_short(const struct listing *listing);

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

/** False, and noted as the end, when `ordinal` is a page too many. */
bool listing_is_within(struct listing *listing, uint64_t ordinal);

/** False, and the end is told, when `empty` pages in a row without a record are enough. */
bool listing_bears_empty(struct listing *listing, uint32_t empty);

/** How a listing's pages are numbered, and how many there are, as its page at hand says. */
struct page_plan {
    bool known;     /* how many: else `announced` and `expected` mean nothing */
    bool overtaken; /* more came than was announced */
    uint64_t announced, expected;
    uint64_t number, step; /* of this page; between two pages */
    uint64_t size;         /* records a page that `expected` relies on */
    struct str url;        /* in which `param` is set */
    const char *param;
};

/** The page from which on the others are known: mostly the first. Names those up to the end of their block,
 *  and the next block too when the page that should do it has been read already. */
void listing_begin_plan(struct listing *listing, struct page_plan *plan);

/** A page of a listing whose number of pages is known: names the next page of its block, and pages that were added. */
void listing_keep_plan(struct listing *listing, struct page_plan *plan);

void listing_read_numbered(struct listing *listing);

/** A page by number that does not exist. After full pages that may be a mistake: the one after it is named. */
void listing_read_past_end(struct listing *listing);

/* Pages that name the next one. */

/** There is a next page, which `next` names. Else the listing ends, for the reason `without` when nothing is named. */
bool listing_names_next(struct listing *listing, enum page_end without);

/** Adds the page, unless the listing would go round in a circle, or on for ever. `number` is the page's own. */
void listing_add_named(struct listing *listing, const struct page_texts *texts, uint64_t number);

/** The same for a page that is named by its URL, or a reference to it. */
void listing_add_url(struct listing *listing, struct str reference);

/** Appends the URL that `reference` means. False, and noted, when it may not be asked: on another origin, too long,
 *  no URL. */
bool listing_resolve(struct listing *listing, struct str reference, struct buf *to);

#endif
