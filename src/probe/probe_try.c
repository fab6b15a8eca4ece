#include "probe/probe_try.h"

#include "base/json_scan.h"
#include "base/url_make.h"
#include "plan/quota.h"
#include "plan/records.h"
#include "probe/probe_ask.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* What servers call the place of a cursor, of an id that the page begins after, of a number; the most usual first. */
static const char *const cursor_params[] = { "cursor",      "start_cursor",     "after",
                                             "next_cursor", "pagination_token", "page_token",
                                             "pageToken",   "starting_after" };
static const char *const id_params[] = { "starting_after", "after", "after_id", "since_id" };
static const char *const page_params[] = { "page", "p", "page_number", "page[number]" };
static const char *const offset_params[] = { "offset", "skip", "start" };

/* As many records as a page commonly has. */
static const uint64_t usual_sizes[] = { 10, 20, 25, 30, 50, 100, 200, 250, 500, 1000 };

enum came {
    CAME_OTHERS,
    CAME_NONE, /* a page without records */
    CAME_SAME,
    CAME_REFUSED, /* that parameter or value: the next may be taken */
    CAME_NOTHING, /* no further request is to be made */
};

struct trial {
    struct probe_found *found;
    struct json_pointer records;
    struct err *err;
    enum result result;
};

/* --- are they others? ------------------------------------------------------------------------------------- */

/* What tells a record apart: its id, or else all of it. */
static struct str mark_of(const struct probe_shape *shape, struct str record)
{
    struct json_walk walk;
    struct str key, value;

    json_walk_begin(&walk, record);
    while (shape->id != PROBE_NO_COLUMN && json_walk_next(&walk, &key, &value)) {
        if (json_raw_equal(key, columns_name(shape->columns, (uint32_t)shape->id))) {
            return str_trim(value);
        }
    }
    return str_trim(record);
}

struct looking {
    const struct probe_shape *shape;
    struct str mark; /* looked for; or that of the last record */
    bool is_found;
};

static bool look_for(void *context, const struct record_view *record)
{
    struct looking *l = context;

    l->is_found = str_equal(l->mark, mark_of(l->shape, record->value));
    return !l->is_found;
}

static bool take_first(void *context, const struct record_view *record)
{
    struct looking *l = context;

    l->mark = mark_of(l->shape, record->value);
    return false;
}

static bool take_each(void *context, const struct record_view *record)
{
    struct looking *l = context;

    l->mark = mark_of(l->shape, record->value);
    return true;
}

/* By its first record, which page 1 must not have. */
static enum came compare(const struct trial *t, struct str body)
{
    struct looking l = { .shape = &t->found->shape };

    if (!json_check(body, JSON_DEPTH_MAX, NULL) ||
        records_look(body, &t->records).presence == RECORDS_ABSENT) {
        return CAME_REFUSED;
    }
    if (!records_each(body, &t->records, take_first, &l)) {
        return CAME_NONE;
    }
    records_each(t->found->body, &t->records, look_for, &l);
    return l.is_found ? CAME_SAME : CAME_OTHERS;
}

/* --- one request -------------------------------------------------------------------------------------------- */

static enum came judge(const struct trial *t, const struct response *response)
{
    if (response->outcome == OUTCOME_OK) {
        return compare(t, json_without_bom(buf_view(&response->body)));
    }
    return response->outcome == OUTCOME_STATUS && response->status != 429 && response->status != 503
               ? CAME_REFUSED
               : CAME_NOTHING;
}

/* `value` is percent-encoded. */
static enum came ask_with(struct trial *t, const char *param, struct str value)
{
    struct buf url = { .max = JOB_URL_MAX };
    struct response *response = NULL;
    enum came came = CAME_NOTHING;

    if (t->found->tries == PROBE_TRIES_MAX || t->result != RESULT_OK) {
        return CAME_NOTHING;
    }
    t->result = url_append_with_param(&url, probe_url(t->found), str_view(param), value);
    if (t->result == RESULT_LIMIT) {
        t->result = RESULT_OK;
    } else if (t->result == RESULT_OK) {
        t->found->tries++;
        t->result = probe_ask(t->found->job, buf_view(&url), &response, t->err);
    }
    if (response) {
        came = judge(t, response);
        response_free(response);
    }
    buf_release(&url);
    return came;
}

static enum came ask_number(struct trial *t, const char *param, uint64_t number)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);

    return ask_with(t, param, (struct str){ digits, (size_t)len });
}

/* --- parameter after parameter -------------------------------------------------------------------------------- */

/* The guess's own name, then the others. NULL after the last. */
static const char *param_at(const char *own, const char *const *params, size_t count, size_t at)
{
    size_t i = own ? at - 1 : at;

    if (own && !at) {
        return own;
    }
    return i < count ? params[i] : NULL;
}

static bool is_again(const char *own, const char *param)
{
    return own && param != own && strcmp(own, param) == 0;
}

static bool take(struct trial *t, enum job_pages_kind kind, const char *param, const char *next)
{
    bool is_taken = pages_guess_take(&t->found->guess, kind, param, next);

    t->found->tried = is_taken ? PROBE_OTHERS_CAME : PROBE_SAME_CAME;
    return is_taken;
}

/* True when nothing further is to be tried. */
static bool try_cursor(struct trial *t, const char *own, const char *const *params, size_t count,
                       const char *next, struct str value)
{
    const char *param;

    for (size_t i = 0; (param = param_at(own, params, count, i)); i++) {
        enum came came = is_again(own, param) ? CAME_SAME : ask_with(t, param, value);

        if (came == CAME_OTHERS) {
            return take(t, JOB_PAGES_CURSOR, param, next);
        }
        if (came == CAME_NOTHING) {
            return true;
        }
    }
    return false;
}

/* Which number is page 1's: with the other one, a page would be left out. */
static bool find_first(struct trial *t, const char *param, uint64_t *first)
{
    for (*first = 1; ask_number(t, param, *first) != CAME_SAME; --*first) {
        if (!*first) {
            return false;
        }
    }
    return true;
}

static bool try_pages(struct trial *t, const char *own)
{
    struct job_pages *pages = &t->found->guess.pages;
    bool knows_first = pages->kind == JOB_PAGES_NUMBER && pages->has_first;
    uint64_t first = knows_first ? pages->first : 1;
    const char *param;

    for (size_t i = 0; (param = param_at(own, page_params, COUNT(page_params), i)); i++) {
        enum came came = is_again(own, param) ? CAME_SAME : ask_number(t, param, first + 1);

        if (came == CAME_OTHERS) {
            if (!knows_first && !find_first(t, param, &first)) {
                return true;
            }
            pages->first = first;
            pages->has_first = true;
            return take(t, JOB_PAGES_NUMBER, param, NULL);
        }
        if (came == CAME_NOTHING || (came == CAME_NONE && !own)) {
            return true;
        }
    }
    return false;
}

static void try_offset(struct trial *t, const char *own)
{
    const struct job_pages *pages = &t->found->guess.pages;
    enum came came = CAME_SAME;
    const char *param;

    for (size_t i = 0;
         (param = param_at(own, offset_params, COUNT(offset_params), i)) && came != CAME_NOTHING;
         i++) {
        came = is_again(own, param) ? CAME_SAME
                                    : ask_number(t, param, pages->first + t->found->shape.count);
        if (came == CAME_OTHERS) {
            take(t, JOB_PAGES_OFFSET, param, NULL);
            return;
        }
    }
}

/* --- what there is to try ------------------------------------------------------------------------------------ */

/* A text or number of the answer, percent-encoded into `out`. False when it is neither, or empty. */
static bool encode(struct trial *t, struct str value, struct buf *out)
{
    struct buf plain = { .max = JOB_URL_MAX };

    if (json_type_of(value) == JSON_NUMBER) {
        t->result = buf_append_str(out, str_trim(value));
    } else if (json_type_of(value) == JSON_STRING) {
        t->result = json_unescape(&plain, json_string_raw(value), NULL);
        if (t->result == RESULT_OK) {
            t->result = url_append_encoded(out, buf_view(&plain));
        }
    }
    buf_release(&plain);
    t->result = t->result == RESULT_LIMIT ? RESULT_INVALID : t->result;
    return t->result == RESULT_OK && out->len;
}

static void try_told_cursor(struct trial *t)
{
    const struct job_pages *pages = &t->found->guess.pages;
    struct buf encoded = { .max = JOB_URL_MAX };
    struct str value;

    if (json_find(t->found->body, str_view(pages->next), &value) && encode(t, value, &encoded)) {
        (void)try_cursor(t, pages->param, cursor_params, COUNT(cursor_params), pages->next,
                         buf_view(&encoded));
    }
    buf_release(&encoded);
}

/* There is more, but nothing says how to ask for it. */
static void try_last_id(struct trial *t)
{
    const struct probe_shape *shape = &t->found->shape;
    struct looking l = { .shape = shape };
    struct buf encoded = { .max = JOB_URL_MAX };
    char next[PAGES_GUESS_POINTER_MAX];
    struct str id;
    bool is_done = false;

    if (shape->id != PROBE_NO_COLUMN) {
        id = columns_name(shape->columns, (uint32_t)shape->id);
        records_each(t->found->body, &t->records, take_each, &l);
        if (!memchr(id.data, '/', id.len) && !memchr(id.data, '~', id.len) &&
            (size_t)snprintf(next, sizeof next, "%s/-/%.*s", shape->records, STR_ARG(id)) <
                sizeof next &&
            encode(t, l.mark, &encoded)) {
            is_done = try_cursor(t, NULL, id_params, COUNT(id_params), next, buf_view(&encoded));
        }
    }
    if (!is_done) {
        (void)try_pages(t, NULL);
    }
    buf_release(&encoded);
}

static bool is_usual(uint64_t count)
{
    for (size_t i = 0; i < COUNT(usual_sizes); i++) {
        if (count == usual_sizes[i]) {
            return true;
        }
    }
    return false;
}

static bool has_few_left(const struct response *response)
{
    struct quota_field fields[QUOTA_POLICIES_MAX];
    struct quota quota = { .has_left = false };
    struct str name, value;
    size_t count = 0, at = 0;

    while (count < QUOTA_POLICIES_MAX && response_header_next(response, &at, &name, &value)) {
        if (quota_is_field(name)) {
            fields[count++] = (struct quota_field){ name, value };
        }
    }
    quota_read(fields, count, response->fetched_at_us, &quota);
    return quota.has_left && quota.left < PROBE_TRIES_MAX;
}

/* A listing of plain records that is read by GET, of which there may be more. */
static bool may_try(const struct probe_found *found)
{
    const struct job_endpoint *endpoint = &found->job->endpoints[0];

    return strcmp(endpoint->method, "GET") == 0 && !endpoint->body && !found->are_texts &&
           found->shape.shape == RECORD_SHAPE_OBJECTS && found->shape.count &&
           !strchr(found->shape.records, '*') &&
           !(found->guess.total != PAGE_TOTAL_UNKNOWN &&
             found->guess.total <= found->shape.count) &&
           !has_few_left(found->response);
}

/* The request has it already, or it stands for several. */
static bool is_sure(const struct probe_found *found)
{
    const char *param = found->guess.pages.param;
    struct str encoded;

    return !param || param[0] == '*' || param[0] == '/' ||
           url_param(probe_url(found), str_view(param), &encoded);
}

enum result probe_try(struct probe_found *found, struct err *err)
{
    struct trial t = { .found = found, .err = err, .result = RESULT_OK };
    enum job_pages_kind kind = found->guess.pages.kind;

    if (!may_try(found) || (kind != JOB_PAGES_NONE && is_sure(found)) ||
        json_pointer_parse(&t.records, str_view(found->shape.records), NULL) != RESULT_OK) {
        return RESULT_OK;
    }
    if (kind == JOB_PAGES_CURSOR) {
        try_told_cursor(&t);
    } else if (kind == JOB_PAGES_NUMBER) {
        (void)try_pages(&t, found->guess.pages.param);
    } else if (kind == JOB_PAGES_OFFSET) {
        try_offset(&t, found->guess.pages.param);
    } else if (found->guess.is_lost) {
        try_last_id(&t);
    } else if (found->guess.is_silent && is_usual(found->shape.count)) {
        (void)try_pages(&t, NULL);
    }
    if (found->tries && !found->tried) {
        found->tried = PROBE_SAME_CAME;
    }
    return t.result == RESULT_INVALID ? RESULT_OK : t.result;
}
