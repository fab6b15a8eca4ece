#include "cmd/as_curl_rows.h"

#include "base/os.h"
#include "base/url_make.h"
#include "job/auth/auth_kind.h"
#include "probe/curl_form.h"
#include "job/job_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void as_curl_release(struct as_curl *as)
{
    buf_release(&as->encoded);
    buf_release(&as->form);
    *as = (struct as_curl){ .agent = NULL };
}

/* "content", "=content", "name=content": the content is encoded, the name is not. */
static enum result add_encoded(void *target, const char *value, struct err *err)
{
    struct as_curl *as = target;
    struct str content = str_view(value), name = str_cut(&content, '=');
    enum result result = RESULT_OK;

    if (!content.data) {
        content = name;
        name = STR_NONE;
    }
    if (as->encoded.len) {
        result = buf_append_char(&as->encoded, '&');
    }
    if (result == RESULT_OK && name.len) {
        result = buf_append_str(&as->encoded, name);
        result = result == RESULT_OK ? buf_append_char(&as->encoded, '=') : result;
    }
    if (result == RESULT_OK) {
        result = url_append_encoded(&as->encoded, content);
    }
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "reading the command line");
}

static enum result add_form(void *target, const char *value, struct err *err)
{
    struct as_curl *as = target;

    return curl_form_add(&as->form, str_view(value), false, err);
}

const struct option_row as_curl_rows[AS_CURL_ROWS] = {
    {
        .letter = 'A',
        .name = "user-agent",
        .value = "NAME",
        .help = "The header User-Agent",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct as_curl, agent),
    },
    {
        .letter = 'u',
        .name = "user",
        .value = "USER",
        .help = "User and password, 'NAME:${PASSWORD}', for the server of the first URL",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct as_curl, user),
    },
    {
        .name = "digest",
        .help = "Send --user as a digest, when the server asks for it (RFC 7616)",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct as_curl, is_digest),
    },
    {
        .letter = 'b',
        .name = "cookie",
        .value = "COOKIES",
        .help = "Cookies to send: 'a=1; b=${NAME}', or the file of a browser or of curl",
        .kind = OPTION_TEXT,
        .offset = offsetof(struct as_curl, cookie),
    },
    {
        .letter = 'G',
        .name = "get",
        .help = "Put the data into the URL's query",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct as_curl, is_get),
    },
    {
        .name = "data-urlencode",
        .value = "DATA",
        .help = "NAME=CONTENT, the content encoded, for the body or with -G for the query",
        .kind = OPTION_CALL,
        .set = add_encoded,
        .repeats = true,
    },
    {
        .letter = 'F',
        .name = "form",
        .value = "NAME=TEXT",
        .help = "A field of a form of several parts (multipart/form-data)",
        .kind = OPTION_CALL,
        .set = add_form,
        .repeats = true,
    },
};

/* --- headers ---------------------------------------------------------------------------------------------- */

static enum result add_header(struct job *job, const char *name, const char *value, struct err *err)
{
    struct buf line = { 0 };
    enum result result = buf_printf(&line, "%s: %s", name, value) == RESULT_OK
                             ? job_add_header(job, buf_view(&line), err)
                             : err_nomem(err, "reading the command line");

    if (line.data) {
        os_wipe(line.data, line.cap);
    }
    buf_release(&line);
    return result;
}

static enum result take_cookie(struct job *job, const char *text, struct err *err)
{
    char *path;

    if (strchr(text, '=')) {
        return add_header(job, "Cookie", text, err);
    }
    path = realpath(text, NULL);
    if (!path) {
        return err_set_errno(err, errno, "E-IN4", "--cookie %s", text);
    }
    free(job->cookies.from);
    job->cookies.from = path;
    return RESULT_OK;
}

/* A name that names no variable may be shown; the password may not. */
static enum result take_user(struct job *job, const char *text, bool is_digest, struct err *err)
{
    const struct auth_kind *kind = is_digest ? &auth_digest : &auth_basic;
    const char *colon = strchr(text, ':');
    struct job_login *login = &job->login;
    char *name;
    enum result result;

    if (!colon) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "--user: want 'NAME:${PASSWORD}', there is nobody to ask");
    }
    if (is_digest && !colon[1]) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "--digest: --user wants a password");
    }
    if (login->kind && login->kind != &auth_basic && login->kind != &auth_digest) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "--user, but the job has another \"login\": give one of them");
    }
    name = str_dup((struct str){ text, (size_t)(colon - text) });
    if (!name) {
        return err_nomem(err, "reading the command line");
    }
    login->kind = kind;
    login->is_incomplete = false;
    result = job_take_secret(job, &login->user, name, "login.user", err);
    if (result == RESULT_OK) {
        result = job_take_secret(job, &login->secret, colon + 1, "login.password", err);
    }
    free(name);
    return result;
}

enum result as_curl_lay_headers(struct as_curl *as, struct job *job, struct err *err)
{
    enum result result = RESULT_OK;

    if (as->agent) {
        result = add_header(job, "User-Agent", as->agent, err);
    }
    if (result == RESULT_OK && as->cookie) {
        result = take_cookie(job, as->cookie, err);
    }
    if (result == RESULT_OK && as->user) {
        return take_user(job, as->user, as->is_digest, err);
    }
    if (result == RESULT_OK && as->is_digest && job->login.kind != &auth_digest) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "--digest wants --user 'NAME:${PASSWORD}'");
    }
    return result;
}

/* --- bodies ----------------------------------------------------------------------------------------------- */

/* -d's, then those of --data-urlencode. */
static enum result join_data(struct as_curl *as, struct job_endpoint *endpoint, struct err *err)
{
    struct buf all = { 0 };
    enum result result = RESULT_OK;

    if (!as->encoded.len) {
        return RESULT_OK;
    }
    if (endpoint->body && endpoint->body[0]) {
        result = buf_append_str(&all, str_view(endpoint->body));
        result = result == RESULT_OK ? buf_append_char(&all, '&') : result;
    }
    if (result == RESULT_OK) {
        result = buf_append_str(&all, buf_view(&as->encoded));
    }
    result = result == RESULT_OK ? job_replace(&endpoint->body, buf_view(&all), err)
                                 : err_nomem(err, "reading the command line");
    buf_release(&all);
    return result;
}

/* What a pattern would take for its own is data here. */
static enum result append_data(struct buf *to, const char *data, bool globoff)
{
    enum result result = RESULT_OK;

    for (; *data && result == RESULT_OK; data++) {
        if (!globoff && strchr("{}[]", *data)) {
            result = buf_append_char(to, '\\');
        }
        result = result == RESULT_OK ? buf_append_char(to, *data) : result;
    }
    return result;
}

static enum result move_to_query(struct job *job, struct job_endpoint *endpoint, struct err *err)
{
    for (size_t i = 0; i < endpoint->source_count; i++) {
        struct job_source *source = &endpoint->sources[i];
        struct buf url = { 0 };
        enum result result;

        if (source->kind != JOB_SOURCE_PATTERN) {
            return err_set(err, RESULT_INVALID, "E-ARG1",
                           "--get puts data into URLs of the command line, not of a list");
        }
        result = buf_printf(&url, "%s%c", source->text, strchr(source->text, '?') ? '&' : '?');
        if (result == RESULT_OK) {
            result = append_data(&url, endpoint->body, job->globoff);
        }
        result = result == RESULT_OK ? job_replace(&source->text, buf_view(&url), err)
                                     : err_nomem(err, "reading the command line");
        buf_release(&url);
        if (result != RESULT_OK) {
            return result;
        }
    }
    free(endpoint->body);
    endpoint->body = NULL;
    return RESULT_OK;
}

static enum result take_form(struct as_curl *as, struct job *job, struct err *err)
{
    struct buf boundary = { 0 }, type = { 0 };
    enum result result = curl_form_finish(&as->form, &boundary, err);

    if (result == RESULT_OK) {
        result = job_replace(&job->endpoints[0].body, buf_view(&as->form), err);
    }
    if (result == RESULT_OK) {
        result = buf_printf(&type, "multipart/form-data; boundary=%.*s",
                            STR_ARG(buf_view(&boundary))) == RESULT_OK &&
                         buf_cstr(&type)
                     ? add_header(job, "Content-Type", buf_cstr(&type), err)
                     : err_nomem(err, "reading the command line");
    }
    buf_release(&type);
    buf_release(&boundary);
    return result;
}

enum result as_curl_lay_body(struct as_curl *as, struct job *job, struct err *err)
{
    struct job_endpoint *endpoint = &job->endpoints[0];
    enum result result;

    if (as->form.len) {
        return endpoint->body || as->encoded.len || as->is_get
                   ? err_set(err, RESULT_INVALID, "E-ARG1",
                             "--form goes with neither --data, --data-urlencode nor --get")
                   : take_form(as, job, err);
    }
    result = join_data(as, endpoint, err);
    return result == RESULT_OK && as->is_get && endpoint->body ? move_to_query(job, endpoint, err)
                                                               : result;
}
