#include "job/job_file.h"

#include "base/clock.h"
#include "base/json_scan.h"
#include "base/os.h"
#include "base/read_all.h"
#include "job/env_file.h"
#include "job/job_parts.h"
#include "job/job_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the whole -------------------------------------------------------------------------------------------- */

/* "catalog" of "jobs/catalog.json". */
static void name_after_file(struct job_reader *r)
{
    const char *slash = strrchr(r->path, '/');
    struct str stem = str_view(slash ? slash + 1 : r->path);
    const char *dot = os_memrchr(stem.data, '.', stem.len);

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
        (!job_key_seen(&job_root_keys, seen, "endpoints") ||
         (!r->job->endpoint_count && !r->text.faults->count))) {
        job_text_fault(&r->text, root, "E-CFG4", "the job has no \"endpoints\"");
    }
    if (!job_key_seen(&job_root_keys, seen, "every") &&
        (job_key_seen(&job_root_keys, seen, "count") ||
         job_key_seen(&job_root_keys, seen, "until"))) {
        job_text_fault(&r->text, root, "E-CFG4", "\"count\" and \"until\" want \"every\"");
    }
    job_lay_vars(r);
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

static enum result parse(struct job_reader *r, struct str text, const struct job_given *given,
                         struct job_faults *faults, struct err *err)
{
    const struct clock clock = clock_system();
    enum result result;

    job_init(r->job);
    r->job->secrets.env_file = r->path ? env_file_beside(r->path) : NULL;
    r->job->secrets.env_find = env_file_find;
    r->given = given;
    r->wall_us = given && given->wall_us ? *given->wall_us : clock_wall_us(&clock);
    if (given && given->base) {
        r->job->base = str_dup(str_view(given->base));
        if (!r->job->base) {
            return err_nomem(err, "reading the job");
        }
    }
    result = read_text(r, text, faults, err);
    return result == RESULT_INVALID ? err_set(err, result, "E-CFG2", "%s: %zu mistake%s", r->path,
                                              faults->count, units_plural(faults->count))
                                    : result;
}

enum result job_file_parse(struct job *job, struct str text, const char *path,
                           const struct job_given *given, struct job_faults *faults,
                           struct err *err)
{
    struct job_reader r = { .job = job, .path = path, .read_more = job_read_login_key };

    return parse(&r, text, given, faults, err);
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
    enum result result;
    struct stat st;

    if (fd < 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", path);
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        result = err_set(err, RESULT_INVALID, "E-IN2", "%s is not a regular file", path);
    } else {
        result = read_all(fd, text);
        if (result == RESULT_IO) {
            err_set_errno(err, errno, "E-IN2", "cannot read %s", path);
        }
    }
    close(fd);
    if (result == RESULT_LIMIT) {
        return err_set(err, result, "E-CFG2", "%s is over %d bytes", path, JOB_TEXT_MAX);
    }
    return result == RESULT_NOMEM ? err_nomem(err, "reading the job") : result;
}

static enum result read_file(struct job_reader *r, const struct job_given *given,
                             struct job_faults *faults, struct err *err)
{
    struct buf text;
    enum result result;

    faults->count = 0;
    buf_init(&text, JOB_TEXT_MAX);
    result = job_file_load(r->path, &text, err);
    if (result == RESULT_OK) {
        result = parse(r, buf_view(&text), given, faults, err);
    }
    if (text.data) {
        os_wipe(text.data, text.cap);
    }
    buf_release(&text);
    return result;
}

enum result job_file_read(struct job *job, const char *path, const struct job_given *given,
                          struct job_faults *faults, struct err *err)
{
    struct job_reader r = { .job = job, .path = path, .read_more = job_read_login_key };

    return read_file(&r, given, faults, err);
}

enum result job_file_read_without_secrets(struct job *job, const char *path,
                                          struct job_faults *faults, struct err *err)
{
    struct job_reader r = {
        .job = job, .path = path, .read_more = job_read_login_key, .skips_secrets = true
    };

    return read_file(&r, NULL, faults, err);
}
