/* `demo`: the embedded API and a scrape of it, with weather that makes every panel move. What was stopped goes
 * on only with a server at the same port, so that `demo --resume` starts both. */
#include "base/clock.h"
#include "base/parents.h"
#include "base/say.h"
#include "cmd/cmd.h"
#include "cmd/demo_options.h"
#include "demo/demo.h"
#include "history/stored_job.h"
#include "session/session.h"
#include "store/run_dir.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Of the first URL of the run; 0 when it is no demo's. */
static uint16_t port_of(const struct job *job)
{
    static const char host[] = "http://127.0.0.1:";
    const struct job_endpoint *endpoint = job->endpoint_count ? &job->endpoints[0] : NULL;
    const char *url = endpoint && endpoint->source_count ? endpoint->sources[0].text : "";
    long port =
        strncmp(url, host, sizeof host - 1) == 0 ? strtol(url + sizeof host - 1, NULL, 10) : 0;

    return port > 0 && port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* The run that is there gives the job, and the port where its server was. */
static enum result take_last_demo(struct demo_command_options *o, const char *path, int argc,
                                  char **argv, struct err *err)
{
    struct run_dir dir;
    struct job stored;
    enum result result = run_dir_open_readonly(&dir, path, err);

    if (result != RESULT_OK) {
        return result;
    }
    result = stored_job_read_without_secrets(&dir, &stored, err);
    run_dir_close(&dir);
    if (result != RESULT_OK) {
        return result;
    }
    o->api.port = port_of(&stored);
    if (!o->api.port || !stored.name || strcmp(stored.name, "demo") != 0) {
        job_release(&stored);
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "%s is no demo's run: scrapetop run -o %s goes on with it", path, path);
    }
    job_release(&o->run.job);
    o->run.job = stored;
    result = options_parse(&demo_table, argc, argv, o, &o->given, err);
    return result == RESULT_OK ? job_finish(&o->run.job, err) : result;
}

/* What starts this demo again, with the same mishaps. */
static enum result resume_words(const struct demo_command_options *o, struct buf *words)
{
    char seed[40];
    enum result result = buf_append_str(words, STR("scrapetop demo --resume"));

    if (result == RESULT_OK && o->quick) {
        result = buf_append_str(words, STR(" --quick"));
    }
    if (result == RESULT_OK && o->api.seed) {
        snprintf(seed, sizeof seed, " --seed %llu", (unsigned long long)o->api.seed);
        result = buf_append_str(words, str_view(seed));
    }
    if (result == RESULT_OK && o->run.run_dir) {
        result = buf_append_str(words, STR(" -o "));
        if (result == RESULT_OK) {
            result = say_shell_word(words, str_view(o->run.run_dir));
        }
    }
    return result == RESULT_OK ? buf_append(words, "", 1) : result;
}

static int scrape(struct demo_command_options *o, const char *path)
{
    char csv[4096];
    struct buf resume = { 0 };
    struct session_options session = {
        .job = &o->run.job,
        .csv = csv,
        .parquet = o->run.parquet,
        .plain = o->run.plain,
        .notify = o->run.notify,
        .json = o->run.json,
        .exit = o->run.exit,
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
        return message_fail(&err);
    }
    result = dir.fresh ? stored_job_write(&dir, session.job, &err) : RESULT_OK;
    if (result == RESULT_OK && resume_words(o, &resume) == RESULT_OK) {
        session.resume = resume.data;
    }
    session.dir = &dir;
    code = result == RESULT_OK ? session_run(&session) : message_fail(&err);
    run_dir_close(&dir);
    buf_release(&resume);
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

static enum result prepare(struct demo_command_options *o, const char *path, int argc, char **argv,
                           struct err *err)
{
    if (o->resume) {
        return take_last_demo(o, path, argc, argv, err);
    }
    choose_pace(o);
    return set_last_demo_aside(path, err);
}

static int run_demo(struct demo_command_options *o, int argc, char **argv)
{
    const char *path = o->run.run_dir ? o->run.run_dir : DEFAULT_DIR;
    struct demo *server;
    struct err err;
    int code;

    choose_weather(o);
    if (prepare(o, path, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (start_server(&server, &o->api, &err) != RESULT_OK) {
        if (o->resume && err.result == RESULT_BUSY) {
            err_set(&err, RESULT_BUSY, "E-DEMO3",
                    "port %u, where the last demo's server was, is taken; scrapetop demo begins a "
                    "new one",
                    (unsigned)o->api.port);
        }
        return message_fail(&err);
    }
    code = o->resume || make_job(o, demo_port(server), &err) == RESULT_OK ? scrape(o, path)
                                                                          : message_fail(&err);
    demo_stop(server);
    return code;
}

int cmd_demo(int argc, char **argv)
{
    struct demo_command_options options;
    struct err err;
    int code = EXIT_WELL;

    if (demo_options_parse(&options, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&demo_table, stdout);
    } else {
        code = run_demo(&options, argc, argv);
    }
    demo_options_release(&options);
    return code;
}
