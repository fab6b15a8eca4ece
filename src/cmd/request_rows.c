#include "cmd/request_rows.h"

#include "base/read_all.h"
#include "job/job_text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum result set_header(void *target, const char *value, struct err *err)
{
    struct job *job = target;

    return value[0] == '@' ? job_add_header_file(job, value + 1, err)
                           : job_add_header(job, str_view(value), err);
}

static enum result set_method(void *target, const char *value, struct err *err)
{
    struct job *job = target;
    enum result result = job_check_method(str_view(value), err);

    return result == RESULT_OK ? job_replace(&job->endpoints[0].method, str_view(value), err)
                               : result;
}

static enum result read_body_file(const char *path, struct buf *body, struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    enum result result;

    if (fd < 0) {
        return err_set_errno(err, errno, "E-IN4", "cannot read %s", path);
    }
    result = read_all(fd, body);
    if (result == RESULT_IO) {
        err_set_errno(err, errno, "E-IN4", "cannot read %s", path);
    }
    if (!is_stdin) {
        close(fd);
    }
    if (result == RESULT_LIMIT) {
        return err_set(err, RESULT_LIMIT, "E-IN4", "%s is over %d bytes", path, JOB_BODY_MAX);
    }
    return result == RESULT_NOMEM ? err_nomem(err, "reading a body") : result;
}

/* Unlike curl, which drops line breaks from a file: the bytes are sent as they are. */
static enum result set_data(void *target, const char *value, struct err *err)
{
    struct job *job = target;
    struct buf body;
    enum result result = RESULT_OK;

    buf_init(&body, JOB_BODY_MAX);
    if (value[0] == '@') {
        result = read_body_file(value + 1, &body, err);
    } else if (buf_append_str(&body, str_view(value)) != RESULT_OK) {
        result = err_set(err, RESULT_LIMIT, "E-IN4", "over %d bytes", JOB_BODY_MAX);
    }
    if (result == RESULT_OK && body.len && memchr(body.data, '\0', body.len)) {
        result = err_set(err, RESULT_INVALID, "E-IN4", "the body holds a NUL byte");
    }
    if (result == RESULT_OK) {
        result = job_replace(&job->endpoints[0].body, buf_view(&body), err);
    }
    buf_release(&body);
    return result;
}

enum result request_check_records(const char *value, struct err *err)
{
    return !value[0] || value[0] == '/'
               ? RESULT_OK
               : err_set(err, RESULT_INVALID, "E-ARG1",
                         "\"%.64s\" is not a JSON Pointer; want for example /items or "
                         "/data/*/rows",
                         value);
}

static enum result set_records(void *target, const char *value, struct err *err)
{
    struct job *job = target;
    enum result result = request_check_records(value, err);

    return result == RESULT_OK ? job_replace(&job->endpoints[0].records, str_view(value), err)
                               : result;
}

static enum result set_as(void *target, const char *value, struct err *err)
{
    struct job *job = target;

    return body_format_parse(str_view(value), &job->endpoints[0].reading.as)
               ? RESULT_OK
               : err_set(err, RESULT_INVALID, "E-ARG1", "\"%.32s\" is none of %s", value,
                         BODY_FORMAT_WORDS);
}

const struct option_row request_rows[REQUEST_ROWS] = {
    {
        .letter = 'H',
        .name = "header",
        .value = "LINE",
        .help = "Header 'Name: value', ${ENV} is filled in; @FILE reads lines from a file that "
                "only you can "
                "read",
        .kind = OPTION_CALL,
        .set = set_header,
        .repeats = true,
    },
    {
        .letter = 'X',
        .name = "request",
        .words = "GET POST PUT PATCH DELETE HEAD",
        .value = "METHOD",
        .help = "Method (GET, or POST with -d)",
        .kind = OPTION_CALL,
        .set = set_method,
    },
    {
        .letter = 'd',
        .name = "data",
        .value = "BODY",
        .help = "Body of every request; @FILE reads it from a file",
        .kind = OPTION_CALL,
        .set = set_data,
    },
};

const struct option_row request_body_rows[REQUEST_BODY_ROWS] = {
    OPTION_RECORDS(set_records),
    {
        .name = "as",
        .words = BODY_FORMAT_WORDS,
        .value = "FORMAT",
        .help = "What bodies are: auto (by content type and bytes), json, ndjson, csv, tsv, xml; "
                "text, html and bytes are kept as they are",
        .kind = OPTION_CALL,
        .set = set_as,
    },
};

bool request_has_header(const struct job *job, struct str name)
{
    for (size_t i = 0; i < job->header_count; i++) {
        if (str_equal_nocase(str_view(job->headers[i].name), name)) {
            return true;
        }
    }
    return false;
}

/* A body makes the method POST, as in curl. Its type is what it looks like: JSON APIs refuse a JSON
 * body that claims to be a form. */
enum result request_finish_body(struct job *job, bool has_method, struct err *err)
{
    struct job_endpoint *endpoint = &job->endpoints[0];
    enum result result = RESULT_OK;

    if (!endpoint->body) {
        return RESULT_OK;
    }
    if (!has_method) {
        result = job_replace(&endpoint->method, STR("POST"), err);
    }
    if (result == RESULT_OK && !request_has_header(job, STR("Content-Type"))) {
        result = job_add_header(job,
                                job_body_is_json(str_view(endpoint->body))
                                    ? STR("Content-Type: application/json")
                                    : STR("Content-Type: application/x-www-form-urlencoded"),
                                err);
    }
    return result;
}
