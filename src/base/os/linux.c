#include "base/os.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef __aarch64__
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1U /* linux/fs.h; musl has had it since 1.2.6 */
#endif

int os_fdatasync(int fd)
{
    return fdatasync(fd);
}

int os_fsync(int fd)
{
    return fsync(fd);
}

int os_reserve(int fd, uint64_t bytes)
{
    return fallocate(fd, 0, 0, (off_t)bytes);
}

void os_start_writeback(int fd, uint64_t offset, uint64_t bytes)
{
    (void)sync_file_range(fd, (off_t)offset, (off_t)bytes, SYNC_FILE_RANGE_WRITE);
}

static struct flock whole_file(void)
{
    return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

int os_lock(int fd)
{
    struct flock lock = whole_file();

    return fcntl(fd, F_OFD_SETLK, &lock);
}

int os_is_locked(int fd)
{
    struct flock lock = whole_file();

    return fcntl(fd, F_OFD_GETLK, &lock) ? -1 : lock.l_type != F_UNLCK;
}

/* By its number, as musl has no function for it yet. */
int os_rename_new(const char *from, const char *to)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int os_tmpfile(const char *directory)
{
    return open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

int os_memfd(const char *name)
{
    return memfd_create(name, MFD_CLOEXEC);
}

bool os_path_of(int fd, char *path, size_t size)
{
    char link[48];
    ssize_t len;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink(link, path, size - 1);
    path[len > 0 ? len : 0] = '\0';
    return path[0] == '/';
}

int64_t os_modified_us(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000;
}

int os_pipe(int ends[2])
{
    return pipe2(ends, O_CLOEXEC);
}

int os_socket(int family, int type, int protocol)
{
    return socket(family, type | SOCK_CLOEXEC, protocol);
}

int os_socket_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

int os_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int os_dup2(int from, int to)
{
    return dup3(from, to, O_CLOEXEC);
}

ssize_t os_send(int fd, const void *bytes, size_t len, bool may_wait)
{
    return send(fd, bytes, len, MSG_NOSIGNAL | (may_wait ? 0 : MSG_DONTWAIT));
}

bool os_peer_user(int fd, uid_t *user)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        return false;
    }
    *user = peer.uid;
    return true;
}

int os_poll(struct pollfd *fds, size_t count, const struct timespec *time)
{
    return ppoll(fds, count, time, NULL);
}

int os_watch_open(void)
{
    return epoll_create1(EPOLL_CLOEXEC);
}

static struct epoll_event event_of(uint64_t tag, bool to_read, bool to_write)
{
    return (struct epoll_event){
        .events = (to_read ? (uint32_t)EPOLLIN : 0) | (to_write ? (uint32_t)EPOLLOUT : 0),
        .data.u64 = tag,
    };
}

int os_watch_add(int watch, int fd, uint64_t tag, bool to_read, bool to_write)
{
    struct epoll_event event = event_of(tag, to_read, to_write);

    if (epoll_ctl(watch, EPOLL_CTL_ADD, fd, &event) == 0) {
        return 0;
    }
    return errno == EEXIST ? epoll_ctl(watch, EPOLL_CTL_MOD, fd, &event) : -1;
}

int os_watch_change(int watch, int fd, uint64_t tag, bool to_read, bool to_write)
{
    struct epoll_event event = event_of(tag, to_read, to_write);

    return epoll_ctl(watch, EPOLL_CTL_MOD, fd, &event);
}

void os_watch_stop(int watch, int fd)
{
    (void)epoll_ctl(watch, EPOLL_CTL_DEL, fd, NULL);
}

#define READY_AT_ONCE 256

int os_watch_ready(int watch, struct os_ready *ready, int max)
{
    struct epoll_event events[READY_AT_ONCE];
    int count = epoll_wait(watch, events, max < READY_AT_ONCE ? max : READY_AT_ONCE, 0);

    for (int i = 0; i < count; i++) {
        ready[i] = (struct os_ready){ events[i].data.u64, events[i].events & EPOLLIN,
                                      events[i].events & EPOLLOUT };
    }
    return count;
}

/* The system call itself: musl's function answers ENOSYS. For the kernel it concerns the calling thread. */
void os_set_thread_idle(void)
{
    struct sched_param param = { 0 };

    (void)syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &param);
}

void os_set_dumpable(bool may)
{
    (void)prctl(PR_SET_DUMPABLE, (unsigned long)may, 0, 0, 0);
}

/* Signal-safe decimal. */
static char *put_number(char *to, unsigned long number)
{
    char digits[24];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    while (count) {
        *to++ = digits[--count];
    }
    return to;
}

/* By the letter after the name in /proc/PID/stat. */
bool os_is_stopped(pid_t process)
{
    char text[512] = "/proc/";
    const char *state;
    ssize_t length;
    int fd;

    memcpy(put_number(text + sizeof "/proc/" - 1, (unsigned long)process), "/stat", sizeof "/stat");
    fd = open(text, O_RDONLY | O_CLOEXEC);
    length = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    text[length > 0 ? length : 0] = '\0';
    state = strrchr(text, ')');
    return state && state[1] == ' ' && state[2] == 'T';
}

void os_set_heap(size_t block, size_t kept)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, (int)block);
    mallopt(M_TRIM_THRESHOLD, (int)kept);
    /* What is freed is joined with its neighbours at once. Else that is put off until the program asks
     * for more than a KiB: libcurl does so for each request. */
    mallopt(M_MXFAST, 0);
#else
    (void)block; /* musl does so by itself, from 128 KiB on */
    (void)kept;
#endif
}

bool os_cpu_has_crc32(void)
{
#ifdef __aarch64__
    return getauxval(AT_HWCAP) & HWCAP_CRC32;
#else
    return false;
#endif
}

uint64_t os_uptime_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* "0d3ce1f6-a2b1-...": a random number, of which the first 64 bits do. */
uint64_t os_boot_id(void)
{
    char text[40] = "";
    uint64_t boot = 0;
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    size_t digits = 0;

    if (!file) {
        return 0;
    }
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    for (const char *at = text; *at && digits < 16; at++) {
        if (isxdigit((unsigned char)*at)) {
            unsigned low = (unsigned char)*at | 32U;

            boot = boot << 4 | (low <= '9' ? low - '0' : low - 'a' + 10);
            digits++;
        }
    }
    return digits == 16 ? boot : 0;
}

bool os_random(void *bytes, size_t len)
{
    return getrandom(bytes, len, GRND_NONBLOCK) == (ssize_t)len;
}

void os_wipe(void *bytes, size_t len)
{
    explicit_bzero(bytes, len);
}

const char *os_memrchr(const char *bytes, char byte, size_t len)
{
    return memrchr(bytes, byte, len);
}
