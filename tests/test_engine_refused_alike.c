/* Hosts that refuse all requests alike: the run slows down, holds the host, names it, and stops. */
#include "plan/ban.h"
#include "plan/same_answer.h"
#include "answers_fixture.h"
#include "engine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void run__slows_down_and_stops__when_all_are_refused_alike(void **state)
{
    struct world w;
    struct err err;

    (void)state;
    begin(&w, "/[1-500]", (struct route[]){ { "GET ", "403 No", "", 0, 0, "" }, { 0 } });
    w.run.job.pace.cap = 8;
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_DRAINED);
    assert_string_equal(w.run.report.stopped_code, "E-SAME1");
    assert_true(w.run.report.stopped_in_error);
    assert_int_equal(server_count(w.server), 100);
    assert_int_equal(w.run.report.failed, 100);
    assert_int_equal(w.run.report.pending, 400); /* nothing has failed that was not asked */
    assert_told(&w.run, "[W-SAME1]", true);
    assert_told(&w.run, "--answer 'status=403 do=fail'", true);
    assert_int_equal(job_add_answer(&w.run.job, STR("status=403 do=fail"), &err), RESULT_OK);
    run_to_its_end(&w.run); /* whoever says so goes on */
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(server_count(w.server), 500);
    end(&w);
}

/* What the server does once it has let in so many: 403, so many times; 0: for ever. */
struct ban_script {
    unsigned after, times, answered, refused;
    bool is_moved; /* each URL leads to another first */
};

static struct server_answer ban(void *context, const struct server_asked *asked, unsigned number)
{
    struct ban_script *b = context;

    (void)number;
    if (b->is_moved && strncmp(asked->head, "GET /v/", 7) != 0) {
        return EMPTY_ANSWER("302 Found\r\nLocation: /v/1");
    }
    if (b->answered++ < b->after || (b->times && b->refused == b->times)) {
        return USUAL;
    }
    b->refused++;
    return EMPTY_ANSWER("403 Forbidden");
}

/* A hold passes at once, when nothing else is left to do: however slow the machine is, no answer is late. */
static void run_past_holds(struct run *r)
{
    run_start(r);
    while (!r->done) {
        const struct snapshot *s = look(r);

        if (!s->in_flight && !s->storing && s->next_due_in_us != UINT64_MAX) {
            pass(r, s->next_due_in_us);
        }
        turn(r);
    }
    run_close(r);
}

static void host__is_held_and_named__when_it_refuses_after_it_went_well(void **state)
{
    static const unsigned times[] = { 14, 0, 14 };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct ban_script script = { .after = 50, .times = times[i], .is_moved = i == 2 };
        struct server *server = server_start(ban, &script);
        struct run r;

        run_begin(&r, server_url(server, "/[1-400]"));
        r.job.pace.cap = 4;
        run_past_holds(&r);
        assert_told(&r, "[W-BAN1]", true);
        assert_told(&r, "held 1.0s", true);
        if (times[i]) { /* what was refused is asked again, and so was one that looks */
            assert_int_equal(r.report.exit, EXIT_WELL);
            assert_int_equal(r.report.ok, 400);
            assert_told(&r, "answers again", true);
        } else {
            assert_int_equal(r.report.exit, EXIT_DRAINED);
            assert_told(&r, "held 15.0s", true);
            assert_string_equal(r.report.stopped_code, "E-BAN1");
            assert_non_null(strstr(r.report.stopped_by, "127.0.0.1:"));
            assert_int_equal(r.report.ok, 50);
            assert_in_range(r.report.failed, BAN_ROW, BAN_ROW + 4);
            assert_failure(r.report.failures[0].why, "HTTP 403");
            assert_int_equal(r.report.pending, 350 - r.report.failed);
            assert_in_range(script.refused, BAN_ROW + BAN_HOLDS_MAX, BAN_ROW + 4 + BAN_HOLDS_MAX);
        }
        run_end(&r);
        server_stop(server);
    }
}

/* A row of 60 URLs that are not for us, in a host that answers all others. */
static struct server_answer forbid_some(void *context, const struct server_asked *asked,
                                        unsigned number)
{
    long item = strtol(asked->head + strlen("GET /"), NULL, 10);

    (void)context;
    (void)number;
    return item > 100 && item <= 160 ? EMPTY_ANSWER("403 Forbidden") : USUAL;
}

static void host__is_not_held_for_long__when_only_some_urls_are_refused(void **state)
{
    struct server *server = server_start(forbid_some, NULL);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-400]"));
    r.job.pace.cap = 4;
    run_past_holds(&r);
    assert_int_equal(r.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(r.report.ok, 340);
    assert_int_equal(r.report.failed, 60);
    assert_told(&r, "held 1.0s", true);
    assert_told(&r, "held 2.0s", false);
    run_end(&r);
    server_stop(server);
}

/* Its answers are no faster than those of another server, so that good ones come in between. */
static struct server_answer login_page(void *context, const struct server_asked *asked,
                                       unsigned number)
{
    struct server *other = context;

    (void)asked;
    while (server_count(other) < number && server_count(other) < 90) {
        usleep(1000);
    }
    return SERVER_ANSWER("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 29\r\n\r\n"
                         "<!doctype html><title>Sign in",
                         SERVER_KEEP);
}

/* One host has a login page for everything, while another answers well: nothing there is asked twice for long. */
static void host__is_asked_one_at_a_time__when_it_alone_refuses_all_alike(void **state)
{
    struct ban_script good = { .after = 100000 };
    struct server *first = server_start(ban, &good), *second = server_start(login_page, first);
    char url[128];
    struct run r;

    (void)state;
    snprintf(url, sizeof url, "http://127.0.0.1:{%s,%s}/[1-90]",
             strrchr(server_url(second, ""), ':') + 1, strrchr(server_url(first, ""), ':') + 1);
    run_begin(&r, url);
    r.job.pace.cap_per_host = 3;
    r.job.pace.cap = 6;
    run_past_holds(&r);
    assert_int_equal(r.report.ok, 90);
    assert_int_equal(r.report.failed, 90);
    assert_int_equal(r.report.exit, EXIT_INCOMPLETE);
    assert_told(&r, "it is asked one at a time from now on", true);
    assert_in_range(r.report.attempts, 180, 180 + SAME_ANSWER_TELL_AT + 6);
    run_end(&r);
    server_stop(first);
    server_stop(second);
}

/* It is never far before the other server, so that it has not come to its end when that has refused a hundred. */
static struct server_answer well_beside(void *context, const struct server_asked *asked,
                                        unsigned number)
{
    struct server *_Atomic *other = context;

    (void)asked;
    while (server_count(*other) + 6 < number && server_count(*other) < SAME_ANSWER_STOP_AT) {
        usleep(1000);
    }
    return USUAL;
}

/* After a hundred it is asked nothing more. The other host comes to its end, and what is left can be asked later. */
static void host__is_asked_nothing_more__when_it_alone_refuses_for_long(void **state)
{
    struct server *_Atomic second;
    struct server *first = server_start(well_beside, &second);
    char url[128];
    struct run r;

    (void)state;
    second = server_start(login_page, first);
    snprintf(url, sizeof url, "http://127.0.0.1:{%s,%s}/[1-200]",
             strrchr(server_url(second, ""), ':') + 1, strrchr(server_url(first, ""), ':') + 1);
    run_begin(&r, url);
    r.job.pace.cap_per_host = 3;
    r.job.pace.cap = 6;
    run_to_its_end(&r);
    assert_int_equal(r.report.ok, 200);
    /* Some of the hundred may still wait for their second try. */
    assert_in_range(r.report.failed, SAME_ANSWER_STOP_AT - SAME_ANSWER_TELL_AT,
                    SAME_ANSWER_STOP_AT + 3);
    assert_int_equal(r.report.failed + r.report.pending, 200);
    assert_int_equal(r.report.exit, EXIT_DRAINED);
    assert_string_equal(r.report.stopped_code, "E-SAME1");
    assert_told(&r, "it is asked nothing more, other hosts go on", true);
    run_end(&r);
    server_stop(first);
    server_stop(second);
}

static void run__stops_only_for_what_follows_each_other__and_goes_on_when_resumed(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "/[1-300]",
          (struct route[]){ { "GET /1", "403 No", "", 0, 0, "" }, /* and 11, and 100 to 199 */
                            { 0 } });
    w.run.job.pace.cap = 1;
    run_to_its_end(&w.run); /* at the hundredth of those */
    assert_int_equal(w.run.report.exit, EXIT_DRAINED);
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(w.run.report.ok + w.run.report.failed, 300);
    end(&w);
}

/* At its end there is nothing that could be stopped. */
static void run__ends__when_the_last_are_refused_alike(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "/[1-100]",
          (struct route[]){ { "GET ", "200 OK\r\nContent-Type: text/html", "<html>", 0, 0, "" },
                            { 0 } });
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(w.run.report.failed, 100);
    assert_in_range(server_count(w.server), 100, 130); /* the first were tried again */
    end(&w);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__slows_down_and_stops__when_all_are_refused_alike),
        cmocka_unit_test(host__is_held_and_named__when_it_refuses_after_it_went_well),
        cmocka_unit_test(host__is_not_held_for_long__when_only_some_urls_are_refused),
        cmocka_unit_test(host__is_asked_one_at_a_time__when_it_alone_refuses_all_alike),
        cmocka_unit_test(host__is_asked_nothing_more__when_it_alone_refuses_for_long),
        cmocka_unit_test(run__stops_only_for_what_follows_each_other__and_goes_on_when_resumed),
        cmocka_unit_test(run__ends__when_the_last_are_refused_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
