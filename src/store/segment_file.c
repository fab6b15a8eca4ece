#include "store/segment_file.h"

#include "base/grow.h"
#include "base/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum result segment_disk_error(struct err *err, int errnum, const char *doing, const char *name)
{
    enum result result = err_set_errno(err, errnum, "E-DISK2", "raw/%s: cannot %s", name, doing);

    if (result == RESULT_FULL && err) {
        snprintf(err->code, sizeof err->code, "E-DISK1");
    }
    return result == RESULT_FULL || result == RESULT_NOMEM ? result : RESULT_IO;
}

void segment_name(uint32_t number, char name[SEGMENT_NAME_SIZE])
{
    static const char shape[SEGMENT_NAME_SIZE] = "00000000.jsonl";

    memcpy(name, shape, sizeof shape);
    for (size_t i = 8; i-- && number; number /= 10) {
        name[i] = (char)('0' + number % 10);
    }
}

enum result segment_dir_open(const struct run_dir *dir, bool create, int *raw_fd, struct err *err)
{
    if (create && mkdirat(dir->fd, SEGMENT_DIR, S_IRWXU) && errno != EEXIST) {
        return err_set_write(err, errno, "E-DIR1", "%s/raw: cannot create", dir->path);
    }
    *raw_fd = openat(dir->fd, SEGMENT_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*raw_fd < 0 && errno == ENOENT) {
        return err_set(err, RESULT_CORRUPT, "E-LEDG4",
                       "%s/raw is missing, which has the run's bodies: put it back from a copy, or "
                       "begin anew with --fresh",
                       dir->path);
    }
    if (*raw_fd < 0) {
        return err_set_errno(err, errno, "E-DIR1", "%s/raw: cannot open", dir->path);
    }
    return RESULT_OK;
}

enum result segment_dir_is_empty(int raw_fd, bool *empty, struct err *err)
{
    int fd = openat(raw_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    *empty = true;
    if (!listing) {
        if (fd >= 0) {
            close(fd);
        }
        return err_set_errno(err, errno, "E-DIR1", "raw: cannot list the directory");
    }
    while ((entry = readdir(listing))) {
        struct stat st;

        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
            !fstatat(raw_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
            !(S_ISREG(st.st_mode) && st.st_size == 0)) {
            *empty = false;
        }
    }
    closedir(listing);
    return RESULT_OK;
}

void segment_packed_name(uint32_t number, char name[SEGMENT_PACKED_SIZE])
{
    static const char ending[] = ".zst";

    segment_name(number, name);
    memcpy(name + SEGMENT_NAME_SIZE - 1, ending, sizeof ending);
}

static enum result refuse_odd(const char *name, struct err *err)
{
    return err_set(err, RESULT_CORRUPT, "E-SEG3",
                   "raw/%s is not a regular file: put the segment back from a copy, or begin anew "
                   "with --fresh (the old run is set aside, not deleted)",
                   name);
}

/* RESULT_NOT_FOUND, without words, when there is none. */
static enum result open_named(int raw_fd, const char *name, int flags, int *fd, struct err *err)
{
    struct stat st;

    *fd = openat(raw_fd, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0) {
        switch (errno) {
        case ENOENT:
            return RESULT_NOT_FOUND;
        case ELOOP: /* a symlink */
        case ENXIO: /* a FIFO without a reader, a socket, a device that is not there */
        case EISDIR:
            return refuse_odd(name, err);
        default:
            return segment_disk_error(err, errno, "open", name);
        }
    }
    if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode)) {
        return RESULT_OK;
    }
    close(*fd);
    *fd = -1;
    return refuse_odd(name, err);
}

enum result segment_open(int raw_fd, uint32_t number, int flags, int *fd, struct err *err)
{
    char name[SEGMENT_NAME_SIZE];
    enum result result;

    segment_name(number, name);
    result = open_named(raw_fd, name, flags, fd, err);
    return result == RESULT_NOT_FOUND
               ? err_set(err, RESULT_CORRUPT, "E-LEDG4",
                         "raw/%s is missing though the ledger names it: put it back from a "
                         "copy, or begin anew with --fresh (the old run is set aside, not "
                         "deleted)",
                         name)
               : result;
}

enum result segment_open_packed(int raw_fd, uint32_t number, int *fd, struct err *err)
{
    char name[SEGMENT_PACKED_SIZE];

    segment_packed_name(number, name);
    return open_named(raw_fd, name, O_RDONLY, fd, err);
}

/* "00000017.jsonl": 17; 0 when it is no segment's name. */
static uint32_t number_of(const char *name)
{
    char again[SEGMENT_NAME_SIZE];
    uint64_t number;

    if (strlen(name) != sizeof again - 1 || !str_to_u64((struct str){ name, 8 }, &number)) {
        return 0;
    }
    segment_name((uint32_t)number, again);
    return strcmp(name, again) == 0 ? (uint32_t)number : 0;
}

struct file_list {
    struct file {
        uint32_t number;
        uint64_t size;
    } * items;
    size_t count, room;
};

static enum result list_file(struct file_list *list, int raw_fd, const char *name, struct err *err)
{
    uint32_t number = number_of(name);
    struct file *items;
    struct stat st;

    if (!number || fstatat(raw_fd, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) ||
        st.st_size <= 0) {
        return RESULT_OK;
    }
    items = grow_by_one(list->items, list->count, &list->room, sizeof *items);
    if (!items) {
        return err_nomem(err, "listing segments");
    }
    list->items = items;
    list->items[list->count++] = (struct file){ number, (uint64_t)st.st_size };
    return RESULT_OK;
}

static int compare_files(const void *a, const void *b)
{
    const struct file *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

static enum result list_files(struct file_list *list, int raw_fd, struct err *err)
{
    int fd = openat(raw_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    enum result result = RESULT_OK;
    struct dirent *entry;

    if (!listing) {
        result = err_set_errno(err, errno, "E-DIR1", "raw: cannot list the directory");
        if (fd >= 0) {
            close(fd);
        }
        return result;
    }
    while (result == RESULT_OK && (entry = readdir(listing))) {
        result = list_file(list, raw_fd, entry->d_name, err);
    }
    closedir(listing);
    if (list->count) {
        qsort(list->items, list->count, sizeof *list->items, compare_files);
    }
    return result;
}

enum result segment_each_file(int raw_fd,
                              enum result (*visit)(void *context, uint32_t number, uint64_t size,
                                                   struct err *err),
                              void *context, struct err *err)
{
    struct file_list list = { .items = NULL };
    enum result result = list_files(&list, raw_fd, err);

    for (size_t i = 0; result == RESULT_OK && i < list.count; i++) {
        result = visit(context, list.items[i].number, list.items[i].size, err);
    }
    free(list.items);
    return result;
}

enum result segment_damaged(const char *name, uint64_t offset, const char *how, struct err *err)
{
    return err_set(err, RESULT_CORRUPT, "E-SEG2",
                   "raw/%s: the record at byte %" PRIu64 " %s; 'scrapetop verify' lists the damage",
                   name, offset, how);
}

enum result segment_sync_file(int raw_fd, uint32_t number, struct err *err)
{
    char name[SEGMENT_NAME_SIZE];
    int fd;
    enum result result = segment_open(raw_fd, number, O_WRONLY, &fd, err);

    if (result == RESULT_OK) {
        if (os_fdatasync(fd)) {
            segment_name(number, name);
            segment_disk_error(err, errno, "sync", name);
            result = RESULT_IO;
        }
        close(fd);
    }
    return result;
}
