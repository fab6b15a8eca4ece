#include "store/run_dir.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/parents.h"
#include "base/utf8.h"
#include "base/write_all.h"
#include "store/event_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "lock"
#define TEMP_SUFFIX ".tmp"
#define ASIDE_MAX 10000
#define LOCK_TRIES 100 /* for as often as somebody removes it between two calls */
#define FILE_MODE (S_IRUSR | S_IWUSR)

/* A copy without the slashes at its end: after "link/" O_NOFOLLOW would follow. */
static char *path_copy(const char *path)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    return str_dup((struct str){ path, len });
}

/* Makes the name of a directory that was created or renamed durable. */
static enum result sync_parent(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    struct str parent = { path, slash ? (size_t)(slash - path) : 0 };
    char *name = str_dup(!slash ? STR(".") : parent.len ? parent : STR("/"));
    enum result result = RESULT_OK;
    int fd;

    if (!name) {
        return err_nomem(err, "opening a run directory");
    }
    fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* A parent that may not be read cannot be synced, and need not be for us to go on. */
    if (fd >= 0 && os_fsync(fd) && errno != EINVAL) {
        result = err_set_errno(err, errno, "E-DIR1", "%s: cannot sync the directory", name);
    }
    if (fd >= 0) {
        close(fd);
    }
    free(name);
    return result;
}

static enum result open_directory(struct run_dir *dir, struct err *err)
{
    struct stat st;

    dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir->fd < 0) {
        int errnum = errno;

        if (!lstat(dir->path, &st) && S_ISLNK(st.st_mode)) {
            return err_set(err, RESULT_DENIED, "E-DIR1",
                           "%s is a symlink: name the directory that it points to", dir->path);
        }
        return err_set_errno(err, errnum, "E-DIR1", "%s: cannot open the run directory", dir->path);
    }
    if (fstat(dir->fd, &st)) {
        return err_set_errno(err, errno, "E-DIR1", "%s: cannot stat the run directory", dir->path);
    }
    if (st.st_uid != geteuid()) {
        return err_set(err, RESULT_DENIED, "E-DIR1",
                       "%s belongs to another user (uid %lu): refused", dir->path,
                       (unsigned long)st.st_uid);
    }
    if (st.st_mode & (S_IWGRP | S_IWOTH)) {
        return err_set(err, RESULT_DENIED, "E-DIR1",
                       "%s is writable by others (mode %04o): chmod go-w it first", dir->path,
                       (unsigned)(st.st_mode & 07777));
    }
    return RESULT_OK;
}

static bool name_is_ours(const char *name)
{
    static const char *const names[] = {
        ".",
        "..",
        "job.json",
        LOCK_NAME,
        RUN_DIR_LEDGER,
        "raw",
        "ballast",
        EVENT_LOG_NAME,
        EVENT_LOG_ASIDE,
        RUN_DIR_LEDGER "-wal",
        RUN_DIR_LEDGER "-shm",
        RUN_DIR_CONTROL,
        "run.log",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!strcmp(name, names[i])) {
            return true;
        }
    }
    if (!strncmp(name, RUN_DIR_LIST_PREFIX, strlen(RUN_DIR_LIST_PREFIX)) ||
        !strncmp(name, RUN_DIR_VALUES_PREFIX, strlen(RUN_DIR_VALUES_PREFIX))) {
        return true;
    }
    return name[0] == '.' && strstr(name, TEMP_SUFFIX); /* SQLite may put its own after it */
}

/* Sets dir->fresh. Without a ledger nothing may be in there but what an interrupted start left. */
static enum result look_inside(struct run_dir *dir, struct err *err)
{
    enum result result = RESULT_OK;
    struct dirent *entry;
    struct stat st;
    DIR *listing;
    int fd;

    /* An empty one is what a start leaves that was interrupted at its very beginning. */
    dir->fresh = fstatat(dir->fd, RUN_DIR_LEDGER, &st, AT_SYMLINK_NOFOLLOW) || st.st_size == 0;
    if (!dir->fresh) {
        return RESULT_OK;
    }
    fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    listing = fd < 0 ? NULL : fdopendir(fd);
    if (!listing) {
        result = err_set_errno(err, errno, "E-DIR1", "%s: cannot list the directory", dir->path);
        if (fd >= 0) {
            close(fd);
        }
        return result;
    }
    while (result == RESULT_OK && (entry = readdir(listing))) {
        char shown[128];

        if (!name_is_ours(entry->d_name)) {
            utf8_display(shown, sizeof shown, str_view(entry->d_name), 60);
            result = err_set(err, RESULT_INVALID, "E-DIR2",
                             "%s is not a run directory: it holds '%s' and no ledger; name another "
                             "with -o",
                             dir->path, shown);
        }
    }
    closedir(listing);
    return result;
}

/* The pid that the holder wrote, and when it did. */
static void read_holder(int lock_fd, struct run_holder *holder)
{
    char text[32];
    ssize_t len = pread(lock_fd, text, sizeof text, 0);
    struct str rest = { text, len > 0 ? (size_t)len : 0 };
    struct stat st;
    uint64_t pid;

    if (str_to_u64(str_cut(&rest, '\n'), &pid) && pid <= INT_MAX) {
        holder->pid = (pid_t)pid;
    }
    if (!fstat(lock_fd, &st)) {
        holder->since_us = os_modified_us(&st);
    }
}

static enum result say_busy(const struct run_dir *dir, struct err *err)
{
    struct run_holder holder = { .held = true };
    char since[CLOCK_TEXT_SIZE];

    read_holder(dir->lock_fd, &holder);
    if (!holder.pid) { /* the lock was removed, or is being written */
        return err_set(err, RESULT_BUSY, "E-LOCK1", "%s is in use by another process", dir->path);
    }
    clock_format_utc(holder.since_us, since);
    return err_set(err, RESULT_BUSY, "E-LOCK1", "%s is in use by pid %ld since %s", dir->path,
                   (long)holder.pid, since);
}

/* Whether `name` in the directory is what the descriptor has open. */
static bool is_same_file(int dir_fd, const char *name, int fd)
{
    struct stat here, open;

    return !fstat(fd, &open) && !fstatat(dir_fd, name, &here, AT_SYMLINK_NOFOLLOW) &&
           here.st_dev == open.st_dev && here.st_ino == open.st_ino;
}

/* Opens and locks the file, and sees to it that it is still there when it is locked. RESULT_BUSY: another
 * has it, and `*fd` is open to read who. */
static enum result lock_file(const struct run_dir *dir, int *fd, struct err *err)
{
    for (int tries = LOCK_TRIES;; tries--) {
        enum result result = run_dir_open_file(dir, LOCK_NAME, O_RDWR | O_CREAT, fd, err);

        if (result != RESULT_OK) {
            return result;
        }
        if (os_lock(*fd)) {
            return errno == EAGAIN || errno == EACCES
                       ? RESULT_BUSY
                       : err_set_errno(err, errno, "E-DIR1", "%s: cannot lock the run", dir->path);
        }
        if (is_same_file(dir->fd, LOCK_NAME, *fd) || tries == 0) {
            return RESULT_OK;
        }
        close(*fd);
        *fd = -1;
    }
}

static enum result write_holder(const struct run_dir *dir, int fd, struct err *err)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    return ftruncate(fd, 0) || pwrite(fd, text, (size_t)len, 0) != len
               ? err_set_write(err, errno, "E-DIR1", "%s: cannot write the lock file", dir->path)
               : RESULT_OK;
}

/* The directory itself is locked, too: what is removed from it changes nothing about that. Not every file
 * system can (NFS), and then the file has to do. */
static enum result take_lock(struct run_dir *dir, struct err *err)
{
    enum result result;

    if (flock(dir->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
        (void)!run_dir_open_file(dir, LOCK_NAME, O_RDONLY, &dir->lock_fd, NULL);
        return say_busy(dir, err);
    }
    result = lock_file(dir, &dir->lock_fd, err);
    if (result == RESULT_BUSY) {
        return say_busy(dir, err);
    }
    return result == RESULT_OK ? write_holder(dir, dir->lock_fd, err) : result;
}

enum result run_dir_open(struct run_dir *dir, const char *path, struct err *err)
{
    enum result result = RESULT_OK;

    *dir = (struct run_dir){ .fd = -1, .lock_fd = -1, .path = path_copy(path) };
    if (!dir->path) {
        return err_nomem(err, "opening a run directory");
    }
    parents_make(dir->path, 0777);
    if (!mkdir(dir->path, S_IRWXU)) {
        result = sync_parent(dir->path, err);
    } else if (errno != EEXIST) {
        result =
            err_set_write(err, errno, "E-DIR1", "%s: cannot create the run directory", dir->path);
    }
    if (result == RESULT_OK) {
        result = open_directory(dir, err);
    }
    if (result == RESULT_OK) {
        result = look_inside(dir, err);
    }
    if (result == RESULT_OK) {
        result = take_lock(dir, err);
    }
    if (result == RESULT_OK) { /* again: another process may have been at work until now */
        result = look_inside(dir, err);
    }
    if (result != RESULT_OK) {
        run_dir_close(dir);
    } else {
        dir->has_inodes = is_same_file(AT_FDCWD, dir->path, dir->fd) &&
                          is_same_file(dir->fd, LOCK_NAME, dir->lock_fd);
    }
    return result;
}

enum result run_dir_open_for_look(struct run_dir *dir, const char *path, struct err *err)
{
    enum result result;

    *dir = (struct run_dir){ .fd = -1, .lock_fd = -1, .path = path_copy(path) };
    if (!dir->path) {
        return err_nomem(err, "opening a run directory");
    }
    result = open_directory(dir, err);
    if (result == RESULT_OK) {
        result = look_inside(dir, err);
    }
    if (result != RESULT_OK) {
        run_dir_close(dir);
    }
    return result;
}

enum result run_dir_open_readonly(struct run_dir *dir, const char *path, struct err *err)
{
    enum result result = run_dir_open_for_look(dir, path, err);

    if (result == RESULT_OK && dir->fresh) {
        result = err_set(err, RESULT_INVALID, "E-DIR2", "%s is not a run directory: no ledger.db",
                         dir->path);
        run_dir_close(dir);
    }
    return result;
}

void run_dir_close(struct run_dir *dir)
{
    if (dir->lock_fd >= 0) {
        close(dir->lock_fd);
    }
    if (dir->fd >= 0) {
        close(dir->fd);
    }
    free(dir->path);
    *dir = (struct run_dir){ .fd = -1, .lock_fd = -1 };
}

/* The lock was removed: another takes its place, under the same descriptor. */
static enum result renew_lock(const struct run_dir *dir, struct err *err)
{
    int fd = -1;
    enum result result = lock_file(dir, &fd, err);

    if (result == RESULT_BUSY) {
        err_set(err, RESULT_NOT_FOUND, "E-LOCK2",
                "another process runs %s: the lock of this one was removed", dir->path);
        result = RESULT_NOT_FOUND;
    }
    if (result == RESULT_OK) {
        result = write_holder(dir, fd, err);
    }
    if (result == RESULT_OK && os_dup2(fd, dir->lock_fd) < 0) {
        result = err_set_errno(err, errno, "E-DIR1", "%s: cannot keep the lock", dir->path);
    }
    if (fd >= 0) {
        close(fd);
    }
    return result;
}

static enum result look(const struct run_dir *dir, struct err *err)
{
    struct stat held, named;

    if (fstat(dir->fd, &held)) {
        return err_set_errno(err, errno, "E-DIR4", "%s: cannot stat the run directory", dir->path);
    }
    if (held.st_nlink == 0) {
        return err_set(err, RESULT_NOT_FOUND, "E-DIR4",
                       "%s was removed while the run was at work: what it had stored is gone",
                       dir->path);
    }
    if (!dir->has_inodes) {
        return RESULT_OK;
    }
    if (lstat(dir->path, &named) ? errno == ENOENT || errno == ENOTDIR
                                 : named.st_dev != held.st_dev || named.st_ino != held.st_ino) {
        return err_set(err, RESULT_NOT_FOUND, "E-DIR4",
                       "%s is no longer this run's directory: it was moved, or its file system is "
                       "unmounted or covered by another",
                       dir->path);
    }
    return RESULT_OK;
}

enum result run_dir_look(const struct run_dir *dir, struct err *err)
{
    enum result result = look(dir, err);

    if (result != RESULT_OK || !dir->has_inodes || is_same_file(dir->fd, LOCK_NAME, dir->lock_fd)) {
        return result;
    }
    result = renew_lock(dir, err);
    if (result != RESULT_OK && look(dir, NULL) != RESULT_OK) { /* all of it is being removed */
        result = look(dir, err);
    }
    return result;
}

enum result run_dir_look_at(const struct run_dir *dir, int dir_fd, const char *name, int fd,
                            struct err *err)
{
    return !dir->has_inodes || is_same_file(dir_fd, name, fd)
               ? RESULT_OK
               : err_set(err, RESULT_NOT_FOUND, "E-DIR4",
                         "%s: %s was removed or replaced while the run was at work", dir->path,
                         name);
}

enum result run_dir_holder(const struct run_dir *dir, struct run_holder *holder, struct err *err)
{
    enum result result = RESULT_OK;
    int locked, fd = openat(dir->fd, LOCK_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    *holder = (struct run_holder){ .held = false };
    if (fd < 0) {
        return errno == ENOENT
                   ? RESULT_OK
                   : err_set_errno(err, errno, "E-DIR3", "%s: cannot open the lock", dir->path);
    }
    locked = os_is_locked(fd);
    if (locked < 0) {
        result = err_set_errno(err, errno, "E-DIR3", "%s: cannot ask for the lock", dir->path);
    } else if (locked) {
        holder->held = true;
        read_holder(fd, holder);
    }
    close(fd);
    return result;
}

static enum result rename_aside(const char *path, char **aside, struct err *err)
{
    size_t size = strlen(path) + sizeof ".10000";
    char *name = malloc(size);
    enum result result;

    if (!name) {
        return err_nomem(err, "naming a run set aside");
    }
    for (int n = 1; n <= ASIDE_MAX; n++) {
        snprintf(name, size, "%s.%d", path, n);
        if (!os_rename_new(path, name)) {
            *aside = name;
            return sync_parent(path, err);
        }
        if (errno != EEXIST) {
            break;
        }
    }
    result = err_set_write(err, errno, "E-DIR1", "%s: cannot set the run aside as %s", path, name);
    free(name);
    return result;
}

enum result run_dir_set_aside(const char *path, char **aside, struct err *err)
{
    struct run_dir dir = { .fd = -1, .lock_fd = -1, .path = path_copy(path) };
    enum result result;
    struct stat st;

    *aside = NULL;
    if (!dir.path) {
        return err_nomem(err, "setting a run aside");
    }
    if (lstat(dir.path, &st) && errno == ENOENT) {
        result = err_set(err, RESULT_NOT_FOUND, "E-DIR1", "%s: there is no such run", dir.path);
    } else {
        result = open_directory(&dir, err);
    }
    if (result == RESULT_OK) {
        result = look_inside(&dir, err);
    }
    if (result == RESULT_OK) {
        result = take_lock(&dir, err);
    }
    if (result == RESULT_OK) {
        result = rename_aside(dir.path, aside, err);
    }
    run_dir_close(&dir);
    return result;
}

enum result run_dir_open_file(const struct run_dir *dir, const char *name, int flags, int *fd,
                              struct err *err)
{
    struct stat st;

    *fd = openat(dir->fd, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, FILE_MODE);
    if (*fd < 0) {
        return flags & (O_WRONLY | O_RDWR)
                   ? err_set_write(err, errno, "E-DIR3", "%s/%s: cannot open", dir->path, name)
                   : err_set_errno(err, errno, "E-DIR3", "%s/%s: cannot open", dir->path, name);
    }
    if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode)) {
        return RESULT_OK;
    }
    close(*fd);
    *fd = -1;
    return err_set(err, RESULT_DENIED, "E-DIR3", "%s/%s is not a regular file", dir->path, name);
}

enum result run_dir_read(const struct run_dir *dir, const char *name, size_t max, struct buf *out,
                         struct err *err)
{
    int fd;
    enum result result = run_dir_open_file(dir, name, O_RDONLY, &fd, err);

    if (result == RESULT_OK) {
        result = run_dir_read_opened(dir, name, fd, max, out, err);
        close(fd);
    }
    return result;
}

enum result run_dir_read_opened(const struct run_dir *dir, const char *name, int fd, size_t max,
                                struct buf *out, struct err *err)
{
    size_t begin = out->len;
    enum result result = RESULT_OK;
    ssize_t got = 1;

    while (result == RESULT_OK && got > 0) {
        if (out->len - begin > max) {
            result = err_set(err, RESULT_LIMIT, "E-DIR3", "%s/%s is larger than %zu bytes",
                             dir->path, name, max);
            break;
        }
        if (buf_reserve(out, 4096) != RESULT_OK) {
            result = err_nomem(err, "reading a file of the run");
            break;
        }
        got = read(fd, out->data + out->len, out->cap - out->len);
        if (got < 0) {
            result = err_set_errno(err, errno, "E-DIR3", "%s/%s: cannot read", dir->path, name);
        } else {
            out->len += (size_t)got;
        }
    }
    if (result != RESULT_OK) {
        out->len = begin;
    }
    return result;
}

/* Over a temporary name with `mark` in it. */
static enum result replace(const struct run_dir *dir, const char *name, const char *mark,
                           struct str bytes, struct err *err)
{
    char temp[NAME_MAX + 1];
    int errnum = 0;
    int fd;

    if (snprintf(temp, sizeof temp, ".%s%s" TEMP_SUFFIX, name, mark) >= (int)sizeof temp) {
        return err_set(err, RESULT_LIMIT, "E-DIR3", "%s: the name is too long", name);
    }
    (void)unlinkat(dir->fd, temp, 0); /* of a process that died here */
    fd = openat(dir->fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        return err_set_write(err, errno, "E-DIR3", "%s/%s: cannot create", dir->path, temp);
    }
    errnum = write_all(fd, bytes);
    if (!errnum && os_fsync(fd)) {
        errnum = errno;
    }
    if (close(fd) && !errnum) {
        errnum = errno;
    }
    if (!errnum && renameat(dir->fd, temp, dir->fd, name)) {
        errnum = errno;
    }
    if (!errnum && os_fsync(dir->fd)) {
        errnum = errno;
    }
    if (errnum) {
        (void)unlinkat(dir->fd, temp, 0);
        return err_set_write(err, errnum, "E-DIR3", "%s/%s: cannot write", dir->path, name);
    }
    return RESULT_OK;
}

enum result run_dir_replace(const struct run_dir *dir, const char *name, struct str bytes,
                            struct err *err)
{
    return replace(dir, name, "", bytes, err); /* we hold the lock */
}

enum result run_dir_replace_unlocked(const struct run_dir *dir, const char *name, struct str bytes,
                                     struct err *err)
{
    char mark[32];

    snprintf(mark, sizeof mark, ".%ld", (long)getpid());
    return replace(dir, name, mark, bytes, err);
}
