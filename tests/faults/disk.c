/* The disk as the fault tests want it: slow, watched, failing at a chosen call.
 *
 * The driver's own functions take the place of the C library's for everything in the process, SQLite
 * too. What is to happen stands in the environment:
 *
 *   DISK_SLOW_US=N     a write to a segment comes in two halves with a pause between them, so that
 *                      lines tear; a sync takes its time before it does anything
 *   DISK_KILL_AT=N     SIGKILL in place of the N-th call that changes the disk
 *   DISK_FAIL_SYNC=N   the N-th sync of a file fails with EIO, and does nothing
 *   DISK_LOG=FILE      a line "CALL NAME SIZE" for every such call that was made and succeeded, "failed
 *                      NAME 0" for the sync that was made to fail. SIZE is the file's before the call,
 *                      for a sync what survives if the power fails from now on. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Large-file names, which SQLite calls; here they are the same functions. */
ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t offset);
int ftruncate64(int fd, off_t size);

static atomic_long calls, syncs;

static long setting(const char *name)
{
    const char *text = getenv(name);

    return text ? strtol(text, NULL, 10) : 0;
}

static void pause_a_little(void)
{
    struct timespec pause = { .tv_nsec = setting("DISK_SLOW_US") * 1000 };

    if (pause.tv_nsec) {
        nanosleep(&pause, NULL);
    }
}

/* The file's name without its directory. */
static void name_of(int fd, char name[256])
{
    char link[64], target[4096];
    const char *slash;
    ssize_t len;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink(link, target, sizeof target - 1);
    target[len > 0 ? len : 0] = '\0';
    slash = strrchr(target, '/');
    snprintf(name, 256, "%s", slash ? slash + 1 : target);
}

static void log_call(const char *call, const char *name, long long size)
{
    const char *path = getenv("DISK_LOG");
    char line[320];
    int len, fd;

    if (!path) {
        return;
    }
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    len = snprintf(line, sizeof line, "%s %s %lld\n", call, name, size);
    if (fd < 0 || syscall(SYS_write, fd, line, (size_t)len) != len) {
        abort();
    }
    close(fd);
}

/* A call that changes the disk is about to be made. */
static void count_call(void)
{
    if (atomic_fetch_add(&calls, 1) + 1 == setting("DISK_KILL_AT")) {
        raise(SIGKILL);
    }
}

/* The same for one on a descriptor; false when that is no file (an eventfd, a pipe). */
static bool count_fd(int fd, char name[256], long long *size)
{
    struct stat st;

    if (fstat(fd, &st) || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))) {
        return false;
    }
    *size = (long long)st.st_size;
    name_of(fd, name);
    count_call();
    return true;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    char name[256];
    long long size;
    ssize_t put;

    if (!count_fd(fd, name, &size)) {
        return syscall(SYS_write, fd, bytes, len);
    }
    if (setting("DISK_SLOW_US") && len > 1 && strstr(name, ".jsonl")) {
        len /= 2; /* a short write: the rest is asked for again */
    }
    put = syscall(SYS_write, fd, bytes, len);
    if (put > 0) {
        log_call("write", name, size);
        pause_a_little();
    }
    return put;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t offset)
{
    char name[256];
    long long size;
    bool counted = count_fd(fd, name, &size);
    ssize_t put = syscall(SYS_pwrite64, fd, bytes, len, offset);

    if (counted && put > 0) {
        log_call("write", name, size);
    }
    return put;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    return pwrite64(fd, bytes, len, offset);
}

static int sync_file(int fd, long number)
{
    char name[256];
    long long size;
    int result;

    if (!count_fd(fd, name, &size)) {
        return (int)syscall(number, fd);
    }
    pause_a_little();
    if (atomic_fetch_add(&syncs, 1) + 1 == setting("DISK_FAIL_SYNC")) {
        log_call("failed", name, 0);
        errno = EIO;
        return -1;
    }
    result = (int)syscall(number, fd);
    if (!result) {
        log_call("sync", name, size);
    }
    return result;
}

int fdatasync(int fd)
{
    return sync_file(fd, SYS_fdatasync);
}

int fsync(int fd)
{
    return sync_file(fd, SYS_fsync);
}

int ftruncate64(int fd, off_t size)
{
    char name[256];
    long long before;
    bool counted = count_fd(fd, name, &before);
    int result = (int)syscall(SYS_ftruncate, fd, size);

    if (counted && !result) {
        log_call("truncate", name, (long long)size);
    }
    return result;
}

int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

int unlink(const char *path)
{
    const char *slash = strrchr(path, '/');
    int result;

    count_call();
    result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (!result) {
        log_call("unlink", slash ? slash + 1 : path, 0);
    }
    return result;
}

int unlinkat(int dir, const char *path, int flags)
{
    count_call();
    return (int)syscall(SYS_unlinkat, dir, path, flags);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
    count_call();
    return (int)syscall(SYS_fallocate, fd, mode, offset, len);
}

int mkdir(const char *path, mode_t mode)
{
    count_call();
    return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
    count_call();
    return (int)syscall(SYS_mkdirat, dir, path, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list args;

    if (flags & O_CREAT) {
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
        count_call();
    }
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}
