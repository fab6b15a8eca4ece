/* Whole runs that end at a limit which the user set to the session. */
#include "engine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world {
    struct run run;
    struct server *server;
};

/* Every tenth number is not there. */
static struct server_answer answer(void *context, const struct server_asked *asked, unsigned number)
{
    unsigned n = asked_number(asked);

    (void)context;
    (void)number;
    return n % 10 == 0 ? EMPTY_ANSWER("404 Not Found") : USUAL;
}

static void begin(struct world *w, server_script *script, void *context, const char *path)
{
    w->server = server_start(script, context);
    run_begin(&w->run, server_url(w->server, path));
}

static void end(struct world *w)
{
    run_end(&w->run);
    server_stop(w->server);
}

static void assert_stopped(const struct world *w, const char *option)
{
    const struct report *r = &w->run.report;

    assert_int_equal(r->exit, EXIT_LIMIT);
    assert_string_equal(r->stopped_code, "E-LIM1");
    assert_non_null(strstr(r->stopped_by, option));
    assert_told(&w->run, "\"code\":\"E-LIM1\",\"limit\":\"max-", true);
    assert_true(r->pending > 0);
}

static void max_requests__are_never_passed__and_the_rest_is_asked_later(void **state)
{
    struct world w;

    (void)state;
    begin(&w, answer, NULL, "/x/[1-100]");
    w.run.job.limits.max_requests = 30;
    run_to_its_end(&w.run);
    assert_stopped(&w, "--max-requests 30");
    assert_int_equal(server_count(w.server), 30);
    assert_int_equal(w.run.report.ok, 27);
    assert_int_equal(w.run.report.failed, 3);
    assert_int_equal(w.run.report.pending, 70);
    run_to_its_end(&w.run); /* each session has its own */
    assert_int_equal(server_count(w.server), 60);
    w.run.job.limits.max_requests = 40;
    run_to_its_end(&w.run); /* exactly as many as there are */
    assert_int_equal(server_count(w.server), 100);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(w.run.report.ok, 90);
    end(&w);
}

static void max_requests__count_retries_and_redirects(void **state)
{
    struct script moved = { .usual = EMPTY_ANSWER("302 Found\r\nLocation: /again"), .times = 0 };
    struct script broken = { .usual = EMPTY_ANSWER("500 Oops"), .times = 0 };
    struct script *const scripts[] = { &moved, &broken };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world w;

        begin(&w, play, scripts[i], "/x/[1-2]");
        w.run.job.limits.max_requests = 5;
        w.run.job.retry.attempts = 50;
        run_to_its_end(&w.run);
        assert_stopped(&w, "--max-requests 5");
        assert_int_equal(server_count(w.server), 5);
        assert_int_equal(w.run.report.failed, 0);
        assert_int_equal(w.run.report.pending, 2);
        end(&w);
    }
}

static void max_fail__stops_the_run__when_more_have_failed(void **state)
{
    struct script gone = { .usual = EMPTY_ANSWER("404 Not Found"), .times = 0 };
    static const char *const limits[] = { "3", "5%" };
    static const unsigned least[] = { 4, 20 };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world w;

        begin(&w, play, &gone, "/x/[1-500]");
        assert_int_equal(job_parse_max_fail(str_view(limits[i]), &w.run.job.limits, NULL),
                         RESULT_OK);
        w.run.job.pace.cap = 1;
        run_to_its_end(&w.run);
        assert_stopped(&w, "--max-fail");
        assert_true(w.run.report.failed >= least[i]);
        assert_true(w.run.report.failed < 500);
        end(&w);
    }
}

static void max_fail__is_not_reached__when_as_many_fail_as_may(void **state)
{
    static const char *const limits[] = { "10", "10%", "9" };
    static const enum exit_code want[] = { EXIT_INCOMPLETE, EXIT_INCOMPLETE, EXIT_LIMIT,
                                           EXIT_LIMIT };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct world w;

        begin(&w, answer, NULL, "/x/[1-100]");
        assert_int_equal(job_parse_max_fail(str_view(limits[i]), &w.run.job.limits, NULL),
                         RESULT_OK);
        w.run.job.pace.cap = 1;
        run_to_its_end(&w.run);
        assert_int_equal(w.run.report.exit, want[i]);
        assert_int_equal(w.run.report.failed, 10);
        end(&w);
    }
}

static void max_duration__ends_the_session__pauses_included(void **state)
{
    struct world w;
    struct fast_clock fast;

    (void)state;
    begin(&w, answer, NULL, "/x/[1-9]");
    w.run.clock = fast_clock(&fast, 100);
    w.run.job.limits.max_duration_us = 60 * US_PER_S;
    w.run.attended = true;
    w.run.job.pace.rate = (struct rate){ 1, 30 * US_PER_S };
    run_start(&w.run);
    tell(&w.run, CONTROL_PAUSE, 0);
    run_until_done(&w.run);
    run_close(&w.run);
    assert_stopped(&w, "--max-duration 1m");
    assert_true(w.run.report.ok < 9);
    assert_int_equal(w.run.report.failed, 0);
    end(&w);
}

/* A pause is no reason to stop for want of answers; the rule beside it tells that both were looked at. */
static void idle__counts_no_pause(void **state)
{
    struct script script = { .usual = USUAL };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-40]"));
    r.attended = true;
    r.job.pace.cap = 1;
    assert_int_equal(job_add_on(&r.job, STR("idle > 5m: stop"), NULL), RESULT_OK);
    assert_int_equal(job_add_on(&r.job, STR("paused > 5m: resume"), NULL), RESULT_OK);
    run_start(&r);
    until_asked(&r, server, 1);
    tell(&r, CONTROL_PAUSE, 0);
    while (look(&r)->in_flight || look(&r)->storing) {
        turn(&r);
    }
    do {
        pass(&r, 60 * US_PER_S);
        turn(&r);
    } while (look(&r)->state == RUN_PAUSED);
    run_until_done(&r);
    assert_int_equal(look(&r)->ons[0].fired, 0);
    assert_int_equal(look(&r)->ons[1].fired, 1);
    run_close(&r);
    assert_int_equal(r.report.ok, 40);
    run_end(&r);
    server_stop(server);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle__counts_no_pause),
        cmocka_unit_test(max_requests__are_never_passed__and_the_rest_is_asked_later),
        cmocka_unit_test(max_requests__count_retries_and_redirects),
        cmocka_unit_test(max_fail__stops_the_run__when_more_have_failed),
        cmocka_unit_test(max_fail__is_not_reached__when_as_many_fail_as_may),
        cmocka_unit_test(max_duration__ends_the_session__pauses_included),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
