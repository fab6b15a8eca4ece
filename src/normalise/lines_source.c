#include "normalise/lines_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES ((uint64_t)256 << 10)

struct lines_source {
    struct record_source base; /* first: we are handed this */
    int fd;
    const char *name;
    uint64_t at, size;
    char room[PIECE_BYTES];
};

/* Where the piece from `at` on ends: with the last line that is whole in its bytes, or with the first one if that is
 * longer. */
static enum result find_cut(struct lines_source *s, uint64_t *end, struct err *err)
{
    uint64_t from = s->at;

    while (from < s->size) {
        uint64_t want = s->size - from < PIECE_BYTES ? s->size - from : PIECE_BYTES;
        ssize_t got = pread(s->fd, s->room, (size_t)want, (off_t)from);
        uint64_t len = got > 0 ? (uint64_t)got : 0;

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (!len) {
            return err_set_errno(err, got < 0 ? errno : EIO, "E-IN2", "cannot read %s", s->name);
        }
        while (len && s->room[len - 1] != '\n') {
            len--;
        }
        from += len ? len : (uint64_t)got;
        if (len) {
            break;
        }
    }
    *end = from;
    return RESULT_OK;
}

static enum result next(struct record_source *source, struct record_piece *piece, bool *more,
                        struct err *err)
{
    struct lines_source *s = (struct lines_source *)(void *)source;
    uint64_t end = s->at;
    enum result result = find_cut(s, &end, err);

    *more = result == RESULT_OK && end > s->at;
    if (*more) {
        *piece = (struct record_piece){ .form = RECORD_LINES,
                                        .fd = s->fd,
                                        .path = s->name,
                                        .offset = s->at,
                                        .length = end - s->at };
        s->at = end;
    }
    return result;
}

static enum result rewind_lines(struct record_source *source, struct err *err)
{
    (void)err;
    ((struct lines_source *)(void *)source)->at = 0;
    return RESULT_OK;
}

static void close_lines(struct record_source *source)
{
    struct lines_source *s = (struct lines_source *)(void *)source;

    close(s->fd);
    free(s);
}

enum result lines_source_new(struct record_source **source, int fd, const char *name,
                             struct err *err)
{
    struct lines_source *s = calloc(1, sizeof *s);
    struct stat st;

    if (!s || fstat(fd, &st) != 0) {
        free(s);
        close(fd);
        return err_nomem(err, "reading records");
    }
    s->base = (struct record_source){
        .next = next, .rewind = rewind_lines, .close = close_lines, .bytes = (uint64_t)st.st_size
    };
    s->fd = fd;
    s->name = name;
    s->size = (uint64_t)st.st_size;
    *source = &s->base;
    return RESULT_OK;
}
