#include "job/job.h"

#include "base/clock.h"
#include "base/url.h"
#include "job/glob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void job_init(struct job *job)
{
    *job = (struct job){
        .pace = { .cap = 10 },
        .retry = { .attempts = 6,
                   .backoff_base_us = 1 * US_PER_S,
                   .backoff_cap_us = 30 * US_PER_S,
                   .max_wait_us = 600 * US_PER_S },
        .network = { .connect_timeout_us = 5 * US_PER_S,
                     .stall_timeout_us = 30 * US_PER_S,
                     .total_timeout_us = 30 * US_PER_S,
                     .body_max_bytes = UINT64_C(64) << 20 },
    };
}

static void endpoint_release(struct job_endpoint *endpoint)
{
    for (size_t i = 0; i < endpoint->source_count; i++) {
        free(endpoint->sources[i].text);
    }
    free(endpoint->sources);
    free(endpoint->name);
    free(endpoint->method);
    free(endpoint->body);
    free(endpoint->records);
}

static void header_release(struct job_header *header)
{
    free(header->name);
    free(header->given);
    if (header->sent) {
        explicit_bzero(header->sent, strlen(header->sent));
    }
    free(header->sent);
}

void job_release(struct job *job)
{
    for (size_t i = 0; i < job->endpoint_count; i++) {
        endpoint_release(&job->endpoints[i]);
    }
    for (size_t i = 0; i < job->header_count; i++) {
        header_release(&job->headers[i]);
    }
    secrets_release(&job->secrets);
    free(job->endpoints);
    free(job->headers);
    free(job->network.ca_file);
    free(job->name);
    *job = (struct job){ 0 };
}

struct job_endpoint *job_add_endpoint(struct job *job)
{
    struct job_endpoint *endpoints, *endpoint;
    char *method = str_dup(STR("GET"));

    endpoints = reallocarray(job->endpoints, job->endpoint_count + 1, sizeof *endpoints);
    if (endpoints) {
        job->endpoints = endpoints;
    }
    if (!method || !endpoints) {
        free(method);
        return NULL;
    }
    endpoint = &endpoints[job->endpoint_count++];
    *endpoint = (struct job_endpoint){ .method = method };
    return endpoint;
}

enum result job_add_source(struct job_endpoint *endpoint, enum job_source_kind kind,
                           struct str text, struct err *err)
{
    struct job_source *sources =
        reallocarray(endpoint->sources, endpoint->source_count + 1, sizeof *sources);
    char *copy = str_dup(text);

    if (sources) {
        endpoint->sources = sources;
    }
    if (!copy || !sources) {
        free(copy);
        return err_nomem(err, "reading the job");
    }
    sources[endpoint->source_count++] = (struct job_source){ kind, copy };
    return RESULT_OK;
}

static struct job_header *find_header(struct job *job, struct str name)
{
    for (size_t i = 0; i < job->header_count; i++) {
        if (str_equal_nocase(str_view(job->headers[i].name), name)) {
            return &job->headers[i];
        }
    }
    return NULL;
}

/* The slot for a header of that name: a new one, or that of a stored one. */
static enum result header_slot(struct job *job, struct str name, struct job_header **slot,
                               struct err *err)
{
    struct job_header *headers;

    *slot = find_header(job, name);
    if (*slot) {
        if (!(*slot)->stored) {
            return err_set(err, RESULT_INVALID, "E-HDR2", "header %.*s is given twice",
                           STR_ARG(name));
        }
        header_release(*slot);
        **slot = (struct job_header){ 0 };
        return RESULT_OK;
    }
    if (job->header_count == JOB_HEADERS_MAX) {
        return err_set(err, RESULT_LIMIT, "E-HDR2", "more than %d headers", JOB_HEADERS_MAX);
    }
    headers = reallocarray(job->headers, job->header_count + 1, sizeof *headers);
    if (!headers) {
        return err_nomem(err, "adding a header");
    }
    job->headers = headers;
    *slot = &headers[job->header_count++];
    **slot = (struct job_header){ 0 };
    return RESULT_OK;
}

/* Adds `name` with `sent` for its value. `given` STR_NONE: the value is not to be written down. */
static enum result put_header(struct job *job, struct str name, struct str given, bool from_file,
                              struct str sent, struct err *err)
{
    struct job_header header = { .name = str_dup(name),
                                 .given = given.data ? str_dup(given) : NULL,
                                 .from_file = from_file };
    struct job_header *slot;
    size_t size = name.len + 2 + sent.len + 1;
    enum result result;

    header.sent = malloc(size);
    if (!header.name || (given.data && !header.given) || !header.sent) {
        result = err_nomem(err, "adding a header");
        goto fail_header;
    }
    snprintf(header.sent, size, "%.*s: %.*s", STR_ARG(name), STR_ARG(sent));
    result = header_slot(job, name, &slot, err);
    if (result != RESULT_OK) {
        goto fail_header;
    }
    *slot = header;
    return RESULT_OK;

fail_header:
    header_release(&header);
    return result;
}

/* Registers the value, and what stands behind its scheme ("Bearer 4f3c…"): a server may echo either. */
static enum result register_credential(struct job *job, struct str value, struct err *err)
{
    struct str rest = value;
    enum result result = secrets_add(&job->secrets, value, err);

    str_cut(&rest, ' ');
    return result == RESULT_OK ? secrets_add(&job->secrets, str_trim(rest), err) : result;
}

static bool names_variable(struct str text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.data[i] == '$' && text.data[i + 1] == '{' && (i == 0 || text.data[i - 1] != '$')) {
            return true;
        }
    }
    return false;
}

enum result job_add_header(struct job *job, struct str line, struct err *err)
{
    struct str name, given, sent_name, sent_value;
    struct buf sent;
    bool typed;
    enum result result = header_split(line, &name, &given, err);

    if (result != RESULT_OK) {
        return result;
    }
    buf_init(&sent, HEADER_LINE_MAX);
    if (buf_append_str(&sent, name) != RESULT_OK || buf_append_char(&sent, ':') != RESULT_OK) {
        result = err_nomem(err, "adding a header");
        goto done;
    }
    result = secret_expand(given, &job->secrets, &sent, err);
    if (result == RESULT_OK) { /* the environment may hold anything */
        result = header_split(buf_view(&sent), &sent_name, &sent_value, err);
    }
    if (result != RESULT_OK) {
        err_prefix(err, "header %.*s", (int)(name.len < 64 ? name.len : 64), name.data);
        goto done;
    }
    typed = header_is_secret(name) && !names_variable(given);
    if (header_is_secret(name)) {
        result = register_credential(job, sent_value, err);
    }
    if (result == RESULT_OK) {
        result = put_header(job, name, typed ? STR_NONE : given, false, sent_value, err);
    }
done:
    if (sent.data) {
        explicit_bzero(sent.data, sent.cap);
    }
    buf_release(&sent);
    return result;
}

static enum result add_file_line(struct job *job, struct str line, const char *path,
                                 struct err *err)
{
    struct str name, value;
    enum result result;

    line = str_trim(line);
    if (!line.len || line.data[0] == '#') {
        return RESULT_OK;
    }
    result = header_split(line, &name, &value, err);
    if (result == RESULT_OK) {
        result = register_credential(job, value, err);
    }
    return result == RESULT_OK ? put_header(job, name, str_view(path), true, value, err) : result;
}

enum result job_add_header_file(struct job *job, const char *path, struct err *err)
{
    char *absolute = realpath(path, NULL); /* the next session may start in another directory */
    struct buf text;
    enum result result;
    struct str rest;
    unsigned number = 0;

    buf_init(&text, SECRET_FILE_MAX);
    result = secret_read_file(path, &text, err);
    if (result != RESULT_OK) {
        goto done;
    }
    rest = buf_view(&text);
    while (rest.data && result == RESULT_OK) {
        number++;
        result = add_file_line(job, str_cut(&rest, '\n'), absolute ? absolute : path, err);
    }
    if (result != RESULT_OK) {
        err_prefix(err, "%s:%u", path, number);
    }
done:
    if (text.data) {
        explicit_bzero(text.data, text.cap);
    }
    buf_release(&text);
    free(absolute);
    return result;
}

enum result job_parse_backoff(struct str text, struct job_retry *retry, struct err *err)
{
    struct job_retry parsed = *retry;
    struct str cap = text;
    struct str base = str_cut(&cap, ':');
    enum result result = units_parse_time(base, &parsed.backoff_base_us, err);

    if (result == RESULT_OK && cap.data) {
        result = units_parse_time(cap, &parsed.backoff_cap_us, err);
    } else if (parsed.backoff_cap_us < parsed.backoff_base_us) {
        parsed.backoff_cap_us = parsed.backoff_base_us;
    }
    if (result != RESULT_OK) {
        err_prefix(err, "want BASE or BASE:CAP");
        return result;
    }
    if (parsed.backoff_cap_us < parsed.backoff_base_us) {
        return err_set(err, RESULT_INVALID, "E-ARG2", "backoff \"%.*s\": the cap is below the base",
                       STR_ARG(text));
    }
    *retry = parsed;
    return RESULT_OK;
}

enum result job_check_method(struct str method, struct err *err)
{
    static const struct str methods[] = {
        STR_INIT("GET"),   STR_INIT("POST"),   STR_INIT("PUT"),
        STR_INIT("PATCH"), STR_INIT("DELETE"), STR_INIT("QUERY")
    };

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (str_equal(method, methods[i])) {
            return RESULT_OK;
        }
    }
    return err_set(err, RESULT_INVALID, "E-ARG8",
                   "method \"%.*s\" is not one of GET, POST, PUT, PATCH, DELETE, QUERY",
                   (int)(method.len < 32 ? method.len : 32), method.data);
}

static bool is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool job_name_is_valid(struct str name)
{
    if (!name.len || name.len > JOB_NAME_MAX || name.data[0] == '.') {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!is_name_char(name.data[i])) {
            return false;
        }
    }
    return true;
}

/* A name made of anything: what a name may not hold becomes a dash. */
static char *make_name(struct str text)
{
    char name[JOB_NAME_MAX];
    size_t len = text.len < JOB_NAME_MAX ? text.len : JOB_NAME_MAX;

    for (size_t i = 0; i < len; i++) {
        name[i] = is_name_char(text.data[i]) ? text.data[i] : '-';
    }
    if (len && (name[0] == '.' || name[0] == '-')) {
        name[0] = '_'; /* neither hidden nor taken for an option */
    }
    return str_dup(len ? (struct str){ name, len } : STR("job"));
}

/* "ids" of "lists/ids.txt". */
static struct str list_stem(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *stem = slash ? slash + 1 : path;
    const char *dot = strrchr(stem, '.');

    return dot && dot != stem ? (struct str){ stem, (size_t)(dot - stem) } : str_view(stem);
}

static enum result derive_name(struct job *job, struct err *err)
{
    const struct job_source *source = &job->endpoints[0].sources[0];
    struct buf text = { .max = 0 };
    struct glob *glob;
    struct url url;
    enum result result;

    if (source->kind == JOB_SOURCE_LIST) {
        job->name =
            make_name(strcmp(source->text, "-") == 0 ? STR("stdin") : list_stem(source->text));
        return job->name ? RESULT_OK : err_nomem(err, "naming the job");
    }
    result = glob_new(&glob, str_view(source->text), job->globoff, err);
    if (result != RESULT_OK) {
        return result;
    }
    result = glob_expand(glob, 0, &text, NULL) == RESULT_OK ? url_split(buf_view(&text), &url, err)
                                                            : err_nomem(err, "naming the job");
    if (result == RESULT_OK) {
        job->name = make_name(url.host);
        result = job->name ? RESULT_OK : err_nomem(err, "naming the job");
    }
    buf_release(&text);
    glob_free(glob);
    return result;
}

static enum result check_sources(const struct job *job, const struct job_endpoint *endpoint,
                                 struct err *err)
{
    bool has_stdin = false;

    if (!endpoint->source_count) {
        return err_set(err, RESULT_INVALID, "E-ARG9",
                       "nothing to fetch: give a URL, -i FILE, or the run directory of an earlier "
                       "run with -o");
    }
    for (size_t i = 0; i < endpoint->source_count; i++) {
        const struct job_source *source = &endpoint->sources[i];
        struct glob *glob;
        enum result result;

        if (source->kind == JOB_SOURCE_LIST) {
            bool is_stdin = strcmp(source->text, "-") == 0;

            if (is_stdin && has_stdin) {
                return err_set(err, RESULT_INVALID, "E-ARG9", "stdin can be read only once");
            }
            has_stdin = has_stdin || is_stdin;
            continue;
        }
        result = glob_new(&glob, str_view(source->text), job->globoff, err);
        if (result != RESULT_OK) {
            return result;
        }
        glob_free(glob);
    }
    return RESULT_OK;
}

static enum result check_headers(const struct job *job, struct err *err)
{
    for (size_t i = 0; i < job->header_count; i++) {
        if (!job->headers[i].sent) {
            return err_set(
                err, RESULT_INVALID, "E-SEC3",
                "the value of header %s was typed and so not kept; give it again with -H",
                job->headers[i].name);
        }
    }
    return RESULT_OK;
}

enum result job_finish(struct job *job, struct err *err)
{
    enum result result = check_headers(job, err);

    if (result == RESULT_OK && !job->endpoint_count) {
        result = check_sources(job, &(struct job_endpoint){ 0 }, err);
    }
    for (size_t i = 0; i < job->endpoint_count && result == RESULT_OK; i++) {
        result = check_sources(job, &job->endpoints[i], err);
        if (result == RESULT_OK) {
            result = job_check_method(str_view(job->endpoints[i].method), err);
        }
    }
    if (result == RESULT_OK && !job->name) {
        result = derive_name(job, err);
    }
    for (size_t i = 0; i < job->endpoint_count && result == RESULT_OK; i++) {
        if (!job->endpoints[i].name) {
            job->endpoints[i].name = str_dup(str_view(job->name));
            result = job->endpoints[i].name ? RESULT_OK : err_nomem(err, "naming the tables");
        }
    }
    return result;
}

static bool same_text(const char *a, const char *b)
{
    return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static bool same_endpoint(const struct job_endpoint *a, const struct job_endpoint *b)
{
    if (a->source_count != b->source_count || !same_text(a->method, b->method) ||
        !same_text(a->body, b->body)) {
        return false;
    }
    for (size_t i = 0; i < a->source_count; i++) {
        if (a->sources[i].kind != b->sources[i].kind ||
            !same_text(a->sources[i].text, b->sources[i].text)) {
            return false;
        }
    }
    return true;
}

bool job_same_requests(const struct job *a, const struct job *b)
{
    if (a->endpoint_count != b->endpoint_count || a->globoff != b->globoff) {
        return false;
    }
    for (size_t i = 0; i < a->endpoint_count; i++) {
        if (!same_endpoint(&a->endpoints[i], &b->endpoints[i])) {
            return false;
        }
    }
    return true;
}
