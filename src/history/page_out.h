/**
 * An HTML page in the making: markup of our own, and texts from outside, which never become markup.
 *
 * Ownership  the caller's buf.
 * Errors     `no_memory` is raised, and stays; what follows is then of no use.
 * Threads    none of its own.
 */
#ifndef SCRAPETOP_HISTORY_PAGE_OUT_H
#define SCRAPETOP_HISTORY_PAGE_OUT_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct page_out {
    struct buf *to;
    bool no_memory;
};

/** Markup: constants, and numbers of our own. No text from outside may be among the arguments. */
void page_put(struct page_out *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Bytes from outside, as text or within a quoted attribute: `&<>"'` as entities, what is no UTF-8 or steers a
 *  terminal or the direction of text as U+FFFD. Line breaks and tabs stay. At most `max` bytes of it, then "…". */
void page_text(struct page_out *p, struct str text, size_t max);

/** The same of the string value `json` (with its quotes). Other values as they are written; none: nothing. */
void page_json_text(struct page_out *p, struct str json, size_t max);

/** "12,345". */
void page_whole(struct page_out *p, uint64_t count);

#endif
