/* The power-loss observer: notes, outside the run, how far every file of it was synced.
 *
 * The driver's own fdatasync takes the place of the C library's for everything in the process, SQLite
 * too. When POWER_LOG is set, each successful sync appends "NAME SIZE" to that file: the bytes that
 * would survive if the power failed from now on. The harness kills the driver and then takes the
 * rest away. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int fdatasync(int fd); /* unistd.h has it, but not as something to be defined */

static void note(int fd, long long size)
{
    const char *log = getenv("POWER_LOG");
    char link[64], target[4096], line[4160];
    const char *name;
    ssize_t len;
    int log_fd, line_len;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink(link, target, sizeof target - 1);
    target[len > 0 ? len : 0] = '\0';
    name = strrchr(target, '/');
    log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    line_len = snprintf(line, sizeof line, "%s %lld\n", name ? name + 1 : target, size);
    if (log_fd < 0 || write(log_fd, line, (size_t)line_len) != line_len) {
        abort();
    }
    close(log_fd);
}

int fdatasync(int fd)
{
    struct stat st = { .st_size = 0 };
    int result;

    /* The size first: what is written while the sync goes on may or may not be in it. */
    if (getenv("POWER_LOG") && fstat(fd, &st)) {
        abort();
    }
    result = (int)syscall(SYS_fdatasync, fd);
    if (!result && getenv("POWER_LOG")) {
        note(fd, (long long)st.st_size);
    }
    return result;
}
