/* Whole runs by rules for answers, and what answers mean without one. */
#include "answers_fixture.h"
#include "engine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- actions ---------------------------------------------------------------------------------------------- */

static void empty__settles_well__without_a_record(void **state)
{
    struct world w;
    size_t count;
    char *bodies;

    (void)state;
    begin(&w, "/[1-3]",
          (struct route[]){ { "GET /2 ", "404 No", "{\"no\":\"such\"}", 0, 0, "" }, { 0 } });
    add(&w, "status=404 do=empty");
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_WELL);
    assert_int_equal(w.run.report.ok, 3);
    assert_int_equal(w.run.report.failed, 0);
    assert_int_equal(w.run.report.attempts, 3);
    bodies = stored(&w.run, &count); /* what came is kept, as text: no table has a row of it */
    assert_string_equal(bodies, "1 1 {\"a\":1}\n2 2 {\\\"no\\\":\\\"such\\\"}\n3 3 {\"a\":1}\n");
    free(bodies);
    assert_told(&w.run, "\"event\":\"rule\",", true);
    assert_told(&w.run, "--answer 1 (status=404 do=empty) is met first by GET /2, HTTP 404", true);
    run_to_its_end(&w.run); /* it is done for a later session, too */
    assert_int_equal(server_count(w.server), 3);
    assert_int_equal(w.run.report.exit, EXIT_WELL);
    end(&w);
}

static void ok__makes_records__of_an_error_status(void **state)
{
    struct world w;
    size_t count;
    char *bodies;

    (void)state;
    begin(&w, "/[1-2]",
          (struct route[]){ { "GET /1 ", "300 Choices", "{\"a\":2}", 0, 0, "" },
                            { "GET /2 ", "200 OK", "plain", 0, 0, "" },
                            { 0 } });
    add(&w, "status=300 do=ok");
    add(&w, "body=text do=ok");
    w.run.csv = true;
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_WELL);
    assert_int_equal(w.run.report.rows, 1); /* a text is no row */
    bodies = stored(&w.run, &count);
    assert_string_equal(bodies, "1 1 {\"a\":2}\n2 2 plain\n");
    free(bodies);
    end(&w);
}

static struct server_answer answer_large(void *context, const struct server_asked *asked,
                                         unsigned number)
{
    struct server_answer *large = context;

    (void)asked;
    (void)number;
    return *large;
}

/* Of an error the head is kept; but all of it, when it is to be records. */
static void ok__has_the_whole_body__of_an_error_status(void **state)
{
    size_t len, count;
    char *bytes = large_answer(100000, true, &len), *bodies;
    struct server_answer large = { .bytes = bytes, .len = len, .then = SERVER_KEEP };
    struct server *server = server_start(answer_large, &large);
    struct err err;
    struct run r;

    (void)state;
    memcpy(bytes + strlen("HTTP/1.1 "), "404", 3);
    run_begin(&r, server_url(server, "/1"));
    assert_int_equal(job_add_answer(&r.job, STR("status=404 body=json do=ok"), &err), RESULT_OK);
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_WELL);
    bodies = stored(&r, &count);
    assert_true(strlen(bodies) > 100000);
    free(bodies);
    run_end(&r);
    server_stop(server);
    free(bytes);
}

static void retry__costs_tries__and_fails_when_they_are_used_up(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "/[1-2]",
          (struct route[]){ { "GET /1 ", "200 OK", "{\"state\":\"busy\"}", 2, 0, "" },
                            { "GET /2 ", "200 OK", "{\"state\":\"busy\"}", 0, 0, "" },
                            { 0 } });
    w.run.job.retry.attempts = 3;
    add(&w, "at=/state is=busy do=retry");
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.ok, 1);
    assert_int_equal(w.run.report.failed, 1);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(asked(&w, "GET /1 "), 3);
    assert_int_equal(asked(&w, "GET /2 "), 3);
    assert_int_equal(w.run.report.failures[0].why.class, FAILURE_RULE);
    assert_told(&w.run, "failed: HTTP 200, --answer 1: at=/state is=busy do=retry, all tries used",
                true);
    end(&w);
}

static void retry__waits_as_the_rule_says(void **state)
{
    struct world w;
    struct fast_clock fast;
    const struct snapshot *s;

    (void)state;
    begin(&w, "/1",
          (struct route[]){ { "GET /1 ", "422 No", "{\"wait\":\"90s\"}", 1, 0, "" }, { 0 } });
    w.run.clock = fast_clock(&fast, 1);
    add(&w, "status=422 do=retry wait=/wait");
    run_start(&w.run);
    until_asked(&w.run, w.server, 1);
    while ((s = look(&w.run))->wait_count == 0) {
        turn(&w.run);
    }
    assert_in_range(s->waits[0].due_in_us, 80 * US_PER_S, 91 * US_PER_S);
    pass(&w.run, 91 * US_PER_S);
    run_until_done(&w.run);
    run_close(&w.run);
    assert_int_equal(w.run.report.ok, 1);
    assert_int_equal(w.run.report.holds, 0); /* one request's wait, not its host's */
    end(&w);
}

static void hold__holds_the_host__as_a_429_does(void **state)
{
    struct world w;
    struct fast_clock fast;

    (void)state;
    begin(&w, "/[1-9]",
          (struct route[]){
              { "GET /1 ", "200 OK", "{\"error\":{\"code\":\"busy\",\"after\":1500}}", 1, 0, "" },
              { 0 } });
    w.run.clock = fast_clock(&fast, 50);
    w.run.job.pace.cap = 1;
    add(&w, "at=/error/code is=busy do=hold wait=/error/after unit=ms");
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.ok, 9);
    assert_int_equal(w.run.report.holds, 1);
    assert_int_equal(w.run.report.early_requests, 0);
    assert_in_range((uint64_t)(w.run.report.asked_s * 1000), 1400, 1700);
    assert_told(&w.run, "held", true);
    end(&w);
}

static void fail__is_final__at_once(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "/1", (struct route[]){ { "GET /1 ", "503 No", "", 0, 0, "" }, { 0 } });
    add(&w, "status=5xx do=fail");
    run_to_its_end(&w.run);
    assert_int_equal(server_count(w.server), 1);
    assert_int_equal(w.run.report.failed, 1);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    end(&w);
}

static void stop__leaves_all_that_is_not_settled__to_a_later_session(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "/[1-9]", (struct route[]){ { "GET /3 ", "402 Pay", "", 1, 0, "" }, { 0 } });
    w.run.job.pace.cap = 1;
    add(&w, "status=402 do=stop");
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_DRAINED);
    assert_int_equal(w.run.report.ok, 2);
    assert_int_equal(w.run.report.failed, 0);
    assert_string_equal(w.run.report.stopped_code, "E-ANS2");
    assert_non_null(strstr(w.run.report.stopped_by, "--answer 1: status=402 do=stop"));
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_WELL);
    assert_int_equal(w.run.report.ok, 9);
    end(&w);
}

static void login__stops_the_run__when_there_is_no_other_credential(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "/[1-9]",
          (struct route[]){ { "GET /2 ", "200 OK", "{\"e\":\"expired\"}", 1, 0, "" }, { 0 } });
    w.run.job.pace.cap = 1;
    add(&w, "at=/e is=expired do=login");
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_AUTH);
    assert_string_equal(w.run.report.stopped_code, "E-AUTH2");
    assert_int_equal(w.run.report.ok, 1);
    assert_int_equal(w.run.report.failed, 0);
    end(&w);
}

/* --- without a rule ------------------------------------------------------------------------------------------- */

static void limit__holds_the_host__when_only_the_body_tells(void **state)
{
    static const struct {
        const char *head, *body;
    } samples[] = {
        { "403 No", "{\"message\":\"You have exceeded a secondary rate limit\"}" },
        { "200 OK", "{\"data\":null,\"errors\":[{\"type\":\"RATE_LIMITED\"}]}" },
        { "200 OK\r\nRetry-After: 1", "{\"error\":{\"code\":\"maxlag\"}}" },
        { "429 No", "{\"retry_after\":1}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct world w;
        struct fast_clock fast;

        begin(&w, "/[1-5]",
              (struct route[]){ { "GET /1 ", samples[i].head, samples[i].body, 1, 0, "" }, { 0 } });
        w.run.clock = fast_clock(&fast, 50);
        w.run.job.pace.cap = 1;
        run_to_its_end(&w.run);
        if (w.run.report.ok != 5 || w.run.report.holds != 1 || w.run.report.attempts != 6) {
            fail_msg("%s %s: %llu ok, %llu holds", samples[i].head, samples[i].body,
                     (unsigned long long)w.run.report.ok, (unsigned long long)w.run.report.holds);
        }
        end(&w);
    }
}

static void limit__has_its_own_class__when_it_never_ends(void **state)
{
    struct world w;
    struct fast_clock fast;

    (void)state;
    begin(&w, "/1",
          (struct route[]){ { "GET /1 ", "200 OK", "{\"error\":\"ratelimited\"}", 0, 0, "" },
                            { 0 } });
    w.run.clock = fast_clock(&fast, 100);
    w.run.job.retry.attempts = 2;
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.failed, 1);
    assert_int_equal(w.run.report.failures[0].why.class, FAILURE_LIMIT);
    assert_told(&w.run, "a limit of requests was met", true);
    end(&w);
}

/* What a server says is shown, but no secret in it. */
static void reason__shows_no_secret__that_a_body_repeats(void **state)
{
    struct world w;
    struct fast_clock fast;
    struct err err;

    (void)state;
    begin(&w, "/1",
          (struct route[]){
              { "GET /1 ", "403 No", "{\"message\":\"rate limit of s3cret-t0ken met\"}", 0, 0, "" },
              { 0 } });
    w.run.clock = fast_clock(&fast, 100);
    w.run.job.retry.attempts = 2;
    assert_int_equal(job_add_header(&w.run.job, STR("X-Api-Key: s3cret-t0ken"), &err), RESULT_OK);
    run_to_its_end(&w.run);
    assert_told(&w.run, "rate limit of *** met", true);
    assert_told(&w.run, "s3cret-t0ken", false);
    end(&w);
}

static void page_in_html__has_its_own_class__and_one_retry(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "/[1-2]",
          (struct route[]){
              { "GET /1 ", "200 OK\r\nContent-Type: text/html", "<title>Log in</title>", 0, 0, "" },
              { "GET /2 ", "200 OK\r\nContent-Type: text/html", "<html>", 1, 0, "" },
              { 0 } });
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.ok, 1);
    assert_int_equal(asked(&w, "GET /1 "), 2);
    assert_int_equal(w.run.report.failures[0].why.class, FAILURE_WRONG_TYPE);
    assert_told(&w.run, "a page in HTML instead of JSON (--as html keeps it): \\\"Log in\\\"",
                true);
    end(&w);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty__settles_well__without_a_record),
        cmocka_unit_test(ok__makes_records__of_an_error_status),
        cmocka_unit_test(ok__has_the_whole_body__of_an_error_status),
        cmocka_unit_test(retry__costs_tries__and_fails_when_they_are_used_up),
        cmocka_unit_test(retry__waits_as_the_rule_says),
        cmocka_unit_test(hold__holds_the_host__as_a_429_does),
        cmocka_unit_test(fail__is_final__at_once),
        cmocka_unit_test(stop__leaves_all_that_is_not_settled__to_a_later_session),
        cmocka_unit_test(login__stops_the_run__when_there_is_no_other_credential),
        cmocka_unit_test(limit__holds_the_host__when_only_the_body_tells),
        cmocka_unit_test(limit__has_its_own_class__when_it_never_ends),
        cmocka_unit_test(reason__shows_no_secret__that_a_body_repeats),
        cmocka_unit_test(page_in_html__has_its_own_class__and_one_retry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
