#include "base/read_all.h"

#include <errno.h>
#include <unistd.h>

#define PIECE_BYTES (64 * 1024)

/* Bytes to be read next; 0 at the ceiling. */
static size_t room_of(const struct buf *b)
{
    size_t room = b->cap > b->len ? b->cap - b->len : PIECE_BYTES;

    return b->max && room > b->max - b->len ? b->max - b->len : room;
}

static ssize_t read_some(int fd, char *to, size_t size)
{
    ssize_t got;

    do {
        got = read(fd, to, size);
    } while (got < 0 && errno == EINTR);
    return got;
}

enum result read_all(int fd, struct buf *to)
{
    ssize_t got = 1;

    while (got > 0) {
        size_t room = room_of(to);
        char more;

        if (!room) {
            got = read_some(fd, &more, 1);
            return got == 0 ? RESULT_OK : got > 0 ? RESULT_LIMIT : RESULT_IO;
        }
        if (buf_reserve(to, room) != RESULT_OK) {
            return RESULT_NOMEM;
        }
        got = read_some(fd, to->data + to->len, room);
        to->len += got > 0 ? (size_t)got : 0;
    }
    return got == 0 ? RESULT_OK : RESULT_IO;
}
