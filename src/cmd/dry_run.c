#include "cmd/dry_run.h"

#include "base/url.h"
#include "base/utf8.h"
#include "cmd/cmd.h"
#include "job/glob.h"
#include "job/list.h"

#include <inttypes.h>
#include <stdlib.h>

#define LINE_SIZE (4 * URL_MAX_BYTES + 1) /* an escaped byte takes four */

struct printer {
    const struct job *job;
    FILE *to;
    uint64_t count;
    struct buf url, shown; /* as expanded; redacted by parameter name, then by value */
    struct buf redacted;
    char line[LINE_SIZE];
};

static enum result print_request(struct printer *p, const char *method, struct str url)
{
    enum result result;

    buf_reset(&p->shown);
    buf_reset(&p->redacted);
    result = url_redact(url, &p->shown);
    if (result == RESULT_OK) {
        result = secrets_redact(&p->job->secrets, buf_view(&p->shown), &p->redacted);
    }
    if (result == RESULT_OK) {
        utf8_display(p->line, sizeof p->line, buf_view(&p->redacted), sizeof p->line);
        fprintf(p->to, "%s %s\n", method, p->line);
        p->count++;
    }
    return result;
}

static enum result print_pattern(struct printer *p, const char *method, const char *pattern,
                                 struct err *err)
{
    struct glob *glob;
    enum result result = glob_new(&glob, str_view(pattern), p->job->globoff, err);

    if (result != RESULT_OK) {
        return result;
    }
    for (uint64_t i = 0; i < glob_count(glob) && !ferror(p->to) && result == RESULT_OK; i++) {
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
        cmd_print_error(&report->errors[i]);
    }
    while (result == RESULT_OK && !ferror(p->to)) {
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

static enum result print_endpoint(struct printer *p, const struct job_endpoint *endpoint,
                                  struct err *err)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < endpoint->source_count && result == RESULT_OK; i++) {
        const struct job_source *source = &endpoint->sources[i];

        result = source->kind == JOB_SOURCE_LIST
                     ? print_list(p, endpoint->method, source->text, err)
                     : print_pattern(p, endpoint->method, source->text, err);
    }
    return result;
}

enum result dry_run_print(const struct job *job, FILE *to, struct err *err)
{
    struct printer *p = calloc(1, sizeof *p);
    enum result result = RESULT_OK;

    if (!p) {
        return err_nomem(err, "printing the requests");
    }
    p->job = job;
    p->to = to;
    for (size_t i = 0; i < job->endpoint_count && result == RESULT_OK; i++) {
        result = print_endpoint(p, &job->endpoints[i], err);
    }
    fflush(to);
    if (result == RESULT_OK) {
        fprintf(stderr, "scrapetop: %" PRIu64 " request%s%s, none sent\n", p->count,
                p->count == 1 ? "" : "s", ferror(to) ? " printed" : "");
    }
    buf_release(&p->url);
    buf_release(&p->shown);
    buf_release(&p->redacted);
    free(p);
    return result;
}
