#include "cmd/probe_options.h"

#include "base/read_all.h"
#include "base/say.h"
#include "cmd/curl_lay.h"
#include "cmd/network_rows.h"
#include "cmd/request_rows.h"
#include "probe/curl_command.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* --- options ------------------------------------------------------------------------------------------ */

static enum result set_what(void *target, const char *text, struct err *err)
{
    struct probe_options *ask = target;

    if (ask->what) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "one URL or curl command; put the whole command in quotes, or give - and "
                       "paste it");
    }
    ask->what = text;
    return RESULT_OK;
}

static const struct option_row time_rows[] = { OPTION_MAX_TIME };
static const struct option_row asking_rows[] = {
    { .name = "once",
      .help = "Send no request but this one: by default likely parameters are tried, six requests "
              "at most, where the "
              "answer leaves open how page 2 is asked for",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct probe_options, once) },
};
static const struct option_row process_rows[] = { OPTION_ALLOW_CORE(struct probe_options) };

#define ROWS(array) array, sizeof(array) / sizeof(array)[0]

static const struct option_group groups[] = {
    { "Request", ROWS(request_rows), offsetof(struct probe_options, job) },
    { NULL, ROWS(request_body_rows), offsetof(struct probe_options, job) },
    { NULL, ROWS(time_rows), offsetof(struct probe_options, job) },
    { NULL, ROWS(asking_rows), 0 },
    { NULL, ROWS(process_rows), 0 },
    { "As curl has it", curl_file_rows, CURL_FILE_ROWS, offsetof(struct probe_options, files) },
    { "Network", network_rows, NETWORK_ROWS, offsetof(struct probe_options, job) },
};

static const char *const examples[] = {
    "scrapetop probe 'https://api.example.org/products?page=1' > products.json",
    "scrapetop run products.json",
    "scrapetop probe -       # then paste what a browser calls \"Copy as cURL\", and Ctrl-D",
    NULL,
};

const struct option_table probe_table = {
    .command = "probe",
    .synopsis = "[OPTIONS] URL | 'curl ...' | -",
    .summary = "Look at an answer: what it holds, how it is paged, and a job file for it",
    .details =
        "What is printed is a job file; all that is told stands in its comments. Credentials are "
        "not in it, but the names of the environment variables to set instead.",
    .groups = groups,
    .group_count = sizeof groups / sizeof groups[0],
    .examples = examples,
    .operand = set_what,
};

/* --- the request ---------------------------------------------------------------------------------------- */

static enum result take_command(struct probe_options *ask, struct str text, struct err *err)
{
    const struct curl_laying to = { &ask->job, &probe_table, &ask->given, true };
    struct curl_command c;
    enum result result = curl_command_parse(&c, text, err);

    if (result != RESULT_OK) {
        return result;
    }
    if (options_have(&probe_table, &ask->given, "request") ||
        options_have(&probe_table, &ask->given, "data")) {
        result = err_set(err, RESULT_INVALID, "E-ARG1",
                         "the curl command has its own method and body: -X and -d are for a URL");
    }
    if (result == RESULT_OK) {
        result = curl_lay(&to, &c, err);
    }
    curl_command_release(&c);
    return result;
}

static enum result read_stdin(struct buf *text, struct err *err)
{
    enum result result;

    buf_init(text, CURL_COMMAND_MAX);
    result = read_all(STDIN_FILENO, text);
    if (result == RESULT_IO) {
        return err_set_errno(err, errno, "E-IN4", "cannot read stdin");
    }
    if (result == RESULT_LIMIT) {
        return err_set(err, result, "E-IN4", "stdin has more than %d bytes", CURL_COMMAND_MAX);
    }
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "reading stdin");
}

static enum result take_what(struct probe_options *ask, struct str text, struct err *err)
{
    const struct curl_laying to = { &ask->job, &probe_table, &ask->given, true };
    enum result result;
    bool is_command;

    ask->job.globoff = true; /* one request: brackets are what they are */
    is_command = text.len && curl_command_is(text);
    result = is_command ? take_command(ask, text, err)
             : text.len ? job_add_source(&ask->job.endpoints[0], JOB_SOURCE_PATTERN, text, err)
                        : RESULT_OK;
    if (result == RESULT_OK) {
        result = curl_lay_files(&ask->files, &to, err);
    }
    if (result == RESULT_OK && ask->job.endpoints[0].source_count != 1) {
        result = err_set(err, RESULT_INVALID, "E-ARG9", "probe asks for one URL, and here are %zu",
                         ask->job.endpoints[0].source_count);
    }
    if (result == RESULT_OK) {
        result = job_check_method(str_view(ask->job.endpoints[0].method), err);
    }
    if (result == RESULT_OK) {
        result = request_finish_body(&ask->job,
                                     is_command || ask->files.has_method ||
                                         options_have(&probe_table, &ask->given, "request"),
                                     err);
    }
    if (result == RESULT_OK) {
        result = job_take_environment(&ask->job, err);
    }
    return result == RESULT_OK ? job_finish(&ask->job, err) : result;
}

enum result probe_options_parse(struct probe_options *ask, int argc, char **argv, struct err *err)
{
    struct buf text = { 0 };
    enum result result;

    *ask = (struct probe_options){ .what = NULL };
    job_init(&ask->job);
    if (!job_add_endpoint(&ask->job)) {
        return err_nomem(err, "reading the command line");
    }
    result = options_parse(&probe_table, argc, argv, ask, &ask->given, err);
    if (result == RESULT_OK && !ask->given.help && !ask->what && !ask->files.config) {
        result = err_set(err, RESULT_INVALID, "E-ARG9",
                         "nothing to probe: give a URL, a curl command, or - to paste one");
    }
    if (result == RESULT_OK && !ask->given.help) {
        if (ask->what && strcmp(ask->what, "-") == 0) {
            result = read_stdin(&text, err);
        }
        if (result == RESULT_OK) {
            result =
                take_what(ask, text.data ? str_trim(buf_view(&text)) : str_view(ask->what), err);
        }
    }
    buf_release(&text);
    if (result != RESULT_OK) {
        probe_options_release(ask);
    }
    return result;
}

void probe_options_release(struct probe_options *ask)
{
    job_release(&ask->job);
}
