#include "session/run_job.h"

#include "base/clock.h"
#include "base/message.h"
#include "base/os.h"
#include "job/auth/auth_kind.h"
#include "job/dates.h"
#include "job/expansion.h"
#include "job/job_file.h"
#include "table/format.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool run_job_is_file(const char *operand)
{
    size_t len = strlen(operand);
    struct stat st;

    if (strstr(operand, "://")) {
        return false;
    }
    return (len > 5 && strcmp(operand + len - 5, ".json") == 0) ||
           (stat(operand, &st) == 0 && S_ISREG(st.st_mode));
}

/* One mistake is the error; of several each is printed, and the error says how many there are. */
static enum result tell(const struct job_faults *faults, enum result result, struct err *err)
{
    if (faults->count == 1 && err) {
        *err = faults->errors[0];
    }
    for (size_t i = 0; faults->count > 1 && i < faults->count && i < JOB_FAULTS_SHOWN; i++) {
        message_error(&faults->errors[i]);
    }
    return result;
}

/* Which formats there are is nothing that the job's part knows. */
static enum result check_outputs(const struct job *job, const char *path, struct err *err)
{
    for (size_t i = 0; i < job->output_count; i++) {
        char endings[TABLE_ENDINGS_MAX];

        if (!table_format_ending(str_view(job->outputs[i]))) {
            return err_set(err, RESULT_INVALID, "E-CFG2",
                           "%s: \"output\": no table is written as \"%s\"; want %s", path,
                           job->outputs[i], table_endings(endings));
        }
    }
    return RESULT_OK;
}

static enum result read_job(struct job *job, const char *path, const struct job_given *given,
                            bool has_secrets, struct err *err)
{
    struct job_faults *faults = malloc(sizeof *faults);
    enum result result;

    if (!faults) {
        return err_nomem(err, "reading the job");
    }
    result = has_secrets ? job_file_read(job, path, given, faults, err)
                         : job_file_read_without_secrets(job, path, faults, err);
    if (result == RESULT_INVALID) { /* out of memory, its list says only half */
        result = tell(faults, result, err);
    }
    free(faults);
    if (result == RESULT_OK && check_outputs(job, path, err) != RESULT_OK) {
        job_release(job);
        result = RESULT_INVALID;
    }
    return result;
}

enum result run_job_read(struct job *job, const char *path, const struct job_given *given,
                         struct err *err)
{
    return read_job(job, path, given, true, err);
}

enum result run_job_parse(struct job *job, struct str text, struct err *err)
{
    struct job_faults *faults = malloc(sizeof *faults);
    enum result result;

    if (!faults) {
        return err_nomem(err, "reading the job");
    }
    result = job_file_parse(job, text, "the command line", NULL, faults, err);
    if (result == RESULT_INVALID) {
        result = tell(faults, result, err);
    }
    free(faults);
    return result;
}

enum result run_job_read_without_secrets(struct job *job, const char *path, struct err *err)
{
    return read_job(job, path, NULL, false, err);
}

static enum result check_endpoint(const struct job *job, uint32_t endpoint, const struct vars *vars,
                                  struct job_faults *faults, struct err *err)
{
    struct expansion *x;
    enum result result = expansion_new(&x, job, endpoint, vars, err);

    if (result != RESULT_OK) {
        faults->count = 0;
        return result;
    }
    result = expansion_check(x, faults, err);
    expansion_free(x);
    return result;
}

static enum result check_vars(struct job *job, struct job_faults *faults, struct err *err)
{
    struct vars *vars;
    enum result result = vars_new(&vars, job, faults, err);

    if (result != RESULT_OK) {
        return result;
    }
    for (uint32_t i = 0; i < job->endpoint_count && result == RESULT_OK; i++) {
        const struct job_endpoint *endpoint = &job->endpoints[i];

        if (!endpoint->has_parent && endpoint->source_count &&
            endpoint->sources[0].kind == JOB_SOURCE_TEMPLATE) {
            result = check_endpoint(job, i, vars, faults, err);
        }
    }
    for (size_t i = 0; i < job->var_count && result == RESULT_OK; i++) {
        if (job->vars[i].kind == JOB_VAR_FILE) {
            job->vars[i].crc32c = vars_crc32c(vars, i);
            job->vars[i].has_crc32c = true;
        }
    }
    vars_free(vars);
    return result;
}

enum result run_job_check(struct job *job, struct err *err)
{
    struct job_faults *faults = malloc(sizeof *faults);
    enum result result;

    if (!faults) {
        return err_nomem(err, "reading the variables");
    }
    result = check_vars(job, faults, err);
    if (result != RESULT_OK && result != RESULT_NOMEM && faults->count > 1) {
        result = tell(faults, result, err);
    }
    free(faults);
    return result;
}

/* --- secrets in URLs ------------------------------------------------------------------------------ */

/* A `${NAME}`: its beginning and length; NULL when there is none. */
static const char *find_variable(const char *text, size_t *len)
{
    for (const char *at = strstr(text, "${"); at; at = strstr(at + 2, "${")) {
        size_t name = strspn(at + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789_");

        if (name && at[2 + name] == '}') {
            *len = name + 3;
            return at;
        }
    }
    return NULL;
}

/* `name=${ENV}` as one parameter of the query; views into `url`. */
struct parameter {
    const char *start; /* of the name */
    struct str name, value;
};

static bool parse_parameter(const char *url, const char *variable, size_t len, struct parameter *p)
{
    const char *query = strchr(url, '?');
    const char *end = variable + len;

    p->value = (struct str){ variable, len };
    p->start = variable;
    while (query && p->start > query && !strchr("?&", p->start[-1])) {
        p->start--;
    }
    p->name = (struct str){ p->start, (size_t)(variable - p->start) };
    if (!query || query > variable || p->name.len < 2 || p->name.data[p->name.len - 1] != '=' ||
        (*end && *end != '&')) {
        return false;
    }
    p->name.len--;
    return !memchr(p->name.data, '=', p->name.len);
}

static enum result set_login(struct job *job, const struct parameter *p, struct err *err)
{
    struct job_login *login = &job->login;
    struct buf sent = { 0 };
    enum result result;

    if (login->kind) {
        return str_equal(str_view(login->name), p->name) &&
                       str_equal(str_view(login->secret.given), p->value)
                   ? RESULT_OK
                   : err_set(err, RESULT_INVALID, "E-SEC4",
                             "only one secret can be in the URLs, and it must be the same in all");
    }
    result = secret_expand(p->value, &job->secrets, &sent, err);
    if (result == RESULT_OK) {
        login->kind = &auth_key;
        login->in_query = true;
        login->name = str_dup(p->name);
        login->secret.given = str_dup(p->value);
        login->secret.sent = str_dup(buf_view(&sent));
        if (!login->name || !login->secret.given || !login->secret.sent) {
            result = err_nomem(err, "reading the command line");
        }
    }
    if (sent.data) {
        os_wipe(sent.data, sent.cap);
    }
    buf_release(&sent);
    return result;
}

/* Takes the parameter out, with the sign before or after it that is no longer needed. */
static void cut_parameter(char *url, const struct parameter *p)
{
    char *from = url + (p->start - url);
    char *after = url + (p->value.data + p->value.len - url);

    if (*after == '&') {
        after++;
    } else {
        from--;
    }
    memmove(from, after, strlen(after) + 1);
}

static enum result take_from(struct job *job, char *url, struct err *err)
{
    const char *variable;
    size_t len;

    while ((variable = find_variable(url, &len))) {
        struct parameter p;
        enum result result;

        if (!parse_parameter(url, variable, len, &p)) {
            return err_set(
                err, RESULT_INVALID, "E-SEC4",
                "a secret in a URL would be stored with every record, unless it is a whole "
                "value of its query, as in ?api_key=${KEY}; or give it with -H");
        }
        result = set_login(job, &p, err);
        if (result != RESULT_OK) {
            return result;
        }
        cut_parameter(url, &p);
    }
    return RESULT_OK;
}

enum result run_job_take_url_secrets(struct job *job, struct err *err)
{
    enum result result = RESULT_OK;

    for (size_t e = 0; e < job->endpoint_count; e++) {
        for (size_t i = 0; i < job->endpoints[e].source_count && result == RESULT_OK; i++) {
            if (job->endpoints[e].sources[i].kind == JOB_SOURCE_PATTERN) {
                result = take_from(job, job->endpoints[e].sources[i].text, err);
            }
        }
    }
    return result;
}
