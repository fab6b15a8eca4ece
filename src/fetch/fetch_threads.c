#include "fetch/fetch_threads.h"

#include "fetch/fetch_thread.h"
#include "fetch/standstill.h"

#include <assert.h>
#include <stdlib.h>

#define ARRIVALS_TURN_US 5000
#define SPARE_FLIGHTS_MAX 1024

struct fetch_threads {
    struct fetch_options options;
    struct account *account;
    struct fetch_thread *threads[ACCOUNT_PARTS_MAX];
    size_t count, open; /* of them; those that have not closed */
    uv_async_t arrival;
    struct standstill standstill;
    struct flight *first, *last; /* in flight */
    size_t in_flight;
    struct flight_list arrived; /* of these: to be handed on */
    struct flight *spare;       /* by `next` */
    size_t spare_count;
    unsigned handing_on; /* deep */
    size_t open_handles;
    bool is_closing;
    void (*closed)(void *context);
    void *closed_context;
};

/* --- the list of all --------------------------------------------------------------------------------- */

static struct flight *take_spare(struct fetch_threads *g)
{
    struct flight *flight = g->spare;

    if (!flight) {
        return flight_new();
    }
    g->spare = flight->next;
    g->spare_count--;
    return flight;
}

static void spare(struct fetch_threads *g, struct flight *flight)
{
    if (g->spare_count >= SPARE_FLIGHTS_MAX) {
        flight_free(flight);
        return;
    }
    flight->next = g->spare;
    g->spare = flight;
    g->spare_count++;
}

static void link_flight(struct fetch_threads *g, struct flight *flight)
{
    flight->next = NULL;
    flight->prev = g->last;
    if (g->last) {
        g->last->next = flight;
    } else {
        g->first = flight;
    }
    g->last = flight;
    g->in_flight++;
}

static void unlink_flight(struct fetch_threads *g, struct flight *flight)
{
    if (flight->prev) {
        flight->prev->next = flight->next;
    } else {
        g->first = flight->next;
    }
    if (flight->next) {
        flight->next->prev = flight->prev;
    } else {
        g->last = flight->prev;
    }
    g->in_flight--;
}

/* --- out to the threads ------------------------------------------------------------------------------- */

static struct fetch_thread *choose(const struct fetch_threads *g, uint32_t affinity)
{
    struct fetch_thread *own = g->threads[affinity % g->count], *least = own;

    for (size_t i = 0; i < g->count; i++) {
        if (fetch_thread_load(g->threads[i]) < fetch_thread_load(least)) {
            least = g->threads[i];
        }
    }
    return fetch_thread_load(own) < fetch_thread_load(least) + FETCH_SPREAD ? own : least;
}

enum result fetch_threads_start(struct fetch_threads *g, struct response *response,
                                struct request *request, const struct fetch_extra *extra)
{
    struct flight *flight = take_spare(g);

    if (!flight) {
        return RESULT_NOMEM;
    }
    if (flight_prepare(flight, request, response, extra) != RESULT_OK) {
        spare(g, flight);
        return RESULT_NOMEM;
    }
    link_flight(g, flight);
    fetch_thread_post(choose(g, request->host), flight);
    return RESULT_OK;
}

static bool has_waiting(const struct fetch_threads *g, size_t which)
{
    return atomic_load_explicit(&g->account->parts[which].waiting, memory_order_relaxed) > 0;
}

void fetch_threads_kick(struct fetch_threads *g)
{
    if (g->handing_on || g->is_closing) {
        return;
    }
    for (size_t i = 0; i < g->count; i++) {
        fetch_thread_send(g->threads[i]);
        if (has_waiting(g, i)) {
            fetch_thread_let_read(g->threads[i]);
        }
    }
}

/* --- back from them ----------------------------------------------------------------------------------- */

static void collect(struct fetch_threads *g)
{
    for (size_t i = 0; i < g->count; i++) {
        fetch_thread_collect(g->threads[i], &g->arrived);
    }
}

static void hand_on(struct fetch_threads *g, struct flight *flight)
{
    struct response *response = flight->response;

    unlink_flight(g, flight);
    flight_tell_cookies(flight, &g->options);
    response->flight = NULL;
    spare(g, flight);
    g->options.on_response(g->options.context, response);
}

/* On_response may cancel all, and so hand on the others itself. */
static void hand_on_some(struct fetch_threads *g, uint64_t until_us)
{
    struct flight *flight;

    g->handing_on++;
    while ((flight = flight_list_pop(&g->arrived))) {
        hand_on(g, flight);
        if (uv_hrtime() / 1000U >= until_us) {
            break;
        }
    }
    g->handing_on--;
    if (g->arrived.first) {
        uv_async_send(&g->arrival); /* timers and keys first */
    }
}

static void look_at_clock(struct fetch_threads *g)
{
    struct standstill_time lost;

    if (standstill_look(&g->standstill, &lost) && g->options.on_stood_still) {
        g->options.on_stood_still(g->options.context, lost.all_us);
    }
}

static void join_closed(struct fetch_threads *g);

static void on_arrival(uv_async_t *arrival)
{
    struct fetch_threads *g = arrival->data;

    if (g->is_closing) {
        join_closed(g);
        return;
    }
    look_at_clock(g);
    collect(g);
    hand_on_some(g, uv_hrtime() / 1000U + ARRIVALS_TURN_US);
    fetch_threads_kick(g);
}

/* --- of those in flight ------------------------------------------------------------------------------- */

size_t fetch_threads_in_flight(const struct fetch_threads *g)
{
    return g->in_flight;
}

/* What ends by itself meanwhile has ended so. */
void fetch_threads_cancel_all(struct fetch_threads *g)
{
    while (g->in_flight) {
        for (size_t i = 0; i < g->count; i++) {
            fetch_thread_begin_cancel(g->threads[i]);
        }
        for (size_t i = 0; i < g->count; i++) {
            fetch_thread_await(g->threads[i]);
        }
        collect(g);
        hand_on_some(g, UINT64_MAX);
    }
}

struct response *fetch_threads_take(struct fetch_threads *g, uint64_t id, bool only_unsent)
{
    struct flight *flight = g->first;
    struct response *response;

    while (flight && flight->request->id != id) {
        flight = flight->next;
    }
    if (!flight || !fetch_thread_take(flight->thread, flight, only_unsent)) {
        return NULL;
    }
    response = flight->response;
    response->request = flight->request;
    response->flight = NULL;
    unlink_flight(g, flight);
    spare(g, flight);
    return response;
}

void fetch_threads_each(struct fetch_threads *g, bool only_unsent,
                        bool (*visit)(void *context, const struct fetch_row *row), void *context)
{
    for (size_t i = 0; i < g->count; i++) {
        fetch_thread_want_rows(g->threads[i]);
    }
    for (struct flight *flight = g->first; flight; flight = flight->next) {
        struct fetch_row row;

        if (only_unsent && atomic_load_explicit(&flight->row.is_sent, memory_order_relaxed)) {
            continue;
        }
        flight_read_row(flight, &row);
        if (!visit(context, &row)) {
            return;
        }
    }
}

/* Threads find out by themselves that they stood still. */
void fetch_threads_look(struct fetch_threads *g)
{
    look_at_clock(g);
}

void fetch_threads_note_standstill(struct fetch_threads *g, uint64_t lost_us)
{
    standstill_forgive(&g->standstill);
    if (g->options.on_stood_still) {
        g->options.on_stood_still(g->options.context, lost_us);
    }
}

void fetch_threads_drop_idle(struct fetch_threads *g)
{
    for (size_t i = 0; i < g->count; i++) {
        fetch_thread_drop_idle(g->threads[i]);
    }
}

uint64_t fetch_threads_lag_us(struct fetch_threads *g)
{
    uint64_t worst_us = 0;

    for (size_t i = 0; i < g->count; i++) {
        uint64_t lag_us = fetch_thread_lag_us(g->threads[i]);

        worst_us = lag_us > worst_us ? lag_us : worst_us;
    }
    return worst_us;
}

double fetch_threads_cpu_s(const struct fetch_threads *g, size_t which)
{
    return which < g->count ? fetch_thread_cpu_s(g->threads[which]) : 0;
}

/* --- making and closing ------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct fetch_threads *g = handle->data;
    void (*closed)(void *context) = g->closed;
    void *context = g->closed_context;
    struct flight *flight;

    if (--g->open_handles) {
        return;
    }
    while ((flight = g->spare)) {
        g->spare = flight->next;
        flight_free(flight);
    }
    free(g);
    closed(context);
}

static void close_handles(struct fetch_threads *g)
{
    g->open_handles = 2;
    uv_close((uv_handle_t *)&g->arrival, on_handle_closed);
    standstill_close(&g->standstill, on_handle_closed, g);
}

static void join_closed(struct fetch_threads *g)
{
    for (size_t i = 0; i < g->count; i++) {
        if (g->threads[i] && fetch_thread_join(g->threads[i], false)) {
            g->threads[i] = NULL;
            g->open--;
        }
    }
    if (!g->open && !g->open_handles) {
        close_handles(g);
    }
}

void fetch_threads_close(struct fetch_threads *g, void (*closed)(void *context), void *context)
{
    assert(!g->in_flight);
    g->closed = closed;
    g->closed_context = context;
    g->is_closing = true;
    g->open = g->count;
    for (size_t i = 0; i < g->count; i++) {
        fetch_thread_close(g->threads[i]);
    }
}

static void on_undone(void *context)
{
    (void)context;
}

/* Nobody else knows of it yet. What is on the loop goes with the loop's next turn. */
static void undo(struct fetch_threads *g)
{
    for (size_t i = 0; i < g->count; i++) {
        fetch_thread_close(g->threads[i]);
        (void)fetch_thread_join(g->threads[i], true);
    }
    g->closed = on_undone;
    g->is_closing = true;
    g->count = 0;
    close_handles(g);
}

enum result fetch_threads_new(struct fetch_threads **threads, const struct fetch_options *options,
                              struct cookies *cookies, struct account *account, struct err *err)
{
    struct fetch_threads *g = calloc(1, sizeof *g);
    enum result result = RESULT_OK;

    if (!g || uv_async_init(options->loop, &g->arrival, on_arrival) != 0) {
        free(g);
        return err_nomem(err, "setting up the network");
    }
    g->arrival.data = g;
    standstill_watch(&g->standstill, options->loop);
    g->options = *options;
    g->account = account;
    while (result == RESULT_OK && g->count < account->part_count) {
        struct fetcher_shared shared = { cookies, account, g->count };

        result = fetch_thread_new(&g->threads[g->count], options, &shared, &g->arrival, err);
        g->count += result == RESULT_OK;
    }
    if (result != RESULT_OK) {
        undo(g);
        return result;
    }
    *threads = g;
    return RESULT_OK;
}
