#include "table/output_file.h"

#include "base/os.h"
#include "base/parents.h"
#include "base/temporary_file.h"
#include "s3/upload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PENDING_BYTES ((size_t)256 << 10)
#define HAND_DOWN_BYTES ((uint64_t)8 << 20) /* written before the disk is told to begin with them */
#define NAME_TRIES 16
#define RANDOM_DIGITS 16
#define TEMPORARY_ENDING ".tmp"

struct output_file {
    int fd, directory;      /* directory is -1 for standard output, and for an object */
    struct s3_place object; /* its name is NULL for files and standard output */
    char *path;             /* as given, for messages */
    const char *name;       /* its last part: a view into path */
    char *temporary;        /* name within the directory */
    uint64_t bytes;
    uint64_t written, handed_down; /* to the system, and of that, to the disk */
    size_t pending;
    char buffer[PENDING_BYTES];
};

static void release(struct output_file *f)
{
    if (f->fd >= 0 && f->fd != STDOUT_FILENO) {
        close(f->fd);
    }
    if (f->directory >= 0) {
        close(f->directory);
    }
    s3_place_release(&f->object);
    free(f->path);
    free(f->temporary);
    free(f);
}

static const char *shown(const struct output_file *f)
{
    return f->fd == STDOUT_FILENO ? f->name : f->path;
}

static enum result open_directory(struct output_file *f, struct err *err)
{
    char *slash = strrchr(f->path, '/');

    f->name = slash ? slash + 1 : f->path;
    if (!*f->name || strcmp(f->name, ".") == 0 || strcmp(f->name, "..") == 0) {
        return err_set(err, RESULT_INVALID, "E-OUT1", "%s is no file name", f->path);
    }
    if (slash == f->path) {
        f->directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    } else if (slash) {
        *slash = '\0';
        f->directory = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *slash = '/';
    } else {
        f->directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (f->directory < 0) {
        return err_set_write(err, errno, "E-OUT1", "cannot open the directory of %s", f->path);
    }
    return RESULT_OK;
}

/* ".NAME.0123456789abcdef.tmp" of this NAME. */
static bool is_temporary(const struct output_file *f, const char *entry)
{
    size_t name_len = strlen(f->name);
    const char *digits = entry + 1 + name_len + 1;

    return strlen(entry) ==
               name_len + sizeof ".." - 1 + RANDOM_DIGITS + sizeof TEMPORARY_ENDING - 1 &&
           entry[0] == '.' && memcmp(entry + 1, f->name, name_len) == 0 && digits[-1] == '.' &&
           strspn(digits, "0123456789abcdef") == RANDOM_DIGITS &&
           strcmp(digits + RANDOM_DIGITS, TEMPORARY_ENDING) == 0;
}

/* With the journals that SQLite keeps beside a database; those first, so that none is left alone. */
static void remove_temporary(const struct output_file *f, const char *entry)
{
    static const char *const endings[] = { "-journal", "-wal", "-shm", "" };
    char name[NAME_MAX + 1];

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (snprintf(name, sizeof name, "%s%s", entry, endings[i]) < (int)sizeof name) {
            (void)unlinkat(f->directory, name, 0); /* not ours to remove: it stays */
        }
    }
}

/* The process that writes one has it locked. What can be locked belongs to a process that was killed. */
static void remove_if_left(const struct output_file *f, const char *entry)
{
    int fd = openat(f->directory, entry, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0) {
        return;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        remove_temporary(f, entry);
    }
    close(fd);
}

static void remove_left(const struct output_file *f)
{
    int fd = openat(f->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!listing) {
        if (fd >= 0) {
            close(fd);
        }
        return; /* a directory that may not be listed keeps what is in it */
    }
    while ((entry = readdir(listing))) {
        if (is_temporary(f, entry->d_name)) {
            remove_if_left(f, entry->d_name);
        }
    }
    closedir(listing);
}

/* Another process may have taken the file for one that was left, before it was locked: then that has the lock, or has
 * removed it already. Where the file system has no locks, no file is taken for a left one either. */
static bool hold(int fd)
{
    struct stat st;

    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return false;
    }
    return fstat(fd, &st) != 0 || st.st_nlink > 0;
}

/* A name that nobody can have laid a link at; 0666 leaves the mode to the umask. */
static enum result create_temporary(struct output_file *f, struct err *err)
{
    size_t size = strlen(f->name) + sizeof ".." + RANDOM_DIGITS + sizeof TEMPORARY_ENDING;

    f->temporary = malloc(size);
    if (!f->temporary) {
        return err_nomem(err, "opening the output");
    }
    for (int i = 0; i < NAME_TRIES; i++) {
        uint64_t random = 0;

        if (!os_random(&random, sizeof random)) {
            random = (uint64_t)getpid() << 16 | (uint64_t)i; /* O_EXCL decides anyway */
        }
        snprintf(f->temporary, size, ".%s.%016llx" TEMPORARY_ENDING, f->name,
                 (unsigned long long)random);
        f->fd = openat(f->directory, f->temporary,
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (f->fd < 0 ? errno != EEXIST : hold(f->fd)) {
            break;
        }
        if (f->fd >= 0) {
            close(f->fd);
            f->fd = -1;
            errno = EEXIST;
        }
    }
    if (f->fd < 0) {
        return err_set_write(err, errno, "E-OUT1", "cannot create %s", f->path);
    }
    return RESULT_OK;
}

/* A directory or a device under that name is not ours to replace. */
static enum result check_target(const struct output_file *f, struct err *err)
{
    struct stat st;

    if (fstatat(f->directory, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode)) {
        return err_set(err, RESULT_DENIED, "E-OUT1", "%s is there and is not a regular file",
                       f->path);
    }
    return RESULT_OK;
}

/* An object is made of a file that is complete. */
static enum result open_object(struct output_file *f, struct err *err)
{
    enum result result = s3_place_read(&f->object, f->path, err);

    f->name = f->path;
    if (result == RESULT_OK) {
        f->fd = temporary_file();
        result = f->fd >= 0 ? RESULT_OK
                            : err_set_write(err, errno, "E-OUT1",
                                            "cannot create the file that becomes %s", f->path);
    }
    return result;
}

static enum result open_file(struct output_file *f, struct err *err)
{
    enum result result = open_directory(f, err);

    result = result == RESULT_OK ? check_target(f, err) : result;
    if (result == RESULT_OK) {
        remove_left(f);
        result = create_temporary(f, err);
    }
    return result;
}

enum result output_open(struct output_file **file, const char *path, struct err *err)
{
    struct output_file *f = calloc(1, sizeof *f);
    enum result result = RESULT_OK;

    *file = NULL;
    if (!f) {
        return err_nomem(err, "opening the output");
    }
    f->fd = f->directory = -1;
    f->path = strdup(path);
    if (!f->path) {
        result = err_nomem(err, "opening the output");
    } else if (strcmp(path, "-") == 0) {
        f->fd = STDOUT_FILENO;
        f->name = "standard output";
    } else {
        result = s3_is_place(path) ? open_object(f, err) : open_file(f, err);
    }
    if (result != RESULT_OK) {
        release(f);
        return result;
    }
    *file = f;
    return RESULT_OK;
}

/* Starts writing back what a file has so far, so that the fsync at its end finds little left to do. Only
 * a hint: errors come back from fsync. */
static void hand_down(struct output_file *f)
{
    if (f->directory >= 0 && f->written - f->handed_down >= HAND_DOWN_BYTES) {
        os_start_writeback(f->fd, f->handed_down, f->written - f->handed_down);
        f->handed_down = f->written;
    }
}

static enum result write_all(struct output_file *f, const char *bytes, size_t len, struct err *err)
{
    while (len) {
        ssize_t put = write(f->fd, bytes, len);

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0 && errno == EPIPE) {
            return err_set(err, RESULT_IO, "E-OUT4", "nobody reads %s any more", shown(f));
        }
        if (put <= 0) {
            return err_set_write(err, put < 0 ? errno : EIO, "E-OUT2", "cannot write %s", shown(f));
        }
        bytes += put;
        len -= (size_t)put;
        f->written += (uint64_t)put;
    }
    hand_down(f);
    return RESULT_OK;
}

static enum result flush(struct output_file *f, struct err *err)
{
    size_t len = f->pending;

    f->pending = 0;
    return write_all(f, f->buffer, len, err);
}

enum result output_write(struct output_file *f, const void *bytes, size_t len, struct err *err)
{
    enum result result = RESULT_OK;

    if (len == 0) { /* and `bytes` may be NULL */
        return RESULT_OK;
    }
    if (f->pending + len > sizeof f->buffer) {
        result = flush(f, err);
    }
    if (result == RESULT_OK && len > sizeof f->buffer) {
        result = write_all(f, bytes, len, err);
    } else if (result == RESULT_OK) {
        memcpy(f->buffer + f->pending, bytes, len);
        f->pending += len;
    }
    f->bytes += result == RESULT_OK ? len : 0;
    return result;
}

void output_stop_by(struct output_file *f, const atomic_bool *stop)
{
    f->object.stop = stop;
}

uint64_t output_bytes(const struct output_file *f)
{
    return f->bytes;
}

static enum result rename_over(const struct output_file *f, struct err *err)
{
    return renameat(f->directory, f->temporary, f->directory, f->name) == 0
               ? RESULT_OK
               : err_set_write(err, errno, "E-OUT3", "cannot rename to %s", f->path);
}

static enum result taken(const struct output_file *f, struct err *err)
{
    return err_set(err, RESULT_BUSY, "E-OUT5",
                   "another program has made %s meanwhile; the same command again adds to it",
                   f->path);
}

/* Where a file system cannot rename so, the look before the rename is the best there is. */
static enum result rename_new(const struct output_file *f, struct err *err)
{
    struct buf from = { 0 };
    enum result result = output_temporary_path(f, &from);
    struct stat st;

    if (result != RESULT_OK || !buf_cstr(&from)) {
        result = err_nomem(err, "naming the output");
    } else if (os_rename_new(buf_cstr(&from), f->path) == 0) {
        result = RESULT_OK;
    } else if (errno == EEXIST || fstatat(f->directory, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        result = taken(f, err);
    } else {
        result = rename_over(f, err);
    }
    buf_release(&from);
    return result;
}

static enum result commit(struct output_file *f,
                          enum result (*name)(const struct output_file *f, struct err *err),
                          struct err *err)
{
    enum result result = flush(f, err);

    if (result == RESULT_OK && f->object.name) {
        result = s3_upload(&f->object, f->fd, f->bytes, err);
    }
    if (f->directory < 0) {
        release(f);
        return result;
    }
    if (result == RESULT_OK && os_fsync(f->fd) != 0) {
        result = err_set_write(err, errno, "E-OUT3", "cannot sync %s", f->path);
    }
    result = result == RESULT_OK ? name(f, err) : result;
    if (result != RESULT_OK) {
        output_abandon(f);
        return result;
    }
    if (os_fsync(f->directory) != 0) {
        result = err_set_write(err, errno, "E-OUT3", "cannot sync the directory of %s", f->path);
    }
    release(f);
    return result;
}

enum result output_commit(struct output_file *f, struct err *err)
{
    return commit(f, rename_over, err);
}

enum result output_commit_new(struct output_file *f, struct err *err)
{
    return commit(f, rename_new, err);
}

enum result output_temporary_path(const struct output_file *f, struct buf *path)
{
    return buf_printf(path, "%.*s%s", (int)(f->name - f->path), f->path, f->temporary);
}

void output_abandon(struct output_file *f)
{
    if (f) {
        if (f->temporary) {
            remove_temporary(f, f->temporary);
        }
        release(f);
    }
}

enum result output_check(const char *path, struct err *err)
{
    struct output_file *f;
    enum result result = output_open(&f, path, err);

    if (result != RESULT_OK) {
        return result;
    }
    result = f->object.name ? s3_look(&f->object, err) : RESULT_OK;
    output_abandon(f);
    return result;
}

void output_make_parents(const char *path)
{
    if (!s3_is_place(path)) {
        parents_make(path, 0777);
    }
}
