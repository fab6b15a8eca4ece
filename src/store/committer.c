/* Who owns what:
 *
 *   loop only       async, pending_*, closed, told
 *   shared          everything in `struct shared`, under `mutex`; `wake` is for the thread, `served`
 *                   for callers of committer_read_endpoint
 *   thread only     ledger, segment, line, batch, ... (the loop's too before start and after join)
 *
 * A settlement is in exactly one list: shared.queue, batch, shared.back. The thread takes the whole
 * queue at once, holds the mutex for a few pointers, and never while it touches the disk. */
#include "store/committer.h"

#include "store/archive.h"
#include "store/ballast.h"
#include "store/event_log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STACK_BYTES (1U << 20)
#define IDLE_US 1000000       /* without work for so long, the log is folded */
#define SETTLEMENT_BYTES 1024 /* what one costs besides its body */
#define FOUND_BYTES 512       /* what each of its findings does, about */
#define NS_PER_US UINT64_C(1000)

struct list {
    struct settlement *first, **end;
    size_t count, bytes;
};

struct index_call {
    struct index_call *next;
    uint32_t endpoint;
    struct record_position *position;
    struct placed_record *records;
    size_t max, *count;
    struct err *err;
    enum result result;
    bool done;
};

/* Requests that were found, on their way to the loop. */
struct found_list {
    struct request *first, **end;
    size_t count;
};

struct shared {
    struct list queue, back;
    struct committer_question question;
    bool asked, answered;
    struct found_list found;
    uint64_t since_ns; /* when the oldest work in here came */
    bool flush, stop, clean, running, finished;
    uint64_t planned;
    bool planned_is_new;
    struct buf events;
    uint64_t events_dropped;
    struct index_call *calls;
    enum result trouble; /* the present state: OK, FULL, or why it is over */
    struct err trouble_err;
};

struct committer {
    struct committer_options options;
    uv_async_t async;
    uv_thread_t thread;
    bool started;
    size_t pending_count, pending_bytes;
    enum result told; /* the last that on_trouble heard */
    void (*closed)(void *context);

    uv_mutex_t mutex;
    uv_cond_t wake, served;
    struct shared shared;

    struct archive archive;
    struct event_log event_log;
    struct buf events; /* taken from shared, being written */
    struct list batch;
    uint64_t planned; /* to be written with the next commit; 0: nothing */
    bool with_ballast, ballast_held;
    bool paused; /* the disk is full; probed at probe_at_ns */
    bool failed; /* for good: nothing more is written */
    bool folded; /* the ledger's log holds nothing */
    uint64_t probe_at_ns;
    struct err err;
};

/* ---- lists ---- */

static void list_init(struct list *list)
{
    *list = (struct list){ .first = NULL };
    list->end = &list->first;
}

static size_t settlement_bytes(const struct settlement *settlement)
{
    return SETTLEMENT_BYTES + (settlement->response ? settlement->response->body.len : 0) +
           settlement->findings.count * FOUND_BYTES;
}

static void list_append(struct list *list, struct settlement *settlement)
{
    settlement->next = NULL;
    *list->end = settlement;
    list->end = &settlement->next;
    list->count++;
    list->bytes += settlement_bytes(settlement);
}

/* All of `from` behind `to`. */
static void list_move(struct list *to, struct list *from)
{
    if (from->first) {
        *to->end = from->first;
        to->end = from->end;
        to->count += from->count;
        to->bytes += from->bytes;
    }
    list_init(from);
}

/* ---- telling the loop ---- */

static void give_back(struct committer *c)
{
    if (c->batch.first) {
        uv_mutex_lock(&c->mutex);
        list_move(&c->shared.back, &c->batch);
        uv_mutex_unlock(&c->mutex);
        uv_async_send(&c->async);
    }
}

static void give_up_batch(struct committer *c)
{
    for (struct settlement *s = c->batch.first; s; s = s->next) {
        s->state = SETTLE_LOST;
        s->record = (struct record){ .length = 0 };
    }
    give_back(c);
}

static void tell(struct committer *c, enum result result)
{
    uv_mutex_lock(&c->mutex);
    c->shared.trouble = result;
    c->shared.trouble_err = c->err;
    uv_mutex_unlock(&c->mutex);
    uv_async_send(&c->async);
}

/* ---- a full disk, a broken disk ---- */

/* Tells, and gives up the ballast: true when another try is worth while at once. */
static bool pause_full(struct committer *c)
{
    bool had_ballast = c->ballast_held;

    if (!c->paused) {
        c->paused = true;
        tell(c, RESULT_FULL);
    }
    if (had_ballast) {
        ballast_drop(c->options.dir);
        c->ballast_held = false;
    }
    return had_ballast;
}

/* Nothing is left that found no room. A run that never had ballast goes on at that. */
static void resume_if_space(struct committer *c)
{
    if (!c->paused) {
        return;
    }
    if (c->with_ballast && !c->ballast_held) {
        c->ballast_held = ballast_hold(c->options.dir);
    }
    if (c->ballast_held || !c->with_ballast) {
        c->paused = false;
        c->err = (struct err){ .result = RESULT_OK };
        tell(c, RESULT_OK);
    }
}

static void fail(struct committer *c, enum result result)
{
    c->failed = true;
    tell(c, result);
    give_up_batch(c);
}

/* Stores the batch, or keeps it for the next probe. */
static void run_batch(struct committer *c)
{
    enum result result;

    result = archive_store(&c->archive, c->batch.first, c->planned, &c->err);
    if (result == RESULT_FULL && pause_full(c)) {
        result = ledger_checkpoint(c->archive.ledger, true, &c->err);
        if (result == RESULT_OK) {
            result = archive_store(&c->archive, c->batch.first, c->planned, &c->err);
        }
    }

    if (result == RESULT_OK) {
        c->planned = 0;
        c->folded = false;
        give_back(c);
        resume_if_space(c);
    } else if (result != RESULT_FULL) {
        fail(c, result);
    }
}

/* ---- the thread ---- */

static bool has_work(const struct shared *s)
{
    return s->queue.first || s->events.len || s->planned_is_new;
}

static bool is_enough(const struct list *queue)
{
    return queue->count >= COMMITTER_BATCH_COUNT || queue->bytes >= COMMITTER_BATCH_BYTES;
}

/* When the next batch is to be taken, by uv_hrtime. Mutex held. */
static uint64_t due_ns(const struct committer *c)
{
    const struct shared *s = &c->shared;

    if (c->paused && !c->failed) {
        return s->flush ? 0 : c->probe_at_ns;
    }
    if (!has_work(s)) {
        return TIME_NEVER;
    }
    if (s->flush || c->failed || is_enough(&s->queue)) {
        return 0;
    }
    return s->since_ns + COMMITTER_LINGER_US * NS_PER_US;
}

enum task {
    TASK_WORK,  /* take what has gathered; also a probe, and the last turn of all */
    TASK_CALLS, /* only answer questions */
    TASK_FOLD,  /* idle for long enough to tidy up */
};

/* Sleeps until there is something to do. Mutex held. */
static enum task next_task(struct committer *c)
{
    const struct shared *s = &c->shared;

    for (;;) {
        uint64_t now_ns = uv_hrtime();
        uint64_t due = due_ns(c);

        if (due <= now_ns || s->stop) {
            return TASK_WORK;
        }
        if (s->calls || s->asked) {
            return TASK_CALLS;
        }
        if (due != TIME_NEVER) {
            (void)uv_cond_timedwait(&c->wake, &c->mutex, due - now_ns);
        } else if (c->folded || c->failed) {
            uv_cond_wait(&c->wake, &c->mutex);
        } else if (uv_cond_timedwait(&c->wake, &c->mutex, IDLE_US * NS_PER_US) == UV_ETIMEDOUT &&
                   !has_work(s) && !s->calls && !s->asked && !s->stop) {
            return TASK_FOLD;
        }
    }
}

static void note_dropped_events(struct shared *s)
{
    if (s->events_dropped && s->events.len < COMMITTER_EVENTS_BYTES / 2 &&
        buf_printf(&s->events, "{\"event\":\"dropped\",\"lines\":%" PRIu64 "}\n",
                   s->events_dropped) == RESULT_OK) {
        s->events_dropped = 0;
    }
}

/* Moves what the loop has left into the thread's own hands. Mutex held. */
static void take_work(struct committer *c)
{
    struct shared *s = &c->shared;
    struct buf written = c->events; /* empty, but with memory */

    if (!c->batch.first) { /* one that found no room yet is finished first */
        list_move(&c->batch, &s->queue);
    }
    s->flush = false;
    if (s->planned_is_new) {
        c->planned = s->planned;
        s->planned_is_new = false;
    }
    c->events = s->events;
    s->events = written;
    note_dropped_events(s);
}

static void serve_calls(struct committer *c, struct index_call *calls)
{
    for (struct index_call *call = calls; call; call = call->next) {
        call->result = ledger_read_endpoint(c->archive.ledger, call->endpoint, call->position,
                                            call->records, call->max, call->count, call->err);
    }
    if (calls) {
        uv_mutex_lock(&c->mutex);
        for (struct index_call *next; calls; calls = next) {
            next = calls->next; /* the caller's stack: gone once it sees `done` */
            calls->done = true;
        }
        uv_cond_broadcast(&c->served);
        uv_mutex_unlock(&c->mutex);
    }
}

static enum result keep_found(void *context, struct request *request, int64_t not_before_us)
{
    struct found_list *list = context;

    (void)not_before_us;
    request->next = NULL;
    *list->end = request;
    list->end = &request->next;
    list->count++;
    return RESULT_OK;
}

/* The mutex is held at both ends, and not between. */
static void answer_question(struct committer *c)
{
    struct shared *s = &c->shared;
    struct found_list list = { .count = 0 };
    struct ledger_found_query query = {
        .which = LEDGER_FOUND_NEW,
        .after_id = s->question.after_id,
        .max = s->question.max,
        .visit = keep_found,
        .context = &list,
    };
    const struct committer_question question = s->question;
    enum result result = RESULT_OK;

    list.end = &list.first;
    uv_mutex_unlock(&c->mutex);
    if (!c->failed && question.accounts) {
        for (uint32_t i = 0; i < question.account_count && result == RESULT_OK; i++) {
            result = ledger_read_account(c->archive.ledger, i, &question.accounts[i], &c->err);
        }
    } else if (!c->failed && question.ids) {
        result = ledger_each_found_of(c->archive.ledger, question.ids, question.id_count, &query,
                                      &c->err);
    } else if (!c->failed) {
        result = ledger_each_found(c->archive.ledger, &query, &c->err);
    }
    if (result != RESULT_OK) {
        fail(c, result);
    }
    uv_mutex_lock(&c->mutex);
    s->found = list;
    s->asked = false;
    s->answered = true;
    uv_async_send(&c->async);
}

static void do_work(struct committer *c, bool last)
{
    if (!c->failed) {
        event_log_append(&c->event_log, buf_view(&c->events));
    }
    buf_reset(&c->events);
    if (c->failed) {
        give_up_batch(c);
    } else if (c->batch.first || c->planned) {
        run_batch(c);
    } else {
        resume_if_space(c);
    }
    if (last && c->batch.first) { /* still no room, and nobody will wait for it */
        c->failed = archive_abandon(&c->archive, &c->err) != RESULT_OK;
        give_up_batch(c);
    }
    c->probe_at_ns = uv_hrtime() + COMMITTER_PROBE_US * NS_PER_US;
}

static void fold_log(struct committer *c)
{
    enum result result = ledger_checkpoint(c->archive.ledger, true, &c->err);

    c->folded = true;
    if (result != RESULT_OK) {
        fail(c, result);
    }
}

/* Also on the loop, when the thread was never started. */
static void finish(struct committer *c, bool clean)
{
    int64_t now_us = clock_wall_us(&c->options.clock);
    enum result result = RESULT_OK;

    if (!c->failed) {
        ballast_drop(c->options.dir); /* what follows may need the room */
        result = ledger_session_end(c->archive.ledger, now_us, clean, &c->err);
    }
    if (!c->failed && result == RESULT_OK) {
        result = ledger_checkpoint(c->archive.ledger, true, &c->err);
    }
    if (result != RESULT_OK) {
        tell(c, result);
    }
    archive_close(&c->archive);
}

static void thread_main(void *argument)
{
    struct committer *c = argument;
    struct shared *s = &c->shared;
    bool stop;

    uv_mutex_lock(&c->mutex);
    do {
        enum task task = next_task(c);
        struct index_call *calls = s->calls;

        s->calls = NULL;
        stop = s->stop;
        if (task == TASK_WORK) {
            take_work(c);
        }
        uv_mutex_unlock(&c->mutex);

        serve_calls(c, calls);
        if (task == TASK_WORK) {
            do_work(c, stop);
        } else if (task == TASK_FOLD) {
            fold_log(c);
        }
        uv_mutex_lock(&c->mutex);
        if (s->asked) {
            answer_question(c);
        }
    } while (!stop || has_work(s));
    s->running = false;
    uv_mutex_unlock(&c->mutex);

    finish(c, s->clean); /* `clean` does not change once `stop` is set */
    uv_mutex_lock(&c->mutex);
    s->finished = true;
    uv_mutex_unlock(&c->mutex);
    uv_async_send(&c->async);
}

/* ---- the loop's side ---- */

/* The archive is closed. */
static void release(struct committer *c)
{
    event_log_close(&c->event_log);
    buf_release(&c->events);
    buf_release(&c->shared.events);
    uv_cond_destroy(&c->served);
    uv_cond_destroy(&c->wake);
    uv_mutex_destroy(&c->mutex);
    free(c);
}

static void on_async_closed(uv_handle_t *handle)
{
    struct committer *c = handle->data;
    void (*closed)(void *context) = c->closed;
    void *context = c->options.context;

    release(c);
    closed(context);
}

static void deliver(struct committer *c, const struct list *back)
{
    if (back->first) {
        c->pending_count -= back->count;
        c->pending_bytes -= back->bytes;
        c->options.on_committed(c->options.context, back->first);
    }
}

static void deliver_found(struct committer *c)
{
    struct found_list found;
    bool answered;

    uv_mutex_lock(&c->mutex);
    answered = c->shared.answered;
    c->shared.answered = false;
    found = c->shared.found;
    c->shared.found = (struct found_list){ .count = 0 };
    uv_mutex_unlock(&c->mutex);
    if (answered) {
        c->options.on_found(c->options.context, found.first, found.count);
    }
}

static void on_news(uv_async_t *async)
{
    struct committer *c = async->data;
    enum result trouble;
    struct err err;
    struct list back;
    bool finished;

    list_init(&back);
    uv_mutex_lock(&c->mutex);
    list_move(&back, &c->shared.back);
    trouble = c->shared.trouble;
    err = c->shared.trouble_err;
    finished = c->shared.finished;
    uv_mutex_unlock(&c->mutex);

    if (trouble != c->told) {
        c->told = trouble;
        c->options.on_trouble(c->options.context, trouble, &err);
    }
    deliver(c, &back);
    deliver_found(c);
    if (finished && !uv_is_closing((uv_handle_t *)&c->async)) {
        uv_thread_join(&c->thread);
        uv_close((uv_handle_t *)&c->async, on_async_closed);
    }
}

static struct committer *committer_alloc(const struct committer_options *options)
{
    struct committer *c = calloc(1, sizeof *c);

    if (!c) {
        return NULL;
    }
    if (uv_mutex_init(&c->mutex)) {
        goto fail_mutex;
    }
    if (uv_cond_init(&c->wake)) {
        goto fail_wake;
    }
    if (uv_cond_init(&c->served)) {
        goto fail_served;
    }
    c->options = *options;
    c->event_log.fd = -1;
    list_init(&c->shared.queue);
    list_init(&c->shared.back);
    list_init(&c->batch);
    buf_init(&c->shared.events, COMMITTER_EVENTS_BYTES);
    buf_init(&c->events, COMMITTER_EVENTS_BYTES);
    return c;

fail_served:
    uv_cond_destroy(&c->wake);
fail_wake:
    uv_mutex_destroy(&c->mutex);
fail_mutex:
    free(c);
    return NULL;
}

enum result committer_open(struct committer **committer, const struct committer_options *options,
                           struct recovery *recovery, struct err *err)
{
    struct committer *c = committer_alloc(options);
    enum result result;

    if (!c) {
        return err_nomem(err, "opening the store");
    }
    result = archive_open(&c->archive, options->dir, options->plan, clock_wall_us(&options->clock),
                          recovery, err);
    if (result != RESULT_OK) {
        goto fail_archive;
    }
    result = event_log_open(&c->event_log, options->dir, err);
    if (result != RESULT_OK) {
        goto fail_events;
    }
    if (uv_async_init(options->loop, &c->async, on_news)) {
        result = err_set(err, RESULT_IO, "E-RES1", "cannot create an event for the store's thread");
        goto fail_events;
    }
    c->async.data = c;
    c->with_ballast = c->ballast_held = ballast_hold(options->dir);
    *committer = c;
    return RESULT_OK;

fail_events:
    archive_close(&c->archive);
fail_archive:
    release(c);
    return result;
}

enum result committer_each_row(struct committer *committer,
                               void (*visit)(void *context, const struct ledger_row *row),
                               void *context, struct err *err)
{
    assert(!committer->started);
    return ledger_each_row(committer->archive.ledger, visit, context, err);
}

enum result committer_each_waiting(struct committer *committer,
                                   enum result (*visit)(void *context, struct request *request,
                                                        int64_t not_before_us),
                                   void *context, struct err *err)
{
    struct ledger_found_query query = {
        .which = LEDGER_FOUND_WAITING, .max = SIZE_MAX, .visit = visit, .context = context
    };

    assert(!committer->started);
    return ledger_each_found(committer->archive.ledger, &query, err);
}

enum result committer_count_found(struct committer *committer, uint64_t *counts,
                                  size_t endpoint_count, struct err *err)
{
    assert(!committer->started);
    return ledger_count_found(committer->archive.ledger, counts, endpoint_count, err);
}

enum result committer_read_rounds(struct committer *committer, struct rounds_kept *rounds,
                                  struct err *err)
{
    assert(!committer->started);
    return ledger_read_rounds(committer->archive.ledger, rounds, err);
}

enum result committer_start(struct committer *committer, struct err *err)
{
    uv_thread_options_t options = { .flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES };
    sigset_t all, before;
    int code;

    assert(!committer->started);
    committer->shared.running = true;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all,
                    &before); /* a new thread inherits it: signals are the loop's */
    code = uv_thread_create_ex(&committer->thread, &options, thread_main, committer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code) {
        committer->shared.running = false;
        return err_set(err, RESULT_IO, "E-RES1", "cannot start the store's thread: %s",
                       uv_strerror(code));
    }
    committer->started = true;
    return RESULT_OK;
}

/* Mutex held: wakes the thread if it sleeps for want of work, or if enough has gathered. */
static void note_work(struct committer *c, bool first, bool enough)
{
    if (first) {
        c->shared.since_ns = uv_hrtime();
    }
    if (first || enough) {
        uv_cond_signal(&c->wake);
    }
}

void committer_put(struct committer *committer, struct settlement *settlement)
{
    struct shared *s = &committer->shared;
    bool first, was_enough;

    assert(settlement->state == SETTLE_ROUND ||
           (settlement->state != SETTLE_LOST && settlement->response->request->id > 0));
    committer->pending_count++;
    committer->pending_bytes += settlement_bytes(settlement);
    uv_mutex_lock(&committer->mutex);
    first = !has_work(s);
    was_enough = is_enough(&s->queue);
    list_append(&s->queue, settlement);
    note_work(committer, first, !was_enough && is_enough(&s->queue));
    uv_mutex_unlock(&committer->mutex);
}

bool committer_is_full(const struct committer *committer)
{
    return committer->pending_count >= COMMITTER_QUEUE_COUNT ||
           committer->pending_bytes >= COMMITTER_QUEUE_BYTES;
}

size_t committer_pending(const struct committer *committer)
{
    return committer->pending_count;
}

void committer_flush(struct committer *committer)
{
    uv_mutex_lock(&committer->mutex);
    committer->shared.flush = true;
    uv_cond_signal(&committer->wake);
    uv_mutex_unlock(&committer->mutex);
}

void committer_set_planned(struct committer *committer, uint64_t planned)
{
    struct shared *s = &committer->shared;
    bool first;

    uv_mutex_lock(&committer->mutex);
    first = !has_work(s);
    s->planned = planned;
    s->planned_is_new = true;
    note_work(committer, first, false);
    uv_mutex_unlock(&committer->mutex);
}

void committer_event(struct committer *committer, struct str line)
{
    struct shared *s = &committer->shared;
    size_t before;
    bool first;

    uv_mutex_lock(&committer->mutex);
    first = !has_work(s);
    before = s->events.len;
    if (buf_append_str(&s->events, line) != RESULT_OK ||
        buf_append_char(&s->events, '\n') != RESULT_OK) {
        s->events.len = before;
        s->events_dropped++;
    } else {
        note_work(committer, first, false);
    }
    uv_mutex_unlock(&committer->mutex);
}

void committer_read_found(struct committer *committer, const struct committer_question *question)
{
    struct shared *s = &committer->shared;

    uv_mutex_lock(&committer->mutex);
    assert(!s->asked && !s->answered && !s->stop);
    s->question = *question;
    s->asked = true;
    uv_cond_signal(&committer->wake);
    uv_mutex_unlock(&committer->mutex);
}

enum result committer_read_endpoint(struct committer *committer, uint32_t endpoint,
                                    struct record_position *position, struct placed_record *records,
                                    size_t max, size_t *count, struct err *err)
{
    struct index_call call = { .endpoint = endpoint,
                               .position = position,
                               .records = records,
                               .max = max,
                               .count = count,
                               .err = err };

    *count = 0;
    uv_mutex_lock(&committer->mutex);
    if (!committer->shared.running) {
        uv_mutex_unlock(&committer->mutex);
        return err_set(err, RESULT_CANCELLED, "E-STOP1", "the store is closed");
    }
    call.next = committer->shared.calls;
    committer->shared.calls = &call;
    uv_cond_signal(&committer->wake);
    while (!call.done) {
        uv_cond_wait(&committer->served, &committer->mutex);
    }
    uv_mutex_unlock(&committer->mutex);
    return call.result;
}

void committer_close(struct committer *committer, bool clean, void (*closed)(void *context))
{
    committer->closed = closed;
    if (!committer->started) {
        finish(committer, clean);
        uv_close((uv_handle_t *)&committer->async, on_async_closed);
        return;
    }
    uv_mutex_lock(&committer->mutex);
    committer->shared.stop = true;
    committer->shared.clean = clean;
    uv_cond_signal(&committer->wake);
    uv_mutex_unlock(&committer->mutex);
}
