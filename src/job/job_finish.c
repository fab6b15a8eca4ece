/* What is settled once a job has been told whole: its names, and what concerns several fields together. */
#include "job/job.h"

#include "base/url.h"
#include "job/auth/auth_kind.h"
#include "job/glob.h"
#include "job/job_parts.h"
#include "job/page_styles.h"

#include <string.h>

char *job_make_name(struct str text)
{
    char name[JOB_NAME_MAX];
    size_t len = text.len < JOB_NAME_MAX ? text.len : JOB_NAME_MAX;

    for (size_t i = 0; i < len; i++) {
        name[i] = job_is_name_char(text.data[i]) ? text.data[i] : '-';
    }
    if (len && (name[0] == '.' || name[0] == '-')) {
        name[0] = '_'; /* neither hidden nor taken for an option */
    }
    return str_dup(len ? (struct str){ name, len } : STR("job"));
}

/* "ids" of "lists/ids.txt". */
static struct str list_stem(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *stem = slash ? slash + 1 : path;
    const char *dot = strrchr(stem, '.');

    return dot && dot != stem ? (struct str){ stem, (size_t)(dot - stem) } : str_view(stem);
}

static enum result derive_name(struct job *job, struct err *err)
{
    const struct job_source *source = &job->endpoints[0].sources[0];
    struct buf text = { .max = 0 };
    struct glob *glob;
    struct url url;
    enum result result;

    if (source->kind == JOB_SOURCE_LIST) {
        job->name =
            job_make_name(strcmp(source->text, "-") == 0 ? STR("stdin") : list_stem(source->text));
        return job->name ? RESULT_OK : err_nomem(err, "naming the job");
    }
    result = glob_new(&glob, str_view(source->text), job->globoff, err);
    if (result != RESULT_OK) {
        return result;
    }
    result = glob_expand(glob, 0, &text, NULL) == RESULT_OK ? url_split(buf_view(&text), &url, err)
                                                            : err_nomem(err, "naming the job");
    if (result == RESULT_OK) {
        job->name = job_make_name(url.host);
        result = job->name ? RESULT_OK : err_nomem(err, "naming the job");
    }
    buf_release(&text);
    glob_free(glob);
    return result;
}

static enum result check_sources(const struct job *job, const struct job_endpoint *endpoint,
                                 struct err *err)
{
    bool has_stdin = false;

    if (!endpoint->source_count) {
        return err_set(err, RESULT_INVALID, "E-ARG9",
                       "nothing to fetch: give a URL, -i FILE, or the run directory of an earlier "
                       "run with -o");
    }
    for (size_t i = 0; i < endpoint->source_count; i++) {
        const struct job_source *source = &endpoint->sources[i];
        struct glob *glob;
        enum result result;

        if (source->kind == JOB_SOURCE_LIST) {
            bool is_stdin = strcmp(source->text, "-") == 0;

            if (is_stdin && has_stdin) {
                return err_set(err, RESULT_INVALID, "E-ARG9", "stdin can be read only once");
            }
            has_stdin = has_stdin || is_stdin;
            continue;
        }
        if (source->kind == JOB_SOURCE_TEMPLATE) {
            continue; /* job_link has seen to it */
        }
        result = glob_new(&glob, str_view(source->text), job->globoff, err);
        if (result != RESULT_OK) {
            return result;
        }
        glob_free(glob);
    }
    return RESULT_OK;
}

static enum result check_headers(const struct job_header *headers, size_t count, const char *again,
                                 struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!headers[i].sent) {
            return err_set(err, RESULT_INVALID, "E-SEC3",
                           "the value of header %s was typed and so not kept; give %s",
                           headers[i].name, again);
        }
    }
    return RESULT_OK;
}

/* What was typed as it is was not written down. */
static enum result check_secrets(const struct job *job, struct err *err)
{
    enum result result = check_headers(job->headers, job->header_count, "it again with -H", err);

    for (size_t i = 0; i < job->endpoint_count && result == RESULT_OK; i++) {
        result = check_headers(job->endpoints[i].headers, job->endpoints[i].header_count,
                               "the job file again", err);
    }
    if (result == RESULT_OK && job->is_incomplete) {
        result = err_set(err, RESULT_INVALID, "E-SEC3",
                         "a credential in a URL or a body was typed and so not kept; give the same "
                         "URL or job file again, better with ${ENV} in it");
    }
    if (result == RESULT_OK && job->login.is_incomplete) {
        result = err_set(err, RESULT_INVALID, "E-SEC3",
                         "a credential of \"login\" was typed and so not kept; give the job file "
                         "again, better with ${ENV} or @FILE in it");
    }
    if (result == RESULT_OK) {
        result = job_check_network(&job->network, err);
    }
    if (result == RESULT_OK && job->network.proxy.is_incomplete) {
        result = err_set(err, RESULT_INVALID, "E-SEC3",
                         "the credentials of the proxy were typed and so not kept; give -U again, "
                         "better with ${ENV} or @FILE");
    }
    return result;
}

enum result job_finish(struct job *job, struct err *err)
{
    enum result result = check_secrets(job, err);

    if (result == RESULT_OK && job->login.kind == &auth_netrc) {
        result = auth_netrc_resolve(job, err);
    }
    job_drop_implied(job);
    if (result == RESULT_OK) {
        result = job_note_typed(job, err);
    }
    if (result == RESULT_OK && !job->endpoint_count) {
        result = check_sources(job, &(struct job_endpoint){ 0 }, err);
    }
    for (size_t i = 0; i < job->endpoint_count && result == RESULT_OK; i++) {
        result = check_sources(job, &job->endpoints[i], err);
        if (result == RESULT_OK) {
            result = job_check_method(str_view(job->endpoints[i].method), err);
        }
    }
    if (result == RESULT_OK && !job->name) {
        result = derive_name(job, err);
    }
    for (size_t i = 0; i < job->endpoint_count && result == RESULT_OK; i++) {
        if (!job->endpoints[i].name) {
            job->endpoints[i].name = str_dup(str_view(job->name));
            result = job->endpoints[i].name ? RESULT_OK : err_nomem(err, "naming the tables");
        }
    }
    return result;
}

static bool same_text(const char *a, const char *b)
{
    return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static bool same_texts(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
    bool same = a_count == b_count;

    for (size_t i = 0; i < a_count && same; i++) {
        same = strcmp(a[i], b[i]) == 0;
    }
    return same;
}

static bool same_pages(const struct job_pages *a, const struct job_pages *b)
{
    return a->kind == b->kind && same_text(a->param, b->param) &&
           same_text(a->size_param, b->size_param) && a->first == b->first && a->size == b->size &&
           same_text(a->total, b->total) && same_text(a->total_pages, b->total_pages) &&
           same_text(a->next, b->next) && same_text(a->has_more, b->has_more) &&
           same_text(a->is_last, b->is_last) && same_text(a->until, b->until) &&
           same_text(a->older_than, b->older_than) && a->max == b->max;
}

static uint64_t chunk_of(const struct job_var *var)
{
    return var->chunk ? var->chunk : 1;
}

/* A file's content is compared by its checksum, when it is opened. */
static bool same_var(const struct job_var *a, const struct job_var *b)
{
    return a->kind == b->kind && same_text(a->name, b->name) && same_text(a->text, b->text) &&
           same_text(a->to, b->to) && same_text(a->step, b->step) &&
           same_text(a->format, b->format) && same_text(a->zone, b->zone) &&
           same_text(a->encoding, b->encoding) && chunk_of(a) == chunk_of(b) &&
           same_texts(a->values, a->value_count, b->values, b->value_count);
}

/* What one of them was kept without counts as the same. */
static bool same_manner(const struct job *of_a, const struct job_endpoint *a,
                        const struct job *of_b, const struct job_endpoint *b)
{
    return same_text(a->method, b->method) &&
           job_same_but_typed(of_a, a->body, of_b, b->body, false) &&
           a->has_parent == b->has_parent && a->parent == b->parent &&
           same_pages(&a->pages, &b->pages) && same_text(a->where_at, b->where_at) &&
           same_text(a->where_is, b->where_is) &&
           same_texts(a->with, a->with_count, b->with, b->with_count);
}

static bool same_endpoint(const struct job *of_a, const struct job_endpoint *a,
                          const struct job *of_b, const struct job_endpoint *b)
{
    if (a->source_count != b->source_count || !same_manner(of_a, a, of_b, b)) {
        return false;
    }
    for (size_t i = 0; i < a->source_count; i++) {
        if (a->sources[i].kind != b->sources[i].kind ||
            !job_same_but_typed(of_a, a->sources[i].text, of_b, b->sources[i].text,
                                a->sources[i].kind != JOB_SOURCE_LIST)) {
            return false;
        }
    }
    return true;
}

/* Its records are those that others are asked for. Else they are only what tables are made of. */
static bool is_parent(const struct job *job, size_t endpoint)
{
    for (size_t i = 0; i < job->endpoint_count; i++) {
        if (job->endpoints[i].has_parent && job->endpoints[i].parent == endpoint) {
            return true;
        }
    }
    return false;
}

/* A listing by numbers ends where a page has no records: with others it may have ended too early. Where none were named
 * they were looked for. */
static bool ends_by_records(const struct job_endpoint *a, const struct job_endpoint *b)
{
    return a->records && b->records && a->pages.kind == b->pages.kind &&
           (a->pages.kind == JOB_PAGES_AUTO || job_page_styles[a->pages.kind].is_numbered);
}

static bool same_found(const struct job *a, const struct job *b, size_t endpoint)
{
    const struct job_endpoint *of_a = &a->endpoints[endpoint], *of_b = &b->endpoints[endpoint];

    return (!is_parent(a, endpoint) && !ends_by_records(of_a, of_b)) ||
           same_text(of_a->records, of_b->records);
}

bool job_same_requests(const struct job *a, const struct job *b)
{
    if (a->endpoint_count != b->endpoint_count || a->globoff != b->globoff ||
        a->var_count != b->var_count) {
        return false;
    }
    for (size_t i = 0; i < a->var_count; i++) {
        if (!same_var(&a->vars[i], &b->vars[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < a->endpoint_count; i++) {
        if (!same_endpoint(a, &a->endpoints[i], b, &b->endpoints[i]) || !same_found(a, b, i)) {
            return false;
        }
    }
    return true;
}

/* Of templates the text is part of how it is asked; which values they get is not. */
static bool same_templates(const struct job *of_a, const struct job_endpoint *a,
                           const struct job *of_b, const struct job_endpoint *b)
{
    bool is_template = a->source_count && a->sources[0].kind == JOB_SOURCE_TEMPLATE;

    if (is_template != (b->source_count && b->sources[0].kind == JOB_SOURCE_TEMPLATE)) {
        return false;
    }
    return !is_template ||
           job_same_but_typed(of_a, a->sources[0].text, of_b, b->sources[0].text, true);
}

bool job_same_but_values(const struct job *a, const struct job *b)
{
    bool same = a->endpoint_count == b->endpoint_count && a->globoff == b->globoff &&
                a->var_count == b->var_count;

    for (size_t i = 0; same && i < a->var_count; i++) {
        same = same_text(a->vars[i].name, b->vars[i].name) &&
               chunk_of(&a->vars[i]) == chunk_of(&b->vars[i]) &&
               same_text(a->vars[i].format, b->vars[i].format);
    }
    for (size_t i = 0; same && i < a->endpoint_count; i++) {
        same = (a->endpoint_count == 1 || /* a name that comes of the URL or the list */
                same_text(a->endpoints[i].name, b->endpoints[i].name)) &&
               same_manner(a, &a->endpoints[i], b, &b->endpoints[i]) &&
               same_templates(a, &a->endpoints[i], b, &b->endpoints[i]) && same_found(a, b, i);
    }
    return same;
}
