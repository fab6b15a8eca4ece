/* What a user does by hand to requests and hosts of a run, and one request looked at closely. */

#include "engine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LATER EMPTY_ANSWER("429 No\r\nRetry-After: 3600\r\nSet-Cookie: secret=1")

/* Until the first request waits for an hour, and its host with all the others. */
static void until_held(struct run *r)
{
    while (!look(r)->wait_count || look(r)->storing || look(r)->in_flight) {
        uv_run(&r->loop, UV_RUN_ONCE);
    }
}

static struct server *open_held(struct run *r, struct script *script)
{
    struct server *server;

    *script = (struct script){ .usual = USUAL, .odd = LATER, .times = 1 };
    server = server_start(play, script);
    run_begin(r, server_url(server, "/[1-5]"));
    r->job.pace.cap = 1;
    r->attended = true;
    run_start(r);
    until_held(r);
    return server;
}

static void retry__asks_one_now__and_leaves_its_host_held(void **state)
{
    struct script script;
    struct run r;
    struct server *server = open_held(&r, &script);

    (void)state;
    assert_int_equal(look(&r)->waits[0].id, 1);
    assert_true(snapshot_wait_is_named(&look(&r)->waits[0]));
    tell(&r, CONTROL_RETRY, 77); /* no such request */
    assert_int_equal(look(&r)->in_flight, 0);
    tell(&r, CONTROL_RETRY, 1);
    while (look(&r)->ok < 1) {
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    assert_int_equal(server_count(server), 2);
    assert_int_equal(look(&r)->state, RUN_HELD);
    run_close(&r);
    assert_int_equal(r.report.early_requests, 1);
    run_end(&r);
    server_stop(server);
}

static void drop__settles_as_failed__also_for_the_next_session(void **state)
{
    struct script script;
    struct run r;
    struct server *server = open_held(&r, &script);

    (void)state;
    tell(&r, CONTROL_DROP, 1);
    while (look(&r)->failed < 1) {
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    assert_int_equal(look(&r)->waiting, 0);
    assert_int_equal(look(&r)->failures[0].example_id, 1);
    run_close(&r);
    run_start(&r);
    assert_int_equal(look(&r)->failed, 1);
    assert_int_equal(look(&r)->wait_count, 0);
    run_close(&r);
    run_end(&r);
    server_stop(server);
}

/* The transfer ends at once, its slot goes to the next, and it stays dropped in the next session. */
static void drop__ends_a_transfer__and_its_slot_is_used(void **state)
{
    struct script script = { .usual = USUAL,
                             .odd = SERVER_ANSWER("HTTP/1.1 200 OK\r\n", SERVER_HANG),
                             .at = 1,
                             .times = 1 };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-5]"));
    r.job.pace.cap = 1;
    run_start(&r);
    until_asked(&r, server, 1);
    assert_int_equal(look(&r)->in_flight, 1);
    tell(&r, CONTROL_DROP, 1);
    run_until_done(&r);
    assert_int_equal(look(&r)->ok, 4);
    assert_int_equal(look(&r)->failed, 1);
    assert_failure(look(&r)->failures[0].why, "dropped by you");
    run_close(&r);
    run_start(&r);
    assert_int_equal(look(&r)->failed, 1);
    assert_failure(look(&r)->failures[0].why, "dropped by you");
    run_close(&r);
    assert_int_equal(server_count(server), 5);
    run_end(&r);
    server_stop(server);
}

static struct server_answer refuse_by_number(void *context, const struct server_asked *asked,
                                             unsigned number)
{
    unsigned n = asked_number(asked);
    bool *mended = context;

    (void)number;
    return *mended || n > 6 ? USUAL : n % 2 ? EMPTY_ANSWER("404 No") : EMPTY_ANSWER("410 Gone");
}

/* One class of failures is asked again, those of an earlier session among them; the others stay. */
static void retry_failed__asks_one_class_only(void **state)
{
    bool mended = false;
    struct server *server = server_start(refuse_by_number, &mended);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-10]"));
    run_to_its_end(&r);
    run_start(&r);
    run_until_done(&r);
    assert_int_equal(look(&r)->failure_count, 2);
    assert_int_equal(look(&r)->failures[0].count, 3);
    assert_non_null(strstr(look(&r)->failures[0].example, "GET /"));
    mended = true;
    tell_text(&r, CONTROL_RETRY_FAILED, "no such class");
    assert_int_equal(look(&r)->failed, 6);
    tell_text(&r, CONTROL_RETRY_FAILED, "HTTP 410");
    assert_int_equal(look(&r)->failed, 3);
    assert_int_equal(look(&r)->failure_count, 1);
    assert_failure(look(&r)->failures[0].why, "HTTP 404");
    r.done = false;
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(r.report.ok, 7);
    assert_int_equal(r.report.failed, 3);
    assert_int_equal(server_count(server), 13);
    run_end(&r);
    server_stop(server);
}

static void hold__starts_nothing_at_its_host__until_it_is_released(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server = server_start(play, &script);
    char host[SNAPSHOT_HOST_TEXT];
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-40]"));
    r.attended = true;
    run_start(&r);
    snprintf(host, sizeof host, "%s", look(&r)->hosts[0].host);
    tell_text(&r, CONTROL_HOLD, "no.such.host");
    tell_text(&r, CONTROL_HOLD, host);
    while (look(&r)->in_flight || look(&r)->storing) {
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    assert_int_equal(look(&r)->state, RUN_HELD);
    assert_true(look(&r)->hosts[0].hold_in_us == UINT64_MAX);
    assert_int_equal(look(&r)->limit.by, LIMIT_BY_USER);
    assert_in_range(look(&r)->ok, 4, 8);
    engine_set_attended(r.engine, false); /* nobody is left to release it */
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(r.report.ok, 40);
    run_end(&r);
    server_stop(server);
}

static void retry_failed__asks_again__even_when_all_was_settled(void **state)
{
    struct script script = { .usual = USUAL, .odd = EMPTY_ANSWER("404 No"), .times = 3 };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-10]"));
    run_to_its_end(&r);
    assert_int_equal(r.report.failed, 3);
    run_start(&r); /* those of an earlier session */
    run_until_done(&r);
    tell(&r, CONTROL_RETRY_FAILED, 0);
    assert_int_equal(look(&r)->failed, 0);
    assert_int_equal(look(&r)->state, RUN_RUNNING);
    r.done = false;
    run_until_done(&r);
    assert_int_equal(look(&r)->state, RUN_DONE);
    run_close(&r);
    assert_int_equal(r.report.exit, EXIT_WELL);
    assert_int_equal(r.report.ok, 10);
    assert_int_equal(server_count(server), 13);
    assert_int_equal(stored_count(&r), 10);
    run_end(&r);
    server_stop(server);
}

/* Known before anything has been asked, and each by itself to the end. */
static void endpoints__are_listed_from_the_start__however_many(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server = server_start(play, &script);
    struct buf json = { 0 };
    char part[64];
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/0/[1-2]"));
    for (unsigned i = 1; i < 40; i++) {
        struct job_endpoint *endpoint = job_add_endpoint(&r.job);

        snprintf(part, sizeof part, "/%u/[1-2]", i);
        assert_non_null(endpoint);
        assert_int_equal(
            job_add_source(endpoint, JOB_SOURCE_PATTERN, str_view(server_url(server, part)), NULL),
            RESULT_OK);
        snprintf(part, sizeof part, "e%u", i);
        free(endpoint->name);
        endpoint->name = str_dup(str_view(part));
    }
    run_open(&r);
    assert_int_equal(look(&r)->endpoint_count, 40);
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(look(&r)->endpoints[i].planned, 2);
        assert_int_equal(look(&r)->endpoints[i].done, 0);
    }
    assert_int_equal(engine_start(r.engine, NULL), RESULT_OK);
    run_until_done(&r);
    run_close(&r);
    assert_int_equal(r.report.endpoint_count, 40);
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(r.report.endpoints[i].ok, 2);
    }
    assert_int_equal(report_json(&r.report, &json), RESULT_OK);
    assert_non_null(strstr(buf_cstr(&json), "{\"name\":\"e39\",\"requests\":2,\"ok\":2,"));
    buf_release(&json);
    run_end(&r);
    server_stop(server);
}

/* What a server said is there in the next session, too, with its reason and its URL. */
static void detail__recalls_a_failure__of_an_earlier_session(void **state)
{
    struct script script = {
        .usual = USUAL,
        .odd = SERVER_ANSWER("HTTP/1.1 422 No\r\nContent-Length: 21\r\nX-Id: 7\r\n\r\n"
                             "{\"detail\":\"too much\"}",
                             SERVER_KEEP),
        .times = 2,
    };
    struct server *server = server_start(play, &script);
    const struct snapshot_detail *d;
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-2]?token=abcdef"));
    run_to_its_end(&r);
    run_start(&r);
    run_until_done(&r);
    tell(&r, CONTROL_DETAIL, 2);
    while ((d = &look(&r)->detail)->place == DETAIL_UNKNOWN) {
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    assert_int_equal(d->place, DETAIL_FAILED);
    assert_string_equal(d->key, "2");
    assert_non_null(strstr(d->url, "/2?token=***"));
    assert_int_equal(d->attempt_count, 1);
    assert_int_equal(d->attempts[0].status, 422);
    assert_string_equal(d->attempts[0].why, "HTTP 422");
    assert_non_null(strstr(d->headers, "x-id: 7\n"));
    assert_int_equal(d->body_shown, 21);
    assert_memory_equal(d->body, "{\"detail\":\"too much\"}", 21);
    /* Asked again it has other news: what was recalled is over. */
    r.done = false;
    tell(&r, CONTROL_RETRY_FAILED, 0);
    while (look(&r)->ok < 2) {
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    assert_int_equal(look(&r)->detail.place, DETAIL_DONE);
    assert_int_equal(look(&r)->detail.attempts[0].status, 200);
    run_close(&r);
    run_end(&r);
    server_stop(server);
}

/* Each endpoint's figures, and those of earlier sessions among them. */
static void endpoints__have_accounts_of_their_own__across_sessions(void **state)
{
    struct script script = { .usual = USUAL, .odd = EMPTY_ANSWER("404 No"), .at = 7, .times = 2 };
    struct server *server = server_start(play, &script);
    const struct snapshot_endpoint *list;
    struct job_endpoint *second;
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/a/[1-5]"));
    second = job_add_endpoint(&r.job);
    assert_non_null(second);
    assert_int_equal(
        job_add_source(second, JOB_SOURCE_PATTERN, str_view(server_url(server, "/b/[6-8]")), NULL),
        RESULT_OK);
    run_start(&r);
    run_until_done(&r);
    for (int session = 0; session < 2; session++) {
        list = look(&r)->endpoints;
        assert_int_equal(look(&r)->endpoint_count, 2);
        assert_int_equal(list[0].planned, 5);
        assert_int_equal(list[0].done, 5);
        assert_int_equal(list[1].planned, 3);
        assert_int_equal(list[1].done, 2);
        assert_int_equal(list[1].failed, 1);
        run_close(&r);
        run_start(&r);
    }
    run_until_done(&r);
    tell(&r, CONTROL_RETRY_FAILED, 0);
    list = look(&r)->endpoints;
    assert_int_equal(list[1].failed, 0);
    assert_int_equal(list[1].done, 2);
    run_close(&r);
    run_end(&r);
    server_stop(server);
}

/* Turns until something waits and nothing is in flight. */
static void until_waiting(struct run *r)
{
    while (look(r)->in_flight || look(r)->storing || !look(r)->waiting) {
        assert_false(r->done);
        uv_run(&r->loop, UV_RUN_ONCE);
    }
}

/* Nobody is reached: neither a request nor a host is to blame, and the screen says so. The kernel has
 * no connection to that address to give (ENETUNREACH), wherever this runs. */
static void state__is_network_down__when_no_host_is_reached(void **state)
{
    struct run r;

    (void)state;
    run_begin(&r, "http://255.255.255.255:1/[1-4]");
    r.attended = true;
    r.job.retry.backoff_base_us = r.job.retry.backoff_cap_us = 400 * US_PER_MS;
    run_start(&r);
    while (look(&r)->state != RUN_NETWORK_DOWN) {
        assert_false(r.done);
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    assert_true(look(&r)->waiting > 0);
    run_close(&r);
    run_end(&r);
}

/* Somebody is there to refuse: the network is well, and the reason says what is not. */
static void state__is_not_network_down__when_a_port_refuses(void **state)
{
    int refusing;
    char pattern[64], text[LIMIT_TEXT_MAX];
    struct run r;

    (void)state;
    snprintf(pattern, sizeof pattern, "http://127.0.0.1:%u/[1-4]", server_refusing_port(&refusing));
    run_begin(&r, pattern);
    r.attended = true;
    r.job.retry.backoff_base_us = r.job.retry.backoff_cap_us = LONG_BACKOFF_US;
    run_start(&r);
    until_waiting(&r);
    assert_int_not_equal(look(&r)->state, RUN_NETWORK_DOWN);
    assert_int_equal(look(&r)->waits[0].why.class, FAILURE_CONNECT);
    limit_words(&look(&r)->limit, NULL, text);
    assert_non_null(strstr(text, "connection refused"));
    run_close(&r);
    run_end(&r);
    close(refusing);
}

/* The first 60 come at once, the others when they are asked again. */
static struct server_answer late_ones(void *context, const struct server_asked *asked,
                                      unsigned number)
{
    const struct server_answer well = USUAL, not_now = EMPTY_ANSWER("500 Not Now");
    bool *asked_before = context;
    unsigned which = asked_number(asked);

    (void)number;
    if (which <= 60 || asked_before[which]) {
        return well;
    }
    asked_before[which] = true;
    return not_now;
}

/* More wait than a snapshot lists: all of them are meant, or all that pass. */
static void retry_waiting__asks_all__not_only_those_listed(void **state)
{
    static bool asked_before[311];
    struct server *server = server_start(late_ones, asked_before);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-310]"));
    r.attended = true;
    r.job.pace.cap = 50;
    r.job.retry.backoff_base_us = r.job.retry.backoff_cap_us = LONG_BACKOFF_US;
    run_start(&r);
    while (look(&r)->waiting < 250) {
        assert_false(r.done);
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    assert_int_equal(look(&r)->wait_count, SNAPSHOT_WAITS_MAX);
    tell_text(&r, CONTROL_RETRY_WAITING, "no such text");
    assert_int_equal(look(&r)->waiting, 250);
    tell_text(&r, CONTROL_RETRY_WAITING, "/25"); /* 250 to 259; 25 has come */
    while (look(&r)->ok < 70) {
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    assert_int_equal(look(&r)->waiting, 240);
    tell_text(&r, CONTROL_RETRY_WAITING, "");
    while (look(&r)->ok < 310) {
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    run_close(&r);
    run_end(&r);
    server_stop(server);
}

/* One that was never reached is its own trouble while another is reached. */
static void state__is_not_network_down__while_another_host_was_reached(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-3]"));
    r.attended = true;
    r.job.retry.backoff_base_us = r.job.retry.backoff_cap_us = LONG_BACKOFF_US;
    assert_int_equal(job_add_source(&r.job.endpoints[0], JOB_SOURCE_PATTERN,
                                    STR("http://255.255.255.255:1/[1-4]"), NULL),
                     RESULT_OK);
    run_start(&r);
    while (look(&r)->ok < 3 || look(&r)->in_flight || look(&r)->storing) {
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    assert_int_equal(look(&r)->waiting, 4);
    assert_int_not_equal(look(&r)->state, RUN_NETWORK_DOWN);
    run_close(&r);
    run_end(&r);
    server_stop(server);
}

/* Stopped before its end a run has not failed; all fetched and the table under way it is not done. */
static void state__tells_stopped_and_normalising__from_failed_and_done(void **state)
{
    struct script script = { .usual = USUAL, .odd = EMPTY_ANSWER("404 No"), .at = 1, .times = 1 };
    struct server *server = server_start(play, &script);
    bool normalising = false;
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-2000]"));
    r.csv = true;
    run_start(&r);
    until_asked(&r, server, 3);
    tell(&r, CONTROL_DRAIN, 0);
    assert_int_equal(look(&r)->state, RUN_DRAINING);
    run_until_done(&r);
    assert_int_equal(look(&r)->failed, 1);
    assert_int_equal(look(&r)->state, RUN_STOPPED);
    run_close(&r);
    run_start(&r);
    while (!r.done) {
        normalising |= look(&r)->state == RUN_NORMALISING;
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    assert_true(normalising);
    assert_int_equal(look(&r)->state, RUN_DONE); /* with one of 2000 failed */
    assert_int_equal(look(&r)->failed, 1);
    run_close(&r);
    run_end(&r);
    server_stop(server);
}

static void state__is_failed__when_more_failed_than_came(void **state)
{
    struct script script = { .usual = USUAL, .odd = EMPTY_ANSWER("404 No"), .times = 2 };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-3]"));
    run_start(&r);
    run_until_done(&r);
    assert_int_equal(look(&r)->failed, 2);
    assert_int_equal(look(&r)->state, RUN_FAILED);
    run_close(&r);
    run_end(&r);
    server_stop(server);
}

static void detail__follows_a_request__and_masks_what_is_secret(void **state)
{
    const struct snapshot_detail *d;
    struct script script;
    struct run r;
    struct server *server;

    (void)state;
    script = (struct script){ .usual = USUAL, .odd = LATER, .times = 1 };
    server = server_start(play, &script);
    run_begin(&r, server_url(server, "/a?token=hunter22&n=[1-2]"));
    r.job.pace.cap = 1;
    r.attended = true;
    assert_int_equal(job_add_header(&r.job, STR("X-Api-Key: topsecret"), NULL), RESULT_OK);
    run_start(&r);
    until_held(&r);
    assert_int_equal(look(&r)->detail.id, 0);
    tell(&r, CONTROL_DETAIL, 1);
    d = &look(&r)->detail;
    assert_int_equal(d->place, DETAIL_WAITING);
    assert_int_equal(d->attempt_count, 1);
    assert_int_equal(d->attempts[0].status, 429);
    assert_true(d->attempts[0].total_us > 0);
    assert_non_null(strstr(d->url, "token=***&n=1"));
    assert_non_null(strstr(d->headers, "retry-after: 3600\n"));
    assert_null(strstr(d->headers, "secret=1"));
    assert_string_equal(d->sent, "X-Api-Key: ***\n");
    tell(&r, CONTROL_RETRY, 1);
    while (look(&r)->ok < 1) {
        uv_run(&r.loop, UV_RUN_ONCE);
    }
    d = &look(&r)->detail;
    assert_int_equal(d->place, DETAIL_DONE);
    assert_int_equal(d->attempt_count, 2);
    assert_int_equal(d->body_shown, 7);
    assert_memory_equal(d->body, "{\"a\":1}", 7);
    assert_non_null(strstr(d->request, "GET /a?token=***"));
    tell(&r, CONTROL_DETAIL, 2);
    assert_int_equal(look(&r)->detail.place, DETAIL_UNKNOWN);
    tell(&r, CONTROL_DETAIL, 0);
    assert_int_equal(look(&r)->detail.place, DETAIL_NONE);
    run_close(&r);
    run_end(&r);
    server_stop(server);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry__asks_one_now__and_leaves_its_host_held),
        cmocka_unit_test(drop__settles_as_failed__also_for_the_next_session),
        cmocka_unit_test(drop__ends_a_transfer__and_its_slot_is_used),
        cmocka_unit_test(retry_waiting__asks_all__not_only_those_listed),
        cmocka_unit_test(retry_failed__asks_one_class_only),
        cmocka_unit_test(hold__starts_nothing_at_its_host__until_it_is_released),
        cmocka_unit_test(retry_failed__asks_again__even_when_all_was_settled),
        cmocka_unit_test(endpoints__are_listed_from_the_start__however_many),
        cmocka_unit_test(detail__recalls_a_failure__of_an_earlier_session),
        cmocka_unit_test(endpoints__have_accounts_of_their_own__across_sessions),
        cmocka_unit_test(state__is_network_down__when_no_host_is_reached),
        cmocka_unit_test(state__is_not_network_down__when_a_port_refuses),
        cmocka_unit_test(state__is_not_network_down__while_another_host_was_reached),
        cmocka_unit_test(state__tells_stopped_and_normalising__from_failed_and_done),
        cmocka_unit_test(state__is_failed__when_more_failed_than_came),
        cmocka_unit_test(detail__follows_a_request__and_masks_what_is_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
