#include "session/demo_run.h"

#include "base/message.h"
#include "base/say.h"
#include "history/stored_job.h"
#include "session/session.h"
#include "store/run_dir.h"
#include "table/output_file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_AUCTION 103293 /* where the origin of all this began */

static enum result make_job(const struct demo_run *run, uint16_t port, struct err *err)
{
    struct job *job = run->job;
    struct job_endpoint *endpoint = job_add_endpoint(job);
    unsigned count = run->quick ? 400 : 3000;
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

enum result demo_run_stored_job(const char *path, struct job *job, uint16_t *port, struct err *err)
{
    struct run_dir dir;
    enum result result = run_dir_open_readonly(&dir, path, err);

    if (result != RESULT_OK) {
        return result;
    }
    result = stored_job_read_without_secrets(&dir, job, err);
    run_dir_close(&dir);
    if (result != RESULT_OK) {
        return result;
    }
    *port = port_of(job);
    if (!*port || !job->name || strcmp(job->name, "demo") != 0) {
        job_release(job);
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "%s is no demo's run: scrapetop run -o %s goes on with it", path, path);
    }
    return RESULT_OK;
}

/* What starts this demo again, with the same mishaps. */
static enum result resume_words(const struct demo_run *run, struct buf *words)
{
    char seed[40];
    enum result result = buf_append_str(words, STR("scrapetop demo --resume"));

    if (result == RESULT_OK && run->quick) {
        result = buf_append_str(words, STR(" --quick"));
    }
    if (result == RESULT_OK && run->api->seed) {
        snprintf(seed, sizeof seed, " --seed %llu", (unsigned long long)run->api->seed);
        result = buf_append_str(words, str_view(seed));
    }
    if (result == RESULT_OK && run->has_dir) {
        result = buf_append_str(words, STR(" -o "));
        if (result == RESULT_OK) {
            result = say_shell_word(words, str_view(run->dir));
        }
    }
    return result == RESULT_OK ? buf_append(words, "", 1) : result;
}

/* Those that were asked for, CSV among them. */
static size_t choose_outputs(const struct demo_run *run, const char *csv,
                             struct table_output outputs[TABLE_OUTPUTS_MAX + 1])
{
    bool has_csv = false;

    for (size_t i = 0; i < run->output_count; i++) {
        outputs[i] = run->outputs[i];
        has_csv |= outputs[i].format == &csv_format || outputs[i].format == &tsv_format;
        table_output_make_parents(&outputs[i]);
    }
    if (!has_csv) {
        outputs[run->output_count] = (struct table_output){ .path = csv, .format = &csv_format };
    }
    return run->output_count + !has_csv;
}

static int scrape(const struct demo_run *run)
{
    char csv[4096];
    struct table_output outputs[TABLE_OUTPUTS_MAX + 1];
    struct buf resume = { 0 };
    struct session_options session = {
        .job = run->job,
        .outputs = outputs,
        .plain = run->plain,
        .notify = run->notify,
        .json = run->json,
        .exit = run->exit,
        .no_socket = run->no_socket,
    };
    struct run_dir dir;
    struct err err;
    enum result result;
    int code;

    snprintf(csv, sizeof csv, "%s/demo.csv", run->dir);
    session.output_count = choose_outputs(run, csv, outputs);
    if (run_dir_open(&dir, run->dir, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    result = dir.fresh ? stored_job_write(&dir, session.job, &err) : RESULT_OK;
    if (result == RESULT_OK && resume_words(run, &resume) == RESULT_OK) {
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

int demo_run(const struct demo_run *run)
{
    struct demo *server;
    struct err err;
    int code;

    if (!run->resume && set_last_demo_aside(run->dir, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (start_server(&server, run->api, &err) != RESULT_OK) {
        if (run->resume && err.result == RESULT_BUSY) {
            err_set(&err, RESULT_BUSY, "E-DEMO3",
                    "port %u, where the last demo's server was, is taken; scrapetop demo begins a "
                    "new one",
                    (unsigned)run->api->port);
        }
        return message_fail(&err);
    }
    code = run->resume || make_job(run, demo_port(server), &err) == RESULT_OK ? scrape(run)
                                                                              : message_fail(&err);
    demo_stop(server);
    return code;
}
