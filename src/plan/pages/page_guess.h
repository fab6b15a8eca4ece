/**
 * How a listing is paged, guessed from one reply: what `"pages": "auto"` goes by, and `probe` tells.
 *
 * By what APIs commonly send: a Link header, a next URL, a cursor (GraphQL's pageInfo among them), a
 * number of pages or records, a "there is more". Names are compared without case and punctuation, so
 * `nextCursor`, `next_cursor` and `NextCursor` are one. Only what stands outside arrays is looked at, to a
 * depth of PAGES_GUESS_DEPTH. Parameters are those that the request has already; a cursor's else
 * follows from its name.
 *
 * A wrong guess ends loudly: the server, to which the parameter means nothing, gives the same page again
 * (PAGE_NOTE_SAME_PAGE), and where it says that there is more but not how to get it, that is noted.
 *
 * Pure; any thread. Nothing is allocated.
 */
#ifndef SCRAPETOP_PLAN_PAGES_PAGE_GUESS_H
#define SCRAPETOP_PLAN_PAGES_PAGE_GUESS_H

#include "plan/pages/pages.h"

#define PAGES_GUESS_DEPTH 4
/* an object with more is a table by itself, not a page's frame */
#define PAGES_GUESS_MEMBERS_MAX 40
#define PAGES_GUESS_POINTER_MAX 200
#define PAGES_GUESS_TEXT_MAX 2048
#define PAGES_GUESS_WORDS_MAX 400

struct pages_guess {
    struct job_pages pages; /* JOB_PAGES_NONE: nothing tells of pages. Texts lie in `text` */
    /* There are further pages, but nothing says how to ask for them; `pages.kind` is NONE then, and what else it has
     * is what the answer tells: totals, whether there is more. */
    bool is_lost;
    bool is_silent;     /* nothing in it has to do with pages */
    uint64_t total;     /* records in all, as announced; PAGE_TOTAL_UNKNOWN */
    uint64_t page_size; /* as the request or reply names it, for showing; 0: not named */
    char text[PAGES_GUESS_TEXT_MAX];
    size_t used;
};

struct pages_guess_input {
    struct str url;  /* that was asked */
    struct str body; /* that was sent; STR_NONE */
    const struct page_reply *reply;
    uint64_t count;              /* records that came */
    enum job_pages_kind decided; /* by an earlier page; NONE for the first */
};

/** A header that a guess looks at, Link apart: fetch is to keep it. */
bool pages_guess_wants_header(struct str name);

void pages_guess(const struct pages_guess_input *input, struct pages_guess *guess);

/** Somebody has found out how pages are asked for; what the answer tells beside that is kept. `next`: of a cursor.
 *  False, and nothing changed, when the texts have no room. */
bool pages_guess_take(struct pages_guess *guess, enum job_pages_kind kind, const char *param,
                      const char *next);

/** The style in a few words: "by number, page"; empty for JOB_PAGES_NONE. `param` and `next` are those of `pages`,
 *  display-safe. */
void pages_guess_describe(const struct job_pages *pages, const char *param, const char *next,
                          char words[PAGES_GUESS_WORDS_MAX]);

/** How many records and pages the frame of a page tells of, whatever the job goes by. */
struct pages_told {
    bool has_total, has_pages;
    uint64_t total, pages;
};

void pages_guess_told(struct str body, struct pages_told *told);

/** The pointer to the array that most likely holds the records of an object: one of a name that is used for
 *  it ("items"), or the longest. False when there is none. */
bool pages_guess_records(struct str body, char pointer[PAGES_GUESS_POINTER_MAX]);

/** The pointer to the array whose pointer has this crc32c. False when there is none. */
bool pages_guess_records_at(struct str body, uint32_t crc32c,
                            char pointer[PAGES_GUESS_POINTER_MAX]);

#endif
