/* Next URLs: each answer's body holds the URL of the page after it, by itself or in an array of links. */
#include "plan/pages/page_style.h"

#include "base/json_scan.h"
#include "plan/link.h"

#include <stdio.h>

static void settle(struct listing *l)
{
    if (link_is_array(l->next) && !link_in_array(l->next, STR("next"), &l->next)) {
        l->next = STR_NONE;
    }
}

static void name_next(struct listing *l)
{
    struct buf text = { 0 };

    if (json_type_of(l->next) != JSON_STRING) {
        LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT, "%s is %.*s, no URL", l->pages.next,
                     STR_ARG(page_shown(l->next)));
        listing_end(l, PAGE_END_BAD_NEXT);
        return;
    }
    if (json_unescape(&text, json_string_raw(l->next), NULL) == RESULT_OK) {
        listing_add_url(l, buf_view(&text));
    } else {
        l->result = RESULT_NOMEM;
    }
    buf_release(&text);
}

static void read(struct listing *l)
{
    if (listing_names_next(l, PAGE_END_NO_NEXT)) {
        name_next(l);
    }
}

static unsigned rank(const struct page_guessing *g)
{
    const struct page_hint *next = &g->reply.of[HINT_NEXT];

    return next->found && next->has_value &&
                   (!page_hint_param(next) || page_guess_looks_like_url(next->value))
               ? PAGE_RANK_NAMED
               : 0;
}

static bool fill(struct page_guessing *g)
{
    struct job_pages *pages = &g->out->pages;

    if (!g->reply.of[HINT_NEXT].found) { /* left out on the last page */
        return true;
    }
    pages->next = page_guess_keep_pointer(g, HINT_NEXT);
    pages->total_pages = NULL;
    return pages->next;
}

static void describe(const char *param, const char *next, char words[PAGES_GUESS_WORDS_MAX])
{
    (void)param;
    snprintf(words, PAGES_GUESS_WORDS_MAX, "the next one's URL is at %s", next);
}

const struct page_style page_style_next = {
    .settle = settle,
    .read = read,
    .rank = rank,
    .fill = fill,
    .describe = describe,
};
