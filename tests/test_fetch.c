/* fetch/fetch: what may be asked, many requests at once, cancelling, and the end. */
#include "fetch/fetch.h"

#include "fetch_fixture.h"
#include "server.h"

#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>

#include <cmocka.h>

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
    /* Fewer, as they are begun in turns: one that is answered before the last has begun lends its connection. */
    assert_in_range(server_connections(server), 500, 1100);
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
