#include "normalise/file_source.h"

#include "base/json_scan.h"
#include "normalise/file_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES ((uint64_t)1 << 20) /* lines handed out together */
#define LOOK_BYTES ((size_t)64 << 10)   /* read at a time to find the form, or a long line's end */
#define LINE_BYTES ((size_t)4 << 10)    /* most lines are shorter */

struct file_source {
    struct record_source source; /* first: we are handed this */
    struct file_inputs inputs;
    size_t at;
    uint64_t offset; /* in the file of inputs[at] */
    uint64_t line;   /* RECORD_CELLS: of that */
    int fd;          /* of inputs[at], or -1 */
    char look[LOOK_BYTES];
};

static void close_current(struct file_source *s)
{
    if (s->fd >= 0 && s->fd != s->inputs.spool) {
        close(s->fd);
    }
    s->fd = -1;
}

static void file_source_close(struct record_source *source)
{
    struct file_source *s = (struct file_source *)source;

    close_current(s);
    file_inputs_release(&s->inputs);
    free(s);
}

static enum result file_source_rewind(struct record_source *source, struct err *err)
{
    struct file_source *s = (struct file_source *)source;

    (void)err;
    close_current(s);
    s->at = 0;
    s->offset = s->inputs.count ? s->inputs.list[0].begin : 0;
    return RESULT_OK;
}

/* Of the input at hand: see cells_file_read_at. */
static enum result read_at(struct file_source *s, char *to, size_t len, uint64_t offset,
                           size_t *got, struct err *err)
{
    return cells_file_read_at(s->fd, s->inputs.list[s->at].path, to, len, offset, got, err);
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

static enum result learn_form(struct file_source *s, struct file_input *input, struct err *err)
{
    struct body_reading how = s->inputs.how;
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
    how.as = file_input_format(&s->inputs, input, head, &delimiter);
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
static enum result find_end(struct file_source *s, const struct file_input *input, uint64_t *end,
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

static enum result open_current(struct file_source *s, struct file_input *input, struct err *err)
{
    enum result result = RESULT_OK;

    s->fd = input->is_spooled ? s->inputs.spool : open(input->path, O_RDONLY | O_CLOEXEC);
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

static enum result next_of_current(struct file_source *s, struct file_input *input,
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
                                        .fd = input->is_spooled ? s->inputs.spool : -1,
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
static bool has_piece(const struct file_source *s, const struct file_input *input, bool is_opened)
{
    return s->offset < input->begin + input->size ||
           (is_opened && !input->size && input->form != RECORD_CELLS);
}

static enum result file_source_next(struct record_source *source, struct record_piece *piece,
                                    bool *more, struct err *err)
{
    struct file_source *s = (struct file_source *)source;

    *more = false;
    while (s->at < s->inputs.count) {
        struct file_input *input = &s->inputs.list[s->at];
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
        s->offset = s->at < s->inputs.count ? s->inputs.list[s->at].begin : 0;
    }
    return RESULT_OK;
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
    file_inputs_init(&s->inputs, how);
    s->fd = -1;
    s->source = (struct record_source){ .next = file_source_next,
                                        .rewind = file_source_rewind,
                                        .close = file_source_close };
    for (size_t i = 0; result == RESULT_OK && i < count; i++) {
        result = file_inputs_add(&s->inputs, paths[i], err);
    }
    for (size_t i = 0; i < s->inputs.count; i++) {
        s->source.bytes += s->inputs.list[i].size;
    }
    if (result != RESULT_OK) {
        file_source_close(&s->source);
        return result;
    }
    (void)!file_source_rewind(&s->source, err);
    *source = &s->source;
    return RESULT_OK;
}
