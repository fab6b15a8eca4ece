/* The rules of tokens: told the time, against answers that are made up. */
#include "engine/auth.h"
#include "job/auth/auth_kind.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOGIN_ENDPOINT 1

struct play {
    struct job job;
    struct job_endpoint endpoint;
    struct auth auth;
    struct response *response;
    uint64_t now_us;
    char why[AUTH_WHY_MAX];
    struct fetch_extra extra; /* of the last start */
};

/* Texts are literals here, so nothing of the job is to be released. */
static void begin(struct play *p, struct job_login login)
{
    *p = (struct play){ .now_us = 1000 * US_PER_S };
    job_init(&p->job);
    p->job.login = login;
    p->job.base = (char *)(uintptr_t) "https://api.test";
    p->job.retry.backoff_base_us = p->job.retry.backoff_cap_us = 4 * US_PER_S;
    p->response = response_new();
    assert_non_null(p->response);
    assert_int_equal(auth_init(&p->auth, &p->job, NULL), RESULT_OK);
}

static void end(struct play *p)
{
    auth_release(&p->auth);
    response_free(p->response);
}

#define TEXT(literal) ((char *)(uintptr_t)(literal))
#define SECRET(literal) ((struct job_secret){ TEXT(literal), TEXT(literal) })
#define CALL                                                                                       \
    ((struct job_login){ .kind = &auth_call,                                                       \
                         .url = TEXT("https://api.test/login"),                                    \
                         .body = SECRET("{\"password\":\"pw\"}"),                                  \
                         .token = TEXT("/data/token") })
#define OAUTH                                                                                      \
    ((struct job_login){ .kind = &auth_oauth2,                                                     \
                         .url = TEXT("https://id.test/token"),                                     \
                         .user = SECRET("me & you"),                                               \
                         .secret = SECRET("s3cret"),                                               \
                         .scope = TEXT("read write") })

static struct request *ask(struct play *p)
{
    assert_true(auth_should_ask(&p->auth, p->now_us));
    return auth_ask(&p->auth, LOGIN_ENDPOINT, p->now_us, &p->extra);
}

static enum auth_news answer(struct play *p, enum outcome outcome, int status, const char *body)
{
    struct response *r = p->response;

    response_reset(r);
    r->outcome = outcome;
    r->status = status;
    r->sent = true;
    snprintf(r->reason, sizeof r->reason, "HTTP %d", status);
    assert_int_equal(buf_append_str(&r->body, str_view(body)), RESULT_OK);
    return auth_answered(&p->auth, r, p->now_us, 0, 0, p->why);
}

/* A login that goes well. */
static void log_in(struct play *p, const char *body)
{
    request_free(ask(p));
    assert_int_equal(answer(p, OUTCOME_OK, 200, body), AUTH_TOKEN);
}

/* The header line that a request would carry now; NULL for none. */
static const char *carried(struct play *p, struct request *request)
{
    static char line[256];
    struct fetch_extra extra = { .query = STR_NONE };

    auth_carry(&p->auth, request, &extra);
    snprintf(line, sizeof line, "%.*s", STR_ARG(extra.headers[0]));
    return extra.headers[0].len ? line : NULL;
}

static void expect_carried(struct play *p, const char *line)
{
    struct request *request = request_new(1, 0, STR("k"), STR("https://api.test/1"));

    assert_string_equal(carried(p, request), line);
    request_free(request);
}

/* --- known from the start --------------------------------------------------------------------- */

static void fixed__is_carried__in_each_of_its_forms(void **state)
{
    static const struct {
        struct job_login login;
        const char *header, *query;
    } cases[] = {
        { { .kind = &auth_bearer, .secret = { NULL, TEXT("t0k") } },
          "Authorization: Bearer t0k",
          "" },
        { { .kind = &auth_bearer,
            .secret = { NULL, TEXT("t0k") },
            .send = TEXT("X-Auth: token={token};") },
          "X-Auth: token=t0k;",
          "" },
        { { .kind = &auth_basic,
            .user = { NULL, TEXT("Aladdin") },
            .secret = { NULL, TEXT("open sesame") } },
          "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", /* RFC 7617 section 2 */
          "" },
        { { .kind = &auth_digest,
            .user = { NULL, TEXT("Aladdin") },
            .secret = { NULL, TEXT("open sesame") } },
          "", /* it is sent when it is asked for */
          "" },
        { { .kind = &auth_key, .secret = { NULL, TEXT("k3y") }, .name = TEXT("X-Api-Key") },
          "X-Api-Key: k3y",
          "" },
        { { .kind = &auth_key,
            .secret = { NULL, TEXT("a&b=c d/+\xC3\xA9") },
            .name = TEXT("api_key"),
            .in_query = true },
          "",
          "api_key=a%26b%3Dc%20d%2F%2B%C3%A9" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request *request = request_new(1, 0, STR("k"), STR("https://api.test/1"));
        struct fetch_extra extra = { .query = STR_NONE };
        struct play p;

        begin(&p, cases[i].login);
        assert_false(auth_is_awaited(&p.auth, p.now_us));
        assert_false(auth_should_ask(&p.auth, p.now_us));
        auth_carry(&p.auth, request, &extra);
        assert_true(str_equal(extra.headers[0], str_view(cases[i].header)));
        assert_true(str_equal(extra.query, str_view(cases[i].query)));
        assert_true(str_equal(extra.digest, cases[i].login.kind == &auth_digest
                                                ? STR("Aladdin:open sesame")
                                                : STR_NONE));
        request_free(request);
        end(&p);
    }
}

static void origin__is_that_of_base__or_of_the_first_url(void **state)
{
    struct job_source source = { JOB_SOURCE_PATTERN, TEXT("http://one.test/[1-9]") };
    struct play p;

    (void)state;
    begin(&p, CALL);
    assert_true(auth_is_for(&p.auth, "https://api.test:443"));
    assert_false(auth_is_for(&p.auth, "http://api.test:80"));
    auth_release(&p.auth);
    p.job.base = NULL;
    assert_int_equal(auth_init(&p.auth, &p.job, NULL), RESULT_INVALID);
    p.endpoint.sources = &source;
    p.endpoint.source_count = 1;
    p.job.endpoints = &p.endpoint;
    p.job.endpoint_count = 1;
    assert_int_equal(auth_init(&p.auth, &p.job, NULL), RESULT_OK);
    assert_true(auth_is_for(&p.auth, "http://one.test:80"));
    auth_release(&p.auth);
    source.text = TEXT("http://{one,two}.test/1");
    assert_int_equal(auth_init(&p.auth, &p.job, NULL), RESULT_INVALID);
    source.text = TEXT("http://h[1-3].test/1");
    assert_int_equal(auth_init(&p.auth, &p.job, NULL), RESULT_INVALID);
    end(&p);
}

/* --- asked for ------------------------------------------------------------------------------------ */

static void call__brings_a_token__found_by_its_pointer(void **state)
{
    struct request *request;
    struct play p;

    (void)state;
    begin(&p, CALL);
    assert_true(auth_is_awaited(&p.auth, p.now_us));
    request = ask(&p);
    assert_int_equal(request->id, 0);
    assert_int_equal(request->endpoint, LOGIN_ENDPOINT);
    assert_string_equal(request->url.data, "https://api.test/login");
    assert_string_equal(request->body.data, "{\"password\":\"pw\"}");
    request_free(request);
    assert_false(auth_should_ask(&p.auth, p.now_us)); /* one at a time */
    assert_int_equal(answer(&p, OUTCOME_OK, 200, "{\"data\":{\"token\":\"a\\u0062c\"}}"),
                     AUTH_TOKEN);
    assert_false(auth_is_awaited(&p.auth, p.now_us));
    assert_int_equal(auth_wake_us(&p.auth), TIME_NEVER); /* nothing was said of its end */
    expect_carried(&p, "Authorization: Bearer abc");
    end(&p);
}

static void token__is_asked_anew__before_it_ends_and_used_meanwhile(void **state)
{
    struct play p;
    uint64_t from_us;

    (void)state;
    begin(&p, CALL);
    from_us = p.now_us;
    log_in(&p, "{\"data\":{\"token\":\"one\"},\"expires_in\":100}");
    p.now_us = from_us + 90 * US_PER_S - 1;
    assert_false(auth_should_ask(&p.auth, p.now_us));
    p.now_us++;
    assert_true(auth_should_ask(&p.auth, p.now_us));
    request_free(ask(&p));
    assert_false(auth_is_awaited(&p.auth, p.now_us));
    expect_carried(&p, "Authorization: Bearer one");
    p.now_us = from_us + 100 * US_PER_S; /* the answer takes too long */
    assert_true(auth_is_awaited(&p.auth, p.now_us));
    assert_int_equal(
        answer(&p, OUTCOME_OK, 200, "{\"data\":{\"token\":\"two\"},\"expires_in\":\"3600.5\"}"),
        AUTH_TOKEN);
    assert_false(auth_is_awaited(&p.auth, p.now_us));
    expect_carried(&p, "Authorization: Bearer two");
    assert_int_equal(auth_wake_us(&p.auth), from_us + (90 + 3600 - 30) * US_PER_S);
    end(&p);
}

static void life__is_unknown__when_the_answer_tells_nonsense(void **state)
{
    static const char *const lives[] = {
        "0", "-5", "\"soon\"", "1e9", "null", "{}", "99999999999999999999"
    };

    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        char body[128];
        struct play p;

        snprintf(body, sizeof body, "{\"data\":{\"token\":\"t\"},\"expires_in\":%s}", lives[i]);
        begin(&p, CALL);
        log_in(&p, body);
        assert_int_equal(auth_wake_us(&p.auth), TIME_NEVER);
        end(&p);
    }
}

static void call__is_lost__when_the_answer_holds_no_token(void **state)
{
    static const char *const bodies[] = {
        "{\"token\":\"x\",\"user\":1}",
        "{\"data\":{\"token\":null}}",
        "{\"data\":{\"token\":\"\"}}",
        "{\"data\":{\"token\":[\"x\"]}}",
        "{\"data\":{\"token\":\"a\\r\\nX-Evil: 1\"}}",
        "{\"data\":{\"token\":\"a\\u0000b\"}}",
        "[]",
        "<html>",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct play p;

        begin(&p, CALL);
        request_free(ask(&p));
        assert_int_equal(answer(&p, OUTCOME_OK, 200, bodies[i]), AUTH_LOST);
        assert_true(auth_is_awaited(&p.auth, p.now_us));
        assert_false(auth_should_ask(&p.auth, TIME_NEVER - 1));
        if (i == 0) {
            assert_string_equal(
                p.why, "the login's answer has no token at /data/token; it has token, user");
        }
        if (strstr(bodies[i], "Evil")) {
            assert_string_equal(
                p.why, "the login's token at /data/token, of 14 bytes, is none that a header "
                       "can hold: it is too long, or has a control character");
        }
        end(&p);
    }
}

static void call__is_tried_again__as_often_as_a_request(void **state)
{
    struct play p;

    (void)state;
    begin(&p, CALL);
    p.job.retry.attempts = 3;
    request_free(ask(&p));
    assert_int_equal(answer(&p, OUTCOME_STATUS, 503, ""), AUTH_LATER);
    p.now_us = auth_wake_us(&p.auth);
    request_free(ask(&p));
    assert_int_equal(answer(&p, OUTCOME_CONNECT, 0, ""), AUTH_LATER);
    p.now_us = auth_wake_us(&p.auth);
    request_free(ask(&p));
    assert_int_equal(answer(&p, OUTCOME_TIMEOUT, 0, ""), AUTH_LOST);
    end(&p);
}

static void call__is_lost__when_it_is_refused_or_sent_elsewhere(void **state)
{
    static const struct {
        enum outcome outcome;
        int status;
        const char *body, *why;
    } cases[] = {
        { OUTCOME_STATUS, 401, "{\"error\":\"wrong_password\"}",
          "the login failed: HTTP 401, wrong_password" },
        { OUTCOME_STATUS, 403, "<html>", "the login failed: HTTP 403" },
        { OUTCOME_REDIRECT, 302, "", "the login answers with a redirect (302): give its real URL" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct play p;

        begin(&p, CALL);
        request_free(ask(&p));
        assert_int_equal(answer(&p, cases[i].outcome, cases[i].status, cases[i].body), AUTH_LOST);
        assert_string_equal(p.why, cases[i].why);
        end(&p);
    }
}

static void oauth__names_the_client_in_a_header__then_in_the_form(void **state)
{
    struct request *request;
    struct play p;

    (void)state;
    begin(&p, OAUTH);
    request = ask(&p);
    assert_string_equal(request->body.data, "grant_type=client_credentials&scope=read%20write");
    /* base64 of me%20%26%20you:s3cret */
    assert_true(
        str_equal(p.extra.headers[0], STR("Authorization: Basic bWUlMjAlMjYlMjB5b3U6czNjcmV0")));
    request_free(request);
    assert_int_equal(answer(&p, OUTCOME_STATUS, 401, ""), AUTH_LATER);
    request = ask(&p);
    assert_int_equal(p.extra.headers[0].len, 0);
    assert_string_equal(request->body.data,
                        "grant_type=client_credentials&scope=read%20write&client_id=me%20%26%20you"
                        "&client_secret=s3cret");
    request_free(request);
    assert_int_equal(answer(&p, OUTCOME_STATUS, 401, "{\"error\":\"invalid_client\"}"), AUTH_LOST);
    assert_string_equal(p.why, "the login failed: HTTP 401, invalid_client");
    end(&p);
}

/* --- refusals ------------------------------------------------------------------------------------- */

static void refusal__makes_a_token_void__once_for_all_who_carried_it(void **state)
{
    struct request *a = request_new(1, 0, STR("a"), STR("https://api.test/1"));
    struct request *b = request_new(2, 0, STR("b"), STR("https://api.test/2"));
    struct play p;

    (void)state;
    begin(&p, CALL);
    log_in(&p, "{\"data\":{\"token\":\"one\"}}");
    assert_non_null(carried(&p, a));
    assert_non_null(carried(&p, b));
    auth_accepted(&p.auth, a);
    assert_non_null(carried(&p, a));
    assert_int_equal(auth_refused(&p.auth, a, p.why), AUTH_REFUSAL_FREE);
    assert_true(auth_is_awaited(&p.auth, p.now_us));
    log_in(&p, "{\"data\":{\"token\":\"two\"}}");
    assert_int_equal(auth_refused(&p.auth, b, p.why), AUTH_REFUSAL_FREE); /* late, of token one */
    assert_false(auth_is_awaited(&p.auth, p.now_us));
    expect_carried(&p, "Authorization: Bearer two");
    request_free(a);
    request_free(b);
    end(&p);
}

static void fresh_tokens__are_lost__when_three_in_a_row_are_refused(void **state)
{
    struct request *request = request_new(1, 0, STR("a"), STR("https://api.test/1"));
    struct play p;

    (void)state;
    begin(&p, CALL);
    for (int i = 0; i < AUTH_UNPROVEN_MAX; i++) {
        log_in(&p, "{\"data\":{\"token\":\"t\"}}");
        assert_non_null(carried(&p, request));
        assert_int_equal(auth_refused(&p.auth, request, p.why),
                         i + 1 < AUTH_UNPROVEN_MAX ? AUTH_REFUSAL_FREE : AUTH_REFUSAL_LOST);
    }
    request_free(request);
    end(&p);
}

static void request__pays_with_its_tries__when_token_after_token_is_refused(void **state)
{
    struct request *bad = request_new(1, 0, STR("a"), STR("https://api.test/1"));
    struct request *good = request_new(2, 0, STR("b"), STR("https://api.test/2"));
    struct play p;

    (void)state;
    begin(&p, CALL);
    for (int i = 0; i < 6; i++) {
        log_in(&p, "{\"data\":{\"token\":\"t\"}}");
        assert_non_null(carried(&p, good));
        assert_non_null(carried(&p, bad));
        auth_accepted(&p.auth, good);
        assert_int_equal(auth_refused(&p.auth, bad, p.why),
                         i < AUTH_FREE_REFUSALS ? AUTH_REFUSAL_FREE : AUTH_REFUSAL_TRY);
    }
    auth_accepted(&p.auth, bad);
    log_in(&p, "{\"data\":{\"token\":\"t\"}}");
    assert_int_equal(auth_refused(&p.auth, bad, p.why), AUTH_REFUSAL_FREE); /* forgiven */
    request_free(bad);
    request_free(good);
    end(&p);
}

static void secrets__are_registered__in_every_form_that_is_sent(void **state)
{
    static const char *const texts[] = { "s3cret", "bWUlMjAlMjYlMjB5b3U6czNjcmV0", "tok/en" };
    struct secrets secrets = { .count = 0 };
    struct play p;

    (void)state;
    begin(&p, OAUTH);
    log_in(&p, "{\"access_token\":\"tok/en\",\"expires_in\":60}");
    assert_int_equal(auth_register(&p.auth, &secrets, NULL), RESULT_OK);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buf out = { 0 };

        assert_int_equal(secrets_redact(&secrets, str_view(texts[i]), SECRETS_WHOLE, &out),
                         RESULT_OK);
        assert_true(str_equal(buf_view(&out), STR("***")));
        buf_release(&out);
    }
    secrets_release(&secrets);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed__is_carried__in_each_of_its_forms),
        cmocka_unit_test(origin__is_that_of_base__or_of_the_first_url),
        cmocka_unit_test(call__brings_a_token__found_by_its_pointer),
        cmocka_unit_test(token__is_asked_anew__before_it_ends_and_used_meanwhile),
        cmocka_unit_test(life__is_unknown__when_the_answer_tells_nonsense),
        cmocka_unit_test(call__is_lost__when_the_answer_holds_no_token),
        cmocka_unit_test(call__is_tried_again__as_often_as_a_request),
        cmocka_unit_test(call__is_lost__when_it_is_refused_or_sent_elsewhere),
        cmocka_unit_test(oauth__names_the_client_in_a_header__then_in_the_form),
        cmocka_unit_test(refusal__makes_a_token_void__once_for_all_who_carried_it),
        cmocka_unit_test(fresh_tokens__are_lost__when_three_in_a_row_are_refused),
        cmocka_unit_test(request__pays_with_its_tries__when_token_after_token_is_refused),
        cmocka_unit_test(secrets__are_registered__in_every_form_that_is_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
