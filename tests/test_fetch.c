#include "fetch/fetch.h"

#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define BODY_MAX (1U << 20)
#define PATIENCE_US (60 * US_PER_S) /* of tests in which nothing times out */
#define SHORT_US (400 * US_PER_MS)  /* of those in which something does */
#define GET 0
#define POST 1
#define OWN 2
#define ALONE 3

static const char *const own_headers[] = { "X-Own: 1", "x-api-key: own" };
static const struct fetch_endpoint endpoints[] = {
    { .method = "GET", .keep = { NULL, "X-Pages" } },
    { .method = "POST", .body = "{\"a\":1}" },
    { .method = "GET", .headers = own_headers, .header_count = 2 },
    { .method = "POST", .headers = own_headers, .header_count = 1, .alone = true },
};
static const char *const headers[] = { "X-Api-Key: 4f3c" };

/* A loop with a fetch on it, and what came back. */
struct net {
    uv_loop_t loop;
    struct fetch *fetch;
    struct response *first, **last;
    unsigned count, want;
    unsigned chain; /* so many more are started from within on_response */
    const char *chain_url;
    bool closed;
};

static void start(struct net *n, const char *url, uint32_t endpoint);

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

static void net_begin_as(struct net *n, uint64_t total_us, uint64_t body_max, uint64_t memory,
                         enum job_http http)
{
    struct fetch_options options = { .loop = &n->loop,
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

static void net_begin_with(struct net *n, uint64_t total_us, uint64_t body_max, uint64_t memory)
{
    net_begin_as(n, total_us, body_max, memory, JOB_HTTP_AUTO);
}

static void net_begin(struct net *n, uint64_t total_us)
{
    net_begin_with(n, total_us, BODY_MAX, 0);
}

static void start_request(struct net *n, struct request *request)
{
    assert_non_null(request);
    assert_int_equal(fetch_start(n->fetch, request, NULL), RESULT_OK);
}

static void start(struct net *n, const char *url, uint32_t endpoint)
{
    start_request(n, request_new(1, endpoint, STR("key"), str_view(url)));
}

static void wait_for(struct net *n, unsigned count)
{
    n->want = count;
    fetch_kick(n->fetch);
    while (n->count < count) {
        uv_run(&n->loop, UV_RUN_DEFAULT);
    }
    assert_int_equal(n->count, count);
}

/* The oldest that came back; give_back it. */
static struct response *take(struct net *n)
{
    struct response *response = n->first;

    assert_non_null(response);
    n->first = response->next;
    if (!n->first) {
        n->last = &n->first;
    }
    return response;
}

static void give_back(struct net *n, struct response *response)
{
    request_free(response->request);
    response->request = NULL;
    fetch_recycle(n->fetch, response);
}

static struct response *ask(struct net *n, const char *url)
{
    start(n, url, GET);
    wait_for(n, n->count + 1);
    return take(n);
}

/* An empty loop at the end is part of every test. */
static void net_end(struct net *n)
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

static struct server_answer play_always(void *context, const struct server_asked *asked,
                                        unsigned number)
{
    (void)asked;
    (void)number;
    return *(const struct server_answer *)context;
}

/* One answer, and what it must be taken for. */
static void assert_outcome(const char *name, struct server_answer answer, uint64_t total_us,
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

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define OK_ANSWER OK_HEAD "Content-Length: 7\r\n\r\n{\"a\":1}"

static void outcome__is_told__for_each_misbehaviour(void **state)
{
    static const struct {
        const char *name;
        struct server_answer answer;
        enum outcome outcome;
        int status;
    } samples[] = {
#define SAMPLE(name, literal, then, outcome, status)                                               \
    { name, { literal, sizeof(literal) - 1, 0, then }, outcome, status }
        SAMPLE("well", OK_ANSWER, SERVER_KEEP, OUTCOME_OK, 200),
        SAMPLE("no content", "HTTP/1.1 204 No Content\r\n\r\n", SERVER_KEEP, OUTCOME_OK, 204),
        SAMPLE("chunked", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n0\r\n\r\n",
               SERVER_KEEP, OUTCOME_OK, 200),
        SAMPLE("ended by close", OK_HEAD "\r\n{}", SERVER_CLOSE, OUTCOME_OK, 200),
        SAMPLE("short length", OK_HEAD "Content-Length: 100\r\n\r\n{\"a\":", SERVER_CLOSE,
               OUTCOME_SHORT_BODY, 200),
        SAMPLE("short chunk", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n64\r\n{\"a\":",
               SERVER_CLOSE, OUTCOME_SHORT_BODY, 200),
        SAMPLE("no last chunk", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
               SERVER_CLOSE, OUTCOME_SHORT_BODY, 200),
        SAMPLE("reset in the body", OK_HEAD "Content-Length: 100\r\n\r\n{\"a\":", SERVER_RESET,
               OUTCOME_SHORT_BODY, 200),
        SAMPLE("closed without an answer", "", SERVER_CLOSE, OUTCOME_CONNECT, 0),
        SAMPLE("reset without an answer", "", SERVER_RESET, OUTCOME_CONNECT, 0),
        SAMPLE("garbage", "\x16\x03\x01 hello, is this HTTP?\r\n\r\n", SERVER_CLOSE,
               OUTCOME_PROTOCOL, 0),
        SAMPLE("HTTP/0.9", "{\"a\":1}", SERVER_CLOSE, OUTCOME_PROTOCOL, 0),
        SAMPLE("two lengths", OK_HEAD "Content-Length: 2\r\nContent-Length: 4\r\n\r\n{}{}",
               SERVER_CLOSE, OUTCOME_PROTOCOL, 200),
        SAMPLE("one length twice", OK_HEAD "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
               SERVER_CLOSE, OUTCOME_OK, 200),
        SAMPLE("negative length", OK_HEAD "Content-Length: -5\r\n\r\n{}", SERVER_CLOSE,
               OUTCOME_PROTOCOL, 200),
        SAMPLE("unknown encoding", OK_HEAD "Content-Encoding: foo\r\nContent-Length: 2\r\n\r\n{}",
               SERVER_CLOSE, OUTCOME_ENCODING, 200),
        SAMPLE("no gzip", OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\n{\"a\": 1}",
               SERVER_CLOSE, OUTCOME_ENCODING, 200),
        SAMPLE("not found", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", SERVER_KEEP,
               OUTCOME_STATUS, 404),
        SAMPLE("not modified", "HTTP/1.1 304 Not Modified\r\n\r\n", SERVER_KEEP, OUTCOME_STATUS,
               304),
        SAMPLE("announced too big", OK_HEAD "Content-Length: 99999999\r\n\r\n{", SERVER_FLOOD,
               OUTCOME_TOO_BIG, 200),
        SAMPLE("endless", OK_HEAD "\r\n                                ", SERVER_FLOOD,
               OUTCOME_TOO_BIG, 200),
        SAMPLE("endless error", "HTTP/1.1 500 Oops\r\n\r\n                                ",
               SERVER_FLOOD, OUTCOME_TOO_BIG, 500),
        SAMPLE("100 Continue for ever", "HTTP/1.1 100 Continue\r\n\r\n", SERVER_FLOOD,
               OUTCOME_PROTOCOL, 100),
        SAMPLE("headers for ever", "X-A: HTTP/1.1 200 OK\r\n", SERVER_FLOOD, OUTCOME_PROTOCOL, 0),
        SAMPLE("redirect", "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
               SERVER_KEEP, OUTCOME_REDIRECT, 302),
        SAMPLE("redirect to nowhere", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
               SERVER_KEEP, OUTCOME_STATUS, 302),
#undef SAMPLE
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        assert_outcome(samples[i].name, samples[i].answer, PATIENCE_US, samples[i].outcome,
                       samples[i].status);
    }
}

static void outcome__is_timeout__wherever_the_server_stops(void **state)
{
    static const struct {
        const char *name;
        struct server_answer answer;
        int status;
    } samples[] = {
#define SAMPLE(name, literal, then, status)                                                        \
    { name, { literal, sizeof(literal) - 1, 0, then }, status }
        SAMPLE("silent", "", SERVER_HANG, 0),
        SAMPLE("within the head", "HTTP/1.1 200 OK\r\nX-A:", SERVER_HANG, 0),
        SAMPLE("within the body", OK_HEAD "Content-Length: 100\r\n\r\n{", SERVER_HANG, 200),
        SAMPLE("head by drops", "HTTP/1.1 200 OK\r\nX-A: a", SERVER_DRIP, 0),
        SAMPLE("body by drops", OK_HEAD "\r\n{ ", SERVER_DRIP, 200),
#undef SAMPLE
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct server *server = server_start(play_always, (void *)(uintptr_t)&samples[i].answer);
        struct response *response;
        struct net n;

        net_begin(&n, SHORT_US);
        response = ask(&n, server_url(server, "/"));
        if (response->outcome != OUTCOME_TIMEOUT) {
            fail_msg("%s: %s (%s)", samples[i].name, outcome_name(response->outcome),
                     response->reason);
        }
        assert_true(response->sent);
        give_back(&n, response);
        net_end(&n);
        server_stop(server);
    }
}

/* One header over 100 KiB looks like a want of memory the first time. */
static void assert_believed_the_second_time(struct server_answer answer)
{
    struct server *server = server_start(play_always, &answer);
    struct request *again = request_new(2, GET, STR("key"), str_view(server_url(server, "/")));
    struct response *response;
    struct net n;

    net_begin(&n, PATIENCE_US);
    response = ask(&n, server_url(server, "/"));
    if (curl_version_info(CURLVERSION_NOW)->version_num < 0x080600) {
        assert_int_equal(response->outcome, OUTCOME_CONNECT); /* it cannot tell them apart */
    }
    assert_non_null(strstr(response->reason, "header"));
    again->last = response_last_try(response);
    give_back(&n, response);
    start_request(&n, again);
    wait_for(&n, 2);
    response = take(&n);
    assert_int_equal(response->outcome, OUTCOME_PROTOCOL);
    assert_string_equal(response->reason, "a response header is over 100 KiB");
    assert_int_equal(response->status, 200);
    give_back(&n, response);
    net_end(&n);
    server_stop(server);
}

static void outcome__is_protocol__when_a_header_is_enormous(void **state)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nX-Long: ";
    size_t len = 110U << 10, at = sizeof head - 1;
    char *bytes = malloc(len);

    (void)state;
    memset(bytes, 'x', len);
    memcpy(bytes, head, at);
    memcpy(bytes + len - 8, "\r\n\r\n{}  ", 8);
    assert_believed_the_second_time((struct server_answer){ bytes, len, 0, SERVER_CLOSE });
    for (size_t i = at + 1000; i + 1000 < len; i += 1000) {
        memcpy(bytes + i, "\r\nX: ", 5);
    }
    assert_outcome("many", (struct server_answer){ bytes, len - 10, 0, SERVER_FLOOD }, PATIENCE_US,
                   OUTCOME_PROTOCOL, 200);
    free(bytes);
}

/* --- gzip, by hand: stored blocks ------------------------------------------------------------- */

static uint32_t crc32_of(const char *bytes, size_t len)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
        }
    }
    return ~crc;
}

static void put_le(char *at, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        at[i] = (char)(value >> 8 * i & 0xFF);
    }
}

#define GZIP_ANSWER_MAX 1024

/* A gzip answer for `text`, of which `cut` bytes at its end are left out (and not announced). */
static size_t gzip_answer(char out[GZIP_ANSWER_MAX], const char *text, size_t cut)
{
    static const char gzip_head[10] = "\x1f\x8b\x08\0\0\0\0\0\0\x03";
    char zipped[512];
    size_t text_len = strlen(text), len = 0;

    memcpy(zipped, gzip_head, 10);
    zipped[10] = 1; /* the last block, stored */
    put_le(zipped + 11, (uint32_t)text_len, 2);
    put_le(zipped + 13, ~(uint32_t)text_len, 2);
    memcpy(zipped + 15, text, text_len);
    put_le(zipped + 15 + text_len, crc32_of(text, text_len), 4);
    put_le(zipped + 19 + text_len, (uint32_t)text_len, 4);
    len = 23 + text_len - cut;
    text_len = (size_t)snprintf(
        out, GZIP_ANSWER_MAX, OK_HEAD "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", len);
    memcpy(out + text_len, zipped, len);
    return text_len + len;
}

static void gzip__is_unpacked(void **state)
{
    static const char text[] = "{\"a\":[1,2,3],\"b\":\"some text that is stored\"}";
    char bytes[GZIP_ANSWER_MAX];
    struct server_answer answer = { bytes, gzip_answer(bytes, text, 0), 0, SERVER_KEEP };
    struct server *server = server_start(play_always, &answer);
    struct response *response;
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    response = ask(&n, server_url(server, "/"));
    assert_int_equal(response->outcome, OUTCOME_OK);
    assert_true(str_equal(buf_view(&response->body), str_view(text)));
    assert_non_null(strstr(server_asked_at(server, 0).head, "Accept-Encoding: gzip\r\n"));
    give_back(&n, response);
    net_end(&n);
    server_stop(server);
}

/* libcurl 7.88 calls it complete: the body must then be what shows it, by not being JSON to its end. */
static void gzip__never_looks_complete__when_it_was_cut(void **state)
{
    static const char text[] = "{\"a\":[1,2,3],\"b\":\"some text that is stored\"}";

    (void)state;
    for (size_t cut = 9; cut < 23 + sizeof text - 1; cut += 5) {
        char bytes[GZIP_ANSWER_MAX];
        struct server_answer answer = { bytes, gzip_answer(bytes, text, cut), 0, SERVER_KEEP };
        struct server *server = server_start(play_always, &answer);
        struct response *response;
        struct net n;

        net_begin(&n, PATIENCE_US);
        response = ask(&n, server_url(server, "/"));
        assert_true(response->outcome != OUTCOME_OK || response->body.len < sizeof text - 1);
        give_back(&n, response);
        net_end(&n);
        server_stop(server);
    }
}

static void gzip__is_refused__when_its_checksum_is_wrong(void **state)
{
    char bytes[GZIP_ANSWER_MAX];
    size_t len = gzip_answer(bytes, "{\"a\":1}", 0);

    (void)state;
    bytes[len - 6] ^= 1;
    assert_outcome("checksum", (struct server_answer){ bytes, len, 0, SERVER_KEEP }, PATIENCE_US,
                   OUTCOME_ENCODING, 200);
}

/* --- bodies and headers ----------------------------------------------------------------------- */

static void sized_answer(struct server_answer *answer, const char *status, size_t body)
{
    char *bytes = malloc(body + 200);
    int head = snprintf(bytes, 200, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", status, body);

    memset(bytes + head, ' ', body);
    *answer = (struct server_answer){ bytes, (size_t)head + body, 0, SERVER_KEEP };
}

static void body__may_be_as_large_as_the_ceiling_and_no_larger(void **state)
{
    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        struct server_answer answer;
        struct server *server;
        struct response *response;
        struct net n;

        sized_answer(&answer, "200 OK", BODY_MAX + over);
        server = server_start(play_always, &answer);
        net_begin(&n, PATIENCE_US);
        response = ask(&n, server_url(server, "/"));
        assert_int_equal(response->outcome, over ? OUTCOME_TOO_BIG : OUTCOME_OK);
        assert_in_range(response->body.len, 0, BODY_MAX);
        assert_int_equal(response->body.len == BODY_MAX, !over);
        give_back(&n, response);
        net_end(&n);
        server_stop(server);
        free((void *)(uintptr_t)answer.bytes);
    }
}

static void announced_answer(struct server_answer *answer, size_t announced, size_t sent,
                             enum server_then then)
{
    char head[128];
    int len = snprintf(head, sizeof head, OK_HEAD "Content-Length: %zu\r\n\r\n", announced);
    char *bytes = malloc((size_t)len + sent);

    assert_non_null(bytes);
    memcpy(bytes, head, (size_t)len);
    memset(bytes + len, ' ', sent);
    *answer = (struct server_answer){ bytes, (size_t)len + sent, 0, then };
}

static struct server_answer play_by_path(void *context, const struct server_asked *asked,
                                         unsigned number)
{
    (void)number;
    return ((const struct server_answer *)context)[asked->head[5] - '0']; /* "GET /0" */
}

static bool add_bytes(void *context, const struct fetch_row *row)
{
    *(uint64_t *)context += row->body_bytes;
    return true;
}

static void wait_for_bytes(struct net *n, uint64_t want)
{
    uint64_t bytes = 0;

    fetch_kick(n->fetch);
    while (bytes < want) {
        uv_run(&n->loop, UV_RUN_ONCE);
        bytes = 0;
        fetch_each(n->fetch, add_bytes, &bytes);
    }
}

static void wait_for_waiting(struct net *n, size_t want)
{
    fetch_kick(n->fetch);
    while (fetch_waiting(n->fetch) < want) {
        uv_run(&n->loop, UV_RUN_ONCE);
    }
}

/* While a body is handed on there is no room for another: that one waits, and this is not its own time. It
 * outlives what it has of that. */
static void memory__makes_a_body_wait__at_no_cost_of_its_time(void **state)
{
    const uint64_t own_us = 4 * SHORT_US;
    struct server_answer answers[2];
    struct server *server;
    struct response *first, *second;
    struct clock clock = clock_system();
    uint64_t until_us;
    struct net n;

    (void)state;
    announced_answer(&answers[0], 7U << 20, 7U << 20, SERVER_KEEP);
    announced_answer(&answers[1], 5U << 20, 5U << 20, SERVER_KEEP);
    server = server_start(play_by_path, answers);
    net_begin_with(&n, own_us, 32U << 20, 8U << 20);
    first = ask(&n, server_url(server, "/0"));
    assert_int_equal(first->outcome, OUTCOME_OK);
    start(&n, server_url(server, "/1"), GET);
    wait_for_waiting(&n, 1);
    for (until_us = clock_now_us(&clock) + own_us; clock_now_us(&clock) < until_us;) {
        uv_run(&n.loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(n.count, 1);
    assert_int_equal(fetch_waiting(n.fetch), 1);
    give_back(&n, first);
    wait_for(&n, 2);
    second = take(&n);
    assert_int_equal(second->outcome, OUTCOME_OK);
    assert_int_equal(second->body.len, 5U << 20);
    assert_in_range(second->timing.total_us, 1, own_us); /* its own */
    give_back(&n, second);
    assert_int_equal(fetch_waiting(n.fetch), 0);
    net_end(&n);
    server_stop(server);
    free((void *)(uintptr_t)answers[0].bytes);
    free((void *)(uintptr_t)answers[1].bytes);
}

/* What is kept back for a body that is made into JSON, and what that has come to, count like bodies. */
static void memory__makes_a_body_wait__for_what_is_made_of_others(void **state)
{
    struct server_answer answers[2];
    struct server *server;
    struct response *first;
    struct net n;

    (void)state;
    announced_answer(&answers[0], 1, 1, SERVER_KEEP);
    announced_answer(&answers[1], 5U << 20, 5U << 20, SERVER_KEEP);
    server = server_start(play_by_path, answers);
    net_begin_with(&n, PATIENCE_US, 6U << 20, 8U << 20);
    first = ask(&n, server_url(server, "/0"));
    fetch_reserve(n.fetch, 7U << 20);
    start(&n, server_url(server, "/1"), GET);
    wait_for_waiting(&n, 1);
    fetch_reserve(n.fetch, 0);
    fetch_kick(n.fetch);
    wait_for(&n, 2);
    give_back(&n, take(&n));

    assert_int_equal(buf_reserve(&first->sent_as, 7U << 20), RESULT_OK);
    first->sent_as.len = 7U << 20;
    fetch_recount(n.fetch, first);
    start(&n, server_url(server, "/1"), GET);
    wait_for_waiting(&n, 1);
    give_back(&n, first);
    wait_for(&n, 3);
    assert_int_equal(n.first->outcome, OUTCOME_OK);
    net_end(&n);
    server_stop(server);
    free((void *)(uintptr_t)answers[0].bytes);
    free((void *)(uintptr_t)answers[1].bytes);
}

/* Streams of HTTP/2 cannot be held up one by one. So one is given up, whole, to be asked again; the nearest to its
 * end goes on. */
static void memory__is_kept_by_giving_up_the_largest__with_http2(void **state)
{
    struct server_answer answers[3];
    struct server *server;
    struct net n;

    (void)state;
    announced_answer(&answers[0], (3U << 20) + 65536, 3U << 20, SERVER_DRIP);
    announced_answer(&answers[1], 9U << 20, 3U << 20, SERVER_DRIP);
    announced_answer(&answers[2], 1, 1, SERVER_KEEP);
    server = server_start(play_by_path, answers);
    net_begin_as(&n, PATIENCE_US, 32U << 20, 8U << 20, JOB_HTTP_2);
    give_back(&n,
              ask(&n, server_url(server, "/2"))); /* libcurl waits to see what its server speaks */
    start(&n, server_url(server, "/0"), GET);
    start(&n, server_url(server, "/1"), GET);
    wait_for(&n, 2);
    assert_int_equal(n.first->outcome, OUTCOME_LOCAL);
    assert_string_equal(n.first->reason, "no memory for all bodies (--memory)");
    assert_non_null(strstr(request_url(n.first->request).data, "/1"));
    assert_int_equal(n.first->body.cap, 0);
    give_back(&n, take(&n));
    assert_int_equal(fetch_in_flight(n.fetch), 1);
    fetch_cancel_all(n.fetch);
    give_back(&n, take(&n));
    net_end(&n);
    server_stop(server);
    free((void *)(uintptr_t)answers[0].bytes);
    free((void *)(uintptr_t)answers[1].bytes);
    free((void *)(uintptr_t)answers[2].bytes);
}

/* What waits for memory is cut off as anything else in flight, and its handle not used again. */
static void cancel_all__ends_those_that_wait_for_memory(void **state)
{
    struct server_answer answers[2];
    struct server *server;
    struct net n;

    (void)state;
    announced_answer(&answers[0], 10U << 20, (10U << 20) - 65536, SERVER_DRIP);
    announced_answer(&answers[1], 20U << 20, 20U << 20, SERVER_KEEP);
    server = server_start(play_by_path, answers);
    net_begin_with(&n, PATIENCE_US, 32U << 20, 8U << 20);
    start(&n, server_url(server, "/0"), GET);
    wait_for_bytes(&n, 9U << 20);
    start(&n, server_url(server, "/1"), GET);
    wait_for_waiting(&n, 1);
    fetch_cancel_all(n.fetch);
    assert_int_equal(n.count, 2);
    assert_int_equal(fetch_waiting(n.fetch), 0);
    give_back(&n, take(&n));
    give_back(&n, take(&n));
    start(&n, server_url(server, "/1"), GET);
    wait_for(&n, 3);
    assert_int_equal(n.first->outcome, OUTCOME_OK);
    net_end(&n);
    server_stop(server);
    free((void *)(uintptr_t)answers[0].bytes);
    free((void *)(uintptr_t)answers[1].bytes);
}

static struct server_answer play_in_turn(void *context, const struct server_asked *asked,
                                         unsigned number)
{
    (void)asked;
    return ((const struct server_answer *)context)[number];
}

/* An error's page is read to its end and mostly forgotten: its status is what counts, and the
 * connection is good for more. */
static void error_body__is_cut_and_the_connection_kept(void **state)
{
    static const size_t sizes[] = { 0, 1, 16383, 16384, 16385, 40000, 500000 };
    struct server_answer answers[sizeof sizes / sizeof sizes[0]];
    const size_t count = sizeof sizes / sizeof sizes[0];
    struct server *server;
    struct net n;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        sized_answer(&answers[i], "404 Not Found", sizes[i]);
    }
    server = server_start(play_in_turn, answers);
    net_begin(&n, PATIENCE_US);
    for (size_t i = 0; i < count; i++) {
        struct response *response = ask(&n, server_url(server, "/"));
        size_t want = sizes[i] < FETCH_ERROR_BODY_MAX ? sizes[i] : FETCH_ERROR_BODY_MAX;

        assert_int_equal(response->outcome, OUTCOME_STATUS);
        assert_int_equal(response->status, 404);
        assert_int_equal(response->body.len, want);
        give_back(&n, response);
    }
    assert_int_equal(server_connections(server), 1);
    net_end(&n);
    server_stop(server);
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)answers[i].bytes);
    }
}

static void reason__is_that_no_answer_came__on_a_kept_connection_too(void **state)
{
    struct server_answer answers[] = {
        SERVER_ANSWER(OK_ANSWER, SERVER_KEEP),
        SERVER_ANSWER("", SERVER_HANG),
    };
    struct server *server = server_start(play_in_turn, answers);
    struct response *response;
    struct net n;

    (void)state;
    net_begin(&n, SHORT_US);
    give_back(&n, ask(&n, server_url(server, "/1")));
    response = ask(&n, server_url(server, "/2"));
    assert_int_equal(response->outcome, OUTCOME_TIMEOUT);
    assert_memory_equal(response->reason, "timed out: no answer in", 23);
    give_back(&n, response);
    assert_int_equal(server_connections(server), 1);
    net_end(&n);
    server_stop(server);
}

static void headers__are_kept__those_that_somebody_reads(void **state)
{
    struct server_answer answer =
        SERVER_ANSWER("HTTP/1.1 100 Continue\r\nRetry-After: 1\r\n\r\n"
                      "HTTP/1.1 204 Slow Down\r\nRETRY-AFTER:  30 \r\nX-Other: no\r\n"
                      "x-PAGES: 7\r\n"
                      "ETag:\r\n \"a\"\r\nX-Other: 1\r\n\t2\r\nRetry-After: 31,\r\n \t 32\r\n"
                      "Content-Length: 0\r\n\r\n",
                      SERVER_KEEP);
    struct server *server = server_start(play_always, &answer);
    struct response *r;
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    r = ask(&n, server_url(server, "/"));
    assert_int_equal(r->status, 204);
    assert_true(str_equal(response_header(r, STR("retry-after")), STR("30")));
    assert_true(str_equal(response_header_nth(r, STR("retry-after"), 1), STR("31, 32")));
    assert_null(response_header_nth(r, STR("retry-after"), 2).data);
    assert_true(str_equal(response_header(r, STR("etag")), STR(" \"a\"")));
    assert_null(response_header(r, STR("x-other")).data);
    assert_true(str_equal(response_header(r, STR("x-pages")), STR("7")));
    assert_true(r->wire_bytes > 0 && r->timing.total_us > 0 && r->fetched_at_us > 0);
    give_back(&n, r);
    net_end(&n);
    server_stop(server);
}

/* People want to see them all, but there is always room for those that are obeyed. */
static void headers__are_all_kept__of_an_answer_that_is_a_failure(void **state)
{
    char bytes[24 << 10];
    struct server_answer answer = { bytes, 0, 0, SERVER_KEEP };
    struct server *server;
    struct response *r;
    struct net n;

    (void)state;
    answer.len =
        (size_t)snprintf(bytes, sizeof bytes, "HTTP/1.1 429 Slow Down\r\nX-Request-Id: 77\r\n");
    for (int i = 0; i < 18; i++) {
        answer.len += (size_t)snprintf(bytes + answer.len, sizeof bytes - answer.len,
                                       "X-Long-%d: %01000d\r\n", i, i);
    }
    answer.len += (size_t)snprintf(bytes + answer.len, sizeof bytes - answer.len,
                                   "Retry-After: 30\r\nContent-Length: 0\r\n\r\n");
    server = server_start(play_always, &answer);
    net_begin(&n, PATIENCE_US);
    r = ask(&n, server_url(server, "/"));
    assert_int_equal(r->status, 429);
    assert_true(str_equal(response_header(r, STR("x-request-id")), STR("77")));
    assert_non_null(response_header(r, STR("x-long-0")).data);
    assert_null(response_header(r, STR("x-long-17")).data);
    assert_true(str_equal(response_header(r, STR("retry-after")), STR("30")));
    give_back(&n, r);
    net_end(&n);
    server_stop(server);
}

/* --- what is sent ----------------------------------------------------------------------------- */

static void request__carries_the_configured_headers__to_its_own_origin_only(void **state)
{
    struct server_answer answer = SERVER_ANSWER(OK_ANSWER, SERVER_KEEP);
    struct server *server = server_start(play_always, &answer);
    struct request *request;
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    give_back(&n, ask(&n, server_url(server, "/own?a=b")));
    request = request_new(2, POST, STR("k"), str_view(server_url(server, "/foreign")));
    request->foreign = true;
    start_request(&n, request);
    wait_for(&n, 2);
    start(&n, server_url(server, "/post"), POST);
    wait_for(&n, 3);
    request = request_new(3, POST, STR("k"), str_view(server_url(server, "/dropped")));
    request->drop_body = true;
    start_request(&n, request);
    wait_for(&n, 4);

    assert_non_null(strstr(server_asked_at(server, 0).head, "GET /own?a=b HTTP/1.1\r\n"));
    assert_non_null(strstr(server_asked_at(server, 0).head, "\r\nX-Api-Key: 4f3c\r\n"));
    assert_non_null(strstr(server_asked_at(server, 0).head, "\r\nAccept: application/json\r\n"));
    assert_null(strstr(server_asked_at(server, 1).head, "4f3c"));
    assert_null(strstr(server_asked_at(server, 1).head, "{\"a\":1}"));
    assert_non_null(strstr(server_asked_at(server, 2).head, "POST /post HTTP/1.1\r\n"));
    assert_non_null(strstr(server_asked_at(server, 2).head, "\r\n\r\n{\"a\":1}"));
    assert_null(strstr(server_asked_at(server, 2).head, "Expect:"));
    assert_non_null(strstr(server_asked_at(server, 3).head, "GET /dropped HTTP/1.1\r\n"));
    assert_null(strstr(server_asked_at(server, 3).head, "{\"a\":1}"));
    net_end(&n);
    server_stop(server);
}

static void request__carries_its_own_body__in_place_of_the_endpoints(void **state)
{
    struct server_answer answer = SERVER_ANSWER(OK_ANSWER, SERVER_KEEP);
    struct request_texts texts = { .key = STR("k"), .body = STR("{\"own\":2}") };
    struct server *server = server_start(play_always, &answer);
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    texts.url = str_view(server_url(server, "/own"));
    start_request(&n, request_make(1, POST, &texts));
    wait_for(&n, 1);
    assert_non_null(strstr(server_asked_at(server, 0).head, "\r\n\r\n{\"own\":2}"));
    assert_non_null(
        strstr(server_asked_at(server, 0).head, "\r\nContent-Type: application/json\r\n"));
    net_end(&n);
    server_stop(server);
}

static void endpoint__has_headers_of_its_own__in_place_of_those_of_all(void **state)
{
    struct server_answer answer = SERVER_ANSWER(OK_ANSWER, SERVER_KEEP);
    struct server *server = server_start(play_always, &answer);
    struct server_asked asked;
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    start(&n, server_url(server, "/own"), OWN);
    wait_for(&n, 1);
    start(&n, server_url(server, "/alone"), ALONE);
    wait_for(&n, 2);
    asked = server_asked_at(server, 0);
    assert_non_null(strstr(asked.head, "\r\nX-Own: 1\r\n"));
    assert_non_null(strstr(asked.head, "\r\nx-api-key: own\r\n"));
    assert_null(strstr(asked.head, "4f3c"));
    asked = server_asked_at(server, 1);
    assert_non_null(strstr(asked.head, "\r\nX-Own: 1\r\n"));
    assert_null(strstr(asked.head, "4f3c"));
    net_end(&n);
    server_stop(server);
}

/* Asks with the extra, which one origin may be told and others not. */
static void ask_with_extra(struct net *n, const char *url, bool foreign)
{
    const struct fetch_extra extra = {
        .headers = { STR("Authorization: Bearer t0ken"), STR("If-None-Match: \"e\"") },
        .query = STR("api_key=t0ken"),
    };
    struct request *request = request_new(1, OWN, STR("k"), str_view(url));

    assert_non_null(request);
    request->foreign = foreign;
    assert_int_equal(fetch_start(n->fetch, request, &extra), RESULT_OK);
    wait_for(n, n->count + 1);
}

static void extra__goes_with_one_start__to_its_own_origin_only(void **state)
{
    struct server_answer answer = SERVER_ANSWER(OK_ANSWER, SERVER_KEEP);
    struct server *server = server_start(play_always, &answer);
    struct server_asked asked;
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    ask_with_extra(&n, server_url(server, "/a"), false);
    ask_with_extra(&n, server_url(server, "/b?x=1#part"), false);
    ask_with_extra(&n, server_url(server, "/c?api_key=t0ken"), false);
    ask_with_extra(&n, server_url(server, "/d"), true);
    start(&n, server_url(server, "/e"), OWN);
    wait_for(&n, 5);
    asked = server_asked_at(server, 0);
    assert_non_null(strstr(asked.head, "GET /a?api_key=t0ken HTTP"));
    assert_non_null(strstr(asked.head, "\r\nAuthorization: Bearer t0ken\r\n"));
    assert_non_null(strstr(asked.head, "\r\nIf-None-Match: \"e\"\r\n"));
    assert_non_null(strstr(asked.head, "\r\nX-Own: 1\r\n"));
    assert_non_null(strstr(server_asked_at(server, 1).head, "GET /b?x=1&api_key=t0ken HTTP"));
    assert_non_null(strstr(server_asked_at(server, 2).head, "GET /c?api_key=t0ken HTTP"));
    for (unsigned i = 3; i < 5; i++) { /* the handle was used before, and holds nothing of it */
        asked = server_asked_at(server, i);
        assert_null(strstr(asked.head, "t0ken"));
        assert_null(strstr(asked.head, "If-None-Match"));
    }
    net_end(&n);
    server_stop(server);
}

static struct server_answer drop_posts(void *context, const struct server_asked *asked,
                                       unsigned number)
{
    (void)context;
    (void)number;
    return strncmp(asked->head, "POST", 4) == 0
               ? SERVER_ANSWER("", SERVER_CLOSE)
               : SERVER_ANSWER("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", SERVER_KEEP);
}

/* libcurl would ask again by itself on a kept connection that dies: RFC 9110 section 9.2.2. */
static void post__is_sent_once__when_the_connection_dies(void **state)
{
    struct server *server = server_start(drop_posts, NULL);
    struct response *response;
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    give_back(&n, ask(&n, server_url(server, "/")));
    start(&n, server_url(server, "/"), POST);
    wait_for(&n, 2);
    response = take(&n);
    assert_int_equal(response->outcome, OUTCOME_CONNECT);
    assert_true(response->sent);
    assert_int_equal(server_count(server), 2);
    give_back(&n, response);
    net_end(&n);
    server_stop(server);
}

/* --- connections ------------------------------------------------------------------------------ */

static void connection__is_used_again__and_replaced_when_the_server_closed_it(void **state)
{
    struct server_answer answer = SERVER_ANSWER(OK_ANSWER, SERVER_KEEP);
    struct server *server = server_start(play_always, &answer);
    struct response *response;
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    for (int i = 0; i < 20; i++) {
        response = ask(&n, server_url(server, "/"));
        assert_int_equal(response->reused, i > 0);
        give_back(&n, response);
    }
    assert_int_equal(server_connections(server), 1);
    for (int i = 0; i < 3; i++) {
        server_close_idle(server);
        /* The loop hears of it while nothing is asked, and must not spin on it. */
        for (int turn = 0; turn < 3; turn++) {
            uv_run(&n.loop, UV_RUN_NOWAIT);
        }
        response = ask(&n, server_url(server, "/"));
        assert_int_equal(response->outcome, OUTCOME_OK);
        give_back(&n, response);
        assert_int_equal(server_connections(server), i + 2);
    }
    net_end(&n);
    server_stop(server);
}

/* Every second answer is followed by "}" again and again. */
static struct server_answer play_and_babble(void *context, const struct server_asked *asked,
                                            unsigned number)
{
    (void)context;
    (void)asked;
    return SERVER_ANSWER(OK_ANSWER, number % 2 ? SERVER_KEEP : SERVER_DRIP);
}

/* libcurl 7.88 would take what came unasked for the answer to the next request. */
static void connection__is_not_used_again__when_more_came_than_was_asked_for(void **state)
{
    struct server *server = server_start(play_and_babble, NULL);
    struct response *response;
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    for (unsigned i = 0; i < 6; i++) {
        struct clock clock = clock_system();
        uint64_t until_us = clock_now_us(&clock) + 10 * US_PER_S;

        response = ask(&n, server_url(server, "/"));
        assert_int_equal(response->outcome, OUTCOME_OK);
        assert_memory_equal(response->body.data, "{\"a\":1}", 7);
        give_back(&n, response);
        while (i % 2 == 0 && server_open(server) > 0 && clock_now_us(&clock) < until_us) {
            uv_run(&n.loop, UV_RUN_NOWAIT);
        }
    }
    net_end(&n);
    server_stop(server);
}

static struct server_answer play_and_leave(void *context, const struct server_asked *asked,
                                           unsigned number)
{
    (void)context;
    (void)number;
    return SERVER_ANSWER(OK_ANSWER,
                         strncmp(asked->head, "GET /last", 9) == 0 ? SERVER_RESET : SERVER_KEEP);
}

/* libcurl before 8.17 counts these over the life of a handle, and gives up at the sixth. */
static void connection__may_die_between_requests__as_often_as_it_likes(void **state)
{
    struct server *server = server_start(play_and_leave, NULL);
    unsigned repeated = 0;
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    for (unsigned i = 0; i < 400 && repeated < 12; i++) {
        struct response *response = ask(&n, server_url(server, i % 2 ? "/last" : "/"));

        assert_int_equal(response->outcome, OUTCOME_OK);
        repeated += response->sends - 1;
        give_back(&n, response);
    }
    print_message("%u requests were repeated\n", repeated);
    net_end(&n);
    server_stop(server);
}

static void drop_idle__closes_what_nobody_uses__and_more_can_be_asked(void **state)
{
    struct server_answer answer = SERVER_ANSWER(OK_ANSWER, SERVER_KEEP);
    struct server *server = server_start(play_always, &answer);
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    fetch_drop_idle(n.fetch);
    for (unsigned i = 0; i < 5; i++) {
        struct response *response = ask(&n, server_url(server, "/"));

        assert_int_equal(response->outcome, OUTCOME_OK);
        assert_false(response->reused);
        give_back(&n, response);
        fetch_drop_idle(n.fetch);
    }
    assert_int_equal(server_connections(server), 5);
    net_end(&n);
    server_stop(server);
}

static void outcome__is_connect__when_the_port_refuses(void **state)
{
    char url[64];
    int fd;
    uint16_t port = server_refusing_port(&fd);
    struct response *response;
    struct net n;

    (void)state;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
    net_begin(&n, PATIENCE_US);
    for (int i = 0; i < 3; i++) {
        response = ask(&n, url);
        assert_int_equal(response->outcome, OUTCOME_CONNECT);
        assert_false(response->sent);
        give_back(&n, response);
    }
    net_end(&n);
    close(fd);
}

static void outcome__is_refused__for_what_may_not_be_asked(void **state)
{
    static const char *const urls[] = { "ftp://127.0.0.1/x", "file:///etc/passwd",
                                        "http://user:secret@127.0.0.1/", "http://127.0.0.1:99999/",
                                        "gopher://127.0.0.1/" };
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct response *response = ask(&n, urls[i]);

        if (response->outcome != OUTCOME_REFUSED) {
            fail_msg("%s: %s (%s)", urls[i], outcome_name(response->outcome), response->reason);
        }
        assert_false(response->sent);
        assert_null(strstr(response->reason, "secret"));
        give_back(&n, response);
    }
    net_end(&n);
}

/* A public server's redirect must not reach what only we can reach: not on a new connection, and not
 * on one that the job's own requests have left open. */
static void outcome__is_refused__when_a_public_server_led_to_a_private_address(void **state)
{
    struct server_answer answer = SERVER_ANSWER(OK_ANSWER, SERVER_KEEP);
    struct server *server = server_start(play_always, &answer);
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    for (unsigned i = 0; i < 2; i++) {
        struct request *request =
            request_new(1, GET, STR("k"), str_view(server_url(server, "/secret")));
        struct response *response;

        request->foreign = request->from_public = true;
        start_request(&n, request);
        wait_for(&n, n.count + 1);
        response = take(&n);
        assert_int_equal(response->outcome, OUTCOME_REFUSED);
        assert_non_null(strstr(response->reason, "private"));
        give_back(&n, response);
        assert_int_equal(server_count(server), i);
        give_back(&n, ask(&n, server_url(server, "/own"))); /* leaves a connection */
    }
    net_end(&n);
    server_stop(server);
}

static void redirect__is_told_absolute_and_never_followed(void **state)
{
    struct server_answer answer = SERVER_ANSWER(
        "HTTP/1.1 307 Over There\r\nLocation: ../b?c=d\r\nContent-Length: 0\r\n\r\n", SERVER_KEEP);
    struct server *server = server_start(play_always, &answer);
    struct response *response;
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    response = ask(&n, server_url(server, "/x/y/a"));
    assert_int_equal(response->outcome, OUTCOME_REDIRECT);
    assert_string_equal(response->redirect_url, server_url(server, "/x/b?c=d"));
    assert_true(response->peer_is_ours);
    assert_int_equal(server_count(server), 1);
    give_back(&n, response);
    net_end(&n);
    server_stop(server);
}

/* --- many --------------------------------------------------------------------------------------- */

static void start__may_be_called_from_within_on_response(void **state)
{
    struct server_answer answer = SERVER_ANSWER(OK_ANSWER, SERVER_KEEP);
    struct server *server = server_start(play_always, &answer);
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    n.chain = 200;
    n.chain_url = server_url(server, "/chain");
    start(&n, n.chain_url, GET);
    wait_for(&n, 201);
    assert_int_equal(server_count(server), 201);
    assert_int_equal(server_connections(server), 1);
    net_end(&n);
    server_stop(server);
}

static void all__come_back__when_a_thousand_run_at_once(void **state)
{
    struct server_answer answer = SERVER_ANSWER(OK_ANSWER, SERVER_KEEP);
    struct server *server;
    struct net n;

    (void)state;
    answer.delay_ms = 50;
    server = server_start(play_always, &answer);
    net_begin(&n, PATIENCE_US);
    for (unsigned round = 1; round <= 3; round++) {
        for (int i = 0; i < 1000; i++) {
            start(&n, server_url(server, "/"), GET);
        }
        assert_int_equal(fetch_in_flight(n.fetch), 1000);
        wait_for(&n, round * 1000);
        while (n.first) {
            struct response *response = take(&n);

            assert_int_equal(response->outcome, OUTCOME_OK);
            assert_int_equal(response->body.len, 7);
            give_back(&n, response);
        }
    }
    assert_int_equal(server_count(server), 3000);
    assert_in_range(server_connections(server), 1000, 1100);
    net_end(&n);
    server_stop(server);
}

static bool count_rows(void *context, const struct fetch_row *row)
{
    unsigned *count = context;

    assert_non_null(row->request);
    assert_int_equal(row->status, 0);
    return ++*count < 30;
}

static void cancel_all__gives_everything_back_at_once__and_more_can_be_asked(void **state)
{
    struct server_answer answer = SERVER_ANSWER("", SERVER_HANG);
    struct server *server = server_start(play_always, &answer);
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    for (unsigned round = 1; round <= 2; round++) {
        unsigned rows = 0;

        for (int i = 0; i < 100; i++) {
            start(&n, server_url(server, "/"), GET);
        }
        fetch_kick(n.fetch);
        while (server_count(server) < round * 10) {
            uv_run(&n.loop, UV_RUN_NOWAIT);
        }
        fetch_each(n.fetch, count_rows, &rows);
        assert_int_equal(rows, 30);
        fetch_cancel_all(n.fetch);
        assert_int_equal(n.count, round * 100);
        assert_int_equal(fetch_in_flight(n.fetch), 0);
        while (n.first) {
            struct response *response = take(&n);

            assert_int_equal(response->outcome, OUTCOME_CANCELLED);
            give_back(&n, response);
        }
    }
    net_end(&n);
    server_stop(server);
}

static void close__comes_on_the_loop__when_nothing_was_ever_asked(void **state)
{
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    net_end(&n);
}

static void sockets_gone__is_our_own_shortage(void **state)
{
    struct server_answer answer = SERVER_ANSWER(OK_ANSWER, SERVER_KEEP);
    struct server *server = server_start(play_always, &answer);
    struct rlimit before, tight;
    struct response *response;
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    give_back(&n, ask(&n, server_url(server, "/"))); /* libcurl has all it opens for itself */
    server_close_idle(server);
    fetch_drop_idle(n.fetch);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    tight.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    response = ask(&n, server_url(server, "/"));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(response->outcome, OUTCOME_LOCAL);
    assert_false(response->sent);
    give_back(&n, response);
    response = ask(&n, server_url(server, "/"));
    assert_int_equal(response->outcome, OUTCOME_OK);
    give_back(&n, response);
    net_end(&n);
    server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcome__is_told__for_each_misbehaviour),
        cmocka_unit_test(outcome__is_timeout__wherever_the_server_stops),
        cmocka_unit_test(outcome__is_protocol__when_a_header_is_enormous),
        cmocka_unit_test(gzip__is_unpacked),
        cmocka_unit_test(gzip__never_looks_complete__when_it_was_cut),
        cmocka_unit_test(gzip__is_refused__when_its_checksum_is_wrong),
        cmocka_unit_test(body__may_be_as_large_as_the_ceiling_and_no_larger),
        cmocka_unit_test(memory__makes_a_body_wait__at_no_cost_of_its_time),
        cmocka_unit_test(memory__makes_a_body_wait__for_what_is_made_of_others),
        cmocka_unit_test(memory__is_kept_by_giving_up_the_largest__with_http2),
        cmocka_unit_test(cancel_all__ends_those_that_wait_for_memory),
        cmocka_unit_test(error_body__is_cut_and_the_connection_kept),
        cmocka_unit_test(reason__is_that_no_answer_came__on_a_kept_connection_too),
        cmocka_unit_test(headers__are_kept__those_that_somebody_reads),
        cmocka_unit_test(headers__are_all_kept__of_an_answer_that_is_a_failure),
        cmocka_unit_test(request__carries_the_configured_headers__to_its_own_origin_only),
        cmocka_unit_test(request__carries_its_own_body__in_place_of_the_endpoints),
        cmocka_unit_test(endpoint__has_headers_of_its_own__in_place_of_those_of_all),
        cmocka_unit_test(extra__goes_with_one_start__to_its_own_origin_only),
        cmocka_unit_test(post__is_sent_once__when_the_connection_dies),
        cmocka_unit_test(connection__is_used_again__and_replaced_when_the_server_closed_it),
        cmocka_unit_test(connection__is_not_used_again__when_more_came_than_was_asked_for),
        cmocka_unit_test(connection__may_die_between_requests__as_often_as_it_likes),
        cmocka_unit_test(drop_idle__closes_what_nobody_uses__and_more_can_be_asked),
        cmocka_unit_test(outcome__is_connect__when_the_port_refuses),
        cmocka_unit_test(outcome__is_refused__for_what_may_not_be_asked),
        cmocka_unit_test(outcome__is_refused__when_a_public_server_led_to_a_private_address),
        cmocka_unit_test(redirect__is_told_absolute_and_never_followed),
        cmocka_unit_test(start__may_be_called_from_within_on_response),
        cmocka_unit_test(all__come_back__when_a_thousand_run_at_once),
        cmocka_unit_test(cancel_all__gives_everything_back_at_once__and_more_can_be_asked),
        cmocka_unit_test(close__comes_on_the_loop__when_nothing_was_ever_asked),
        cmocka_unit_test(sockets_gone__is_our_own_shortage),
    };
    struct rlimit limit;
    int failed;

    getrlimit(RLIMIT_NOFILE, &limit); /* a thousand connections have two ends here */
    limit.rlim_cur = limit.rlim_max < 16384 ? limit.rlim_max : 16384;
    setrlimit(RLIMIT_NOFILE, &limit);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
