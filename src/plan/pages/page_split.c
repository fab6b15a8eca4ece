/* A page that is too large is asked for in smaller ones: "size_param" with less in it, at the same record. */
#include "plan/pages/page_internal.h"
#include "plan/pages/page_style.h"

#include "base/json_scan.h"
#include "base/url_make.h"
#include "plan/sort_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct cut {
    const struct job_endpoint *endpoint;
    const struct request *request;
    const struct page_style *style;
    uint64_t size, smaller; /* records a page, as asked for; what they become */
    struct discoveries *out;
};

/* What the request says of the page's size. */
static bool size_of(const struct cut *c, uint64_t *size)
{
    const char *param = c->endpoint->pages.size_param;
    struct str body = c->request->body.data ? c->request->body : str_view(c->endpoint->body), value;

    if (param[0] == '/') {
        return json_find(body, str_view(param), &value) && str_to_u64(str_trim(value), size);
    }
    return url_param(c->request->url, str_view(param), &value) && str_to_u64(value, size);
}

/* Page numbers count pages of one size: the smaller one must go into it without a rest. */
static uint64_t least_factor(uint64_t n)
{
    for (uint64_t factor = 2; factor * factor <= n; factor++) {
        if (n % factor == 0) {
            return factor;
        }
    }
    return n;
}

static enum result put_number(struct page_texts *texts, const struct cut *c, const char *param,
                              uint64_t number)
{
    struct str url = texts->url.len ? buf_view(&texts->url) : c->request->url;
    struct str body = texts->body.len         ? buf_view(&texts->body)
                      : c->request->body.data ? c->request->body
                                              : str_view(c->endpoint->body);
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, number);
    struct err err;

    return page_texts_set(texts, param, (struct str){ digits, (size_t)len }, url, body, &err);
}

/* `number` is sent where pages have numbers. */
static enum result add(const struct cut *c, uint64_t number, uint64_t size, struct page_at at,
                       struct str key)
{
    struct page_texts texts = { .url = { 0 } };
    struct sort_key place;
    struct request_texts made = { .key = key, .vars = c->request->vars };
    struct discovered *found;
    enum result result = put_number(&texts, c, c->endpoint->pages.size_param, size);

    if (result == RESULT_OK && page_is_numbered(c->endpoint->pages.kind)) {
        at.number = number;
        result = put_number(&texts, c, c->endpoint->pages.param, number);
    }
    if (result == RESULT_OK) {
        if (at.basis == PAGE_PART) {
            sort_key_of_page_part(c->request, at.ordinal, &place);
        } else {
            sort_key_of_page(c->request, at.ordinal, &place);
        }
        made.sort_key = sort_key_view(&place);
        made.url = texts.url.len ? buf_view(&texts.url) : c->request->url;
        made.body = texts.body.len ? buf_view(&texts.body) : c->request->body;
        found = discovered_new(c->request->endpoint, &made, &at);
        result = found ? RESULT_OK : RESULT_NOMEM;
        if (found) {
            discoveries_add(c->out, found);
        }
    }
    page_texts_release(&texts);
    return result == RESULT_INVALID ? RESULT_NOT_FOUND : result;
}

static uint64_t number_of(const struct cut *c)
{
    const struct page_at *at = &c->request->page;

    return at->ordinal ? at->number : page_first_number(&c->endpoint->pages);
}

static uint32_t in_32_bits(uint64_t n)
{
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* The pages after it are not named so far: the listing goes on from here in the smaller size. */
static enum result go_on(const struct cut *c)
{
    const struct job_pages *pages = &c->endpoint->pages;
    struct page_at at = c->request->page;
    uint64_t number = number_of(c), factor = c->size / c->smaller;

    if (pages->kind == JOB_PAGES_NUMBER) {
        number = page_first_number(pages) + factor * (number - page_first_number(pages));
        at.ordinal = in_32_bits(at.ordinal * factor);
    }
    at.previous = at.previous < c->smaller ? at.previous : (uint32_t)c->smaller;
    at.most = at.most < c->smaller ? at.most : (uint32_t)c->smaller;
    at.size = at.size ? (uint32_t)c->smaller : 0;
    return add(c, number, c->smaller, at, c->request->key);
}

/* The pages after it are named already: smaller ones take its place, and name no others. What orders them is the number
 * of their first record. */
static enum result take_place(const struct cut *c)
{
    const struct page_at *page = &c->request->page;
    const struct job_pages *pages = &c->endpoint->pages;
    bool is_offset = c->style->counts_records;
    uint64_t begin = page->basis == PAGE_PART ? page->ordinal : page->ordinal * c->size, number;
    enum result result = RESULT_OK;
    char key[256];

    for (uint64_t at = 0; at < c->size && result == RESULT_OK; at += c->smaller) {
        uint64_t size = c->size - at < c->smaller ? c->size - at : c->smaller;
        struct page_at part = { .chain = page->chain,
                                .total = PAGE_TOTAL_UNKNOWN,
                                .ordinal = in_32_bits(begin + at),
                                .size = (uint32_t)size,
                                .kind = page->kind,
                                .basis = PAGE_PART };

        number = is_offset
                     ? page->number + at
                     : page_first_number(pages) +
                           (page->number - page_first_number(pages)) * (c->size / c->smaller) +
                           at / c->smaller;
        snprintf(key, sizeof key, "%.*s/%" PRIu64,
                 (int)(c->request->key.len < 200 ? c->request->key.len : 200), c->request->key.data,
                 at / c->smaller + 1);
        result = add(c, number, size, part, str_view(key));
    }
    return result;
}

enum result pages_split(const struct job_endpoint *endpoint, const struct request *request,
                        struct discoveries *out, char words[PAGES_SPLIT_WORDS_MAX])
{
    struct cut c = { .endpoint = endpoint,
                     .request = request,
                     .style = page_style_of(endpoint->pages.kind),
                     .out = out };
    bool is_named = page_is_numbered(endpoint->pages.kind) &&
                    (request->page.expected || request->page.basis == PAGE_PART);
    enum result result;

    if (!size_of(&c, &c.size) || c.size < 2 || c.size > PAGES_SIZE_MAX) {
        snprintf(words, PAGES_SPLIT_WORDS_MAX, "a page of one record cannot be halved");
        return RESULT_NOT_FOUND;
    }
    c.smaller = endpoint->pages.kind == JOB_PAGES_NUMBER ? c.size / least_factor(c.size)
                                                         : c.size - c.size / 2;
    result = is_named ? take_place(&c) : go_on(&c);
    if (result != RESULT_OK) {
        return result;
    }
    out->page =
        (struct page_result){ .is_page = true,
                              .total = PAGE_TOTAL_UNKNOWN,
                              .ordinal = request->page.ordinal,
                              .expected = request->page.expected,
                              .size = request->page.size,
                              .end = request->page.ordinal ? PAGE_END_NONE : PAGE_END_SPLIT };
    snprintf(words, PAGES_SPLIT_WORDS_MAX, "asked for again by %" PRIu64 " records, not %" PRIu64,
             c.smaller, c.size);
    return RESULT_OK;
}
