#include "plan/pages/page_guess.h"

#include "base/json_scan.h"
#include "base/url_make.h"
#include "plan/link.h"
#include "plan/pages/page_hints.h"
#include "plan/pages/page_internal.h"
#include "plan/plain_name.h"

#include <stdio.h>
#include <string.h>

/* Headers that tell how many records or pages there are, and which page is the next. */
static const char *const total_headers[] = { "X-Total-Count",   "X-Total",         "X-WP-Total",
                                             "X-Total-Records", "X-Total-Results", "Total-Count",
                                             "Content-Range" };
static const char *const pages_headers[] = { "X-Total-Pages", "X-WP-TotalPages", "X-Page-Count" };
static const char *const next_headers[] = { "X-Next-Page" };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct guessing {
    const struct pages_guess_input *in;
    struct pages_guess *out;
    struct page_hints reply, sent;
};

/* A copy in the guess's own room; NULL when it is full, which no decent API manages. */
static char *keep(struct guessing *g, struct str text)
{
    char *at = g->out->text + g->out->used;

    if (text.len >= sizeof g->out->text - g->out->used) {
        return NULL;
    }
    memcpy(at, text.data, text.len);
    at[text.len] = '\0';
    g->out->used += text.len + 1;
    return at;
}

/* The name of a parameter that url_role or url_cursor has found. */
static char *keep_decoded(struct guessing *g, struct str encoded)
{
    char decoded[PAGE_HINT_PARAM_MAX];

    return encoded.len <= sizeof decoded ? keep(g, url_decode(encoded, decoded)) : NULL;
}

static char *keep_pointer(struct guessing *g, enum page_hint_kind kind)
{
    const struct page_hint *hint = &g->reply.of[kind];

    return hint->found ? keep(g, str_view(hint->pointer)) : NULL;
}

static bool to_number(struct str value, uint64_t *number)
{
    struct str text = json_type_of(value) == JSON_STRING ? json_string_raw(value) : value;

    return str_to_u64(str_trim(text), number);
}

static bool has_link_next(const struct page_reply *reply)
{
    struct str target;

    for (unsigned n = 0; reply->header; n++) {
        struct str value = reply->header(reply->context, STR("link"), n);

        if (!value.data) {
            break;
        }
        if (link_find(value, STR("next"), &target)) {
            return true;
        }
    }
    return false;
}

static bool looks_like_url(struct str value)
{
    struct str raw = json_string_raw(value);

    return str_starts(raw, STR("http:")) || str_starts(raw, STR("https:")) ||
           str_starts(raw, STR("/")) || str_starts(raw, STR("\\/")) || str_starts(raw, STR("?"));
}

/* "pageToken" for one who writes nextPageToken, "page_token" for next_page_token. */
static struct str cursor_name(const struct page_hint *next)
{
    const char *param = page_hint_param(next);

    if (!param[0]) {
        return next->key;
    }
    if (str_equal(str_view(param), STR("page_token")) &&
        !memchr(next->key.data, '_', next->key.len)) {
        return STR("pageToken");
    }
    return str_view(param);
}

/* Where a cursor is to be put: where the request has one, or by the cursor's own name. */
static char *cursor_param(struct guessing *g)
{
    const struct page_hint *next = &g->reply.of[HINT_NEXT];
    struct str name = cursor_name(next), of_url;
    uint64_t number;
    char pointer[PAGES_GUESS_POINTER_MAX];
    struct str found;

    if (str_equal(name, STR("*"))) {
        return keep(g, name);
    }
    if (page_hints_cursor_in_url(g->in->url, &of_url) ||
        (str_equal(name, STR("page")) &&
         page_hints_in_url(g->in->url, HINT_PAGE, &of_url, &number)) ||
        (str_equal(name, STR("offset")) &&
         page_hints_in_url(g->in->url, HINT_OFFSET, &of_url, &number))) {
        return keep_decoded(g, of_url);
    }
    if (json_type_of(g->in->body) != JSON_OBJECT) {
        return keep(g, name);
    }
    if (g->sent.cursor_param.found) {
        return keep(g, str_view(g->sent.cursor_param.pointer));
    }
    snprintf(pointer, sizeof pointer, "%s/%.*s",
             json_find(g->in->body, STR("/query"), &found) ? "/variables" : "", STR_ARG(name));
    return keep(g, str_view(pointer));
}

/* What else is told beside a next page: whether there is more, and how many there are. */
static void guess_frame(struct guessing *g)
{
    struct job_pages *pages = &g->out->pages;

    pages->has_more = keep_pointer(g, HINT_MORE);
    pages->is_last = pages->has_more ? NULL : keep_pointer(g, HINT_LAST);
}

struct str pages_total_in(struct str value)
{
    struct str rest = value, last = value;

    while (rest.data) {
        last = str_cut(&rest, '/');
    }
    return last;
}

/* A number in the first of these headers that the reply has; `*name` is the header's. */
static bool number_in_header(const struct page_reply *reply, const char *const *names, size_t count,
                             const char **name, uint64_t *number)
{
    for (size_t i = 0; reply->header && i < count; i++) {
        char lower[32];
        struct str plain = str_lower(str_view(names[i]), lower, sizeof lower);

        if (str_to_u64(pages_total_in(str_trim(reply->header(reply->context, plain, 0))), number)) {
            *name = names[i];
            return true;
        }
    }
    return false;
}

static char *keep_header(struct guessing *g, const char *name)
{
    char text[48];

    snprintf(text, sizeof text, "header:%s", name);
    return keep(g, str_view(text));
}

/* The totals that are told, by header or body. */
static void guess_total(struct guessing *g)
{
    struct job_pages *pages = &g->out->pages;
    const struct page_hint *total = &g->reply.of[HINT_TOTAL], *of_pages = &g->reply.of[HINT_PAGES];
    const char *name;
    uint64_t number = 0;

    if (number_in_header(g->in->reply, total_headers, COUNT(total_headers), &name, &number)) {
        pages->total = keep_header(g, name);
        g->out->total = number;
    } else if (total->found && to_number(total->value, &number)) {
        pages->total = keep_pointer(g, HINT_TOTAL);
        g->out->total = number;
    }
    if (number_in_header(g->in->reply, pages_headers, COUNT(pages_headers), &name, &number)) {
        pages->total_pages = keep_header(g, name);
    } else if (of_pages->found && to_number(of_pages->value, &number)) {
        pages->total_pages = keep_pointer(g, HINT_PAGES);
    }
    guess_frame(g);
}

/* A next URL or a cursor. True when the reply tells where to go on, or that there is nowhere to. */
static bool guess_named(struct guessing *g)
{
    const struct page_hint *next = &g->reply.of[HINT_NEXT];
    struct job_pages *pages = &g->out->pages;
    bool is_url = g->in->decided == JOB_PAGES_NEXT;

    if (!next->found && g->in->decided != JOB_PAGES_NONE) { /* left out on the last page */
        pages->kind = g->in->decided;
        guess_total(g);
        return true;
    }
    if (!next->found || (!next->has_value && g->in->decided == JOB_PAGES_NONE)) {
        return false;
    }
    if (g->in->decided == JOB_PAGES_NONE) {
        is_url = !page_hint_param(next) || looks_like_url(next->value);
    }
    pages->kind = is_url ? JOB_PAGES_NEXT : JOB_PAGES_CURSOR;
    pages->param = is_url || !page_hint_param(next) ? NULL : cursor_param(g);
    pages->next = keep_pointer(g, HINT_NEXT);
    guess_total(g);
    pages->total_pages = NULL;
    if (!pages->next || (!is_url && !pages->param)) {
        *pages = (struct job_pages){ .kind = JOB_PAGES_NONE };
        return false;
    }
    return true;
}

/* The parameter of the request that takes a number: the URL's, or the sent body's. */
static char *asked_param(struct guessing *g, enum page_hint_kind kind)
{
    const struct page_hint *sent = &g->sent.of[kind];
    struct job_pages *pages = &g->out->pages;
    struct str name;

    if (page_hints_in_url(g->in->url, kind, &name, &pages->first)) {
        pages->has_first = true;
        return keep_decoded(g, name);
    }
    if (sent->found && to_number(sent->value, &pages->first)) {
        pages->has_first = true;
        return keep(g, str_view(sent->pointer));
    }
    return NULL;
}

/* What the reply calls it, when the request named nothing and the server began at its own first page. */
static char *told_param(struct guessing *g, enum page_hint_kind kind)
{
    const struct page_hint *told = &g->reply.of[kind];
    struct job_pages *pages = &g->out->pages;

    if (!told->found || !to_number(told->value, &pages->first)) {
        return NULL;
    }
    pages->has_first = true;
    if (kind == HINT_OFFSET || str_equal(told->key, STR("pageNumber"))) {
        return keep(g, told->key);
    }
    return keep(g, STR("page"));
}

/* ArcGIS, which names neither: {"exceededTransferLimit": true}. */
static bool is_arcgis(const struct guessing *g)
{
    char room[PLAIN_NAME_MAX];

    return g->reply.of[HINT_MORE].found &&
           str_equal(plain_name(g->reply.of[HINT_MORE].key, room), STR("exceededtransferlimit"));
}

static bool guess_numbers(struct guessing *g)
{
    struct job_pages *pages = &g->out->pages;
    bool in_body = json_type_of(g->in->body) == JSON_OBJECT; /* which then must name it */
    const char *header;
    uint64_t number = 0;

    pages->kind = JOB_PAGES_OFFSET;
    pages->param = asked_param(g, HINT_OFFSET);
    if (pages->param) {
        return true;
    }
    pages->kind = JOB_PAGES_NUMBER;
    pages->param = asked_param(g, HINT_PAGE);
    if (!pages->param && !in_body) {
        pages->param = told_param(g, HINT_PAGE);
    }
    if (!pages->param && !in_body &&
        number_in_header(g->in->reply, next_headers, COUNT(next_headers), &header, &number) &&
        number) {
        pages->param = keep(g, STR("page"));
        pages->first = number - 1;
        pages->has_first = true;
    }
    if (!pages->param && !in_body && g->reply.of[HINT_PAGES].found) {
        pages->param = keep(g, STR("page")); /* how many there are, but not which this is */
        pages->first = 1;
    }
    if (!pages->param && !in_body) {
        pages->kind = JOB_PAGES_OFFSET;
        pages->param = told_param(g, HINT_OFFSET);
    }
    if (!pages->param && !in_body && is_arcgis(g)) {
        pages->param = keep(g, STR("resultOffset"));
        pages->first = 0;
        pages->has_first = true;
    }
    return pages->param != NULL;
}

static bool is_bool(const struct page_hint *hint, bool value)
{
    return hint->found && str_equal(str_trim(hint->value), value ? STR("true") : STR("false"));
}

/* More is there than came. */
static bool is_more(const struct guessing *g)
{
    const struct page_hint *of_pages = &g->reply.of[HINT_PAGES];
    const char *name;
    uint64_t pages = 0;

    return (g->out->total != PAGE_TOTAL_UNKNOWN && g->out->total > g->in->count) ||
           (of_pages->found && to_number(of_pages->value, &pages) && pages > 1) ||
           (number_in_header(g->in->reply, pages_headers, COUNT(pages_headers), &name, &pages) &&
            pages > 1) ||
           number_in_header(g->in->reply, next_headers, COUNT(next_headers), &name, &pages) ||
           is_bool(&g->reply.of[HINT_MORE], true) || is_bool(&g->reply.of[HINT_LAST], false) ||
           g->reply.is_cut_short;
}

/* The reply names its page or offset and a size, and holds as many records as that: there may be more. */
static bool is_full(const struct guessing *g)
{
    const struct page_hint *size = &g->reply.of[HINT_SIZE];
    uint64_t number = 0;

    return (g->reply.of[HINT_PAGE].found || g->reply.of[HINT_OFFSET].found) && size->found &&
           to_number(size->value, &number) && number && g->in->count >= number;
}

static void guess_size(struct guessing *g)
{
    struct str name;

    if (page_hints_in_url(g->in->url, HINT_SIZE, &name, &g->out->page_size)) {
        g->out->pages.size_param = keep_decoded(g, name);
    } else if (g->sent.of[HINT_SIZE].found) {
        (void)to_number(g->sent.of[HINT_SIZE].value, &g->out->page_size);
        g->out->pages.size_param = keep(g, str_view(g->sent.of[HINT_SIZE].pointer));
    } else if (g->reply.of[HINT_SIZE].found) {
        (void)to_number(g->reply.of[HINT_SIZE].value, &g->out->page_size);
    }
}

/* Numbers, when more is there or when the request was asked for by number: then page after page, until one
 * is empty. */
static void guess_counted(struct guessing *g)
{
    struct str name;
    uint64_t number;
    bool asked = page_hints_in_url(g->in->url, HINT_PAGE, &name, &number) ||
                 page_hints_in_url(g->in->url, HINT_OFFSET, &name, &number);
    bool more;

    g->out->pages = (struct job_pages){ .kind = JOB_PAGES_NONE };
    guess_total(g);
    more = is_more(g);
    if (!more && !asked && !is_full(g) && !page_is_numbered(g->in->decided)) {
        g->out->pages = (struct job_pages){ .kind = JOB_PAGES_NONE };
    } else if (!guess_numbers(g)) {
        g->out->is_lost = more;
        g->out->pages = (struct job_pages){ .kind = JOB_PAGES_NONE };
    }
}

/* Something says that this is a listing, even if it is all of it. */
static bool tells_of_pages(const struct guessing *g)
{
    struct str value = g->in->reply->header
                           ? g->in->reply->header(g->in->reply->context, STR("link"), 0)
                           : STR_NONE;

    return value.data || g->out->total != PAGE_TOTAL_UNKNOWN || g->reply.of[HINT_NEXT].found ||
           g->reply.of[HINT_MORE].found || g->reply.of[HINT_LAST].found ||
           g->reply.of[HINT_TOTAL].found || g->reply.of[HINT_PAGES].found;
}

bool pages_guess_wants_header(struct str name)
{
    const char *const *const lists[] = { total_headers, pages_headers, next_headers };
    const size_t counts[] = { COUNT(total_headers), COUNT(pages_headers), COUNT(next_headers) };

    for (size_t i = 0; i < COUNT(lists); i++) {
        for (size_t k = 0; k < counts[i]; k++) {
            if (str_equal_nocase(name, str_view(lists[i][k]))) {
                return true;
            }
        }
    }
    return false;
}

void pages_guess_told(struct str body, struct pages_told *told)
{
    struct page_hints hints;

    page_hints_find(body, &hints);
    *told = (struct pages_told){ .has_total = false };
    told->has_total =
        hints.of[HINT_TOTAL].found && to_number(hints.of[HINT_TOTAL].value, &told->total);
    told->has_pages =
        hints.of[HINT_PAGES].found && to_number(hints.of[HINT_PAGES].value, &told->pages);
}

void pages_guess(const struct pages_guess_input *input, struct pages_guess *guess)
{
    struct guessing g = { .in = input, .out = guess };
    enum job_pages_kind decided = input->decided;

    guess->pages = (struct job_pages){ .kind = JOB_PAGES_NONE };
    guess->is_lost = false;
    guess->total = PAGE_TOTAL_UNKNOWN;
    guess->page_size = 0;
    guess->used = 0;
    page_hints_find(input->reply->body, &g.reply);
    page_hints_find(input->body, &g.sent);
    if (decided == JOB_PAGES_LINK || (decided == JOB_PAGES_NONE && has_link_next(input->reply))) {
        guess->pages.kind = JOB_PAGES_LINK;
    } else if (decided == JOB_PAGES_NEXT || decided == JOB_PAGES_CURSOR) {
        (void)guess_named(&g);
    } else if (page_is_numbered(decided) || !guess_named(&g)) {
        guess_counted(&g);
    }
    if (guess->is_lost) {
        guess->pages = (struct job_pages){ .kind = JOB_PAGES_NONE };
    }
    guess->is_silent =
        decided == JOB_PAGES_NONE && guess->pages.kind == JOB_PAGES_NONE && !tells_of_pages(&g);
    guess_size(&g);
}
