#include "session/run_lists.h"

#include "base/message.h"
#include "base/os.h"
#include "base/units.h"
#include "job/list.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE 32
#define TEMP_NAME "." RUN_DIR_LIST_PREFIX "new.tmp"

struct run_list_given {
    struct list *list;
    const char *path; /* the job's */
    uint64_t size, urls, checksum;
    bool has_lines;  /* good or bad ones */
    uint64_t begins; /* with the copy, which had so many URLs; 0: otherwise */
    bool is_changed; /* since the run began: it lies beside the copy, as "urls-N.txt.new" */
};

static enum result check(struct list *list, struct list_report *report, struct err *err)
{
    enum result result = list_check(list, report, err);

    for (size_t i = 0; result != RESULT_OK && i < report->bad && i < LIST_BAD_SHOWN; i++) {
        message_error(&report->errors[i]);
    }
    return result;
}

/* As far as it has come. */
static enum result check_given(struct run_list_given *given, struct err *err)
{
    struct list_report report;
    enum result result = check(given->list, &report, err);

    given->has_lines = report.urls || report.bad;
    given->size = report.size;
    given->urls = report.urls;
    given->checksum = report.checksum;
    return result;
}

/* "urls-2.txt", "urls-2.open". */
static void name_of(size_t number, const char *ending, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, RUN_DIR_LIST_PREFIX "%zu%s", number, ending);
}

/* Says, until it is removed, that the copy is not all of the list. */
static enum result mark_open(const struct run_dir *dir, const char *mark, struct err *err)
{
    int fd = openat(dir->fd, mark, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0) {
        return err_set_errno(err, errno, "E-DIR3", "%s: cannot write %s", dir->path, mark);
    }
    close(fd);
    return RESULT_OK; /* durable with the copy's own name */
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
    if (result == RESULT_OK && os_fsync(fd) != 0) {
        result = err_set_write(err, errno, "E-DIR3", "%s: cannot write %s", dir->path, name);
    }
    close(fd);
    if (result == RESULT_OK &&
        (renameat(dir->fd, TEMP_NAME, dir->fd, name) != 0 || os_fsync(dir->fd) != 0)) {
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

static bool is_marked(const struct run_dir *dir, const char *mark)
{
    return faccessat(dir->fd, mark, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Of one that was open when its run stopped: it begins with what had come by then. */
static bool goes_on(const struct run_list_given *given, const struct run_dir *dir, const char *name,
                    const char *mark)
{
    struct stat st;
    bool does;
    int fd;

    if (!is_marked(dir, mark) || run_dir_open_file(dir, name, O_RDONLY, &fd, NULL) != RESULT_OK) {
        return false;
    }
    does = fstat(fd, &st) == 0 && list_begins_with(given->list, fd, (uint64_t)st.st_size);
    close(fd);
    return does;
}

/* The rest of a list that is still open. */
static enum result wait_for_rest(struct run_list_given *given, struct err *err)
{
    enum result result =
        list_is_open(given->list) ? list_read_on(given->list, true, err) : RESULT_NOT_FOUND;

    return result == RESULT_OK          ? check_given(given, err)
           : result == RESULT_NOT_FOUND ? RESULT_OK
                                        : result;
}

/* Lines have been added to it. */
static bool is_longer(const struct run_list_given *given, const struct run_dir *dir,
                      const char *name, const struct list_report *stored)
{
    bool is;
    char last = 0;
    int fd;

    if (!stored->size || given->size < stored->size ||
        run_dir_open_file(dir, name, O_RDONLY, &fd, NULL) != RESULT_OK) {
        return false;
    }
    is = pread(fd, &last, 1, (off_t)stored->size - 1) == 1 && last == '\n' &&
         list_begins_with(given->list, fd, stored->size);
    close(fd);
    return is;
}

/* The list of the command line against that copy. Another one is kept beside it until the run has taken it in. */
static enum result compare(const struct run_dir *dir, const char *name, const char *new_name,
                           struct run_list_given *given, struct err *err)
{
    struct list_report stored;
    enum result result = RESULT_NOT_FOUND;

    if (faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        result = read_copy(dir, name, &stored, err);
    }
    if (result == RESULT_NOT_FOUND || (result == RESULT_OK && !is_same(given, &stored))) {
        given->is_changed = true;
        given->begins =
            result == RESULT_OK && is_longer(given, dir, name, &stored) ? stored.urls : 0;
        result = copy_in(dir, new_name, given->list, err);
    }
    return result;
}

/* The run has begun: the rest is waited for, and the list is what it was or goes on from there. */
static enum result take_whole(struct run_list_given *given, const struct run_dir *dir,
                              const char *name, const char *new_name, const char *mark,
                              struct err *err)
{
    enum result result = wait_for_rest(given, err);

    if (result == RESULT_OK) {
        result = goes_on(given, dir, name, mark) ? copy_in(dir, name, given->list, err)
                                                 : compare(dir, name, new_name, given, err);
    }
    if (result == RESULT_OK && unlinkat(dir->fd, mark, 0) != 0 && errno != ENOENT) {
        result = err_set_errno(err, errno, "E-DIR3", "%s: cannot remove %s", dir->path, mark);
    }
    return result;
}

/* The copy of what has come, and where the rest goes. */
static enum result take_begun(struct run_lists *lists, const struct run_list_given *given,
                              const struct run_dir *dir, const char *name, const char *mark,
                              struct err *err)
{
    struct feed_source *feed = &lists->feed;
    bool is_open = list_is_open(given->list);
    enum result result = is_open ? mark_open(dir, mark, err) : RESULT_OK;

    if (result == RESULT_OK) {
        result = copy_in(dir, name, given->list, err);
    }
    if (result != RESULT_OK || !is_open) {
        return result;
    }
    result = run_dir_open_file(dir, name, O_WRONLY | O_APPEND, &feed->copy_fd, err);
    if (result == RESULT_OK) {
        feed->is_used = true;
        feed->name = strcmp(given->path, "-") == 0 ? "stdin" : given->path;
        feed->size = given->size;
        snprintf(feed->mark, sizeof feed->mark, "%s", mark);
        feed->pipe_fd = list_give_pipe(given->list, &feed->begun);
    }
    return result;
}

static enum result open_one(struct run_lists *lists, const struct run_dir *dir, struct err *err)
{
    char name[NAME_SIZE], new_name[NAME_SIZE], mark[NAME_SIZE];
    const char *used = name;
    enum result result = RESULT_OK;

    name_of(lists->opened + 1, ".txt", name);
    name_of(lists->opened + 1, ".txt" RUN_DIR_NEW, new_name);
    name_of(lists->opened + 1, ".open", mark);
    if (lists->given) {
        struct run_list_given *given = &lists->given[lists->opened];

        result = dir->fresh ? take_begun(lists, given, dir, name, mark, err)
                            : take_whole(given, dir, name, new_name, mark, err);
        used = given->is_changed ? new_name : name;
        lists->have_changed |= given->is_changed;
    } else if (is_marked(dir, mark)) {
        message_warning("W-IN1",
                        "the list had not ended when the run stopped: this goes on with what has "
                        "come; give the list again, as at first, to go on with the rest");
    }
    if (result == RESULT_OK) {
        result = run_dir_open_file(dir, used, O_RDONLY, &lists->fds[lists->opened], err);
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

/* The last source of all, and asked once: numbers after it would move. */
static bool may_stay_open(const struct job *job, size_t endpoint, size_t source)
{
    return endpoint + 1 == job->endpoint_count &&
           source + 1 == job->endpoints[endpoint].source_count &&
           job->endpoints[endpoint].pages.kind == JOB_PAGES_NONE && !job->poll.every_us;
}

static enum result check_one(struct run_list_given *given, const char *path, bool may_be_open,
                             struct err *err)
{
    bool is_typed = strcmp(path, "-") == 0 && isatty(STDIN_FILENO);
    enum result result = may_be_open && !is_typed ? list_open_begun(&given->list, path, err)
                                                  : list_open(&given->list, path, err);

    if (result != RESULT_OK) {
        given->list = NULL;
        return result;
    }
    given->path = path;
    result = check_given(given, err);
    while (result != RESULT_OK && list_is_open(given->list) && !given->has_lines) {
        result = list_read_on(given->list, false, err); /* comments only, so far */
        result = result == RESULT_OK ? check_given(given, err) : result;
    }
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
                result = check_one(&lists->given[lists->count++], source->text,
                                   may_stay_open(job, e, i), err);
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

enum result run_lists_open_before(const struct run_dir *dir, const struct job *job, int **fds,
                                  size_t *count, struct err *err)
{
    size_t wanted = count_lists(job);
    enum result result = RESULT_OK;

    *count = 0;
    *fds = calloc(wanted + 1, sizeof **fds);
    if (!*fds) {
        return err_nomem(err, "opening lists");
    }
    while (result == RESULT_OK && *count < wanted) {
        char name[NAME_SIZE];

        name_of(*count + 1, ".txt", name);
        result = run_dir_open_file(dir, name, O_RDONLY, &(*fds)[*count], err);
        *count += result == RESULT_OK;
    }
    return result;
}

uint64_t run_lists_same(const struct run_lists *lists)
{
    return lists->given && lists->opened == 1 ? lists->given[0].begins : 0;
}

enum result run_lists_name_changed(const struct run_lists *lists, struct buf *names)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; lists->given && i < lists->opened && result == RESULT_OK; i++) {
        char name[NAME_SIZE];

        name_of(i + 1, ".txt", name);
        result = lists->given[i].is_changed ? buf_printf(names, " %s", name) : RESULT_OK;
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

/* Which need not be waited for to its end. */
static bool begins_otherwise(const struct run_list_given *given, const struct run_dir *dir,
                             const char *name, uint64_t stored_size)
{
    uint64_t size = given->size < stored_size ? given->size : stored_size;
    bool otherwise;
    int fd;

    if (run_dir_open_file(dir, name, O_RDONLY, &fd, NULL) != RESULT_OK) {
        return true;
    }
    otherwise = !list_begins_with(given->list, fd, size);
    close(fd);
    return otherwise;
}

bool run_lists_piped_differ(const struct run_lists *lists, const struct job *job,
                            const struct run_dir *dir)
{
    bool differ = false;

    assert(lists->count == count_lists(job));
    for (size_t i = 0; i < lists->count && !differ; i++) {
        struct run_list_given *given = &lists->given[i];
        char name[NAME_SIZE], mark[NAME_SIZE];
        struct list_report stored;

        name_of(i + 1, ".txt", name);
        name_of(i + 1, ".open", mark);
        if (strcmp(given->path, "-") != 0 || read_copy(dir, name, &stored, NULL) != RESULT_OK) {
            continue;
        }
        differ = begins_otherwise(given, dir, name, stored.size) ||
                 wait_for_rest(given, NULL) != RESULT_OK ||
                 (!is_same(given, &stored) && !goes_on(given, dir, name, mark));
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
    feed_source_release(&lists->feed);
    free(lists->fds);
    free(lists->given);
    *lists = (struct run_lists){ 0 };
}
