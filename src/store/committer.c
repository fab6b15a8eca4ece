#include "store/committer.h"

#include "store/ballast.h"
#include "store/committer_state.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACK_BYTES (1U << 20)

/* The archive is closed. */
static void release(struct committer *c)
{
    event_log_close(&c->event_log);
    buf_release(&c->events);
    for (int i = 0; i < LEDGER_NOTES; i++) {
        buf_release(&c->notes[i]);
        buf_release(&c->shared.notes[i]);
    }
    buf_release(&c->shared.events);
    buf_release(&c->shared.failed.texts);
    uv_cond_destroy(&c->returned);
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

static void deliver(struct committer *c, const struct settlement_list *back)
{
    if (back->first) {
        c->pending_count -= back->count;
        c->pending_bytes -= back->bytes;
        c->options.on_committed(c->options.context, back->first);
    }
}

static void deliver_discovered(struct committer *c)
{
    struct discovered_list found;
    bool answered;

    uv_mutex_lock(&c->mutex);
    answered = c->shared.answered;
    c->shared.answered = false;
    found = c->shared.found;
    c->shared.found = (struct discovered_list){ .count = 0 };
    uv_mutex_unlock(&c->mutex);
    if (answered) {
        c->options.on_found(c->options.context, found.first, found.count);
    }
}

static void deliver_failed(struct committer *c)
{
    struct failed_answer answer;

    uv_mutex_lock(&c->mutex);
    answer = c->shared.failed;
    c->shared.failed = (struct failed_answer){ .is_there = false };
    uv_mutex_unlock(&c->mutex);
    if (answer.is_there) {
        c->options.on_failed(c->options.context, answer.id, answer.has_row ? &answer.row : NULL);
    }
    buf_release(&answer.texts);
}

static void deliver_tended(struct committer *c)
{
    char text[TENDER_TEXT_MAX];
    bool is_there, is_trouble;

    uv_mutex_lock(&c->mutex);
    is_there = c->shared.tended.is_there;
    is_trouble = c->shared.tended.is_trouble;
    memcpy(text, c->shared.tended.text, sizeof text);
    c->shared.tended.is_there = false;
    uv_mutex_unlock(&c->mutex);
    if (is_there) {
        c->options.on_tended(c->options.context, is_trouble, text);
    }
}

static void on_news(uv_async_t *async)
{
    struct committer *c = async->data;
    enum result trouble;
    struct err err;
    struct settlement_list back;
    bool finished;

    settlement_list_init(&back);
    uv_mutex_lock(&c->mutex);
    settlement_list_move(&back, &c->shared.back);
    trouble = c->shared.trouble;
    err = c->shared.trouble_err;
    finished = c->shared.finished;
    uv_mutex_unlock(&c->mutex);

    if (trouble != c->told) {
        c->told = trouble;
        c->options.on_trouble(c->options.context, trouble, &err);
    }
    deliver(c, &back);
    deliver_discovered(c);
    deliver_failed(c);
    deliver_tended(c);
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
    if (uv_cond_init(&c->returned)) {
        goto fail_returned;
    }
    c->options = *options;
    c->event_log.fd = -1;
    settlement_list_init(&c->shared.queue);
    settlement_list_init(&c->shared.back);
    settlement_list_init(&c->batch);
    buf_init(&c->shared.events, COMMITTER_EVENTS_BYTES);
    buf_init(&c->events, COMMITTER_EVENTS_BYTES);
    return c;

fail_returned:
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
    result = archive_open(
        &c->archive, options->dir,
        &(struct archive_options){ .plan = options->plan,
                                   .job = options->job,
                                   .claim = options->claim,
                                   .context = options->context,
                                   .sends_again = options->sends_again,
                                   .packs = options->packs,
                                   .clock = { clock_wall_us(&options->clock),
                                              clock_now_us(&options->clock), options->boot } },
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

enum result committer_each_exchange(struct committer *committer,
                                    enum result (*visit)(void *context, uint64_t id,
                                                         const struct exchange *exchange,
                                                         struct err *err),
                                    void *context, struct err *err)
{
    assert(!committer->started);
    return ledger_each_exchange(committer->archive.ledger, visit, context, err);
}

enum result committer_each_waiting(struct committer *committer,
                                   enum result (*visit)(void *context, struct request *request,
                                                        int64_t not_before_us),
                                   void *context, struct err *err)
{
    struct ledger_discovered_query query = {
        .which = LEDGER_DISCOVERED_WAITING, .max = SIZE_MAX, .visit = visit, .context = context
    };

    assert(!committer->started);
    return ledger_each_discovered(committer->archive.ledger, &query, err);
}

enum result committer_count_discovered(struct committer *committer, uint64_t *counts,
                                       size_t endpoint_count, struct err *err)
{
    assert(!committer->started);
    return ledger_count_discovered(committer->archive.ledger, counts, endpoint_count, err);
}

enum result committer_last_found(struct committer *committer, uint64_t *id, struct err *err)
{
    assert(!committer->started);
    return ledger_last_found(committer->archive.ledger, id, err);
}

enum result committer_outbox_ends(struct committer *committer, uint64_t *before, uint64_t *last,
                                  struct err *err)
{
    assert(!committer->started);
    return ledger_outbox_ends(committer->archive.ledger, before, last, err);
}

enum result committer_merge(struct committer *committer, struct ledger_merge *merge,
                            struct recovery *recovery, struct err *err)
{
    struct ledger_summary summary;
    enum result result;

    assert(!committer->started);
    result = ledger_merge(committer->archive.ledger, merge, err);
    if (result == RESULT_OK) {
        result = ledger_summarise(committer->archive.ledger, &summary, err);
    }
    if (result == RESULT_OK) {
        recovery->done = summary.done;
        recovery->failed = summary.failed;
        recovery->unchanged = summary.unchanged;
        recovery->round_from = summary.round_from;
        recovery->earlier = summary.earlier;
        recovery->waiting = summary.waiting;
    }
    return result;
}

enum result committer_read_rounds(struct committer *committer, struct rounds_kept *rounds,
                                  struct err *err)
{
    assert(!committer->started);
    return ledger_read_rounds(committer->archive.ledger, rounds, err);
}

enum result committer_each_since(struct committer *committer, ledger_since_fn *visit, void *context,
                                 struct err *err)
{
    assert(!committer->started);
    return ledger_each_since(committer->archive.ledger, visit, context, err);
}

enum result committer_read_note(struct committer *committer, enum ledger_note note,
                                struct buf *text, struct err *err)
{
    assert(!committer->started);
    return ledger_read_kept(committer->archive.ledger, ledger_note_name(note), text, err);
}

/* By the tender's thread. */
static enum result lend(void *context, archive_use_fn *use, void *use_context, struct err *err)
{
    struct committer *c = context;
    struct shared *s = &c->shared;
    enum result result = RESULT_CANCELLED;

    uv_mutex_lock(&c->mutex);
    s->lent.use = use;
    s->lent.context = use_context;
    s->lent.is_done = false;
    uv_cond_signal(&c->wake);
    while (!s->lent.is_done && !s->lent.is_over) {
        uv_cond_wait(&c->returned, &c->mutex);
    }
    if (s->lent.is_done) {
        result = s->lent.result;
        *err = s->lent.err;
    }
    s->lent.use = NULL;
    uv_mutex_unlock(&c->mutex);
    return result;
}

static void take_word(void *context, bool is_trouble, const char *text)
{
    struct committer *c = context;

    uv_mutex_lock(&c->mutex);
    c->shared.tended.is_there = true;
    c->shared.tended.is_trouble = is_trouble;
    snprintf(c->shared.tended.text, sizeof c->shared.tended.text, "%s", text);
    uv_mutex_unlock(&c->mutex);
    uv_async_send(&c->async);
}

enum result committer_start(struct committer *committer, struct err *err)
{
    const struct tender_lender lender = { lend, take_word, committer };
    enum result result = RESULT_OK;
    uv_thread_options_t options = { .flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES };
    sigset_t all, before;
    int code;

    assert(!committer->started);
    ledger_set_patience(committer->archive.ledger, committer_waits, committer);
    committer->shared.running = true;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all,
                    &before); /* a new thread inherits it: signals are the loop's */
    code = uv_thread_create_ex(&committer->thread, &options, committer_thread, committer);
    if (!code && committer->options.tending) {
        result = tender_start(&committer->tender, committer->options.tending, &lender, err);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code) {
        committer->shared.running = false;
        return err_set(err, RESULT_IO, "E-RES1", "cannot start the store's thread: %s",
                       uv_strerror(code));
    }
    committer->started = true;
    return result;
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
    first = !committer_has_work(s);
    was_enough = committer_has_batch(&s->queue);
    settlement_list_append(&s->queue, settlement);
    note_work(committer, first, !was_enough && committer_has_batch(&s->queue));
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

size_t committer_pending_bytes(const struct committer *committer)
{
    return committer->pending_bytes;
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
    first = !committer_has_work(s);
    s->planned = planned;
    s->planned_is_new = true;
    note_work(committer, first, false);
    uv_mutex_unlock(&committer->mutex);
}

void committer_drop_outbox(struct committer *committer, uint64_t upto)
{
    struct shared *s = &committer->shared;
    bool first;

    uv_mutex_lock(&committer->mutex);
    first = !committer_has_work(s);
    s->outbox_done = upto;
    note_work(committer, first, false);
    uv_mutex_unlock(&committer->mutex);
}

void committer_set_note(struct committer *committer, enum ledger_note note, struct str text)
{
    struct shared *s = &committer->shared;
    bool first;

    uv_mutex_lock(&committer->mutex);
    first = !committer_has_work(s);
    buf_reset(&s->notes[note]);
    if (buf_append_str(&s->notes[note], text) == RESULT_OK) { /* else the next one will do */
        note_work(committer, first, false);
    }
    uv_mutex_unlock(&committer->mutex);
}

void committer_event(struct committer *committer, struct str line)
{
    struct shared *s = &committer->shared;
    size_t before;
    bool first;

    uv_mutex_lock(&committer->mutex);
    first = !committer_has_work(s);
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

void committer_read_discovered(struct committer *committer,
                               const struct committer_question *question)
{
    struct shared *s = &committer->shared;

    uv_mutex_lock(&committer->mutex);
    assert(!s->asked && !s->answered && !s->stop);
    s->question = *question;
    s->asked = true;
    uv_cond_signal(&committer->wake);
    uv_mutex_unlock(&committer->mutex);
}

void committer_read_failed(struct committer *committer, uint64_t id)
{
    struct shared *s = &committer->shared;

    uv_mutex_lock(&committer->mutex);
    assert(!s->failed_asked && !s->stop);
    s->failed_asked = id;
    uv_cond_signal(&committer->wake);
    uv_mutex_unlock(&committer->mutex);
}

void committer_close(struct committer *committer, bool clean, void (*closed)(void *context))
{
    committer->closed = closed;
    if (!committer->started) {
        committer_finish(committer, clean);
        uv_close((uv_handle_t *)&committer->async, on_async_closed);
        return;
    }
    uv_mutex_lock(&committer->mutex);
    committer->shared.stop = true;
    committer->shared.clean = clean;
    uv_cond_signal(&committer->wake);
    uv_mutex_unlock(&committer->mutex);
}
