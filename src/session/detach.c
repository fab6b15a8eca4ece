#include "session/detach.h"

#include "base/exit_code.h"
#include "base/os.h"
#include "base/say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Reads what the run says once it is under way: its directory. Empty: it has ended before. */
static size_t wait_for_run(int fd, char *path, size_t size)
{
    size_t len = 0;

    while (len + 1 < size) {
        ssize_t count = read(fd, path + len, size - 1 - len);

        if (count > 0) {
            len += (size_t)count;
        } else if (count == 0 || errno != EINTR) {
            break;
        }
    }
    path[len] = '\0';
    return len;
}

static int code_of(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return EXIT_INTERNAL;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_INTERNAL;
}

static int be_parent(pid_t pid, int fd)
{
    char path[PATH_MAX];
    struct buf word = { 0 };

    if (!wait_for_run(fd, path, sizeof path)) {
        return code_of(pid);
    }
    if (say_shell_word(&word, str_view(path)) == RESULT_OK) {
        say(stderr, "scrapetop: process %ld runs in the background", (long)pid);
        say(stderr, "scrapetop: come back: scrapetop attach %.*s", STR_ARG(buf_view(&word)));
        say(stderr, "scrapetop: its lines: %.*s/" DETACH_LOG, STR_ARG(buf_view(&word)));
    }
    buf_release(&word);
    return EXIT_WELL;
}

static void leave_terminal(bool keeps_stdin)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)setsid();
    if (null >= 0) {
        if (!keeps_stdin) {
            (void)dup2(null, STDIN_FILENO);
        }
        close(null);
    }
}

enum result detach_begin(struct detach *d, bool keeps_stdin, struct err *err)
{
    int ends[2];
    pid_t pid;

    *d = (struct detach){ .ready_fd = -1 };
    if (os_pipe(ends) != 0) {
        return err_set_errno(err, errno, "E-BG1", "cannot start in the background");
    }
    fflush(stdout);
    fflush(stderr);
    pid = fork();
    if (pid < 0) {
        int errnum = errno;

        close(ends[0]);
        close(ends[1]);
        return err_set_errno(err, errnum, "E-BG1", "cannot start in the background");
    }
    if (pid > 0) {
        close(ends[1]);
        d->is_parent = true;
        d->code = be_parent(pid, ends[0]);
        close(ends[0]);
        return RESULT_OK;
    }
    close(ends[0]);
    d->ready_fd = ends[1];
    leave_terminal(keeps_stdin);
    return RESULT_OK;
}

static void write_to_log(const struct run_dir *dir)
{
    int fd = -1;

    if (run_dir_open_file(dir, DETACH_LOG, O_WRONLY | O_CREAT | O_APPEND, &fd, NULL) != RESULT_OK) {
        fd = open("/dev/null", O_WRONLY | O_CLOEXEC); /* the terminal is not ours any more */
    }
    if (fd >= 0) {
        fflush(stdout);
        fflush(stderr);
        (void)dup2(fd, STDOUT_FILENO);
        (void)dup2(fd, STDERR_FILENO);
        close(fd);
    }
}

void detach_ready(struct detach *d, const struct run_dir *dir)
{
    char path[PATH_MAX];

    if (d->ready_fd < 0) {
        return;
    }
    write_to_log(dir);
    if (!realpath(dir->path, path)) {
        snprintf(path, sizeof path, "%s", dir->path);
    }
    (void)!write(d->ready_fd, path, strlen(path));
    close(d->ready_fd);
    d->ready_fd = -1;
}
