/* Offsets: a parameter counts the records. */
#include "plan/pages/page_style.h"

#include "plan/plain_name.h"

#include <stdio.h>

enum {
    RANK_ARCGIS = PAGE_RANK_COUNTED,
    RANK_TOLD = PAGE_RANK_COUNTED + 10,
    RANK_ASKED = PAGE_RANK_COUNTED + 40
};

/* ArcGIS names neither page nor offset: {"exceededTransferLimit": true}. */
static bool is_arcgis(const struct page_guessing *g)
{
    char room[PLAIN_NAME_MAX];

    return g->reply.of[HINT_MORE].found &&
           str_equal(plain_name(g->reply.of[HINT_MORE].key, room), STR("exceededtransferlimit"));
}

static unsigned rank(const struct page_guessing *g)
{
    if (!g->is_counted) {
        return 0;
    }
    if (page_guess_is_asked(g, HINT_OFFSET)) {
        return RANK_ASKED;
    }
    if (g->has_body) { /* which then must name it */
        return 0;
    }
    if (page_guess_is_told(g, HINT_OFFSET)) {
        return RANK_TOLD;
    }
    return is_arcgis(g) ? RANK_ARCGIS : 0;
}

static bool fill(struct page_guessing *g)
{
    struct job_pages *pages = &g->out->pages;

    switch (rank(g)) {
    case RANK_ASKED:
        pages->param = page_guess_asked_param(g, HINT_OFFSET);
        break;
    case RANK_TOLD:
        pages->param = page_guess_told_param(g, HINT_OFFSET);
        break;
    default:
        pages->param = page_guess_keep(g, STR("resultOffset"));
        pages->first = 0;
        pages->has_first = true;
        break;
    }
    return pages->param;
}

static void describe(const char *param, const char *next, char words[PAGES_GUESS_WORDS_MAX])
{
    (void)next;
    snprintf(words, PAGES_GUESS_WORDS_MAX, "by offset, %s", param);
}

const struct page_style page_style_offset = {
    .counts_records = true,
    .read = listing_read_numbered,
    .rank = rank,
    .fill = fill,
    .describe = describe,
};
