#include "store/ballast.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BALLAST_NAME "ballast"

/* Of a quota that is smaller than the disk this knows nothing. */
static uint64_t fair_bytes(int fd)
{
    struct statvfs fs;
    uint64_t part;

    if (fstatvfs(fd, &fs) != 0) {
        return BALLAST_MAX_BYTES;
    }
    part = (uint64_t)fs.f_bavail * fs.f_frsize / 4;
    return part < BALLAST_MAX_BYTES ? part : BALLAST_MAX_BYTES;
}

/* Not posix_fallocate: where the filesystem cannot reserve, it writes a byte to every block. */
static bool reserve(int fd)
{
    for (uint64_t bytes = fair_bytes(fd); bytes >= BALLAST_MIN_BYTES; bytes /= 2) {
        if (os_reserve(fd, bytes) == 0) {
            return true;
        }
        if (errno != ENOSPC && errno != EDQUOT) {
            return false;
        }
    }
    return false;
}

bool ballast_hold(const struct run_dir *dir)
{
    int fd = openat(dir->fd, BALLAST_NAME, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
                    S_IRUSR | S_IWUSR);
    bool held;

    if (fd < 0) {
        return false;
    }
    held = reserve(fd);
    close(fd);
    if (!held) {
        ballast_drop(dir);
    }
    return held;
}

void ballast_drop(const struct run_dir *dir)
{
    (void)unlinkat(dir->fd, BALLAST_NAME, 0); /* not there, or not to be had: as good as dropped */
}
