#include "cmd/curl_lay.h"

#include "base/os.h"
#include "base/say.h"
#include "cmd/network_rows.h"
#include "cmd/request_rows.h"
#include "job/auth/auth_kind.h"
#include "job/job_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
static enum result take_network(const struct curl_laying *to, const struct curl_network *network,
                                struct err *err)
{
    bool is_secret = strcmp(network->name, "proxy-user") == 0 || strcmp(network->name, "pass") == 0;
    const struct option_row *row = network_rows;
    struct buf value = { 0 };
    enum result result = RESULT_OK;

    while (strcmp(row->name, network->name) != 0) {
        row++; /* each of the command's is one of them */
    }
    if (!row->repeats && options_have(to->table, to->given, row->name)) {
        return RESULT_OK;
    }
    if (row->kind == OPTION_FLAG) {
        *(bool *)((char *)to->job + row->offset) = true;
        return RESULT_OK;
    }
    if (escape(buf_view(&network->value), is_secret, &value) != RESULT_OK || !buf_cstr(&value)) {
        result = err_nomem(err, "preparing the request");
    } else {
        result = row->set(to->job, buf_cstr(&value), err);
    }
    if (result != RESULT_OK) {
        err_prefix(err, "curl command: --%s", row->name);
    }
    buf_release(&value);
    return result;
}

/* --- who asks ----------------------------------------------------------------------------------------------- */

static enum result check_login(const struct job *job, const struct auth_kind *kind,
                               const char *what, struct err *err)
{
    return job->login.kind && job->login.kind != kind
               ? err_set(err, RESULT_INVALID, "E-ARG1",
                         "%s, but the job has another \"login\": give one of them", what)
               : RESULT_OK;
}

/* A text as it is: neither a file nor a variable of ours. */
static enum result take_plain(struct job *job, struct job_secret *secret, struct str text,
                              const char *label, struct err *err)
{
    struct buf plain = { 0 };
    enum result result = escape(text, true, &plain) == RESULT_OK && buf_cstr(&plain)
                             ? job_take_secret(job, secret, buf_cstr(&plain), label, err)
                             : err_nomem(err, "preparing the request");

    if (plain.data) {
        os_wipe(plain.data, plain.cap);
    }
    buf_release(&plain);
    return result;
}

static enum result take_digest(struct job *job, struct str user, struct err *err)
{
    enum result result = check_login(job, &auth_digest, "--digest", err);
    struct str name = str_cut(&user, ':');

    if (result != RESULT_OK) {
        return result;
    }
    job->login.kind = &auth_digest;
    job->login.is_incomplete = false;
    result = take_plain(job, &job->login.user, name, "login.user", err);
    return result == RESULT_OK ? take_plain(job, &job->login.secret, user, "login.password", err)
                               : result;
}

/* An empty path: the user's own. One that is optional need not be there. */
static enum result take_netrc(struct job *job, const char *path, bool is_optional, struct err *err)
{
    enum result result = check_login(job, &auth_netrc, "--netrc", err);
    const char *home = getenv("HOME");
    char own[4096], *absolute;

    if (result != RESULT_OK) {
        return result;
    }
    snprintf(own, sizeof own, "%s/.netrc", home ? home : "");
    absolute = realpath(path[0] ? path : own, NULL);
    if (!absolute && is_optional) {
        return RESULT_OK;
    }
    if (!absolute) {
        return err_set_errno(err, errno, "E-SEC1", "--netrc %s", path[0] ? path : own);
    }
    free(job->login.netrc);
    job->login.netrc = absolute;
    job->login.netrc_is_optional = is_optional;
    job->login.kind = &auth_netrc;
    return RESULT_OK;
}

static enum result lay_who(struct job *job, const struct curl_command *c, struct err *err)
{
    struct buf path = c->netrc;

    if (c->digest_user.len) {
        return take_digest(job, buf_view(&c->digest_user), err);
    }
    if (!c->has_netrc || request_has_header(job, STR("Authorization"))) {
        return RESULT_OK;
    }
    return take_netrc(job, path.len ? path.data : "", c->netrc_is_optional, err);
}

/* --- all of it ---------------------------------------------------------------------------------------------- */

static enum result lay_urls(struct job *job, const struct curl_command *c, struct err *err)
{
    struct str more = buf_view(&c->more_urls);
    enum result result =
        c->url.len ? job_add_source(&job->endpoints[0], JOB_SOURCE_PATTERN, buf_view(&c->url), err)
                   : RESULT_OK;

    while (more.len && result == RESULT_OK) {
        result = job_add_source(&job->endpoints[0], JOB_SOURCE_PATTERN, str_cut(&more, '\n'), err);
    }
    return result;
}

static enum result lay_request(const struct curl_laying *to, const struct curl_command *c,
                               struct err *err)
{
    struct job_endpoint *endpoint = &to->job->endpoints[0];
    enum result result = RESULT_OK;

    if (c->method.len && !options_have(to->table, to->given, "request")) {
        result = job_replace(&endpoint->method, buf_view(&c->method), err);
    }
    if (result == RESULT_OK && c->has_body && !options_have(to->table, to->given, "data")) {
        result = job_replace(&endpoint->body, buf_view(&c->body), err);
        result = result == RESULT_OK ? add_commands_type(to->job, c, err) : result;
        if (result == RESULT_OK && !c->method.len && strcmp(endpoint->method, "GET") == 0) {
            result = job_replace(&endpoint->method, STR("POST"), err);
        }
    }
    return result == RESULT_OK ? lay_urls(to->job, c, err) : result;
}

enum result curl_lay(const struct curl_laying *to, const struct curl_command *c, struct err *err)
{
    bool has_headers = options_have(to->table, to->given, "header");
    enum result result = RESULT_OK;

    for (size_t i = 0; i < c->header_count && result == RESULT_OK; i++) {
        struct str line = buf_view(&c->headers[i]);

        if (!has_headers || !request_has_header(to->job, str_trim(str_cut(&line, ':')))) {
            result = add_pasted_header(to->job, buf_view(&c->headers[i]), err);
        }
    }
    if (result == RESULT_OK && to->with_request) {
        result = lay_request(to, c, err);
    }
    for (size_t i = 0; i < c->network_count && result == RESULT_OK; i++) {
        result = take_network(to, &c->networks[i], err);
    }
    to->job->network.insecure = to->job->network.insecure || c->insecure;
    if (result == RESULT_OK) {
        result = lay_who(to->job, c, err);
    }
    if (result == RESULT_OK && c->passed.len) {
        say(stderr, "scrapetop: passed over in the curl command: %.*s",
            STR_ARG(buf_view(&c->passed)));
    }
    return result;
}

/* --- files -------------------------------------------------------------------------------------------------- */

const struct option_row curl_file_rows[CURL_FILE_ROWS] = {
    {
        .name = "netrc",
        .help = "User and password for the server of the first URL: from ~/.netrc",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct curl_files, netrc),
    },
    {
        .name = "netrc-file",
        .value = "FILE",
        .help = "The same, from this file",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct curl_files, netrc_file),
    },
    {
        .name = "netrc-optional",
        .help = "The same, if there is an entry for that server",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct curl_files, netrc_is_optional),
    },
    {
        .letter = 'K',
        .name = "config",
        .value = "FILE",
        .help = "Options of curl, a line each, as far as they are known here",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct curl_files, config),
    },
};

enum result curl_lay_files(struct curl_files *files, const struct curl_laying *to, struct err *err)
{
    struct curl_command c;
    enum result result = RESULT_OK;

    if (files->config) {
        result = curl_command_read_file(&c, files->config, err);
        if (result == RESULT_OK) {
            files->has_method = c.method.len > 0;
            result = curl_lay(to, &c, err);
            curl_command_release(&c);
        }
    }
    if (result == RESULT_OK && (files->netrc || files->netrc_file || files->netrc_is_optional)) {
        result = take_netrc(to->job, files->netrc_file ? files->netrc_file : "",
                            files->netrc_is_optional, err);
    }
    return result;
}
