#include "job/header_fill.h"

#include "base/json_scan.h"
#include "job/template.h"

#include <stdlib.h>
#include <string.h>

struct line {
    struct template *t;
    struct json_pointer *names; /* of its placeholders, into the vars */
};

struct header_fill {
    struct line lines[HEADER_FILL_MAX];
    size_t count;
};

bool header_is_filled(const struct job_endpoint *endpoint, const struct job_header *header)
{
    return endpoint->source_count == 1 && endpoint->sources[0].kind == JOB_SOURCE_TEMPLATE &&
           header->sent && strchr(header->sent, '{');
}

/* The member of the vars that has the placeholder's whole name. */
static enum result point_at(struct str name, struct json_pointer *pointer, struct err *err)
{
    struct buf text = { 0 };
    enum result result = buf_append_char(&text, '/');

    for (size_t i = 0; i < name.len && result == RESULT_OK; i++) {
        result = name.data[i] == '~'   ? buf_append_str(&text, STR("~0"))
                 : name.data[i] == '/' ? buf_append_str(&text, STR("~1"))
                                       : buf_append_char(&text, name.data[i]);
    }
    result = result == RESULT_OK ? json_pointer_parse(pointer, buf_view(&text), err)
                                 : err_nomem(err, "reading a header");
    buf_release(&text);
    return result;
}

static enum result line_init(struct line *line, const char *text, struct err *err)
{
    enum result result = template_new(&line->t, str_view(text), TEMPLATE_HEADER, err);

    if (result != RESULT_OK) {
        line->t = NULL;
        return result;
    }
    line->names = calloc(template_name_count(line->t) + 1, sizeof *line->names);
    if (!line->names) {
        return err_nomem(err, "reading a header");
    }
    for (size_t i = 0; i < template_name_count(line->t) && result == RESULT_OK; i++) {
        result = point_at(template_name(line->t, i), &line->names[i], err);
    }
    return result;
}

enum result header_fill_new(struct header_fill **made, const struct job_endpoint *endpoint,
                            struct err *err)
{
    struct header_fill *f = calloc(1, sizeof *f);
    enum result result = f ? RESULT_OK : err_nomem(err, "reading a header");

    *made = NULL;
    for (size_t i = 0; i < endpoint->header_count && result == RESULT_OK; i++) {
        if (!header_is_filled(endpoint, &endpoint->headers[i])) {
            continue;
        }
        result = f->count < HEADER_FILL_MAX
                     ? line_init(&f->lines[f->count++], endpoint->headers[i].sent, err)
                     : err_set(err, RESULT_LIMIT, "E-HDR2",
                               "more than %d headers with placeholders", HEADER_FILL_MAX);
    }
    if (result != RESULT_OK || !f->count) {
        header_fill_free(f);
        return result;
    }
    *made = f;
    return RESULT_OK;
}

void header_fill_free(struct header_fill *f)
{
    for (size_t i = 0; f && i < f->count; i++) {
        template_free(f->lines[i].t);
        free(f->lines[i].names);
    }
    free(f);
}

size_t header_fill_count(const struct header_fill *f)
{
    return f ? f->count : 0;
}

struct values {
    const struct line *line;
    struct str vars;
};

static bool look_up(void *context, size_t index, struct str *json)
{
    const struct values *values = context;

    return values->vars.len && json_pointer_find(values->vars, &values->line->names[index], json);
}

enum result header_fill_line(const struct header_fill *f, size_t index, struct str vars,
                             struct buf *line, struct err *err)
{
    struct values values = { &f->lines[index], vars };

    buf_reset(line);
    return template_expand(f->lines[index].t, look_up, &values, line, err);
}
