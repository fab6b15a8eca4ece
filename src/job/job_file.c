#include "job/job_file.h"

#include "base/clock.h"
#include "base/json_scan.h"
#include "base/units.h"
#include "job/auth/auth_kind.h"
#include "job/auth/sign.h"
#include "job/dates.h"
#include "job/env_file.h"
#include "job/job_parts.h"
#include "job/job_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVERY_MIN_US (100 * US_PER_MS)

/* --- the root's keys -------------------------------------------------------------------------------------- */

static void read_root_headers(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    job_read_headers(r, NULL, value);
}

static void read_header_files(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    struct json_walk walk;
    struct str item;

    if (json_type_of(value) != JSON_ARRAY) {
        job_text_fault(&r->text, value, "E-CFG2", "\"header_files\": want an array of paths");
        return;
    }
    json_walk_begin(&walk, value);
    while (!r->skips_secrets && json_walk_next(&walk, NULL, &item)) {
        char *path = job_text_string(&r->text, "header_files", item);
        char *absolute = path ? job_absolute_path(r, path) : NULL;
        struct err err;

        r->text.no_memory |= path && !absolute;
        if (absolute && job_add_header_file(job, absolute, &err) != RESULT_OK) {
            job_text_fault_of(&r->text, item, &err);
        }
        free(absolute);
        free(path);
    }
}

/* Letters, digits and dots: what may follow a dot in a file's name. */
static bool is_ending(struct str raw)
{
    static const char may[] = "abcdefghijklmnopqrstuvwxyz0123456789.";

    for (size_t i = 0; i < raw.len; i++) {
        if (!memchr(may, raw.data[i], sizeof may - 1)) {
            return false;
        }
    }
    return raw.data && raw.len && raw.len < JOB_OUTPUT_MAX;
}

static bool has_output(const struct job *job, struct str ending)
{
    for (size_t i = 0; i < job->output_count; i++) {
        if (str_equal(ending, str_view(job->outputs[i]))) {
            return true;
        }
    }
    return false;
}

static void read_one_output(struct job_reader *r, struct job *job, struct str value)
{
    struct str raw = json_string_raw(value);

    if (!is_ending(raw)) {
        job_text_fault(&r->text, value, "E-CFG2",
                       "\"output\": want how its files end, as \"csv\" or \"jsonl.gz\"");
    } else if (has_output(job, raw)) {
        return;
    } else if (job->output_count == JOB_OUTPUTS_MAX) {
        job_text_fault(&r->text, value, "E-CFG2", "\"output\": more than %d kinds of files",
                       JOB_OUTPUTS_MAX);
    } else {
        snprintf(job->outputs[job->output_count++], JOB_OUTPUT_MAX, "%.*s", STR_ARG(raw));
    }
}

static void read_output(struct job_reader *r, void *target, struct str value)
{
    struct json_walk walk;
    struct str item;

    if (json_type_of(value) != JSON_ARRAY) {
        read_one_output(r, target, value);
        return;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &item)) {
        read_one_output(r, target, item);
    }
}

static void read_until(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    char *text = job_text_string(&r->text, "until", value);
    struct err err;

    if (text && dates_parse_instant(str_view(text), &job->poll.until_us, &err) != RESULT_OK) {
        err_prefix(&err, "\"until\"");
        job_text_fault_of(&r->text, value, &err);
    }
    free(text);
}

/* Both need what stands elsewhere in the file, and so are read last. */
static void note_login(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    r->login = value;
}

static void note_tables(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    r->tables = value;
}

static void note_base(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;

    r->base = value;
    if (!job->base) { /* the command line's goes first */
        job->base = job_text_string(&r->text, "base", value);
    }
}

static void read_pace(struct job_reader *r, void *target, struct str value)
{
    (void)job_read_object(r, &job_pace_keys, target, value);
}

static void read_retry(struct job_reader *r, void *target, struct str value)
{
    (void)job_read_object(r, &job_retry_keys, target, value);
}

static void read_limits(struct job_reader *r, void *target, struct str value)
{
    (void)job_read_object(r, &job_limits_keys, target, value);
}

static void take_path(struct job_reader *r, const char *key, char **to, struct str value)
{
    char *text = job_text_string(&r->text, key, value);

    if (text) {
        free(*to);
        *to = job_absolute_path(r, text);
        r->text.no_memory |= !*to;
    }
    free(text);
}

/* true, false, or the name of a file. */
static void read_cookies(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    enum json_type type = json_type_of(value);

    if (type == JSON_STRING && json_string_raw(value).len) {
        job->cookies.is_kept = true;
        take_path(r, "cookies", &job->cookies.jar, value);
    } else if (type == JSON_BOOL) {
        job->cookies.is_kept = str_starts(value, STR("t"));
        job->cookies.is_off = !job->cookies.is_kept;
    } else {
        job_text_fault(&r->text, value, "E-CFG2",
                       "\"cookies\": want true (kept with the run), false (none), or the file that "
                       "they are kept in");
    }
}

static void read_cookie_file(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;

    take_path(r, "cookie_file", &job->cookies.from, value);
}

static void read_sign(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    size_t faults = r->text.faults->count;
    struct err err;

    if (r->skips_secrets) {
        return;
    }
    (void)job_read_object(r, &job_sign_keys, &job->sign, value);
    if (r->text.faults->count == faults &&
        sign_check(&job->sign, job->login.is_incomplete, &err) != RESULT_OK) {
        err_prefix(&err, "\"sign\"");
        job_text_fault_of(&r->text, value, &err);
    }
}

static void read_answers(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;

    job_read_answers(r, &job->answers, value);
}

#define FIELD(field) offsetof(struct job, field)

enum { ROOT_ENDPOINTS, ROOT_EVERY, ROOT_COUNT, ROOT_UNTIL };

static const struct job_key root_keys[] = {
    [ROOT_ENDPOINTS] = { "endpoints", JOB_KEY_CALL, 0, 0, 0, job_read_endpoints },
    [ROOT_EVERY] = { "every", JOB_KEY_TIME, FIELD(poll.every_us), EVERY_MIN_US, UINT64_MAX, NULL },
    [ROOT_COUNT] = { "count", JOB_KEY_NUMBER, FIELD(poll.count), 1, INT64_MAX, NULL },
    [ROOT_UNTIL] = { "until", JOB_KEY_CALL, 0, 0, 0, read_until },
    { "name", JOB_KEY_NAME, FIELD(name), 0, 0, NULL },
    { "base", JOB_KEY_CALL, 0, 0, 0, note_base },
    { "headers", JOB_KEY_CALL, 0, 0, 0, read_root_headers },
    { "header_files", JOB_KEY_CALL, 0, 0, 0, read_header_files },
    { "login", JOB_KEY_CALL, 0, 0, 0, note_login },
    { "sign", JOB_KEY_CALL, 0, 0, 0, read_sign },
    { "cookies", JOB_KEY_CALL, 0, 0, 0, read_cookies },
    { "cookie_file", JOB_KEY_CALL, 0, 0, 0, read_cookie_file },
    { "vars", JOB_KEY_CALL, 0, 0, 0, job_read_vars },
    { "pace", JOB_KEY_CALL, 0, 0, 0, read_pace },
    { "retry", JOB_KEY_CALL, 0, 0, 0, read_retry },
    { "limits", JOB_KEY_CALL, 0, 0, 0, read_limits },
    { "answers", JOB_KEY_CALL, 0, 0, 0, read_answers },
    { "network", JOB_KEY_CALL, 0, 0, 0, job_read_network },
    { "proxy", JOB_KEY_CALL, 0, 0, 0, job_read_proxy },
    { "proxies", JOB_KEY_CALL, 0, 0, 0, job_read_proxies },
    { "tls", JOB_KEY_CALL, 0, 0, 0, job_read_tls },
    { "tables", JOB_KEY_CALL, 0, 0, 0, note_tables },
    { "output", JOB_KEY_CALL, 0, 0, 0, read_output },
    { "globoff", JOB_KEY_BOOL, FIELD(globoff), 0, 0, NULL },
    { "unkept", JOB_KEY_BOOL, FIELD(is_incomplete), 0, 0, NULL },
};

static const struct job_keys job_root_keys = JOB_KEYS("job", root_keys);

/* The key of that number; else the number is one of those after these. */
static const struct job_key *key_of(const struct job_keys *keys, size_t *index, const char **object)
{
    if (*index < keys->count) {
        *object = keys->object;
        return &keys->keys[*index];
    }
    *index -= keys->count;
    return NULL;
}

const struct job_key *job_file_key(size_t index, const char **object)
{
    const struct job_keys *const all[] = {
        &job_root_keys,  &job_endpoint_keys, &job_pages_keys, job_login_keys(),  &job_var_keys,
        &job_table_keys, &job_answer_keys,   &job_pace_keys,  &job_retry_keys,   &job_limits_keys,
        &job_proxy_keys, &job_proxies_keys,  &job_tls_keys,   &job_network_keys, &job_sign_keys,
    };
    const struct job_key *key = NULL;

    for (size_t i = 0; !key && i < sizeof all / sizeof all[0]; i++) {
        key = key_of(all[i], &index, object);
    }
    for (size_t i = 0; !key && auth_kinds[i]; i++) {
        key = auth_kinds[i]->keys ? key_of(auth_kinds[i]->keys, &index, object) : NULL;
    }
    return key;
}

/* --- the whole -------------------------------------------------------------------------------------------- */

/* "catalog" of "jobs/catalog.json". */
static void name_after_file(struct job_reader *r)
{
    const char *slash = strrchr(r->path, '/');
    struct str stem = str_view(slash ? slash + 1 : r->path);
    const char *dot = memrchr(stem.data, '.', stem.len);

    if (!r->job->name && !r->is_stored) {
        stem.len = dot && dot > stem.data ? (size_t)(dot - stem.data) : stem.len;
        r->job->name = job_make_name(stem);
        r->text.no_memory |= !r->job->name;
    }
}

static void read_root(struct job_reader *r)
{
    struct str root = job_text_root(&r->text);
    uint64_t seen = job_read_object(r, &job_root_keys, r->job, root);

    name_after_file(r);
    if (r->login.data && !r->skips_secrets) {
        job_read_login(r, r->job, r->login);
    }
    if (json_type_of(root) == JSON_OBJECT && !r->is_stored &&
        (!(seen >> ROOT_ENDPOINTS & 1) || (!r->job->endpoint_count && !r->text.faults->count))) {
        job_text_fault(&r->text, root, "E-CFG4", "the job has no \"endpoints\"");
    }
    if (!(seen >> ROOT_EVERY & 1) && (seen >> ROOT_COUNT & 1 || seen >> ROOT_UNTIL & 1)) {
        job_text_fault(&r->text, root, "E-CFG4", "\"count\" and \"until\" want \"every\"");
    }
    job_settle_types(r);
    if (r->tables.data) {
        job_read_tables(r, r->tables);
    }
    if (!r->text.no_memory) {
        job_link(r, r->base);
    }
}

static enum result read_text(struct job_reader *r, struct str text, struct job_faults *faults,
                             struct err *err)
{
    enum result result = RESULT_OK;

    if (job_text_open(&r->text, text, r->path, faults)) {
        read_root(r);
    }
    for (size_t i = 0; r->places && i < r->job->endpoint_count; i++) {
        free(r->places[i].url_text);
    }
    free(r->places);
    if (r->text.no_memory) {
        result = err_nomem(err, "reading the job");
    } else if (faults->count) {
        result = RESULT_INVALID;
    }
    job_text_release(&r->text);
    for (size_t i = 0; i < r->job->header_count; i++) {
        r->job->headers[i].stored = true; /* the command line may replace it */
    }
    if (result != RESULT_OK) {
        job_release(r->job);
    }
    return result;
}

static enum result parse(struct job_reader *r, struct str text, const char *base,
                         struct job_faults *faults, struct err *err)
{
    enum result result;

    job_init(r->job);
    r->job->secrets.env_file = r->path ? env_file_beside(r->path) : NULL;
    r->job->secrets.env_find = env_file_find;
    if (base) {
        r->job->base = str_dup(str_view(base));
        if (!r->job->base) {
            return err_nomem(err, "reading the job");
        }
    }
    result = read_text(r, text, faults, err);
    return result == RESULT_INVALID ? err_set(err, result, "E-CFG2", "%s: %zu mistake%s", r->path,
                                              faults->count, units_plural(faults->count))
                                    : result;
}

enum result job_file_parse(struct job *job, struct str text, const char *path, const char *base,
                           struct job_faults *faults, struct err *err)
{
    struct job_reader r = { .job = job, .path = path, .read_more = job_read_login_key };

    return parse(&r, text, base, faults, err);
}

static enum result read_stored(struct job *job, struct str text, const char *where,
                               bool skips_secrets, struct err *err)
{
    struct job_reader r = { .read_more = job_read_login_key,
                            .job = job,
                            .path = where,
                            .is_stored = true,
                            .skips_secrets = skips_secrets };
    struct job_faults *faults = malloc(sizeof *faults);
    enum result result;

    job_init(job);
    if (!faults) {
        return err_nomem(err, "reading the job");
    }
    result = read_text(&r, text, faults, err);
    if (result == RESULT_INVALID && err) {
        *err = faults->errors[0];
        result = err->result;
    }
    free(faults);
    return result;
}

enum result job_read(struct job *job, struct str text, const char *where, struct err *err)
{
    return read_stored(job, text, where, false, err);
}

enum result job_read_without_secrets(struct job *job, struct str text, const char *where,
                                     struct err *err)
{
    return read_stored(job, text, where, true, err);
}

enum result job_file_load(const char *path, struct buf *text, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO is not waited for */
    enum result result = RESULT_OK;
    ssize_t got = 1;
    struct stat st;

    if (fd < 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", path);
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        result = err_set(err, RESULT_INVALID, "E-IN2", "%s is not a regular file", path);
    }
    while (got != 0 && result == RESULT_OK) {
        char piece[16 * 1024];

        got = read(fd, piece, sizeof piece);
        if (got < 0 && errno != EINTR) {
            result = err_set_errno(err, errno, "E-IN2", "cannot read %s", path);
        } else if (got > 0) {
            result = buf_append(text, piece, (size_t)got);
        }
    }
    close(fd);
    if (result == RESULT_LIMIT) {
        return err_set(err, result, "E-CFG2", "%s is over %d bytes", path, JOB_TEXT_MAX);
    }
    return result == RESULT_NOMEM ? err_nomem(err, "reading the job") : result;
}

static enum result read_file(struct job_reader *r, const char *base, struct job_faults *faults,
                             struct err *err)
{
    struct buf text;
    enum result result;

    faults->count = 0;
    buf_init(&text, JOB_TEXT_MAX);
    result = job_file_load(r->path, &text, err);
    if (result == RESULT_OK) {
        result = parse(r, buf_view(&text), base, faults, err);
    }
    if (text.data) {
        explicit_bzero(text.data, text.cap);
    }
    buf_release(&text);
    return result;
}

enum result job_file_read(struct job *job, const char *path, const char *base,
                          struct job_faults *faults, struct err *err)
{
    struct job_reader r = { .job = job, .path = path, .read_more = job_read_login_key };

    return read_file(&r, base, faults, err);
}

enum result job_file_read_without_secrets(struct job *job, const char *path,
                                          struct job_faults *faults, struct err *err)
{
    struct job_reader r = {
        .job = job, .path = path, .read_more = job_read_login_key, .skips_secrets = true
    };

    return read_file(&r, NULL, faults, err);
}
