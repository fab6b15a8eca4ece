#include "engine_fixture.h"

#include "engine/named_wait.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- to the end ------------------------------------------------------------------------------- */

static void run__stores_every_body_once__when_all_is_well(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-200]"));
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_WELL);
    assert_int_equal(r.report.total, 200);
    assert_int_equal(r.report.ok, 200);
    assert_int_equal(r.report.pending, 0);
    assert_int_equal(r.report.retried, 0);
    assert_int_equal(r.report.attempts, 200);
    assert_int_equal(r.report.status[200], 200);
    assert_int_equal(r.report.max_in_flight, 4);
    assert_string_equal(report_table_path(&r.report, "csv"), "");
    assert_int_equal(stored_count(&r), 200);
    assert_int_equal(server_count(server), 200);
    assert_int_equal(server_connections(server), 4);

    run_to_its_end(&r); /* there is nothing left to ask */
    assert_int_equal(r.report.exit, EXIT_WELL);
    assert_int_equal(r.report.ok, 200);
    assert_int_equal(r.report.session_ok, 0);
    assert_int_equal(server_count(server), 200);
    run_end(&r);
    server_stop(server);
}

static void run__tries_again__until_it_is_well(void **state)
{
    static const struct server_answer odd[] = {
        { .bytes = "", .then = SERVER_CLOSE },
        { .bytes = "", .then = SERVER_RESET },
    };
    struct script script = { .usual = USUAL, .at = 3, .times = 2 };

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct server *server;
        struct run r;

        script.times = 2;
        script.odd = i < 2   ? odd[i]
                     : i < 3 ? EMPTY_ANSWER("500 Oops")
                     : i < 4 ? SERVER_ANSWER("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n{\"a\":1",
                                             SERVER_KEEP)
                             : SERVER_ANSWER("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\":1",
                                             SERVER_CLOSE);
        server = server_start(play, &script);
        run_begin(&r, server_url(server, "/[1-5]"));
        run_to_its_end(&r);
        assert_int_equal(r.report.exit, EXIT_WELL);
        assert_int_equal(r.report.ok, 5);
        /* On a kept connection that closes without an answer libcurl asks again by itself. */
        assert_in_range(r.report.retried, i < 2 ? 1 : 2, 2);
        assert_int_equal(r.report.attempts, 7);
        assert_int_equal(server_count(server), 7);
        assert_int_equal(stored_count(&r), 5);
        run_end(&r);
        server_stop(server);
    }
}

static void run__fails_with_the_reason__when_its_tries_are_used_up(void **state)
{
    struct script script = {
        .usual = USUAL, .odd = EMPTY_ANSWER("500 Oops"), .at = 3, .times = 100
    };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-5]"));
    r.job.retry.attempts = 3;
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(r.report.ok, 4);
    assert_int_equal(r.report.failed, 1);
    assert_int_equal(r.report.retried, 2);
    assert_int_equal(r.report.failure_count, 1);
    assert_failure(r.report.failures[0].why, "HTTP 500");
    assert_string_equal(r.report.failures[0].example, "GET /3");
    assert_int_equal(server_count(server), 7);
    run_end(&r);
    server_stop(server);
}

static struct server_answer play_badly(void *context, const struct server_asked *asked,
                                       unsigned number)
{
    (void)asked;
    return *(const bool *)context && number % 2
               ? SERVER_ANSWER("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{\"a\":", SERVER_KEEP)
               : SERVER_ANSWER("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n{\"a\":1", SERVER_KEEP);
}

static void run__does_not_try_on__when_what_is_no_json_comes_alike(void **state)
{
    (void)state;
    for (int differs = 0; differs < 2; differs++) {
        bool by_turns = differs;
        struct server *server = server_start(play_badly, &by_turns);
        struct run r;

        run_begin(&r, server_url(server, "/1"));
        r.job.retry.attempts = 6;
        run_to_its_end(&r);
        assert_int_equal(r.report.failed, 1);
        assert_failure(r.report.failures[0].why, "bad json");
        assert_int_equal(server_count(server), differs ? 6 : 3);
        run_end(&r);
        server_stop(server);
    }
}

static void run__does_not_try_again__when_the_status_is_final(void **state)
{
    static char big[60000]; /* an error page of a size that real ones have */
    struct script script = { .usual = USUAL, .at = 2, .times = 100 };
    struct server *server;
    struct run r;
    int head;

    (void)state;
    head = snprintf(big, sizeof big, "HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n", 50000);
    memset(big + head, '<', 50000);
    script.odd = (struct server_answer){ big, (size_t)head + 50000, 0, SERVER_KEEP };
    server = server_start(play, &script);
    run_begin(&r, server_url(server, "/[1-5]"));
    run_to_its_end(&r);
    assert_int_equal(r.report.failed, 1);
    assert_failure(r.report.failures[0].why, "HTTP 404");
    assert_int_equal(server_count(server), 5);
    run_end(&r);
    server_stop(server);
}

/* --- a host that says no -------------------------------------------------------------------------- */

static void run__sends_nothing_before_the_deadline__when_a_server_named_one(void **state)
{
    static const struct {
        const char *odd;
        uint64_t hold_us;
    } samples[] = {
        { "HTTP/1.1 429 No\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", 1 * US_PER_S },
        { "HTTP/1.1 503 No\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
          "Retry-After: Sunday, 06-Nov-94 08:49:38 GMT\r\nContent-Length: 0\r\n\r\n",
          1 * US_PER_S },
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct script script = { .usual = USUAL, .at = 3, .times = 1 };
        struct server *server;
        struct run r;
        uint64_t refused_us = 0;

        script.odd =
            (struct server_answer){ samples[i].odd, strlen(samples[i].odd), 0, SERVER_KEEP };
        server = server_start(play, &script);
        run_begin(&r, server_url(server, "/[1-20]"));
        r.job.pace.cap = 1; /* nothing is on its way when the refusal comes */
        run_to_its_end(&r);
        assert_int_equal(r.report.exit, EXIT_WELL);
        assert_int_equal(r.report.early_requests, 0);
        assert_int_equal(r.report.hosts_held, 1);
        assert_true(r.report.asked_s * 1e6 == (double)(samples[i].hold_us + NAMED_WAIT_SLACK_US));
        for (unsigned n = 0; n < server_count(server); n++) {
            struct server_asked asked = server_asked_at(server, n);

            if (refused_us) {
                assert_true(asked.at_us >= refused_us + samples[i].hold_us);
            } else if (asked_number(&asked) == 3) {
                refused_us = asked.at_us;
            }
        }
        assert_true(refused_us > 0);
        run_end(&r);
        server_stop(server);
    }
}

static void run__gives_the_host_a_pause__when_a_429_names_no_deadline(void **state)
{
    struct script script = { .usual = USUAL, .odd = EMPTY_ANSWER("429 No"), .times = 3 };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-10]"));
    r.job.pace.cap = 1;
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_WELL);
    assert_int_equal(r.report.holds, 3);
    assert_int_equal(r.report.hosts_held, 1);
    assert_int_equal(r.report.status[429], 3);
    assert_true(r.report.wall_s < 20); /* and goes on from there: three 429s are no rate for ever */
    run_end(&r);
    server_stop(server);
}

static void run__ends_resumable__when_a_server_asks_for_more_than_max_wait(void **state)
{
    struct script script = { .usual = USUAL,
                             .odd = EMPTY_ANSWER("429 No\r\nRetry-After: 3600"),
                             .times = 1 };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-5]"));
    r.job.pace.cap = 1;
    r.job.retry.max_wait_us = 600 * US_PER_S;
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_DRAINED);
    assert_int_equal(r.report.pending, 5);
    assert_non_null(strstr(r.report.stopped_by, "asks to wait"));
    assert_int_equal(server_count(server), 1);

    run_to_its_end(&r); /* a restart is no way around it */
    assert_int_equal(r.report.exit, EXIT_DRAINED);
    assert_int_equal(server_count(server), 1);

    r.attended = true; /* with somebody there it waits */
    run_start(&r);
    for (int i = 0; i < 20; i++) {
        uv_run(&r.loop, UV_RUN_NOWAIT);
    }
    assert_false(r.done);
    assert_int_equal(look(&r)->state, RUN_HELD);
    /* The deadline is kept by the wall's clock, which is not read in the same instant as the other. */
    assert_in_range(look(&r)->next_due_in_us, 3500 * US_PER_S, 3601 * US_PER_S);
    run_close(&r);
    assert_int_equal(server_count(server), 1);
    run_end(&r);
    server_stop(server);
}

/* --- redirects ------------------------------------------------------------------------------------ */

static struct server_answer redirect_to(void *context, const struct server_asked *asked,
                                        unsigned number)
{
    const char *answer = context;

    (void)number;
    return strstr(asked->head, "/start")
               ? (struct server_answer){ answer, strlen(answer), 0, SERVER_KEEP }
               : USUAL;
}

static void redirect__carries_credentials__within_its_origin_only(void **state)
{
    char own[256], foreign[256];
    struct script usual = { .usual = USUAL };
    struct server *other = server_start(play, &usual), *server;
    struct run r;

    (void)state;
    snprintf(own, sizeof own,
             "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n");
    snprintf(foreign, sizeof foreign,
             "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
             server_url(other, "/elsewhere"));
    for (int away = 0; away < 2; away++) {
        struct server_asked asked;

        server = server_start(redirect_to, away ? foreign : own);
        run_begin(&r, server_url(server, "/start"));
        assert_int_equal(job_add_header(&r.job, STR("X-Api-Key: 4f3c9d"), NULL), RESULT_OK);
        run_to_its_end(&r);
        assert_int_equal(r.report.exit, EXIT_WELL);
        assert_int_equal(r.report.retried, 0);
        assert_int_equal(r.report.attempts, 2);
        asked = server_asked_at(server, 0);
        assert_non_null(strstr(asked.head, "X-Api-Key: 4f3c9d"));
        asked = away ? server_asked_at(other, 0) : server_asked_at(server, 1);
        assert_int_equal(strstr(asked.head, "4f3c9d") != NULL, !away);
        run_end(&r);
        server_stop(server);
    }
    server_stop(other);
}

static void redirect__is_refused__when_it_never_ends_or_leads_out_of_http(void **state)
{
    static const char *const locations[] = { "/start", "file:///etc/passwd", "ftp://127.0.0.1/x",
                                             "http://user:secret@127.0.0.1/" };
    static const unsigned want[] = { 6, 1, 1, 1 };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char answer[256];
        struct server *server;
        struct run r;

        snprintf(answer, sizeof answer,
                 "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", locations[i]);
        server = server_start(redirect_to, answer);
        run_begin(&r, server_url(server, "/start"));
        run_to_its_end(&r);
        assert_int_equal(r.report.failed, 1);
        assert_failure(r.report.failures[0].why, "refused");
        assert_int_equal(r.report.exit, EXIT_INCOMPLETE);
        assert_int_equal(server_count(server), want[i]);
        run_end(&r);
        server_stop(server);
    }
}

/* --- what may not be repeated --------------------------------------------------------------------- */

static void make_post(struct run *r)
{
    free(r->job.endpoints[0].method);
    r->job.endpoints[0].method = str_dup(STR("POST"));
    r->job.endpoints[0].body = str_dup(STR("{\"q\":1}"));
}

static void post__is_repeated__with_an_idempotency_key(void **state)
{
    struct script script = { .usual = USUAL, .odd = EMPTY_ANSWER("500 Oops"), .times = 1 };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/one"));
    make_post(&r);
    assert_int_equal(job_add_header(&r.job, STR("idempotency-key: 7"), NULL), RESULT_OK);
    run_to_its_end(&r);
    assert_int_equal(r.report.ok, 1);
    assert_int_equal(server_count(server), 2);
    run_end(&r);
    server_stop(server);
}

static void post__is_not_repeated__when_it_may_have_been_acted_on(void **state)
{
    struct script script = { .usual = USUAL, .times = 1 };
    const struct server_answer odd[] = { SERVER_ANSWER("", SERVER_CLOSE), EMPTY_ANSWER("500 Oops"),
                                         SERVER_ANSWER("HTTP/1.1 200 OK\r\nContent-Le",
                                                       SERVER_RESET) };

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct server *server;
        struct run r;

        script.odd = odd[i];
        script.times = 1;
        server = server_start(play, &script);
        run_begin(&r, server_url(server, "/one"));
        make_post(&r);
        run_to_its_end(&r);
        assert_int_equal(r.report.failed, 1);
        assert_int_equal(server_count(server), 1);
        run_end(&r);
        server_stop(server);
    }
}

static void post__is_repeated__when_the_server_says_it_was_not_acted_on(void **state)
{
    struct script script = { .usual = USUAL, .odd = EMPTY_ANSWER("429 No"), .times = 1 };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/one"));
    make_post(&r);
    run_to_its_end(&r);
    assert_int_equal(r.report.ok, 1);
    assert_int_equal(server_count(server), 2);
    run_end(&r);
    server_stop(server);
}

/* --- large bodies ---------------------------------------------------------------------------------- */

static void large_body__is_checked_to_its_end(void **state)
{
    (void)state;
    for (int valid = 0; valid < 2; valid++) {
        struct script script = { .usual = USUAL, .at = 2, .times = 1 };
        struct server *server;
        struct run r;

        script.odd.bytes = large_answer(3U << 20, valid, &script.odd.len);
        server = server_start(play, &script);
        run_begin(&r, server_url(server, "/[1-3]"));
        r.job.retry.attempts = 1;
        run_to_its_end(&r);
        assert_int_equal(r.report.ok, 2 + valid);
        assert_int_equal(r.report.failed, 1 - valid);
        if (!valid) {
            assert_failure(r.report.failures[0].why, "bad json");
        }
        run_end(&r);
        server_stop(server);
        free((void *)(uintptr_t)script.odd.bytes);
    }
}

/* They go to the pool together: each has its own verdict all the same, and one only. */
static void bodies__are_judged_one_by_one__when_they_are_read_together(void **state)
{
    struct script script = { .usual = { .then = SERVER_KEEP }, .at = 7, .times = 1 };
    struct server *server;
    struct run r;

    (void)state;
    script.usual.bytes = large_answer(20U << 10, true, &script.usual.len);
    script.odd = script.usual;
    script.odd.bytes = large_answer(20U << 10, false, &script.odd.len);
    server = server_start(play, &script);
    run_begin(&r, server_url(server, "/[1-200]"));
    r.job.pace.cap = 32;
    r.job.retry.attempts = 1;
    run_to_its_end(&r);
    assert_int_equal(r.report.ok, 199);
    assert_int_equal(r.report.failed, 1);
    assert_int_equal(server_count(server), 200);
    run_end(&r);
    server_stop(server);
    free((void *)(uintptr_t)script.usual.bytes);
    free((void *)(uintptr_t)script.odd.bytes);
}

/* --- turning the knob ------------------------------------------------------------------------------- */

static void cap__starts_at_once__when_it_is_raised__and_kills_none_when_lowered(void **state)
{
    struct script script = { .usual = SERVER_ANSWER("", SERVER_HANG) };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-1000]"));
    r.job.pace.cap = 2;
    run_start(&r);
    assert_int_equal(look(&r)->in_flight, 2);
    assert_int_equal(look(&r)->limit.kind, LIMIT_CAP);
    tell(&r, CONTROL_CAP_SET, 20);
    assert_int_equal(look(&r)->in_flight, 20);
    tell(&r, CONTROL_CAP_ADD, 4);
    assert_int_equal(look(&r)->in_flight, 24);
    until_asked(&r, server, 24);
    tell(&r, CONTROL_CAP_HALVE, 0);
    assert_int_equal(look(&r)->in_flight, 24);
    assert_int_equal(look(&r)->draining, 12);
    assert_int_equal(look(&r)->cap_before, 24);
    tell(&r, CONTROL_CAP_ADD, -100);
    assert_int_equal(look(&r)->cap, 1);
    tell(&r, CONTROL_CAP_SET, 0);
    assert_int_equal(look(&r)->state, RUN_PAUSED);
    tell(&r, CONTROL_CAP_SET, INT64_MAX);
    assert_int_equal(look(&r)->cap, JOB_CAP_MAX);
    assert_in_range(look(&r)->in_flight, 25, 999); /* not all in one turn of the loop */
    until_asked(&r, server, 500);
    run_close(&r);
    assert_int_equal(stored_count(&r), 0);
    run_end(&r);
    server_stop(server);
}

/* From the command to the first further transfer not one turn of the loop passes, however many run. */
static void cap__acts_within_one_turn__while_a_thousand_transfers_run(void **state)
{
    struct script script = { .usual = SERVER_ANSWER("", SERVER_HANG) };
    struct server *server = server_start(play, &script);
    unsigned turns = 0;
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-3000]"));
    r.job.pace.cap = 1000;
    run_start(&r);
    until_asked(&r, server, 1000);
    assert_int_equal(look(&r)->in_flight, 1000);
    tell(&r, CONTROL_CAP_ADD, 1);
    while (look(&r)->in_flight < 1001) {
        uv_run(&r.loop, UV_RUN_NOWAIT);
        turns++;
    }
    assert_int_equal(turns, 0);
    until_asked(&r, server, 1001);
    tell(&r, CONTROL_CAP_HALVE, 0);
    assert_int_equal(look(&r)->cap, 500);
    assert_int_equal(look(&r)->in_flight, 1001);
    run_close(&r);
    run_end(&r);
    server_stop(server);
}

static void pause__starts_nothing__until_it_is_taken_back(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-50]"));
    run_start(&r);
    until_asked(&r, server, 5);
    tell(&r, CONTROL_PAUSE, 0);
    while (look(&r)->in_flight || look(&r)->storing) {
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    assert_int_equal(look(&r)->state, RUN_PAUSED);
    assert_int_equal(look(&r)->limit.kind, LIMIT_PAUSED);
    assert_int_equal(look(&r)->ok, server_count(server));
    for (int i = 0; i < 5; i++) { /* ticks go by */
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    assert_int_equal(look(&r)->ok, server_count(server));
    tell(&r, CONTROL_PAUSE, 0);
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(r.report.ok, 50);
    run_end(&r);
    server_stop(server);
}

/* --- what is written down ---------------------------------------------------------------------- */

static void url__is_stored_without_its_api_key(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server = server_start(play, &script);
    struct run_dir dir;
    struct run r;
    size_t size;
    char *raw;

    (void)state;
    run_begin(&r, server_url(server, "/x?api_key=hidden1234&page=[1-3]"));
    run_to_its_end(&r);
    assert_int_equal(run_dir_open_readonly(&dir, r.temp.run, NULL), RESULT_OK);
    raw = file_read(&dir, "raw/00000001.jsonl", &size);
    assert_null(strstr(raw, "hidden1234"));
    assert_non_null(strstr(raw, "/x?api_key=***&page=2"));
    free(raw);
    run_dir_close(&dir);
    assert_non_null(strstr(server_asked_at(server, 0).head, "api_key=hidden1234"));
    run_end(&r);
    server_stop(server);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__stores_every_body_once__when_all_is_well),
        cmocka_unit_test(run__tries_again__until_it_is_well),
        cmocka_unit_test(run__fails_with_the_reason__when_its_tries_are_used_up),
        cmocka_unit_test(run__does_not_try_on__when_what_is_no_json_comes_alike),
        cmocka_unit_test(run__does_not_try_again__when_the_status_is_final),
        cmocka_unit_test(run__sends_nothing_before_the_deadline__when_a_server_named_one),
        cmocka_unit_test(run__gives_the_host_a_pause__when_a_429_names_no_deadline),
        cmocka_unit_test(run__ends_resumable__when_a_server_asks_for_more_than_max_wait),
        cmocka_unit_test(redirect__carries_credentials__within_its_origin_only),
        cmocka_unit_test(redirect__is_refused__when_it_never_ends_or_leads_out_of_http),
        cmocka_unit_test(post__is_repeated__with_an_idempotency_key),
        cmocka_unit_test(post__is_not_repeated__when_it_may_have_been_acted_on),
        cmocka_unit_test(post__is_repeated__when_the_server_says_it_was_not_acted_on),
        cmocka_unit_test(large_body__is_checked_to_its_end),
        cmocka_unit_test(bodies__are_judged_one_by_one__when_they_are_read_together),
        cmocka_unit_test(cap__starts_at_once__when_it_is_raised__and_kills_none_when_lowered),
        cmocka_unit_test(cap__acts_within_one_turn__while_a_thousand_transfers_run),
        cmocka_unit_test(pause__starts_nothing__until_it_is_taken_back),
        cmocka_unit_test(url__is_stored_without_its_api_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
