/* fetch: connections that are used again, die between requests, or say more than was asked. */
#include "fetch/fetch.h"
#include "fetch_fixture.h"
#include "server.h"

#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* --- what is sent ----------------------------------------------------------------------------- */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(post__is_sent_once__when_the_connection_dies),
        cmocka_unit_test(connection__is_used_again__and_replaced_when_the_server_closed_it),
        cmocka_unit_test(connection__is_not_used_again__when_more_came_than_was_asked_for),
        cmocka_unit_test(connection__may_die_between_requests__as_often_as_it_likes),
        cmocka_unit_test(drop_idle__closes_what_nobody_uses__and_more_can_be_asked),
    };
    int failed;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
