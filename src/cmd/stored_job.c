#include "cmd/stored_job.h"

#include <stdio.h>
#include <unistd.h>

#define JOB_FILE "job.json"

typedef enum result read_fn(struct job *job, struct str text, const char *where, struct err *err);

static enum result read_by(read_fn *read, const struct run_dir *dir, struct job *job,
                           struct err *err)
{
    char where[4096];
    struct buf text = { 0 };
    enum result result = run_dir_read(dir, JOB_FILE, JOB_TEXT_MAX, &text, err);

    if (result == RESULT_OK) {
        snprintf(where, sizeof where, "%s/" JOB_FILE, dir->path);
        job_init(job);
        result = read(job, buf_view(&text), where, err);
        if (result != RESULT_OK) {
            job_release(job);
        }
    }
    buf_release(&text);
    return result;
}

enum result stored_job_read(const struct run_dir *dir, struct job *job, struct err *err)
{
    return read_by(job_read, dir, job, err);
}

enum result stored_job_read_without_secrets(const struct run_dir *dir, struct job *job,
                                            struct err *err)
{
    return read_by(job_read_without_secrets, dir, job, err);
}

enum result stored_job_write(const struct run_dir *dir, const struct job *job, struct err *err)
{
    struct buf text = { 0 };
    enum result result = job_write(job, &text, err);

    if (result == RESULT_OK) {
        result = run_dir_replace(dir, JOB_FILE, buf_view(&text), err);
    }
    buf_release(&text);
    return result;
}

bool stored_job_is_in(const char *path)
{
    char where[4096];

    return snprintf(where, sizeof where, "%s/" JOB_FILE, path) < (int)sizeof where &&
           access(where, F_OK) == 0;
}
