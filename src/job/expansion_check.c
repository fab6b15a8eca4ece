/* Whether all requests of an expansion can be made, before the first is sent. */
#include "job/expansion_state.h"

#include "base/url.h"

#include <inttypes.h>
#include <string.h>

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
        const struct job_var *var = name->var != EXPANSION_SINCE ? &x->job->vars[name->var] : NULL;
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

static void check_split(struct check *c)
{
    const struct job_endpoint *endpoint = &c->x->job->endpoints[c->x->endpoint];
    struct err err;

    if (endpoint->split.is_wanted && c->x->window == EXPANSION_NONE &&
        (endpoint->split.over || !endpoint->pages.size_param)) {
        err_set(&err, RESULT_INVALID, "E-CFG4", "endpoint \"%s\": \"split\" wants %s",
                endpoint->name,
                endpoint->split.over
                    ? "a window for \"over\": {day} and {day.next} of a variable of dates"
                    : "a window ({day} and {day.next} of a variable of dates), or \"pages\" with "
                      "\"size_param\" and \"size\"");
        tell(c, &err);
    }
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
        if (strcmp(err.code, "E-TPL2") != 0 && var != EXPANSION_NONE) {
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
        return check_one(c, EXPANSION_NONE, 0, 0);
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
    check_split(&c);
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
