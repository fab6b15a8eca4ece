/* Cursors: a member of each answer goes into the next request. */
#include "plan/pages/page_style.h"

#include "base/json_scan.h"
#include "base/url_make.h"

#include <stdio.h>
#include <string.h>

/* --- the next request ---------------------------------------------------------------------------------- */

static void bad_cursor(struct listing *l, const struct err *err)
{
    LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT, "%s: the cursor %.*s: %s", l->pages.next,
                 STR_ARG(page_shown(l->next)), err->text);
    listing_end(l, PAGE_END_BAD_NEXT);
}

/* A URL without its last `count` parameters. */
static struct str without_last(struct str url, uint64_t count)
{
    while (count-- && url.len) {
        while (url.len && url.data[url.len - 1] != '&' && url.data[url.len - 1] != '?') {
            url.len--;
        }
        url.len -= url.len > 0;
    }
    return url;
}

/* Sets one of the members in the URL, whose memory changes. `*added` counts those that were not in it before:
 * they stand after all others then. */
static enum result set_member(struct buf *url, struct str key, struct str value, uint64_t *added,
                              struct err *err)
{
    struct page_texts texts = { .url = { 0 } };
    struct buf name = { .max = JOB_URL_MAX };
    struct str encoded;
    enum result result = json_unescape(&name, key, NULL);

    if (result == RESULT_OK && (!buf_cstr(&name) || buf_cstr(&name)[0] == '/')) {
        result = err_set(err, RESULT_INVALID, "E-PAG2", "has a member that is no parameter");
    }
    if (result == RESULT_OK) {
        *added += !url_param(buf_view(url), buf_view(&name), &encoded);
        result = page_texts_set(&texts, buf_cstr(&name), value, buf_view(url), STR_NONE, err);
    }
    if (result == RESULT_OK) {
        buf_release(url);
        buf_take(url, &texts.url);
    }
    page_texts_release(&texts);
    buf_release(&name);
    return result;
}

/* MediaWiki's way: the members of an object are parameters of the next request, in the place of those that the
 * object before had. They stand at the end of its URL, `number` of them. */
static void name_members(struct listing *l)
{
    struct page_texts texts = { .url = { .max = JOB_URL_MAX } };
    struct err err = { .result = RESULT_OK };
    struct json_walk walk;
    struct str key, value;
    uint64_t added = 0;
    enum result result = buf_append_str(&texts.url, without_last(l->request->url, l->page.number));

    if (result == RESULT_OK && json_type_of(l->next) != JSON_OBJECT) {
        result = err_set(&err, RESULT_INVALID, "E-PAG2", "is no object of parameters");
    }
    json_walk_begin(&walk, l->next);
    while (result == RESULT_OK && json_walk_next(&walk, &key, &value)) {
        result = set_member(&texts.url, key, value, &added, &err);
    }
    if (result == RESULT_OK) {
        listing_add_named(l, &texts, added);
    } else if (result == RESULT_INVALID) {
        bad_cursor(l, &err);
    } else {
        l->result = RESULT_NOMEM;
    }
    page_texts_release(&texts);
}

static void name_cursor(struct listing *l)
{
    struct page_texts texts = { .url = { 0 } };
    struct err err = { .result = RESULT_OK };

    switch (
        page_texts_set(&texts, l->pages.param, l->next, l->request->url, listing_body(l), &err)) {
    case RESULT_OK:
        listing_add_named(l, &texts, 0);
        break;
    case RESULT_INVALID:
        bad_cursor(l, &err);
        break;
    default:
        l->result = RESULT_NOMEM;
        break;
    }
    page_texts_release(&texts);
}

static void read(struct listing *l)
{
    if (!listing_names_next(l, PAGE_END_NO_CURSOR)) {
        return;
    }
    if (l->pages.param[0] == '*') {
        name_members(l);
    } else {
        name_cursor(l);
    }
}

/* --- a guess --------------------------------------------------------------------------------------------- */

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
static char *cursor_param(struct page_guessing *g)
{
    const struct page_hint *next = &g->reply.of[HINT_NEXT];
    struct str name = cursor_name(next), of_url;
    uint64_t number;
    char pointer[PAGES_GUESS_POINTER_MAX];
    struct str found;

    if (str_equal(name, STR("*"))) {
        return page_guess_keep(g, name);
    }
    if (page_hints_cursor_in_url(g->in->url, &of_url) ||
        (str_equal(name, STR("page")) &&
         page_hints_in_url(g->in->url, HINT_PAGE, &of_url, &number)) ||
        (str_equal(name, STR("offset")) &&
         page_hints_in_url(g->in->url, HINT_OFFSET, &of_url, &number))) {
        return page_guess_keep_decoded(g, of_url);
    }
    if (json_type_of(g->in->body) != JSON_OBJECT) {
        return page_guess_keep(g, name);
    }
    if (g->sent.cursor_param.found) {
        return page_guess_keep(g, str_view(g->sent.cursor_param.pointer));
    }
    snprintf(pointer, sizeof pointer, "%s/%.*s",
             json_find(g->in->body, STR("/query"), &found) ? "/variables" : "", STR_ARG(name));
    return page_guess_keep(g, str_view(pointer));
}

/* The cursor is in a header: where the request has one it goes, else by the header's own kind. */
static bool fill_from_header(struct page_guessing *g, const char *where, const char *param)
{
    struct job_pages *pages = &g->out->pages;
    struct str of_url;

    pages->param = page_hints_cursor_in_url(g->in->url, &of_url)
                       ? page_guess_keep_decoded(g, of_url)
                       : page_guess_keep(g, str_view(param));
    pages->next = page_guess_keep(g, str_view(where));
    pages->total_pages = NULL;
    return pages->next && pages->param;
}

static unsigned rank(const struct page_guessing *g)
{
    const struct page_hint *next = &g->reply.of[HINT_NEXT];
    const char *param;
    char where[64];

    if (page_guess_next_cursor(g, where, &param)) {
        return PAGE_RANK_NAMED;
    }
    return next->found && next->has_value && page_hint_param(next) &&
                   !page_guess_looks_like_url(next->value)
               ? PAGE_RANK_NAMED
               : 0;
}

static bool fill(struct page_guessing *g)
{
    const struct page_hint *next = &g->reply.of[HINT_NEXT];
    struct job_pages *pages = &g->out->pages;
    const char *param;
    char where[64];

    if (page_guess_next_cursor(g, where, &param)) {
        return fill_from_header(g, where, param);
    }
    if (!next->found) { /* left out on the last page */
        return true;
    }
    pages->param = page_hint_param(next) ? cursor_param(g) : NULL;
    pages->next = page_guess_keep_pointer(g, HINT_NEXT);
    pages->total_pages = NULL;
    return pages->next && pages->param;
}

static void describe(const char *param, const char *next, char words[PAGES_GUESS_WORDS_MAX])
{
    if (param[0] == '*') {
        snprintf(words, PAGES_GUESS_WORDS_MAX, "the members of %s are parameters of the next one",
                 next);
    } else {
        snprintf(words, PAGES_GUESS_WORDS_MAX, "the cursor at %s goes into %s", next, param);
    }
}

const struct page_style page_style_cursor = {
    .may_repeat = true,
    .read = read,
    .rank = rank,
    .fill = fill,
    .describe = describe,
};
