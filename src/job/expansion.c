#include "job/expansion_state.h"

#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/url.h"
#include "job/glob.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE EXPANSION_NONE
#define SINCE EXPANSION_SINCE

/* --- making ------------------------------------------------------------------------------------------ */

static size_t find_var(const struct job *job, struct str head)
{
    for (size_t i = 0; i < job->var_count; i++) {
        if (str_equal(str_view(job->vars[i].name), head)) {
            return i;
        }
    }
    return NONE;
}

static enum result add_varying(struct expansion *x, size_t var, struct err *err)
{
    size_t *varying;

    for (size_t i = 0; i < x->varying_count; i++) {
        if (x->varying[i] == var) {
            return RESULT_OK;
        }
    }
    varying = reallocarray(x->varying, x->varying_count + 1, sizeof *varying);
    if (!varying) {
        return err_nomem(err, "reading the variables");
    }
    x->varying = varying;
    varying[x->varying_count++] = var;
    if (__builtin_mul_overflow(x->count, vars_count(x->vars, var), &x->count) ||
        x->count > INT64_MAX) {
        return err_set(err, RESULT_LIMIT, "E-GLOB3", "endpoint \"%s\": more than 2^63 requests",
                       x->job->endpoints[x->endpoint].name);
    }
    return RESULT_OK;
}

static bool is_since(const struct expansion *x, struct str text)
{
    return x->job->endpoints[x->endpoint].since.at && str_equal(text, STR(JOB_SINCE_NAME));
}

/* What names a variable; an endpoint's field is another's concern. `own`: it varies this request. */
static enum result add_name(struct expansion *x, struct str text, bool own, bool in_key,
                            struct err *err)
{
    struct name name = { .in_key = false };
    struct str head = template_name_head(text, &name.field);
    struct name *names;
    enum result result = RESULT_OK;

    name.var = is_since(x, text) ? SINCE : find_var(x->job, head);
    if (name.var == NONE) {
        return RESULT_OK;
    }
    name.in_key = in_key && name.var != SINCE;
    if (own && name.var != SINCE) {
        result = add_varying(x, name.var, err);
    }
    for (size_t i = 0; i < x->name_count; i++) {
        if (str_equal(str_view(x->names[i].text), text)) {
            return result;
        }
    }
    names = reallocarray(x->names, x->name_count + 1, sizeof *names);
    x->names = names ? names : x->names;
    name.text = str_dup(text);
    if (!names || !name.text) {
        free(name.text);
        return err_nomem(err, "reading the variables");
    }
    template_name_head(str_view(name.text), &name.field);
    names[x->name_count++] = name;
    return result;
}

static enum result add_names(struct expansion *x, const char *text, enum template_context context,
                             bool own, struct err *err)
{
    struct template *t;
    enum result result = template_new(&t, str_view(text), context, err);

    if (result != RESULT_OK) {
        return result;
    }
    for (size_t i = 0; i < template_name_count(t) && result == RESULT_OK; i++) {
        result = add_name(x, template_name(t, i), own, own, err);
    }
    template_free(t);
    return result;
}

static enum result add_endpoint(struct expansion *x, const struct job_endpoint *endpoint, bool own,
                                struct err *err)
{
    enum result result = add_names(x, endpoint->sources[0].text, TEMPLATE_URL, own, err);

    if (result == RESULT_OK && endpoint->body) {
        result =
            add_names(x, endpoint->body, template_body_context(str_view(endpoint->body)), own, err);
    }
    for (size_t i = 0; i < endpoint->header_count && result == RESULT_OK; i++) {
        if (endpoint->headers[i].sent) {
            result = add_names(x, endpoint->headers[i].sent, TEMPLATE_HEADER, own, err);
        }
    }
    for (size_t i = 0; i < endpoint->with_count && result == RESULT_OK; i++) {
        size_t before = x->varying_count;

        result = add_name(x, str_view(endpoint->with[i]), own, false, err);
        if (result == RESULT_OK && x->varying_count > before) {
            x->names[x->name_count - 1].in_key = true; /* nothing else tells these requests apart */
        }
    }
    return result;
}

static bool comes_of(const struct job *job, uint32_t endpoint, uint32_t ancestor)
{
    while (endpoint != ancestor && job->endpoints[endpoint].has_parent) {
        endpoint = job->endpoints[endpoint].parent;
    }
    return endpoint == ancestor;
}

static enum result make_part(struct expansion *x, struct part *part, const char *text,
                             enum template_context context, struct err *err)
{
    enum result result = template_new(&part->t, str_view(text), context, err);
    size_t count;

    if (result != RESULT_OK) {
        part->t = NULL;
        return result;
    }
    count = template_name_count(part->t);
    part->names = calloc(count + 1, sizeof *part->names);
    for (size_t i = 0; part->names && i < count; i++) {
        size_t at = 0;

        while (at < x->name_count &&
               !str_equal(str_view(x->names[at].text), template_name(part->t, i))) {
            at++;
        }
        part->names[i] = at; /* name_count: an unknown one, which job_link has refused */
    }
    return part->names ? RESULT_OK : err_nomem(err, "reading the variables");
}

/* --- a window ------------------------------------------------------------------------------------------ */

#define WINDOW_BEGIN "epoch"
#define WINDOW_NEXT "next.epoch"

/* The name tells where the step begins, or else where it ends. */
static bool tells_begin(struct str field)
{
    return !field.data || str_starts(field, STR(WINDOW_BEGIN));
}

/* The first of which the request itself says where a step begins, and where it ends. */
static void find_window(struct expansion *x)
{
    for (size_t i = 0; i < x->name_count && x->window == NONE; i++) {
        for (size_t k = 0; k < x->name_count && x->window == NONE; k++) {
            const struct name *begin = &x->names[i], *end = &x->names[k];

            if (begin->in_key && end->in_key && begin->var == end->var && begin->var < SINCE &&
                vars_is_window(x->vars, begin->var) && tells_begin(begin->field) &&
                !tells_begin(end->field)) {
                x->window = begin->var;
            }
        }
    }
}

/* So that its vars say which window a request asks for, whatever its URL is made of. */
static enum result add_window(struct expansion *x, struct err *err)
{
    const char *const fields[] = { WINDOW_BEGIN, WINDOW_NEXT };
    enum result result = RESULT_OK;

    find_window(x);
    for (size_t i = 0; i < 2 && x->window != NONE && result == RESULT_OK; i++) {
        char text[TEMPLATE_NAME_MAX];

        snprintf(text, sizeof text, "%s.%s", x->job->vars[x->window].name, fields[i]);
        result = add_name(x, str_view(text), true, false, err);
    }
    return result;
}

enum result expansion_new(struct expansion **made, const struct job *job, uint32_t endpoint,
                          const struct vars *vars, struct err *err)
{
    const struct job_endpoint *own = &job->endpoints[endpoint];
    struct expansion *x = calloc(1, sizeof *x);
    enum result result;

    if (!x) {
        return err_nomem(err, "reading the variables");
    }
    *x = (struct expansion){
        .job = job, .vars = vars, .endpoint = endpoint, .count = 1, .window = NONE
    };
    result = add_endpoint(x, own, true, err);
    if (result == RESULT_OK && own->split.is_wanted) {
        result = add_window(x, err);
    }
    if (result == RESULT_OK && own->since.at) {
        result = add_name(x, STR(JOB_SINCE_NAME), false, false, err);
    }
    for (uint32_t i = endpoint + 1; i < job->endpoint_count && result == RESULT_OK; i++) {
        if (comes_of(job, i, endpoint)) {
            result = add_endpoint(x, &job->endpoints[i], false, err);
        }
    }
    if (result == RESULT_OK) {
        result = make_part(x, &x->url, own->sources[0].text, TEMPLATE_URL, err);
    }
    if (result == RESULT_OK && own->body) {
        result = make_part(x, &x->body, own->body, template_body_context(str_view(own->body)), err);
    }
    if (result == RESULT_OK) {
        result = header_fill_new(&x->headers, own, err);
    }
    if (result != RESULT_OK) {
        expansion_free(x);
        return result;
    }
    *made = x;
    return RESULT_OK;
}

void expansion_free(struct expansion *x)
{
    if (!x) {
        return;
    }
    for (size_t i = 0; i < x->name_count; i++) {
        free(x->names[i].text);
    }
    header_fill_free(x->headers);
    template_free(x->url.t);
    template_free(x->body.t);
    free(x->url.names);
    free(x->body.names);
    free(x->names);
    free(x->varying);
    free(x);
}

uint64_t expansion_count(const struct expansion *x)
{
    return x->count;
}

/* --- reading ------------------------------------------------------------------------------------------ */

/* The values of one request, one after the other in `json`. */
struct values {
    const struct expansion *x;
    const struct part *part; /* at hand */
    const struct buf *json;
    struct {
        size_t at, len;
    } list[TEMPLATE_NAMES_MAX];
};

/* Which of its values a variable has in request `index`. */
static uint64_t index_of(const struct expansion *x, size_t var, uint64_t index)
{
    for (size_t i = x->varying_count; i-- > 0;) {
        uint64_t count = vars_count(x->vars, x->varying[i]);

        if (x->varying[i] == var) {
            return index % count;
        }
        index /= count;
    }
    return 0;
}

static enum result missing(const struct expansion *x, const struct name *name, uint64_t at,
                           struct err *err)
{
    return err_set(err, RESULT_NOT_FOUND, "E-TPL2", "{%s} has no value in row %" PRIu64 " of %s",
                   name->text, at + 1,
                   x->job->vars[name->var].text ? x->job->vars[name->var].text : name->text);
}

static enum result read_value(const struct expansion *x, const struct name *name, uint64_t index,
                              struct expansion_texts *texts, struct err *err)
{
    const char *start = x->job->endpoints[x->endpoint].since.start.json;
    uint64_t at = 0;
    enum result result;

    if (name->var == SINCE) {
        result = buf_append_str(&texts->values, texts->since.data ? texts->since : str_view(start));
    } else {
        at = index_of(x, name->var, index);
        result = vars_value(x->vars, name->var, at, name->field, &texts->values);
    }
    if (result == RESULT_NOT_FOUND) {
        return missing(x, name, at, err);
    }
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "making a request");
}

/* What the requests are made of: a number of the plan, or another request's values and a window. */
struct from {
    uint64_t index;
    struct str vars; /* STR_NONE: by the index */
    const struct dates_window *window;
};

static enum result read_other_value(const struct expansion *x, const struct name *name,
                                    const struct from *from, struct buf *json)
{
    struct json_walk walk;
    struct str key, value;

    if (name->var == x->window) {
        return vars_window_value(x->vars, name->var, from->window, name->field, json);
    }
    json_walk_begin(&walk, from->vars);
    while (json_walk_next(&walk, &key, &value)) {
        if (json_raw_equal(key, str_view(name->text))) {
            return buf_append_str(json, str_trim(value));
        }
    }
    return RESULT_NOT_FOUND;
}

static enum result read_one(const struct expansion *x, const struct name *name,
                            const struct from *from, struct expansion_texts *texts, struct err *err)
{
    enum result result;

    if (!from->vars.data) {
        return read_value(x, name, from->index, texts, err);
    }
    result = read_other_value(x, name, from, &texts->values);
    if (result == RESULT_NOT_FOUND) {
        return err_set(err, result, "E-TPL2", "{%s} has no value", name->text);
    }
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "making a request");
}

static enum result read_values(const struct expansion *x, const struct from *from,
                               struct values *values, struct expansion_texts *texts,
                               struct err *err)
{
    struct buf *json = &texts->values;

    if (x->name_count > TEMPLATE_NAMES_MAX) {
        return err_set(err, RESULT_LIMIT, "E-TPL1", "more than %d different placeholders",
                       TEMPLATE_NAMES_MAX);
    }
    buf_reset(json);
    for (size_t i = 0; i < x->name_count; i++) {
        enum result result;

        values->list[i].at = json->len;
        result = read_one(x, &x->names[i], from, texts, err);
        if (result != RESULT_OK) {
            return result;
        }
        values->list[i].len = json->len - values->list[i].at;
    }
    values->x = x;
    values->json = json;
    return RESULT_OK;
}

static struct str value_of(const struct values *values, size_t name)
{
    return (struct str){ values->json->data + values->list[name].at, values->list[name].len };
}

static bool look_up(void *context, size_t index, struct str *json)
{
    const struct values *values = context;
    size_t name = values->part->names[index];

    if (name >= values->x->name_count) {
        return false;
    }
    *json = value_of(values, name);
    return true;
}

static enum result expand(const struct part *part, struct values *values, struct buf *out,
                          struct err *err)
{
    buf_reset(out);
    if (!part->t) {
        return RESULT_OK;
    }
    values->part = part;
    return template_expand(part->t, look_up, values, out, err);
}

static enum result make_vars(const struct values *values, struct buf *out)
{
    const struct expansion *x = values->x;
    enum result result = RESULT_OK;

    buf_reset(out);
    for (size_t i = 0; i < x->name_count && result == RESULT_OK; i++) {
        result = buf_append_char(out, i ? ',' : '{');
        if (result == RESULT_OK) {
            result = json_text_append(out, str_view(x->names[i].text));
        }
        if (result == RESULT_OK) {
            result = buf_append_char(out, ':');
        }
        if (result == RESULT_OK) {
            result = buf_append_str(out, value_of(values, i));
        }
    }
    return result == RESULT_OK && x->name_count ? buf_append_char(out, '}') : result;
}

static enum result make_key(const struct values *values, struct expansion_texts *texts)
{
    const struct expansion *x = values->x;
    enum result result = RESULT_OK;
    bool first = true;

    buf_reset(&texts->key);
    for (size_t i = 0; i < x->name_count && result == RESULT_OK; i++) {
        if (!x->names[i].in_key) {
            continue;
        }
        result = first ? RESULT_OK : buf_append_char(&texts->key, ',');
        first = false;
        if (result == RESULT_OK) {
            result = template_value_text(value_of(values, i), &texts->key);
            result = result == RESULT_NOT_FOUND ? RESULT_OK : result; /* a list, whole in JSON */
        }
    }
    return result == RESULT_OK && !texts->key.len ? glob_url_key(buf_view(&texts->url), &texts->key)
                                                  : result;
}

static enum result read_from(const struct expansion *x, const struct from *from,
                             struct expansion_texts *texts, struct err *err)
{
    struct values values;
    enum result result = read_values(x, from, &values, texts, err);

    texts->url.max = URL_MAX_BYTES + 1; /* so that url_split is who says that it is too long */
    texts->body.max = JOB_BODY_MAX;
    if (result == RESULT_OK) {
        result = expand(&x->url, &values, &texts->url, err);
    }
    if (result == RESULT_OK) {
        result = expand(&x->body, &values, &texts->body, err);
    }
    if (result == RESULT_OK &&
        (make_vars(&values, &texts->vars) != RESULT_OK || make_key(&values, texts) != RESULT_OK)) {
        result = err_nomem(err, "making a request");
    }
    return result;
}

enum result expansion_read(const struct expansion *x, uint64_t index, struct expansion_texts *texts,
                           struct err *err)
{
    const struct from from = { .index = index };

    return read_from(x, &from, texts, err);
}

bool expansion_has_window(const struct expansion *x)
{
    return x->window != NONE;
}

/* Before 1970 it is negative. */
static bool to_seconds(struct str text, int64_t *seconds)
{
    bool is_negative = str_starts(text, STR("-"));
    struct str digits = { text.data + is_negative, text.len - is_negative };
    uint64_t number;

    if (!str_to_u64(digits, &number) || number > INT64_MAX / 2) {
        return false;
    }
    *seconds = is_negative ? -(int64_t)number : (int64_t)number;
    return true;
}

/* A number of seconds that `vars` have under that name of the window's variable. */
static bool window_edge(const struct expansion *x, struct str vars, const char *field,
                        int64_t *at_s)
{
    char name[TEMPLATE_NAME_MAX];
    struct json_walk walk;
    struct str key, value;
    bool is_found = false;

    snprintf(name, sizeof name, "%s.%s", x->job->vars[x->window].name, field);
    json_walk_begin(&walk, vars);
    while (json_walk_next(&walk, &key, &value)) {
        if (json_raw_equal(key, str_view(name))) {
            is_found = to_seconds(str_trim(value), at_s);
        }
    }
    return is_found;
}

enum result expansion_halve(const struct expansion *x, struct str vars,
                            struct dates_window halves[2])
{
    struct dates_window window;

    return x->window != NONE && window_edge(x, vars, WINDOW_BEGIN, &window.begin_s) &&
                   window_edge(x, vars, WINDOW_NEXT, &window.next_s) &&
                   window.begin_s < window.next_s && vars_halve(x->vars, x->window, &window, halves)
               ? RESULT_OK
               : RESULT_NOT_FOUND;
}

enum result expansion_read_window(const struct expansion *x, struct str vars,
                                  const struct dates_window *window, struct expansion_texts *texts,
                                  struct err *err)
{
    const struct from from = { .vars = vars, .window = window };

    return read_from(x, &from, texts, err);
}

void expansion_texts_release(struct expansion_texts *texts)
{
    buf_release(&texts->key);
    buf_release(&texts->url);
    buf_release(&texts->body);
    buf_release(&texts->vars);
    buf_release(&texts->values);
}
