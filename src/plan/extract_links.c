#include "plan/extract_links.h"

#include "base/json_text.h"
#include "base/url.h"
#include "plan/link_child.h"
#include "plan/pages/pages.h"
#include "plan/records.h"
#include "plan/sort_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARS_MAX_BYTES 65536 /* of one request */

struct extract_links {
    const struct job *job;
    struct link_child *children; /* in the order of the endpoints */
    size_t count;
    struct json_pointer *records; /* of each endpoint of the job; without steps: none given */
};

static const struct job_endpoint *endpoint_of(const struct extract_links *h,
                                              const struct link_child *c)
{
    return &h->job->endpoints[c->endpoint];
}

enum result extract_links_new(struct extract_links **made, const struct job *job, struct err *err)
{
    struct extract_links *h = calloc(1, sizeof *h);
    enum result result = RESULT_OK;

    if (h) {
        h->job = job;
        h->children = calloc(job->endpoint_count + 1, sizeof *h->children);
        h->records = calloc(job->endpoint_count + 1, sizeof *h->records);
    }
    if (!h || !h->children || !h->records) {
        extract_links_free(h);
        return err_nomem(err, "preparing the endpoints");
    }
    for (size_t i = 0; i < job->endpoint_count && result == RESULT_OK; i++) {
        const struct job_endpoint *endpoint = &job->endpoints[i];

        if (endpoint->records) {
            result = json_pointer_parse(&h->records[i], str_view(endpoint->records), err);
        }
        if (result == RESULT_OK && endpoint->has_parent) {
            result = link_child_init(&h->children[h->count++], job, (uint32_t)i, err);
        }
    }
    if (result != RESULT_OK) {
        extract_links_free(h);
        return result;
    }
    *made = h;
    return RESULT_OK;
}

void extract_links_free(struct extract_links *h)
{
    if (h) {
        for (size_t i = 0; i < h->count; i++) {
            link_child_release(&h->children[i]);
        }
        free(h->children);
        free(h->records);
        free(h);
    }
}

bool extract_links_wants(const struct extract_links *h, uint32_t endpoint)
{
    for (size_t i = 0; i < h->count; i++) {
        if (endpoint_of(h, &h->children[i])->parent == endpoint) {
            return true;
        }
    }
    return false;
}

/* --- reading --------------------------------------------------------------------------------------------- */

/* One body being read. */
struct reaping {
    const struct extract_links *h;
    const struct request *request;
    struct discoveries *out;
    const struct link_child *child; /* at hand, with the values for the record at hand */
    struct str values[JSON_LOOKS_MAX];
    const size_t *map;                       /* of the template at hand */
    struct buf url, body, key, vars, member; /* kept from record to record */
    uint64_t records, passed_over;
    char why[REQUEST_REASON_MAX]; /* the first one was */
    enum result result;
};

/* The record cannot be asked for, or memory has run out. */
static bool pass_over(struct reaping *r, enum result result, uint64_t record, const char *why)
{
    if (result == RESULT_NOMEM) {
        r->result = result;
    } else if (!r->passed_over++) {
        snprintf(r->why, sizeof r->why, "%s: record %" PRIu64 ": %s",
                 endpoint_of(r->h, r->child)->name, record + 1, why);
    }
    return false;
}

static bool find_value(void *context, size_t index, struct str *json)
{
    const struct reaping *r = context;

    *json = r->values[r->map[index]];
    return json->data != NULL;
}

/* {"products.id":17,"city":"toronto"}: what there is of the child's names. */
static enum result make_vars(struct reaping *r)
{
    enum result result = buf_append_char(&r->vars, '{');

    for (size_t i = 0; i < r->child->count && result == RESULT_OK; i++) {
        if (!r->values[i].data) {
            continue;
        }
        if (r->vars.len > 1) {
            result = buf_append_char(&r->vars, ',');
        }
        if (result == RESULT_OK) {
            result = json_text_append(&r->vars, r->child->wanted[i].name);
        }
        if (result == RESULT_OK) {
            result = buf_append_char(&r->vars, ':');
        }
        if (result == RESULT_OK) {
            result = buf_append_str(&r->vars, r->values[i]);
        }
    }
    return result == RESULT_OK ? buf_append_char(&r->vars, '}') : result;
}

/* "17,toronto": the values of the URL, or of the body when the URL is the same for all. */
static enum result make_key(struct reaping *r, uint64_t record)
{
    const struct link_child *c = r->child;
    bool of_url = template_name_count(c->url) > 0 || !c->body;
    const struct template *t = of_url ? c->url : c->body;
    enum result result = RESULT_OK;

    for (size_t i = 0; i < template_name_count(t) && result == RESULT_OK; i++) {
        struct str value = r->values[of_url ? c->of_url[i] : c->of_body[i]];

        if (r->key.len) {
            result = buf_append_char(&r->key, ',');
        }
        if (result == RESULT_OK) {
            result = template_value_text(value, &r->key);
        }
        result = result == RESULT_NOT_FOUND ? RESULT_OK : result; /* an array in a body */
    }
    if (result == RESULT_OK && !r->key.len) {
        return buf_printf(&r->key, "%" PRIu64, record + 1);
    }
    return result;
}

/* No value may lead a request, and what goes with it, to another host than the job's author named. */
static bool is_allowed(const struct reaping *r, struct err *err)
{
    struct url made, own;
    struct str text = str_view(endpoint_of(r->h, r->child)->sources[0].text);
    struct str rest = text;

    if (url_split(buf_view(&r->url), &made, err) != RESULT_OK) {
        return false;
    }
    (void)str_cut(&rest, '{');
    text.len -= rest.len + (rest.data != NULL); /* up to the first placeholder */
    if (url_split(text, &own, NULL) != RESULT_OK || own.origin.len == text.len) {
        if (url_split(r->request->url, &own, err) != RESULT_OK) {
            return false;
        }
    }
    if (!url_same_origin(&made, &own)) {
        err_set(err, RESULT_DENIED, "", "its URL is on another host: %.*s",
                (int)(made.origin.len < 80 ? made.origin.len : 80), made.origin.data);
        return false;
    }
    return true;
}

static enum result expand(struct reaping *r, const struct template *t, const size_t *map,
                          struct buf *to, struct err *err)
{
    r->map = map;
    return template_expand(t, find_value, r, to, err);
}

/* They are filled in when the request is sent; what cannot be is not asked for. */
static enum result try_headers(struct reaping *r, struct err *err)
{
    struct buf line = { .max = HEADER_LINE_MAX };
    enum result result = RESULT_OK;

    for (size_t i = 0; i < header_fill_count(r->child->headers) && result == RESULT_OK; i++) {
        result = header_fill_line(r->child->headers, i, buf_view(&r->vars), &line, err);
    }
    buf_release(&line);
    return result;
}

static bool make_texts(struct reaping *r, uint64_t record)
{
    struct err err = { .text = "" };
    enum result result = expand(r, r->child->url, r->child->of_url, &r->url, &err);

    if (result == RESULT_OK && r->child->body) {
        result = expand(r, r->child->body, r->child->of_body, &r->body, &err);
    }
    if (result != RESULT_OK) {
        return pass_over(r, result, record, err.text);
    }
    if (!is_allowed(r, &err)) {
        return pass_over(r, RESULT_INVALID, record, err.text);
    }
    result = make_key(r, record);
    if (result == RESULT_OK) {
        result = make_vars(r);
    }
    if (result != RESULT_OK) {
        return pass_over(r, result, record, "its values are too long");
    }
    result = try_headers(r, &err);
    return result == RESULT_OK || pass_over(r, result, record, err.text);
}

/* Adds it, as the first page of a listing when it is one. */
static void add_detail(struct reaping *r, const struct sort_key *place, uint64_t record)
{
    const struct job_endpoint *endpoint = endpoint_of(r->h, r->child);
    struct request_texts texts = { .key = buf_view(&r->key),
                                   .url = buf_view(&r->url),
                                   .body = r->child->body ? buf_view(&r->body) : STR_NONE,
                                   .vars = buf_view(&r->vars),
                                   .sort_key = sort_key_view(place) };
    struct pages_first first = { .url = { 0 } };
    struct err err = { .text = "" };
    struct discovered *found = NULL;

    if (endpoint->pages.kind != JOB_PAGES_NONE) {
        enum result result = pages_first(endpoint, &texts, &first, &err);

        if (result != RESULT_OK) {
            pages_first_release(&first);
            (void)pass_over(r, result, record, err.text);
            return;
        }
        texts.key = buf_view(&first.key);
        texts.url = buf_view(&first.url);
        texts.body = texts.body.data ? buf_view(&first.body) : STR_NONE;
    }
    if (texts.body.data && str_equal(texts.body, str_view(endpoint->body))) {
        texts.body = STR_NONE; /* what its endpoint says */
    }
    found = discovered_new(r->child->endpoint, &texts, &(struct page_at){ 0 });
    if (found) {
        discoveries_add(r->out, found);
    } else {
        r->result = RESULT_NOMEM;
    }
    pages_first_release(&first);
}

/* The record's name in its body, as JSON. */
static struct str key_as_json(struct reaping *r, const struct record_view *record)
{
    buf_reset(&r->member);
    if (!record->key.data) {
        return STR_NONE;
    }
    if (buf_append_char(&r->member, '"') != RESULT_OK ||
        buf_append_str(&r->member, record->key) != RESULT_OK ||
        buf_append_char(&r->member, '"') != RESULT_OK) {
        r->result = RESULT_NOMEM;
        return STR_NONE;
    }
    return buf_view(&r->member);
}

static void take_values(struct reaping *r, const struct record_view *record)
{
    const struct link_child *c = r->child;
    struct str found[JSON_LOOKS_MAX];

    json_look(record->value, c->pointers, c->record_looks, found);
    for (size_t i = 0; i < c->record_looks; i++) {
        r->values[c->looks[i]] = found[i];
    }
    for (size_t i = 0; c->wants_key && i < c->count; i++) {
        if (c->wanted[i].is_key) {
            r->values[i] = key_as_json(r, record);
        }
    }
}

/* Both are the same string, or the same number, boolean or null as it is written. */
static bool is_same(struct str a, struct str b, struct buf *plain)
{
    bool is_text = json_type_of(a) == JSON_STRING;

    if (is_text != (json_type_of(b) == JSON_STRING)) {
        return false;
    }
    buf_reset(plain);
    return is_text ? json_unescape(plain, json_string_raw(b), NULL) == RESULT_OK &&
                         json_raw_equal(json_string_raw(a), buf_view(plain))
                   : str_equal(str_trim(a), str_trim(b));
}

/* The endpoint's "where" lets the record through. */
static bool is_wanted(const struct job_endpoint *endpoint, struct str record)
{
    struct str value, is = str_view(endpoint->where_is), each;
    struct buf plain = { 0 };
    struct json_walk walk;
    bool wanted = false;

    if (!endpoint->where_at) {
        return true;
    }
    if (!json_find(record, str_view(endpoint->where_at), &value)) {
        return false;
    }
    if (!is.data) {
        return json_type_of(value) != JSON_NULL && !str_equal(str_trim(value), STR("false"));
    }
    if (json_type_of(is) != JSON_ARRAY) {
        wanted = is_same(value, is, &plain);
    } else {
        json_walk_begin(&walk, is);
        while (!wanted && json_walk_next(&walk, NULL, &each)) {
            wanted = is_same(value, each, &plain);
        }
    }
    buf_release(&plain);
    return wanted;
}

static bool take_record(void *context, const struct record_view *record)
{
    struct reaping *r = context;
    struct sort_key place;

    if (!is_wanted(endpoint_of(r->h, r->child), record->value)) {
        return true;
    }
    r->records++;
    buf_reset(&r->url);
    buf_reset(&r->body);
    buf_reset(&r->key);
    buf_reset(&r->vars);
    take_values(r, record);
    if (record->index > UINT32_MAX ||
        !sort_key_of_record(r->request, (uint32_t)record->index, &place)) {
        (void)pass_over(r, RESULT_LIMIT, record->index, "too many levels of details");
    } else if (r->result == RESULT_OK && make_texts(r, record->index)) {
        add_detail(r, &place, record->index);
    }
    return r->result == RESULT_OK;
}

/* Values that are the same for all records of the body. */
static void take_vars(struct reaping *r)
{
    const struct link_child *c = r->child;
    struct str found[JSON_LOOKS_MAX];

    memset(r->values, 0, sizeof r->values);
    json_look(r->request->vars, c->pointers + c->record_looks, c->vars_looks, found);
    for (size_t i = 0; i < c->vars_looks; i++) {
        r->values[c->looks[c->record_looks + i]] = found[i];
    }
}

static void note_passed_over(struct reaping *r)
{
    if (r->result == RESULT_OK && r->passed_over) {
        r->result = discoveries_note(r->out, PAGE_NOTE_NO_VALUE,
                                     "%" PRIu64 " of %" PRIu64 " not asked for, %s", r->passed_over,
                                     r->records, r->why);
    }
}

enum result extract_links_read(const struct extract_links *h, const struct request *request,
                               struct str body, struct discoveries *out)
{
    const struct json_pointer *records = &h->records[request->endpoint];
    struct reaping r = { .h = h, .request = request, .out = out };

    buf_init(&r.url, JOB_URL_MAX);
    buf_init(&r.body, JOB_BODY_MAX);
    buf_init(&r.key, JOB_URL_MAX);
    buf_init(&r.vars, VARS_MAX_BYTES);
    for (size_t i = 0; i < h->count && r.result == RESULT_OK; i++) {
        r.child = &h->children[i];
        if (endpoint_of(h, r.child)->parent == request->endpoint) {
            take_vars(&r);
            records_each(body, records, take_record, &r);
        }
    }
    note_passed_over(&r);
    buf_release(&r.url);
    buf_release(&r.body);
    buf_release(&r.key);
    buf_release(&r.vars);
    buf_release(&r.member);
    return r.result;
}
