/* Which rule an answer meets; and what an answer means that meets none. */
#include "plan/answer_usual.h"
#include "plan/rulebook.h"

#include "base/clock.h"
#include "base/json_scan.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Header lines, one after the other: "retry-after: 30\nx-a: b". */
static struct str header_of(const void *context, struct str name, unsigned n)
{
    struct str rest = str_view(context);

    while (rest.data && rest.len) {
        struct str line = str_cut(&rest, '\n');
        struct str value = line;

        if (str_equal(str_cut(&value, ':'), name) && n-- == 0) {
            return str_trim(value);
        }
    }
    return STR_NONE;
}

static struct answer_view answer_of(int status, const char *headers, const char *body)
{
    struct answer_view a = {
        .status = status,
        .body = str_view(body),
        .header = headers ? header_of : NULL,
        .context = headers,
        .wall_us = INT64_C(1795234500) * 1000000, /* 2026-11-21T04:15:00Z */
    };

    a.is_json = json_check(a.body, JSON_DEPTH_MAX, NULL);
    if (headers) {
        a.content_type = header_of(headers, STR("content-type"), 0);
    }
    return a;
}

/* --- one rule -------------------------------------------------------------------------------------------- */

static bool is_met(const char *words, const struct answer_view *a, bool *unsure)
{
    struct rulebook *book = NULL;
    struct job job;
    struct err err;
    char text[256];
    size_t met;

    job_init(&job);
    assert_non_null(job_add_endpoint(&job));
    snprintf(text, sizeof text, "%s do=fail", words);
    if (job_add_answer(&job, str_view(text), &err) != RESULT_OK ||
        rulebook_new(&book, &job, &err) != RESULT_OK) {
        fail_msg("%s: %s", words, err.text);
    }
    met = rulebook_match(book, 0, a, unsure);
    rulebook_free(book);
    job_release(&job);
    return met == 0;
}

static const char error[] = "{\"error\":{\"code\":\"rate_limited\",\"n\":429,\"no\":null,\"deep\":"
                            "[{\"t\":\"a\"},{\"t\":\"b\\n\\u00e9\"}],\"yes\":true,\"s\":\"429\"}}";

static const struct {
    const char *words;
    int status;
    const char *headers, *body;
    bool want;
} matches[] = {
    { "status=404", 404, "", "", true },
    { "status=404", 400, "", "", false },
    { "status=404,410,5xx", 503, "", "", true },
    { "status=400-402", 402, "", "", true },
    { "status=400-402", 403, "", "", false },
    { "header=X-Foo", 200, "x-foo: ", "", true },
    { "header=X-Foo", 200, "x-fo: 1", "", false },
    { "header=X-Foo absent", 200, "x-fo: 1", "", true },
    { "header=X-Foo absent", 200, "x-foo: 1", "", false },
    { "header=X-Foo is=a,b", 200, "x-foo: b ", "", true },
    { "header=X-Foo is=a,b", 200, "x-foo: c\nx-foo: a", "", true },
    { "header=X-Foo is=a,b", 200, "x-foo: ab", "", false },
    { "header=X-Foo matches=^a+$", 200, "x-foo: aaa", "", true },
    { "header=Content-Type matches=html", 200, "content-type: text/html", "", true },
    { "at=/error", 200, "", error, true },
    { "at=/error/no", 200, "", error, false },
    { "at=/error/no absent", 200, "", error, true },
    { "at=/error/no is=null", 200, "", error, true },
    { "at=/error/no is='null'", 200, "", error, false },
    { "at=/nothing absent", 200, "", error, true },
    { "at=/nothing absent", 200, "", "not json", true },
    { "at=/nothing", 200, "", "not json", false },
    { "at=/error/code is=rate_limited,x", 200, "", error, true },
    { "at=/error/code is=rate", 200, "", error, false },
    { "at=/error/n is=429", 200, "", error, true },
    { "at=/error/s is=429", 200, "", error, true },
    { "at=/error/yes is=true", 200, "", error, true },
    { "at=/error is=x", 200, "", error, false },
    { "at=/error/code matches=^rate", 200, "", error, true },
    { "at=/error/n matches=^4..$", 200, "", error, true },
    { "at=/error matches='\"deep\":\\[' ", 200, "", error, true },
    { "at=/error/deep/*/t is=b,a", 200, "", error, true },
    { "at=/error/deep/*/t is='b\n\xc3\xa9'", 200, "", error, true },
    { "at=/error/deep/*/t matches='^b\\s'", 200, "", error, true },
    { "at=/error/deep/*/u", 200, "", error, false },
    { "at=/error/deep/*/u absent", 200, "", error, true },
    { "at= matches=maintenance", 200, "", "<html>maintenance</html>", true },
    { "at= matches=rate_limited", 200, "", error, true },
    { "at=", 200, "", "", false },
    { "at= absent", 200, "", " \n", true },
    { "at= absent", 200, "", "null", true },
    { "body=empty", 200, "", " \n", true },
    { "body=json", 200, "", "[]", true },
    { "body=json", 200, "", "[", false },
    { "body=html", 200, "", "\n<!-- a --><!DOCTYPE HTML><p>", true },
    { "body=html", 200, "content-type: text/html;charset=x", "nothing here", true },
    { "body=html", 200, "content-type: text/html", "{}", false },
    { "body=html", 200, "content-type: text/plain", "<title>x</title>", true },
    { "body=xml", 200, "", "<?xml version='1.0'?><a/>", true },
    { "body=xml", 200, "content-type: application/atom+xml", "<feed/>", true },
    { "body=text,xml", 200, "", "hello", true },
    { "body=binary", 200, "", "\x89PNG\x1a", true },
    { "status=200 body=html at= matches=login", 200, "", "<html>login", true },
    { "status=200 body=html at= matches=login", 403, "", "<html>login", false },
    { "header=a at=/error", 200, "a: 1", error, true },
    { "header=a at=/error", 200, "b: 1", error, false },
    { "body=html", 302, "", "<html>", false }, /* of a redirect only its status tells */
    { "status=302 body=html", 302, "", "<html>", true },
};

static void match__is_told__for_each_condition(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
        struct answer_view a = answer_of(matches[i].status, matches[i].headers, matches[i].body);

        if (is_met(matches[i].words, &a, NULL) != matches[i].want) {
            fail_msg("%s: want %d for %d %s", matches[i].words, matches[i].want, matches[i].status,
                     matches[i].body);
        }
    }
}

static void match__is_unsure__when_headers_are_not_known(void **state)
{
    struct answer_view a = answer_of(200, NULL, "{}");
    bool unsure = false;

    (void)state;
    assert_false(is_met("status=404 header=X-A", &a, &unsure));
    assert_false(unsure); /* it could not match anyway */
    assert_false(is_met("header=X-A absent", &a, &unsure));
    assert_true(unsure);
    a.content_type = STR("text/html"); /* this one is kept */
    unsure = false;
    assert_true(is_met("header=content-type matches=html", &a, &unsure));
    assert_false(unsure);
}

/* Of a failure only the head of its body is kept. */
static void match__is_unsure__when_the_body_is_cut(void **state)
{
    static const struct {
        const char *words;
        bool want, unsure;
    } cases[] = {
        { "at=/error", false, true },
        { "at=/error absent", false, true },
        { "at=/error is=x status=404", false, false },
        { "at=/error header=x-none", false, false },
        { "at= matches=rate", true, false },
        { "at= matches=END", false, true },
        { "at= absent", false, false },
        { "body=json", true, false },
        { "body=html", false, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct answer_view a = answer_of(403, "x-a: 1", "{\"error\":\"rate limit");
        bool unsure = false;

        a.is_cut = true;
        if (is_met(cases[i].words, &a, &unsure) != cases[i].want || unsure != cases[i].unsure) {
            fail_msg("%s: unsure %d", cases[i].words, unsure);
        }
    }
}

/* Bodies are hostile: an escape cut in two, a value longer than what is looked at. */
static void match__looks_at_the_head_alone__of_a_long_value(void **state)
{
    size_t len = ANSWER_HEAD_BYTES + 100;
    char *body = malloc(len + 16);
    struct answer_view a = { .status = 200, .is_json = true };

    (void)state;
    assert_non_null(body);
    for (int cut = 0; cut < 8; cut++) {
        memset(body, 'a', len);
        memcpy(body, "{\"x\":\"", 6);
        memcpy(body + 6 + ANSWER_HEAD_BYTES - cut, "\\u00e9\\u00e9", 12);
        memcpy(body + len - 6, "END\"}", 5);
        a.body = (struct str){ body, len - 1 };
        assert_true(json_check(a.body, JSON_DEPTH_MAX, NULL));
        assert_false(is_met("at=/x matches=END", &a, NULL));
        assert_true(is_met("at=/x matches=^aaaa", &a, NULL));
    }
    free(body);
}

/* --- which of several ---------------------------------------------------------------------------------------- */

static void match__takes_the_first__of_the_command_line_then_the_endpoint_then_the_job(void **state)
{
    static const char text[] =
        "{\"endpoints\":[{\"name\":\"a\",\"url\":\"https://h/a\"},{\"name\":\"b\",\"url\":\"https:/"
        "/h/"
        "b\",\"answers\":[{\"status\":404,\"do\":\"empty\"},{\"status\":403,\"do\":\"stop\"}]}],"
        "\"answers\":[{\"status\":\"4xx\",\"do\":\"fail\"},{\"status\":200,\"at\":\"/x\",\"do\":"
        "\"retry\"}]}";
    struct rulebook *book;
    struct answer_view a404, a403, a200, a410;
    char name[RULEBOOK_NAME_MAX];
    struct job job;
    struct err err;

    (void)state;
    assert_int_equal(job_read(&job, str_view(text), "j", &err), RESULT_OK);
    assert_int_equal(job_add_answer(&job, STR("status=410 do=end"), &err), RESULT_OK);
    assert_int_equal(rulebook_new(&book, &job, &err), RESULT_OK);
    a404 = answer_of(404, "", "");
    a403 = answer_of(403, "", "");
    a410 = answer_of(410, "", "");
    a200 = answer_of(200, "", "{\"x\":1}");
    assert_int_equal(rulebook_count(book), 5);
    assert_int_equal(rulebook_match(book, 0, &a410, NULL), 0);
    assert_int_equal(rulebook_match(book, 1, &a410, NULL), 0);
    assert_int_equal(rulebook_match(book, 1, &a404, NULL), 1);
    assert_int_equal(rulebook_match(book, 0, &a404, NULL), 3);
    assert_int_equal(rulebook_match(book, 1, &a403, NULL), 2);
    assert_int_equal(rulebook_match(book, 0, &a200, NULL), 4);
    assert_int_equal(rulebook_rule(book, 1)->action, ANSWER_EMPTY);
    rulebook_name(book, 0, name);
    assert_string_equal(name, "--answer 1");
    rulebook_name(book, 2, name);
    assert_string_equal(name, "b rule 2");
    rulebook_name(book, 4, name);
    assert_string_equal(name, "rule 2");
    assert_true(rulebook_reads_bodies(book, 0));
    rulebook_free(book);
    job_release(&job);
}

/* --- waits ----------------------------------------------------------------------------------------------------- */

static void wait__is_read__as_servers_write_it(void **state)
{
    static const struct {
        const char *place, *headers, *body;
        uint64_t unit_us, want_ms; /* 0: says nothing */
    } cases[] = {
        { "/w", "", "{\"w\":5}", US_PER_S, 5000 },
        { "/w", "", "{\"w\":\"5\"}", US_PER_S, 5000 },
        { "/w", "", "{\"w\":0.35}", US_PER_S, 350 },
        { "/w", "", "{\"w\":350}", US_PER_MS, 350 },
        { "/w", "", "{\"w\":\"1m30s\"}", US_PER_S, 90000 },
        { "/w", "", "{\"w\":\"2026-11-21T04:15:30Z\"}", US_PER_S, 30000 },
        { "/w", "", "{\"w\":1795234510}", US_PER_S, 10000 },
        { "/w", "", "{\"w\":\"Sat, 21 Nov 2026 04:15:20 GMT\"}", US_PER_S, 20000 },
        { "/w", "", "{\"w\":null}", US_PER_S, 0 },
        { "/w", "", "{\"w\":true}", US_PER_S, 0 },
        { "/w", "", "{\"w\":{}}", US_PER_S, 0 },
        { "/w", "", "{\"w\":\"soon\"}", US_PER_S, 0 },
        { "/w", "", "{}", US_PER_S, 0 },
        { "/w", "", "w", US_PER_S, 0 },
        { "header:x-wait", "x-wait: 7", "", US_PER_S, 7000 },
        { "header:x-wait",
          "x-wait: Sat, 21 Nov 2026 04:15:20 GMT\ndate: Sat, 21 Nov 2026 04:15:19 GMT", "",
          US_PER_S, 1000 },
        { "header:x-wait", "", "", US_PER_S, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct answer_view a = answer_of(200, cases[i].headers, cases[i].body);
        bool is_header = strncmp(cases[i].place, "header:", 7) == 0;
        char name[32], said[16];
        struct answer_place place = { name, is_header };
        uint64_t us = 0;
        bool told;

        snprintf(name, sizeof name, "%s", cases[i].place + (is_header ? 7 : 0));
        told = answer_wait_at(&a, &place, cases[i].unit_us, &us, said, sizeof said);
        if (told != (cases[i].want_ms > 0) || us != cases[i].want_ms * US_PER_MS) {
            fail_msg("%s %s: %llu us, want %llu ms", cases[i].place, cases[i].body,
                     (unsigned long long)us, (unsigned long long)cases[i].want_ms);
        }
    }
}

/* --- without a rule ---------------------------------------------------------------------------------------------- */

static const struct {
    int status;
    const char *headers, *body;
    enum answer_usual want;
    const char *why;
} usual_answers[] = {
    /* as its status says */
    { 200, "", "{\"a\":1}", ANSWER_USUAL_NONE, "" },
    { 200, "", "[]", ANSWER_USUAL_NONE, "" },
    { 200, "retry-after: 5", "{\"a\":1}", ANSWER_USUAL_NONE, "" },
    { 200, "retry-after: 5", "{\"error\":null,\"errors\":[]}", ANSWER_USUAL_NONE, "" },
    { 200, "retry-after: soon", "{\"error\":\"busy\"}", ANSWER_USUAL_NONE, "" },
    { 200, "", "{\"items\":[{\"message\":\"rate limit\",\"error\":\"throttled\"}]}",
      ANSWER_USUAL_NONE, "" },
    { 200, "", "{\"error\":{\"code\":\"not_found\"}}", ANSWER_USUAL_NONE, "" },
    { 200, "", "{\"code\":429,\"name\":\"Somewhere\"}", ANSWER_USUAL_NONE, "" },
    { 200, "content-type: application/json", "{\"a\":", ANSWER_USUAL_NONE, "" },
    { 200, "content-type: text/plain", "{\"a\":1}{\"a\":2}", ANSWER_USUAL_NONE, "" },
    { 200, "content-type: application/json", "oops", ANSWER_USUAL_NONE, "" },
    { 200, "", "", ANSWER_USUAL_NONE, "" },
    { 204, "", "", ANSWER_USUAL_NONE, "" },
    { 403, "", "{\"message\":\"Resource not accessible by integration\"}", ANSWER_USUAL_NONE, "" },
    { 403, "", "", ANSWER_USUAL_NONE, "" },
    { 404, "", "{\"message\":\"rate limit\"}", ANSWER_USUAL_NONE, "" },
    { 400, "", "<html>too many requests", ANSWER_USUAL_NONE, "" },
    { 202, "", "{\"id\":7,\"total\":3}", ANSWER_USUAL_NONE, "" },
    { 202, "", "{\"status\":\"done\",\"rows\":[1]}", ANSWER_USUAL_NONE, "" },
    /* not ready */
    { 202, "retry-after: 1", "{\"total\":7}", ANSWER_USUAL_NOT_READY, "not ready" },
    { 202, "location: /jobs/7", "", ANSWER_USUAL_NOT_READY, "not ready" },
    { 202, "", "{}", ANSWER_USUAL_NOT_READY, "not ready" },
    { 202, "", "", ANSWER_USUAL_NOT_READY, "not ready" },
    { 202, "", "{\"status\":\"In_Progress\",\"id\":7}", ANSWER_USUAL_NOT_READY, "not ready" },
    { 202, "", "{\"state\":\"queued\",\"error\":{\"message\":\"be patient\"}}",
      ANSWER_USUAL_NOT_READY, "not ready: \"be patient\"" },
    /* a limit */
    { 403, "", "{\"message\":\"You have exceeded a secondary rate limit.\"}", ANSWER_USUAL_LIMIT,
      "a limit of requests was met: \"You have exceeded a secondary rate limit.\"" },
    { 403, "",
      "{\"error\":{\"errors\":[{\"reason\":\"userRateLimitExceeded\"}],\"message\":\"User Rate "
      "Limit Exceeded\"}}",
      ANSWER_USUAL_LIMIT, "User Rate Limit Exceeded" },
    { 403, "", "{\"error\":{\"code\":403,\"errors\":[{\"reason\":\"rateLimitExceeded\"}]}}",
      ANSWER_USUAL_LIMIT, "" },
    { 403, "", "[{\"errorCode\":\"REQUEST_LIMIT_EXCEEDED\",\"message\":\"TotalRequests\"}]",
      ANSWER_USUAL_LIMIT, "" },
    { 420, "", "{\"error\":\"Enhance Your Calm\"}", ANSWER_USUAL_LIMIT, "Enhance" },
    { 400, "", "{\"__type\":\"a.b#ThrottlingException\",\"message\":\"Rate exceeded\"}",
      ANSWER_USUAL_LIMIT, "Rate exceeded" },
    { 400, "", "{\"error_id\":502,\"error_message\":\"too many requests from this IP\"}",
      ANSWER_USUAL_LIMIT, "too many requests" },
    { 400, "", "{\"type\":\"about:blank\",\"title\":\"Too Many Requests\",\"status\":429}",
      ANSWER_USUAL_LIMIT, "" },
    { 400, "", "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400}",
      ANSWER_USUAL_NONE, "" },
    { 400, "", "[{\"errorCode\":\"INVALID_FIELD\",\"message\":\"No such column\"}]",
      ANSWER_USUAL_NONE, "" },
    { 200, "", "{\"error\":29,\"message\":\"Rate Limit Exceeded\"}", ANSWER_USUAL_LIMIT,
      "Rate Limit" },
    { 200, "", "{\"error\":{\"error_code\":6,\"error_msg\":\"Too many requests per second\"}}",
      ANSWER_USUAL_LIMIT, "" },
    { 200, "", "{\"status\":\"error\",\"code\":\"rate_limit_exceeded\"}", ANSWER_USUAL_LIMIT, "" },
    { 200, "", "{\"status\":\"ok\",\"title\":\"rate limits of APIs, 429 of them\"}",
      ANSWER_USUAL_NONE, "" },
    { 403, "", "{\"error\":\"quota exceeded\"}", ANSWER_USUAL_LIMIT, "quota" },
    { 403, "content-type: text/html",
      "<html><title>Access denied | You are being rate limited</title>", ANSWER_USUAL_LIMIT,
      "You are being rate limited" },
    { 400, "", "{\"error\":{\"message\":\"(#4) Application request limit reached\",\"code\":4}}",
      ANSWER_USUAL_LIMIT, "request limit reached" },
    { 503, "", "<Error><Code>SlowDown</Code></Error>", ANSWER_USUAL_LIMIT, "" },
    { 200, "",
      "{\"data\":null,\"errors\":[{\"type\":\"RATE_LIMITED\",\"message\":\"limit exceeded\"}]}",
      ANSWER_USUAL_LIMIT, "limit exceeded" },
    { 200, "",
      "{\"errors\":[{\"message\":\"x\"},{\"message\":\"Throttled\",\"extensions\":{\"code\":"
      "\"THROTTLED\"}}]}",
      ANSWER_USUAL_LIMIT, "" },
    { 200, "", "{\"ok\":false,\"error\":\"ratelimited\"}", ANSWER_USUAL_LIMIT, "ratelimited" },
    { 200, "", "{\"error\":{\"code\":429}}", ANSWER_USUAL_LIMIT, "" },
    { 200, "", "{\"error\":{\"status\":\"RESOURCE_EXHAUSTED\"}}", ANSWER_USUAL_LIMIT, "" },
    { 200, "", "{\"code\":429,\"message\":\"Too many requests\"}", ANSWER_USUAL_LIMIT, "Too many" },
    /* busy */
    { 200, "retry-after: 5\nmediawiki-api-error: maxlag",
      "{\"error\":{\"code\":\"maxlag\",\"info\":\"Waiting for a server\",\"lag\":6}}",
      ANSWER_USUAL_BUSY, "an error with Retry-After: \"Waiting for a server\"" },
    { 200, "retry-after: 5", "{\"errors\":[{\"message\":\"busy\"}]}", ANSWER_USUAL_BUSY, "busy" },
    /* no data */
    { 200, "content-type: text/html", "<html><title>\n Maintenance </title>",
      ANSWER_USUAL_WRONG_TYPE,
      "a page in HTML instead of JSON (--as html keeps it): \"Maintenance\"" },
    { 200, "content-type: application/json", "<!DOCTYPE html><p>Log in", ANSWER_USUAL_WRONG_TYPE,
      "a page in HTML instead of JSON (--as html keeps it)" },
    { 200, "content-type: text/xml", "<?xml version='1.0'?><a/>", ANSWER_USUAL_WRONG_TYPE,
      "XML instead" },
    { 200, "content-type: text/plain", "it works", ANSWER_USUAL_WRONG_TYPE, "plain text instead" },
    { 200, "content-type: image/png", "\x89PNG", ANSWER_USUAL_WRONG_TYPE, "bytes instead" },
};

static void usual__knows__what_servers_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof usual_answers / sizeof usual_answers[0]; i++) {
        struct answer_view a =
            answer_of(usual_answers[i].status, usual_answers[i].headers, usual_answers[i].body);
        char why[ANSWER_WHY_MAX];
        enum answer_usual got =
            answer_usual_of(&a, &(struct answer_asker){ .asks_safely = true }, why);

        if (got != usual_answers[i].want || !strstr(why, usual_answers[i].why)) {
            fail_msg("%d %s: %d \"%s\", want %d \"%s\"", usual_answers[i].status,
                     usual_answers[i].body, got, why, usual_answers[i].want, usual_answers[i].why);
        }
    }
}

/* Wherever the blocks begin that it is looked for in. */
static void usual__knows_a_limit__wherever_it_stands_in_the_body(void **state)
{
    static const struct {
        const char *before, *after;
    } limits[] = {
        { "{\"error\":\"ratelimited\",\"pad\":\"", "\"}" },
        { "{\"pad\":\"", "\",\"error\":\"ratelimited\"}" },
        { "{\"pad\":\"", "\",\"title\":\"Too Many Requests\",\"status\":429}" },
    };
    char why[ANSWER_WHY_MAX], pad[80], body[200];

    (void)state;
    memset(pad, '4', sizeof pad);
    for (size_t n = 0; n < sizeof limits / sizeof limits[0] * sizeof pad; n++) {
        struct answer_asker asker = { .asks_safely = true };
        struct answer_view a;

        snprintf(body, sizeof body, "%s%.*s%s", limits[n / sizeof pad].before,
                 (int)(n % sizeof pad), pad, limits[n / sizeof pad].after);
        a = answer_of(200, "", body);
        assert_int_equal(answer_usual_of(&a, &asker, why), ANSWER_USUAL_LIMIT);
    }
}

/* A POST that is accepted with nothing else is done: asking it again would do it twice. */
static void usual__leaves_a_202_alone__when_it_cannot_be_asked_again(void **state)
{
    struct answer_view a = answer_of(202, "", "{}");
    char why[ANSWER_WHY_MAX];

    (void)state;
    assert_int_equal(answer_usual_of(&a, &(struct answer_asker){ .asks_safely = false }, why),
                     ANSWER_USUAL_NONE);
    a = answer_of(202, "location: /jobs/1", "{}");
    assert_int_equal(answer_usual_of(&a, &(struct answer_asker){ .asks_safely = false }, why),
                     ANSWER_USUAL_NOT_READY);
}

/* While it is asked about, a good status is no result yet. */
static void usual__waits_for_the_end__of_what_is_asked_about(void **state)
{
    struct answer_view running = answer_of(200, "", "{\"status\":\"running\",\"done\":3}");
    struct answer_view done = answer_of(200, "", "{\"status\":\"succeeded\",\"rows\":[]}");
    struct answer_asker asker = { .asks_safely = true };
    char why[ANSWER_WHY_MAX];

    (void)state;
    assert_int_equal(answer_usual_of(&running, &asker, why), ANSWER_USUAL_NONE); /* data */
    asker.is_asked_about = true;
    assert_int_equal(answer_usual_of(&running, &asker, why), ANSWER_USUAL_NOT_READY);
    assert_int_equal(answer_usual_of(&done, &asker, why), ANSWER_USUAL_NONE);
}

static void usual_wait__is_found__where_apis_put_it(void **state)
{
    static const struct {
        const char *body;
        uint64_t want_ms;
    } cases[] = {
        { "{\"retry_after\":1.5}", 1500 },
        { "{\"parameters\":{\"retry_after\":7}}", 7000 },
        { "{\"error\":{\"details\":[{\"a\":1},{\"retryDelay\":\"34s\"}]}}", 34000 },
        { "{\"errors\":[{\"extensions\":{\"retry_in_seconds\":10}}]}", 10000 },
        { "{\"retry_after_ms\":250}", 250 },
        { "{\"retry\":1}", 0 },
        { "retry_after", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct answer_view a = answer_of(429, "", cases[i].body);
        char said[16];
        uint64_t us = 0;

        assert_int_equal(answer_usual_wait(&a, &us, said, sizeof said), cases[i].want_ms > 0);
        assert_int_equal(us, cases[i].want_ms * US_PER_MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(match__is_told__for_each_condition),
        cmocka_unit_test(match__is_unsure__when_headers_are_not_known),
        cmocka_unit_test(match__is_unsure__when_the_body_is_cut),
        cmocka_unit_test(match__looks_at_the_head_alone__of_a_long_value),
        cmocka_unit_test(
            match__takes_the_first__of_the_command_line_then_the_endpoint_then_the_job),
        cmocka_unit_test(wait__is_read__as_servers_write_it),
        cmocka_unit_test(usual__knows__what_servers_say),
        cmocka_unit_test(usual__knows_a_limit__wherever_it_stands_in_the_body),
        cmocka_unit_test(usual__leaves_a_202_alone__when_it_cannot_be_asked_again),
        cmocka_unit_test(usual__waits_for_the_end__of_what_is_asked_about),
        cmocka_unit_test(usual_wait__is_found__where_apis_put_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
