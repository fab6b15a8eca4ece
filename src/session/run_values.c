#include "session/run_values.h"

#include "base/crc32c.h"
#include "base/say.h"
#include "job/var_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME_SIZE 32

static bool is_stdin(const struct job_var *var)
{
    return var->kind == JOB_VAR_FILE && strcmp(var->text, "-") == 0;
}

/* Of lists and variables. */
static size_t count_readers(const struct job *job)
{
    size_t count = 0;

    for (size_t i = 0; i < job->var_count; i++) {
        count += is_stdin(&job->vars[i]);
    }
    for (size_t e = 0; count && e < job->endpoint_count; e++) {
        for (size_t i = 0; i < job->endpoints[e].source_count; i++) {
            const struct job_source *source = &job->endpoints[e].sources[i];

            count += source->kind == JOB_SOURCE_LIST && strcmp(source->text, "-") == 0;
        }
    }
    return count;
}

enum result run_values_read(struct job *job, struct err *err)
{
    enum result result = RESULT_OK;

    if (count_readers(job) > 1) {
        return err_set(err, RESULT_INVALID, "E-ARG9", "stdin can be read only once");
    }
    for (size_t i = 0; i < job->var_count && result == RESULT_OK; i++) {
        struct job_var *var = &job->vars[i];

        if (!is_stdin(var)) {
            continue;
        }
        if (isatty(STDIN_FILENO)) {
            say(stderr,
                "scrapetop: type the values of \"%s\"; Ctrl-D on a line of its own ends them",
                var->name);
        }
        result = var_file_read(STDIN_FILENO, "stdin", &var->piped, err);
    }
    return result;
}

static void name_of(size_t var, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, RUN_DIR_VALUES_PREFIX "%zu", var + 1);
}

/* The file as it was looked at a moment ago: the run goes by it though it changes. */
static enum result copy_in(const struct run_dir *dir, const char *name, const struct job_var *var,
                           struct err *err)
{
    struct buf text = { .max = 0 };
    int fd = open(var->text, O_RDONLY | O_CLOEXEC);
    enum result result;

    if (fd < 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot open %s", var->text);
    }
    result = var_file_read(fd, var->text, &text, err);
    close(fd);
    if (result == RESULT_OK && var->has_crc32c && crc32c(0, text.data, text.len) != var->crc32c) {
        result =
            err_set(err, RESULT_INVALID, "E-IN5",
                    "%s was changed while it was being read: give the command again", var->text);
    }
    if (result == RESULT_OK) {
        result = run_dir_replace(dir, name, buf_view(&text), err);
    }
    buf_release(&text);
    return result;
}

static bool has_copy(const struct run_dir *dir, const char *name)
{
    return faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static enum result take_back(const struct run_dir *dir, const char *name, struct job_var *var,
                             struct err *err)
{
    int fd;
    enum result result = run_dir_open_file(dir, name, O_RDONLY, &fd, err);

    if (result == RESULT_OK) {
        result = var_file_read(fd, name, &var->piped, err);
        close(fd);
    }
    return result;
}

enum result run_values_keep(const struct run_dir *dir, const struct job *job, const char *ending,
                            struct buf *names, struct err *err)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < job->var_count && result == RESULT_OK; i++) {
        const struct job_var *var = &job->vars[i];
        char name[NAME_SIZE], full[2 * NAME_SIZE];

        if (var->kind != JOB_VAR_FILE) {
            continue;
        }
        name_of(i, name);
        snprintf(full, sizeof full, "%s%s", name, ending);
        result = is_stdin(var) ? run_dir_replace(dir, full, buf_view(&var->piped), err)
                               : copy_in(dir, full, var, err);
        if (result == RESULT_OK && names && buf_printf(names, " %s", name) != RESULT_OK) {
            result = err_nomem(err, "keeping values");
        }
    }
    return result;
}

enum result run_values_take_back(const struct run_dir *dir, struct job *job, bool *all,
                                 struct err *err)
{
    enum result result = RESULT_OK;

    *all = true;
    for (size_t i = 0; i < job->var_count && result == RESULT_OK; i++) {
        struct job_var *var = &job->vars[i];
        char name[NAME_SIZE];

        name_of(i, name);
        if (var->kind != JOB_VAR_FILE || var->piped.len) {
            continue;
        }
        if (is_stdin(var) || has_copy(dir, name)) {
            result = take_back(dir, name, var, err);
        } else {
            *all = false;
        }
    }
    return result;
}

bool run_values_are_piped(const struct job *job)
{
    for (size_t i = 0; i < job->var_count; i++) {
        if (is_stdin(&job->vars[i])) {
            return true;
        }
    }
    return false;
}
