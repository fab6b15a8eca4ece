/* `demo`: the embedded API and a scrape of it, with weather that makes every panel move. */
#include "base/clock.h"
#include "base/parents.h"
#include "base/say.h"
#include "cmd/cmd.h"
#include "cmd/demo_options.h"
#include "cmd/session.h"
#include "cmd/stored_job.h"
#include "demo/demo.h"
#include "store/run_dir.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_DIR "demo.run"
#define FIRST_AUCTION 103293 /* where the origin of all this began */

static bool given(const struct demo_command_options *o, const char *name)
{
    return options_have(&demo_table, &o->given, name);
}

/* What the command line leaves open: about two minutes at a human pace, or a few seconds. */
static void choose_weather(struct demo_command_options *o)
{
    struct demo_options *api = &o->api;

    if (!given(o, "latency")) {
        api->latency_us = o->quick ? 40 * US_PER_MS : 350 * US_PER_MS;
        api->jitter_us = given(o, "jitter") ? api->jitter_us : api->latency_us / 2;
    }
    if (!given(o, "limit")) {
        api->limit = o->quick ? (struct rate){ 400, US_PER_S } : (struct rate){ 30, US_PER_S };
        api->limit_burst = o->quick ? 200 : 45;
    }
    if (!given(o, "fail")) {
        api->fail = 0.02;
    }
    if (!given(o, "truncate")) {
        api->truncate = 0.005;
    }
    if (!given(o, "hang") && !o->quick) {
        api->hang = 0.001;
    }
}

static void choose_pace(struct demo_command_options *o)
{
    struct job *job = &o->run.job;

    if (!given(o, "cap")) {
        job->pace.cap = o->quick ? 20 : 8;
    }
    if (!given(o, "max-time")) {
        job->network.total_timeout_us = 8 * US_PER_S;
    }
    if (!given(o, "backoff") && o->quick) {
        job->retry.backoff_base_us = 200 * US_PER_MS;
        job->retry.backoff_cap_us = 2 * US_PER_S;
    }
}

static enum result make_job(struct demo_command_options *o, uint16_t port, struct err *err)
{
    struct job *job = &o->run.job;
    struct job_endpoint *endpoint = job_add_endpoint(job);
    unsigned count = o->quick ? 400 : 3000;
    char url[128];

    if (!endpoint) {
        return err_nomem(err, "preparing the demo");
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%u/msapi/auctions/items?auctionid=[%u-%u]",
             (unsigned)port, FIRST_AUCTION, FIRST_AUCTION + count - 1);
    job->name = str_dup(STR("demo"));
    endpoint->records = str_dup(STR("/items"));
    if (!job->name || !endpoint->records) {
        return err_nomem(err, "preparing the demo");
    }
    if (job_add_source(endpoint, JOB_SOURCE_PATTERN, str_view(url), err) != RESULT_OK) {
        return err->result;
    }
    return job_finish(job, err);
}

static enum result set_last_demo_aside(const char *path, struct err *err)
{
    char *aside = NULL;
    enum result result = run_dir_set_aside(path, &aside, err);

    if (result == RESULT_OK) {
        say(stderr, "scrapetop: the last demo's run is now %s", aside);
    }
    free(aside);
    return result == RESULT_NOT_FOUND ? RESULT_OK : result;
}

static int scrape(struct demo_command_options *o, const char *path)
{
    char csv[4096];
    struct session_options session = {
        .job = &o->run.job,
        .csv = csv,
        .parquet = o->run.parquet,
        .plain = o->run.plain,
        .notify = o->run.notify,
        .json = o->run.json,
    };
    struct run_dir dir;
    struct err err;
    enum result result;
    int code;

    snprintf(csv, sizeof csv, "%s/demo.csv", path);
    if (o->run.csv) {
        session.csv = o->run.csv;
        parents_make(o->run.csv, 0777);
    }
    if (o->run.parquet) {
        parents_make(o->run.parquet, 0777);
    }
    if (run_dir_open(&dir, path, &err) != RESULT_OK) {
        return cmd_fail(&err);
    }
    result = stored_job_write(&dir, session.job, &err);
    session.dir = &dir;
    code = result == RESULT_OK ? session_run(&session) : cmd_fail(&err);
    run_dir_close(&dir);
    return code;
}

/* The server's threads must not take signals that the session waits for. */
static enum result start_server(struct demo **server, const struct demo_options *api,
                                struct err *err)
{
    sigset_t all, before;
    enum result result;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    result = demo_start(server, api, err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

static int run_demo(struct demo_command_options *o)
{
    const char *path = o->run.run_dir ? o->run.run_dir : DEFAULT_DIR;
    struct demo *server;
    struct err err;
    int code;

    choose_weather(o);
    choose_pace(o);
    if (set_last_demo_aside(path, &err) != RESULT_OK ||
        start_server(&server, &o->api, &err) != RESULT_OK) {
        return cmd_fail(&err);
    }
    code = make_job(o, demo_port(server), &err) == RESULT_OK ? scrape(o, path) : cmd_fail(&err);
    demo_stop(server);
    return code;
}

int cmd_demo(int argc, char **argv)
{
    struct demo_command_options options;
    struct err err;
    int code = EXIT_WELL;

    if (demo_options_parse(&options, argc, argv, &err) != RESULT_OK) {
        return cmd_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&demo_table, stdout);
    } else {
        code = run_demo(&options);
    }
    demo_options_release(&options);
    return code;
}
