/* Headers: the job's, sent with every request, and an endpoint's own. */
#include "job/job.h"

#include "base/base64.h"
#include "base/os.h"
#include "job/job_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COOKIE_MIN_BYTES 12
#define SCHEME_MAX_BYTES 12 /* "Bearer" */

struct header_list {
    struct job_header **headers;
    size_t *count;
};

static struct header_list list_of(struct job *job, struct job_endpoint *endpoint)
{
    return endpoint ? (struct header_list){ &endpoint->headers, &endpoint->header_count }
                    : (struct header_list){ &job->headers, &job->header_count };
}

static void header_release(struct job_header *header)
{
    free(header->name);
    free(header->given);
    if (header->sent) {
        os_wipe(header->sent, strlen(header->sent));
    }
    free(header->sent);
}

void job_headers_release(struct job_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        header_release(&headers[i]);
    }
    free(headers);
}

const struct job_header *job_find_header(const struct job_header *headers, size_t count,
                                         struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal_nocase(str_view(headers[i].name), name)) {
            return &headers[i];
        }
    }
    return NULL;
}

/* The slot for a header of that name: a new one, or that of a stored one. */
static enum result header_slot(struct header_list list, struct str name, struct job_header **slot,
                               struct err *err)
{
    const struct job_header *same = job_find_header(*list.headers, *list.count, name);
    struct job_header *headers;

    if (same) {
        *slot = *list.headers + (same - *list.headers);
        if (!same->stored) {
            return err_set(err, RESULT_INVALID, "E-HDR2", "header %.*s is given twice",
                           STR_ARG(name));
        }
        header_release(*slot);
        **slot = (struct job_header){ 0 };
        return RESULT_OK;
    }
    if (*list.count == JOB_HEADERS_MAX) {
        return err_set(err, RESULT_LIMIT, "E-HDR2", "more than %d headers", JOB_HEADERS_MAX);
    }
    headers = reallocarray(*list.headers, *list.count + 1, sizeof *headers);
    if (!headers) {
        return err_nomem(err, "adding a header");
    }
    *list.headers = headers;
    *slot = &headers[(*list.count)++];
    **slot = (struct job_header){ 0 };
    return RESULT_OK;
}

/* Adds `name` with `sent` for its value. `given` STR_NONE: the value is not to be written down. */
static enum result put_header(struct header_list list, struct str name, struct str given,
                              bool from_file, struct str sent, struct err *err)
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
    result = header_slot(list, name, &slot, err);
    if (result != RESULT_OK) {
        goto fail_header;
    }
    *slot = header;
    return RESULT_OK;

fail_header:
    header_release(&header);
    return result;
}

void job_drop_implied(struct job *job)
{
    for (size_t i = 0; i < job->endpoint_count; i++) {
        struct job_endpoint *endpoint = &job->endpoints[i];
        size_t kept = 0;

        for (size_t j = 0; j < endpoint->header_count; j++) {
            struct job_header *header = &endpoint->headers[j];

            if (header->implied &&
                job_find_header(job->headers, job->header_count, str_view(header->name))) {
                header_release(header);
            } else {
                endpoint->headers[kept++] = *header;
            }
        }
        endpoint->header_count = kept;
    }
}

enum result job_add_unkept_header(struct job *job, struct job_endpoint *endpoint, struct str name,
                                  struct err *err)
{
    struct job_header *slot;
    enum result result = header_slot(list_of(job, endpoint), name, &slot, err);

    if (result == RESULT_OK) {
        slot->name = str_dup(name);
        result = slot->name ? RESULT_OK : err_nomem(err, "adding a header");
    }
    return result;
}

/* "session=4f3c; theme=dark": each by itself, for a server echoes one of them, and not the small change. */
static enum result register_cookies(struct job *job, struct str cookies, struct err *err)
{
    enum result result = RESULT_OK;

    while (cookies.data && result == RESULT_OK) {
        struct str value = str_cut(&cookies, ';'), name = str_trim(str_cut(&value, '='));
        char label[SECRET_LABEL_SIZE];

        value = str_trim(value);
        if (value.len >= COOKIE_MIN_BYTES) {
            secret_label(label, "cookie", name);
            result = secrets_add(&job->secrets, value, label, err);
        }
    }
    return result;
}

/* base64(user:password), RFC 7617: a server may echo the password by itself. */
static enum result register_basic(struct job *job, struct str encoded, struct err *err)
{
    struct buf plain = { 0 };
    struct str password;
    enum result result = base64_decode(&plain, encoded);

    password = buf_view(&plain);
    (void)str_cut(&password, ':');
    if (result == RESULT_OK && password.len) {
        result = secrets_add(&job->secrets, password, "header.password", err);
    } else if (result != RESULT_NOMEM) {
        result = RESULT_OK;
    }
    if (plain.data) {
        os_wipe(plain.data, plain.cap);
    }
    buf_release(&plain);
    return result;
}

/* Registers the value of a header of that name, without its scheme ("Bearer 4f3c...": a server may echo
 *  either); of cookies each. */
static enum result register_credential(struct job *job, struct str name, struct str value,
                                       struct err *err)
{
    struct str rest = value, scheme = str_cut(&rest, ' ');
    char label[SECRET_LABEL_SIZE];
    enum result result = RESULT_OK;

    rest = str_trim(rest);
    if (str_equal_nocase(name, STR("Cookie"))) {
        result = register_cookies(job, value, err);
    } else if (str_equal_nocase(scheme, STR("Basic"))) {
        result = register_basic(job, rest, err);
    }
    if (rest.len && scheme.len < SCHEME_MAX_BYTES && !memchr(scheme.data, '=', scheme.len)) {
        value = rest; /* a scheme begins many a text */
    }
    secret_label(label, "header", name);
    return result == RESULT_OK ? secrets_add(&job->secrets, value, label, err) : result;
}

bool job_names_variable(struct str text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.data[i] == '$' && text.data[i + 1] == '{' && (i == 0 || text.data[i - 1] != '$')) {
            return true;
        }
    }
    return false;
}

bool job_secret_is_literal(const char *text)
{
    return !job_names_variable(str_view(text)) && !(text[0] == '@' && text[1] && text[1] != '@');
}

static size_t count_braces(struct str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        count += text.data[i] == '{' && (i == 0 || text.data[i - 1] != '$');
    }
    return count;
}

/* An endpoint's header is a template, and what the environment brings in is not to be read as one. */
static enum result check_braces(const struct job_endpoint *endpoint, struct str given,
                                struct str sent, struct err *err)
{
    return endpoint && job_names_variable(given) && count_braces(sent) != count_braces(given)
               ? err_set(
                     err, RESULT_INVALID, "E-HDR2",
                     "an environment variable holds a brace, which would be a placeholder here; "
                     "put this header among the job's")
               : RESULT_OK;
}

/* By its name, by what it looks like, or by both. */
static bool is_secret(struct str name, struct str value)
{
    return header_is_secret(name) || secret_form_is(value) ||
           (secret_name_may_be(name) && secret_looks_random(value));
}

static enum result add_header(struct job *job, struct job_endpoint *endpoint, struct str line,
                              struct err *err)
{
    struct str name, given, sent_name, sent_value;
    struct buf sent;
    bool secret, typed;
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
    if (result == RESULT_OK) {
        result = check_braces(endpoint, given, sent_value, err);
    }
    if (result != RESULT_OK) {
        err_prefix(err, "header %.*s", (int)(name.len < 64 ? name.len : 64), name.data);
        goto done;
    }
    secret = is_secret(name, sent_value) && !(endpoint && count_braces(given));
    typed = secret && !job_names_variable(given);
    if (secret) {
        result = register_credential(job, name, sent_value, err);
    }
    if (result == RESULT_OK) {
        result = put_header(list_of(job, endpoint), name, typed ? STR_NONE : given, false,
                            sent_value, err);
    }
done:
    if (sent.data) {
        os_wipe(sent.data, sent.cap);
    }
    buf_release(&sent);
    return result;
}

enum result job_add_header(struct job *job, struct str line, struct err *err)
{
    return add_header(job, NULL, line, err);
}

enum result job_add_endpoint_header(struct job *job, struct job_endpoint *endpoint, struct str line,
                                    struct err *err)
{
    return add_header(job, endpoint, line, err);
}

enum result job_add_secret_header(struct job *job, struct job_endpoint *endpoint, struct str name,
                                  struct str given, struct str sent, struct err *err)
{
    struct buf line;
    struct str sent_name, sent_value;
    enum result result;

    buf_init(&line, HEADER_LINE_MAX);
    result = buf_printf(&line, "%.*s: %.*s", STR_ARG(name), STR_ARG(sent));
    result = result == RESULT_OK
                 ? header_split(buf_view(&line), &sent_name, &sent_value, err)
                 : err_set(err, result, "E-HDR2", "header line over %d bytes", HEADER_LINE_MAX);
    if (result == RESULT_OK && endpoint && count_braces(sent_value)) {
        result = err_set(err, RESULT_INVALID, "E-HDR2",
                         "the file holds a brace, which would be a placeholder here; put this "
                         "header among the job's");
    }
    if (result == RESULT_OK) {
        result = register_credential(job, name, sent_value, err);
    }
    if (result == RESULT_OK) {
        result = put_header(list_of(job, endpoint), sent_name, given, false, sent_value, err);
    }
    if (line.data) {
        os_wipe(line.data, line.cap);
    }
    buf_release(&line);
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
        result = register_credential(job, name, value, err);
    }
    if (result == RESULT_OK && secret_is_pipe(path)) { /* the next session cannot read it */
        return put_header(list_of(job, NULL), name, STR_NONE, false, value, err);
    }
    return result == RESULT_OK
               ? put_header(list_of(job, NULL), name, str_view(path), true, value, err)
               : result;
}

enum result job_add_header_file(struct job *job, const char *path, struct err *err)
{
    char *absolute =
        secret_is_pipe(path)
            ? NULL
            : realpath(path, NULL); /* the next session may start in another directory */
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
    if (result == RESULT_OK && secret_is_pipe(path) && !str_trim(buf_view(&text)).len) {
        result = err_set(err, RESULT_INVALID, "E-SEC1", "%s gave no header lines", path);
    } else if (result != RESULT_OK) {
        err_prefix(err, "%s:%u", path, number);
    }
done:
    if (text.data) {
        os_wipe(text.data, text.cap);
    }
    buf_release(&text);
    free(absolute);
    return result;
}
