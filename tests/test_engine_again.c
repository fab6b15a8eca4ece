/* Answers that say "not ready": a rule's "again", and 202 Accepted without a rule. */
#include "answers_fixture.h"
#include "engine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- again: submit, poll, download -------------------------------------------------------------------------- */

static void again__asks_where_the_answer_says__until_it_is_ready(void **state)
{
    struct world w;
    struct fast_clock fast;
    size_t count;
    char *bodies;

    (void)state;
    begin(&w, "/reports",
          (struct route[]){ { "POST /reports ",
                              "202 Accepted\r\nLocation: /jobs/7\r\nRetry-After: 1", "", 0, 0, "" },
                            { "GET /jobs/7 ", "200 OK", "{\"state\":\"running\"}", 2, 0, "" },
                            { "GET /jobs/7 ", "200 OK",
                              "{\"state\":\"done\",\"url\":\"/files/7?x=1\"}", 0, 0, "" },
                            { "GET /files/7?x=1 ", "200 OK", "{\"rows\":[1,2]}", 0, 0, "" },
                            { 0 } });
    w.run.clock = fast_clock(&fast, 20);
    free(w.run.job.endpoints[0].method);
    w.run.job.endpoints[0].method = strdup("POST");
    w.run.job.endpoints[0].body = strdup("{\"from\":1}");
    add(&w, "status=202 do=again url=header:Location wait=header:Retry-After then=/url");
    add(&w, "at=/state is=running do=again wait=2s");
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_WELL);
    assert_int_equal(asked(&w, "POST /reports "), 1);
    assert_int_equal(asked(&w, "GET /jobs/7 "), 3);
    assert_int_equal(asked(&w, "GET /files/7?x=1 "), 1);
    assert_int_equal(w.run.report.attempts, 5);
    assert_int_equal(w.run.report.retried, 0); /* no try was used up */
    assert_null(strstr(server_asked_at(w.server, 1).head, "{\"from\":1}"));
    bodies = stored(&w.run, &count);
    assert_non_null(strstr(bodies, "{\"rows\":[1,2]}"));
    free(bodies);
    assert_int_equal(w.run.job.answers.count, 2);
    end(&w);
}

static void again__goes_on_where_it_was__after_a_restart(void **state)
{
    struct world w;
    struct fast_clock fast;
    const struct snapshot *s;

    (void)state;
    begin(
        &w, "/reports/[1-2]",
        (struct route[]){ { "GET /reports/1 ", "202 Accepted\r\nLocation: /jobs/7", "", 0, 0, "" },
                          { "GET /jobs/7 ", "202 Accepted\r\nRetry-After: 3600", "", 1, 0, "" },
                          { 0 } });
    w.run.clock = fast_clock(&fast, 1);
    w.run.job.retry.max_wait_us = 7200 * US_PER_S;
    run_start(&w.run);
    until_asked(&w.run, w.server, 3);
    while ((s = look(&w.run))->wait_count == 0 || s->ok < 1 || s->storing ||
           s->waits[0].due_in_us < 1000 * US_PER_S) {
        turn(&w.run);
    }
    assert_int_equal(s->waits[0].due.by, DUE_NOT_READY);
    assert_non_null(strstr(s->waits[0].due.said, "asked 2 times"));
    run_close(&w.run); /* it is killed: nothing is said at the end */
    w.run.skew_us += 3601 * US_PER_S;
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.ok, 2);
    assert_int_equal(asked(&w, "GET /reports/1 "), 1);
    assert_int_equal(asked(&w, "GET /jobs/7 "), 2);
    end(&w);
}

static void again__fails__when_its_time_is_over(void **state)
{
    struct world w;
    struct fast_clock fast;

    (void)state;
    begin(&w, "/[1-2]",
          (struct route[]){ { "GET /1 ", "200 OK", "{\"state\":\"running\"}", 0, 0, "" }, { 0 } });
    w.run.clock = fast_clock(&fast, 100);
    add(&w, "at=/state is=running do=again wait=1s for=5s");
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(w.run.report.failed, 1);
    assert_int_equal(w.run.report.failures[0].why.class, FAILURE_NOT_READY);
    assert_in_range(asked(&w, "GET /1 "), 2, 6);
    assert_told(&w.run, "not ready within 5.0s", true);
    end(&w);
}

/* Rules of redirects hold for it: no credential goes elsewhere. */
static void again__carries_no_credential__to_another_origin(void **state)
{
    struct world w, other;
    char location[160];
    struct err err;

    (void)state;
    begin(&other, "/unused", (struct route[]){ { 0 } });
    snprintf(location, sizeof location, "202 Accepted\r\nLocation: %s",
             server_url(other.server, "/jobs/1"));
    begin(&w, "/1", (struct route[]){ { "GET /1 ", location, "", 0, 0, "" }, { 0 } });
    assert_int_equal(job_add_header(&w.run.job, STR("Authorization: Bearer s3cret-t0ken"), &err),
                     RESULT_OK);
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.ok, 1);
    assert_non_null(strstr(server_asked_at(w.server, 0).head, "s3cret-t0ken"));
    assert_int_equal(server_count(other.server), 1);
    assert_null(strstr(server_asked_at(other.server, 0).head, "s3cret-t0ken"));
    end(&w);
    end(&other);
}

/* A credential that the answer puts into the URL is asked with, and stands in no file. */
static void again__keeps_no_credential__of_a_url(void **state)
{
    struct world w;
    struct fast_clock fast;
    char command[512];
    const struct snapshot *s;

    (void)state;
    begin(&w, "/1",
          (struct route[]){ { "GET /1 ",
                              "202 Accepted\r\nLocation: /jobs/1?access_token=s3cret-t0ken", "", 1,
                              0, "" },
                            { "GET /jobs/1?access_token=s3cret-t0ken ",
                              "202 Accepted\r\nRetry-After: 100", "", 1, 0, "" },
                            { 0 } });
    w.run.clock = fast_clock(&fast, 1);
    run_start(&w.run);
    until_asked(&w.run, w.server, 2);
    while ((s = look(&w.run))->wait_count == 0 || s->storing) {
        turn(&w.run);
    }
    run_close(&w.run);
    snprintf(command, sizeof command, "grep -rq s3cret-t0ken %s", w.run.temp.run);
    assert_int_not_equal(system(command), 0);
    w.run.skew_us += 200 * US_PER_S;
    run_to_its_end(&w.run); /* begins anew: where it was is not known */
    assert_int_equal(w.run.report.ok, 1);
    assert_int_equal(asked(&w, "GET /1 "), 2);
    end(&w);
}

/* --- without a rule ------------------------------------------------------------------------------------------- */

static void accepted__is_asked_again__when_it_says_when(void **state)
{
    struct world w;
    struct fast_clock fast;
    size_t count;
    char *bodies;

    (void)state;
    begin(
        &w, "/[1-2]",
        (struct route[]){ { "GET /1 ", "202 Accepted\r\nRetry-After: 1", "{}", 2, 0, "" }, { 0 } });
    w.run.clock = fast_clock(&fast, 50);
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.ok, 2);
    assert_int_equal(asked(&w, "GET /1 "), 3);
    assert_int_equal(w.run.report.retried, 0);
    bodies = stored(&w.run, &count);
    assert_string_equal(bodies, "1 1 {\"a\":1}\n2 2 {\"a\":1}\n");
    free(bodies);
    end(&w);
}

static void accepted__is_followed_to_its_result__without_a_rule(void **state)
{
    struct world w;
    struct fast_clock fast;
    size_t count;
    char *bodies;

    (void)state;
    begin(&w, "/1",
          (struct route[]){
              { "POST /1 ", "202 Accepted\r\nOperation-Location: ops/7", "{\"id\":7}", 0, 0, "" },
              { "GET /ops/7 ", "200 OK", "{\"status\":\"Running\"}", 2, 0, "" },
              { "GET /ops/7 ", "303 See Other\r\nLocation: /files/7", "", 0, 0, "" },
              { 0 } });
    w.run.clock = fast_clock(&fast, 20);
    free(w.run.job.endpoints[0].method);
    w.run.job.endpoints[0].method = strdup("POST");
    w.run.job.endpoints[0].body = strdup("{}");
    run_to_its_end(&w.run);
    assert_int_equal(w.run.report.exit, EXIT_WELL);
    assert_int_equal(asked(&w, "POST /1 "), 1);
    assert_int_equal(asked(&w, "GET /ops/7 "), 3);
    assert_int_equal(asked(&w, "GET /files/7 "), 1);
    bodies = stored(&w.run, &count);
    assert_string_equal(bodies, "1 1 {\"a\":1}\n");
    free(bodies);
    end(&w);
}

static void accepted__fails__when_a_post_has_nowhere_to_ask(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "/1",
          (struct route[]){ { "POST /1 ", "202 Accepted\r\nRetry-After: 1", "{}", 0, 0, "" },
                            { 0 } });
    free(w.run.job.endpoints[0].method);
    w.run.job.endpoints[0].method = strdup("POST");
    run_to_its_end(&w.run);
    assert_int_equal(server_count(w.server), 1);
    assert_int_equal(w.run.report.failed, 1);
    assert_told(&w.run, "nothing says where the result will be", true);
    end(&w);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(again__asks_where_the_answer_says__until_it_is_ready),
        cmocka_unit_test(again__goes_on_where_it_was__after_a_restart),
        cmocka_unit_test(again__fails__when_its_time_is_over),
        cmocka_unit_test(again__carries_no_credential__to_another_origin),
        cmocka_unit_test(again__keeps_no_credential__of_a_url),
        cmocka_unit_test(accepted__is_asked_again__when_it_says_when),
        cmocka_unit_test(accepted__is_followed_to_its_result__without_a_rule),
        cmocka_unit_test(accepted__fails__when_a_post_has_nowhere_to_ask),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
