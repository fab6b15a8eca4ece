#include "normalise/file_source.h"

#include "base/body_text.h"
#include "base/json_scan.h"
#include "base/os.h"
#include "normalise/cells_file.h"
#include "read/body_read.h"
#include "read/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES ((uint64_t)1 << 20) /* lines handed out together */
#define LOOK_BYTES ((size_t)64 << 10)   /* read at a time to find the form, or a long line's end */
#define LINE_BYTES ((size_t)4 << 10)    /* most lines are shorter */

struct input {
    char *path; /* of a file within an archive "x.zip: name" */
    bool
        is_spooled; /* it lies in the spool: it came by standard input, was packed, or in other letters */
    uint64_t begin, size;
    enum record_form form;
    bool form_known;
    enum body_format as;     /* RECORD_DOCUMENT: BODY_XML, when that is known */
    struct cells_file cells; /* RECORD_CELLS */
    char *fault;             /* why there is nothing to be read in it; NULL */
};

struct file_source {
    struct record_source source; /* first: we are handed this */
    struct body_reading how;
    struct input *inputs;
    size_t count, cap, at;
    uint64_t offset; /* in the file of inputs[at] */
    uint64_t line;   /* RECORD_CELLS: of that */
    int fd;          /* of inputs[at], or -1 */
    int spool;       /* an unnamed file for what is not read from where it lies, or -1 */
    uint64_t spooled;
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
        cells_file_release(&s->inputs[i].cells);
        free(s->inputs[i].fault);
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
    s->offset = s->count ? s->inputs[0].begin : 0;
    return RESULT_OK;
}

/* Of the input at hand: see cells_file_read_at. */
static enum result read_at(struct file_source *s, char *to, size_t len, uint64_t offset,
                           size_t *got, struct err *err)
{
    return cells_file_read_at(s->fd, s->inputs[s->at].path, to, len, offset, got, err);
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

/* What the user says counts most, then the name, then how it begins. */
static enum body_format format_of(const struct file_source *s, const struct input *input,
                                  struct str head, char *delimiter)
{
    enum body_format format = s->how.as;

    *delimiter = 0;
    if (format == BODY_AUTO) {
        format = body_format_of_name(str_view(input->path));
    }
    if (format == BODY_AUTO &&
        body_head_is_csv(json_without_bom(head), head.len < input->size, delimiter)) {
        format = BODY_CSV;
    }
    return format;
}

static enum result learn_form(struct file_source *s, struct input *input, struct err *err)
{
    struct body_reading how = s->how;
    enum result result;
    struct str head;
    char delimiter;
    size_t got;

    result =
        read_at(s, s->look, sizeof s->look < input->size ? sizeof s->look : (size_t)input->size,
                input->begin, &got, err);
    head = (struct str){ s->look, got };
    if (result != RESULT_OK) {
        return result;
    }
    how.as = format_of(s, input, head, &delimiter);
    switch (how.as) {
    case BODY_CSV:
    case BODY_TSV:
        input->form = RECORD_CELLS;
        how.delimiter = how.delimiter ? how.delimiter : delimiter;
        result = input->size ? cells_file_read_header(&input->cells, s->fd, input->path,
                                                      input->begin, input->size, &how, err)
                             : RESULT_OK;
        break;
    case BODY_NDJSON:
        input->form = RECORD_LINES;
        break;
    case BODY_XML:
        input->form = RECORD_DOCUMENT;
        input->as = BODY_XML;
        break;
    default:
        input->form = guess_form(head);
        break;
    }
    input->form_known = result == RESULT_OK;
    return result;
}

/* Where the lines that begin at s->offset and make up about a piece end. */
static enum result find_end(struct file_source *s, const struct input *input, uint64_t *end,
                            struct err *err)
{
    uint64_t at = s->offset + PIECE_BYTES, size = input->begin + input->size;
    size_t look = LINE_BYTES;

    for (; at < size; look = 2 * look < LOOK_BYTES ? 2 * look : LOOK_BYTES) {
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
    *end = at < size ? at : size;
    return RESULT_OK;
}

static enum result open_current(struct file_source *s, struct input *input, struct err *err)
{
    enum result result = RESULT_OK;

    s->fd = input->is_spooled ? s->spool : open(input->path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", input->path);
    }
    if (!input->form_known) {
        result = learn_form(s, input, err);
    }
    if (result == RESULT_OK && input->form == RECORD_CELLS) {
        s->offset = input->size ? input->cells.begin : input->begin;
        s->line = input->cells.line;
    }
    return result;
}

static enum result next_of_current(struct file_source *s, struct input *input,
                                   struct record_piece *piece, struct err *err)
{
    uint64_t end = input->begin + input->size, lines = 0;
    enum result result = RESULT_OK;

    if (input->form == RECORD_LINES) {
        result = find_end(s, input, &end, err);
    } else if (input->form == RECORD_CELLS) {
        result = cells_file_end(&input->cells, s->fd, input->path, s->offset, PIECE_BYTES, end,
                                &end, &lines, err);
    }
    if (result == RESULT_OK) {
        *piece = (struct record_piece){ .form = input->form,
                                        .fd = input->is_spooled ? s->spool : -1,
                                        .path = input->path,
                                        .offset = s->offset,
                                        .length = end - s->offset,
                                        .begin = input->begin,
                                        .as = input->as,
                                        .fault = input->fault,
                                        .cells = &input->cells,
                                        .line = s->line };
        s->offset = end;
        s->line += lines;
    }
    return result;
}

/* An empty document is a record too: an invalid one. A table without rows is none. */
static bool has_piece(const struct file_source *s, const struct input *input, bool is_opened)
{
    return s->offset < input->begin + input->size ||
           (is_opened && !input->size && input->form != RECORD_CELLS);
}

static enum result file_source_next(struct record_source *source, struct record_piece *piece,
                                    bool *more, struct err *err)
{
    struct file_source *s = (struct file_source *)source;

    *more = false;
    while (s->at < s->count) {
        struct input *input = &s->inputs[s->at];
        bool is_opened = s->fd < 0;
        enum result result = is_opened ? open_current(s, input, err) : RESULT_OK;

        if (result != RESULT_OK) {
            return result;
        }
        if (has_piece(s, input, is_opened)) {
            *more = true;
            return next_of_current(s, input, piece, err);
        }
        close_current(s);
        s->at++;
        s->offset = s->at < s->count ? s->inputs[s->at].begin : 0;
    }
    return RESULT_OK;
}

static int open_unnamed(void)
{
    const char *directory = getenv("TMPDIR");

    return os_unnamed_file(directory && *directory ? directory : "/tmp");
}

static enum result need_spool(struct file_source *s, struct err *err)
{
    s->spool = s->spool < 0 ? open_unnamed() : s->spool;
    return s->spool < 0 ? err_set_errno(err, errno, "E-IN2", "cannot create a temporary file")
                        : RESULT_OK;
}

/* Bytes of the input go to the spool, where it lies then. */
static enum result spool(struct file_source *s, struct input *input, struct str bytes,
                         struct err *err)
{
    size_t put = 0;

    while (put < bytes.len) {
        ssize_t n = pwrite(s->spool, bytes.data + put, bytes.len - put, (off_t)(s->spooled + put));

        if (n < 0 && errno != EINTR) {
            return err_set_errno(err, errno, "E-IN2", "cannot keep %s in a temporary file",
                                 is_stdin(input) ? "standard input" : input->path);
        }
        put += n > 0 ? (size_t)n : 0;
    }
    s->spooled += bytes.len;
    input->size += bytes.len;
    return RESULT_OK;
}

static void begin_spooling(struct file_source *s, struct input *input)
{
    input->is_spooled = true;
    input->begin = s->spooled;
    input->size = 0;
}

static enum result copy_stdin(struct file_source *s, struct input *input, struct err *err)
{
    enum result result = need_spool(s, err);
    ssize_t got;

    begin_spooling(s, input);
    while (result == RESULT_OK && (got = read(STDIN_FILENO, s->look, sizeof s->look)) != 0) {
        if (got < 0 && errno == EINTR) {
            continue;
        }
        result = got < 0 ? err_set_errno(err, errno, "E-IN2", "cannot read standard input")
                         : spool(s, input, (struct str){ s->look, (size_t)got }, err);
    }
    return result;
}

/* --- packed files, and other letters ---------------------------------------------------------------------- */

static enum result new_input(struct file_source *s, const char *path, struct input **input,
                             struct err *err)
{
    if (s->count == s->cap) {
        size_t cap = 2 * s->cap + 1;
        struct input *inputs = reallocarray(s->inputs, cap, sizeof *inputs);

        if (!inputs) {
            return err_nomem(err, "opening input");
        }
        s->inputs = inputs;
        s->cap = cap;
    }
    *input = &s->inputs[s->count];
    **input = (struct input){ .path = strdup(path) };
    if (!(*input)->path) {
        return err_nomem(err, "opening input");
    }
    s->count++;
    return RESULT_OK;
}

struct unpacking {
    struct file_source *s;
    size_t at; /* of the packed input: the first file within takes its place */
    const char *path;
    bool has_one;
    struct err *err;
};

static enum result begin_member(void *context, struct str name)
{
    struct unpacking *u = context;
    struct file_source *s = u->s;
    struct input *input = &s->inputs[u->at];
    enum result result = RESULT_OK;
    char *path = NULL;

    if (name.len && asprintf(&path, "%s: %.*s", u->path, STR_ARG(name)) < 0) {
        return err_nomem(u->err, "unpacking");
    }
    if (u->has_one) {
        result = new_input(s, path ? path : u->path, &input, u->err);
        free(path);
    } else if (path) {
        free(input->path);
        input->path = path;
    }
    u->has_one = true;
    if (result == RESULT_OK) {
        begin_spooling(s, input);
    }
    return result;
}

static enum result put_member(void *context, struct str bytes)
{
    struct unpacking *u = context;

    return spool(u->s, &u->s->inputs[u->s->count - 1], bytes, u->err);
}

/* Nothing of the file is read: it is a record that is no good, as others are that cannot be read. */
static enum result give_up(struct input *input, const char *why, struct err *err)
{
    input->fault = strdup(why);
    input->size = 0;
    input->form = RECORD_DOCUMENT;
    input->form_known = true;
    return input->fault ? RESULT_OK : err_nomem(err, "unpacking");
}

/* `fd` is the packed file, of `size` bytes. What comes out is another file's, or several. */
static enum result unpack_input(struct file_source *s, int fd, uint64_t size, enum pack pack,
                                struct err *err)
{
    size_t at = s->count - 1;
    char *path = strdup(s->inputs[at].path), why[UNPACK_WHY_MAX] = "";
    struct unpacking u = { s, at, path, false, err };

    struct unpack_source source = { STR_NONE, fd, size };
    struct unpack_sink sink = { begin_member, put_member, &u };
    enum result result = path ? need_spool(s, err) : err_nomem(err, "unpacking");

    if (result == RESULT_OK) {
        result = unpack_files(&source, pack, UINT64_MAX, &sink, why);
        if (result == RESULT_OK && !u.has_one) {
            snprintf(why, sizeof why, "holds no file");
            result = RESULT_INVALID;
        }
    }
    if (result == RESULT_INVALID || result == RESULT_DENIED || result == RESULT_LIMIT) {
        result = give_up(&s->inputs[s->count - 1], why, err); /* the file that came last */
    } else if (result != RESULT_OK && why[0]) {
        err_set(err, result, "E-IN2", "%s %s", path, why);
    }
    free(path);
    return result;
}

/* A document in UTF-16 is read as one (base/body_text.h); a table is not looked at as a whole. */
static bool is_cells(const struct file_source *s, const struct input *input, struct str text)
{
    char delimiter;
    enum body_format format = format_of(s, input, text, &delimiter);

    return format == BODY_CSV || format == BODY_TSV;
}

/* The letters that the user says, or that a table in UTF-16 says itself: then it is read from the spool. */
static enum result decode_input(struct file_source *s, struct input *input, int fd, struct err *err)
{
    struct buf made = { .max = 4 * FILE_DECODED_MAX };
    enum result result = RESULT_OK;
    size_t size = (size_t)input->size, got = 0;
    unsigned was = 0;
    struct str text;
    char *bytes;
    int before = s->fd;

    if (input->size > FILE_DECODED_MAX) {
        return err_set(err, RESULT_LIMIT, "E-IN2",
                       "%s is not UTF-8 and over 256 MiB: iconv -t UTF-8 it before", input->path);
    }
    bytes = malloc(size + 1);
    if (!bytes) {
        return err_nomem(err, "opening input");
    }
    s->fd = fd;
    result = read_at(s, bytes, size, input->begin, &got, err);
    s->fd = before;
    if (result == RESULT_OK &&
        body_text_letters((struct str){ bytes, got }, STR(""), str_view(s->how.charset), &made,
                          &text, &was) != RESULT_OK) {
        result = give_up(input, "is not in the letters that it has", err);
    } else if (result == RESULT_OK && (s->how.charset || is_cells(s, input, text))) {
        result = need_spool(s, err);
        begin_spooling(s, input);
        result = result == RESULT_OK ? spool(s, input, text, err) : result;
    }
    buf_release(&made);
    free(bytes);
    return result;
}

static bool wants_decoding(const struct file_source *s, struct str head)
{
    const struct str charset = str_view(s->how.charset);
    bool is_wide = str_starts(head, STR("\xFF\xFE")) || str_starts(head, STR("\xFE\xFF"));

    return is_wide || (charset.len && !str_equal_nocase(charset, STR("utf-8")) &&
                       !str_equal_nocase(charset, STR("utf8")));
}

/* Of a file that lies in `fd` or, if it is spooled, there. */
static enum result look_at_letters(struct file_source *s, struct input *input, int fd,
                                   struct err *err)
{
    char head[2];
    size_t want = input->size < sizeof head ? (size_t)input->size : sizeof head;
    ssize_t got;

    if (input->fault) {
        return RESULT_OK;
    }
    fd = input->is_spooled ? s->spool : fd;
    got = pread(fd, head, want, (off_t)input->begin);
    if (got < 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", input->path);
    }
    return wants_decoding(s, (struct str){ head, (size_t)got }) ? decode_input(s, input, fd, err)
                                                                : RESULT_OK;
}

/* What the file is that has just been added: as it lies there, or to be made into something else first. */
static enum result look_into(struct file_source *s, int fd, struct err *err)
{
    struct input *input = &s->inputs[s->count - 1];
    char head[8] = { 0 };
    ssize_t got = pread(fd, head, sizeof head, (off_t)input->begin);
    struct str begin = { head, got > 0 ? (size_t)got : 0 };
    enum pack pack = unpack_kind(begin);
    size_t first = s->count - 1;
    enum result result = RESULT_OK;

    if (got < 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", input->path);
    }
    if (pack != PACK_NONE && s->how.as != BODY_BYTES) {
        result = input->begin == 0 ? unpack_input(s, fd, input->size, pack, err)
                                   : err_set(err, RESULT_INVALID, "E-IN2",
                                             "standard input is packed: unpack it before");
    }
    for (size_t i = first; result == RESULT_OK && i < s->count; i++) {
        result = look_at_letters(s, &s->inputs[i], fd, err);
    }
    return result;
}

static enum result add_file(struct file_source *s, struct input *input, struct err *err)
{
    enum result result;
    struct stat st;
    int fd;

    if (access(input->path, R_OK) != 0 || stat(input->path, &st) != 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", input->path);
    }
    if (!S_ISREG(st.st_mode)) {
        return err_set(err, RESULT_INVALID, "E-IN2", "%s is %s, not a file", input->path,
                       S_ISDIR(st.st_mode) ? "a directory" : "a device or pipe");
    }
    input->size = (uint64_t)st.st_size;
    fd = open(input->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", input->path);
    }
    result = look_into(s, fd, err);
    close(fd);
    return result;
}

static bool has_stdin(const struct file_source *s)
{
    for (size_t i = 0; i + 1 < s->count; i++) {
        if (is_stdin(&s->inputs[i])) {
            return true;
        }
    }
    return false;
}

static enum result add_input(struct file_source *s, const char *path, struct err *err)
{
    struct input *input;
    enum result result = new_input(s, path, &input, err);

    if (result != RESULT_OK) {
        return result;
    }
    if (!is_stdin(input)) {
        return add_file(s, input, err);
    }
    if (has_stdin(s)) {
        return err_set(err, RESULT_INVALID, "E-IN2", "\"-\" is given twice");
    }
    result = copy_stdin(s, input, err);
    return result == RESULT_OK ? look_into(s, s->spool, err) : result;
}

enum result file_source_open(struct record_source **source, const char *const *paths, size_t count,
                             const struct body_reading *how, struct err *err)
{
    struct file_source *s = calloc(1, sizeof *s);
    enum result result = RESULT_OK;

    *source = NULL;
    if (!s) {
        return err_nomem(err, "opening input");
    }
    s->how = how ? *how : (struct body_reading){ .as = BODY_AUTO };
    s->fd = s->spool = -1;
    s->source = (struct record_source){ .next = file_source_next,
                                        .rewind = file_source_rewind,
                                        .close = file_source_close };
    for (size_t i = 0; result == RESULT_OK && i < count; i++) {
        result = add_input(s, paths[i], err);
    }
    for (size_t i = 0; i < s->count; i++) {
        s->source.bytes += s->inputs[i].size;
    }
    if (result != RESULT_OK) {
        file_source_close(&s->source);
        return result;
    }
    (void)!file_source_rewind(&s->source, err);
    *source = &s->source;
    return RESULT_OK;
}
