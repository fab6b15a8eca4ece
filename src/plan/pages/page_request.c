/* Requests for pages: parameters set in the URL or body of another one, keys, and loops found out. */
#include "plan/pages/page_internal.h"

#include "base/json_put.h"
#include "base/url_make.h"
#include "plan/sort_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void page_texts_release(struct page_texts *texts)
{
    buf_release(&texts->url);
    buf_release(&texts->body);
}

struct str listing_body(const struct listing *listing)
{
    return listing->request->body.data ? listing->request->body : str_view(listing->endpoint->body);
}

static enum result take_result(enum result result, struct err *err)
{
    if (result == RESULT_LIMIT) {
        return err_set(err, RESULT_INVALID, "E-URL7", "URL or body would be too long");
    }
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "making a page's request");
}

static enum result set_in_body(struct buf *to, const char *param, struct str json, struct str body,
                               struct err *err)
{
    struct json_pointer pointer;
    enum result result = json_pointer_parse(&pointer, str_view(param), err);

    if (result != RESULT_OK) {
        return result;
    }
    if (!json_check(body, JSON_DEPTH_MAX, NULL)) {
        return err_set(err, RESULT_INVALID, "E-PAG1",
                       "%s is to be set in the request's body, which is no JSON", param);
    }
    buf_init(to, JOB_BODY_MAX);
    result = json_put(to, body, &pointer, json);
    return result == RESULT_NOT_FOUND ? err_set(err, RESULT_INVALID, "E-PAG1",
                                                "%s cannot be set in the request's body", param)
                                      : take_result(result, err);
}

/* A control character would be sent as %0A, but means that somebody tries something (RELIABILITY d, 42). */
static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7F) {
            return true;
        }
    }
    return false;
}

/* The bytes that a string or number is sent as. */
static enum result plain_text(struct buf *to, struct str json, struct err *err)
{
    uint64_t lone = 0;
    enum result result;

    switch (json_type_of(json)) {
    case JSON_NUMBER:
        return take_result(buf_append_str(to, str_trim(json)), err);
    case JSON_STRING:
        result = take_result(json_unescape(to, json_string_raw(json), &lone), err);
        break;
    default:
        return err_set(err, RESULT_INVALID, "E-PAG2", "is neither text nor number");
    }
    if (result == RESULT_OK && has_control(buf_view(to))) {
        return err_set(err, RESULT_INVALID, "E-HDR2", "holds a line break or control character");
    }
    if (result == RESULT_OK && lone) {
        return err_set(err, RESULT_INVALID, "E-PAG2", "holds half a character (a lone surrogate)");
    }
    return result;
}

static enum result set_in_url(struct buf *to, const char *param, struct str plain, struct str url,
                              struct err *err)
{
    struct buf encoded = { 0 };
    enum result result = take_result(url_append_encoded(&encoded, plain), err);

    if (result == RESULT_OK) {
        buf_init(to, JOB_URL_MAX);
        result =
            take_result(url_append_with_param(to, url, str_view(param), buf_view(&encoded)), err);
    }
    buf_release(&encoded);
    return result;
}

enum result page_texts_set(struct page_texts *texts, const char *param, struct str json,
                           struct str url, struct str body, struct err *err)
{
    bool in_body = param[0] == '/';
    struct buf plain = { 0 }, made = { 0 };
    enum result result = RESULT_OK;

    if (!in_body || json_type_of(json) == JSON_STRING || json_type_of(json) == JSON_NUMBER) {
        buf_init(&plain, JOB_BODY_MAX);
        result = plain_text(&plain, json, err);
    }
    if (result == RESULT_OK) {
        result = in_body ? set_in_body(&made, param, json, body, err)
                         : set_in_url(&made, param, buf_view(&plain), url, err);
    }
    if (result == RESULT_OK && in_body && !texts->url.len) {
        result = take_result(buf_append_str(&texts->url, url), err);
    }
    if (result == RESULT_OK) { /* `url` or `body` may be what texts held till now */
        struct buf *old = in_body ? &texts->body : &texts->url;

        buf_release(old);
        buf_take(old, &made);
    }
    buf_release(&plain);
    buf_release(&made);
    return result;
}

/* --- keys ---------------------------------------------------------------------------------------- */

/* The name that a page has in keys: "page", "_start", "after" of "/variables/after". Never a comma, at
 * which a key is cut again. */
static struct str param_name(const struct job_pages *pages)
{
    struct str name = str_view(pages->param);

    while (name.data && memchr(name.data, '/', name.len)) {
        (void)str_cut(&name, '/');
    }
    return page_is_numbered(pages->kind) && name.len && !memchr(name.data, ',', name.len)
               ? name
               : STR("page");
}

static enum result append_key(struct buf *to, const struct job_pages *pages, struct str base,
                              uint64_t number)
{
    struct str name = param_name(pages);

    if (base.len &&
        (buf_append_str(to, base) != RESULT_OK || buf_append_char(to, ',') != RESULT_OK)) {
        return RESULT_NOMEM;
    }
    return buf_printf(to, "%.*s=%" PRIu64, STR_ARG(name), number);
}

/* A key without its page. */
static struct str key_base(struct str key)
{
    size_t len = key.len;

    while (len && key.data[len - 1] != ',') {
        len--;
    }
    return len ? (struct str){ key.data, len - 1 } : STR_NONE;
}

/* --- the first request ---------------------------------------------------------------------------- */

static enum result set_number(struct page_texts *texts, const char *param, uint64_t number,
                              const struct request_texts *given, struct err *err)
{
    struct str url = texts->url.len ? buf_view(&texts->url) : given->url;
    struct str body = texts->body.len ? buf_view(&texts->body) : given->body;
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, number);

    return page_texts_set(texts, param, (struct str){ digits, (size_t)len }, url, body, err);
}

enum result pages_first(const struct job_endpoint *endpoint, const struct request_texts *given,
                        struct pages_first *made, struct err *err)
{
    const struct job_pages *pages = &endpoint->pages;
    struct page_texts texts = { .url = { 0 } };
    enum result result = take_result(buf_append_str(&texts.url, given->url), err);

    if (result == RESULT_OK && page_is_numbered(pages->kind) && pages->param) {
        result = set_number(&texts, pages->param, page_first_number(pages), given, err);
    }
    if (result == RESULT_OK && pages->size_param && pages->size) {
        result = set_number(&texts, pages->size_param, pages->size, given, err);
    }
    if (result == RESULT_OK && pages->kind == JOB_PAGES_NONE) {
        result = take_result(buf_append_str(&made->key, given->key), err);
    } else if (result == RESULT_OK) {
        result =
            take_result(append_key(&made->key, pages, given->key,
                                   page_is_numbered(pages->kind) ? page_first_number(pages) : 1),
                        err);
    }
    if (result == RESULT_OK && !texts.body.len && given->body.data) {
        result = take_result(buf_append_str(&texts.body, given->body), err);
    }
    if (result == RESULT_OK) {
        buf_take(&made->url, &texts.url);
        buf_take(&made->body, &texts.body);
    }
    page_texts_release(&texts);
    return result;
}

void pages_first_release(struct pages_first *made)
{
    buf_release(&made->key);
    buf_release(&made->url);
    buf_release(&made->body);
}

/* --- further ones --------------------------------------------------------------------------------- */

static uint32_t count_in_32_bits(uint64_t count)
{
    return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

void listing_add(struct listing *l, const struct page_texts *texts, struct page_at at)
{
    struct str base = key_base(l->request->key);
    struct request_texts made = { .url = buf_view(&texts->url),
                                  .body =
                                      texts->body.len ? buf_view(&texts->body) : l->request->body,
                                  .vars = l->request->vars };
    struct buf key = { 0 };
    struct sort_key place;
    struct discovered *found = NULL;

    at.chain = l->page.chain;
    at.kind = l->page.kind;
    at.named_by_crc32c = l->found.crc32c;
    at.came = listing_before(l) + l->count;
    at.previous = count_in_32_bits(l->count);
    at.most = l->page.most > at.previous ? l->page.most : at.previous;
    listing_keep_records(l, &at);
    sort_key_of_page(l->request, at.ordinal, &place);
    made.sort_key = sort_key_view(&place);
    if (l->result == RESULT_OK) {
        l->result =
            append_key(&key, &l->pages, base,
                       page_is_numbered(l->pages.kind) ? at.number : at.ordinal + UINT64_C(1));
    }
    if (l->result == RESULT_OK) {
        made.key = buf_view(&key);
        found = discovered_new(l->request->endpoint, &made, &at);
        l->result = found ? RESULT_OK : RESULT_NOMEM;
    }
    if (found) {
        discoveries_add(l->out, found);
    }
    buf_release(&key);
}
