#include "engine/descriptors.h"

#include "base/os.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define SPARE_FILES 64 /* for the store, tables and lists */

unsigned descriptors_max(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > UINT32_MAX) {
        return UINT32_MAX;
    }
    return (unsigned)limit.rlim_cur;
}

unsigned descriptors_in_use(void)
{
    /* The kernel gives the lowest free number: a new one tells about how many are in use. */
    int fd = dup(STDERR_FILENO);

    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0 ? (unsigned)fd : 0;
}

unsigned descriptors_for_connections(void)
{
    unsigned all = descriptors_max(), kept = descriptors_in_use() + SPARE_FILES;

    return all > 2 * kept ? all - kept : all / 2;
}

/* Descriptors are cheap, a soft limit of 1024 is a default of the login shell. */
void descriptors_raise(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit); /* without it we learn from EMFILE */
    }
}

#define DESCRIPTORS_WIDE 16384 /* 128 KiB of the kernel's memory */

/* The kernel has a table of them for each process, which doubles as they come. With threads it then waits until all
 * cores have let go of the old one (synchronize_rcu), 10 ms and more, in which the loop stands still: once in the
 * start of each run, and again while thousands of connections are made. Without threads it waits for nobody. */
void descriptors_widen(void)
{
    unsigned max = descriptors_max();
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC,
                   (int)(max < DESCRIPTORS_WIDE ? max : DESCRIPTORS_WIDE) - 1);

    if (fd >= 0) {
        close(fd);
    }
}

/* A descriptor that was watched for a moment, for the sake of its number. */
struct reservation {
    uv_poll_t poll;
    int fd;
};

#define DESCRIPTORS_RESERVED 4096

static void on_reserved(uv_handle_t *handle)
{
    struct reservation *r = (struct reservation *)handle;

    close(r->fd);
    free(r);
}

static void on_never(uv_poll_t *poll, int status, int events)
{
    (void)poll;
    (void)status;
    (void)events;
}

/* libuv's table of watched descriptors grows as they come, and without memory for that libuv aborts the
 * process. So it is made as large as nearly every run needs, before anything is stored; beyond that,
 * fetch/multi_uv.c looks for memory first. */
void descriptors_reserve(uv_loop_t *loop)
{
    struct reservation *r = malloc(sizeof *r);
    struct rlimit limit;
    int ends[2];

    if (!r || getrlimit(RLIMIT_NOFILE, &limit) != 0 || os_pipe(ends) != 0) {
        free(r);
        return;
    }
    r->fd = fcntl(ends[0], F_DUPFD_CLOEXEC,
                  limit.rlim_cur < DESCRIPTORS_RESERVED ? (int)limit.rlim_cur - 1
                                                        : DESCRIPTORS_RESERVED - 1);
    close(ends[0]);
    close(ends[1]);
    if (r->fd < 0 || uv_poll_init(loop, &r->poll, r->fd) != 0) {
        if (r->fd >= 0) {
            close(r->fd);
        }
        free(r);
        return;
    }
    if (uv_poll_start(&r->poll, UV_READABLE, on_never) == 0) {
        uv_poll_stop(&r->poll);
    }
    uv_close((uv_handle_t *)&r->poll, on_reserved);
}
