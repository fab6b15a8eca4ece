/**
 * What systems do differently: one name for each call that Linux, macOS and the BSDs do not share.
 *
 * os/linux.c is what runs and is tested, with glibc; musl's headers take it, too. os/bsd.c has the same for macOS and
 * FreeBSD, and was never run there. A test refuses these systems' own names anywhere else in src and ui.
 *
 * Ownership  descriptors that are returned are the caller's, and closed on exec.
 * Errors     as system calls tell them: -1 and errno, unless said otherwise.
 * Threads    any.
 */
#ifndef SCRAPETOP_BASE_OS_H
#define SCRAPETOP_BASE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

struct pollfd;

/* --- the disk ------------------------------------------------------------------------------------------ */

/** As fdatasync: returns once the file's bytes and its length outlive a loss of power. */
int os_fdatasync(int fd);

/** As fsync: the same with all else that the system knows of the file; what a directory needs after a rename. */
int os_fsync(int fd);

/** Reserves so many bytes from the file's begin; never by writing zeros where the file system cannot. */
int os_reserve(int fd, uint64_t bytes);

/** A hint: these bytes are to go to the disk soon. */
void os_start_writeback(int fd, uint64_t offset, uint64_t bytes);

/** Locks the open file for this descriptor and its duplicates; only what comes through os_lock is kept out. EAGAIN or
 *  EACCES: another has it. */
int os_lock(int fd);

/** Whether another has the lock: 1 or 0. */
int os_is_locked(int fd);

/** As rename; EEXIST when `to` is there. */
int os_rename_new(const char *from, const char *to);

/** A file without a name in `directory`, to read and write. */
int os_tmpfile(const char *directory);

/** A file in memory, to read and write. `name` is for who debugs. */
int os_memfd(const char *name);

/** An absolute path without links to the open directory. False: the system does not know one. */
bool os_path_of(int fd, char *path, size_t size);

/** When the file was last written, in microseconds of wall time. */
int64_t os_modified_us(const struct stat *st);

/* --- descriptors --------------------------------------------------------------------------------------- */

int os_pipe(int ends[2]);
int os_socket(int family, int type, int protocol);
int os_socket_pair(int ends[2]); /* of the Unix kind, a stream */
int os_set_nonblocking(int fd);

/** `to` becomes a duplicate of `from`. */
int os_dup2(int from, int to);

/** Sends without SIGPIPE when the other end is closed, and without waiting if `may_wait` is false. */
ssize_t os_send(int fd, const void *bytes, size_t len, bool may_wait);

/** Who is at the other end of a Unix socket. */
bool os_peer_user(int fd, uid_t *user);

/** As poll, to the nanosecond where the system can; else no sooner. */
int os_poll(struct pollfd *fds, size_t count, const struct timespec *time);

/* One descriptor for many sockets: it can be read when one of them is ready. Level-triggered. */
struct os_ready {
    uint64_t tag;             /* as given with the socket */
    bool can_read, can_write; /* neither: an error or a hang-up */
};

int os_watch_open(void);

/** Puts the socket in, with what is wanted of it; one that is in is changed. */
int os_watch_add(int watch, int fd, uint64_t tag, bool to_read, bool to_write);

/** Changes what is wanted of one that is in. */
int os_watch_change(int watch, int fd, uint64_t tag, bool to_read, bool to_write);

void os_watch_stop(int watch, int fd);

/** How many are ready now, `max` at most; never waits. */
int os_watch_ready(int watch, struct os_ready *ready, int max);

/* --- processes and threads ----------------------------------------------------------------------------- */

/** From now on the calling thread runs only when no other wants to, as far as the system has that. */
void os_set_thread_idle(void);

/** Whether other processes of this user may read this one's memory, and whether a crash writes it to a file. */
void os_set_dumpable(bool may);

/** Whether the process is stopped (SIGSTOP). Safe in a signal handler and after fork. */
bool os_is_stopped(pid_t process);

/** Of the heap: blocks from `block` bytes on are mapped each by itself, and the system has them back
 *  when they are freed; of the others it has back what is free at the end, from `kept` bytes on. */
void os_set_heap(size_t block, size_t kept);

/** Whether this processor has the CRC32 instructions of ARMv8, of which only the system knows; false on any other. */
bool os_cpu_has_crc32(void);

/* --- time, chance, memory ------------------------------------------------------------------------------ */

/** Microseconds since the machine started, its sleep included. */
uint64_t os_uptime_us(void);

/** A number that each start of the machine changes; 0: unknown. */
uint64_t os_boot_id(void);

/** Random bytes; false: none are to be had, without waiting for them. */
bool os_random(void *bytes, size_t len);

/** Zeros that no compiler leaves out. */
void os_wipe(void *bytes, size_t len);

/** As memrchr: the last of `byte` in these bytes, or NULL. */
const char *os_memrchr(const char *bytes, char byte, size_t len);

#endif
