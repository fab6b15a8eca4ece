#include "base/parents.h"
#include "base/say.h"
#include "base/secrecy.h"
#include "cmd/cmd.h"
#include "cmd/run_options.h"
#include "cmd/show_config.h"
#include "cmd/sweep_tell.h"
#include "fetch/ca_file.h"
#include "history/stored_job.h"
#include "plan/retry.h"
#include "session/dry_run.h"
#include "session/run_job.h"
#include "session/run_lists.h"
#include "session/run_place.h"
#include "session/session.h"
#include "store/run_dir.h"
#include "table/output_file.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTTP2_TRUSTED 0x080100 /* curl issues 10693 and 10715 are fixed in it */

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

/* The command line gave a whole job and the directory holds a run: it must be the same one. */
static enum result check_same_job(const struct run_dir *dir, const struct job *given,
                                  struct err *err)
{
    char theirs[200], ours[200];
    struct job stored;
    enum result result = stored_job_read_without_secrets(dir, &stored, err);

    if (result != RESULT_OK) {
        return result;
    }
    if (!job_same_requests(&stored, given)) {
        describe(&stored, theirs);
        describe(given, ours);
        result = err_set(err, RESULT_INVALID, "E-JOB1",
                         "%s holds another run, of %s, not of %s; name another directory with -o, "
                         "or set that one aside with --fresh",
                         dir->path, theirs, ours);
    }
    for (size_t i = 0; result == RESULT_OK && i < given->var_count; i++) {
        if (stored.vars[i].has_crc32c && stored.vars[i].crc32c != given->vars[i].crc32c) {
            result = err_set(err, RESULT_INVALID, "E-IN5",
                             "%s has changed since the run in %s began; begin anew with --fresh",
                             given->vars[i].text, dir->path);
        }
    }
    job_release(&stored);
    return result;
}

/* No URL was given: the directory says what the job is. */
static enum result take_stored_job(const struct run_dir *dir, struct run_options *options, int argc,
                                   char **argv, struct err *err)
{
    struct job stored;
    enum result result = stored_job_read(dir, &stored, err);

    return result == RESULT_OK ? run_options_lay_over(options, &stored, argc, argv, err) : result;
}

static enum result settle_job(struct run_options *options, const struct run_dir *dir, int argc,
                              char **argv, struct err *err)
{
    if (!options->has_sources) {
        return take_stored_job(dir, options, argc, argv, err);
    }
    return dir->fresh ? RESULT_OK : check_same_job(dir, &options->job, err);
}

static enum result set_aside(const char *path, struct err *err)
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

static enum result check_outputs(const struct run_options *options, struct err *err)
{
    const char *const outputs[] = { options->csv, options->parquet, options->svg };
    enum result result = RESULT_OK;

    for (size_t i = 0; result == RESULT_OK && i < sizeof outputs / sizeof outputs[0]; i++) {
        struct output_file *file;

        if (!outputs[i]) {
            continue;
        }
        parents_make(outputs[i], 0777);
        result = output_open(&file, outputs[i], err);
        if (result == RESULT_OK) {
            output_abandon(file);
        }
    }
    return result;
}

/* What is wrong with the command line alone is told before a directory is made for it, or set
 * aside: a mistyped list or table name leaves nothing behind. */
static enum result check_sources(struct run_options *options, struct run_lists *lists,
                                 struct err *err)
{
    enum result result = RESULT_OK;

    if (options->has_sources) {
        result = run_lists_check(lists, &options->job, err);
    }
    return result == RESULT_OK && options->has_sources ? run_job_check(&options->job, err) : result;
}

static enum result check_place(const char *path, const struct run_options *options, struct err *err)
{
    enum result result = RESULT_OK;

    if (options->follow_up.kind != FOLLOW_UP_NONE && !stored_job_is_in(path)) {
        result = err_set(err, RESULT_NOT_FOUND, "E-ARG1", "%s holds no run to follow up", path);
    } else if (!options->has_sources && !stored_job_is_in(path)) {
        result = err_set(err, RESULT_NOT_FOUND, "E-ARG1",
                         "no URL given, and %s holds no run to resume", path);
    }
    if (result == RESULT_OK && options->job.network.ca_file) {
        result = ca_file_check(options->job.network.ca_file, err);
    }
    return result == RESULT_OK ? check_outputs(options, err) : result;
}

/* Where a run lies for which no directory was given; said when it is not where it would be looked for. */
static enum result choose_place(const struct run_options *options, const struct run_lists *lists,
                                char path[RUN_PLACE_MAX], struct err *err)
{
    enum result result = run_place_choose(&options->job, lists, path, err);

    if (result == RESULT_OK && strlen(path) != strlen(options->job.name) + strlen(".run")) {
        say(stderr, "scrapetop: %s.run holds another run; this one is in %s (-o names another)",
            options->job.name, path);
    }
    return result;
}

/* The job is written last: where one lies, its lists lie beside it, and the run can be resumed. */
static enum result settle_directory(const struct run_dir *dir, struct run_options *options,
                                    struct run_lists *lists, int argc, char **argv, struct err *err)
{
    enum result result = settle_job(options, dir, argc, argv, err);

    if (result == RESULT_OK) {
        result = run_lists_open(lists, dir, &options->job, err);
    }
    if (result == RESULT_OK && options->has_sources && dir->fresh) {
        result = stored_job_write(dir, &options->job, err);
    }
    return result;
}

/* Whoever writes a list of one or two may have meant to add them. */
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

/* What is allowed, and better known. */
static void warn(const struct job *job)
{
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);

    warn_of_statuses(&job->retry);

    if (job->network.insecure) {
        message_warning("W-TLS1", "certificates are not checked (-k): anybody may answer");
    }
    if (job->network.http2 && curl->version_num < HTTP2_TRUSTED) {
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

/* A directory that was free may be another's by now, who began at the same moment. */
static enum result open_place(struct run_dir *dir, const char *path,
                              const struct run_options *options, const struct run_lists *lists,
                              struct err *err)
{
    char before[RUN_PLACE_MAX], now[RUN_PLACE_MAX];
    enum result result = run_dir_open(dir, path, err);

    snprintf(now, sizeof now, "%s", options->run_dir ? "" : path);
    while (result == RESULT_BUSY && !options->run_dir) {
        memcpy(before, now, sizeof before);
        if (choose_place(options, lists, now, NULL) != RESULT_OK || strcmp(now, before) == 0) {
            break;
        }
        result = run_dir_open(dir, now, err);
    }
    return result;
}

static int run_in(const char *path, struct run_options *options, struct run_lists *lists, int argc,
                  char **argv)
{
    struct run_dir dir;
    struct err err;
    int code;

    if (open_place(&dir, path, options, lists, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (settle_directory(&dir, options, lists, argc, argv, &err) == RESULT_OK) {
        struct session_options session;

        warn(&options->job);
        session = (struct session_options){
            .job = &options->job,
            .dir = &dir,
            .list_fds = lists->fds,
            .feed = lists->feed.is_used ? &lists->feed : NULL,
            .feed_list = lists->count - (lists->count > 0),
            .csv = options->csv,
            .parquet = options->parquet,
            .follow_up = options->follow_up,
            .sweep = options->sweep.cap_count ? &options->sweep : NULL,
            .plain = options->plain,
            .notify = options->notify,
            .exit = options->exit,
            .stdin_is_read = run_lists_have_piped(lists),
            .json = options->json && !options->sweep.cap_count,
        };

        code = session_run(&session);
        if (session.sweep) {
            code = sweep_tell(options, code);
        }
    } else {
        code = message_fail(&err);
    }
    run_dir_close(&dir);
    return code;
}

static int run_given(struct run_options *options, int argc, char **argv)
{
    char default_dir[RUN_PLACE_MAX];
    const char *path = options->run_dir;
    struct run_lists lists = { 0 };
    struct err err;
    enum result result;
    int code;

    if (options->show_config) {
        return show_config(options, &err) == RESULT_OK ? EXIT_WELL : message_fail(&err);
    }
    if (options->dry_run) {
        result = run_job_check(&options->job, &err);
        if (result == RESULT_OK) {
            result = dry_run_print(&options->job, stdout, &err);
        }
        return result == RESULT_OK ? EXIT_WELL : message_fail(&err);
    }
    result = check_sources(options, &lists, &err);
    if (result == RESULT_OK && !path) {
        result = choose_place(options, &lists, default_dir, &err);
        path = default_dir;
    }
    if (result == RESULT_OK) {
        result = check_place(path, options, &err);
    }
    if (result == RESULT_OK && options->fresh) {
        result = set_aside(path, &err);
    }
    code = result == RESULT_OK ? run_in(path, options, &lists, argc, argv) : message_fail(&err);
    run_lists_close(&lists);
    return code;
}

int cmd_run(int argc, char **argv)
{
    struct run_options options;
    struct secrecy secrecy;
    struct err err;
    int code = EXIT_WELL;

    secrecy_begin(&secrecy);
    if (run_options_parse(&options, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.allow_core) {
        secrecy_end(&secrecy);
    }
    if (options.given.help) {
        options_print_help(&run_table, stdout);
    } else {
        code = run_given(&options, argc, argv);
    }
    run_options_release(&options);
    return code;
}
