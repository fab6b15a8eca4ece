#include "normalise/file_source.h"

#include "base/json_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES ((uint64_t)1 << 20) /* lines handed out together */
#define LOOK_BYTES ((size_t)64 << 10)   /* read at a time to find the form, or a long line's end */
#define LINE_BYTES ((size_t)4 << 10)    /* most lines are shorter */

struct input {
    char *path;
    uint64_t size;
    enum record_form form;
    bool form_known;
};

struct file_source {
    struct record_source source; /* first: we are handed this */
    struct input *inputs;
    size_t count, at;
    uint64_t offset; /* in inputs[at] */
    int fd;          /* of inputs[at], or -1 */
    int spool;       /* copy of standard input, or -1 */
    char look[LOOK_BYTES];
};

static bool is_stdin(const struct input *input)
{
    return strcmp(input->path, "-") == 0;
}

static void close_current(struct file_source *s)
{
    if (s->fd >= 0 && s->fd != s->spool) {
        close(s->fd);
    }
    s->fd = -1;
}

static void file_source_close(struct record_source *source)
{
    struct file_source *s = (struct file_source *)source;

    close_current(s);
    if (s->spool >= 0) {
        close(s->spool);
    }
    for (size_t i = 0; i < s->count; i++) {
        free(s->inputs[i].path);
    }
    free(s->inputs);
    free(s);
}

static enum result file_source_rewind(struct record_source *source, struct err *err)
{
    struct file_source *s = (struct file_source *)source;

    (void)err;
    close_current(s);
    s->at = 0;
    s->offset = 0;
    return RESULT_OK;
}

/* Up to `len` bytes at `offset`; fewer only at the end of the file. */
static enum result read_at(struct file_source *s, char *to, size_t len, uint64_t offset,
                           size_t *got, struct err *err)
{
    *got = 0;
    while (*got < len) {
        ssize_t n = pread(s->fd, to + *got, len - *got, (off_t)(offset + *got));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_set_errno(err, errno, "E-IN2", "cannot read %s", s->inputs[s->at].path);
        }
        if (n == 0) {
            break;
        }
        *got += (size_t)n;
    }
    return RESULT_OK;
}

static bool ends_with(const char *path, const char *ending)
{
    size_t len = strlen(path), ending_len = strlen(ending);

    return len > ending_len && strcmp(path + len - ending_len, ending) == 0;
}

/* Two JSON texts under each other cannot be one document, so the guess is never wrong about one. */
static enum record_form guess_form(struct str head)
{
    struct str first;

    head = str_trim(json_without_bom(head));
    if (head.len && head.data[0] == JSON_SEQUENCE_MARK) {
        return RECORD_LINES;
    }
    first = str_cut(&head, '\n');
    return head.len && json_check(first, JSON_DEPTH_MAX, NULL) ? RECORD_LINES : RECORD_DOCUMENT;
}

static enum result learn_form(struct file_source *s, struct input *input, struct err *err)
{
    enum result result = RESULT_OK;
    size_t got;

    if (ends_with(input->path, ".jsonl") || ends_with(input->path, ".ndjson")) {
        input->form = RECORD_LINES;
    } else {
        result = read_at(s, s->look, sizeof s->look, 0, &got, err);
        if (result == RESULT_OK) {
            input->form = guess_form((struct str){ s->look, got });
        }
    }
    input->form_known = result == RESULT_OK;
    return result;
}

/* Where the lines that begin at s->offset and make up about a piece end. */
static enum result find_end(struct file_source *s, const struct input *input, uint64_t *end,
                            struct err *err)
{
    uint64_t at = s->offset + PIECE_BYTES;
    size_t look = LINE_BYTES;

    for (; at < input->size; look = 2 * look < LOOK_BYTES ? 2 * look : LOOK_BYTES) {
        enum result result;
        const char *newline;
        size_t got;

        result = read_at(s, s->look, look, at, &got, err);
        if (result != RESULT_OK) {
            return result;
        }
        newline = memchr(s->look, '\n', got);
        if (newline || got == 0) {
            at += newline ? (uint64_t)(newline - s->look) + 1 : 0;
            break;
        }
        at += got;
        if (at - s->offset > FILE_LINE_MAX) {
            return err_set(err, RESULT_LIMIT, "E-IN2", "%s: a line is over 1 GiB", input->path);
        }
    }
    *end = at < input->size ? at : input->size;
    return RESULT_OK;
}

static enum result open_current(struct file_source *s, struct input *input, struct err *err)
{
    s->fd = is_stdin(input) ? s->spool : open(input->path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", input->path);
    }
    return input->form_known ? RESULT_OK : learn_form(s, input, err);
}

static enum result next_of_current(struct file_source *s, struct input *input,
                                   struct record_piece *piece, struct err *err)
{
    enum result result = s->fd < 0 ? open_current(s, input, err) : RESULT_OK;
    uint64_t end = input->size;

    if (result == RESULT_OK && input->form == RECORD_LINES) {
        result = find_end(s, input, &end, err);
    }
    if (result == RESULT_OK) {
        *piece = (struct record_piece){ .form = input->form,
                                        .fd = is_stdin(input) ? s->spool : -1,
                                        .path = input->path,
                                        .offset = s->offset,
                                        .length = end - s->offset };
        s->offset = end;
    }
    return result;
}

static enum result file_source_next(struct record_source *source, struct record_piece *piece,
                                    bool *more, struct err *err)
{
    struct file_source *s = (struct file_source *)source;

    *more = false;
    while (s->at < s->count) {
        struct input *input = &s->inputs[s->at];

        /* An empty document is a record too: an invalid one. */
        if (s->offset < input->size || (s->offset == 0 && s->fd < 0)) {
            *more = true;
            return next_of_current(s, input, piece, err);
        }
        close_current(s);
        s->at++;
        s->offset = 0;
    }
    return RESULT_OK;
}

static int open_unnamed(void)
{
    const char *directory = getenv("TMPDIR");

    return open(directory && *directory ? directory : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static enum result copy_stdin(struct file_source *s, struct input *input, struct err *err)
{
    ssize_t got;

    s->spool = open_unnamed();
    if (s->spool < 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot create a temporary file");
    }
    while ((got = read(STDIN_FILENO, s->look, sizeof s->look)) != 0) {
        ssize_t put = 0;

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return err_set_errno(err, errno, "E-IN2", "cannot read standard input");
        }
        while (put < got) {
            ssize_t n = write(s->spool, s->look + put, (size_t)(got - put));

            if (n < 0 && errno != EINTR) {
                return err_set_errno(err, errno, "E-IN2", "cannot keep standard input");
            }
            put += n > 0 ? n : 0;
        }
        input->size += (uint64_t)got;
    }
    return RESULT_OK;
}

static enum result add_input(struct file_source *s, const char *path, struct err *err)
{
    struct input *input = &s->inputs[s->count];
    struct stat st;

    *input = (struct input){ .path = strdup(path) };
    if (!input->path) {
        return err_nomem(err, "opening input");
    }
    s->count++;
    if (is_stdin(input)) {
        return s->spool < 0 ? copy_stdin(s, input, err)
                            : err_set(err, RESULT_INVALID, "E-IN2", "\"-\" is given twice");
    }
    if (access(path, R_OK) != 0 || stat(path, &st) != 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return err_set(err, RESULT_INVALID, "E-IN2", "%s is %s, not a file", path,
                       S_ISDIR(st.st_mode) ? "a directory" : "a device or pipe");
    }
    input->size = (uint64_t)st.st_size;
    return RESULT_OK;
}

enum result file_source_open(struct record_source **source, const char *const *paths, size_t count,
                             struct err *err)
{
    struct file_source *s = calloc(1, sizeof *s);
    enum result result = RESULT_OK;

    *source = NULL;
    if (s) {
        s->inputs = calloc(count + 1, sizeof *s->inputs);
    }
    if (!s || !s->inputs) {
        free(s);
        return err_nomem(err, "opening input");
    }
    s->fd = s->spool = -1;
    s->source = (struct record_source){ .next = file_source_next,
                                        .rewind = file_source_rewind,
                                        .close = file_source_close };
    for (size_t i = 0; result == RESULT_OK && i < count; i++) {
        result = add_input(s, paths[i], err);
        s->source.bytes += s->count > i ? s->inputs[i].size : 0;
    }
    if (result != RESULT_OK) {
        file_source_close(&s->source);
        return result;
    }
    *source = &s->source;
    return RESULT_OK;
}
