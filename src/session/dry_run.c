#include "session/dry_run.h"

#include "base/digest.h"
#include "base/message.h"
#include "base/url.h"
#include "base/utf8.h"
#include "job/expansion.h"
#include "job/glob.h"
#include "job/list.h"
#include "plan/pages/pages.h"

#include <stdlib.h>
#include <string.h>

#define HOSTS_COUNTED 256                 /* each further one counts as the last of these */
#define LINE_SIZE (4 * URL_MAX_BYTES + 1) /* an escaped byte takes four */

/* Requests of one host. */
struct host_count {
    uint8_t digest[DIGEST_BYTES];
    uint64_t requests;
};

struct printer {
    const struct job *job;
    FILE *to; /* NULL: nothing is printed */
    struct price_plan *plan;
    struct host_count hosts[HOSTS_COUNTED];
    size_t host_count, last_host;
    uint64_t number;       /* in the whole plan, of the one that was looked at last */
    struct buf url, shown; /* as expanded; redacted by parameter name, then by value */
    struct buf redacted;
    char line[LINE_SIZE];
};

static void count_host(struct printer *p, struct str origin)
{
    uint8_t digest[DIGEST_BYTES];
    size_t i = p->last_host;

    digest_of(origin.data, origin.len, digest);
    if (i >= p->host_count || memcmp(p->hosts[i].digest, digest, sizeof digest) != 0) {
        for (i = 0; i < p->host_count && memcmp(p->hosts[i].digest, digest, sizeof digest) != 0;
             i++) {
        }
    }
    if (i == p->host_count && i == HOSTS_COUNTED) {
        i--;
    } else if (i == p->host_count) {
        memcpy(p->hosts[i].digest, digest, sizeof digest);
        p->host_count++;
    }
    p->hosts[i].requests++;
    p->last_host = i;
}

static void count_request(struct printer *p, struct str text)
{
    struct url url;

    p->plan->requests++;
    if (url_split(text, &url, NULL) == RESULT_OK) {
        count_host(p, url.origin);
    }
}

static void end_count(struct printer *p)
{
    p->plan->hosts = p->host_count;
    for (size_t i = 0; i < p->host_count; i++) {
        if (p->hosts[i].requests > p->plan->busiest_host) {
            p->plan->busiest_host = p->hosts[i].requests;
        }
    }
}

static bool has_ended(const struct printer *p)
{
    return p->to && ferror(p->to);
}

/* Prints a text without its secrets, display-safe, `before` it. */
static enum result print_masked(struct printer *p, const char *before, struct str text)
{
    enum result result;

    buf_reset(&p->redacted);
    result = secrets_redact(&p->job->secrets, text, SECRETS_WHOLE, &p->redacted);
    if (result == RESULT_OK) {
        utf8_display(p->line, sizeof p->line, buf_view(&p->redacted), sizeof p->line);
        fprintf(p->to, "%s%s", before, p->line);
    }
    return result;
}

static enum result print_line(struct printer *p, const char *method, struct str url,
                              struct str body, const char *note)
{
    enum result result;

    if (!p->to) {
        return RESULT_OK;
    }
    buf_reset(&p->shown);
    result = url_redact(url, &p->shown);
    if (result == RESULT_OK) {
        fprintf(p->to, "%s", method);
        result = print_masked(p, " ", buf_view(&p->shown));
    }
    if (result == RESULT_OK && body.len) {
        result = print_masked(p, " ", body);
    }
    fprintf(p->to, "%s\n", note);
    return result;
}

/* The next one of the plan is of this shard. */
static bool is_ours(struct printer *p)
{
    return job_shard_has(&p->job->shard, ++p->number);
}

static enum result print_request(struct printer *p, const char *method, struct str url)
{
    if (!is_ours(p)) {
        return RESULT_OK;
    }
    count_request(p, url);
    return print_line(p, method, url, STR_NONE, "");
}

static enum result print_pattern(struct printer *p, const char *method, const char *pattern,
                                 struct err *err)
{
    struct glob *glob;
    enum result result = glob_new(&glob, str_view(pattern), p->job->globoff, err);

    if (result != RESULT_OK) {
        return result;
    }
    for (uint64_t i = 0; i < glob_count(glob) && !has_ended(p) && result == RESULT_OK; i++) {
        result = glob_expand(glob, i, &p->url, NULL);
        if (result == RESULT_OK) {
            result = print_request(p, method, buf_view(&p->url));
        }
    }
    glob_free(glob);
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "printing the requests");
}

static enum result print_list(struct printer *p, const char *method, const char *path,
                              struct err *err)
{
    struct list_report *report = malloc(sizeof *report);
    struct list_entry entry;
    struct list *list;
    uint64_t offset = 0;
    enum result result;

    if (!report) {
        return err_nomem(err, "checking a list");
    }
    result = list_open(&list, path, err);
    if (result != RESULT_OK) {
        goto fail_list;
    }
    result = list_check(list, report, err);
    for (uint64_t i = 0; result != RESULT_OK && i < report->bad && i < LIST_BAD_SHOWN; i++) {
        message_error(&report->errors[i]);
    }
    while (result == RESULT_OK && !has_ended(p)) {
        result = list_next(list, &offset, &entry, err);
        if (result == RESULT_OK && print_request(p, method, entry.url) != RESULT_OK) {
            result = err_nomem(err, "printing the requests");
        }
    }
    result = result == RESULT_NOT_FOUND ? RESULT_OK : result; /* the list's end */
    list_free(list);
fail_list:
    free(report);
    return result;
}

/* Of an endpoint whose requests are named by another one's records, there is only the form. */
static enum result print_form(struct printer *p, const struct job_endpoint *endpoint,
                              struct err *err)
{
    char note[JOB_NAME_MAX + 40];

    snprintf(note, sizeof note, "  for each record of %s",
             p->job->endpoints[endpoint->parent].name);
    return print_line(p, endpoint->method, str_view(endpoint->sources[0].text),
                      str_view(endpoint->body), note) == RESULT_OK
               ? RESULT_OK
               : err_nomem(err, "printing the requests");
}

static enum result print_expanded(struct printer *p, const struct job_endpoint *endpoint,
                                  const struct expansion *x, uint64_t index,
                                  struct expansion_texts *texts, struct err *err)
{
    const char *note = endpoint->pages.kind == JOB_PAGES_NONE ? "" : "  and its further pages";
    struct pages_first first = { .url = { 0 } };
    enum result result = expansion_read(x, index, texts, err);

    if (result == RESULT_OK) {
        struct request_texts given = { .key = buf_view(&texts->key),
                                       .url = buf_view(&texts->url),
                                       .body =
                                           texts->body.len ? buf_view(&texts->body) : STR_NONE };

        result = pages_first(endpoint, &given, &first, err);
    }
    if (result == RESULT_OK && print_line(p, endpoint->method, buf_view(&first.url),
                                          buf_view(&first.body), note) != RESULT_OK) {
        result = err_nomem(err, "printing the requests");
    }
    if (result == RESULT_OK) {
        count_request(p, buf_view(&first.url));
    }
    pages_first_release(&first);
    return result;
}

static enum result print_template(struct printer *p, const struct job_endpoint *endpoint,
                                  struct err *err)
{
    struct expansion_texts texts = { .key = { 0 } };
    struct expansion *x = NULL;
    struct vars *vars;
    enum result result;

    if (endpoint->has_parent) {
        return print_form(p, endpoint, err);
    }
    result = vars_new(&vars, p->job, NULL, err);
    if (result != RESULT_OK) {
        return result;
    }
    result = expansion_new(&x, p->job, (uint32_t)(endpoint - p->job->endpoints), vars, err);
    for (uint64_t i = 0; result == RESULT_OK && i < expansion_count(x) && !has_ended(p); i++) {
        result = is_ours(p) ? print_expanded(p, endpoint, x, i, &texts, err) : RESULT_OK;
    }
    expansion_texts_release(&texts);
    if (x) {
        expansion_free(x);
    }
    vars_free(vars);
    return result;
}

static enum result print_source(struct printer *p, const struct job_endpoint *endpoint,
                                const struct job_source *source, struct err *err)
{
    switch (source->kind) {
    case JOB_SOURCE_LIST:
        return print_list(p, endpoint->method, source->text, err);
    case JOB_SOURCE_TEMPLATE:
        return print_template(p, endpoint, err);
    case JOB_SOURCE_PATTERN:
        break;
    }
    return print_pattern(p, endpoint->method, source->text, err);
}

static enum result print_login(struct printer *p, struct err *err)
{
    const struct job_login *login = &p->job->login;

    if (!login->url) {
        return RESULT_OK;
    }
    return print_line(p, login->method, str_view(login->url), str_view(login->body.given),
                      "  to log in") == RESULT_OK
               ? RESULT_OK
               : err_nomem(err, "printing the requests");
}

static enum result print_endpoint(struct printer *p, const struct job_endpoint *endpoint,
                                  struct err *err)
{
    enum result result = RESULT_OK;

    p->plan->names_more |= endpoint->has_parent || endpoint->pages.kind != JOB_PAGES_NONE;
    for (size_t i = 0; i < endpoint->source_count && result == RESULT_OK; i++) {
        result = print_source(p, endpoint, &endpoint->sources[i], err);
    }
    return result;
}

enum result dry_run_print(const struct job *job, FILE *to, struct price_plan *plan, struct err *err)
{
    struct printer *p = calloc(1, sizeof *p);
    enum result result;

    *plan = (struct price_plan){ 0 };
    if (!p) {
        return err_nomem(err, "printing the requests");
    }
    p->job = job;
    p->to = to;
    p->plan = plan;
    result = print_login(p, err);
    for (size_t i = 0; i < job->endpoint_count && result == RESULT_OK; i++) {
        result = print_endpoint(p, &job->endpoints[i], err);
    }
    if (to) {
        fflush(to);
    }
    end_count(p);
    buf_release(&p->url);
    buf_release(&p->shown);
    buf_release(&p->redacted);
    free(p);
    return result;
}
