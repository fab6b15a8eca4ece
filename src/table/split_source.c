#include "table/split_source.h"

#include "base/buf.h"
#include "base/grow.h"
#include "base/json_split.h"
#include "base/json_step.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define WINDOW_BYTES ((size_t)1 << 20) /* read at a time; a multiple of JSON_SPLIT_BLOCK */

struct split_source {
    struct record_source source; /* first: we are handed this */
    struct record_source *inner;
    const struct json_pointer *records;
    uint64_t split_bytes;
    bool disabled;
    /* The document that is being split: */
    bool busy;
    struct record_piece whole;
    struct record_piece part; /* what the next one looks like; its offset is where it begins */
    struct json_split state;
    uint64_t scanned; /* offset in the file up to which `state` has come */
    uint64_t first;   /* offset after the container's opening bracket */
    uint64_t close;   /* of its closing one, once there is nothing left but the rest */
    int fd;           /* opened by us, or -1 */
    char *window;
    /* What was made of large documents, so that after a rewind they are the same again: */
    struct record_piece *made;
    size_t made_count, made_cap, made_at;
    bool complete; /* the inner source has come to its end, so that is all of it */
    bool replay;
};

static void close_file(struct split_source *s)
{
    if (s->fd >= 0) {
        close(s->fd);
    }
    s->fd = -1;
}

static void split_source_close(struct record_source *source)
{
    struct split_source *s = (struct split_source *)source;

    close_file(s);
    s->inner->close(s->inner);
    free(s->window);
    free(s->made);
    free(s);
}

static enum result split_source_rewind(struct record_source *source, struct err *err)
{
    struct split_source *s = (struct split_source *)source;

    close_file(s);
    s->busy = false;
    s->replay = s->complete;
    s->made_at = 0;
    s->made_count = s->complete ? s->made_count : 0;
    return s->inner->rewind(s->inner, err);
}

/* About `bytes` at `offset`, whole blocks and no more than a window has; fewer at the end of the document. */
static enum result read_window(struct split_source *s, uint64_t offset, uint64_t bytes,
                               struct str *text, struct err *err)
{
    uint64_t left = s->whole.offset + s->whole.length - offset;
    size_t want = bytes < WINDOW_BYTES ? (size_t)(bytes / JSON_SPLIT_BLOCK + 1) * JSON_SPLIT_BLOCK
                                       : WINDOW_BYTES;
    size_t got = 0;

    want = left < want ? (size_t)left : want;

    while (got < want) {
        ssize_t n = pread(s->fd >= 0 ? s->fd : s->whole.fd, s->window + got, want - got,
                          (off_t)(offset + got));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? err_set_errno(err, errno, "E-IN2", "cannot read %s", s->whole.path)
                         : err_set(err, RESULT_CORRUPT, "E-TAB2",
                                   "%s got shorter while it was being read", s->whole.path);
        }
        got += (size_t)n;
    }
    *text = (struct str){ s->window, got };
    return RESULT_OK;
}

/* To the value of the first member of that name; false when it is not in the text. */
static bool find_member(const char **p, const char *end, struct str name)
{
    bool escaped = false;

    for (const char *at = json_step_space(*p + 1, end); at < end && *at == '"';) {
        const char *first = at + 1, *close = json_step_string(first, end, &escaped);

        at = json_step_space(close < end ? close + 1 : end, end);
        if (at == end || *at != ':') {
            return false;
        }
        at = json_step_space(at + 1, end);
        if (json_raw_equal((struct str){ first, (size_t)(close - first) }, name)) {
            *p = at;
            return at < end;
        }
        at = json_step_space(json_step_value(at, end), end);
        at = at < end && *at == ',' ? json_step_space(at + 1, end) : end;
    }
    return false;
}

/* The container whose members the parts are: `*at` becomes the place of its bracket. */
static bool find_container(const struct split_source *s, struct str text, size_t *at,
                           unsigned *step)
{
    struct str body = json_without_bom(text);
    const char *end = body.data + body.len, *p = json_step_space(body.data, end);
    unsigned count = s->records ? s->records->count : 0;

    for (*step = 0; *step < count && !s->records->steps[*step].every; ++*step) {
        const struct json_pointer_step *pointer = &s->records->steps[*step];

        if (p == end || *p != '{' ||
            !find_member(&p, end, (struct str){ s->records->bytes + pointer->at, pointer->len })) {
            return false;
        }
    }
    *at = (size_t)(p - text.data);
    return p < end && (*p == '[' || (*p == '{' && *step < count));
}

static enum result open_document(struct split_source *s, struct err *err)
{
    if (s->whole.fd < 0) {
        s->fd = open(s->whole.path, O_RDONLY | O_CLOEXEC);
        if (s->fd < 0) {
            return err_set_errno(err, errno, "E-IN2", "cannot read %s", s->whole.path);
        }
    }
    return RESULT_OK;
}

/* `whole` is large: from now on its parts come, if it has some. */
static enum result begin_document(struct split_source *s, struct err *err)
{
    enum result result = open_document(s, err);
    unsigned step = 0;
    struct str text;
    size_t at = 0;

    if (result == RESULT_OK) {
        result = read_window(s, s->whole.offset, WINDOW_BYTES, &text, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    s->busy = find_container(s, text, &at, &step);
    if (s->busy) {
        s->part = s->whole;
        s->part.form = RECORD_PART;
        s->part.step = step;
        s->part.named = text.data[at] == '{';
        s->close = 0;
        s->part.offset = s->first = s->scanned = s->whole.offset + at + 1;
        s->state = (struct json_split){ 0 };
    } else {
        close_file(s);
    }
    return RESULT_OK;
}

/* The document without its parts. */
static void put_rest(struct split_source *s, struct record_piece *piece)
{
    *piece = s->whole;
    piece->gap = s->first;
    piece->gap_length = s->close - s->first;
    s->busy = false;
    close_file(s);
}

/* The container ends at `close`, within `text`, which lies at `base`. */
static void put_last(struct split_source *s, uint64_t close, struct str text, uint64_t base,
                     struct record_piece *piece)
{
    uint64_t first = s->part.offset;
    bool empty = first == s->first && first >= base &&
                 !str_trim((struct str){ text.data + (first - base), close - first }).len;

    s->close = empty ? s->first : close;
    if (empty) {
        put_rest(s, piece);
    } else {
        *piece = s->part;
        piece->length = close - first;
    }
}

/* The next part: up to the last comma among as many bytes as it should have, or as many more as it takes
 * until there is one; or up to the end. */
static enum result next_part(struct split_source *s, struct record_piece *piece, struct err *err)
{
    uint64_t document_end = s->whole.offset + s->whole.length;
    uint64_t part_bytes = s->split_bytes / 4;

    while (s->scanned < document_end) {
        uint64_t base = s->scanned;
        struct json_split_found found;
        struct str text;
        enum result result = read_window(s, base, part_bytes, &text, err);

        if (result != RESULT_OK) {
            return result;
        }
        found = json_split_next(&s->state, text);
        s->scanned += text.len;
        if (found.end != SIZE_MAX) {
            put_last(s, base + found.end, text, base, piece);
            return RESULT_OK;
        }
        if (found.comma != SIZE_MAX) {
            *piece = s->part;
            piece->length = base + found.comma - s->part.offset;
            s->part.offset = base + found.comma + 1;
            return RESULT_OK;
        }
    }
    s->close = document_end; /* no bracket: the rest will be found invalid */
    put_rest(s, piece);
    return RESULT_OK;
}

/* Remembers what was made of a large document. */
static enum result remember(struct split_source *s, const struct record_piece *piece,
                            struct err *err)
{
    struct record_piece *made = grow_by_one(s->made, s->made_count, &s->made_cap, sizeof *made);

    if (!made) {
        return err_nomem(err, "splitting a document");
    }
    s->made = made;
    s->made[s->made_count++] = *piece;
    return RESULT_OK;
}

/* A piece of the large document that `whole` is. */
static enum result next_made(struct split_source *s, struct record_piece *piece, struct err *err)
{
    enum result result = RESULT_OK;

    if (s->replay) {
        if (s->made_at == s->made_count) {
            return err_set(err, RESULT_CORRUPT, "E-TAB2", "%s changed while it was being read",
                           s->whole.path);
        }
        *piece = s->made[s->made_at++];
        s->busy = piece->form == RECORD_PART;
        return RESULT_OK;
    }
    if (!s->busy) {
        *piece = s->whole;
        result = begin_document(s, err);
    }
    if (result == RESULT_OK && s->busy && s->close) {
        put_rest(s, piece);
    } else if (result == RESULT_OK && s->busy) {
        result = next_part(s, piece, err);
    }
    return result == RESULT_OK ? remember(s, piece, err) : result;
}

static enum result split_source_next(struct record_source *source, struct record_piece *piece,
                                     bool *more, struct err *err)
{
    struct split_source *s = (struct split_source *)source;
    enum result result;

    if (s->busy) {
        *more = true;
        return next_made(s, piece, err);
    }
    result = s->inner->next(s->inner, piece, more, err);
    s->complete |= result == RESULT_OK && !*more;
    source->bytes = s->inner->bytes;
    source->records = s->inner->records;
    if (result == RESULT_OK && *more && !s->disabled && piece->form == RECORD_DOCUMENT &&
        piece->length > s->split_bytes) {
        s->whole = *piece;
        result = next_made(s, piece, err);
    }
    return result;
}

struct record_source *split_source_open(struct record_source *inner,
                                        const struct json_pointer *records, uint64_t split_bytes)
{
    struct split_source *s = calloc(1, sizeof *s);

    if (s) {
        s->window = malloc(WINDOW_BYTES);
    }
    if (!s || !s->window) {
        free(s);
        inner->close(inner);
        return NULL;
    }
    s->source = (struct record_source){ .next = split_source_next,
                                        .rewind = split_source_rewind,
                                        .close = split_source_close,
                                        .bytes = inner->bytes,
                                        .records = inner->records };
    s->inner = inner;
    s->records = records;
    s->split_bytes = split_bytes;
    s->fd = -1;
    return &s->source;
}

void split_source_disable(struct record_source *source)
{
    ((struct split_source *)source)->disabled = true;
}
