/* `demo`: the embedded API and a scrape of it, with weather that makes every panel move. What was stopped goes
 * on only with a server at the same port, so that `demo --resume` starts both. */
#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/demo_options.h"
#include "session/demo_run.h"
#include "table/postgres/postgres_place.h"

#define DEFAULT_DIR "demo.run"

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

/* The run in `path` gives the job, and the port where its server was; the options given are laid over it. */
static enum result take_last_demo(struct demo_command_options *o, const char *path, int argc,
                                  char **argv, struct err *err)
{
    struct job stored;
    enum result result = demo_run_stored_job(path, &stored, &o->api.port, err);

    if (result != RESULT_OK) {
        return result;
    }
    job_release(&o->run.job);
    o->run.job = stored;
    run_options_forget_lists(&o->run);
    result = options_parse(&demo_table, argc, argv, o, &o->given, err);
    return result == RESULT_OK ? job_finish(&o->run.job, err) : result;
}

static int run_demo(struct demo_command_options *o, int argc, char **argv)
{
    const struct demo_run run = {
        .job = &o->run.job,
        .api = &o->api,
        .dir = o->run.run_dir ? o->run.run_dir : DEFAULT_DIR,
        .has_dir = o->run.run_dir != NULL,
        .outputs = o->run.outputs,
        .output_count = o->run.output_count,
        .quick = o->quick,
        .resume = o->resume,
        .plain = o->run.plain,
        .notify = o->run.notify,
        .json = o->run.json,
        .exit = o->run.exit,
        .no_socket = o->run.no_socket,
    };
    struct err err;

    choose_weather(o);
    if (!o->resume) {
        choose_pace(o);
    } else if (take_last_demo(o, run.dir, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    return demo_run(&run);
}

int cmd_demo(int argc, char **argv)
{
    struct demo_command_options options;
    struct err err;
    int code = EXIT_WELL;

    postgres_place_hide(argc, argv);
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
