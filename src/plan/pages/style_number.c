/* Page numbers: a parameter counts the pages. */
#include "plan/pages/page_style.h"

#include <stdio.h>

/* Where the parameter's name comes from; the surest is the largest. */
enum {
    RANK_BY_COUNT = PAGE_RANK_COUNTED + 18,
    RANK_BY_HEADER,
    RANK_TOLD,
    RANK_ASKED = PAGE_RANK_COUNTED + 30
};

static unsigned rank(const struct page_guessing *g)
{
    uint64_t number = 0;

    if (!g->is_counted) {
        return 0;
    }
    if (page_guess_is_asked(g, HINT_PAGE)) {
        return RANK_ASKED;
    }
    if (g->has_body) { /* which then must name it */
        return 0;
    }
    if (page_guess_is_told(g, HINT_PAGE)) {
        return RANK_TOLD;
    }
    if (page_guess_next_number(g, &number) && number) {
        return RANK_BY_HEADER;
    }
    return g->reply.of[HINT_PAGES].found ? RANK_BY_COUNT : 0;
}

static bool fill(struct page_guessing *g)
{
    struct job_pages *pages = &g->out->pages;
    uint64_t number = 0;

    switch (rank(g)) {
    case RANK_ASKED:
        pages->param = page_guess_asked_param(g, HINT_PAGE);
        break;
    case RANK_TOLD:
        pages->param = page_guess_told_param(g, HINT_PAGE);
        break;
    case RANK_BY_HEADER:
        (void)page_guess_next_number(g, &number);
        pages->param = page_guess_keep(g, STR("page"));
        pages->first = number - 1;
        pages->has_first = true;
        break;
    default: /* how many there are, but not which this is */
        pages->param = page_guess_keep(g, STR("page"));
        pages->first = 1;
        break;
    }
    return pages->param;
}

static void describe(const char *param, const char *next, char words[PAGES_GUESS_WORDS_MAX])
{
    (void)next;
    snprintf(words, PAGES_GUESS_WORDS_MAX, "by number, %s", param);
}

const struct page_style page_style_number = {
    .read = listing_read_numbered,
    .rank = rank,
    .fill = fill,
    .describe = describe,
};
