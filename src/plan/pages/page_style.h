/**
 * Pagination styles: how a listing's pages follow from each other, one row each.
 *
 * To add a style: a file style_NAME.c here, which defines page_style_NAME, and a row in job/page_styles.h.
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_PLAN_PAGES_PAGE_STYLE_H
#define SCRAPETOP_PLAN_PAGES_PAGE_STYLE_H

#include "plan/pages/page_guess.h"
#include "plan/pages/page_hints.h"
#include "plan/pages/page_internal.h"

/* How sure a guess is. */
enum {
    PAGE_RANK_COUNTED = 1, /* to 50: numbers, which the style ranks itself */
    PAGE_RANK_NAMED = 90,  /* the answer names the next page */
    PAGE_RANK_LINK = 100,
};

/** A guess in the making. */
struct page_guessing {
    const struct pages_guess_input *in;
    struct pages_guess *out; /* `pages` has totals and has_more already */
    struct page_hints reply, sent;
    bool has_body;   /* what was sent is a JSON object */
    bool is_counted; /* pages by number are worth a try */
};

struct page_style {
    bool is_numbered; /* pages have numbers, so a later one may be asked for before it is named */
    bool counts_records; /* its numbers are offsets */
    bool counts_pages;   /* it knows how many pages there are without a number of records */
    bool may_repeat; /* the same request may be made again: the server remembers how far it is */

    /* `next` as the body has it becomes what `read` wants; NULL: nothing to do. */
    void (*settle)(struct listing *listing);

    /* Adds the requests that follow from the page, or says why none follows. */
    void (*read)(struct listing *listing);

    /* How surely an answer is paged in this way: 0 for not at all. NULL: it is never guessed. */
    unsigned (*rank)(const struct page_guessing *guess);

    /* Puts what the style needs into guess->out->pages. False when something has no room. */
    bool (*fill)(struct page_guessing *guess);

    /* What `probe` says of it: "by number, page". `param` and `next` are those of `pages`, display-safe. */
    void (*describe)(const char *param, const char *next, char words[PAGES_GUESS_WORDS_MAX]);
};

/** Never NULL: for JOB_PAGES_NONE a style that adds nothing. */
const struct page_style *page_style_of(enum job_pages_kind kind);

/* What styles guess with. Copies lie in the guess's own room: NULL when that is full. */

char *page_guess_keep(struct page_guessing *g, struct str text);
char *page_guess_keep_decoded(struct page_guessing *g,
                              struct str encoded); /* of a URL's parameter */
char *page_guess_keep_pointer(struct page_guessing *g, enum page_hint_kind kind);

bool page_guess_to_number(struct str value, uint64_t *number);

/** Fills in the totals that are told, by header or body, and whether there is more. */
void page_guess_total(struct page_guessing *g);

/** More is there than came. */
bool page_guess_is_more(const struct page_guessing *g);

/** The request has a parameter of that kind, or the reply names such a number. */
bool page_guess_is_asked(const struct page_guessing *g, enum page_hint_kind kind);
bool page_guess_is_told(const struct page_guessing *g, enum page_hint_kind kind);

/** That parameter, or how the reply calls it; `first` is set to the number. */
char *page_guess_asked_param(struct page_guessing *g, enum page_hint_kind kind);
char *page_guess_told_param(struct page_guessing *g, enum page_hint_kind kind);

/** A header tells the number of the next page. */
bool page_guess_next_number(const struct page_guessing *g, uint64_t *number);

/** A header has the cursor of the next page: "header:X-Next-Cursor", and the parameter that it goes into. */
bool page_guess_next_cursor(const struct page_guessing *g, char where[64], const char **param);

bool page_guess_looks_like_url(struct str value);

#define PAGE_STYLE_EXTERN(NAME, name, ...) extern const struct page_style page_style_##name;
JOB_PAGE_STYLES(PAGE_STYLE_EXTERN)
#undef PAGE_STYLE_EXTERN

#endif
