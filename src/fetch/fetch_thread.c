#include "fetch/fetch_thread.h"

#include "fetch/curl_memory.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define TICK_MS 100
#define STACK_BYTES (1U << 20) /* TLS and unpacking */
#define STARTS_TURN_US UINT64_C(5000)
#define LANDED_MAX 64 /* at once; sooner when the loop has no more to do */

/* What the caller waits for. */
struct order {
    enum { ORDER_CANCEL, ORDER_TAKE } kind;
    struct flight *flight; /* to be taken */
    bool only_unsent;
    bool is_taken; /* the answer */
};

struct fetch_thread {
    uv_thread_t id;
    struct fetch_options options; /* the caller's */
    uv_async_t *arrived;
    /* Of the caller's thread. */
    struct flight_list batch; /* posted, and not sent */
    size_t load;
    struct order order;
    /* With the mutex. */
    uv_mutex_t mutex;
    uv_cond_t answered;
    struct flight_list posted, ended;
    struct order *ordered; /* until it is obeyed */
    bool drops_idle, closes, is_over;
    /* Anybody's. */
    _Atomic bool wants_rows;
    _Atomic uint64_t lag_us;
    /* Its own. */
    uv_loop_t loop;
    uv_async_t wake;
    uv_prepare_t before_poll;
    uv_timer_t tick;
    struct fetcher *fetcher;
    struct flight_list waiting; /* to be started */
    struct flight_list landed;
    unsigned landed_count;
    uint64_t due_ms;
};

/* --- in the thread ------------------------------------------------------------------------------------ */

static void hand_over(struct fetch_thread *t)
{
    if (t->landed.first) {
        t->landed_count = 0;
        uv_mutex_lock(&t->mutex);
        flight_list_move(&t->ended, &t->landed);
        uv_mutex_unlock(&t->mutex);
        uv_async_send(t->arrived);
    }
}

static void land(struct fetch_thread *t, struct flight *flight)
{
    flight->is_flying = false;
    flight_list_add(&t->landed, flight);
    if (++t->landed_count >= LANDED_MAX) {
        hand_over(t);
    }
}

static void on_landed(void *context, struct response *response)
{
    struct fetch_thread *t = context;

    if (t->options.on_ended) {
        t->options.on_ended(t->options.context, response);
    }
    land(t, response->flight);
}

static bool on_sending(void *context, struct response *response)
{
    const struct fetch_options *o = &((const struct fetch_thread *)context)->options;

    if (o->on_sending && !o->on_sending(o->context, response)) {
        return false;
    }
    atomic_store_explicit(&response->flight->row.is_sent, true, memory_order_relaxed);
    return true;
}

static void on_cookie(void *context, struct response *response, struct str name, struct str value,
                      bool is_foreign)
{
    (void)context;
    flight_note_cookie(response->flight, name, value, is_foreign);
}

/* What was late for that was no fault of the loop. */
static void on_stood_still(void *context, uint64_t lost_us)
{
    struct fetch_thread *t = context;

    (void)lost_us;
    t->due_ms = uv_hrtime() / 1000000U + TICK_MS;
}

static void on_before_poll(uv_prepare_t *prepare)
{
    hand_over(prepare->data);
}

static bool write_row(void *context, const struct response *response, const struct fetch_row *row)
{
    (void)context;
    flight_write_row(response->flight, row);
    return true;
}

static void note_lag(struct fetch_thread *t)
{
    uint64_t now_ms = uv_hrtime() / 1000000U, late_us;

    late_us = now_ms > t->due_ms ? (now_ms - t->due_ms) * 1000 : 0;
    if (late_us > atomic_load_explicit(&t->lag_us, memory_order_relaxed)) {
        atomic_store_explicit(&t->lag_us, late_us, memory_order_relaxed);
    }
    t->due_ms = now_ms + TICK_MS;
}

static void on_tick(uv_timer_t *timer)
{
    struct fetch_thread *t = timer->data;

    fetcher_look(t->fetcher);
    note_lag(t);
    fetcher_kick(t->fetcher); /* others may have freed memory */
    if (atomic_exchange_explicit(&t->wants_rows, false, memory_order_relaxed)) {
        fetcher_each(t->fetcher, false, write_row, NULL);
    }
    if (!fetcher_in_flight(t->fetcher)) {
        uv_timer_stop(timer);
    }
}

/* Those that are left have another turn of the loop, after what has come meanwhile. */
static void start_some(struct fetch_thread *t, uint64_t until_ns)
{
    struct flight *flight;

    while (uv_hrtime() < until_ns && (flight = flight_list_pop(&t->waiting))) {
        if (fetcher_start(t->fetcher, flight->response, flight->request, &flight->extra) ==
            RESULT_OK) {
            flight->is_flying = true;
        } else {
            flight_end(flight, OUTCOME_LOCAL, "out of memory starting a request");
            land(t, flight);
        }
    }
    if (fetcher_in_flight(t->fetcher) && !uv_is_active((uv_handle_t *)&t->tick)) {
        t->due_ms = uv_hrtime() / 1000000U + TICK_MS;
        uv_timer_start(&t->tick, on_tick, TICK_MS, TICK_MS);
    }
    if (t->waiting.first) {
        uv_async_send(&t->wake);
    }
}

static void obey(struct fetch_thread *t, struct order *order)
{
    switch (order->kind) {
    case ORDER_CANCEL:
        fetcher_cancel_all(t->fetcher);
        break;
    case ORDER_TAKE:
        order->is_taken = order->flight->is_flying &&
                          fetcher_take(t->fetcher, order->flight->response, order->only_unsent);
        order->flight->is_flying &= !order->is_taken;
        break;
    }
    hand_over(t);
    uv_mutex_lock(&t->mutex);
    t->ordered = NULL;
    uv_cond_signal(&t->answered);
    uv_mutex_unlock(&t->mutex);
}

static void on_fetcher_closed(void *thread)
{
    (void)thread; /* the loop's end is waited for */
}

static void on_wake(uv_async_t *wake)
{
    struct fetch_thread *t = wake->data;
    struct order *order;
    bool drops_idle, closes;

    uv_mutex_lock(&t->mutex);
    flight_list_move(&t->waiting, &t->posted);
    order = t->ordered;
    drops_idle = t->drops_idle;
    closes = t->closes;
    t->drops_idle = false;
    uv_mutex_unlock(&t->mutex);

    if (drops_idle) { /* before those that might use one */
        fetcher_drop_idle(t->fetcher);
    }
    start_some(t, order ? UINT64_MAX : uv_hrtime() + STARTS_TURN_US * 1000);
    if (order) { /* it finds all of them started */
        obey(t, order);
    }
    fetcher_kick(t->fetcher);
    if (closes) {
        uv_close((uv_handle_t *)&t->wake, NULL);
        uv_close((uv_handle_t *)&t->before_poll, NULL);
        uv_close((uv_handle_t *)&t->tick, NULL);
        fetcher_close(t->fetcher, on_fetcher_closed, t);
    }
}

static void run(void *thread)
{
    struct fetch_thread *t = thread;

    curl_memory_keep();
    uv_run(&t->loop, UV_RUN_DEFAULT); /* until all is closed */
    curl_memory_drop();
    uv_mutex_lock(&t->mutex);
    t->is_over = true;
    uv_async_send(t->arrived);
    uv_mutex_unlock(&t->mutex);
}

/* --- making and ending -------------------------------------------------------------------------------- */

static void release(struct fetch_thread *t)
{
    uv_loop_close(&t->loop);
    uv_cond_destroy(&t->answered);
    uv_mutex_destroy(&t->mutex);
    free(t);
}

static bool make_locks(struct fetch_thread *t)
{
    if (uv_mutex_init(&t->mutex) != 0) {
        return false;
    }
    if (uv_cond_init(&t->answered) != 0) {
        uv_mutex_destroy(&t->mutex);
        return false;
    }
    return true;
}

/* The thread does not run yet: its loop is ended here. */
static void undo(struct fetch_thread *t)
{
    uv_close((uv_handle_t *)&t->wake, NULL);
    uv_close((uv_handle_t *)&t->before_poll, NULL);
    uv_close((uv_handle_t *)&t->tick, NULL);
    if (t->fetcher) {
        fetcher_close(t->fetcher, on_fetcher_closed, t);
    }
    uv_run(&t->loop, UV_RUN_DEFAULT);
    release(t);
}

static struct fetch_thread *make(uv_async_t *arrived)
{
    struct fetch_thread *t = calloc(1, sizeof *t);

    if (!t || !make_locks(t)) {
        free(t);
        return NULL;
    }
    t->arrived = arrived;
    if (uv_loop_init(&t->loop) != 0) {
        uv_cond_destroy(&t->answered);
        uv_mutex_destroy(&t->mutex);
        free(t);
        return NULL;
    }
    if (uv_async_init(&t->loop, &t->wake, on_wake) != 0) {
        release(t);
        return NULL;
    }
    uv_prepare_init(&t->loop, &t->before_poll);
    uv_prepare_start(&t->before_poll, on_before_poll);
    uv_timer_init(&t->loop, &t->tick);
    t->wake.data = t->before_poll.data = t->tick.data = t;
    return t;
}

/* A new thread inherits what is blocked: signals are the caller's loop's. */
static int start(struct fetch_thread *t)
{
    uv_thread_options_t options = { .flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES };
    sigset_t all, before;
    int code;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    code = uv_thread_create_ex(&t->id, &options, run, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

enum result fetch_thread_new(struct fetch_thread **thread, const struct fetch_options *options,
                             const struct fetcher_shared *shared, uv_async_t *arrived,
                             struct err *err)
{
    struct fetch_thread *t = make(arrived);
    struct fetch_options own = *options;
    enum result result;
    int code;

    if (!t) {
        return err_nomem(err, "setting up the network");
    }
    t->options = *options;
    own.loop = &t->loop;
    own.context = t;
    own.on_response = on_landed;
    own.on_sending = on_sending;
    own.on_cookie = options->on_cookie ? on_cookie : NULL;
    own.on_stood_still = on_stood_still;
    result = fetcher_new(&t->fetcher, &own, shared, err);
    if (result == RESULT_OK) {
        code = start(t);
        if (code == 0) {
            *thread = t;
            return RESULT_OK;
        }
        result = err_set(err, RESULT_IO, "E-RES1", "cannot start a thread that fetches: %s",
                         uv_strerror(code));
    }
    undo(t);
    return result;
}

/* --- in the caller's ---------------------------------------------------------------------------------- */

size_t fetch_thread_load(const struct fetch_thread *t)
{
    return t->load;
}

void fetch_thread_post(struct fetch_thread *t, struct flight *flight)
{
    flight->thread = t;
    flight_list_add(&t->batch, flight);
    t->load++;
}

void fetch_thread_send(struct fetch_thread *t)
{
    if (!t->batch.first) {
        return;
    }
    for (struct flight *flight = t->batch.first; flight; flight = flight->mail) {
        flight->is_posted = true;
    }
    uv_mutex_lock(&t->mutex);
    flight_list_move(&t->posted, &t->batch);
    uv_mutex_unlock(&t->mutex);
    uv_async_send(&t->wake);
}

void fetch_thread_collect(struct fetch_thread *t, struct flight_list *ended)
{
    struct flight_list mine = { NULL, NULL };

    uv_mutex_lock(&t->mutex);
    flight_list_move(&mine, &t->ended);
    uv_mutex_unlock(&t->mutex);
    for (const struct flight *flight = mine.first; flight; flight = flight->mail) {
        t->load--;
    }
    flight_list_move(ended, &mine);
}

static void give_order(struct fetch_thread *t, const struct order *order)
{
    t->order = *order;
    uv_mutex_lock(&t->mutex);
    assert(!t->ordered);
    t->ordered = &t->order;
    uv_mutex_unlock(&t->mutex);
    uv_async_send(&t->wake);
}

void fetch_thread_await(struct fetch_thread *t)
{
    uv_mutex_lock(&t->mutex);
    while (t->ordered) {
        uv_cond_wait(&t->answered, &t->mutex);
    }
    uv_mutex_unlock(&t->mutex);
}

void fetch_thread_begin_cancel(struct fetch_thread *t)
{
    fetch_thread_send(t);
    give_order(t, &(struct order){ .kind = ORDER_CANCEL });
}

bool fetch_thread_take(struct fetch_thread *t, struct flight *flight, bool only_unsent)
{
    bool is_taken = !flight->is_posted;

    if (is_taken) {
        flight_list_remove(&t->batch, flight);
    } else {
        give_order(t, &(struct order){ ORDER_TAKE, flight, only_unsent, false });
        fetch_thread_await(t);
        is_taken = t->order.is_taken;
    }
    t->load -= is_taken;
    return is_taken;
}

void fetch_thread_drop_idle(struct fetch_thread *t)
{
    uv_mutex_lock(&t->mutex);
    t->drops_idle = true;
    uv_mutex_unlock(&t->mutex);
    uv_async_send(&t->wake);
}

void fetch_thread_let_read(struct fetch_thread *t)
{
    uv_async_send(&t->wake);
}

void fetch_thread_want_rows(struct fetch_thread *t)
{
    atomic_store_explicit(&t->wants_rows, true, memory_order_relaxed);
}

uint64_t fetch_thread_lag_us(struct fetch_thread *t)
{
    return atomic_exchange_explicit(&t->lag_us, 0, memory_order_relaxed);
}

double fetch_thread_cpu_s(const struct fetch_thread *t)
{
    struct timespec used;
    clockid_t clock;

    if (pthread_getcpuclockid(t->id, &clock) != 0 || clock_gettime(clock, &used) != 0) {
        return 0;
    }
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

void fetch_thread_close(struct fetch_thread *t)
{
    assert(t->load == 0);
    uv_mutex_lock(&t->mutex);
    t->closes = true;
    uv_mutex_unlock(&t->mutex);
    uv_async_send(&t->wake);
}

bool fetch_thread_join(struct fetch_thread *t, bool waits)
{
    bool is_over;

    uv_mutex_lock(&t->mutex);
    is_over = t->is_over;
    uv_mutex_unlock(&t->mutex);
    if (!is_over && !waits) {
        return false;
    }
    uv_thread_join(&t->id);
    release(t);
    return true;
}
