#include "fetch/fetch.h"

#include "fetch/account.h"
#include "fetch/ca_file.h"
#include "fetch/cookies.h"
#include "fetch/curl_memory.h"
#include "fetch/fetch_threads.h"
#include "fetch/fetcher.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>

#define SPARE_RESPONSES_MAX 1024
#define SPARE_BYTES_MAX (32U << 20)

struct fetch {
    struct cookies *cookies; /* NULL: none */
    struct account account;
    uint64_t reserved; /* among what is held (fetch_reserve) */
    /* One of the two. */
    struct fetcher *fetcher; /* on the caller's loop */
    struct fetch_threads *threads;
    struct response *spare; /* for reuse */
    size_t spare_count, spare_bytes;
    void (*closed)(void *context);
    void *context;
};

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

static enum result check(const struct fetch_options *options, struct err *err)
{
    enum result result = check_http(options->http, err);

    return result == RESULT_OK && options->ca_file ? ca_file_check(options->ca_file, err) : result;
}

static void release(struct fetch *f)
{
    struct response *r;

    while ((r = f->spare)) {
        f->spare = r->next;
        response_free(r);
    }
    cookies_free(f->cookies);
    free(f);
    curl_memory_drop();
}

/* What is wrong with the options is wrong for the loop's thread, too, and told there. */
static enum result make_fetchers(struct fetch *f, const struct fetch_options *options,
                                 struct err *err)
{
    struct fetcher_shared shared = { .cookies = f->cookies, .account = &f->account };
    enum result result;

    if (f->account.part_count > 1) {
        result = fetch_threads_new(&f->threads, options, f->cookies, &f->account, err);
        if (result == RESULT_OK || options->needs_threads) {
            return result;
        }
        f->account.part_count = 1;
    }
    curl_memory_keep();
    return fetcher_new(&f->fetcher, options, &shared, err);
}

enum result fetch_new(struct fetch **fetch, const struct fetch_options *options, struct err *err)
{
    enum result result = check(options, err);
    struct fetch *f;

    assert(options->threads <= FETCH_THREADS_MAX);
    if (result != RESULT_OK) {
        return result;
    }
    f = calloc(1, sizeof *f);
    if (!f) {
        return err_nomem(err, "setting up the network");
    }
    /* What libcurl would do at the first transfer, where it may be told of too late (8.14 hangs when there is
     * no memory for it). It counts; its opposite is never called: a resolver's thread may outlive us. */
    if (!curl_memory_init()) {
        free(f);
        return err_nomem(err, "setting up the network");
    }
    f->account.limit = options->memory_bytes;
    f->account.body_max = options->body_max_bytes;
    f->account.part_count = options->threads > 1 ? options->threads : 1;
    f->context = options->context;
    if (options->cookies != FETCH_COOKIES_NONE) {
        result = cookies_new(&f->cookies, err);
    }
    if (result == RESULT_OK) {
        result = make_fetchers(f, options, err);
    }
    if (result != RESULT_OK) {
        release(f);
        return result;
    }
    *fetch = f;
    return RESULT_OK;
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

enum result fetch_start(struct fetch *f, struct request *request, const struct fetch_extra *extra)
{
    struct response *response = take_response(f);

    if (!response) {
        return RESULT_NOMEM;
    }
    if ((f->threads ? fetch_threads_start(f->threads, response, request, extra)
                    : fetcher_start(f->fetcher, response, request, extra)) != RESULT_OK) {
        fetch_recycle(f, response);
        return RESULT_NOMEM;
    }
    return RESULT_OK;
}

void fetch_kick(struct fetch *f)
{
    if (f->threads) {
        fetch_threads_kick(f->threads);
    } else {
        fetcher_kick(f->fetcher);
    }
}

/* --- memory ------------------------------------------------------------------------------------------- */

/* Wraps where `less` is more than `more`, as the number itself does: the sum is right. */
static void hold(struct fetch *f, uint64_t more, uint64_t less)
{
    if (more != less) {
        atomic_fetch_add_explicit(&f->account.held, more - less, memory_order_relaxed);
    }
}

void fetch_reserve(struct fetch *f, uint64_t bytes)
{
    hold(f, bytes, f->reserved);
    f->reserved = bytes;
}

void fetch_recount(struct fetch *f, struct response *response)
{
    uint64_t before = response->counted_bytes;

    response->counted_bytes = response->body.len + response->sent_as.len;
    hold(f, response->counted_bytes, before);
}

void fetch_recycle(struct fetch *f, struct response *response)
{
    assert(!response->request);
    hold(f, 0, response->counted_bytes);
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

size_t fetch_waiting(const struct fetch *f)
{
    return account_waiting(&f->account);
}

/* --- what is in flight ---------------------------------------------------------------------------------- */

size_t fetch_in_flight(const struct fetch *f)
{
    return f->threads ? fetch_threads_in_flight(f->threads) : fetcher_in_flight(f->fetcher);
}

void fetch_cancel_all(struct fetch *f)
{
    if (f->threads) {
        fetch_threads_cancel_all(f->threads);
    } else {
        fetcher_cancel_all(f->fetcher);
    }
}

static struct response *take_in_flight(struct fetch *f, uint64_t id, bool only_unsent)
{
    struct response *response;

    if (f->threads) {
        return fetch_threads_take(f->threads, id, only_unsent);
    }
    response = fetcher_find(f->fetcher, id);
    return response && fetcher_take(f->fetcher, response, only_unsent) ? response : NULL;
}

static struct request *take(struct fetch *f, uint64_t id, bool only_unsent)
{
    struct response *response = take_in_flight(f, id, only_unsent);
    struct request *request = NULL;

    if (response) {
        request = response->request;
        response->request = NULL;
        fetch_recycle(f, response);
    }
    return request;
}

struct request *fetch_take(struct fetch *f, uint64_t id)
{
    return take(f, id, false);
}

struct request *fetch_take_unsent(struct fetch *f, uint64_t id)
{
    return take(f, id, true);
}

void fetch_look(struct fetch *f)
{
    if (f->threads) {
        fetch_threads_look(f->threads);
    } else {
        fetcher_look(f->fetcher);
    }
}

void fetch_note_standstill(struct fetch *f, uint64_t lost_us)
{
    if (f->threads) {
        fetch_threads_note_standstill(f->threads, lost_us);
    } else {
        fetcher_note_standstill(f->fetcher, lost_us);
    }
}

void fetch_drop_idle(struct fetch *f)
{
    if (f->threads) {
        fetch_threads_drop_idle(f->threads);
    } else {
        fetcher_drop_idle(f->fetcher);
    }
}

struct visit {
    bool (*visit)(void *context, const struct fetch_row *row);
    void *context;
};

static bool visit_one(void *context, const struct response *response, const struct fetch_row *row)
{
    const struct visit *v = context;

    (void)response;
    return v->visit(v->context, row);
}

static void each(struct fetch *f, bool only_unsent, struct visit *visit)
{
    if (f->threads) {
        fetch_threads_each(f->threads, only_unsent, visit->visit, visit->context);
    } else {
        fetcher_each(f->fetcher, only_unsent, visit_one, visit);
    }
}

void fetch_each(struct fetch *f, bool (*visit)(void *context, const struct fetch_row *row),
                void *context)
{
    each(f, false, &(struct visit){ visit, context });
}

void fetch_each_unsent(struct fetch *f, bool (*visit)(void *context, const struct fetch_row *row),
                       void *context)
{
    each(f, true, &(struct visit){ visit, context });
}

size_t fetch_threads_of(const struct fetch *f)
{
    return f->threads ? f->account.part_count : 0;
}

double fetch_cpu_s(const struct fetch *f, size_t which)
{
    return f->threads ? fetch_threads_cpu_s(f->threads, which) : 0;
}

uint64_t fetch_lag_us(struct fetch *f)
{
    return f->threads ? fetch_threads_lag_us(f->threads) : 0;
}

/* --- cookies, and the end ------------------------------------------------------------------------------- */

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

static void on_closed(void *context)
{
    struct fetch *f = context;
    void (*closed)(void *context) = f->closed;

    context = f->context;
    release(f);
    closed(context);
}

void fetch_close(struct fetch *f, void (*closed)(void *context))
{
    f->closed = closed;
    if (f->threads) {
        fetch_threads_close(f->threads, on_closed, f);
    } else {
        fetcher_close(f->fetcher, on_closed, f);
    }
}
