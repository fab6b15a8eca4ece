/**
 * Pagination styles, one row each: how a job file chooses a style.
 *
 * What a style does with an answer is plan/pages/style_NAME.c. A new style is that file and a row here; its
 * number stands in ledgers, so the row goes to the end.
 *
 *   ROW(NAME, name, CHOICE, fields of struct job_page_style...)
 *
 * CHOICE is PAGE_KEY(key, kind, field, help): the key of "pages" that chooses the style, and the field of struct
 * job_pages that it is read into; or PAGE_WORD("word"): "pages": "word".
 */
#ifndef SCRAPETOP_JOB_PAGE_STYLES_H
#define SCRAPETOP_JOB_PAGE_STYLES_H

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
#define JOB_PAGE_STYLES(ROW)                                                                                       \
    ROW(NUMBER, number,                                                                                            \
        PAGE_KEY("param", JOB_KEY_TEXT, param,                                                                     \
                 "Query parameter that is a page number, or the cursor's; or a JSON Pointer into the body"),       \
        .offer = "\"param\" (a page number)", .is_numbered = true, .first = 1)                                                          \
    ROW(OFFSET, offset,                                                                                            \
        PAGE_KEY("offset_param", JOB_KEY_TEXT, param,                                                              \
                 "Query parameter that counts records; or a JSON Pointer into the body"),                          \
        .offer = "\"offset_param\"", .is_numbered = true)                                                                               \
    ROW(CURSOR, cursor,                                                                                            \
        PAGE_KEY("cursor", JOB_KEY_COUNTED_AT, next,                                                               \
                 "JSON Pointer to the cursor of the next page, or header:Name, which goes into \"param\"; to an "  \
                 "object of parameters when that is \"*\""),                                                                 \
        .offer = "\"cursor\" with \"param\"", .needs = "param", .needs_for = "where it is to be put")              \
    ROW(NEXT, next,                                                                                                \
        PAGE_KEY("next", JOB_KEY_COUNTED_AT, next,                                                                 \
                 "JSON Pointer to the URL of the next page, or header:Name, or an array of links with one related as next"), \
        .offer = "\"next\"")                                                                                       \
    ROW(LINK, link, PAGE_WORD("link"), .help = "the Link header does")                                             \
    ROW(AUTO, auto, PAGE_WORD("auto"), .help = "the first answer tells")
/* clang-format on */

struct job_page_style {
    const char *key, *word; /* one of both is NULL */
    const char *help;       /* of the word, for people */
    const char *offer;      /* how a message offers the key */
    const char *needs;      /* a further key that it must have, or NULL; ... */
    const char *needs_for;  /* ... what for */
    bool is_numbered; /* pages have numbers: a later one may be asked for before it is named */
    uint64_t first;   /* number of the first page, when the job does not say */
};

#endif
