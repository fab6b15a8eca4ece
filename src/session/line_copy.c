#include "session/line_copy.h"

#include "base/os.h"
#include "store/kept_file.h"
#include "store/ledger.h"
#include "store/segment_bytes.h"
#include "table/output_file.h"
#include "table/packing.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_BYTES ((size_t)256 << 10)
#define STATE_MAX 4096
#define ID_DIGITS 8
#define NAME_ROOM 64 /* after the prefix */

/* How far the copy is. */
struct copied {
    char id[ID_DIGITS + 1];
    uint32_t segment; /* 0: nothing is copied */
    uint64_t offset;  /* in it: what comes before is copied */
    uint64_t bytes;   /* of all segments */
};

struct line_copy {
    struct line_copy_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool ends, is_done; /* within the lock */
    struct err now;     /* within the lock: RESULT_OK, or why the copy fails */
    uv_async_t told;
    bool is_quiet; /* within the lock: `told` is closed */
    bool has_thread;
    struct copied state;
    struct twins { /* of this turn: lines that the copy had in another segment */
        struct ledger_twins *list;
        size_t count;
    } twins;
    char *block;
};

/* --- how far it is -------------------------------------------------------------------------------- */

static enum result bad_state(struct err *err)
{
    return err_set(err, RESULT_CORRUPT, "E-COPY1",
                   LINE_COPY_FILE " does not say how far the copy is: remove it, and all is "
                                  "copied again");
}

/* The id stands in names of objects. */
static bool is_id(const char *id)
{
    return strlen(id) == ID_DIGITS && strspn(id, "0123456789abcdef") == ID_DIGITS;
}

static bool parse_state(struct buf *text, struct copied *state)
{
    unsigned long long offset = 0, bytes = 0;
    bool is_good = buf_cstr(text) && sscanf(text->data, "%8s %u %llu %llu", state->id,
                                            &state->segment, &offset, &bytes) == 4;

    state->offset = offset;
    state->bytes = bytes;
    return is_good && is_id(state->id);
}

void line_copy_look(const struct run_dir *dir, struct ledger_copied *copied)
{
    struct copied state = { .segment = 0 };
    struct buf text = { 0 };
    struct kept_file file;
    struct err err;

    *copied = (struct ledger_copied){ .segment = 0 };
    if (kept_file_of_run(&file, dir, LINE_COPY_FILE, &err) != RESULT_OK) {
        return;
    }
    if (kept_file_read(&file, STATE_MAX, &text, &err) == RESULT_OK && parse_state(&text, &state)) {
        copied->segment = state.segment;
        copied->offset = state.offset;
        snprintf(copied->id, sizeof copied->id, "%s", state.id);
    }
    kept_file_close(&file);
    buf_release(&text);
}

static enum result read_state(struct line_copy *c, const struct kept_file *file, struct err *err)
{
    struct buf text = { 0 };
    uint32_t random;
    enum result result;

    result = kept_file_read(file, STATE_MAX, &text, err);
    if (result == RESULT_NOT_FOUND) {
        result = RESULT_OK;
        if (!os_random(&random, sizeof random)) {
            random = (uint32_t)time(NULL) ^ (uint32_t)getpid() << 16;
        }
        snprintf(c->state.id, sizeof c->state.id, "%08x", random);
    } else if (result == RESULT_OK && !parse_state(&text, &c->state)) {
        result = bad_state(err);
    }
    buf_release(&text);
    return result;
}

static enum result write_state(struct line_copy *c, struct err *err)
{
    char text[STATE_MAX];
    struct kept_file file;
    int len = snprintf(text, sizeof text, "%s %u %llu %llu\n", c->state.id, c->state.segment,
                       (unsigned long long)c->state.offset, (unsigned long long)c->state.bytes);
    enum result result = kept_file_of_run(&file, c->options.dir, LINE_COPY_FILE, err);

    if (result == RESULT_OK) {
        result = kept_file_write(&file, (struct str){ text, (size_t)len }, err);
        kept_file_close(&file);
    }
    return result;
}

/* A new id is kept before any object has it. */
static enum result open_state(struct line_copy *c, struct err *err)
{
    struct kept_file file;
    enum result result = kept_file_of_run(&file, c->options.dir, LINE_COPY_FILE, err);

    if (result == RESULT_OK) {
        result = read_state(c, &file, err);
        kept_file_close(&file);
    }
    return result == RESULT_OK ? write_state(c, err) : result;
}

/* --- one object ----------------------------------------------------------------------------------- */

static enum result put(void *context, struct str bytes, struct err *err)
{
    return output_write(context, bytes.data, bytes.len, err);
}

static enum result read_block(struct line_copy *c, struct segment_bytes *bytes, uint64_t at,
                              size_t len, struct err *err)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = segment_bytes_read(bytes, c->block + got, len - got, at + got);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return segment_disk_error(err, n < 0 ? errno : EIO, "read", SEGMENT_DIR);
        }
        got += (size_t)n;
    }
    return RESULT_OK;
}

/* Where the last line that begins and ends between the two ends; `to` itself if none does. */
static enum result find_end(struct line_copy *c, struct segment_bytes *bytes, uint64_t from,
                            uint64_t limit, uint64_t to, uint64_t *end, struct err *err)
{
    uint64_t high = limit;

    *end = to;
    while (high > from) {
        size_t len = high - from < BLOCK_BYTES ? (size_t)(high - from) : BLOCK_BYTES;
        enum result result = read_block(c, bytes, high - len, len, err);
        const char *last = result == RESULT_OK ? os_memrchr(c->block, '\n', len) : NULL;

        if (result != RESULT_OK) {
            return result;
        }
        if (last) {
            *end = high - len + (uint64_t)(last - c->block) + 1;
            return RESULT_OK;
        }
        high -= len;
    }
    return RESULT_OK;
}

static enum result pack(struct line_copy *c, struct segment_bytes *bytes, uint64_t from,
                        uint64_t to, void *stream, struct err *err)
{
    enum result result = RESULT_OK;

    while (from < to && result == RESULT_OK) {
        size_t len = to - from < BLOCK_BYTES ? (size_t)(to - from) : BLOCK_BYTES;

        result = read_block(c, bytes, from, len, err);
        if (result == RESULT_OK) {
            result = zstd_packing.take(stream, (struct str){ c->block, len }, err);
        }
        from += len;
    }
    return result == RESULT_OK ? zstd_packing.finish(stream, err) : result;
}

static enum result put_object(struct line_copy *c, struct segment_bytes *bytes, uint32_t segment,
                              uint64_t from, uint64_t to, struct err *err)
{
    size_t size = strlen(c->options.to) + NAME_ROOM;
    char *path = malloc(size);
    struct output_file *file = NULL;
    struct packing_target target = { put, NULL, 1 };
    void *stream = NULL;
    enum result result;

    if (!path) {
        return err_nomem(err, "copying lines");
    }
    snprintf(path, size, "%s/%s-%08u-%012llu.jsonl.zst", c->options.to, c->state.id, segment,
             (unsigned long long)from);
    result = output_open(&file, path, err);
    free(path);
    if (result != RESULT_OK) {
        return result;
    }
    target.context = file;
    result = zstd_packing.open(&stream, &target, err);
    if (result == RESULT_OK) {
        result = pack(c, bytes, from, to, stream, err);
        zstd_packing.close(stream);
    }
    if (result != RESULT_OK) {
        output_abandon(file);
        return result;
    }
    return output_commit(file, err);
}

/* --- a turn --------------------------------------------------------------------------------------- */

/* Passes over lines that the copy has; `*limit` is where the next such ones begin. */
static void pass_twins(struct line_copy *c, const struct segment_extent *extent, uint64_t *from,
                       uint64_t *limit)
{
    for (size_t i = 0; i < c->twins.count; i++) {
        const struct ledger_twins *t = &c->twins.list[i];

        if (t->segment == extent->number && t->from <= *from && t->to > *from) {
            *from = t->to < *limit ? t->to : *limit;
        } else if (t->segment == extent->number && t->from > *from) {
            *limit = t->from < *limit ? t->from : *limit;
            return;
        }
    }
}

/* The next object, of a segment that has lines which are not copied. */
static enum result copy_piece(struct line_copy *c, struct segment_bytes *bytes,
                              const struct segment_extent *extent, struct err *err)
{
    uint64_t from = extent->number == c->state.segment ? c->state.offset : 0;
    uint64_t end = extent->committed;
    enum result result = RESULT_OK;

    pass_twins(c, extent, &from, &end);
    if (end - from > LINE_COPY_PIECE_BYTES) {
        result = find_end(c, bytes, from, from + LINE_COPY_PIECE_BYTES, end, &end, err);
    }
    if (result == RESULT_OK && end > from) {
        result = put_object(c, bytes, extent->number, from, end, err);
    }
    if (result == RESULT_OK) {
        c->state.segment = extent->number;
        c->state.offset = end;
        c->state.bytes += end - from;
        result = write_state(c, err);
    }
    return result;
}

static bool is_copied(const struct line_copy *c, const struct segment_extent *extent)
{
    return extent->number < c->state.segment ||
           (extent->number == c->state.segment && extent->committed <= c->state.offset) ||
           extent->committed == 0;
}

static enum result copy_segment(void *context, const struct segment_extent *extent, struct err *err)
{
    struct line_copy *c = context;
    struct segment_bytes text, *bytes = &text;
    enum result result;
    int raw_fd;

    if (is_copied(c, extent)) {
        return RESULT_OK;
    }
    result = segment_dir_open(c->options.dir, false, &raw_fd, err);
    if (result != RESULT_OK) {
        return result;
    }
    result = segment_bytes_open(bytes, raw_fd, extent->number, err);
    close(raw_fd);
    if (result == RESULT_OK) {
        while (result == RESULT_OK && !is_copied(c, extent)) {
            result = copy_piece(c, bytes, extent, err);
        }
        segment_bytes_close(bytes);
    }
    return result;
}

/* Segments are few: they are listed first, so that no read transaction lasts while an upload does. */
struct extents {
    struct segment_extent *list;
    size_t count;
};

static enum result add_extent(void *context, const struct segment_extent *extent, struct err *err)
{
    struct extents *e = context;
    struct segment_extent *grown = realloc(e->list, (e->count + 1) * sizeof *grown);

    if (!grown) {
        return err_nomem(err, "copying lines");
    }
    e->list = grown;
    e->list[e->count++] = *extent;
    return RESULT_OK;
}

static enum result add_twins(void *context, const struct ledger_twins *twins, struct err *err)
{
    struct twins *t = context;
    struct ledger_twins *grown = realloc(t->list, (t->count + 1) * sizeof *grown);

    if (!grown) {
        return err_nomem(err, "copying lines");
    }
    t->list = grown;
    t->list[t->count++] = *twins;
    return RESULT_OK;
}

static enum result turn(struct line_copy *c, struct err *err)
{
    struct extents extents = { 0 };
    struct ledger *ledger;
    enum result result = ledger_open_readonly(&ledger, c->options.dir, err);

    if (result != RESULT_OK) {
        return result;
    }
    result = ledger_each_segment(ledger, add_extent, &extents, err);
    if (result == RESULT_OK) { /* after that: of all that is listed they are known */
        result = ledger_each_twins(ledger, c->state.id, add_twins, &c->twins, err);
    }
    ledger_close(ledger);
    for (size_t i = 0; i < extents.count && result == RESULT_OK; i++) {
        result = copy_segment(c, &extents.list[i], err);
    }
    free(extents.list);
    free(c->twins.list);
    c->twins = (struct twins){ 0 };
    return result;
}

/* --- the thread ----------------------------------------------------------------------------------- */

/* Within the lock. Until the next turn is due, or the end is. */
static void rest(struct line_copy *c)
{
    uint64_t us = c->options.every_us ? c->options.every_us : LINE_COPY_EVERY_US;
    struct timespec until;
    int timed_out = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(us / US_PER_S);
    until.tv_nsec += (long)(us % US_PER_S * 1000);
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (!c->ends && timed_out == 0) {
        timed_out = pthread_cond_timedwait(&c->wake, &c->lock, &until);
    }
}

static void *copy(void *context)
{
    struct line_copy *c = context;
    bool is_last;

    pthread_mutex_lock(&c->lock);
    do {
        struct err err = { .result = RESULT_OK };
        bool has_changed;

        rest(c);
        is_last = c->ends;
        pthread_mutex_unlock(&c->lock);
        if (turn(c, &err) == RESULT_OK) {
            err.result = RESULT_OK;
        }
        pthread_mutex_lock(&c->lock);
        has_changed = (err.result == RESULT_OK) != (c->now.result == RESULT_OK);
        c->now = err;
        if (has_changed && !is_last && !c->is_quiet) {
            uv_async_send(&c->told);
        }
    } while (!is_last);
    c->is_done = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static void on_told(uv_async_t *async)
{
    struct line_copy *c = async->data;
    struct err now;

    pthread_mutex_lock(&c->lock);
    now = c->now;
    pthread_mutex_unlock(&c->lock);
    c->options.on_change(c->options.context, &now);
}

/* --- calls ---------------------------------------------------------------------------------------- */

enum result line_copy_check(const char *to, struct err *err)
{
    size_t size = strlen(to) + NAME_ROOM;
    char *path = malloc(size);
    enum result result;

    if (!path) {
        return err_nomem(err, "copying lines");
    }
    snprintf(path, size, "%s/lines", to);
    result = strncmp(to, "s3://", 5) == 0
                 ? output_check(path, err)
                 : err_set(err, RESULT_INVALID, "E-ARG1",
                           "%s is no place to copy to: want s3://BUCKET/PREFIX", to);
    free(path);
    return result;
}

/* Signals are the main thread's. */
static bool start_thread(struct line_copy *c)
{
    sigset_t all, before;
    bool is_started;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    is_started = pthread_create(&c->thread, NULL, copy, c) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_started;
}

static void release(struct line_copy *c)
{
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    free(c->block);
    free(c);
}

/* A monotonic clock: one that is set neither hurries a turn nor puts it off. */
static void init_wake(struct line_copy *c)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&c->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

enum result line_copy_start(struct line_copy **copy_made, const struct line_copy_options *options,
                            struct err *err)
{
    struct line_copy *c = calloc(1, sizeof *c);
    enum result result;

    *copy_made = NULL;
    if (!c) {
        return err_nomem(err, "copying lines");
    }
    c->options = *options;
    init_wake(c);
    c->block = malloc(BLOCK_BYTES);
    result = c->block ? open_state(c, err) : err_nomem(err, "copying lines");
    if (result == RESULT_OK && uv_async_init(options->loop, &c->told, on_told) != 0) {
        result = err_nomem(err, "copying lines");
    }
    if (result != RESULT_OK) {
        release(c);
        return result;
    }
    c->told.data = c;
    uv_unref((uv_handle_t *)&c->told);
    c->has_thread = start_thread(c);
    if (!c->has_thread) {
        err_nomem(&c->now, "copying lines");
    }
    *copy_made = c;
    return RESULT_OK;
}

void line_copy_quiet(struct line_copy *c)
{
    if (c && !c->is_quiet) {
        pthread_mutex_lock(&c->lock);
        c->is_quiet = true;
        pthread_mutex_unlock(&c->lock);
        uv_close((uv_handle_t *)&c->told, NULL);
    }
}

/* Within the lock. */
static void wait_second(struct line_copy *c)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1;
    pthread_cond_timedwait(&c->wake, &c->lock, &until);
}

enum result line_copy_finish(struct line_copy *c, const struct at_end_pulse *pulse, uint64_t *bytes,
                             struct err *err)
{
    enum result result;

    *bytes = 0;
    if (!c) {
        return RESULT_OK;
    }
    pthread_mutex_lock(&c->lock);
    c->ends = true;
    pthread_cond_broadcast(&c->wake);
    while (c->has_thread && !c->is_done) {
        wait_second(c);
        pthread_mutex_unlock(&c->lock);
        pulse->beat(pulse->context);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    if (c->has_thread) {
        pthread_join(c->thread, NULL);
    }
    *bytes = c->state.bytes;
    *err = c->now;
    result = err->result;
    release(c);
    return result;
}
