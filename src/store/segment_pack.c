#include "store/segment_pack.h"

#include "base/os.h"
#include "read/packed_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMP_NAME ".pack.tmp" /* its lock says who is at it */

static enum result pack_error(enum result result, const char *name, struct err *err)
{
    switch (result) {
    case RESULT_CANCELLED:
        return result;
    case RESULT_NOMEM:
        return err_nomem(err, "packing a segment");
    case RESULT_CORRUPT:
        return err_set(err, RESULT_CORRUPT, "E-SEG2",
                       "raw/%s could not be packed: what was written is not what it says", name);
    default:
        return segment_disk_error(err, errno, "pack", name);
    }
}

/* Into `temp`, which is empty; then the packed file stands in its place, and the plain one is gone. */
static enum result pack_one(int raw_fd, int temp, const struct segment_extent *extent, int from,
                            const atomic_bool *stop, struct segment_pack_report *report,
                            struct err *err)
{
    char name[SEGMENT_NAME_SIZE], packed[SEGMENT_PACKED_SIZE];
    struct stat st;
    enum result result;

    segment_name(extent->number, name);
    segment_packed_name(extent->number, packed);
    result = packed_text_write(from, extent->committed, temp, stop);
    if (result != RESULT_OK) {
        return pack_error(result, name, err);
    }
    if (fstat(temp, &st) || os_fsync(temp) || renameat(raw_fd, TEMP_NAME, raw_fd, packed) ||
        os_fsync(raw_fd) || unlinkat(raw_fd, name, 0)) {
        return segment_disk_error(err, errno, "pack", name);
    }
    report->packed++;
    report->text_bytes += extent->committed;
    report->packed_bytes += (uint64_t)st.st_size;
    return RESULT_OK;
}

/* An empty file of our own, and nobody else's. */
static enum result make_temp(int raw_fd, int *temp, bool *busy, struct err *err)
{
    struct stat ours, there;

    *busy = false;
    *temp = openat(raw_fd, TEMP_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (*temp < 0) {
        return segment_disk_error(err, errno, "make", TEMP_NAME);
    }
    /* The one that held it may have renamed it meanwhile. */
    if (flock(*temp, LOCK_EX | LOCK_NB) || fstat(*temp, &ours) ||
        fstatat(raw_fd, TEMP_NAME, &there, AT_SYMLINK_NOFOLLOW) || ours.st_ino != there.st_ino) {
        *busy = true;
        return RESULT_OK;
    }
    return ftruncate(*temp, 0) ? segment_disk_error(err, errno, "make", TEMP_NAME) : RESULT_OK;
}

bool segment_pack_hold(int raw_fd, int *hold)
{
    struct err err;
    bool busy;

    if (make_temp(raw_fd, hold, &busy, &err) == RESULT_OK && !busy) {
        return true;
    }
    if (*hold >= 0) {
        close(*hold);
    }
    return false;
}

void segment_pack_release(int raw_fd, int hold)
{
    (void)unlinkat(raw_fd, TEMP_NAME, 0);
    close(hold);
}

static enum result pack_closed(int raw_fd, const struct segment_extent *extent,
                               const atomic_bool *stop, struct segment_pack_report *report,
                               struct err *err)
{
    char name[SEGMENT_NAME_SIZE];
    struct stat st;
    int from = -1, temp = -1;
    enum result result;

    segment_name(extent->number, name);
    if (fstatat(raw_fd, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) ||
        !extent->committed || (uint64_t)st.st_size != extent->committed) {
        return RESULT_OK;
    }
    result = make_temp(raw_fd, &temp, &report->busy, err);
    if (result == RESULT_OK && !report->busy) {
        result = segment_open(raw_fd, extent->number, O_RDONLY, &from, err);
    }
    if (result == RESULT_OK && !report->busy) {
        result = pack_one(raw_fd, temp, extent, from, stop, report, err);
    }
    if (result != RESULT_OK && temp >= 0) {
        (void)unlinkat(raw_fd, TEMP_NAME, 0);
    }
    if (from >= 0) {
        close(from);
    }
    if (temp >= 0) {
        close(temp);
    }
    return result;
}

enum result segment_pack_all(int raw_fd, const struct segment_extent *extents, size_t count,
                             const atomic_bool *stop, struct segment_pack_report *report,
                             struct err *err)
{
    enum result result = RESULT_OK;

    *report = (struct segment_pack_report){ .packed = 0 };
    for (size_t i = 0; i + 1 < count && result == RESULT_OK && !report->busy; i++) {
        result = pack_closed(raw_fd, &extents[i], stop, report, err);
    }
    return result;
}
