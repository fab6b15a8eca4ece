#include "fetch/fetch.h"

#include "fetch/budget.h"
#include "fetch/ca_file.h"
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

#define SPARE_RESPONSES_MAX 1024
#define SPARE_BYTES_MAX (32U << 20)

struct fetch {
    struct fetch_options options;
    struct transfer_config config;
    struct proxies proxies;
    struct multi_uv *multi;
    struct cookies *cookies; /* NULL: none */
    struct transfer_list flying;
    struct transfer *idle; /* singly linked by `next` */
    bool some_lost_time;   /* of those in flight, perhaps */
    struct budget budget;
    struct calmed calmed;
    uint64_t reserved;         /* among what is held (fetch_reserve) */
    struct transfer *favoured; /* the one that goes on when memory is short */
    size_t waiting;            /* paused */
    struct response *spare;    /* for reuse */
    size_t spare_count, spare_bytes;
    void (*closed)(void *context);
};

static void free_lists(struct fetch *f)
{
    struct transfer *t;
    struct response *r;

    while ((t = f->idle)) {
        f->idle = t->next;
        transfer_free(t);
    }
    while ((r = f->spare)) {
        f->spare = r->next;
        response_free(r);
    }
    header_lists_release(&f->config);
    cookies_free(f->cookies);
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

static bool make_jar(struct fetch *f)
{
    if (f->options.cookies == FETCH_COOKIES_NONE) {
        return true;
    }
    if (cookies_new(&f->cookies, NULL) != RESULT_OK) {
        return false;
    }
    f->config.jar = cookies_share(f->cookies);
    return true;
}

static bool add_all(struct curl_slist **list, char *const *lines, size_t count)
{
    bool ok = true;

    for (size_t i = 0; ok && i < count; i++) {
        ok = header_lists_add(list, lines[i]);
    }
    return ok;
}

static enum result check_http(enum job_http http, struct err *err)
{
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);

    if (http == JOB_HTTP_3 && !(curl->features & CURL_VERSION_HTTP3)) {
        return err_set(
            err, RESULT_INVALID, "E-NET2",
            "this libcurl (%s) speaks no HTTP/3: leave out --http3, and HTTP/2 or 1.1 is "
            "spoken",
            curl->version);
    }
    return RESULT_OK;
}

static enum result take_network(struct fetch *f, const struct job_network *network, struct err *err)
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

enum result fetch_new(struct fetch **fetch, const struct fetch_options *options, struct err *err)
{
    static const struct multi_uv_callbacks callbacks = { on_done,    on_broken, on_stood_still,
                                                         has_paused, may_talk,  share_out };
    enum result result = check_http(options->http, err);
    struct fetch *f;

    if (result == RESULT_OK && options->ca_file) {
        result = ca_file_check(options->ca_file, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    f = calloc(1, sizeof *f);
    if (!f) {
        return err_nomem(err, "setting up the network");
    }
    /* What libcurl would do at the first transfer, where it may be told of too late (8.14 hangs when there is
     * no memory for it). It counts; its opposite is never called: a resolver's thread may outlive us. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(f);
        return err_nomem(err, "setting up the network");
    }
    f->options = *options;
    f->config.options = &f->options;
    f->config.body_bytes = &f->budget.flying;
    f->budget.limit = options->memory_bytes;
    f->budget.body_max = options->body_max_bytes;
    f->config.watch_heads = transfer_head_must_be_watched();
    f->config.proxies = &f->proxies;
    f->config.calmed = &f->calmed;
    if (options->network) {
        result = take_network(f, options->network, err);
        if (result != RESULT_OK) {
            goto fail_headers;
        }
    }
    if (header_lists_build(&f->config) != RESULT_OK || !make_jar(f)) {
        result = err_nomem(err, "preparing request headers");
        goto fail_headers;
    }
    result = multi_uv_new(&f->multi, options->loop, &callbacks, f, err);
    if (result != RESULT_OK) {
        goto fail_headers;
    }
    if (f->budget.limit) {
        f->config.must_wait = must_wait;
        f->config.wait_context = f;
    }
    f->config.close_socket = multi_uv_close_socket;
    f->config.opened_socket = multi_uv_opened_socket;
    f->config.socket_context = f->multi;
    *fetch = f;
    return RESULT_OK;

fail_headers:
    free_lists(f);
    free(f);
    return result;
}

static void make_idle(struct fetch *f, struct transfer *t)
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

/* It flies no more; its body is somebody else's from now on, and counts until it comes back. */
static void land(struct fetch *f, struct transfer *t, struct response *response)
{
    transfer_list_remove(&f->flying, t);
    f->budget.count = f->flying.count;
    f->waiting -= t->paused;
    f->favoured = f->favoured == t ? NULL : f->favoured;
    response->counted_bytes = response->body.len;
    f->budget.flying -= response->counted_bytes;
    f->budget.held += response->counted_bytes;
    if (response->sets_cookie && f->cookies) {
        cookies_note(f->cookies);
    }
}

static void on_done(void *context, CURL *easy, CURLcode code)
{
    struct fetch *f = context;
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
    return ((const struct fetch *)context)->waiting > 0;
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
    struct fetch *f = context;
    bool waits = !transfer_http_is_stream(t) && t != f->favoured &&
                 budget_must_wait(&f->budget, transfer_bytes(t));

    f->waiting += waits;
    return waits;
}

static void go_on(struct fetch *f, struct transfer *t)
{
    f->waiting--;
    f->some_lost_time = true;
    transfer_go_on(t);
}

static void let_all_read(struct fetch *f)
{
    f->favoured = NULL;
    for (struct transfer *t = f->flying.first; t && f->waiting && !budget_is_short(&f->budget);
         t = t->next) {
        if (t->paused) {
            go_on(f, t);
        }
    }
}

/* Of those that wait, the nearest to its end. */
static void favour_one(struct fetch *f)
{
    struct transfer *best = transfer_list_nearest_paused(&f->flying);

    if (best && budget_allows_one(&f->budget, best->response->body.len)) {
        f->favoured = best;
        go_on(f, best);
    }
}

static void give_up(struct fetch *f, struct transfer *t)
{
    struct response *response = t->response;

    land(f, t, response);
    transfer_end(t, CURLE_OUT_OF_MEMORY);
    f->budget.held -= response->counted_bytes;
    response->counted_bytes = 0;
    buf_release(&response->body);
    response->outcome = OUTCOME_LOCAL;
    snprintf(response->reason, sizeof response->reason, "no memory for all bodies (--memory)");
    multi_uv_remove(t->lane, t->easy);
    make_idle(f, t);
    f->options.on_response(f->options.context, response);
}

static void share_out(void *context)
{
    struct fetch *f = context;
    struct transfer *t;

    while (budget_is_over(&f->budget) && (t = transfer_list_largest_stream(&f->flying))) {
        give_up(f, t);
    }
    if (!f->waiting) {
        return;
    }
    if (!budget_is_short(&f->budget)) {
        let_all_read(f);
    } else if (!f->favoured) {
        favour_one(f);
    }
}

size_t fetch_waiting(const struct fetch *f)
{
    return f->waiting;
}

/* Nobody knows what has become of them. */
static void on_broken(void *context, struct lane *lane)
{
    struct fetch *f = context;
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

static struct response *take_response(struct fetch *f)
{
    struct response *response = f->spare;

    if (response) {
        f->spare = response->next;
        f->spare_count--;
        f->spare_bytes -= response->body.cap + response->headers.cap;
        response->next = NULL;
        return response;
    }
    return response_new();
}

static struct transfer *take_transfer(struct fetch *f)
{
    struct transfer *t = f->idle;

    if (t) {
        f->idle = t->next;
        return t;
    }
    return transfer_new(&f->config);
}

size_t fetch_load_cookies(struct fetch *f, struct str text)
{
    return f->cookies ? cookies_load(f->cookies, text) : 0;
}

enum result fetch_write_cookies(struct fetch *f, struct buf *out)
{
    if (!f->cookies) {
        return RESULT_OK;
    }
    cookies_trim(f->cookies);
    return cookies_write(f->cookies, out);
}

enum result fetch_start(struct fetch *f, struct request *request, const struct fetch_extra *extra)
{
    struct response *response = take_response(f);
    struct transfer *t = take_transfer(f);

    if (!response || !t) {
        goto fail;
    }
    if (transfer_begin(t, response, request, extra) != RESULT_OK) {
        goto fail;
    }
    t->lane = multi_uv_add(f->multi, t->easy, request->host);
    if (!t->lane) {
        goto fail;
    }
    transfer_list_add(&f->flying, t);
    f->budget.count = f->flying.count;
    return RESULT_OK;

fail:
    if (t) {
        t->response = NULL;
        make_idle(f, t);
    }
    if (response) {
        response->request = NULL;
        fetch_recycle(f, response);
    }
    return RESULT_NOMEM;
}

void fetch_kick(struct fetch *f)
{
    multi_uv_kick(f->multi); /* and share_out with it */
}

size_t fetch_in_flight(const struct fetch *f)
{
    return f->flying.count;
}

/* Its connection is closed with it, since the answer may still come. */
static struct response *cut(struct fetch *f, struct transfer *t)
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
    struct fetch *f = context;

    for (struct transfer *t = f->flying.first; t; t = t->next) {
        transfer_stood_still(t, lost->awake_us);
        f->some_lost_time |= lost->awake_us > 0;
    }
    if (f->options.on_stood_still) {
        f->options.on_stood_still(f->options.context, lost->all_us);
    }
}

/* libcurl looks after a limit at the time that it was set for, and not at the one that it was moved to. */
static void end_overdue(struct fetch *f)
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

void fetch_look(struct fetch *f)
{
    multi_uv_look(f->multi);
    if (f->some_lost_time) {
        f->some_lost_time = f->flying.count > 0;
        end_overdue(f);
    }
}

void fetch_note_standstill(struct fetch *f, uint64_t lost_us)
{
    multi_uv_note_standstill(f->multi, lost_us);
}

void fetch_cancel_all(struct fetch *f)
{
    while (f->flying.first) {
        struct response *response = cut(f, f->flying.first);

        response->outcome = OUTCOME_CANCELLED;
        snprintf(response->reason, sizeof response->reason, "cancelled");
        f->options.on_response(f->options.context, response);
    }
}

struct request *fetch_take(struct fetch *f, uint64_t id)
{
    struct transfer *t = transfer_list_find(&f->flying, id);
    struct response *response;
    struct request *request;

    if (!t) {
        return NULL;
    }
    response = cut(f, t);
    request = response->request;
    response->request = NULL;
    fetch_recycle(f, response);
    return request;
}

void fetch_drop_idle(struct fetch *f)
{
    multi_uv_drop_idle(f->multi);
}

void fetch_reserve(struct fetch *f, uint64_t bytes)
{
    f->budget.held += bytes;
    f->budget.held -= f->reserved;
    f->reserved = bytes;
}

void fetch_recount(struct fetch *f, struct response *response)
{
    f->budget.held -= response->counted_bytes;
    response->counted_bytes = response->body.len + response->sent_as.len;
    f->budget.held += response->counted_bytes;
}

void fetch_recycle(struct fetch *f, struct response *response)
{
    assert(!response->request);
    f->budget.held -= response->counted_bytes;
    response_reset(response);
    if (f->spare_count >= SPARE_RESPONSES_MAX || f->spare_bytes >= SPARE_BYTES_MAX) {
        response_free(response);
        return;
    }
    f->spare_bytes += response->body.cap + response->headers.cap;
    response->next = f->spare;
    f->spare = response;
    f->spare_count++;
}

void fetch_each(struct fetch *f, bool (*visit)(void *context, const struct fetch_row *row),
                void *context)
{
    for (struct transfer *t = f->flying.first; t; t = t->next) {
        struct fetch_row row;

        transfer_row(t, &row);
        if (!visit(context, &row)) {
            return;
        }
    }
}

void fetch_each_unsent(struct fetch *f, bool (*visit)(void *context, const struct fetch_row *row),
                       void *context)
{
    for (struct transfer *t = f->flying.first; t; t = t->next) {
        struct fetch_row row;

        if (t->response->sends) {
            continue;
        }
        transfer_row(t, &row);
        if (!visit(context, &row)) {
            return;
        }
    }
}

static void on_multi_closed(void *context)
{
    struct fetch *f = context;
    void (*closed)(void *context) = f->closed;

    context = f->options.context;
    free(f);
    closed(context);
}

void fetch_close(struct fetch *f, void (*closed)(void *context))
{
    assert(f->flying.count == 0);
    f->closed = closed;
    /* Easy handles first: they may still name a connection of a multi handle. */
    free_lists(f);
    multi_uv_close(f->multi, on_multi_closed);
}
