/* What a guess reads from a request and its reply. */
#include "base/json_scan.h"
#include "base/url_make.h"
#include "plan/pages/page_style.h"

#include <stdio.h>
#include <string.h>

/* Headers that tell how many records or pages there are, and which page is the next. */
static const char *const total_headers[] = { "X-Total-Count",   "X-Total",         "X-WP-Total",
                                             "X-Total-Records", "X-Total-Results", "Total-Count",
                                             "Content-Range" };
static const char *const pages_headers[] = { "X-Total-Pages", "X-WP-TotalPages", "X-Page-Count" };
static const char *const next_headers[] = { "X-Next-Page" };
/* Headers with the next page's cursor, and the parameters that it goes into where the request has none yet. */
static const struct {
    const char *header, *param;
} cursors[] = {
    { "X-Next-Cursor", "cursor" },
    { "X-Next-Page-Token", "pageToken" },
    { "X-MS-ContinuationToken", "continuationToken" },
    { "X-MS-Continuation", "continuation" },
    { "X-Continuation-Token", "continuationToken" },
    { "X-Next-Token", "nextToken" },
    { "Next-Cursor", "cursor" },
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

char *page_guess_keep(struct page_guessing *g, struct str text)
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

char *page_guess_keep_decoded(struct page_guessing *g, struct str encoded)
{
    char decoded[PAGE_HINT_PARAM_MAX];

    return encoded.len <= sizeof decoded ? page_guess_keep(g, url_decode(encoded, decoded)) : NULL;
}

char *page_guess_keep_pointer(struct page_guessing *g, enum page_hint_kind kind)
{
    const struct page_hint *hint = &g->reply.of[kind];

    return hint->found ? page_guess_keep(g, str_view(hint->pointer)) : NULL;
}

bool page_guess_to_number(struct str value, uint64_t *number)
{
    struct str text = json_type_of(value) == JSON_STRING ? json_string_raw(value) : value;

    return str_to_u64(str_trim(text), number);
}

bool page_guess_looks_like_url(struct str value)
{
    struct str raw = json_string_raw(value);

    return str_starts(raw, STR("http:")) || str_starts(raw, STR("https:")) ||
           str_starts(raw, STR("/")) || str_starts(raw, STR("\\/")) || str_starts(raw, STR("?"));
}

/* Whether there is more. */
static void guess_frame(struct page_guessing *g)
{
    struct job_pages *pages = &g->out->pages;

    pages->has_more = page_guess_keep_pointer(g, HINT_MORE);
    pages->is_last = pages->has_more ? NULL : page_guess_keep_pointer(g, HINT_LAST);
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

static char *keep_header(struct page_guessing *g, const char *name)
{
    char text[48];

    snprintf(text, sizeof text, "header:%s", name);
    return page_guess_keep(g, str_view(text));
}

/* The totals that are told, by header or body. */
void page_guess_total(struct page_guessing *g)
{
    struct job_pages *pages = &g->out->pages;
    const struct page_hint *total = &g->reply.of[HINT_TOTAL], *of_pages = &g->reply.of[HINT_PAGES];
    const char *name;
    uint64_t number = 0;

    if (number_in_header(g->in->reply, total_headers, COUNT(total_headers), &name, &number)) {
        pages->total = keep_header(g, name);
        g->out->total = number;
    } else if (total->found && page_guess_to_number(total->value, &number)) {
        pages->total = page_guess_keep_pointer(g, HINT_TOTAL);
        g->out->total = number;
    }
    if (number_in_header(g->in->reply, pages_headers, COUNT(pages_headers), &name, &number)) {
        pages->total_pages = keep_header(g, name);
    } else if (of_pages->found && page_guess_to_number(of_pages->value, &number)) {
        pages->total_pages = page_guess_keep_pointer(g, HINT_PAGES);
    }
    guess_frame(g);
}

/* --- parameters that take a number ------------------------------------------------------------------- */

bool page_guess_is_asked(const struct page_guessing *g, enum page_hint_kind kind)
{
    const struct page_hint *sent = &g->sent.of[kind];
    struct str name;
    uint64_t number;

    return page_hints_in_url(g->in->url, kind, &name, &number) ||
           (sent->found && page_guess_to_number(sent->value, &number));
}

bool page_guess_is_told(const struct page_guessing *g, enum page_hint_kind kind)
{
    const struct page_hint *told = &g->reply.of[kind];
    uint64_t number;

    return told->found && page_guess_to_number(told->value, &number);
}

char *page_guess_asked_param(struct page_guessing *g, enum page_hint_kind kind)
{
    const struct page_hint *sent = &g->sent.of[kind];
    struct job_pages *pages = &g->out->pages;
    struct str name;

    if (page_hints_in_url(g->in->url, kind, &name, &pages->first)) {
        pages->has_first = true;
        return page_guess_keep_decoded(g, name);
    }
    if (sent->found && page_guess_to_number(sent->value, &pages->first)) {
        pages->has_first = true;
        return page_guess_keep(g, str_view(sent->pointer));
    }
    return NULL;
}

char *page_guess_told_param(struct page_guessing *g, enum page_hint_kind kind)
{
    const struct page_hint *told = &g->reply.of[kind];
    struct job_pages *pages = &g->out->pages;

    if (!told->found || !page_guess_to_number(told->value, &pages->first)) {
        return NULL;
    }
    pages->has_first = true;
    if (kind == HINT_OFFSET || str_equal(told->key, STR("pageNumber"))) {
        return page_guess_keep(g, told->key);
    }
    return page_guess_keep(g, STR("page"));
}

bool page_guess_next_number(const struct page_guessing *g, uint64_t *number)
{
    const char *header;

    return number_in_header(g->in->reply, next_headers, COUNT(next_headers), &header, number);
}

/* --- how much there is -------------------------------------------------------------------------------- */

static bool is_bool(const struct page_hint *hint, bool value)
{
    return hint->found && str_equal(str_trim(hint->value), value ? STR("true") : STR("false"));
}

bool page_guess_is_more(const struct page_guessing *g)
{
    const struct page_hint *of_pages = &g->reply.of[HINT_PAGES];
    const char *name;
    uint64_t pages = 0;

    return (g->out->total != PAGE_TOTAL_UNKNOWN && g->out->total > g->in->count) ||
           (of_pages->found && page_guess_to_number(of_pages->value, &pages) && pages > 1) ||
           (number_in_header(g->in->reply, pages_headers, COUNT(pages_headers), &name, &pages) &&
            pages > 1) ||
           number_in_header(g->in->reply, next_headers, COUNT(next_headers), &name, &pages) ||
           is_bool(&g->reply.of[HINT_MORE], true) || is_bool(&g->reply.of[HINT_LAST], false) ||
           g->reply.is_cut_short;
}

bool page_guess_next_cursor(const struct page_guessing *g, char where[64], const char **param)
{
    char lower[64];

    for (size_t i = 0; g->in->reply->header && i < COUNT(cursors); i++) {
        struct str name = str_view(cursors[i].header);
        struct str value =
            g->in->reply->header(g->in->reply->context, str_lower(name, lower, sizeof lower), 0);

        if (str_trim(value).len) {
            snprintf(where, 64, "header:%s", cursors[i].header);
            *param = cursors[i].param;
            return true;
        }
    }
    return false;
}

/* Asked of every header of every answer: the first letter decides nearly always. */
static bool is_called(struct str name, const char *wanted)
{
    return name.len && (wanted[0] | 0x20) == (name.data[0] | 0x20) &&
           str_equal_nocase(name, str_view(wanted));
}

static bool is_among(struct str name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_called(name, list[i])) {
            return true;
        }
    }
    return false;
}

bool pages_guess_wants_header(struct str name)
{
    for (size_t i = 0; i < COUNT(cursors); i++) {
        if (is_called(name, cursors[i].header)) {
            return true;
        }
    }
    return is_among(name, total_headers, COUNT(total_headers)) ||
           is_among(name, pages_headers, COUNT(pages_headers)) ||
           is_among(name, next_headers, COUNT(next_headers));
}

void pages_guess_told(struct str body, struct pages_told *told)
{
    struct page_hints hints;

    page_hints_find(body, &hints);
    *told = (struct pages_told){ .has_total = false };
    told->has_total = hints.of[HINT_TOTAL].found &&
                      page_guess_to_number(hints.of[HINT_TOTAL].value, &told->total);
    told->has_pages = hints.of[HINT_PAGES].found &&
                      page_guess_to_number(hints.of[HINT_PAGES].value, &told->pages);
}
