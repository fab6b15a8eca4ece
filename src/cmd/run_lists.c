#include "cmd/run_lists.h"

#include "cmd/cmd.h"
#include "job/list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NAME_SIZE 32
#define TEMP_NAME "." RUN_DIR_LIST_PREFIX "new.tmp"

static enum result check(struct list *list, struct list_report *report, struct err *err)
{
    enum result result = list_check(list, report, err);

    for (size_t i = 0; result != RESULT_OK && i < report->bad && i < LIST_BAD_SHOWN; i++) {
        cmd_print_error(&report->errors[i]);
    }
    return result;
}

static enum result copy_in(const struct run_dir *dir, const char *name, struct list *list,
                           struct err *err)
{
    int fd =
        openat(dir->fd, TEMP_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    enum result result;

    if (fd < 0) {
        return err_set_errno(err, errno, "E-DIR3", "%s: cannot write %s", dir->path, name);
    }
    result = list_copy(list, fd, err);
    if (result == RESULT_OK && fsync(fd) != 0) {
        result = err_set_errno(err, errno, "E-DIR3", "%s: cannot write %s", dir->path, name);
    }
    close(fd);
    if (result == RESULT_OK &&
        (renameat(dir->fd, TEMP_NAME, dir->fd, name) != 0 || fsync(dir->fd) != 0)) {
        result = err_set_errno(err, errno, "E-DIR3", "%s: cannot write %s", dir->path, name);
    }
    return result;
}

static enum result open_copy(const struct run_dir *dir, const char *name, int *fd, struct err *err)
{
    *fd = openat(dir->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return *fd >= 0 ? RESULT_OK
                    : err_set_errno(err, errno, "E-DIR3", "%s: cannot read %s", dir->path, name);
}

/* The list of the command line against the copy that the run began with. */
static enum result compare(const struct run_dir *dir, const char *name, const char *path,
                           const struct list_report *given, struct err *err)
{
    struct list_report stored;
    struct list *copy;
    enum result result;
    int fd;

    result = open_copy(dir, name, &fd, err);
    if (result != RESULT_OK) {
        return result;
    }
    result = list_open_fd(&copy, fd, name, err);
    if (result == RESULT_OK) {
        result = check(copy, &stored, err);
        list_free(copy);
    }
    close(fd);
    if (result == RESULT_OK && (stored.size != given->size || stored.checksum != given->checksum)) {
        result =
            err_set(err, RESULT_INVALID, "E-IN5",
                    "%s has changed since the run in %s began (%llu URLs then, %llu now); resume "
                    "with -o %s alone, or begin anew with --fresh",
                    path, dir->path, (unsigned long long)stored.urls,
                    (unsigned long long)given->urls, dir->path);
    }
    return result;
}

static enum result take_given(const struct run_dir *dir, const char *name, const char *path,
                              struct err *err)
{
    struct list_report report;
    struct list *list;
    enum result result = list_open(&list, path, err);

    if (result != RESULT_OK) {
        return result;
    }
    result = check(list, &report, err);
    if (result == RESULT_OK) {
        result =
            dir->fresh ? copy_in(dir, name, list, err) : compare(dir, name, path, &report, err);
    }
    list_free(list);
    return result;
}

static enum result open_one(struct run_lists *lists, const struct run_dir *dir, const char *path,
                            bool given, struct err *err)
{
    char name[NAME_SIZE];
    enum result result = RESULT_OK;

    snprintf(name, sizeof name, RUN_DIR_LIST_PREFIX "%zu.txt", lists->count + 1);
    if (given) {
        result = take_given(dir, name, path, err);
    }
    if (result == RESULT_OK) {
        result = open_copy(dir, name, &lists->fds[lists->count], err);
    }
    lists->count += result == RESULT_OK;
    return result;
}

enum result run_lists_open(struct run_lists *lists, const struct run_dir *dir,
                           const struct job *job, bool given, struct err *err)
{
    size_t sources = 0;

    for (size_t e = 0; e < job->endpoint_count; e++) {
        sources += job->endpoints[e].source_count;
    }
    *lists = (struct run_lists){ calloc(sources + 1, sizeof(int)), 0 };
    if (!lists->fds) {
        return err_nomem(err, "opening lists");
    }
    for (size_t e = 0; e < job->endpoint_count; e++) {
        for (size_t i = 0; i < job->endpoints[e].source_count; i++) {
            const struct job_source *source = &job->endpoints[e].sources[i];
            enum result result = RESULT_OK;

            if (source->kind == JOB_SOURCE_LIST) {
                result = open_one(lists, dir, source->text, given, err);
            }
            if (result != RESULT_OK) {
                run_lists_close(lists);
                return result;
            }
        }
    }
    return RESULT_OK;
}

void run_lists_close(struct run_lists *lists)
{
    for (size_t i = 0; i < lists->count; i++) {
        close(lists->fds[i]);
    }
    free(lists->fds);
    *lists = (struct run_lists){ 0 };
}
