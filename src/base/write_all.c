#include "base/write_all.h"

#include <errno.h>
#include <unistd.h>

int write_all(int fd, struct str bytes)
{
    while (bytes.len) {
        ssize_t wrote = write(fd, bytes.data, bytes.len);

        if (wrote < 0 && errno != EINTR) {
            return errno;
        }
        if (wrote > 0) {
            bytes = (struct str){ bytes.data + wrote, bytes.len - (size_t)wrote };
        }
    }
    return 0;
}
