/* fetch: the outcome and the reason of a request, for each way a server may misbehave. */
#include "fetch_fixture.h"
#include "server.h"

#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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
        SAMPLE("no gzip", OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\nPK\3\4    ",
               SERVER_CLOSE, OUTCOME_ENCODING, 200),
        SAMPLE("plain, and called gzip",
               OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\n{\"a\": 1}",
               SERVER_CLOSE, OUTCOME_OK, 200),
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

/* --- bodies and headers ----------------------------------------------------------------------- */

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

/* --- connections ------------------------------------------------------------------------------ */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcome__is_told__for_each_misbehaviour),
        cmocka_unit_test(outcome__is_timeout__wherever_the_server_stops),
        cmocka_unit_test(outcome__is_protocol__when_a_header_is_enormous),
        cmocka_unit_test(reason__is_that_no_answer_came__on_a_kept_connection_too),
        cmocka_unit_test(outcome__is_connect__when_the_port_refuses),
        cmocka_unit_test(outcome__is_refused__for_what_may_not_be_asked),
        cmocka_unit_test(outcome__is_refused__when_a_public_server_led_to_a_private_address),
        cmocka_unit_test(redirect__is_told_absolute_and_never_followed),
    };
    int failed;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
