#include "base/clock.h"
#include "base/parents.h"
#include "base/say.h"
#include "base/secrecy.h"
#include "cmd/cmd.h"
#include "cmd/fleet_option.h"
#include "cmd/retain.h"
#include "cmd/run_options.h"
#include "cmd/show_config.h"
#include "fetch/ca_file.h"
#include "fetch/client_cert.h"
#include "history/stored_job.h"
#include "session/line_copy.h"
#include "session/quote.h"
#include "session/run_checks.h"
#include "session/run_growth.h"
#include "session/run_job.h"
#include "session/run_lists.h"
#include "session/run_place.h"
#include "session/run_values.h"
#include "session/session.h"
#include "session/sweep_tell.h"
#include "store/run_dir.h"
#include "table/output_file.h"
#include "table/postgres/postgres_place.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define PLACE_TRIES 50
#define PLACE_PAUSE_NS 20000000

/* No URL was given: the directory says what the job is. */
static enum result take_stored_job(const struct run_dir *dir, struct run_options *options, int argc,
                                   char **argv, struct err *err)
{
    struct job stored;
    enum result result = stored_job_read(dir, &stored, err);

    return result == RESULT_OK ? run_options_lay_over(options, &stored, argc, argv, err) : result;
}

static enum result settle_job(struct run_options *options, const struct run_dir *dir,
                              struct run_growth *growth, int argc, char **argv, struct err *err)
{
    bool all;
    enum result result;

    if (options->has_sources) {
        return dir->fresh ? RESULT_OK : run_growth_compare(growth, dir, &options->job, err);
    }
    result = take_stored_job(dir, options, argc, argv, err);
    return result == RESULT_OK ? run_values_take_back(dir, &options->job, &all, err) : result;
}

static enum result check_file(const char *path, struct err *err)
{
    struct output_file *file;
    enum result result;

    parents_make(path, 0777);
    result = output_open(&file, path, err);
    if (result == RESULT_OK) {
        output_abandon(file);
    }
    return result;
}

static enum result check_outputs(const struct run_options *options, struct err *err)
{
    enum result result = options->svg ? check_file(options->svg, err) : RESULT_OK;

    for (size_t i = 0; result == RESULT_OK && i < options->output_count; i++) {
        table_output_make_parents(&options->outputs[i]);
        result = table_output_check(&options->outputs[i], err);
        if (result == RESULT_BUSY && options->outputs[i].format->may_be_away) {
            message_warning(err->code, err->text); /* it has until the end to come back */
            result = RESULT_OK;
        }
    }
    return result == RESULT_OK && options->copy_to ? line_copy_check(options->copy_to, err)
                                                   : result;
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
    if (result == RESULT_OK && options->has_sources) {
        result = run_values_read(&options->job, err);
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
    if (result == RESULT_OK) {
        result = client_cert_check(&options->job.network.tls, err);
    }
    return result == RESULT_OK ? check_outputs(options, err) : result;
}

/* Where a run lies for which no directory was given; said when it is not where it would be looked for. */
static void say_place(const struct run_options *options, const char *path)
{
    char first[RUN_PLACE_MAX];

    run_place_first(&options->job, first);
    if (strcmp(path, first) != 0) {
        say(stderr, "scrapetop: %s holds another run; this one is in %s (-o names another)", first,
            path);
    }
}

static enum result choose_place(const struct run_options *options, const struct run_lists *lists,
                                char path[RUN_PLACE_MAX], struct err *err)
{
    enum result result = run_place_choose(&options->job, lists, path, err);

    if (result == RESULT_OK) {
        say_place(options, path);
    }
    return result;
}

static enum result start_since(struct run_options *options, struct err *err)
{
    const struct clock clock = clock_system();
    struct ledger_since_set sets[SINCE_OPTION_MAX];
    size_t count;
    enum result result = since_option_read(&options->again.since, &options->job,
                                           clock_wall_us(&clock), sets, &count, err);

    if (result == RESULT_OK) {
        since_option_start(&options->job, sets, count);
    }
    return result;
}

/* The job is written last: where one lies, its lists lie beside it, and the run can be resumed. */
static enum result settle_directory(const struct run_dir *dir, struct run_options *options,
                                    struct run_lists *lists, struct run_growth *growth, int argc,
                                    char **argv, struct err *err)
{
    enum result result = run_growth_recover(dir, err);

    if (result == RESULT_OK) {
        result = settle_job(options, dir, growth, argc, argv, err);
    }
    if (result == RESULT_OK) {
        result = run_lists_open(lists, dir, &options->job, err);
    }
    if (result == RESULT_OK && dir->fresh) {
        result = run_values_keep(dir, &options->job, "", NULL, err);
    }
    if (result == RESULT_OK) {
        result = run_growth_open(growth, dir, lists, err);
    }
    if (result == RESULT_OK) {
        result = fleet_option_name(&options->job, dir, err);
    }
    if (result == RESULT_OK && options->job.fleet && lists->feed.is_used) {
        result = err_set(err, RESULT_INVALID, "E-FLEET6",
                         "--fleet: all workers read the same list, and that of stdin has not "
                         "ended: give a file");
    }
    if (result == RESULT_OK && options->again.is_wanted && lists->feed.is_used) {
        result = err_set(err, RESULT_INVALID, "E-ARG1",
                         "--again goes by the whole list, and that of stdin has not ended: give a "
                         "file");
    }
    if (result == RESULT_OK && !lists->feed.is_used) {
        result = run_check_shard(&options->job, lists->fds, err);
    }
    if (result == RESULT_OK && dir->fresh) {
        result = start_since(options, err);
    }
    if (result == RESULT_OK && options->has_sources && dir->fresh) {
        result = stored_job_write(dir, &options->job, err);
    }
    return result == RESULT_OK ? run_growth_put(growth, dir, lists, &options->job, err) : result;
}

/* A directory that was free may be another's by now, who began at the same moment: once its job is there, it can be
 * told from ours. */
static enum result open_place(struct run_dir *dir, const char *path,
                              const struct run_options *options, const struct run_lists *lists,
                              struct err *err)
{
    const struct timespec pause = { .tv_nsec = PLACE_PAUSE_NS };
    char before[RUN_PLACE_MAX], now[RUN_PLACE_MAX];
    enum result result = run_dir_open(dir, path, err);

    snprintf(now, sizeof now, "%s", options->run_dir ? "" : path);
    for (int i = 0; result == RESULT_BUSY && !options->run_dir && i < PLACE_TRIES; i++) {
        memcpy(before, now, sizeof before);
        if (run_place_choose(&options->job, lists, now, NULL) != RESULT_OK) {
            break;
        }
        if (strcmp(now, before) == 0) {
            nanosleep(&pause, NULL);
        } else {
            say_place(options, now);
        }
        result = run_dir_open(dir, now, err);
    }
    return result;
}

/* Of a run that begins they are where it starts, which is in its job by now. */
static enum result read_since(const struct run_options *options, const struct run_dir *dir,
                              struct ledger_since_set *sets, size_t *count, struct err *err)
{
    const struct clock clock = clock_system();

    return dir->fresh ? RESULT_OK
                      : since_option_read(&options->again.since, &options->job,
                                          clock_wall_us(&clock), sets, count, err);
}

/* Rounds that are too old go before the session begins, and now and then while it goes on. */
static enum result retain(const struct run_options *options, const struct run_dir *dir,
                          struct retain_live **live, struct err *err)
{
    const struct job *job = &options->job;
    enum result result = job->retain_us && !dir->fresh ? retain_opened(dir, job, err) : RESULT_OK;

    return result == RESULT_OK && job->retain_us ? retain_live_new(live, dir, job, err) : result;
}

static int run_in(const char *path, struct run_options *options, struct run_lists *lists,
                  struct detach *detach, int argc, char **argv)
{
    struct run_growth growth = { .is_grown = false };
    struct ledger_since_set sets[SINCE_OPTION_MAX];
    size_t set_count = 0;
    struct retain_live *live = NULL;
    struct run_dir dir;
    struct err err;
    int code;

    if ((options->job.retain_us && retain_check(path, &options->job, &err) != RESULT_OK) ||
        open_place(&dir, path, options, lists, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (settle_directory(&dir, options, lists, &growth, argc, argv, &err) == RESULT_OK &&
        retain(options, &dir, &live, &err) == RESULT_OK &&
        read_since(options, &dir, sets, &set_count, &err) == RESULT_OK) {
        struct session_options session;

        run_warn(&options->job);
        session = (struct session_options){
            .job = &options->job,
            .dir = &dir,
            .tending = retain_live_tending(live),
            .list_fds = lists->fds,
            .feed = lists->feed.is_used ? &lists->feed : NULL,
            .feed_list = lists->count - (lists->count > 0),
            .growth = &growth,
            .prunes = options->prune,
            .asks_again = run_options_ask_again(options),
            .again_age_us = options->again.age_us,
            .again_where = options->again.where.count ? &options->again.where : NULL,
            .since = sets,
            .since_count = set_count,
            .outputs = options->outputs,
            .output_count = options->output_count,
            .follow_up = options->follow_up,
            .sweep = options->sweep.cap_count ? &options->sweep : NULL,
            .plain = options->plain || options->quiet || options->progress_us || options->detach,
            .notify = options->notify,
            .exit = options->exit,
            .no_socket = options->no_socket,
            .quiet = options->quiet,
            .progress_us = options->progress_us,
            .monitor = options->monitor,
            .copy_to = options->copy_to,
            .copy_every_us = options->copy_every_us,
            .on_end = options->on_end,
            .ping = options->ping,
            .detach = detach,
            .stdin_is_read = run_lists_have_piped(lists) || run_values_are_piped(&options->job),
            .json = options->json && !options->sweep.cap_count,
        };

        code = session_run(&session);
        if (session.sweep) {
            code = sweep_tell(session.sweep, options->json, options->svg, code);
        }
    } else {
        code = message_fail(&err);
    }
    retain_live_free(live);
    run_growth_release(&growth);
    run_dir_close(&dir);
    return code;
}

static enum result take_job_in(const char *path, struct run_options *options, int argc, char **argv,
                               struct err *err)
{
    struct run_dir dir;
    enum result result = run_dir_open_readonly(&dir, path, err);

    if (result == RESULT_OK) {
        result = take_stored_job(&dir, options, argc, argv, err);
        run_dir_close(&dir);
    }
    return result;
}

static enum result dry_run(struct run_options *options, int argc, char **argv, struct err *err)
{
    const char *path = options->run_dir;
    enum result result = RESULT_OK;

    if (path && !options->has_sources && stored_job_is_in(path)) {
        result = take_job_in(path, options, argc, argv, err);
    }
    result = result == RESULT_OK ? run_values_read(&options->job, err) : result;
    result = result == RESULT_OK ? run_job_check(&options->job, err) : result;
    return result == RESULT_OK
               ? quote_print(&options->job,
                             &(struct quote_options){
                                 .path = options->fresh ? "" : path,
                                 .json = options->json,
                                 .asks_again = run_options_ask_again(options),
                                 .asks_part = options->again.age_us || options->again.where.count,
                             },
                             err)
               : result;
}

static int run_given(struct run_options *options, int argc, char **argv)
{
    char default_dir[RUN_PLACE_MAX];
    const char *path = options->run_dir;
    struct run_lists lists = { 0 };
    struct detach detach = { .ready_fd = -1 };
    struct err err;
    enum result result;
    int code;

    if (options->show_config) {
        return show_config_print(options, &err) == RESULT_OK ? EXIT_WELL : message_fail(&err);
    }
    if (options->dry_run) {
        return dry_run(options, argc, argv, &err) == RESULT_OK ? EXIT_WELL : message_fail(&err);
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
        result = run_set_aside(path, &err);
    }
    if (result == RESULT_OK && options->detach) {
        result = detach_begin(
            &detach, run_lists_have_piped(&lists) || run_values_are_piped(&options->job), &err);
    }
    code = result != RESULT_OK ? message_fail(&err)
           : detach.is_parent  ? detach.code
                               : run_in(path, options, &lists, &detach, argc, argv);
    run_lists_close(&lists);
    return code;
}

int cmd_run(int argc, char **argv)
{
    struct run_options options;
    struct secrecy secrecy;
    struct err err;
    int code = EXIT_WELL;

    postgres_place_hide(argc, argv);
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
