/*
 * The committer's thread: takes what has gathered, stores it, and tells the loop.
 */
#include "store/committer_state.h"

#include "store/ballast.h"
#include "store/dropped.h"

#include <inttypes.h>

#define IDLE_US 1000000 /* without work for so long: the log is folded, and all looked after */
#define SETTLEMENT_BYTES 1024 /* what one costs besides its body */
#define FOUND_BYTES 512       /* what each of its discoveries does, about */

void settlement_list_init(struct settlement_list *list)
{
    *list = (struct settlement_list){ .first = NULL };
    list->end = &list->first;
}

size_t settlement_bytes(const struct settlement *settlement)
{
    return SETTLEMENT_BYTES + (settlement->response ? settlement->response->body.len : 0) +
           settlement->said.headers.len + settlement->said.body.len +
           settlement->discoveries.count * FOUND_BYTES;
}

void settlement_list_append(struct settlement_list *list, struct settlement *settlement)
{
    settlement->next = NULL;
    *list->end = settlement;
    list->end = &settlement->next;
    list->count++;
    list->bytes += settlement_bytes(settlement);
}

void settlement_list_move(struct settlement_list *to, struct settlement_list *from)
{
    if (from->first) {
        *to->end = from->first;
        to->end = from->end;
        to->count += from->count;
        to->bytes += from->bytes;
    }
    settlement_list_init(from);
}

/* ---- telling the loop ---- */

static void give_back(struct committer *c)
{
    if (c->batch.first) {
        uv_mutex_lock(&c->mutex);
        settlement_list_move(&c->shared.back, &c->batch);
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

/* ---- another program at the ledger ---- */

/* Asked by the ledger, in the midst of a call. */
bool committer_waits(void *context, unsigned waited_ms)
{
    struct committer *c = context;
    bool stop, clean;

    uv_mutex_lock(&c->mutex);
    stop = c->shared.stop;
    clean = c->shared.clean;
    uv_mutex_unlock(&c->mutex);
    if (stop && (!clean || waited_ms >= LEDGER_BUSY_MS)) {
        return false;
    }
    if (!c->waits && waited_ms * US_PER_MS >= COMMITTER_BUSY_US) {
        c->waits = true;
        c->err = (struct err){ .result = RESULT_BUSY };
        err_set(&c->err, RESULT_BUSY, "E-LOCK1",
                "%s/ledger.db is held by another program: waiting for it", c->options.dir->path);
        tell(c, RESULT_BUSY);
    }
    return true;
}

/* The call has come back: the other program has let go of it. */
static void end_wait(struct committer *c)
{
    if (c->waits && !c->failed) {
        c->waits = false;
        tell(c, c->paused ? RESULT_FULL : RESULT_OK);
    }
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

/* Calls fail in many ways where there is nothing any more: that is then what there is to tell. */
static enum result find_cause(struct committer *c, enum result result)
{
    struct err gone;

    if (archive_look(&c->archive, &gone) == RESULT_NOT_FOUND) {
        c->err = gone;
        return RESULT_NOT_FOUND;
    }
    return result;
}

static void fail(struct committer *c, enum result result)
{
    result = find_cause(c, result);
    c->failed = true;
    tell(c, result);
    give_up_batch(c);
}

/* Stores the batch, or keeps it for the next probe. */
static void run_batch(struct committer *c)
{
    enum result result;

    for (int i = 0; i < LEDGER_NOTES; i++) {
        c->archive.notes[i] = buf_view(&c->notes[i]);
    }
    c->archive.outbox_done = c->outbox_done;
    result = archive_store(&c->archive, c->batch.first, c->planned, &c->err);
    if (result == RESULT_FULL && pause_full(c)) {
        result = ledger_checkpoint(c->archive.ledger, true, &c->err);
        if (result == RESULT_OK) {
            result = archive_store(&c->archive, c->batch.first, c->planned, &c->err);
        }
    }

    if (result == RESULT_OK) {
        c->planned = c->outbox_done = 0;
        for (int i = 0; i < LEDGER_NOTES; i++) {
            buf_reset(&c->notes[i]);
        }
        c->folded = false;
        give_back(c);
        resume_if_space(c);
    } else if (result != RESULT_FULL) {
        fail(c, result);
    }
}

/* ---- its turns ---- */

static bool has_notes(const struct buf notes[LEDGER_NOTES])
{
    for (int i = 0; i < LEDGER_NOTES; i++) {
        if (notes[i].len) {
            return true;
        }
    }
    return false;
}

bool committer_has_work(const struct shared *s)
{
    return s->queue.first || s->events.len || s->planned_is_new || s->outbox_done ||
           has_notes(s->notes);
}

bool committer_has_batch(const struct settlement_list *queue)
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
    if (!committer_has_work(s)) {
        return TIME_NEVER;
    }
    if (s->flush || c->failed || committer_has_batch(&s->queue)) {
        return 0;
    }
    return s->since_ns + COMMITTER_LINGER_US * NS_PER_US;
}

enum task {
    TASK_WORK,      /* take what has gathered; also a probe, and the last turn of all */
    TASK_QUESTIONS, /* only answer questions */
    TASK_IDLE, /* nothing to do for long enough to tidy up, and to look whether all is still there */
};

/* Somebody waits for the archive. */
static bool is_wanted(const struct shared *s)
{
    return s->lent.use && !s->lent.is_done;
}

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
        if (s->asked || s->failed_asked || is_wanted(s)) {
            return TASK_QUESTIONS;
        }
        if (due != TIME_NEVER) {
            (void)uv_cond_timedwait(&c->wake, &c->mutex, due - now_ns);
        } else if (c->failed) {
            uv_cond_wait(&c->wake, &c->mutex);
        } else if (uv_cond_timedwait(&c->wake, &c->mutex, IDLE_US * NS_PER_US) == UV_ETIMEDOUT &&
                   !committer_has_work(s) && !s->asked && !s->failed_asked && !is_wanted(s) &&
                   !s->stop) {
            return TASK_IDLE;
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

/* The mutex is held. */
static void take_notes(struct committer *c)
{
    for (int i = 0; i < LEDGER_NOTES; i++) {
        struct buf before = c->notes[i];

        if (c->shared.notes[i].len) {
            c->notes[i] = c->shared.notes[i];
            c->shared.notes[i] = before;
            buf_reset(&c->shared.notes[i]);
        }
    }
}

/* Moves what the loop has left into the thread's own hands. Mutex held. */
static void take_work(struct committer *c)
{
    struct shared *s = &c->shared;
    struct buf written = c->events; /* empty, but with memory */

    if (!c->batch.first) { /* one that found no room yet is finished first */
        settlement_list_move(&c->batch, &s->queue);
    }
    s->flush = false;
    if (s->planned_is_new) {
        c->planned = s->planned;
        s->planned_is_new = false;
    }
    if (s->outbox_done) {
        c->outbox_done = s->outbox_done;
        s->outbox_done = 0;
    }
    take_notes(c);
    c->events = s->events;
    s->events = written;
    note_dropped_events(s);
}

static enum result keep_discovered(void *context, struct request *request, int64_t not_before_us)
{
    struct discovered_list *list = context;

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
    struct discovered_list list = { .count = 0 };
    struct ledger_discovered_query query = {
        .which = LEDGER_DISCOVERED_NEW,
        .after_id = s->question.after_id,
        .max = s->question.max,
        .visit = keep_discovered,
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
    } else if (!c->failed && question.ends) {
        c->folded = false;
        result = ledger_fill_outbox(c->archive.ledger, &c->err);
        if (result == RESULT_OK) {
            result = ledger_outbox_ends(c->archive.ledger, &question.ends[0], &question.ends[1],
                                        &c->err);
        }
    } else if (!c->failed && question.of_outbox) {
        result = ledger_each_outbox(c->archive.ledger, &query, &c->err);
    } else if (!c->failed && question.ids) {
        result = ledger_each_discovered_of(c->archive.ledger, question.ids, question.id_count,
                                           &query, &c->err);
    } else if (!c->failed) {
        result = ledger_each_discovered(c->archive.ledger, &query, &c->err);
    }
    if (result != RESULT_OK) {
        fail(c, result);
    }
    end_wait(c);
    uv_mutex_lock(&c->mutex);
    s->found = list;
    s->asked = false;
    s->answered = true;
    uv_async_send(&c->async);
}

/* What was stored may be taken away while nothing is stored, or the disk is full. */
static void look_after(struct committer *c)
{
    enum result result = archive_look(&c->archive, &c->err);

    if (result != RESULT_OK) {
        fail(c, result);
    }
}

static enum result keep_failed(void *context, const struct failed_row *row, struct err *err)
{
    struct failed_answer *answer = context;
    enum result result = failed_row_copy(&answer->row, row, &answer->texts);

    answer->has_row = result == RESULT_OK;
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "reading a failure");
}

/* The mutex is held at both ends, and not between. A failed read does not end the run: it gives no rows. */
static void answer_failed(struct committer *c)
{
    struct failed_answer answer = { .is_there = true, .id = c->shared.failed_asked };
    struct ledger_failed_query query = { keep_failed, &answer };

    uv_mutex_unlock(&c->mutex);
    if (!c->failed && ledger_read_failed(c->archive.ledger, answer.id, &query, NULL) != RESULT_OK) {
        answer.has_row = false;
    }
    uv_mutex_lock(&c->mutex);
    c->shared.failed = answer;
    c->shared.failed_asked = 0;
    uv_async_send(&c->async);
}

/* A batch that found no room is half in the archive: that is finished first. */
static enum result lend_now(struct committer *c, archive_use_fn *use, void *context,
                            struct err *err)
{
    enum result result;

    if (c->failed || c->paused || c->batch.first) {
        return err_set(err, RESULT_BUSY, "E-DISK1", "the store waits for room on the disk");
    }
    c->folded = false;
    result = use(context, &c->archive, &c->err);
    *err = c->err;
    if (result != RESULT_OK && result != RESULT_FULL && result != RESULT_BUSY &&
        result != RESULT_CANCELLED) {
        fail(c, result);
    }
    return result;
}

/* The mutex is held at both ends, and not between. */
static void lend_archive(struct committer *c)
{
    struct shared *s = &c->shared;
    archive_use_fn *use = s->lent.use;
    void *context = s->lent.context;
    struct err err = { .result = RESULT_OK };
    enum result result;

    uv_mutex_unlock(&c->mutex);
    result = lend_now(c, use, context, &err);
    end_wait(c);
    uv_mutex_lock(&c->mutex);
    s->lent.result = result;
    s->lent.err = err;
    s->lent.is_done = true;
    uv_cond_signal(&c->returned);
}

static void end_tending(struct committer *c)
{
    uv_mutex_lock(&c->mutex);
    c->shared.lent.is_over = true;
    uv_cond_signal(&c->returned);
    uv_mutex_unlock(&c->mutex);
    tender_stop(c->tender);
    c->tender = NULL;
    if (c->options.tending && !c->failed) { /* else the next session does */
        struct err err;

        (void)!dropped_remove_live(c->archive.ledger, c->archive.raw_fd, &err);
    }
}

static void do_work(struct committer *c, bool last)
{
    if (!c->failed) {
        event_log_append(&c->event_log, buf_view(&c->events));
    }
    buf_reset(&c->events);
    if (!c->failed && (c->paused || !c->batch.first)) { /* else a commit looks after it */
        look_after(c);
    }
    if (c->failed) {
        give_up_batch(c);
    } else if (c->batch.first || c->planned || c->outbox_done || has_notes(c->notes)) {
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

static void tidy_up(struct committer *c)
{
    look_after(c);
    if (!c->failed && !c->folded) {
        enum result result = ledger_checkpoint(c->archive.ledger, true, &c->err);

        c->folded = true;
        if (result != RESULT_OK) {
            fail(c, result);
        }
    }
}

/* One transaction: what the session has seen to its end, and its end. */
static enum result end_session(struct committer *c, bool clean)
{
    struct ledger *ledger = c->archive.ledger;
    int64_t now_us = clock_wall_us(&c->options.clock);
    enum result result = ledger_begin(ledger, &c->err);

    if (result == RESULT_OK) {
        result = ledger_settle_since(ledger, &c->err);
    }
    if (result == RESULT_OK) {
        result = ledger_session_end(ledger, now_us, clean, &c->err);
    }
    if (result == RESULT_OK) {
        result = ledger_commit(ledger, &c->err);
    }
    return result;
}

void committer_finish(struct committer *c, bool clean)
{
    enum result result = RESULT_OK;

    if (!c->failed) {
        ballast_drop(c->options.dir); /* what follows may need the room */
        result = end_session(c, clean);
    }
    if (!c->failed && result == RESULT_OK) {
        result = ledger_checkpoint(c->archive.ledger, true, &c->err);
    }
    if (!c->failed && result == RESULT_OK) {
        result = archive_look(&c->archive, &c->err);
    }
    if (result != RESULT_OK) {
        tell(c, find_cause(c, result));
    }
    archive_close(&c->archive);
}

void committer_thread(void *argument)
{
    struct committer *c = argument;
    struct shared *s = &c->shared;
    bool stop;

    uv_mutex_lock(&c->mutex);
    do {
        enum task task = next_task(c);

        stop = s->stop;
        if (task == TASK_WORK) {
            take_work(c);
        }
        uv_mutex_unlock(&c->mutex);

        if (task == TASK_WORK) {
            do_work(c, stop);
        } else if (task == TASK_IDLE) {
            tidy_up(c);
        }
        end_wait(c);
        uv_mutex_lock(&c->mutex);
        if (s->asked) {
            answer_question(c);
        }
        if (s->failed_asked) {
            answer_failed(c);
        }
        if (is_wanted(s)) {
            lend_archive(c);
        }
    } while (!stop || committer_has_work(s));
    s->running = false;
    uv_mutex_unlock(&c->mutex);

    end_tending(c);
    committer_finish(c, s->clean); /* `clean` does not change once `stop` is set */
    uv_mutex_lock(&c->mutex);
    s->finished = true;
    uv_mutex_unlock(&c->mutex);
    uv_async_send(&c->async);
}
