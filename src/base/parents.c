#include "base/parents.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        (void)os_fsync(fd); /* as much as this file system does */
        close(fd);
    }
}

/* `part` up to the slash; what it lies in is synced when it is new. */
static void make_one(char *part, char *slash, mode_t mode)
{
    char *above;

    *slash = '\0';
    if (mkdir(part, mode) == 0) {
        above = strrchr(part, '/');
        if (above && above != part) {
            *above = '\0';
            sync_directory(part);
            *above = '/';
        } else {
            sync_directory(above ? "/" : ".");
        }
    }
    *slash = '/';
}

void parents_make(const char *path, mode_t mode)
{
    int before = errno;
    char *part = strdup(path);
    struct stat st;
    char *slash = part ? strrchr(part, '/') : NULL;

    if (slash && slash != part) {
        *slash = '\0';
        if (stat(part, &st) != 0 && errno == ENOENT) {
            *slash = '/';
            for (slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                make_one(part, slash, mode);
            }
        }
    }
    free(part);
    errno = before;
}
