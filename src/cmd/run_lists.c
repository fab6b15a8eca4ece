#include "cmd/run_lists.h"

#include "base/units.h"
#include "cmd/cmd.h"
#include "job/list.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_SIZE 32
#define TEMP_NAME "." RUN_DIR_LIST_PREFIX "new.tmp"

struct run_list_given {
    struct list *list;
    const char *path; /* the job's */
    uint64_t size, urls, checksum;
};

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
        return err_set_write(err, errno, "E-DIR3", "%s: cannot write %s", dir->path, name);
    }
    result = list_copy(list, fd, err);
    if (result == RESULT_OK && fsync(fd) != 0) {
        result = err_set_write(err, errno, "E-DIR3", "%s: cannot write %s", dir->path, name);
    }
    close(fd);
    if (result == RESULT_OK &&
        (renameat(dir->fd, TEMP_NAME, dir->fd, name) != 0 || fsync(dir->fd) != 0)) {
        result = err_set_write(err, errno, "E-DIR3", "%s: cannot write %s", dir->path, name);
    }
    return result;
}

/* The copy that the run began with. */
static enum result read_copy(const struct run_dir *dir, const char *name,
                             struct list_report *stored, struct err *err)
{
    struct list *copy;
    enum result result;
    int fd;

    result = run_dir_open_file(dir, name, O_RDONLY, &fd, err);
    if (result != RESULT_OK) {
        return result;
    }
    result = list_open_fd(&copy, fd, name, err);
    if (result == RESULT_OK) {
        result = check(copy, stored, err);
        list_free(copy);
    }
    close(fd);
    return result;
}

static bool is_same(const struct run_list_given *given, const struct list_report *stored)
{
    return stored->size == given->size && stored->checksum == given->checksum;
}

/* The list of the command line against that copy. */
static enum result compare(const struct run_dir *dir, const char *name,
                           const struct run_list_given *given, struct err *err)
{
    struct list_report stored;
    enum result result = read_copy(dir, name, &stored, err);

    if (result == RESULT_OK && !is_same(given, &stored)) {
        result =
            err_set(err, RESULT_INVALID, "E-IN5",
                    "%s has changed since the run in %s began (%llu URL%s then, %llu now); resume "
                    "with -o %s alone, or begin anew with --fresh",
                    given->path, dir->path, (unsigned long long)stored.urls,
                    units_plural(stored.urls), (unsigned long long)given->urls, dir->path);
    }
    return result;
}

static enum result open_one(struct run_lists *lists, const struct run_dir *dir, struct err *err)
{
    char name[NAME_SIZE];
    enum result result = RESULT_OK;

    snprintf(name, sizeof name, RUN_DIR_LIST_PREFIX "%zu.txt", lists->opened + 1);
    if (lists->given) {
        const struct run_list_given *given = &lists->given[lists->opened];

        result = dir->fresh ? copy_in(dir, name, given->list, err) : compare(dir, name, given, err);
    }
    if (result == RESULT_OK) {
        result = run_dir_open_file(dir, name, O_RDONLY, &lists->fds[lists->opened], err);
    }
    lists->opened += result == RESULT_OK;
    return result;
}

static size_t count_lists(const struct job *job)
{
    size_t count = 0;

    for (size_t e = 0; e < job->endpoint_count; e++) {
        for (size_t i = 0; i < job->endpoints[e].source_count; i++) {
            count += job->endpoints[e].sources[i].kind == JOB_SOURCE_LIST;
        }
    }
    return count;
}

static enum result check_one(struct run_list_given *given, const char *path, struct err *err)
{
    struct list_report report;
    enum result result = list_open(&given->list, path, err);

    if (result != RESULT_OK) {
        given->list = NULL;
        return result;
    }
    result = check(given->list, &report, err);
    given->path = path;
    given->size = report.size;
    given->urls = report.urls;
    given->checksum = report.checksum;
    return result;
}

enum result run_lists_check(struct run_lists *lists, const struct job *job, struct err *err)
{
    enum result result = RESULT_OK;

    lists->given = calloc(count_lists(job) + 1, sizeof *lists->given);
    if (!lists->given) {
        return err_nomem(err, "reading lists");
    }
    for (size_t e = 0; e < job->endpoint_count; e++) {
        for (size_t i = 0; i < job->endpoints[e].source_count && result == RESULT_OK; i++) {
            const struct job_source *source = &job->endpoints[e].sources[i];

            if (source->kind == JOB_SOURCE_LIST) {
                result = check_one(&lists->given[lists->count++], source->text, err);
            }
        }
    }
    return result;
}

enum result run_lists_open(struct run_lists *lists, const struct run_dir *dir,
                           const struct job *job, struct err *err)
{
    enum result result = RESULT_OK;

    lists->count = count_lists(job);
    lists->fds = calloc(lists->count + 1, sizeof *lists->fds);
    if (!lists->fds) {
        return err_nomem(err, "opening lists");
    }
    while (result == RESULT_OK && lists->opened < lists->count) {
        result = open_one(lists, dir, err);
    }
    return result;
}

bool run_lists_have_piped(const struct run_lists *lists)
{
    bool have = false;

    for (size_t i = 0; lists->given && i < lists->count; i++) {
        have |= strcmp(lists->given[i].path, "-") == 0;
    }
    return have;
}

bool run_lists_piped_differ(const struct run_lists *lists, const struct job *job,
                            const struct run_dir *dir)
{
    bool differ = false;

    assert(lists->count == count_lists(job));
    for (size_t i = 0; i < lists->count && !differ; i++) {
        struct list_report stored;
        char name[NAME_SIZE];

        snprintf(name, sizeof name, RUN_DIR_LIST_PREFIX "%zu.txt", i + 1);
        differ = strcmp(lists->given[i].path, "-") == 0 &&
                 read_copy(dir, name, &stored, NULL) == RESULT_OK &&
                 !is_same(&lists->given[i], &stored);
    }
    return differ;
}

void run_lists_close(struct run_lists *lists)
{
    for (size_t i = 0; i < lists->opened; i++) {
        close(lists->fds[i]);
    }
    for (size_t i = 0; lists->given && i < lists->count; i++) {
        list_free(lists->given[i].list);
    }
    free(lists->fds);
    free(lists->given);
    *lists = (struct run_lists){ 0 };
}
