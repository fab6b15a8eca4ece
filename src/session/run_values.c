#include "session/run_values.h"

#include "base/say.h"
#include "job/var_file.h"

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

enum result run_values_settle(const struct run_dir *dir, struct job *job, struct err *err)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < job->var_count && result == RESULT_OK; i++) {
        struct job_var *var = &job->vars[i];
        char name[NAME_SIZE];

        if (!is_stdin(var)) {
            continue;
        }
        name_of(i, name);
        if (dir->fresh) {
            result = run_dir_replace(dir, name, buf_view(&var->piped), err);
        } else if (!var->piped.len) {
            result = take_back(dir, name, var, err);
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
