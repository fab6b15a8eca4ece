/* Credentials that were typed as they are into a job's URLs and bodies: known by value from then on, and not
 * kept with the job. */
#include "job/job.h"

#include "base/json_scan.h"
#include "job/job_parts.h"

#include <string.h>

/* The part of a URL in which names tell credentials: a password that is a word, too, may be one of the path. */
static struct str query_of(const char *url)
{
    const char *at = strchr(url, '?');

    return at ? str_view(at) : STR_NONE;
}

/* JSON stays JSON: where a secret began or ended within an escape, none of the text is kept. */
static enum result keep_json(struct str text, size_t before, struct buf *out)
{
    struct str hidden = out->len ? (struct str){ out->data + before, out->len - before } : STR("");

    if (str_equal(hidden, text) || !json_check(text, JSON_DEPTH_MAX, NULL) ||
        json_check(hidden, JSON_DEPTH_MAX, NULL)) {
        return RESULT_OK;
    }
    out->len = before;
    return buf_append_str(out, STR("\"***\""));
}

enum result job_hide_typed(const struct job *job, const char *text, bool is_url, struct buf *out)
{
    struct str tail = is_url ? query_of(text) : str_view(text);
    struct str head = { text, tail.data ? (size_t)(tail.data - text) : strlen(text) };
    size_t before = out->len;
    enum result result = secret_hide_forms(head, out);

    result = result == RESULT_OK ? secret_hide_typed(tail, &job->secrets, out) : result;
    return result == RESULT_OK && !is_url ? keep_json(str_view(text), before, out) : result;
}

static enum result look_at(struct job *job, const char *text, bool is_url, struct err *err)
{
    struct buf hidden = { 0 };
    size_t count = 0;
    enum result result =
        secrets_add_typed(&job->secrets, str_view(text), is_url ? "url" : "body", &count, err);

    if (result == RESULT_OK && job_hide_typed(job, text, is_url, &hidden) != RESULT_OK) {
        result = err_nomem(err, "reading the job");
    }
    job->has_typed_secret |= result == RESULT_OK && !str_equal(buf_view(&hidden), str_view(text));
    buf_release(&hidden);
    return result;
}

enum result job_note_typed(struct job *job, struct err *err)
{
    enum result result = RESULT_OK;

    for (size_t e = 0; e < job->endpoint_count; e++) {
        const struct job_endpoint *endpoint = &job->endpoints[e];

        if (result == RESULT_OK && endpoint->body) {
            result = look_at(job, endpoint->body, false, err);
        }
        for (size_t i = 0; result == RESULT_OK && i < endpoint->source_count; i++) {
            if (endpoint->sources[i].kind != JOB_SOURCE_LIST) {
                result = look_at(job, endpoint->sources[i].text, true, err);
            }
        }
    }
    return result;
}

/* The variable that a placeholder begins with: "row" of {row.id}. */
static const struct job_var *var_of(const struct job *job, struct str placeholder)
{
    struct str name = str_cut(&placeholder, '.');

    for (size_t i = 0; i < job->var_count; i++) {
        if (str_equal(str_view(job->vars[i].name), name)) {
            return &job->vars[i];
        }
    }
    return NULL;
}

static const struct job_var *credential_in(const struct job *job, const char *text)
{
    struct str rest = text ? str_view(text) : STR_NONE, placeholder;
    const struct job_var *var = NULL;

    while (!var && (placeholder = secret_next_placeholder(&rest)).len) {
        var = var_of(job, placeholder);
    }
    return var;
}

/* Likewise of a header that is one by its name; ${NAME} is no placeholder. */
static const struct job_var *credential_of(const struct job *job, const struct job_header *headers,
                                           size_t count)
{
    const struct job_var *var = NULL;

    for (size_t i = 0; i < count && !var; i++) {
        const char *line = headers[i].sent, *at = line;

        if (!line || !header_is_secret(str_view(headers[i].name))) {
            continue;
        }
        while (!var && (at = strchr(at, '{'))) {
            at++;
            var = at - line > 1 && at[-2] == '$'
                      ? NULL
                      : var_of(job, (struct str){ at, strcspn(at, "}") });
        }
    }
    return var;
}

const struct job_var *job_credential_var(const struct job *job)
{
    const struct job_var *var = credential_of(job, job->headers, job->header_count);

    for (size_t e = 0; e < job->endpoint_count && job->var_count && !var; e++) {
        const struct job_endpoint *endpoint = &job->endpoints[e];

        var = credential_of(job, endpoint->headers, endpoint->header_count);
        var = var ? var : credential_in(job, endpoint->body);
        for (size_t i = 0; i < endpoint->source_count && !var; i++) {
            if (endpoint->sources[i].kind != JOB_SOURCE_LIST) {
                var = credential_in(job, endpoint->sources[i].text);
            }
        }
    }
    return var;
}

bool job_same_but_typed(const struct job *of_a, const char *a, const struct job *of_b,
                        const char *b, bool is_url)
{
    struct buf hidden_a = { 0 }, hidden_b = { 0 };
    bool same = (!a && !b) || (a && b && strcmp(a, b) == 0);

    if (!same && a && b) {
        same = job_hide_typed(of_a, a, is_url, &hidden_a) == RESULT_OK &&
               job_hide_typed(of_b, b, is_url, &hidden_b) == RESULT_OK &&
               str_equal(buf_view(&hidden_a), buf_view(&hidden_b));
        buf_release(&hidden_a);
        buf_release(&hidden_b);
    }
    return same;
}
