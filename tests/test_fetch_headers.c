/* fetch: which headers and bodies go out, to which origin, and which headers of an answer are kept. */
#include "fetch/fetch.h"
#include "fetch_fixture.h"
#include "server.h"

#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OWN 2
#define ALONE 3

/* --- bodies and headers ----------------------------------------------------------------------- */

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

/* What a transfer knows of the URL before it changes nothing of what is asked: each is asked in turn by the same
 * transfer, and by a new one. */
static void request__has_the_url_that_libcurl_reads__whatever_was_asked_before(void **state)
{
    static const char *const targets[] = {
        "/a/1?x=1",
        "/a/2?x=2",
        "/a/3",
        "/a/4?",
        "/?y",
        "/",
        "/b/./c/../d?e=1",
        "/b/.",
        "/b/..",
        "/b/...",
        "/.hidden",
        "/a.b/c.json?d=/../e",
        "/%41%2f%C3?%2F=",
        "/q?a=b?c&d=%e4",
        "/f#g",
        "/h?i#j",
        "/k",
        "?only=query",
        "/a/5?x=[1]",
        "/a/6?x={2}",
        "//double",
        "/a//b?c",
        "/a/7;p=1,2",
        "/a/8?x='(*)'!$+@:",
        "/\xc3\xa4?\xc3\xb6",
        "/a\\b",
        "/a/9?x",
        "/a/10|11?x",
        "/a/12?y^z",
        "",
    };
    struct server_answer answer = SERVER_ANSWER(OK_ANSWER, SERVER_KEEP);
    struct server *server = server_start(play_always, &answer);
    enum outcome outcomes[sizeof targets / sizeof targets[0]];
    size_t count = sizeof targets / sizeof targets[0];
    struct response *r;
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    for (size_t i = 0; i < count; i++) {
        r = ask(&n, server_url(server, targets[i]));
        outcomes[i] = r->outcome;
        give_back(&n, r);
    }
    net_end(&n);
    for (size_t i = 0; i < count; i++) {
        net_begin(&n, PATIENCE_US);
        r = ask(&n, server_url(server, targets[i]));
        assert_int_equal(r->outcome, outcomes[i]);
        give_back(&n, r);
        net_end(&n);
    }
    assert_int_equal(server_count(server) % 2, 0);
    count = server_count(server) / 2; /* libcurl 8.22 refuses two of them */
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(server_asked_at(server, (unsigned)i).head,
                            server_asked_at(server, (unsigned)(count + i)).head);
    }
    assert_non_null(strstr(server_asked_at(server, 1).head, "GET /a/2?x=2 HTTP/1.1\r\n"));
    assert_non_null(strstr(server_asked_at(server, 2).head, "GET /a/3 HTTP/1.1\r\n"));
    assert_non_null(strstr(server_asked_at(server, 6).head, "GET /b/d?e=1 HTTP/1.1\r\n"));
    server_stop(server);
}

/* Also when the host before it is the same machine by another name, or only begins alike. */
static void request__names_its_own_host__whatever_was_asked_before(void **state)
{
    struct server_answer answer = SERVER_ANSWER(OK_ANSWER, SERVER_KEEP);
    struct server *server = server_start(play_always, &answer);
    const char *port = strrchr(server_url(server, ""), ':');
    static const char *const hosts[] = { "127.0.0.1", "localhost", "127.0.0.1", "LOCALHOST" };
    char url[64], line[64];
    struct net n;

    (void)state;
    net_begin(&n, PATIENCE_US);
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        snprintf(url, sizeof url, "http://%s%s/%zu", hosts[i], port, i);
        give_back(&n, ask(&n, url));
        snprintf(line, sizeof line, "GET /%zu HTTP/1.1\r\nHost: %s%s\r\n", i, hosts[i], port);
        assert_non_null(strstr(server_asked_at(server, (unsigned)i).head, line));
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers__are_kept__those_that_somebody_reads),
        cmocka_unit_test(headers__are_all_kept__of_an_answer_that_is_a_failure),
        cmocka_unit_test(request__carries_the_configured_headers__to_its_own_origin_only),
        cmocka_unit_test(request__has_the_url_that_libcurl_reads__whatever_was_asked_before),
        cmocka_unit_test(request__names_its_own_host__whatever_was_asked_before),
        cmocka_unit_test(request__carries_its_own_body__in_place_of_the_endpoints),
        cmocka_unit_test(endpoint__has_headers_of_its_own__in_place_of_those_of_all),
        cmocka_unit_test(extra__goes_with_one_start__to_its_own_origin_only),
    };
    int failed;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
