#include "plan/link_child.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool descends(const struct job *job, uint32_t endpoint, uint32_t from)
{
    while (job->endpoints[endpoint].has_parent && endpoint != from) {
        endpoint = job->endpoints[endpoint].parent;
    }
    return endpoint == from;
}

static enum result add_wanted(const struct job *job, struct link_child *c, struct str name,
                              struct err *err)
{
    const struct job_endpoint *parent = &job->endpoints[job->endpoints[c->endpoint].parent];
    struct str field, head = template_name_head(name, &field);
    struct link_value *more;

    for (size_t i = 0; i < c->count; i++) {
        if (str_equal(c->wanted[i].name, name)) {
            return RESULT_OK;
        }
    }
    if (c->count == JSON_LOOKS_MAX) {
        return err_set(err, RESULT_LIMIT, "E-TPL1", "endpoint \"%s\" needs more than %d values",
                       job->endpoints[c->endpoint].name, JSON_LOOKS_MAX);
    }
    more = reallocarray(c->wanted, c->count + 1, sizeof *more);
    if (!more) {
        return err_nomem(err, "preparing an endpoint");
    }
    c->wanted = more;
    more[c->count] =
        (struct link_value){ .name = name, .of_record = str_equal(head, str_view(parent->name)) };
    more[c->count].is_key = more[c->count].of_record && str_equal(field, STR("_key"));
    c->wants_key = c->wants_key || more[c->count].is_key;
    c->count++;
    return RESULT_OK;
}

/* A value that is there only once `endpoint` or one that descends from it has been asked. */
static bool comes_later(const struct job *job, struct str name, uint32_t endpoint)
{
    struct str field, head = template_name_head(name, &field);

    for (size_t i = endpoint; field.data && i < job->endpoint_count; i++) {
        if (str_equal(head, str_view(job->endpoints[i].name)) &&
            descends(job, (uint32_t)i, endpoint)) {
            return true;
        }
    }
    return false;
}

/* Names are borrowed from the job's text, not from the template, which does not live on. */
static enum result add_names(const struct job *job, struct link_child *c, struct str text,
                             enum template_context context, struct err *err)
{
    struct template *t;
    enum result result = template_new(&t, text, context, err);

    for (size_t i = 0; result == RESULT_OK && i < template_name_count(t); i++) {
        struct str name = template_name(t, i);
        const char *own = memmem(text.data, text.len, name.data, name.len);

        assert(own);
        if (!comes_later(job, name, c->endpoint)) {
            result = add_wanted(job, c, (struct str){ own, name.len }, err);
        }
    }
    if (result == RESULT_OK) {
        template_free(t);
    }
    return result;
}

/* The names that one endpoint's request and columns are made of. */
static enum result add_needs(const struct job *job, struct link_child *c,
                             const struct job_endpoint *endpoint, struct err *err)
{
    struct str body = str_view(endpoint->body);
    enum result result = RESULT_OK;

    for (size_t i = 0; i < endpoint->source_count && result == RESULT_OK; i++) {
        result = add_names(job, c, str_view(endpoint->sources[i].text), TEMPLATE_URL, err);
    }
    if (result == RESULT_OK && body.len) {
        result = add_names(job, c, body, template_body_context(body), err);
    }
    for (size_t i = 0; i < endpoint->header_count && result == RESULT_OK; i++) {
        if (header_is_filled(endpoint, &endpoint->headers[i])) {
            result = add_names(job, c, str_view(endpoint->headers[i].sent), TEMPLATE_HEADER, err);
        }
    }
    for (size_t i = 0; i < endpoint->with_count && result == RESULT_OK; i++) {
        struct str name = str_view(endpoint->with[i]);

        if (!comes_later(job, name, c->endpoint)) {
            result = add_wanted(job, c, name, err);
        }
    }
    return result;
}

static enum result map_names(const struct link_child *c, const struct template *t, size_t **map)
{
    size_t count = template_name_count(t);

    *map = calloc(count + 1, sizeof **map);
    for (size_t i = 0; *map && i < count; i++) {
        while (!str_equal(template_name(t, i), c->wanted[(*map)[i]].name)) {
            (*map)[i]++;
        }
    }
    return *map ? RESULT_OK : RESULT_NOMEM;
}

/* Of a value in the record, or of a member of the vars, whose name is what the template says. */
static enum result make_pointer(const struct link_value *wanted, struct json_pointer *pointer,
                                struct err *err)
{
    struct buf text = { 0 };
    struct str field;
    enum result result = RESULT_OK;

    (void)template_name_head(wanted->name, &field);
    if (wanted->of_record) {
        result = template_field_pointer(field, &text);
    } else {
        result = buf_append_char(&text, '/');
        for (size_t i = 0; i < wanted->name.len && result == RESULT_OK; i++) {
            char c = wanted->name.data[i];

            result = c == '~'   ? buf_append_str(&text, STR("~0"))
                     : c == '/' ? buf_append_str(&text, STR("~1"))
                                : buf_append_char(&text, c);
        }
    }
    result = result == RESULT_OK ? json_pointer_parse(pointer, buf_view(&text), err)
                                 : err_nomem(err, "preparing an endpoint");
    buf_release(&text);
    return result;
}

static enum result make_looks(struct link_child *c, struct err *err)
{
    enum result result = RESULT_OK;

    c->pointers = calloc(c->count + 1, sizeof *c->pointers);
    c->looks = calloc(c->count + 1, sizeof *c->looks);
    if (!c->pointers || !c->looks) {
        return err_nomem(err, "preparing an endpoint");
    }
    for (int of_record = 1; of_record >= 0; of_record--) {
        for (size_t i = 0; i < c->count && result == RESULT_OK; i++) {
            size_t at = c->record_looks + c->vars_looks;

            if (c->wanted[i].of_record == !of_record || c->wanted[i].is_key) {
                continue;
            }
            result = make_pointer(&c->wanted[i], &c->pointers[at], err);
            c->looks[at] = i;
            c->record_looks += of_record == 1;
            c->vars_looks += of_record == 0;
        }
    }
    return result;
}

enum result link_child_init(struct link_child *c, const struct job *job, uint32_t index,
                            struct err *err)
{
    const struct job_endpoint *endpoint = &job->endpoints[index];
    struct str body = str_view(endpoint->body);
    enum result result = RESULT_OK;

    c->endpoint = index;
    for (size_t i = index; i < job->endpoint_count && result == RESULT_OK; i++) {
        if (descends(job, (uint32_t)i, c->endpoint)) {
            result = add_needs(job, c, &job->endpoints[i], err);
        }
    }
    if (result == RESULT_OK) {
        result = template_new(&c->url, str_view(endpoint->sources[0].text), TEMPLATE_URL, err);
    }
    if (result == RESULT_OK && body.len) {
        result = template_new(&c->body, body, template_body_context(body), err);
    }
    if (result == RESULT_OK) {
        result = header_fill_new(&c->headers, endpoint, err);
    }
    if (result == RESULT_OK) {
        result = map_names(c, c->url, &c->of_url);
    }
    if (result == RESULT_OK && c->body) {
        result = map_names(c, c->body, &c->of_body);
    }
    return result == RESULT_OK ? make_looks(c, err) : result;
}

void link_child_release(struct link_child *c)
{
    template_free(c->url);
    template_free(c->body);
    header_fill_free(c->headers);
    free(c->wanted);
    free(c->of_url);
    free(c->of_body);
    free(c->pointers);
    free(c->looks);
}
