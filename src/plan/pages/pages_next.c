/* Pages that name the next one: by a cursor, a URL in the body, or the Link header. */
#include "plan/pages/page_internal.h"

#include "base/json_scan.h"
#include "base/url.h"
#include "base/url_make.h"
#include "plan/link.h"

#include <stdlib.h>
#include <string.h>

#define LINK_PARAM_MAX 64 /* bytes of the name of a parameter that counts pages */

/* --- pages that name the next one ------------------------------------------------------------------ */

/* The request at hand once more. */
static bool is_itself(const struct listing *l, const struct page_texts *texts)
{
    return str_equal(buf_view(&texts->url), l->request->url) &&
           (!texts->body.len || str_equal(buf_view(&texts->body), listing_body(l)));
}

/* It names itself. With records that is a circle, unless the page says otherwise that it is the last: some
 * APIs put the end of a list so. A cursor that stays the same while the records change is one of a server that
 * remembers where it is: the same request is made again. */
static void go_on_by_itself(struct listing *l, const struct page_texts *texts, struct page_at at)
{
    enum reached reached = listing_reached(l);

    if (l->out->page.is_repeat) {
        listing_note_repeat(l);
    } else if (!l->count) {
        listing_end(l, reached == REACHED_ALL ? PAGE_END_TOTAL : PAGE_END_EMPTY);
    } else if (l->hint == MORE_NO || reached == REACHED_ALL) {
        listing_end(l, reached == REACHED_ALL ? PAGE_END_TOTAL : PAGE_END_NO_MORE);
    } else if (l->pages.kind == JOB_PAGES_CURSOR && l->page.ordinal) {
        at.repeats = l->page.repeats + 1;
        if (listing_is_within(l, at.ordinal)) {
            listing_add(l, texts, at);
        }
    } else {
        LISTING_NOTE(l, PAGE_NOTE_BACK, "page %u names itself as the next one",
                     (unsigned)l->page.ordinal + 1);
        listing_end(l, PAGE_END_BACK);
    }
}

/* Adds the page unless the listing would go round in a circle, or on for ever. A total that is reached with a
 * page that is not full ends it, whatever is named: the last page of some APIs names a next one too. */
static void add_named(struct listing *l, const struct page_texts *texts, uint64_t number)
{
    struct page_at at = { .ordinal = l->page.ordinal + 1,
                          .number = number,
                          .total = l->has_told ? l->told : l->page.total,
                          .empty = l->count ? 0 : l->page.empty + 1 };

    if (is_itself(l, texts)) {
        go_on_by_itself(l, texts, at);
    } else if (l->more != MORE_YES && listing_reached(l) == REACHED_ALL && listing_is_short(l)) {
        listing_end(l, PAGE_END_TOTAL);
    } else if ((!at.empty || listing_bears_empty(l, at.empty)) &&
               listing_is_within(l, at.ordinal)) {
        listing_add(l, texts, at);
    }
}

static bool find_key(const struct listing *l, struct str url, struct str *name)
{
    struct url_params params;
    struct str value;

    url_params_begin(&params, url);
    while (l->key_param && url_params_next(&params, name, &value)) {
        if (url_name_is(*name, str_view(l->key_param))) {
            return true;
        }
    }
    return false;
}

/* A server may repeat the API key of the query that it was asked with: that is put in again when the request
 * is sent. (Other secrets are sealed before they are written down: engine/seal.c.) */
static enum result drop_keys(const struct listing *l, struct buf *url)
{
    enum result result = RESULT_OK;
    struct str name;

    while (result == RESULT_OK && find_key(l, buf_view(url), &name)) {
        struct buf made = { .max = JOB_URL_MAX };
        char *plain = str_dup(name); /* encoded as it may be, it is told by what it means */

        result = plain ? url_append_without_param(&made, buf_view(url), url_decode(name, plain))
                       : RESULT_NOMEM;
        free(plain);
        explicit_bzero(url->data, url->cap);
        buf_release(url);
        buf_take(url, &made);
    }
    return result;
}

/* Appends the URL that `reference` means, if it may be asked; else notes why not. */
static bool resolve(struct listing *l, struct str reference, struct buf *to)
{
    struct err err = { .result = RESULT_OK };
    struct buf mended = { .max = JOB_URL_MAX };
    struct url here, there;
    char key[URL_ORIGIN_MAX];
    enum result result = url_append_mended(&mended, reference);

    buf_init(to, JOB_URL_MAX);
    if (result == RESULT_OK) {
        result = url_append_resolved(to, request_url(l->request), buf_view(&mended));
    }
    buf_release(&mended);
    switch (result == RESULT_OK ? drop_keys(l, to) : result) {
    case RESULT_OK:
        break;
    case RESULT_LIMIT:
        LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT, "the next page's URL is over %d bytes", JOB_URL_MAX);
        listing_end(l, PAGE_END_BAD_NEXT);
        return false;
    default:
        l->result = RESULT_NOMEM;
        return false;
    }
    if (url_split(l->request->url, &here, NULL) != RESULT_OK ||
        url_split(buf_view(to), &there, &err) != RESULT_OK) {
        /* Without its query, in which a server may repeat a credential. */
        LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT, "the next page is \"%.*s\": %s",
                     STR_ARG(page_shown(str_cut(&reference, '?'))), err.text);
        listing_end(l, PAGE_END_BAD_NEXT);
        return false;
    }
    if (!url_same_origin(&here, &there)) {
        url_origin_key(&there, key);
        LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT, "the next page is on %s: not followed there", key);
        listing_end(l, PAGE_END_BAD_NEXT);
        return false;
    }
    to->len = there.origin.len + there.target.len;
    return true;
}

static void name_url(struct listing *l, struct str reference)
{
    struct page_texts texts = { .url = { 0 } };

    if (resolve(l, reference, &texts.url)) {
        add_named(l, &texts, 0);
    }
    page_texts_release(&texts);
}

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
        add_named(l, &texts, added);
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
        add_named(l, &texts, 0);
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
        name_url(l, buf_view(&text));
    } else {
        l->result = RESULT_NOMEM;
    }
    buf_release(&text);
}

void listing_read_named(struct listing *l)
{
    bool is_url = l->pages.kind == JOB_PAGES_NEXT, none = page_is_none(l->next);

    if (l->more == MORE_NO) {
        listing_end(l, PAGE_END_NO_MORE);
    } else if (none && (l->more == MORE_YES || l->hint == MORE_YES)) {
        LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT, "%s says there is more, but %s finds nothing",
                     l->more == MORE_YES && l->pages.has_more ? l->pages.has_more : "the page",
                     l->pages.next ? l->pages.next : "it");
        listing_end(l, PAGE_END_UNKNOWN);
    } else if (none) {
        listing_end(l, is_url ? PAGE_END_NO_NEXT : PAGE_END_NO_CURSOR);
    } else if (is_url) {
        name_next(l);
    } else if (l->pages.param[0] == '*') {
        name_members(l);
    } else {
        name_cursor(l);
    }
}

/* --- the Link header -------------------------------------------------------------------------------- */

static bool find_link(const struct listing *l, struct str relation, struct str *target)
{
    for (unsigned n = 0; l->reply->header; n++) {
        struct str value = l->reply->header(l->reply->context, STR("link"), n);

        if (!value.data) {
            break;
        }
        if (link_find(value, relation, target)) {
            return true;
        }
    }
    return false;
}

static bool contains_page(struct str name)
{
    for (size_t i = 0; i + 4 <= name.len; i++) {
        if (str_equal_nocase((struct str){ name.data + i, 4 }, STR("page"))) {
            return true;
        }
    }
    return false;
}

static bool is_offset_name(struct str name)
{
    static const struct str names[] = { STR_INIT("offset"), STR_INIT("start"), STR_INIT("_start"),
                                        STR_INIT("skip") };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_equal_nocase(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* The one parameter in which two URLs differ, and its two numbers. */
static bool differing_number(struct str a, struct str b, struct str *name, uint64_t *of_a,
                             uint64_t *of_b)
{
    struct url_params in_a, in_b;
    struct str a_name, b_name, a_value, b_value;
    size_t differing = 0;
    bool more_a, more_b, numbers = true;

    url_params_begin(&in_a, a);
    url_params_begin(&in_b, b);
    if (!in_a.rest.data || !in_b.rest.data || in_a.rest.data - a.data != in_b.rest.data - b.data ||
        memcmp(a.data, b.data, (size_t)(in_a.rest.data - a.data)) != 0) {
        return false;
    }
    do {
        more_a = url_params_next(&in_a, &a_name, &a_value);
        more_b = url_params_next(&in_b, &b_name, &b_value);
        if (more_a != more_b || (more_a && !str_equal(a_name, b_name))) {
            return false;
        }
        if (more_a && !str_equal(a_value, b_value)) {
            differing++;
            *name = a_name;
            numbers = str_to_u64(a_value, of_a) && str_to_u64(b_value, of_b);
        }
    } while (more_a);
    return differing == 1 && numbers;
}

/* Whether the pages from the next to the last can be counted: their links differ in one number, of which
 * it is known by how much it grows from page to page. `name` keeps that of the parameter. */
static bool plan_by_links(const struct listing *l, struct str next, struct str last,
                          struct page_plan *c, char name[LINK_PARAM_MAX + 1])
{
    struct str param, own, decoded;
    uint64_t of_next, of_last, of_own;

    if (!differing_number(next, last, &param, &of_next, &of_last) || of_last <= of_next) {
        return false;
    }
    if (param.len > LINK_PARAM_MAX) {
        return false;
    }
    decoded = url_decode(param, name);
    name[decoded.len] = '\0';
    if (url_param(l->request->url, decoded, &own) && str_to_u64(own, &of_own) && of_own < of_next) {
        c->step = of_next - of_own;
    } else if (contains_page(decoded)) {
        c->step = 1;
    } else if (is_offset_name(decoded)) {
        c->step = of_next;
    } else {
        return false;
    }
    if (name[0] == '/' || !c->step || c->step > of_next || c->step > PAGES_SIZE_MAX ||
        (of_last - of_next) % c->step) {
        return false;
    }
    c->known = true;
    c->number = of_next - c->step;
    c->size = c->step;
    c->expected = (of_last - of_next) / c->step + l->page.ordinal + 2;
    c->announced = c->expected;
    c->url = next;
    c->param = name;
    return true;
}

void listing_read_link(struct listing *l)
{
    struct str next, last;
    struct buf next_url = { 0 }, last_url = { 0 };
    char name[LINK_PARAM_MAX + 1];
    struct page_plan c = { .known = false };
    bool has_last = find_link(l, STR("last"), &last);

    if (!find_link(l, STR("next"), &next)) {
        if (!l->page.expected || l->page.ordinal + 1 == l->page.expected) {
            listing_end(l, PAGE_END_NO_NEXT);
        }
    } else if (resolve(l, next, &next_url)) {
        if (has_last && resolve(l, last, &last_url) &&
            plan_by_links(l, buf_view(&next_url), buf_view(&last_url), &c, name)) {
            if (l->page.expected) {
                listing_keep_plan(l, &c);
            } else {
                listing_begin_plan(l, &c);
            }
        } else if (!l->page.expected || l->page.ordinal + 1 == l->page.expected) {
            name_url(l, next);
        }
    }
    buf_release(&next_url);
    buf_release(&last_url);
}
