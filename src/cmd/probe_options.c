#include "cmd/probe_options.h"

#include "base/say.h"
#include "cmd/network_rows.h"
#include "cmd/request_rows.h"
#include "probe/curl_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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
static const struct option_row process_rows[] = { OPTION_ALLOW_CORE(struct probe_options) };

#define ROWS(array) array, sizeof(array) / sizeof(array)[0]

static const struct option_group groups[] = {
    { "Request", ROWS(request_rows), offsetof(struct probe_options, job) },
    { NULL, ROWS(request_body_rows), offsetof(struct probe_options, job) },
    { NULL, ROWS(time_rows), offsetof(struct probe_options, job) },
    { NULL, ROWS(process_rows), 0 },
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
    .summary = "Ask once: what the answer holds, how it is paged, and a job file for it",
    .details =
        "What is printed is a job file; all that is told stands in its comments. Credentials are "
        "not in it, but the names of the environment variables to set instead.",
    .groups = groups,
    .group_count = sizeof groups / sizeof groups[0],
    .examples = examples,
    .operand = set_what,
};

/* --- the request ---------------------------------------------------------------------------------------- */

/* Headers that are not the request's own, but the connection's: a browser's command is full of them. */
static bool is_of_transport(struct str name)
{
    static const char *const names[] = { "host",       "content-length",  "connection",
                                         "keep-alive", "accept-encoding", "transfer-encoding",
                                         "te",         "upgrade",         "expect" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_equal_nocase(name, str_view(names[i]))) {
            return true;
        }
    }
    return false;
}

/* What a command has is what it says: `${` is none of our variables. */
static enum result add_pasted_header(struct job *job, struct str line, struct err *err)
{
    struct str value = line, name = str_trim(str_cut(&value, ':'));
    struct buf escaped = { 0 };
    enum result result = RESULT_OK;

    if (is_of_transport(name)) {
        return RESULT_OK;
    }
    for (size_t i = 0; i < line.len && result == RESULT_OK; i++) {
        if (line.data[i] == '$' && i + 1 < line.len && line.data[i + 1] == '{') {
            result = buf_append_char(&escaped, '$');
        }
        if (result == RESULT_OK) {
            result = buf_append_char(&escaped, line.data[i]);
        }
    }
    result = result == RESULT_OK ? job_add_header(job, buf_view(&escaped), err)
                                 : err_nomem(err, "preparing the request");
    buf_release(&escaped);
    return result;
}

/* curl sends a body as a form whatever it looks like, and that is what was answered. */
static enum result add_commands_type(struct job *job, const struct curl_command *c, struct err *err)
{
    if (!c->has_body || request_has_header(job, STR("Content-Type"))) {
        return RESULT_OK;
    }
    if (c->has_no_type) {
        return err_set(err, RESULT_INVALID, "E-CURL2",
                       "curl command: -H 'Content-Type:' sends the body without a type, which is "
                       "not done here; give one");
    }
    return job_add_header(job, STR("Content-Type: application/x-www-form-urlencoded"), err);
}

/* A pasted text is what it says: no file and no variable of ours stands in it. */
static enum result escape(struct str text, bool is_secret, struct buf *out)
{
    enum result result =
        is_secret && str_starts(text, STR("@")) ? buf_append_char(out, '@') : RESULT_OK;

    for (size_t i = 0; i < text.len && result == RESULT_OK; i++) {
        if (text.data[i] == '$' && i + 1 < text.len && text.data[i + 1] == '{') {
            result = buf_append_char(out, '$');
        }
        if (result == RESULT_OK) {
            result = buf_append_char(out, text.data[i]);
        }
    }
    return result;
}

/* An option of probe itself goes before the command's. */
static enum result take_network(struct probe_options *ask, const struct curl_network *network,
                                struct err *err)
{
    bool is_secret = strcmp(network->name, "proxy-user") == 0 || strcmp(network->name, "pass") == 0;
    const struct option_row *row = network_rows;
    struct buf value = { 0 };
    enum result result = RESULT_OK;

    while (strcmp(row->name, network->name) != 0) {
        row++; /* each of the command's is one of them */
    }
    if (!row->repeats && options_have(&probe_table, &ask->given, row->name)) {
        return RESULT_OK;
    }
    if (row->kind == OPTION_FLAG) {
        *(bool *)((char *)&ask->job + row->offset) = true;
        return RESULT_OK;
    }
    if (escape(buf_view(&network->value), is_secret, &value) != RESULT_OK || !buf_cstr(&value)) {
        result = err_nomem(err, "preparing the request");
    } else {
        result = row->set(&ask->job, buf_cstr(&value), err);
    }
    if (result != RESULT_OK) {
        err_prefix(err, "curl command: --%s", row->name);
    }
    buf_release(&value);
    return result;
}

static enum result take_command(struct probe_options *ask, struct str text, struct err *err)
{
    struct job *job = &ask->job;
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
    for (size_t i = 0; i < c.header_count && result == RESULT_OK; i++) {
        result = add_pasted_header(job, buf_view(&c.headers[i]), err);
    }
    if (result == RESULT_OK) {
        result = request_replace(&job->endpoints[0].method, buf_view(&c.method), err);
    }
    if (result == RESULT_OK && c.has_body) {
        result = request_replace(&job->endpoints[0].body, buf_view(&c.body), err);
    }
    if (result == RESULT_OK) {
        result = add_commands_type(job, &c, err);
    }
    for (size_t i = 0; i < c.network_count && result == RESULT_OK; i++) {
        result = take_network(ask, &c.networks[i], err);
    }
    job->network.insecure = job->network.insecure || c.insecure;
    if (result == RESULT_OK) {
        result = job_add_source(&job->endpoints[0], JOB_SOURCE_PATTERN, buf_view(&c.url), err);
    }
    if (result == RESULT_OK && c.passed.len) {
        say(stderr, "scrapetop: passed over in the curl command: %.*s",
            STR_ARG(buf_view(&c.passed)));
    }
    curl_command_release(&c);
    return result;
}

static enum result read_stdin(struct buf *text, struct err *err)
{
    char piece[16384];
    ssize_t got;
    enum result result = RESULT_OK;

    buf_init(text, CURL_COMMAND_MAX);
    while (result == RESULT_OK && (got = read(STDIN_FILENO, piece, sizeof piece)) != 0) {
        if (got > 0) {
            result = buf_append(text, piece, (size_t)got);
        } else if (errno != EINTR) {
            return err_set_errno(err, errno, "E-IN4", "cannot read stdin");
        }
    }
    if (result == RESULT_LIMIT) {
        return err_set(err, result, "E-IN4", "stdin has more than %d bytes", CURL_COMMAND_MAX);
    }
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "reading stdin");
}

static enum result take_what(struct probe_options *ask, struct str text, struct err *err)
{
    enum result result;
    bool is_command;

    ask->job.globoff = true; /* one request: brackets are what they are */
    is_command = curl_command_is(text);
    result = is_command ? take_command(ask, text, err)
                        : job_add_source(&ask->job.endpoints[0], JOB_SOURCE_PATTERN, text, err);
    if (result == RESULT_OK) {
        result = job_check_method(str_view(ask->job.endpoints[0].method), err);
    }
    if (result == RESULT_OK) {
        result = request_finish_body(
            &ask->job, is_command || options_have(&probe_table, &ask->given, "request"), err);
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
    if (result == RESULT_OK && !ask->given.help && !ask->what) {
        result = err_set(err, RESULT_INVALID, "E-ARG9",
                         "nothing to probe: give a URL, a curl command, or - to paste one");
    }
    if (result == RESULT_OK && !ask->given.help) {
        if (strcmp(ask->what, "-") == 0) {
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
