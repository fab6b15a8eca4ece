#include "plan/split.h"

#include "plan/pages/pages.h"
#include "plan/sort_key.h"

#include <stdio.h>
#include <string.h>

#define LOOKED_AT 4096 /* bytes of what an error says */

/* --- is it too much? -------------------------------------------------------------------------------------- */

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static bool has_phrase(struct str text, const char *phrase)
{
    size_t len = strlen(phrase);

    for (size_t i = 0; i + len <= text.len; i++) {
        size_t k = 0;

        while (k < len && lower(text.data[i + k]) == phrase[k]) {
            k++;
        }
        if (k == len) {
            return true;
        }
    }
    return false;
}

static bool has_any(struct str text, const char *const *phrases, size_t count)
{
    text.len = text.len < LOOKED_AT ? text.len : LOOKED_AT;
    for (size_t i = 0; i < count; i++) {
        if (has_phrase(text, phrases[i])) {
            return true;
        }
    }
    return false;
}

/* What servers say of a query whose result is too large: Elasticsearch, GitHub, ArcGIS, NVD, Socrata, Overpass. */
static bool speaks_of_too_many(struct str text)
{
    static const char *const phrases[] = {
        "too many result",
        "too many record",
        "too many row",
        "too many feature",
        "too many match",
        "too many item",
        "result window",
        "result set too large",
        "results exceed",
        "only the first",
        "narrow your",
        "narrow the",
        "refine your",
        "more than the max",
        "exceeds the max",
        "exceed the max",
        "exceeded the maximum number",
        "maximum number of records",
        "maximum number of results",
    };

    return has_any(text, phrases, sizeof phrases / sizeof phrases[0]);
}

/* A 422 is also what frameworks (FastAPI, Rails, GitHub) say of a parameter that they cannot read. */
static bool speaks_of_a_mistake(struct str text)
{
    static const char *const phrases[] = { "\"loc\"",     "validation", "value_error", "invalid",
                                           "is required", "is missing", "not a valid" };

    return has_any(text, phrases, sizeof phrases / sizeof phrases[0]);
}

static enum split_cause of_status(const struct split_view *view)
{
    switch (view->status) {
    case 413:
        return SPLIT_TOO_LARGE;
    case 422:
        return view->is_trial ||
                       (speaks_of_a_mistake(view->body) && !speaks_of_too_many(view->body))
                   ? SPLIT_NONE
                   : SPLIT_TOO_MANY;
    case 408:
    case 504:
    case 524:
        return view->attempt >= SPLIT_TRIES ? SPLIT_TOO_LARGE : SPLIT_NONE;
    case 400:
    case 403:
    case 406:
    case 500:
        return !view->is_trial && speaks_of_too_many(view->body) ? SPLIT_TOO_MANY : SPLIT_NONE;
    default:
        return SPLIT_NONE;
    }
}

enum split_cause split_cause_of(const struct job_endpoint *endpoint, const struct split_view *view)
{
    if (!endpoint->split.is_wanted) {
        return SPLIT_NONE;
    }
    switch (view->outcome) {
    case OUTCOME_OK:
        return endpoint->split.over && view->total != PAGE_TOTAL_UNKNOWN &&
                       view->total > endpoint->split.over
                   ? SPLIT_TOO_MANY
                   : SPLIT_NONE;
    case OUTCOME_STATUS:
        return of_status(view);
    case OUTCOME_TOO_BIG:
        return SPLIT_TOO_LARGE;
    case OUTCOME_TIMEOUT:
        return view->attempt >= SPLIT_TRIES ? SPLIT_TOO_LARGE : SPLIT_NONE;
    case OUTCOME_NO_RECORDS:
        return speaks_of_too_many(view->body) ? SPLIT_TOO_MANY : SPLIT_NONE;
    default:
        return SPLIT_NONE;
    }
}

/* --- a window --------------------------------------------------------------------------------------------- */

struct halving {
    const struct job_endpoint *endpoint;
    const struct expansion *expansion;
    const struct request *request;
    struct discoveries made;
    struct str urls[2]; /* of `made` */
    struct str bodies[2];
};

static enum result add_half(struct halving *h, unsigned part, const struct dates_window *window)
{
    struct expansion_texts texts = { .since = STR_NONE };
    struct pages_first first = { .key = { .max = 0 } };
    const struct page_at page = { .chain = 0 };
    struct sort_key place;
    struct request_texts made = { .key = STR_NONE };
    struct discovered *found = NULL;
    struct err err;
    enum result result =
        sort_key_of_part(h->request, part, SPLIT_DEPTH_MAX, &place)
            ? expansion_read_window(h->expansion, h->request->vars, window, &texts, &err)
            : RESULT_NOT_FOUND;

    if (result == RESULT_OK) {
        made =
            (struct request_texts){ .key = buf_view(&texts.key),
                                    .url = buf_view(&texts.url),
                                    .body = h->endpoint->body ? buf_view(&texts.body) : STR_NONE };
        result = pages_first(h->endpoint, &made, &first, &err);
    }
    if (result == RESULT_OK) {
        made.key = buf_view(&first.key);
        made.url = buf_view(&first.url);
        made.body = first.body.len ? buf_view(&first.body) : STR_NONE;
        made.vars = buf_view(&texts.vars);
        made.sort_key = sort_key_view(&place);
        found = discovered_new(h->request->endpoint, &made, &page);
        result = found ? RESULT_OK : RESULT_NOMEM;
    }
    if (found) {
        h->urls[part] = found->texts.url;
        h->bodies[part] = found->texts.body;
        discoveries_add(&h->made, found);
    }
    expansion_texts_release(&texts);
    pages_first_release(&first);
    return result == RESULT_OK || result == RESULT_NOMEM ? result : RESULT_NOT_FOUND;
}

/* The format cannot tell them apart: one of them asks what was asked already. */
static bool is_the_whole(const struct halving *h, unsigned part)
{
    struct str body = h->request->body;

    return str_equal(h->urls[part], h->request->url) &&
           (!body.data || !h->bodies[part].data || str_equal(h->bodies[part], body));
}

static enum result halve_window(struct halving *h, char words[SPLIT_WORDS_MAX])
{
    struct dates_window halves[2];
    enum result result =
        h->expansion ? expansion_halve(h->expansion, h->request->vars, halves) : RESULT_NOT_FOUND;

    if (result == RESULT_NOT_FOUND) {
        snprintf(words, SPLIT_WORDS_MAX, "its window cannot be halved any more");
        return result;
    }
    for (unsigned part = 0; part < 2 && result == RESULT_OK; part++) {
        result = add_half(h, part, &halves[part]);
    }
    if (result == RESULT_OK && (is_the_whole(h, 0) || is_the_whole(h, 1))) {
        result = RESULT_NOT_FOUND;
    }
    if (result == RESULT_OK) {
        const struct discovered *a = h->made.first, *b = a->next;

        h->made.page = (struct page_result){ .is_page = h->endpoint->pages.kind != JOB_PAGES_NONE,
                                             .total = PAGE_TOTAL_UNKNOWN,
                                             .end = PAGE_END_SPLIT };
        snprintf(words, SPLIT_WORDS_MAX, "asked for in two: %.*s and %.*s",
                 (int)(a->texts.key.len < 60 ? a->texts.key.len : 60), a->texts.key.data,
                 (int)(b->texts.key.len < 60 ? b->texts.key.len : 60), b->texts.key.data);
    } else {
        snprintf(words, SPLIT_WORDS_MAX, "its window cannot be halved any more");
    }
    return result;
}

/* --- both ------------------------------------------------------------------------------------------------- */

static enum result make_window(struct halving *h, char words[SPLIT_WORDS_MAX])
{
    /* Pages of a listing that has begun have records in the table: only its first one may be taken back. */
    if (h->request->page.ordinal) {
        snprintf(
            words, SPLIT_WORDS_MAX,
            "pages before it have come, so its window is not halved; \"split\": {\"over\": ...} "
            "with the records that the server lets in halves it at the first page");
        return RESULT_NOT_FOUND;
    }
    return halve_window(h, words);
}

enum result split_make(const struct job_endpoint *endpoint, const struct expansion *expansion,
                       const struct request *request, enum split_cause cause,
                       struct discoveries *out, char words[SPLIT_WORDS_MAX])
{
    struct halving h = { .endpoint = endpoint, .expansion = expansion, .request = request };
    bool has_window = expansion && expansion_has_window(expansion);
    bool is_window_first = has_window && cause == SPLIT_TOO_MANY;
    enum result result = RESULT_NOT_FOUND;

    words[0] = '\0';
    for (unsigned n = 0; n < 2 && result == RESULT_NOT_FOUND; n++) {
        if ((n == 0) == is_window_first) {
            result = has_window ? make_window(&h, words) : result;
        } else if (endpoint->pages.size_param &&
                   !(endpoint->split.over && cause == SPLIT_TOO_MANY)) {
            result = pages_split(endpoint, request, &h.made, words);
        }
        if (result != RESULT_OK) {
            discoveries_release(&h.made);
            h.made = (struct discoveries){ .first = NULL };
        }
    }
    if (result == RESULT_OK) {
        discoveries_release(out);
        *out = h.made;
    }
    return result;
}
