#include "fetch/fetcher.h"

#include "fetch/client_cert.h"
#include "fetch/cookies.h"
#include "fetch/header_lists.h"
#include "fetch/multi_uv.h"
#include "fetch/transfer.h"
#include "fetch/transfer_head.h"
#include "fetch/transfer_http.h"
#include "fetch/transfer_list.h"
#include "fetch/transfer_outcome.h"
#include "fetch/transfer_times.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define CLOSING_TURN_US UINT64_C(10000) /* then timers and keys */

struct fetcher {
    struct fetch_options options;
    struct transfer_config config;
    struct proxies proxies;
    struct multi_uv *multi;
    struct fetcher_shared shared;
    struct account_part *part; /* its own, of what all bodies take */
    struct transfer_list flying;
    struct transfer *idle; /* singly linked by `next` */
    size_t unsent;         /* of those in flight */
    bool some_lost_time;   /* of those in flight, perhaps */
    uint64_t flying_bytes; /* of bodies that are being read */
    struct calmed calmed;
    struct transfer *favoured; /* the one that goes on when memory is short */
    size_t waiting;            /* paused */
    uv_timer_t closer;
    void (*closed)(void *context);
    void *closed_context;
};

/* True when all are freed. */
static bool free_idle(struct fetcher *f, uint64_t until_ns)
{
    struct transfer *t;

    while ((t = f->idle) && uv_hrtime() < until_ns) {
        f->idle = t->next;
        transfer_free(t);
    }
    return !f->idle;
}

static void free_lists(struct fetcher *f)
{
    (void)free_idle(f, UINT64_MAX);
    header_lists_release(&f->config);
    curl_slist_free_all(f->config.resolve);
    curl_slist_free_all(f->config.connect_to);
    proxies_release(&f->proxies);
}

static void on_done(void *context, CURL *easy, CURLcode code);
static bool has_paused(void *context);
static bool may_talk(CURL *easy);
static bool must_wait(void *context, const struct transfer *transfer);
static void share_out(void *context);
static void on_broken(void *context, struct lane *lane);
static void on_stood_still(void *context, const struct standstill_time *lost);

static bool add_all(struct curl_slist **list, char *const *lines, size_t count)
{
    bool ok = true;

    for (size_t i = 0; ok && i < count; i++) {
        ok = header_lists_add(list, lines[i]);
    }
    return ok;
}

static enum result take_network(struct fetcher *f, const struct job_network *network,
                                struct err *err)
{
    const struct job_route *route = &network->route;
    enum result result = client_cert_check(&network->tls, err);

    if (result == RESULT_OK && !route->unix_socket) { /* else libcurl asks through none */
        result = proxies_init(&f->proxies, &network->proxy, err);
    }
    if (result == RESULT_OK &&
        (!add_all(&f->config.resolve, route->resolve, route->resolve_count) ||
         !add_all(&f->config.connect_to, route->connect_to, route->connect_to_count))) {
        result = err_nomem(err, "setting up the network");
    }
    f->config.cert_is_p12 = network->tls.cert && client_cert_is_p12(network->tls.cert);
    return result;
}

enum result fetcher_new(struct fetcher **fetcher, const struct fetch_options *options,
                        const struct fetcher_shared *shared, struct err *err)
{
    static const struct multi_uv_callbacks callbacks = { on_done,    on_broken, on_stood_still,
                                                         has_paused, may_talk,  share_out };
    struct fetcher *f = calloc(1, sizeof *f);
    enum result result;

    if (!f) {
        return err_nomem(err, "setting up the network");
    }
    f->options = *options;
    f->shared = *shared;
    f->part = &shared->account->parts[shared->part];
    f->config.options = &f->options;
    f->config.unsent = &f->unsent;
    f->config.body_bytes = &f->flying_bytes;
    f->config.watch_heads = transfer_head_must_be_watched();
    f->config.proxies = &f->proxies;
    f->config.calmed = &f->calmed;
    f->config.jar = shared->cookies ? cookies_share(shared->cookies) : NULL;
    if (options->network) {
        result = take_network(f, options->network, err);
        if (result != RESULT_OK) {
            goto fail;
        }
    }
    if (header_lists_build(&f->config) != RESULT_OK) {
        result = err_nomem(err, "preparing request headers");
        goto fail;
    }
    result = multi_uv_new(&f->multi, options->loop, &callbacks, f, err);
    if (result != RESULT_OK) {
        goto fail;
    }
    if (shared->account->limit) {
        f->config.must_wait = must_wait;
        f->config.wait_context = f;
    }
    f->config.close_socket = multi_uv_close_socket;
    f->config.opened_socket = multi_uv_opened_socket;
    f->config.socket_context = f->multi;
    *fetcher = f;
    return RESULT_OK;

fail:
    free_lists(f);
    free(f);
    return result;
}

/* Says what the bodies that it reads take. */
static void publish(struct fetcher *f)
{
    atomic_store_explicit(&f->part->flying, f->flying_bytes, memory_order_relaxed);
    atomic_store_explicit(&f->part->count, f->flying.count, memory_order_relaxed);
    atomic_store_explicit(&f->part->waiting, f->waiting, memory_order_relaxed);
}

static struct budget look_at_budget(struct fetcher *f)
{
    publish(f);
    return account_budget(f->shared.account);
}

static void make_idle(struct fetcher *f, struct transfer *t)
{
    t->next = f->idle;
    f->idle = t;
}

static struct transfer *transfer_of(CURL *easy)
{
    char *private = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    return (struct transfer *)(void *)private;
}

/* One body may go on while others wait: this one, or none. */
static void favour(struct fetcher *f, struct transfer *t)
{
    f->favoured = t;
    if (!t) {
        account_leave_turn(&f->shared.account->favours, f->shared.part);
    }
}

/* It flies no more; its body is somebody else's from now on, and counts until it comes back. */
static void land(struct fetcher *f, struct transfer *t, struct response *response)
{
    transfer_list_remove(&f->flying, t);
    f->unsent -= !response->sends;
    f->waiting -= t->paused;
    if (f->favoured == t) {
        favour(f, NULL);
    }
    response->counted_bytes = response->body.len;
    f->flying_bytes -= response->counted_bytes;
    atomic_fetch_add_explicit(&f->shared.account->held, response->counted_bytes,
                              memory_order_relaxed);
    publish(f);
    if (response->sets_cookie && f->shared.cookies) {
        cookies_note(f->shared.cookies);
    }
}

static void on_done(void *context, CURL *easy, CURLcode code)
{
    struct fetcher *f = context;
    struct transfer *t = transfer_of(easy);
    struct response *response = t->response;

    land(f, t, response);
    transfer_end(t, code);
    make_idle(f, t);
    f->options.on_response(f->options.context, response);
}

/* --- memory ------------------------------------------------------------------------------------------- */

static bool has_paused(void *context)
{
    return ((const struct fetcher *)context)->waiting > 0;
}

/* libcurl (8.14) closes connections with a handle of its own. */
static bool may_talk(CURL *easy)
{
    const struct transfer *t = transfer_of(easy);

    return !t || transfer_http_may_talk(t);
}

/* Within libcurl, which keeps what it has of the transfer until that goes on. */
static bool must_wait(void *context, const struct transfer *t)
{
    struct fetcher *f = context;
    struct budget budget = look_at_budget(f);
    bool waits = !transfer_http_is_stream(t) && t != f->favoured &&
                 budget_must_wait(&budget, transfer_bytes(t));

    f->waiting += waits;
    return waits;
}

static void go_on(struct fetcher *f, struct transfer *t)
{
    f->waiting--;
    f->some_lost_time = true;
    transfer_go_on(t);
}

static bool is_short(struct fetcher *f)
{
    struct budget budget = look_at_budget(f);

    return budget_is_short(&budget);
}

static void let_all_read(struct fetcher *f)
{
    favour(f, NULL);
    for (struct transfer *t = f->flying.first; t && f->waiting && !is_short(f); t = t->next) {
        if (t->paused) {
            go_on(f, t);
        }
    }
}

/* Of those that wait, the nearest to its end. */
static void favour_one(struct fetcher *f)
{
    struct transfer *best = transfer_list_nearest_paused(&f->flying);
    struct budget budget = look_at_budget(f);

    if (!best || !account_take_turn(&f->shared.account->favours, f->shared.part)) {
        return;
    }
    if (budget_allows_one(&budget, best->response->body.len)) {
        favour(f, best);
        go_on(f, best);
    } else {
        favour(f, NULL);
    }
}

static void give_up(struct fetcher *f, struct transfer *t)
{
    struct response *response = t->response;

    land(f, t, response);
    transfer_end(t, CURLE_OUT_OF_MEMORY);
    atomic_fetch_sub_explicit(&f->shared.account->held, response->counted_bytes,
                              memory_order_relaxed);
    response->counted_bytes = 0;
    buf_release(&response->body);
    response->outcome = OUTCOME_LOCAL;
    snprintf(response->reason, sizeof response->reason, "no memory for all bodies (--memory)");
    multi_uv_remove(t->lane, t->easy);
    make_idle(f, t);
    f->options.on_response(f->options.context, response);
}

/* But for one of all fetchers, the nearest to its end. */
static void give_up_streams(struct fetcher *f)
{
    account_turn *spares = &f->shared.account->spares;
    struct budget budget = look_at_budget(f);
    struct transfer *t;

    while (
        budget_is_over(&budget) &&
        (t = transfer_list_largest_stream(&f->flying, account_take_turn(spares, f->shared.part)))) {
        give_up(f, t);
        budget = look_at_budget(f);
    }
    if (!budget_is_over(&budget) || !f->flying.count) {
        account_leave_turn(spares, f->shared.part);
    }
}

static void share_out(void *context)
{
    struct fetcher *f = context;
    struct budget budget = look_at_budget(f);

    if (budget_is_over(&budget)) {
        give_up_streams(f);
    }
    if (!f->waiting) {
        return;
    }
    if (!is_short(f)) {
        let_all_read(f);
    } else if (!f->favoured) {
        favour_one(f);
    }
    publish(f);
}

/* Nobody knows what has become of them. */
static void on_broken(void *context, struct lane *lane)
{
    struct fetcher *f = context;
    struct transfer *t;

    while ((t = transfer_list_first_in(&f->flying, lane))) { /* on_response may start others */
        struct response *response = t->response;

        land(f, t, response);
        transfer_end(t, CURLE_OUT_OF_MEMORY);
        response->outcome = OUTCOME_LOCAL;
        snprintf(response->reason, sizeof response->reason, "libcurl is out of memory");
        multi_uv_remove(lane, t->easy);
        transfer_free(t);
        f->options.on_response(f->options.context, response);
    }
}

static struct transfer *take_transfer(struct fetcher *f)
{
    struct transfer *t = f->idle;

    if (t) {
        f->idle = t->next;
        return t;
    }
    return transfer_new(&f->config);
}

enum result fetcher_start(struct fetcher *f, struct response *response, struct request *request,
                          const struct fetch_extra *extra)
{
    struct transfer *t = take_transfer(f);

    if (!t) {
        return RESULT_NOMEM;
    }
    if (transfer_begin(t, response, request, extra) != RESULT_OK) {
        goto fail;
    }
    t->lane = multi_uv_add(f->multi, t->easy, request->host);
    if (!t->lane) {
        goto fail;
    }
    transfer_list_add(&f->flying, t);
    f->unsent++;
    return RESULT_OK;

fail:
    t->response = NULL;
    make_idle(f, t);
    response->request = NULL;
    return RESULT_NOMEM;
}

void fetcher_kick(struct fetcher *f)
{
    multi_uv_kick(f->multi); /* and share_out with it */
}

size_t fetcher_in_flight(const struct fetcher *f)
{
    return f->flying.count;
}

/* Its connection is closed with it, since the answer may still come. */
static struct response *cut(struct fetcher *f, struct transfer *t)
{
    struct response *response = t->response;
    bool was_paused = t->paused;

    response->sent = transfer_info_us(t, CURLINFO_PRETRANSFER_TIME_T) > 0;
    land(f, t, response);
    multi_uv_remove(t->lane, t->easy);
    transfer_cut(t);
    if (was_paused) { /* there is no telling what libcurl keeps of that */
        transfer_free(t);
    } else {
        make_idle(f, t);
    }
    return response;
}

/* A server's time ran on meanwhile, but what it sent is here, and ours did not run. */
static void on_stood_still(void *context, const struct standstill_time *lost)
{
    struct fetcher *f = context;

    for (struct transfer *t = f->flying.first; t; t = t->next) {
        transfer_stood_still(t, lost->awake_us);
        f->some_lost_time |= lost->awake_us > 0;
    }
    if (f->options.on_stood_still) {
        f->options.on_stood_still(f->options.context, lost->all_us);
    }
}

/* libcurl looks after a limit at the time that it was set for, and not at the one that it was moved to. */
static void end_overdue(struct fetcher *f)
{
    uint64_t now_us = uv_hrtime() / 1000U;
    struct transfer *t = f->flying.first;

    while (t) {
        struct response *response = t->response;

        if (!transfer_is_overdue(t, now_us)) {
            t = t->next;
            continue;
        }
        land(f, t, response);
        transfer_end(t, CURLE_OPERATION_TIMEDOUT);
        multi_uv_remove(t->lane, t->easy);
        make_idle(f, t);
        f->options.on_response(f->options.context, response);
        t = f->flying.first; /* on_response may have started others */
    }
}

void fetcher_look(struct fetcher *f)
{
    multi_uv_look(f->multi);
    if (f->some_lost_time) {
        f->some_lost_time = f->flying.count > 0;
        end_overdue(f);
    }
}

void fetcher_note_standstill(struct fetcher *f, uint64_t lost_us)
{
    multi_uv_note_standstill(f->multi, lost_us);
}

void fetcher_cancel_all(struct fetcher *f)
{
    while (f->flying.first) {
        struct response *response = cut(f, f->flying.first);

        response->outcome = OUTCOME_CANCELLED;
        snprintf(response->reason, sizeof response->reason, "cancelled");
        f->options.on_response(f->options.context, response);
    }
}

struct response *fetcher_find(const struct fetcher *f, uint64_t id)
{
    struct transfer *t = transfer_list_find(&f->flying, id);

    return t ? t->response : NULL;
}

bool fetcher_take(struct fetcher *f, const struct response *response, bool only_unsent)
{
    struct transfer *t = f->flying.first;

    while (t && t->response != response) {
        t = t->next;
    }
    if (!t || (only_unsent && response->sends)) {
        return false;
    }
    (void)cut(f, t);
    return true;
}

void fetcher_drop_idle(struct fetcher *f)
{
    multi_uv_drop_idle(f->multi);
}

void fetcher_each(const struct fetcher *f, bool only_unsent, fetcher_visit visit, void *context)
{
    size_t left = only_unsent ? f->unsent : f->flying.count;

    for (const struct transfer *t = f->flying.first; t && left; t = t->next) {
        struct fetch_row row;

        if (only_unsent && t->response->sends) {
            continue;
        }
        left--;
        transfer_row(t, &row);
        if (!visit(context, t->response, &row)) {
            return;
        }
    }
}

static void on_multi_closed(void *context)
{
    struct fetcher *f = context;
    void (*closed)(void *context) = f->closed;

    context = f->closed_context;
    free(f);
    closed(context);
}

static void on_lists_freed(uv_handle_t *closer)
{
    multi_uv_close(((struct fetcher *)closer->data)->multi, on_multi_closed);
}

/* Easy handles first: they may still name a connection of a multi handle. */
static void on_closing_turn(uv_timer_t *closer)
{
    struct fetcher *f = closer->data;

    if (!free_idle(f, uv_hrtime() + CLOSING_TURN_US * 1000)) {
        uv_timer_start(closer, on_closing_turn, 1, 0);
        return;
    }
    free_lists(f);
    uv_close((uv_handle_t *)closer, on_lists_freed);
}

void fetcher_close(struct fetcher *f, void (*closed)(void *context), void *context)
{
    assert(f->flying.count == 0);
    f->closed = closed;
    f->closed_context = context;
    uv_timer_init(f->options.loop, &f->closer);
    f->closer.data = f;
    uv_timer_start(&f->closer, on_closing_turn, 0, 0);
}
