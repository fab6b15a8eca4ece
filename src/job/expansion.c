#include "job/expansion.h"

#include "base/json_text.h"
#include "base/url.h"
#include "job/glob.h"
#include "job/header_fill.h"
#include "job/template.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NONE SIZE_MAX
#define SINCE (SIZE_MAX - 1) /* in the place of a variable: what the caller says of `{since}` */

struct name {
    char *text; /* "row.id" */
    struct str field;
    size_t var;
    bool in_key; /* the request itself names it, not only a later one */
};

/* A template of the endpoint, and which of the names each of its own is. */
struct part {
    struct template *t;
    size_t *names;
};

struct expansion {
    const struct job *job;
    const struct vars *vars;
    uint32_t endpoint;
    struct part url, body;       /* the body's template is NULL when there is none */
    struct header_fill *headers; /* NULL: none is filled in */
    struct name *names;
    size_t name_count;
    size_t *varying; /* variables, the last varying fastest */
    size_t varying_count;
    uint64_t count;
};

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

enum result expansion_new(struct expansion **made, const struct job *job, uint32_t endpoint,
                          const struct vars *vars, struct err *err)
{
    const struct job_endpoint *own = &job->endpoints[endpoint];
    struct expansion *x = calloc(1, sizeof *x);
    enum result result;

    if (!x) {
        return err_nomem(err, "reading the variables");
    }
    *x = (struct expansion){ .job = job, .vars = vars, .endpoint = endpoint, .count = 1 };
    result = add_endpoint(x, own, true, err);
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

static enum result read_values(const struct expansion *x, uint64_t index, struct values *values,
                               struct expansion_texts *texts, struct err *err)
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
        result = read_value(x, &x->names[i], index, texts, err);
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

enum result expansion_read(const struct expansion *x, uint64_t index, struct expansion_texts *texts,
                           struct err *err)
{
    struct values values;
    enum result result = read_values(x, index, &values, texts, err);

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

void expansion_texts_release(struct expansion_texts *texts)
{
    buf_release(&texts->key);
    buf_release(&texts->url);
    buf_release(&texts->body);
    buf_release(&texts->vars);
    buf_release(&texts->values);
}

/* --- checking ------------------------------------------------------------------------------------------ */

struct check {
    const struct expansion *x;
    struct job_faults *faults;
    struct expansion_texts texts;
    size_t count;
    struct err first;
};

static void tell(struct check *c, const struct err *err)
{
    if (!c->count++) {
        c->first = *err;
    }
    if (c->faults && c->faults->count++ < JOB_FAULTS_SHOWN) {
        c->faults->errors[c->faults->count - 1] = *err;
    }
}

static void check_fields(struct check *c)
{
    const struct expansion *x = c->x;

    for (size_t i = 0; i < x->name_count; i++) {
        const struct name *name = &x->names[i];
        const struct job_var *var = name->var != SINCE ? &x->job->vars[name->var] : NULL;
        struct str nearest = STR_NONE, field;
        unsigned least = 4;
        struct err err;

        if (!var || vars_has_field(x->vars, name->var, name->field)) {
            continue;
        }
        for (size_t at = 0; (field = vars_field(x->vars, name->var, at)).data; at++) {
            unsigned distance = name->field.data ? str_distance(name->field, field) : least;

            if (distance < least) {
                least = distance;
                nearest = field;
            }
        }
        field = vars_field(x->vars, name->var, 0);
        if (!name->field.data) {
            err_set(&err, RESULT_INVALID, "E-CFG5",
                    "{%s} is a file with columns; want one of them, as in {%s.%.*s}", name->text,
                    name->text, STR_ARG(field));
        } else if (nearest.data) {
            err_set(&err, RESULT_INVALID, "E-CFG5", "{%s}: no such field (did you mean \"%.*s\"?)",
                    name->text, STR_ARG(nearest));
        } else {
            err_set(&err, RESULT_INVALID, "E-CFG5", "{%s}: %s has no such field", name->text,
                    var->kind == JOB_VAR_FILE ? var->text : var->name);
        }
        tell(c, &err);
    }
}

/* Its values are alike and in order: the first and the last one tell of all. */
static bool is_uniform(const struct expansion *x, size_t var)
{
    return x->job->vars[var].kind == JOB_VAR_PATTERN || x->job->vars[var].kind == JOB_VAR_DATES;
}

static enum result check_one(struct check *c, size_t var, uint64_t at, uint64_t index)
{
    struct url url;
    struct err err;
    enum result result = expansion_read(c->x, index, &c->texts, &err);

    if (result == RESULT_OK) {
        result = url_split(buf_view(&c->texts.url), &url, &err);
    }
    for (size_t i = 0; i < header_fill_count(c->x->headers) && result == RESULT_OK; i++) {
        result =
            header_fill_line(c->x->headers, i, buf_view(&c->texts.vars), &c->texts.values, &err);
    }
    if (result == RESULT_NOMEM) {
        c->first = err;
        return result;
    }
    if (result != RESULT_OK) {
        if (strcmp(err.code, "E-TPL2") != 0 && var != NONE) {
            err_prefix(&err, "value %" PRIu64 " of \"%s\"", at + 1, c->x->job->vars[var].name);
        }
        tell(c, &err);
    }
    return RESULT_OK;
}

static enum result check_values(struct check *c)
{
    const struct expansion *x = c->x;
    uint64_t stride = 1;
    enum result result = RESULT_OK;

    if (!x->varying_count) {
        return check_one(c, NONE, 0, 0);
    }
    for (size_t i = x->varying_count; i-- > 0;) {
        size_t var = x->varying[i];
        uint64_t count = vars_count(x->vars, var);

        for (uint64_t at = 0; at < count && result == RESULT_OK; at++) {
            result = check_one(c, var, at, at * stride);
            if (is_uniform(x, var) && at == 0 && count > 2) {
                at = count - 2;
            }
        }
        stride *= count;
    }
    return result;
}

enum result expansion_check(const struct expansion *x, struct job_faults *faults, struct err *err)
{
    struct check c = { .x = x, .faults = faults };
    enum result result = RESULT_OK;

    if (faults) {
        faults->count = 0;
    }
    check_fields(&c);
    if (!c.count) {
        result = check_values(&c);
    }
    expansion_texts_release(&c.texts);
    if (result != RESULT_OK || c.count == 1) {
        if (err) {
            *err = c.first;
        }
        return c.first.result;
    }
    return c.count ? err_set(err, RESULT_INVALID, "E-CFG5", "endpoint \"%s\": %zu mistakes",
                             x->job->endpoints[x->endpoint].name, c.count)
                   : RESULT_OK;
}
