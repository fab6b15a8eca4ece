#include "store/ballast.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BALLAST_NAME "ballast"

bool ballast_hold(const struct run_dir *dir)
{
    int fd = openat(dir->fd, BALLAST_NAME, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
                    S_IRUSR | S_IWUSR);
    bool held;

    if (fd < 0) {
        return false;
    }
    /* Not posix_fallocate: where the filesystem cannot reserve, it writes a byte to every block. */
    held = fallocate(fd, 0, 0, BALLAST_BYTES) == 0;
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
