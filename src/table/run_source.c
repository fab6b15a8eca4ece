#include "table/run_source.h"

#include "store/segment_bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 4096

/* A descriptor for each segment stays open until close: pieces that were given out name it. */
struct opened {
    struct segment_bytes bytes;
    bool is_open;
    char *path;
};

struct run_source {
    struct record_source base;
    const struct run_dir *dir;
    uint32_t endpoint;
    run_index_fn *read_index;
    void *index;
    int raw_fd;
    struct opened *opened; /* by segment number */
    uint32_t opened_count;

    bool limited; /* the end below is known */
    uint32_t end_segment;
    uint64_t end_offset; /* records at or after it are not ours */

    struct record_position position;
    struct placed_record batch[BATCH];
    char *given; /* variables of the piece that was given out last */
    size_t batch_count, batch_at;
    bool at_end;
};

static bool lies_before_end(const struct run_source *s, const struct record *r)
{
    return r->segment < s->end_segment ||
           (r->segment == s->end_segment && r->offset < s->end_offset);
}

static void forget_batch(struct run_source *s)
{
    free(s->given);
    s->given = NULL;
    while (s->batch_at < s->batch_count) {
        free(s->batch[s->batch_at++].vars);
    }
}

static enum result read_batch(struct run_source *s, struct err *err)
{
    enum result result;

    forget_batch(s);
    result =
        s->read_index(s->index, s->endpoint, &s->position, s->batch, BATCH, &s->batch_count, err);

    s->batch_at = 0;
    s->at_end = s->batch_count < BATCH;
    return result;
}

static void start_over(struct run_source *s)
{
    s->position = (struct record_position){ 0 };
    forget_batch(s);
    s->batch_count = s->batch_at = 0;
    s->at_end = false;
}

/* One look at the whole index: how much there is, and where the segments end by now. Records are
 * committed in the order in which they lie there, so that everything before that end is complete. */
static enum result find_end(struct run_source *s, struct err *err)
{
    start_over(s);
    do {
        enum result result = read_batch(s, err);

        if (result != RESULT_OK) {
            return result;
        }
        for (size_t i = 0; i < s->batch_count; i++) {
            const struct record *r = &s->batch[i].record;

            s->base.records++;
            s->base.bytes += r->length;
            if (!lies_before_end(s, r)) {
                s->end_segment = r->segment;
                s->end_offset = r->offset + r->length;
            }
        }
    } while (!s->at_end);
    s->limited = true;
    start_over(s);
    return RESULT_OK;
}

/* As one can open it from where the run directory was named. */
static char *path_of(const struct run_dir *dir, const char *segment)
{
    size_t size = strlen(dir->path) + strlen("/" SEGMENT_DIR "/") + SEGMENT_NAME_SIZE;
    char *path = malloc(size);

    if (path) {
        snprintf(path, size, "%s/" SEGMENT_DIR "/%s", dir->path, segment);
    }
    return path;
}

static enum result open_segment(struct run_source *s, uint32_t number, struct opened **opened,
                                struct err *err)
{
    char name[SEGMENT_NAME_SIZE];
    enum result result;
    struct opened *o;

    if (number >= s->opened_count) {
        struct opened *more = realloc(s->opened, ((size_t)number + 1) * sizeof *more);

        if (!more) {
            return err_nomem(err, "opening a segment");
        }
        for (uint32_t i = s->opened_count; i <= number; i++) {
            more[i] = (struct opened){ .path = NULL };
        }
        s->opened = more;
        s->opened_count = number + 1;
    }
    o = *opened = &s->opened[number];
    if (o->is_open) {
        return RESULT_OK;
    }
    segment_name(number, name);
    if (!o->path) { /* else another worker could not open it */
        o->path = path_of(s->dir, name);
    }
    if (!o->path) {
        return err_nomem(err, "opening a segment");
    }
    result = segment_bytes_open(&o->bytes, s->raw_fd, number, err);
    o->is_open = result == RESULT_OK;
    return result;
}

static enum result next(struct record_source *source, struct record_piece *piece, bool *more,
                        struct err *err)
{
    struct run_source *s = (struct run_source *)(void *)source;
    enum result result = s->limited ? RESULT_OK : find_end(s, err);

    while (result == RESULT_OK) {
        struct placed_record *placed;
        const struct record *r;
        struct opened *opened = NULL;

        if (s->batch_at == s->batch_count) {
            if (s->at_end) {
                *more = false;
                return RESULT_OK;
            }
            result = read_batch(s, err);
            continue;
        }
        placed = &s->batch[s->batch_at++];
        r = &placed->record;
        free(s->given);
        s->given = placed->vars;
        if (!lies_before_end(s, r)) {
            continue;
        }
        result = open_segment(s, r->segment, &opened, err);
        if (result == RESULT_OK) {
            *piece = (struct record_piece){ .form = RECORD_RAW,
                                            .fd = opened->bytes.fd,
                                            .packed = opened->bytes.packed,
                                            .path = opened->path,
                                            .offset = r->offset,
                                            .length = r->length,
                                            .is_sealed = true,
                                            .crc32c = r->crc32c,
                                            .place = sort_key_view(&placed->sort_key),
                                            .vars = str_view(placed->vars) };
            *more = true;
            return RESULT_OK;
        }
    }
    return result;
}

static enum result rewind_source(struct record_source *source, struct err *err)
{
    (void)err;
    start_over((struct run_source *)(void *)source);
    return RESULT_OK;
}

static void close_source(struct record_source *source)
{
    struct run_source *s = (struct run_source *)(void *)source;

    for (uint32_t i = 0; i < s->opened_count; i++) {
        if (s->opened[i].is_open) {
            segment_bytes_close(&s->opened[i].bytes);
        }
        free(s->opened[i].path);
    }
    free(s->opened);
    forget_batch(s);
    if (s->raw_fd >= 0) {
        close(s->raw_fd);
    }
    free(s);
}

enum result run_source_new(struct record_source **source, const struct run_dir *dir,
                           uint32_t endpoint, run_index_fn *read_index, void *index,
                           struct err *err)
{
    struct run_source *s = calloc(1, sizeof *s);
    enum result result;

    if (!s) {
        return err_nomem(err, "reading the run");
    }
    s->base.next = next;
    s->base.rewind = rewind_source;
    s->base.close = close_source;
    s->dir = dir;
    s->endpoint = endpoint;
    s->read_index = read_index;
    s->index = index;
    s->raw_fd = -1;
    result = segment_dir_open(dir, false, &s->raw_fd, err);
    if (result != RESULT_OK) {
        close_source(&s->base);
        return result;
    }
    *source = &s->base;
    return RESULT_OK;
}
