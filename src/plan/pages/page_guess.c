#include "plan/pages/page_guess.h"

#include "plan/pages/page_style.h"

#include <limits.h>

/* The reply names its page or offset and a size, and holds as many records as that: there may be more. */
static bool is_full(const struct page_guessing *g)
{
    const struct page_hint *size = &g->reply.of[HINT_SIZE];
    uint64_t number = 0;

    return (g->reply.of[HINT_PAGE].found || g->reply.of[HINT_OFFSET].found) && size->found &&
           page_guess_to_number(size->value, &number) && number && g->in->count >= number;
}

/* Numbers are for a listing that has more, or that was asked for by number: then page after page, until one is
 * empty. */
static bool may_be_counted(const struct page_guessing *g)
{
    struct str name;
    uint64_t number;

    return page_is_numbered(g->in->decided) || page_guess_is_more(g) || is_full(g) ||
           page_hints_in_url(g->in->url, HINT_PAGE, &name, &number) ||
           page_hints_in_url(g->in->url, HINT_OFFSET, &name, &number);
}

static void guess_size(struct page_guessing *g)
{
    char *size_param = NULL;
    struct str name;

    if (page_hints_in_url(g->in->url, HINT_SIZE, &name, &g->out->page_size)) {
        size_param = page_guess_keep_decoded(g, name);
    } else if (g->sent.of[HINT_SIZE].found) {
        (void)page_guess_to_number(g->sent.of[HINT_SIZE].value, &g->out->page_size);
        size_param = page_guess_keep(g, str_view(g->sent.of[HINT_SIZE].pointer));
    } else if (g->reply.of[HINT_SIZE].found) {
        (void)page_guess_to_number(g->reply.of[HINT_SIZE].value, &g->out->page_size);
    }
    if (page_is_numbered(g->out->pages.kind)) {
        g->out->pages.size_param = size_param;
    }
}

/* Something says that this is a listing, even if it is all of it. */
static bool tells_of_pages(const struct page_guessing *g)
{
    struct str value = g->in->reply->header
                           ? g->in->reply->header(g->in->reply->context, STR("link"), 0)
                           : STR_NONE;

    return value.data || g->out->total != PAGE_TOTAL_UNKNOWN || g->reply.of[HINT_NEXT].found ||
           g->reply.of[HINT_MORE].found || g->reply.of[HINT_LAST].found ||
           g->reply.of[HINT_TOTAL].found || g->reply.of[HINT_PAGES].found;
}

/* --- the style ------------------------------------------------------------------------------------------ */

/* The surest style that is less sure than `below`; JOB_PAGES_NONE when there is none. */
static enum job_pages_kind next_surest(const struct page_guessing *g, unsigned *below)
{
    enum job_pages_kind best = JOB_PAGES_NONE;
    unsigned surest = 0;

    for (enum job_pages_kind kind = JOB_PAGES_NONE + 1; kind < JOB_PAGES_KINDS; kind++) {
        const struct page_style *style = page_style_of(kind);
        unsigned rank = style->rank && (g->in->decided == JOB_PAGES_NONE || page_is_numbered(kind))
                            ? style->rank(g)
                            : 0;

        if (rank > surest && rank < *below) {
            surest = rank;
            best = kind;
        }
    }
    *below = surest;
    return best;
}

static bool fill(struct page_guessing *g, const struct job_pages *frame, enum job_pages_kind kind)
{
    g->out->pages = *frame;
    g->out->pages.kind = kind;
    return page_style_of(kind)->fill(g);
}

/* An earlier page has decided, unless it goes by number: which number may change. */
static void choose(struct page_guessing *g)
{
    const struct page_style *decided = page_style_of(g->in->decided);
    const struct job_pages frame = g->out->pages, none = { .kind = JOB_PAGES_NONE };
    enum job_pages_kind kind = g->in->decided;
    unsigned below = UINT_MAX;

    if (decided->fill && !page_is_numbered(kind)) {
        if (!fill(g, &frame, kind)) {
            g->out->pages = none;
        }
        return;
    }
    g->is_counted = may_be_counted(g);
    while ((kind = next_surest(g, &below)) != JOB_PAGES_NONE) {
        if (fill(g, &frame, kind)) {
            return;
        }
    }
    g->out->is_lost = page_guess_is_more(g);
    g->out->pages = g->out->is_lost ? frame : none;
}

void pages_guess(const struct pages_guess_input *input, struct pages_guess *guess)
{
    struct page_guessing g = { .in = input,
                               .out = guess,
                               .has_body = json_type_of(input->body) == JSON_OBJECT };

    guess->pages = (struct job_pages){ .kind = JOB_PAGES_NONE };
    guess->is_lost = false;
    guess->total = PAGE_TOTAL_UNKNOWN;
    guess->page_size = 0;
    guess->used = 0;
    page_hints_find(input->reply->body, &g.reply);
    page_hints_find(input->body, &g.sent);
    page_guess_total(&g);
    choose(&g);
    guess->is_silent = input->decided == JOB_PAGES_NONE && guess->pages.kind == JOB_PAGES_NONE &&
                       !tells_of_pages(&g);
    guess_size(&g);
}

bool pages_guess_take(struct pages_guess *guess, enum job_pages_kind kind, const char *param,
                      const char *next)
{
    struct page_guessing g = { .out = guess };
    char *kept_param = page_guess_keep(&g, str_view(param));
    char *kept_next = next ? page_guess_keep(&g, str_view(next)) : NULL;

    if (!kept_param || (next && !kept_next)) {
        return false;
    }
    guess->pages.kind = kind;
    guess->pages.param = kept_param;
    guess->pages.next = kept_next;
    guess->is_lost = false;
    return true;
}

void pages_guess_describe(const struct job_pages *pages, const char *param, const char *next,
                          char words[PAGES_GUESS_WORDS_MAX])
{
    const struct page_style *style = page_style_of(pages->kind);

    words[0] = '\0';
    if (style->describe) {
        style->describe(param, next, words);
    }
}
