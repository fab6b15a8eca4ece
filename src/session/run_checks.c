#include "session/run_checks.h"

#include "base/message.h"
#include "base/say.h"
#include "fetch/fetch.h"
#include "history/stored_job.h"
#include "job/glob.h"
#include "plan/retry.h"
#include "plan/seeds.h"
#include "store/ledger.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the job asks for, for people: its first source, and how many more. */
static void describe(const struct job *job, char text[200])
{
    const struct job_endpoint *endpoint = &job->endpoints[0];
    const char *first = endpoint->source_count ? endpoint->sources[0].text : "nothing";
    struct buf hidden = { 0 };
    struct str shown =
        job_hide_typed(job, first, true, &hidden) == RESULT_OK ? buf_view(&hidden) : STR("?");

    shown.len = shown.len < 120 ? shown.len : 120;
    if (endpoint->source_count > 1) {
        snprintf(text, 200, "%.*s and %zu more", STR_ARG(shown), endpoint->source_count - 1);
    } else {
        snprintf(text, 200, "%.*s", STR_ARG(shown));
    }
    buf_release(&hidden);
}

static bool days_differ(const struct job *stored, const struct job *given)
{
    bool differ = false;

    for (size_t i = 0; i < given->var_count && i < stored->var_count; i++) {
        const char *before = stored->vars[i].today, *now = given->vars[i].today;

        differ |= before && now && strcmp(before, now) != 0;
    }
    return differ;
}

/* All that it was to ask has ended. */
static bool is_finished(const struct run_dir *dir)
{
    struct ledger_summary summary = { .planned = 0 };
    struct ledger *ledger;
    enum result result = ledger_open_readonly(&ledger, dir, NULL);

    if (result == RESULT_OK) {
        result = ledger_summarise(ledger, &summary, NULL);
        ledger_close(ledger);
    }
    return result == RESULT_OK && summary.planned && !summary.waiting &&
           summary.done + summary.failed >= summary.planned;
}

/* Days in words go on to count from the day on which the run began, until all of them have been asked. */
static void keep_days(const struct run_dir *dir, struct job *stored, struct job *given)
{
    bool is_told = false;

    for (size_t i = 0; i < given->var_count; i++) {
        char *today = given->vars[i].today;

        if (today && stored->vars[i].today && strcmp(today, stored->vars[i].today) != 0 &&
            !is_told) {
            say(stderr,
                "scrapetop: the run in %s goes on with the days of %s, when it began; --fresh "
                "begins one of %s",
                dir->path, stored->vars[i].today, today);
            is_told = true;
        }
        given->vars[i].today = stored->vars[i].today;
        stored->vars[i].today = today;
    }
}

/* The run goes on as the worker that it is; where the fleet meets may have moved. */
static void keep_fleet(struct job *stored, struct job *given)
{
    char *fleet = given->fleet, *worker = given->worker;

    given->worker = stored->worker;
    stored->worker = worker;
    if (!fleet) {
        given->fleet = stored->fleet;
        stored->fleet = NULL;
    }
}

static enum result check_same_shard(const struct run_dir *dir, const struct job_shard *stored,
                                    const struct job_shard *given, struct err *err)
{
    char theirs[JOB_SHARD_TEXT_MAX], ours[JOB_SHARD_TEXT_MAX];

    if (job_shard_is_same(stored, given)) {
        return RESULT_OK;
    }
    job_shard_format(stored, theirs);
    job_shard_format(given, ours);
    return err_set(err, RESULT_INVALID, "E-SHARD3",
                   "%s holds %s%s of this job, not %s; name another directory with -o, or set that "
                   "one aside with --fresh",
                   dir->path, stored->count ? "shard " : "", theirs, ours);
}

enum result run_check_refuse(const struct run_dir *dir, const struct job *stored,
                             const struct job *given, struct err *err)
{
    char theirs[200], ours[200];

    describe(stored, theirs);
    describe(given, ours);
    return strcmp(theirs, ours) == 0
               ? err_set(err, RESULT_INVALID, "E-JOB1",
                         "%s holds another run of %s, with other values or settings; name "
                         "another directory with -o, or set that one aside with --fresh",
                         dir->path, theirs)
               : err_set(err, RESULT_INVALID, "E-JOB1",
                         "%s holds another run, of %s, not of %s; name another directory "
                         "with -o, or set that one aside with --fresh",
                         dir->path, theirs, ours);
}

static bool values_differ(const struct job *stored, const struct job *given)
{
    bool differ = false;

    for (size_t i = 0; i < given->var_count && i < stored->var_count; i++) {
        differ |= stored->vars[i].has_crc32c && stored->vars[i].crc32c != given->vars[i].crc32c;
    }
    return differ;
}

/* Where a run with "since" has started: it is part of what its first round asked, and of nothing
 * later. */
static void keep_start(const struct job *stored, struct job *given)
{
    size_t count = stored->endpoint_count < given->endpoint_count ? stored->endpoint_count
                                                                  : given->endpoint_count;

    for (size_t i = 0; i < count; i++) {
        const struct job_since *was = &stored->endpoints[i].since;
        struct job_since *is = &given->endpoints[i].since;

        if (was->at && is->at && since_value_is_like(&was->start, &is->start)) {
            is->start = was->start;
        }
    }
}

static bool since_differs(const struct job *stored, const struct job *given)
{
    bool differs = false;

    for (size_t i = 0; i < stored->endpoint_count && i < given->endpoint_count; i++) {
        const struct job_since *was = &stored->endpoints[i].since, *is = &given->endpoints[i].since;

        differs |= !was->at != !is->at || was->stops_seen != is->stops_seen ||
                   strcmp(was->lag_given, is->lag_given) != 0 ||
                   (was->at && is->at && strcmp(was->at, is->at) != 0);
    }
    return differs;
}

enum result run_check_same_job(const struct run_dir *dir, struct job *given, struct job *stored,
                               bool *is_other, struct err *err)
{
    enum result result = stored_job_read_without_secrets(dir, stored, err);

    if (result != RESULT_OK) {
        return result;
    }
    keep_start(stored, given);
    *is_other = !job_same_requests(stored, given) || values_differ(stored, given);
    if (*is_other &&
        (given->has_typed_secret || stored->is_incomplete || !job_same_but_values(stored, given))) {
        result = run_check_refuse(dir, stored, given, err);
        job_release(stored);
        return result;
    }
    keep_fleet(stored, given);
    result = check_same_shard(dir, &stored->shard, &given->shard, err);
    if (result != RESULT_OK) {
        job_release(stored);
        return result;
    }
    *is_other |=
        since_differs(stored, given); /* it is kept with the run, though all is asked as before */
    if (!*is_other && days_differ(stored, given)) {
        *is_other = is_finished(dir);
    }
    if (!*is_other) {
        keep_days(dir, stored, given);
    }
    return RESULT_OK;
}

enum result run_check_shard(const struct job *job, const int *list_fds, struct err *err)
{
    struct seeds *seeds;
    uint64_t total;
    enum result result = RESULT_OK;

    if (!job->shard.count) {
        return RESULT_OK;
    }
    result = seeds_new(&seeds, job, list_fds, err);
    if (result != RESULT_OK) {
        return result;
    }
    total = seeds_total(seeds);
    seeds_free(seeds);
    if (total < job->shard.count) {
        result = err_set(err, RESULT_INVALID, "E-SHARD2",
                         "the plan's own %llu request%s cannot be cut in %u shards: what answers "
                         "lead to stays with the shard that asked",
                         (unsigned long long)total, units_plural(total), job->shard.count);
    }
    return result;
}

enum result run_set_aside(const char *path, struct err *err)
{
    char *aside = NULL;
    enum result result = run_dir_set_aside(path, &aside, err);

    if (result == RESULT_OK) {
        say(stderr, "scrapetop: the run in %s is now %s", path, aside);
    } else if (result == RESULT_NOT_FOUND) {
        result = RESULT_OK;
    }
    free(aside);
    return result;
}

/* A list of one or two statuses may have been meant as an addition. */
static void warn_of_statuses(const struct job_retry *retry)
{
    static const int usual[] = { 500, 502, 504 };
    char dropped[32] = "", text[200];

    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        if (retry->replaces_statuses && !retry_wants_status(retry, usual[i])) {
            size_t used = strlen(dropped);

            snprintf(dropped + used, sizeof dropped - used, used ? ", %d" : "%d", usual[i]);
        }
    }
    if (dropped[0]) {
        snprintf(text, sizeof text,
                 "\"statuses\" is a list without %s, which so are not tried again; \"+403\" adds a "
                 "status to the usual ones instead",
                 dropped);
        message_warning("W-RETRY1", text);
    }
}

/* Of the first that has such: it is probably meant as it is, but a range may have been. */
static void warn_of_brackets(const struct job *job)
{
    const struct job_endpoint *endpoint = &job->endpoints[0];

    for (size_t i = 0; i < endpoint->source_count && !job->globoff; i++) {
        struct glob *glob;
        bool has_plain;

        if (endpoint->sources[i].kind != JOB_SOURCE_PATTERN ||
            glob_new(&glob, str_view(endpoint->sources[i].text), false, NULL) != RESULT_OK) {
            continue;
        }
        has_plain = glob_has_plain(glob);
        glob_free(glob);
        if (has_plain) {
            message_warning("W-GLOB1", "brackets or braces in a URL's query are no pattern and are "
                                       "asked as they are; -g takes all so");
            return;
        }
    }
}

static bool is_typed(const struct job_secret *secret)
{
    return secret->sent && !secret->given;
}

/* Values of variables are keys of records and columns of tables: they cannot be hidden. */
static void warn_of_vars(const struct job *job)
{
    const struct job_var *var = job_credential_var(job);
    char text[400];

    if (var) {
        snprintf(text, sizeof text,
                 "the values of {%s} stand where a request has a credential, and are stored with "
                 "every record, as those of all variables; a job file's \"login\" (several: "
                 "\"tokens\": {\"file\": ...}) or a header from ${NAME} stores none",
                 var->name);
        message_warning("W-SEC3", text);
    }
}

static bool asks_in_clear(const struct job *job)
{
    for (size_t e = 0; e < job->endpoint_count; e++) {
        const struct job_endpoint *endpoint = &job->endpoints[e];

        for (size_t i = 0; i < endpoint->source_count; i++) {
            if (endpoint->sources[i].kind != JOB_SOURCE_LIST &&
                str_starts(str_view(endpoint->sources[i].text), STR("http://"))) {
                return true;
            }
        }
    }
    return false;
}

/* A CGI program has what a client's header "Proxy" says in it, so curl does not read it either. */
static void warn_of_capitals(const struct job *job)
{
    const struct job_proxy *proxy = &job->network.proxy;
    const char *capitals = getenv("HTTP_PROXY");

    if (capitals && capitals[0] && !proxy->url && !proxy->file && !proxy->http.name &&
        asks_in_clear(job)) {
        message_warning("W-PRX1", "HTTP_PROXY in capitals is not obeyed for http, as by curl: set "
                                  "http_proxy, or give --proxy");
    }
}

void run_warn(const struct job *job)
{
    enum job_http http = job->network.http;

    warn_of_statuses(&job->retry);
    warn_of_brackets(job);
    warn_of_vars(job);
    warn_of_capitals(job);

    if (job->network.insecure) {
        message_warning("W-TLS1", "certificates are not checked (-k): anybody may answer");
    }
    if ((http == JOB_HTTP_2 || http == JOB_HTTP_2_AT_ONCE) && !fetch_http2_is_right()) {
        message_warning("W-HTTP2",
                        "this libcurl takes a body that HTTP/2 cut short for a whole one; "
                        "only the JSON check stands between");
    }
    if (job->has_typed_secret) {
        message_warning("W-SEC2",
                        "a credential stands in a URL or a body as it is: it is not kept, and the "
                        "next session must be given it again; better '?api_key=${ENV}' in single "
                        "quotes, or a job file's \"login\"");
    }
    if (is_typed(&job->network.proxy.user) || is_typed(&job->network.tls.pass)) {
        message_warning("W-SEC1",
                        "a credential of the proxy or the key was typed as it is: others see it in "
                        "the process list, and the next session must be given it again; better "
                        "'NAME:${ENV}' or @FILE");
    }
    for (size_t i = 0; i < job->header_count; i++) {
        if (!job->headers[i].given) {
            message_warning("W-SEC1",
                            "a credential was typed as it is: others see it in the process "
                            "list, and the next session must be given it again; better "
                            "-H 'Name: ${ENV}' or -H @FILE");
            return;
        }
    }
}
