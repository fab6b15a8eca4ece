#include "fetch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const own_headers[] = { "X-Own: 1", "x-api-key: own" };

static const struct fetch_endpoint endpoints[] = {
    { .method = "GET", .keep = { NULL, "X-Pages" } },
    { .method = "POST", .body = "{\"a\":1}" },
    { .method = "GET", .headers = own_headers, .header_count = 2 },
    { .method = "POST", .headers = own_headers, .header_count = 1, .alone = true },
};

static const char *const headers[] = { "X-Api-Key: 4f3c" };

static void on_response(void *context, struct response *response)
{
    struct net *n = context;

    response->next = NULL;
    *n->last = response;
    n->last = &response->next;
    if (++n->count == n->want) {
        uv_stop(&n->loop); /* it may have come by a timer: the loop would wait on for an event */
    }
    if (n->chain) {
        n->chain--;
        start(n, n->chain_url, GET);
    }
}

static void on_closed(void *context)
{
    struct net *n = context;

    n->closed = true;
}

static bool keeps(struct str name)
{
    return str_equal_nocase(name, STR("retry-after"));
}

void net_begin_as(struct net *n, uint64_t total_us, uint64_t body_max, uint64_t memory,
                  enum job_http http)
{
    const char *threads = getenv("FETCH_THREADS"); /* the same with several */
    struct fetch_options options = { .loop = &n->loop,
                                     .threads = threads ? (unsigned)atoi(threads) : 1,
                                     .clock = clock_system(),
                                     .endpoints = endpoints,
                                     .endpoint_count = sizeof endpoints / sizeof endpoints[0],
                                     .headers = headers,
                                     .header_count = 1,
                                     .connect_timeout_us = total_us,
                                     .total_timeout_us = total_us,
                                     .body_max_bytes = body_max,
                                     .memory_bytes = memory,
                                     .http = http,
                                     .keeps = keeps,
                                     .on_response = on_response,
                                     .context = n };

    *n = (struct net){ .count = 0 };
    n->last = &n->first;
    assert_int_equal(uv_loop_init(&n->loop), 0);
    assert_int_equal(fetch_new(&n->fetch, &options, NULL), RESULT_OK);
}

void net_begin_with(struct net *n, uint64_t total_us, uint64_t body_max, uint64_t memory)
{
    net_begin_as(n, total_us, body_max, memory, JOB_HTTP_AUTO);
}

void net_begin(struct net *n, uint64_t total_us)
{
    net_begin_with(n, total_us, BODY_MAX, 0);
}

void start_request(struct net *n, struct request *request)
{
    assert_non_null(request);
    assert_int_equal(fetch_start(n->fetch, request, NULL), RESULT_OK);
}

void start(struct net *n, const char *url, uint32_t endpoint)
{
    start_request(n, request_new(1, endpoint, STR("key"), str_view(url)));
}

void wait_for(struct net *n, unsigned count)
{
    n->want = count;
    fetch_kick(n->fetch);
    while (n->count < count) {
        uv_run(&n->loop, UV_RUN_DEFAULT);
    }
    assert_int_equal(n->count, count);
}

struct response *take(struct net *n)
{
    struct response *response = n->first;

    assert_non_null(response);
    n->first = response->next;
    if (!n->first) {
        n->last = &n->first;
    }
    return response;
}

void give_back(struct net *n, struct response *response)
{
    request_free(response->request);
    response->request = NULL;
    fetch_recycle(n->fetch, response);
}

struct response *ask(struct net *n, const char *url)
{
    start(n, url, GET);
    wait_for(n, n->count + 1);
    return take(n);
}

void net_end(struct net *n)
{
    while (n->first) {
        give_back(n, take(n));
    }
    assert_int_equal(fetch_in_flight(n->fetch), 0);
    fetch_close(n->fetch, on_closed);
    assert_false(n->closed);
    while (uv_run(&n->loop, UV_RUN_DEFAULT)) { /* an uv_stop may be left over */
    }
    assert_true(n->closed);
    assert_int_equal(uv_loop_close(&n->loop), 0);
}

struct server_answer play_always(void *context, const struct server_asked *asked, unsigned number)
{
    (void)asked;
    (void)number;
    return *(const struct server_answer *)context;
}

void assert_outcome(const char *name, struct server_answer answer, uint64_t total_us,
                    enum outcome outcome, int status)
{
    struct server *server = server_start(play_always, &answer);
    struct response *response;
    struct net n;

    net_begin(&n, total_us);
    response = ask(&n, server_url(server, "/"));
    if (response->outcome != outcome || response->status != status) {
        fail_msg("%s: %s, status %d (%s); want %s, status %d", name,
                 outcome_name(response->outcome), response->status, response->reason,
                 outcome_name(outcome), status);
    }
    assert_int_equal(response->reason[0] == '\0',
                     outcome == OUTCOME_OK || outcome == OUTCOME_REDIRECT);
    give_back(&n, response);
    net_end(&n);
    server_stop(server);
}

struct server_answer play_in_turn(void *context, const struct server_asked *asked, unsigned number)
{
    (void)asked;
    return ((const struct server_answer *)context)[number];
}
