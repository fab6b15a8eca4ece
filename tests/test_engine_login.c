/* Whole runs that log in: against the embedded API, and against a server that is told what to say. */
#include "demo/demo.h"
#include "job/auth/auth_kind.h"
#include "engine_fixture.h"
#include "job/job_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *text(const char *literal)
{
    return literal ? str_dup(str_view(literal)) : NULL;
}

static struct job_secret secret(const char *literal)
{
    return (struct job_secret){ text(literal), text(literal) };
}

/* --- against the embedded API ------------------------------------------------------------------- */

struct api {
    struct run run;
    struct demo *demo;
    char log_path[160];
    char base[64];
};

static void api_begin(struct api *a, const char *path, struct demo_options options)
{
    char pattern[160];

    a->demo = NULL;
    run_begin(&a->run, "http://unset.invalid/");
    snprintf(a->log_path, sizeof a->log_path, "%s/access.log", a->run.temp.base);
    options.log_path = a->log_path;
    assert_int_equal(demo_start(&a->demo, &options, NULL), RESULT_OK);
    snprintf(a->base, sizeof a->base, "http://127.0.0.1:%u", (unsigned)demo_port(a->demo));
    snprintf(pattern, sizeof pattern, "%s%s", a->base, path);
    free(a->run.job.endpoints[0].sources[0].text);
    a->run.job.endpoints[0].sources[0].text = text(pattern);
}

static void api_end(struct api *a)
{
    run_end(&a->run);
    demo_stop(a->demo);
}

static char *url_at(const struct api *a, const char *path)
{
    char url[160];

    snprintf(url, sizeof url, "%s%s", a->base, path);
    return text(url);
}

static void log_in_by_call(struct api *a, const char *password)
{
    char body[128];

    job_login_release(&a->run.job.login); /* of a session before */
    snprintf(body, sizeof body, "{\"email\":\"demo@example.com\",\"password\":\"%s\"}", password);
    a->run.job.login = (struct job_login){ .kind = &auth_call,
                                           .url = url_at(a, "/api/auth/login"),
                                           .method = text("POST"),
                                           .body = secret(body),
                                           .token = text("/access_token") };
}

/* Lines of the access log that hold the text. */
static unsigned logged(const struct api *a, const char *part)
{
    FILE *log = fopen(a->log_path, "r");
    char line[1024];
    unsigned count = 0;

    assert_non_null(log);
    while (fgets(line, sizeof line, log)) {
        count += strstr(line, part) != NULL;
    }
    fclose(log);
    return count;
}

static void token__is_renewed_once__for_two_hundred_in_flight(void **state)
{
    struct api a;
    char told[160];

    (void)state;
    api_begin(&a, "/private/token/posts/[1-200]", (struct demo_options){ .token_uses = 50 });
    log_in_by_call(&a, "demo");
    a.run.job.pace.cap = 200;
    run_to_its_end(&a.run);
    assert_int_equal(a.run.report.exit, EXIT_WELL);
    assert_int_equal(a.run.report.ok, 200);
    assert_int_equal(a.run.report.retried, 0); /* none of them lost a try */
    assert_int_equal(logged(&a, " 200 GET "), 200);
    assert_int_equal(logged(&a, " 200 POST /api/auth/login "), 4); /* 4 times 50 uses */
    snprintf(told, sizeof told, "%s: logged in", a.base + strlen("http://"));
    assert_told(&a.run, told, true);
    assert_int_equal(stored_count(&a.run), 200);
    api_end(&a);
}

static void token__is_asked_for_again__by_the_next_session(void **state)
{
    struct api a;

    (void)state;
    api_begin(&a, "/private/token/posts/[1-3]", (struct demo_options){ .token_uses = 0 });
    log_in_by_call(&a, "wrong");
    run_to_its_end(&a.run);
    assert_int_equal(a.run.report.exit, EXIT_AUTH);
    assert_non_null(strstr(a.run.report.stopped_by, "127.0.0.1:"));
    assert_non_null(strstr(a.run.report.stopped_by, ": the login failed: HTTP 401"));
    assert_told(&a.run, a.run.report.stopped_by, true);
    assert_string_equal(a.run.report.stopped_code, "E-AUTH2");
    assert_int_equal(a.run.report.pending, 3);
    assert_int_equal(logged(&a, " GET "), 0); /* nothing was asked without a token */
    assert_int_equal(logged(&a, " POST "), 1);
    log_in_by_call(&a, "demo");
    run_to_its_end(&a.run);
    assert_int_equal(a.run.report.exit, EXIT_WELL);
    assert_int_equal(a.run.report.ok, 3);
    api_end(&a);
}

static void every_kind__opens__what_it_is_for(void **state)
{
    static const struct {
        const char *path;
        struct job_login login;
    } cases[] = {
        { "/private/token/posts/[1-20]",
          { .kind = &auth_bearer, .secret = { NULL, (char *)(uintptr_t) "demo-token" } } },
        { "/private/basic/posts/[1-20]",
          { .kind = &auth_basic,
            .user = { NULL, (char *)(uintptr_t) "demo" },
            .secret = { NULL, (char *)(uintptr_t) "demo" } } },
        { "/private/key/posts/[1-20]",
          { .kind = &auth_key,
            .name = (char *)(uintptr_t) "X-Api-Key",
            .secret = { NULL, (char *)(uintptr_t) "demo-key" } } },
        { "/private/key/posts/[1-20]",
          { .kind = &auth_key,
            .name = (char *)(uintptr_t) "api_key",
            .in_query = true,
            .secret = { NULL, (char *)(uintptr_t) "demo-key" } } },
        { "/private/token/posts/[1-20]",
          { .kind = &auth_oauth2,
            .user = { NULL, (char *)(uintptr_t) "demo-client" },
            .secret = { NULL, (char *)(uintptr_t) "demo-secret" } } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct job_login *given = &cases[i].login;
        struct api a;

        api_begin(&a, cases[i].path, (struct demo_options){ .seed = 1 });
        a.run.job.login = (struct job_login){ .kind = given->kind,
                                              .url = url_at(&a, "/oauth/token"),
                                              .name = text(given->name),
                                              .in_query = given->in_query,
                                              .user = secret(given->user.sent),
                                              .secret = secret(given->secret.sent) };
        run_to_its_end(&a.run);
        assert_int_equal(a.run.report.exit, EXIT_WELL);
        assert_int_equal(stored_count(&a.run), 20);
        assert_int_equal(logged(&a, " 401 "), 0);
        api_end(&a);
    }
}

static void wrong_credential__ends_the_run__before_many_have_asked_with_it(void **state)
{
    struct api a;

    (void)state;
    api_begin(&a, "/private/key/posts/[1-1000]", (struct demo_options){ .seed = 1 });
    a.run.job.login = (struct job_login){ .kind = &auth_key,
                                          .name = text("X-Api-Key"),
                                          .secret = secret("not-the-key") };
    run_to_its_end(&a.run);
    assert_int_equal(a.run.report.exit, EXIT_AUTH);
    assert_true(logged(&a, " 401 ") < 20);
    api_end(&a);
}

/* --- against a server that is told what to say -------------------------------------------------- */

#define TOKEN_JSON(token)                                                                          \
    SERVER_ANSWER("HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n{\"access_token\":\"" token "\"}", \
                  SERVER_KEEP)

static bool is_login(const struct server_asked *asked)
{
    return strncmp(asked->head, "POST /login ", 12) == 0;
}

static void log_in_at(struct run *r, const struct server *server)
{
    r->job.login = (struct job_login){ .kind = &auth_call,
                                       .url = text(server_url(server, "/login")),
                                       .method = text("POST"),
                                       .body = secret("{\"pw\":\"pa55word\"}"),
                                       .token = text("/access_token") };
}

static unsigned count_logins(struct server *server)
{
    unsigned logins = 0;

    for (unsigned i = 0; i < server_count(server); i++) {
        const struct server_asked asked = server_asked_at(server, i);

        logins += is_login(&asked);
    }
    return logins;
}

/* Tokens are given gladly and never accepted. */
static struct server_answer refuse_all(void *context, const struct server_asked *asked,
                                       unsigned number)
{
    (void)context;
    (void)number;
    return is_login(asked) ? TOKEN_JSON("t0ken-07") : EMPTY_ANSWER("401 Unauthorized");
}

static void fresh_tokens__end_the_run__when_they_are_refused(void **state)
{
    struct server *server = server_start(refuse_all, NULL);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-100]"));
    log_in_at(&r, server);
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_AUTH);
    assert_non_null(strstr(r.report.stopped_by, ": fresh tokens are refused (HTTP 401)"));
    assert_int_equal(r.report.failed, 0);
    assert_int_equal(r.report.pending, 100);
    assert_int_equal(count_logins(server), 3);
    assert_int_equal(r.report.logins, 3);
    run_end(&r);
    server_stop(server);
}

/* All but number 7 are accepted with any token. */
static struct server_answer refuse_seven(void *context, const struct server_asked *asked,
                                         unsigned number)
{
    (void)context;
    (void)number;
    if (is_login(asked)) {
        return TOKEN_JSON("t0ken-07");
    }
    return asked_number(asked) == 7 ? EMPTY_ANSWER("401 Unauthorized") : USUAL;
}

static void refused_alone__fails__and_the_others_go_on(void **state)
{
    struct server *server = server_start(refuse_seven, NULL);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-50]"));
    log_in_at(&r, server);
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_INCOMPLETE);
    assert_int_equal(r.report.ok, 49);
    assert_int_equal(r.report.failed, 1);
    assert_failure(r.report.failures[0].why, "HTTP 401");
    run_end(&r);
    server_stop(server);
}

static struct server_answer lead_away(void *context, const struct server_asked *asked,
                                      unsigned number)
{
    const char *answer = context;

    (void)number;
    return is_login(asked) ? TOKEN_JSON("t0ken-07")
                           : (struct server_answer){ answer, strlen(answer), 0, SERVER_KEEP };
}

static void token__goes_nowhere__but_to_its_origin(void **state)
{
    struct script usual = { .usual = USUAL };
    struct server *other = server_start(play, &usual), *server;
    char answer[256];
    struct run r;

    (void)state;
    snprintf(answer, sizeof answer,
             "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
             server_url(other, "/elsewhere"));
    server = server_start(lead_away, answer);
    run_begin(&r, server_url(server, "/start"));
    log_in_at(&r, server);
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_WELL);
    assert_non_null(
        strstr(server_asked_at(server, 1).head, "\r\nAuthorization: Bearer t0ken-07\r\n"));
    assert_int_equal(server_count(other), 1);
    assert_null(strstr(server_asked_at(other, 0).head, "t0ken-07"));
    assert_null(strstr(server_asked_at(other, 0).head, "Authorization"));
    run_end(&r);
    server_stop(server);
    server_stop(other);
}

static void second_origin__is_asked_without__and_does_not_wait(void **state)
{
    struct script usual = { .usual = USUAL };
    struct server *other = server_start(play, &usual);
    struct server *server = server_start(refuse_all, NULL);
    struct run r;

    (void)state;
    run_begin(&r, server_url(other, "/[1-9]"));
    r.job.base = text(server_url(server, ""));
    log_in_at(&r, server);
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_WELL);
    assert_int_equal(server_count(server), 0); /* nobody had a use for a token */
    assert_null(strstr(server_asked_at(other, 0).head, "Authorization"));
    run_end(&r);
    server_stop(server);
    server_stop(other);
}

static struct server_answer stumble(void *context, const struct server_asked *asked,
                                    unsigned number)
{
    (void)context;
    if (!is_login(asked)) {
        return USUAL;
    }
    return number == 0   ? EMPTY_ANSWER("503 Busy")
           : number == 1 ? SERVER_ANSWER("", SERVER_CLOSE)
                         : TOKEN_JSON("t0ken-07");
}

static void login__is_tried_again__when_the_server_stumbles(void **state)
{
    struct server *server = server_start(stumble, NULL);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-5]"));
    log_in_at(&r, server);
    run_to_its_end(&r);
    assert_int_equal(r.report.exit, EXIT_WELL);
    assert_int_equal(count_logins(server), 3);
    assert_int_equal(server_count(server), 8);
    assert_non_null(strstr(server_asked_at(server, 0).head, "\r\n\r\n{\"pw\":\"pa55word\"}"));
    run_end(&r);
    server_stop(server);
}

static struct server_answer hang_login(void *context, const struct server_asked *asked,
                                       unsigned number)
{
    (void)context;
    (void)number;
    return is_login(asked) ? SERVER_ANSWER("", SERVER_HANG) : USUAL;
}

static void requests__wait_as_auth__while_the_login_is_under_way(void **state)
{
    struct server *server = server_start(hang_login, NULL);
    const struct snapshot *s;
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/[1-5]"));
    log_in_at(&r, server);
    run_start(&r);
    until_asked(&r, server, 1);
    s = look(&r);
    assert_int_equal(s->state, RUN_AUTH);
    assert_int_equal(s->limit.kind, LIMIT_AUTH);
    assert_int_equal(s->queued, 5);
    assert_true(s->login.is_used && s->login.is_asking);
    assert_true(s->login.is_called);
    assert_false(s->login.has_token || s->login.expiry_known || s->login.is_lost);
    assert_int_equal(s->flight_count, 1);
    assert_string_equal(s->flights[0].request, "POST /login");
    tell(&r, CONTROL_DRAIN, 0);
    run_until_done(&r); /* the login is of no more use, so nobody waits for it */
    run_close(&r);
    assert_int_equal(r.report.exit, EXIT_DRAINED);
    assert_int_equal(r.report.pending, 5);
    run_end(&r);
    server_stop(server);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token__is_renewed_once__for_two_hundred_in_flight),
        cmocka_unit_test(token__is_asked_for_again__by_the_next_session),
        cmocka_unit_test(every_kind__opens__what_it_is_for),
        cmocka_unit_test(wrong_credential__ends_the_run__before_many_have_asked_with_it),
        cmocka_unit_test(fresh_tokens__end_the_run__when_they_are_refused),
        cmocka_unit_test(refused_alone__fails__and_the_others_go_on),
        cmocka_unit_test(token__goes_nowhere__but_to_its_origin),
        cmocka_unit_test(second_origin__is_asked_without__and_does_not_wait),
        cmocka_unit_test(login__is_tried_again__when_the_server_stumbles),
        cmocka_unit_test(requests__wait_as_auth__while_the_login_is_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
