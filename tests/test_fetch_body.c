/* fetch: bodies that are packed, cut or too large, and the memory that all of them share. */
#include "fetch/fetch.h"
#include "fetch_fixture.h"
#include "server.h"

#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

/* Of what threads do nothing may come to this loop. */
static void run_a_little(struct net *n)
{
    uv_run(&n->loop, UV_RUN_NOWAIT);
    uv_sleep(1);
}

static void wait_for_bytes(struct net *n, uint64_t want)
{
    uint64_t bytes = 0;

    fetch_kick(n->fetch);
    while (bytes < want) {
        run_a_little(n);
        bytes = 0;
        fetch_each(n->fetch, add_bytes, &bytes);
    }
}

static void wait_for_waiting(struct net *n, size_t want)
{
    fetch_kick(n->fetch);
    while (fetch_waiting(n->fetch) < want) {
        run_a_little(n);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip__is_unpacked),
        cmocka_unit_test(gzip__never_looks_complete__when_it_was_cut),
        cmocka_unit_test(gzip__is_refused__when_its_checksum_is_wrong),
        cmocka_unit_test(body__may_be_as_large_as_the_ceiling_and_no_larger),
        cmocka_unit_test(memory__makes_a_body_wait__at_no_cost_of_its_time),
        cmocka_unit_test(memory__makes_a_body_wait__for_what_is_made_of_others),
        cmocka_unit_test(memory__is_kept_by_giving_up_the_largest__with_http2),
        cmocka_unit_test(cancel_all__ends_those_that_wait_for_memory),
        cmocka_unit_test(error_body__is_cut_and_the_connection_kept),
    };
    int failed;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
