#include "engine/feed.h"

#include "base/os.h"
#include "base/write_all.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "job/list.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)256 << 10)
/* an end that comes with a Ctrl-C is that of who was writing, not the list's */
#define END_PAUSE_MS 200
#define LINES_A_TURN 20000 /* looked at before others have theirs */

struct feed {
    struct engine *engine;
    const struct feed_source *source;
    struct list *list; /* the copy, as far as it has been told */
    uint64_t offset;   /* looked at so far */
    bool is_over;      /* all is looked at, and nothing more comes */
    bool is_cut;       /* it is over before the list's end */
    bool handle_is_open, thread_runs;
    int stop_fds[2]; /* closing [1] ends the thread */
    uv_thread_t thread;
    uv_async_t async;
    /* The thread's word. */
    _Atomic uint64_t size; /* of the copy, durable */
    atomic_bool is_quiet;  /* the loop's: the run is stopping, nothing more is kept */
    atomic_bool has_ended; /* at the end of the pipe, or by an error */
    _Atomic int failed_by; /* errno, 0: none */
    struct buf pending;    /* the thread's: not yet a whole line */
    char *piece;           /* PIECE_BYTES, the thread's */
};

/* --- the pipe ------------------------------------------------------------------------------------- */

/* The first `len` of what is pending. */
static int append(struct feed *f, size_t len)
{
    int failed = write_all(f->source->copy_fd, (struct str){ f->pending.data, len });

    if (!failed && os_fdatasync(f->source->copy_fd) != 0) {
        failed = errno;
    }
    if (!failed) {
        atomic_fetch_add(&f->size, len);
        memmove(f->pending.data, f->pending.data + len, f->pending.len - len);
        f->pending.len -= len;
        uv_async_send(&f->async);
    }
    return failed;
}

/* Whole lines; what is no line at that length never will be, and is looked at as it is. */
static int take(struct feed *f, const char *bytes, size_t len)
{
    const char *last;

    if (buf_append(&f->pending, bytes, len) != RESULT_OK) {
        return ENOMEM;
    }
    last = os_memrchr(f->pending.data, '\n', f->pending.len);
    if (!last && f->pending.len > 2 * LIST_LINE_MAX) {
        last = f->pending.data + f->pending.len - 1;
    }
    return last ? append(f, (size_t)(last - f->pending.data) + 1) : 0;
}

static int end_of_pipe(struct feed *f)
{
    if (!f->pending.len) {
        return 0;
    }
    return buf_append_char(&f->pending, '\n') == RESULT_OK ? append(f, f->pending.len) : ENOMEM;
}

static void read_pipe(void *context)
{
    struct feed *f = context;
    struct pollfd fds[] = { { .fd = f->source->pipe_fd, .events = POLLIN },
                            { .fd = f->stop_fds[0], .events = POLLIN } };
    int failed = 0;

    while (!failed) {
        ssize_t got;

        if (poll(fds, 2, -1) < 0 && errno != EINTR) {
            failed = errno;
            break;
        }
        if (fds[1].revents) {
            return; /* stopped: the mark stays */
        }
        if (!fds[0].revents) {
            continue;
        }
        got = read(f->source->pipe_fd, f->piece, PIECE_BYTES);
        if (got == 0 && poll(&fds[1], 1, END_PAUSE_MS) > 0) {
            return;
        }
        if (atomic_load(&f->is_quiet)) {
            return;
        }
        if (got == 0) {
            failed = end_of_pipe(f);
            break;
        }
        failed = got > 0 ? take(f, f->piece, (size_t)got) : errno == EINTR ? 0 : errno;
    }
    atomic_store(&f->failed_by, failed);
    atomic_store(&f->has_ended, true);
    uv_async_send(&f->async);
}

/* --- the loop ------------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct feed *f = handle->data;

    f->handle_is_open = false;
    engine_want_turn(f->engine);
}

/* The thread is gone after it. */
static void finish(struct feed *f)
{
    f->is_over = true;
    if (f->thread_runs) {
        close(f->stop_fds[1]);
        uv_thread_join(&f->thread);
        close(f->stop_fds[0]);
        f->thread_runs = false;
    }
    if (f->handle_is_open && !uv_is_closing((uv_handle_t *)&f->async)) {
        uv_close((uv_handle_t *)&f->async, on_handle_closed);
    }
}

static void end_badly(struct feed *f, enum exit_code exit, const struct err *err)
{
    struct engine *e = f->engine;

    finish(f);
    f->is_cut = true;
    e->ending.exit = exit;
    events_add(&e->events, EVENT_ERROR, "input", "", "%s", err->text);
    engine_stop_for(e, err->code, err->text);
}

/* The copy ends before the line that cannot be asked for, so that the list can be given again, mended. */
static void refuse_line(struct feed *f, const struct err *err)
{
    struct err told = *err;

    finish(f);
    if (ftruncate(f->source->copy_fd, (off_t)f->offset) != 0) {
        err_set_errno(&told, errno, "E-DIR3", "cannot cut the copy of the list");
    }
    end_badly(f, EXIT_USAGE, &told);
}

/* True when all of what the copy has is looked at. */
static bool look(struct feed *f)
{
    uint64_t size = atomic_load(&f->size), count = 0;
    enum result result = RESULT_OK;
    struct err err = { .result = RESULT_OK };

    list_end_at(f->list, size);
    while (f->offset < size && count < LINES_A_TURN) {
        struct list_entry entry;
        uint64_t offset = f->offset;

        result = list_next(f->list, &offset, &entry, &err);
        if (result != RESULT_OK) {
            break;
        }
        f->offset = offset;
        count++;
    }
    if (result == RESULT_NOT_FOUND) { /* nothing but blank lines and comments after */
        f->offset = size;
    }
    if (count) {
        frontier_extend(f->engine->frontier, count);
        committer_set_planned(f->engine->committer, frontier_own(f->engine->frontier));
    }
    if (result != RESULT_OK && result != RESULT_NOT_FOUND) {
        refuse_line(f, &err);
    }
    return f->offset == size;
}

static void end_of_list(struct feed *f)
{
    struct engine *e = f->engine;
    int failed = atomic_load(&f->failed_by);
    struct err err;

    if (failed) {
        err_set_errno(&err, failed, "E-IN2", "the list cannot be read on or kept");
        end_badly(f, EXIT_STORAGE, &err);
        return;
    }
    finish(f);
    (void)unlinkat(e->options.dir->fd, f->source->mark, 0); /* left there, it warns for nothing */
    events_add(&e->events, EVENT_INFO, "input", "", "the list has ended: %llu request%s",
               (unsigned long long)frontier_total(e->frontier),
               units_plural(frontier_total(e->frontier)));
}

static void on_news(uv_async_t *async)
{
    struct feed *f = async->data;
    bool has_ended = atomic_load(&f->has_ended); /* before the size: nothing comes after it */

    if (f->is_over || f->engine->phase == ENGINE_CLOSING) {
        return;
    }
    if (!look(f)) {
        if (!f->is_over) {
            uv_async_send(&f->async); /* the rest in another turn */
        }
    } else if (has_ended) {
        end_of_list(f);
    }
    engine_want_turn(f->engine);
}

/* --- the outside ----------------------------------------------------------------------------------- */

void feed_source_release(struct feed_source *s)
{
    if (!s->is_used) {
        return;
    }
    if (s->pipe_fd > STDERR_FILENO) {
        close(s->pipe_fd);
    }
    close(s->copy_fd);
    buf_release(&s->begun);
    *s = (struct feed_source){ .is_used = false };
}

static enum result start_thread(struct feed *f, struct err *err)
{
    if (os_pipe(f->stop_fds) != 0) {
        return err_set_errno(err, errno, "E-RES1", "no descriptors to read the list on");
    }
    if (uv_async_init(f->engine->options.loop, &f->async, on_news) != 0) {
        close(f->stop_fds[0]);
        close(f->stop_fds[1]);
        return err_set(err, RESULT_NOMEM, "E-RES1", "no handle to read the list on");
    }
    f->async.data = f;
    f->handle_is_open = true;
    if (uv_thread_create(&f->thread, read_pipe, f) != 0) {
        close(f->stop_fds[0]);
        close(f->stop_fds[1]);
        return err_set(err, RESULT_NOMEM, "E-RES1", "no thread to read the list on");
    }
    f->thread_runs = true;
    return RESULT_OK;
}

enum result feed_start(struct engine *e, const struct feed_source *source, int list_fd,
                       struct err *err)
{
    struct feed *f = calloc(1, sizeof *f);
    enum result result;

    e->feed = f;
    if (!f) {
        return err_nomem(err, "reading the list on");
    }
    f->engine = e;
    f->source = source;
    f->offset = source->size;
    atomic_store(&f->size, source->size);
    f->piece = malloc(PIECE_BYTES);
    buf_init(&f->pending, PIECE_BYTES + 4 * LIST_LINE_MAX);
    if (!f->piece || buf_append_str(&f->pending, buf_view(&source->begun)) != RESULT_OK) {
        f->is_over = true;
        return err_nomem(err, "reading the list on");
    }
    result = list_open_fd(&f->list, list_fd, source->name, err);
    if (result == RESULT_OK) {
        result = start_thread(f, err);
    }
    f->is_over = result != RESULT_OK;
    return result;
}

void feed_keep_quiet(struct feed *f)
{
    if (f) {
        atomic_store(&f->is_quiet, true);
    }
}

bool feed_is_open(const struct feed *f)
{
    return f && !f->is_over;
}

bool feed_is_cut(const struct feed *f)
{
    return f && (f->is_cut || !f->is_over);
}

static void feed_free(struct feed *f)
{
    list_free(f->list);
    buf_release(&f->pending);
    free(f->piece);
    free(f);
}

bool feed_stop(struct engine *e)
{
    struct feed *f = e->feed;

    if (!f) {
        return true;
    }
    finish(f);
    if (f->handle_is_open) {
        return false;
    }
    feed_free(f);
    e->feed = NULL;
    return true;
}
