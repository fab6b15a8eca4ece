/* Pages that name the next one: whether it may be asked for, and whether the listing would go round. */
#include "plan/pages/page_style.h"

#include "base/os.h"
#include "base/url.h"
#include "base/url_make.h"

#include <stdlib.h>

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
    } else if (l->style->may_repeat && l->page.ordinal) {
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

/* A total that is reached with a page that is not full ends the listing, whatever is named: the last page of
 * some APIs names a next one too. */
void listing_add_named(struct listing *l, const struct page_texts *texts, uint64_t number)
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
        os_wipe(url->data, url->cap);
        buf_release(url);
        buf_take(url, &made);
    }
    return result;
}

bool listing_resolve(struct listing *l, struct str reference, struct buf *to)
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

void listing_add_url(struct listing *l, struct str reference)
{
    struct page_texts texts = { .url = { 0 } };

    if (listing_resolve(l, reference, &texts.url)) {
        listing_add_named(l, &texts, 0);
    }
    page_texts_release(&texts);
}

bool listing_names_next(struct listing *l, enum page_end without)
{
    if (l->more == MORE_NO) {
        listing_end(l, PAGE_END_NO_MORE);
        return false;
    }
    if (!page_is_none(l->next)) {
        return true;
    }
    if (l->more == MORE_YES || l->hint == MORE_YES) {
        LISTING_NOTE(l, PAGE_NOTE_BAD_NEXT, "%s says there is more, but %s finds nothing",
                     l->more == MORE_YES && l->pages.has_more ? l->pages.has_more : "the page",
                     l->pages.next ? l->pages.next : "it");
        without = PAGE_END_UNKNOWN;
    }
    listing_end(l, without);
    return false;
}
