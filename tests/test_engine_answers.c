/* Whole runs by rules for answers, and what answers mean without one. */
#include "engine_fixture.h"
#include "plan/ban.h"
#include "plan/same_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUTES_MAX 12

/* What is answered to requests that begin so ("GET /stats/1 "): the first `times` of them (0: all that come
 * this far down). */
struct route {
    const char *begins, *head, *body;
    unsigned times;
    unsigned asked; /* filled in */
    char answer[ANSWER_MAX];
};

struct world {
    struct server *server;
    struct run run;
    struct route routes[ROUTES_MAX];
};

static struct server_answer answer(void *context, const struct server_asked *asked, unsigned number)
{
    struct world *w = context;

    (void)number;
    for (struct route *r = w->routes; r->begins; r++) {
        if (strncmp(asked->head, r->begins, strlen(r->begins)) == 0 &&
            (!r->times || r->asked < r->times)) {
            r->asked++;
            return compose(r->answer, r->head, r->body);
        }
    }
    return USUAL;
}

static void begin(struct world *w, const char *pattern, const struct route *routes)
{
    memset(w, 0, sizeof *w);
    for (size_t i = 0; routes[i].begins; i++) {
        assert_true(i < ROUTES_MAX - 1);
        w->routes[i] = routes[i];
    }
    w->server = server_start(answer, w);
    run_begin(&w->run, server_url(w->server, pattern));
}

static void add(struct world *w, const char *rule)
{
    struct err err;

    if (job_add_answer(&w->run.job, str_view(rule), &err) != RESULT_OK) {
        fail_msg("%s: %s", rule, err.text);
    }
}

static void end(struct world *w)
{
    run_end(&w->run);
    server_stop(w->server);
}

static unsigned asked(struct world *w, const char *begins)
{
    unsigned count = 0;

    for (unsigned i = 0; i < server_count(w->server); i++) {
        count += strncmp(server_asked_at(w->server, i).head, begins, strlen(begins)) == 0;
    }
    return count;
}

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

/* --- the same for all ------------------------------------------------------------------------------------------- */

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

static void host__is_held_and_named__when_it_refuses_after_it_went_well(void **state)
{
    static const unsigned times[] = { 14, 0, 14 };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct ban_script script = { .after = 50, .times = times[i], .is_moved = i == 2 };
        struct server *server = server_start(ban, &script);
        struct fast_clock fast;
        struct run r;

        run_begin(&r, server_url(server, "/[1-400]"));
        r.clock = fast_clock(&fast, 50);
        r.job.pace.cap = 4;
        run_to_its_end(&r);
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
    struct fast_clock fast;
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-400]"));
    r.clock = fast_clock(&fast, 50);
    r.job.pace.cap = 4;
    run_to_its_end(&r);
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
    struct fast_clock fast;
    struct run r;

    (void)state;
    snprintf(url, sizeof url, "http://127.0.0.1:{%s,%s}/[1-90]",
             strrchr(server_url(second, ""), ':') + 1, strrchr(server_url(first, ""), ':') + 1);
    run_begin(&r, url);
    r.clock = fast_clock(&fast, 50);
    r.job.pace.cap_per_host = 3;
    r.job.pace.cap = 6;
    run_to_its_end(&r);
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
    assert_in_range(r.report.failed, SAME_ANSWER_STOP_AT, SAME_ANSWER_STOP_AT + 3);
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
        cmocka_unit_test(empty__settles_well__without_a_record),
        cmocka_unit_test(ok__makes_records__of_an_error_status),
        cmocka_unit_test(ok__has_the_whole_body__of_an_error_status),
        cmocka_unit_test(retry__costs_tries__and_fails_when_they_are_used_up),
        cmocka_unit_test(retry__waits_as_the_rule_says),
        cmocka_unit_test(hold__holds_the_host__as_a_429_does),
        cmocka_unit_test(fail__is_final__at_once),
        cmocka_unit_test(stop__leaves_all_that_is_not_settled__to_a_later_session),
        cmocka_unit_test(login__stops_the_run__when_there_is_no_other_credential),
        cmocka_unit_test(again__asks_where_the_answer_says__until_it_is_ready),
        cmocka_unit_test(again__goes_on_where_it_was__after_a_restart),
        cmocka_unit_test(again__fails__when_its_time_is_over),
        cmocka_unit_test(again__carries_no_credential__to_another_origin),
        cmocka_unit_test(again__keeps_no_credential__of_a_url),
        cmocka_unit_test(accepted__is_asked_again__when_it_says_when),
        cmocka_unit_test(accepted__is_followed_to_its_result__without_a_rule),
        cmocka_unit_test(accepted__fails__when_a_post_has_nowhere_to_ask),
        cmocka_unit_test(limit__holds_the_host__when_only_the_body_tells),
        cmocka_unit_test(limit__has_its_own_class__when_it_never_ends),
        cmocka_unit_test(reason__shows_no_secret__that_a_body_repeats),
        cmocka_unit_test(page_in_html__has_its_own_class__and_one_retry),
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
