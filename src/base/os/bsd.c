/* macOS and FreeBSD. Written after their manuals; never run. */
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/event.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <unistd.h>
#ifdef __APPLE__
#include <libproc.h>
#include <pthread.h>
#include <sys/proc.h>
#else
#include <sys/procctl.h>
#include <sys/rtprio.h>
#include <sys/thr.h>
#include <sys/user.h>
#endif

static int close_on_exec(int fd)
{
    if (fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        int why = errno;

        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

/* Apple's fsync leaves bytes in the disk's own memory: fcntl(2). File systems that lack it have fsync only. */
int os_fdatasync(int fd)
{
#ifdef __APPLE__
    return fcntl(fd, F_FULLFSYNC) == 0 ? 0 : fsync(fd);
#else
    return fdatasync(fd);
#endif
}

int os_fsync(int fd)
{
#ifdef __APPLE__
    return os_fdatasync(fd);
#else
    return fsync(fd);
#endif
}

int os_reserve(int fd, uint64_t bytes)
{
#ifdef __APPLE__
    fstore_t store = { F_ALLOCATEALL, F_PEOFPOSMODE, 0, (off_t)bytes, 0 };

    return fcntl(fd, F_PREALLOCATE, &store) == 0 ? ftruncate(fd, (off_t)bytes) : -1;
#else
    errno = posix_fallocate(fd, 0, (off_t)bytes); /* ZFS refuses, and does not write zeros */
    return errno ? -1 : 0;
#endif
}

void os_start_writeback(int fd, uint64_t offset, uint64_t bytes)
{
    (void)fd;
    (void)offset;
    (void)bytes;
}

/* flock's locks belong to the open file, as wanted; there are no others of that kind here. */
int os_lock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB);
}

int os_is_locked(int fd)
{
    if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
        flock(fd, LOCK_UN);
        return 0;
    }
    return errno == EWOULDBLOCK ? 1 : -1;
}

#ifdef __APPLE__
int os_rename_new(const char *from, const char *to)
{
    return renamex_np(from, to, RENAME_EXCL);
}
#else
/* A directory of that name is made first: who makes it has the name, and rename replaces an empty one. */
int os_rename_new(const char *from, const char *to)
{
    struct stat st;

    if (lstat(from, &st) != 0) {
        return -1;
    }
    if (!S_ISDIR(st.st_mode)) {
        return link(from, to) == 0 ? unlink(from) : -1;
    }
    return mkdir(to, 0700) == 0 ? rename(from, to) : -1;
}
#endif

int os_tmpfile(const char *directory)
{
    char path[PATH_MAX];
    int fd;

    if (snprintf(path, sizeof path, "%s/scrapetop.XXXXXX", directory) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) {
        unlink(path);
    }
    return fd;
}

int os_memfd(const char *name)
{
#ifdef __APPLE__
    (void)name;
    return os_tmpfile("/tmp");
#else
    return memfd_create(name, MFD_CLOEXEC);
#endif
}

#ifdef __APPLE__
bool os_path_of(int fd, char *path, size_t size)
{
    char found[PATH_MAX];

    if (fcntl(fd, F_GETPATH, found) != 0 || strlen(found) >= size) {
        return false;
    }
    memcpy(path, found, strlen(found) + 1);
    return true;
}
#else
bool os_path_of(int fd, char *path, size_t size)
{
    struct kinfo_file file = { .kf_structsize = sizeof file };

    if (fcntl(fd, F_KINFO, &file) != 0 || file.kf_path[0] != '/' || strlen(file.kf_path) >= size) {
        return false;
    }
    memcpy(path, file.kf_path, strlen(file.kf_path) + 1);
    return true;
}
#endif

int64_t os_modified_us(const struct stat *st)
{
#ifdef __APPLE__
    struct timespec at = st->st_mtimespec;
#else
    struct timespec at = st->st_mtim;
#endif

    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

int os_pipe(int ends[2])
{
#ifdef __APPLE__
    if (pipe(ends) != 0) {
        return -1;
    }
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
#else
    return pipe2(ends, O_CLOEXEC);
#endif
}

int os_socket(int family, int type, int protocol)
{
    return close_on_exec(socket(family, type, protocol));
}

int os_socket_pair(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        return -1;
    }
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
}

int os_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int os_dup2(int from, int to)
{
    return dup2(from, to) < 0 ? -1 : close_on_exec(to);
}

/* The program ignores SIGPIPE as a whole; macOS has no flag for one call. */
ssize_t os_send(int fd, const void *bytes, size_t len, bool may_wait)
{
    int flags = may_wait ? 0 : MSG_DONTWAIT;

#ifdef MSG_NOSIGNAL
    flags |= MSG_NOSIGNAL;
#endif
    return send(fd, bytes, len, flags);
}

bool os_peer_user(int fd, uid_t *user)
{
    gid_t group;

    return getpeereid(fd, user, &group) == 0;
}

int os_poll(struct pollfd *fds, size_t count, const struct timespec *time)
{
    long ms =
        time->tv_sec > 1000 ? 1000000 : time->tv_sec * 1000 + (time->tv_nsec + 999999) / 1000000;

    return poll(fds, (nfds_t)count, (int)ms);
}

int os_watch_open(void)
{
    return close_on_exec(kqueue());
}

/* The tag does not fit beside the descriptor: a 64-bit pointer holds it. */
_Static_assert(sizeof(void *) >= sizeof(uint64_t), "a tag is kept where kqueue keeps a pointer");

static int want(int watch, int fd, uint64_t tag, bool to_read, bool to_write)
{
    struct kevent changes[2], told[2];
    const struct timespec no_time = { 0, 0 };
    void *kept = (void *)(uintptr_t)tag;
    int count;

    EV_SET(&changes[0], (uintptr_t)fd, EVFILT_READ, (to_read ? EV_ADD : EV_DELETE) | EV_RECEIPT, 0,
           0, kept);
    EV_SET(&changes[1], (uintptr_t)fd, EVFILT_WRITE, (to_write ? EV_ADD : EV_DELETE) | EV_RECEIPT,
           0, 0, kept);
    count = kevent(watch, changes, 2, told, 2, &no_time);
    for (int i = 0; i < count; i++) {
        if (told[i].data != 0 && told[i].data != ENOENT) { /* what was not in need not go */
            errno = (int)told[i].data;
            return -1;
        }
    }
    return count < 0 ? -1 : 0;
}

int os_watch_add(int watch, int fd, uint64_t tag, bool to_read, bool to_write)
{
    return want(watch, fd, tag, to_read, to_write);
}

int os_watch_change(int watch, int fd, uint64_t tag, bool to_read, bool to_write)
{
    return want(watch, fd, tag, to_read, to_write);
}

void os_watch_stop(int watch, int fd)
{
    (void)want(watch, fd, 0, false, false);
}

#define READY_AT_ONCE 256

int os_watch_ready(int watch, struct os_ready *ready, int max)
{
    struct kevent events[READY_AT_ONCE];
    const struct timespec no_time = { 0, 0 };
    int count = kevent(watch, NULL, 0, events, max < READY_AT_ONCE ? max : READY_AT_ONCE, &no_time);

    for (int i = 0; i < count; i++) {
        ready[i] =
            (struct os_ready){ (uint64_t)(uintptr_t)events[i].udata,
                               events[i].filter == EVFILT_READ, events[i].filter == EVFILT_WRITE };
    }
    return count;
}

void os_set_thread_idle(void)
{
#ifdef __APPLE__
    (void)pthread_set_qos_class_self_np(QOS_CLASS_BACKGROUND, 0);
#else
    struct rtprio idle = { RTP_PRIO_IDLE, 0 };
    long self;

    if (thr_self(&self) == 0) {
        (void)rtprio_thread(RTP_SET, (lwpid_t)self, &idle);
    }
#endif
}

/* On macOS another process needs the user's word, or root, in any case. */
void os_set_dumpable(bool may)
{
#ifdef __APPLE__
    (void)may;
#else
    int trace = may ? PROC_TRACE_CTL_ENABLE : PROC_TRACE_CTL_DISABLE;

    (void)procctl(P_PID, getpid(), PROC_TRACE_CTL, &trace);
#endif
}

bool os_is_stopped(pid_t process)
{
#ifdef __APPLE__
    struct proc_bsdinfo info;

    return proc_pidinfo(process, PROC_PIDTBSDINFO, 0, &info, sizeof info) == sizeof info &&
           info.pbi_status == SSTOP;
#else
    int which[] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)process };
    struct kinfo_proc info;
    size_t size = sizeof info;

    return sysctl(which, 4, &info, &size, NULL, 0) == 0 && size == sizeof info &&
           info.ki_stat == SSTOP;
#endif
}

void os_set_heap(size_t block, size_t kept)
{
    (void)block; /* both do so by themselves */
    (void)kept;
}

/* Every Mac with an ARM processor has them. */
bool os_cpu_has_crc32(void)
{
#if defined(__APPLE__) && defined(__aarch64__)
    return true;
#else
    return false;
#endif
}

/* CLOCK_MONOTONIC of macOS counts sleep; FreeBSD's does not, and has no other before 14. */
uint64_t os_uptime_us(void)
{
    struct timespec ts;

#ifdef CLOCK_BOOTTIME
    clock_gettime(CLOCK_BOOTTIME, &ts);
#else
    clock_gettime(CLOCK_MONOTONIC, &ts);
#endif
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* When it was: nearly as good as a random number. */
uint64_t os_boot_id(void)
{
    struct timeval began;
    size_t size = sizeof began;

    return sysctlbyname("kern.boottime", &began, &size, NULL, 0) == 0
               ? (uint64_t)began.tv_sec * 1000000 + (uint64_t)began.tv_usec
               : 0;
}

bool os_random(void *bytes, size_t len)
{
    arc4random_buf(bytes, len);
    return true;
}

void os_wipe(void *bytes, size_t len)
{
#ifdef __APPLE__
    memset_s(bytes, len, 0, len);
#else
    explicit_bzero(bytes, len);
#endif
}

const char *os_memrchr(const char *bytes, char byte, size_t len)
{
    while (len && bytes[len - 1] != byte) {
        len--;
    }
    return len ? bytes + len - 1 : NULL;
}
