#include "job/job.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void job_of_url(struct job *job, const char *url)
{
    struct job_endpoint *endpoint;

    job_init(job);
    endpoint = job_add_endpoint(job);
    assert_non_null(endpoint);
    assert_int_equal(job_add_source(endpoint, JOB_SOURCE_PATTERN, str_view(url), NULL), RESULT_OK);
}

static void finish__derives_the_name__when_none_is_given(void **state)
{
    static const struct {
        enum job_source_kind kind;
        const char *text, *name;
    } cases[] = {
        { JOB_SOURCE_PATTERN, "https://api.example.org/items/[1-9]", "api.example.org" },
        { JOB_SOURCE_PATTERN, "https://{a,b}.example.org/", "a.example.org" },
        { JOB_SOURCE_PATTERN, "http://[::1]:80/", "_-1" },
        { JOB_SOURCE_PATTERN, "http://a_b~c!/", "a_b-c-" },
        { JOB_SOURCE_PATTERN, "http://.hidden/", "_hidden" },
        { JOB_SOURCE_PATTERN,
          "http://a23456789.b23456789.c23456789.d23456789.e23456789.f23456789.g23456789/",
          "a23456789.b23456789.c23456789.d23456789.e23456789.f23456789.g234" },
        { JOB_SOURCE_LIST, "/some/where/ids.v2.txt", "ids.v2" },
        { JOB_SOURCE_LIST, "-", "stdin" },
        { JOB_SOURCE_LIST, ".txt", "_txt" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct job job;
        struct job_endpoint *endpoint;
        struct err err = { 0 };

        job_init(&job);
        endpoint = job_add_endpoint(&job);
        assert_int_equal(job_add_source(endpoint, cases[i].kind, str_view(cases[i].text), NULL),
                         RESULT_OK);
        if (job_finish(&job, &err) != RESULT_OK) {
            fail_msg("%s: %s", cases[i].text, err.text);
        }
        assert_string_equal(job.name, cases[i].name);
        assert_true(job_name_is_valid(str_view(job.name)));
        assert_string_equal(job.endpoints[0].name, job.name);
        job_release(&job);
    }
}

static void finish__refuses__when_there_is_nothing_to_ask(void **state)
{
    struct job job;
    struct err err = { 0 };

    (void)state;
    job_init(&job);
    assert_int_equal(job_finish(&job, &err), RESULT_INVALID);
    assert_string_equal(err.code, "E-ARG9");
    assert_non_null(job_add_endpoint(&job));
    assert_int_equal(job_finish(&job, &err), RESULT_INVALID);
    assert_string_equal(err.code, "E-ARG9");
    job_release(&job);
}

static void write__reads_back_the_same__when_everything_is_set(void **state)
{
    struct job job, again;
    struct buf first = { 0 }, second = { 0 };
    struct err err = { 0 };

    (void)state;
    setenv("SCRAPETOP_JOB_KEY", "k3y-of-the-environment", 1);
    job_of_url(&job, "http://h/[1-3]?q=\"\\\xC3\xA9");
    assert_int_equal(job_add_source(&job.endpoints[0], JOB_SOURCE_LIST, STR("/a b/urls.txt"), NULL),
                     RESULT_OK);
    job.endpoints[0].body = str_dup(STR("{\"big\": 12345678901234567890}\n"));
    job.endpoints[0].records = str_dup(STR("/a~1b/*"));
    job.network.ca_file = str_dup(STR("/etc/ssl/cert.pem"));
    job.globoff = true;
    job.pace = (struct job_pace){ 77, 12, { 5, 15 * US_PER_S }, { 2, US_PER_S }, true, 90, true };
    job.retry = (struct job_retry){ .attempts = 3,
                                    .backoff_base_us = 1500,
                                    .backoff_cap_us = 2500 * US_PER_MS,
                                    .max_wait_us = 3600 * US_PER_S };
    job.limits = (struct job_limits){ JOB_MAX_FAIL_PERCENT, 0, 2500, 12345, 90 * US_PER_S };
    job.network.connect_timeout_us = 250 * US_PER_MS;
    job.network.total_timeout_us = 1;
    job.network.body_max_bytes = (UINT64_C(1) << 53) - 1;
    job.network.insecure = true;
    job.network.http = JOB_HTTP_2;
    assert_int_equal(job_add_header(&job, STR("X-Api-Key: ${SCRAPETOP_JOB_KEY}"), &err), RESULT_OK);
    assert_int_equal(job_add_header(&job, STR("Accept: application/json"), &err), RESULT_OK);
    assert_int_equal(job_finish(&job, &err), RESULT_OK);
    assert_int_equal(job_write(&job, &first, &err), RESULT_OK);
    assert_null(memmem(first.data, first.len, "k3y-of-the", 10));
    if (job_read(&again, buf_view(&first), "job.json", &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(job_write(&again, &second, &err), RESULT_OK);
    assert_string_equal(buf_cstr(&first), buf_cstr(&second));
    assert_true(job_same_requests(&job, &again));
    assert_int_equal(again.pace.cap, 77);
    assert_int_equal(again.pace.cap_per_host, 12);
    assert_int_equal(again.pace.rate.per_us, 15 * US_PER_S);
    assert_int_equal(again.retry.attempts, 3);
    assert_int_equal(again.retry.backoff_base_us, 1500);
    assert_int_equal(again.retry.backoff_cap_us, 2500 * US_PER_MS);
    assert_int_equal(again.limits.max_fail_by, JOB_MAX_FAIL_PERCENT);
    assert_int_equal(again.limits.max_fail_percent, 2500);
    assert_int_equal(again.limits.max_requests, 12345);
    assert_int_equal(again.limits.max_duration_us, 90 * US_PER_S);
    assert_int_equal(again.network.total_timeout_us, 1);
    assert_true(again.network.body_max_bytes == (UINT64_C(1) << 53) - 1);
    assert_string_equal(again.headers[0].sent, "X-Api-Key: k3y-of-the-environment");
    assert_string_equal(again.headers[0].given, "${SCRAPETOP_JOB_KEY}");
    assert_string_equal(again.endpoints[0].body, "{\"big\": 12345678901234567890}\n");
    buf_release(&first);
    buf_release(&second);
    job_release(&job);
    job_release(&again);
}

static void write__keeps_no_typed_credential__when_given_one(void **state)
{
    struct job job, again;
    struct buf text = { 0 }, shown = { 0 };
    struct err err = { 0 };

    (void)state;
    job_of_url(&job, "http://h/");
    assert_int_equal(job_add_header(&job, STR("Authorization: Bearer t0k3n-typed"), &err),
                     RESULT_OK);
    assert_int_equal(job_finish(&job, &err), RESULT_OK);
    assert_int_equal(
        secrets_redact(&job.secrets, STR("you sent t0k3n-typed"), SECRETS_WHOLE, &shown),
        RESULT_OK);
    assert_string_equal(buf_cstr(&shown), "you sent ***");
    assert_int_equal(job_write(&job, &text, &err), RESULT_OK);
    assert_null(memmem(text.data, text.len, "t0k3n", 5));
    assert_int_equal(job_read(&again, buf_view(&text), "job.json", &err), RESULT_OK);
    assert_int_equal(job_finish(&again, &err), RESULT_INVALID);
    assert_string_equal(err.code, "E-SEC3");
    assert_non_null(strstr(err.text, "header Authorization"));
    assert_int_equal(job_add_header(&again, STR("authorization: Bearer other"), &err), RESULT_OK);
    assert_int_equal(job_finish(&again, &err), RESULT_OK);
    assert_int_equal(again.header_count, 1);
    buf_release(&text);
    buf_release(&shown);
    job_release(&job);
    job_release(&again);
}

static void header_file__is_kept_by_its_path__when_written(void **state)
{
    static const char lines[] = "# of the test\r\nX-Api-Key: f1l3-${HOME}\r\n\nX-B: c\n";
    char path[] = "/tmp/scrapetop-test-XXXXXX";
    int fd = mkstemp(path);
    struct job job, again;
    struct buf text = { 0 };
    struct err err = { 0 };

    (void)state;
    assert_int_equal(write(fd, lines, sizeof lines - 1), sizeof lines - 1);
    job_of_url(&job, "http://h/");
    assert_int_equal(job_add_header_file(&job, path, &err), RESULT_OK);
    assert_int_equal(job.header_count, 2);
    assert_string_equal(job.headers[0].sent,
                        "X-Api-Key: f1l3-${HOME}"); /* `$` means nothing here */
    assert_string_equal(job.headers[1].sent, "X-B: c");
    assert_int_equal(job_write(&job, &text, &err), RESULT_OK);
    assert_non_null(memmem(text.data, text.len, path, strlen(path)));
    assert_null(memmem(text.data, text.len, "f1l3", 4));
    assert_int_equal(job_read(&again, buf_view(&text), "job.json", &err), RESULT_OK);
    assert_int_equal(again.header_count, 2);
    assert_string_equal(again.headers[0].sent, job.headers[0].sent);
    job_release(&again);
    assert_int_equal(fchmod(fd, 0644), 0);
    assert_int_equal(job_read(&again, buf_view(&text), "job.json", &err), RESULT_DENIED);
    assert_string_equal(err.code, "E-SEC1");
    close(fd);
    unlink(path);
    buf_release(&text);
    job_release(&job);
}

static void header_file__names_the_line__when_one_is_bad(void **state)
{
    char path[] = "/tmp/scrapetop-test-XXXXXX", want[64];
    int fd = mkstemp(path);
    struct job job;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(write(fd, "X-A: b\n\ns3cr3t\n", 15), 15);
    close(fd);
    job_init(&job);
    assert_int_equal(job_add_header_file(&job, path, &err), RESULT_INVALID);
    snprintf(want, sizeof want, "%s:3: header without a name", path);
    assert_non_null(strstr(err.text, want));
    assert_null(strstr(err.text, "s3cr3t"));
    unlink(path);
    job_release(&job);
}

static void header__is_refused__when_the_environment_breaks_the_line(void **state)
{
    struct job job;
    struct err err = { 0 };

    (void)state;
    setenv("SCRAPETOP_BREAK", "s3cr3t\r\nX-Evil: 1", 1);
    job_init(&job);
    assert_int_equal(job_add_header(&job, STR("X-A: ${SCRAPETOP_BREAK}"), &err), RESULT_INVALID);
    assert_string_equal(err.code, "E-HDR2");
    assert_null(strstr(err.text, "s3cr3t"));
    assert_int_equal(job.header_count, 0);
    job_release(&job);
}

static void read__says_what_is_wrong__when_the_text_is_bad(void **state)
{
    static const struct {
        const char *text, *code, *want;
    } cases[] = {
        { "", "E-CFG2", "job.json:1:1: not valid JSON: empty" },
        { "{} x", "E-CFG2", "job.json:1:4: not valid JSON" },
        { "[]", "E-CFG2", "job.json:1:1: \"job\": want an object" },
        { "{\"name\":\"a\\u0000b\"}", "E-CFG2", "\"name\": holds a NUL" },
        { "{\"colour\":1}", "E-CFG1", "job.json:1:3: unknown key \"colour\" of job" },
        { "{\"name\":1}", "E-CFG2", "\"name\": want a string" },
        { "{\"name\":\"../x\"}", "E-CFG2", "\"name\": want 1 to 64 of" },
        { "{\"name\":\".x\"}", "E-CFG2", "\"name\": want 1 to 64 of" },
        { "{\"pace\":[]}", "E-CFG2", "\"pace\": want an object" },
        { "{\"pace\":{\"cap\":0}}", "E-CFG2", "\"cap\": want a whole number from 1 to 100000" },
        { "{\"pace\":{\"cap\":1.5}}", "E-CFG2", "\"cap\": want a whole number" },
        { "{\"pace\":{\"cap\":1e99}}", "E-CFG2", "\"cap\": want a whole number" },
        { "{\"pace\":{\"cap\":-1}}", "E-CFG2", "\"cap\": want a whole number" },
        { "{\"pace\":{\"cap\":\"5\"}}", "E-CFG2", "\"cap\": want a whole number" },
        { "{\"pace\":{\"rate\":\"x\"}}", "E-CFG2", "\"rate\": \"x\" is not a rate" },
        { "{\"pace\":{\"rate\":[5]}}", "E-CFG2", "\"rate\": want a string" },
        { "{\"pace\":{\"x\":5}}", "E-CFG1", "unknown key \"x\"" },
        { "{\"retry\":{\"backoff\":\"9s:1s\"}}", "E-CFG2", "\"backoff\": backoff \"9s:1s\"" },
        { "{\"network\":{\"insecure\":1}}", "E-CFG2", "\"insecure\": want true or false" },
        { "{\"globoff\":1}", "E-CFG2", "\"globoff\": want true or false" },
        { "{\"headers\":[]}", "E-CFG2", "\"headers\": want an object" },
        { "{\"headers\":{\"Host\":\"x\"}}", "E-HDR2", "header Host cannot be set" },
        { "{\"headers\":{\"X\":1}}", "E-CFG2", "\"X\": want a string" },
        { "{\"headers\":{\"X\":\"a\",\"x\":\"b\"}}", "E-HDR2", "header x is given twice" },
        { "{\"header_files\":{}}", "E-CFG2", "\"header_files\": want an array" },
        { "{\"header_files\":[1]}", "E-CFG2", "\"header_files\": want a string" },
        { "{\"endpoints\":{}}", "E-CFG2", "\"endpoints\": want an array" },
        { "{\"endpoints\":[1]}", "E-CFG2", "\"endpoint\": want an object" },
        { "{\"endpoints\":[{\"sources\":[],\"x\":1}]}", "E-CFG1", "unknown key \"x\"" },
        { "{\"endpoints\":[{\"sources\":1}]}", "E-CFG2", "\"sources\": want an array" },
        { "{\"endpoints\":[{\"sources\":[{}]}]}", "E-CFG2", "\"sources\": want objects" },
        { "{\"endpoints\":[{\"sources\":[{\"x\":\"y\"}]}]}", "E-CFG2",
          "\"sources\": want objects" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct job job;
        struct err err = { 0 };

        if (job_read(&job, str_view(cases[i].text), "job.json", &err) == RESULT_OK) {
            fail_msg("%s: was taken", cases[i].text);
        }
        if (strcmp(err.code, cases[i].code) != 0 || !strstr(err.text, cases[i].want)) {
            fail_msg("%s: want %s \"%s\", got %s \"%s\"", cases[i].text, cases[i].code,
                     cases[i].want, err.code, err.text);
        }
    }
}

static void same_requests__looks_at_what_is_asked__when_compared(void **state)
{
    struct job a, b;

    (void)state;
    job_of_url(&a, "http://h/[1-3]");
    job_of_url(&b, "http://h/[1-3]");
    b.pace.cap = 99;
    assert_int_equal(job_add_header(&b, STR("X-A: b"), NULL), RESULT_OK);
    assert_true(job_same_requests(&a, &b));
    b.globoff = true;
    assert_false(job_same_requests(&a, &b));
    b.globoff = false;
    b.endpoints[0].body = str_dup(STR("x"));
    assert_false(job_same_requests(&a, &b));
    job_release(&b);
    job_of_url(&b, "http://h/[1-4]");
    assert_false(job_same_requests(&a, &b));
    job_release(&b);
    job_of_url(&b, "http://h/[1-3]");
    assert_int_equal(job_add_source(&b.endpoints[0], JOB_SOURCE_PATTERN, STR("http://h/4"), NULL),
                     RESULT_OK);
    assert_false(job_same_requests(&a, &b));
    job_release(&a);
    job_release(&b);
}

static void same_requests__looks_at_records__where_they_end_a_listing(void **state)
{
    struct job a, b;

    (void)state;
    job_of_url(&a, "http://h/list");
    job_of_url(&b, "http://h/list");
    a.endpoints[0].records = str_dup(STR("/warnings"));
    b.endpoints[0].records = str_dup(STR("/items"));
    assert_true(job_same_requests(&a, &b));
    a.endpoints[0].pages.kind = b.endpoints[0].pages.kind = JOB_PAGES_NUMBER;
    assert_false(job_same_requests(&a, &b));
    a.endpoints[0].pages.kind = b.endpoints[0].pages.kind = JOB_PAGES_LINK;
    assert_true(job_same_requests(&a, &b));
    job_release(&a);
    job_release(&b);
}

static void headers__end_at_their_ceiling__when_too_many(void **state)
{
    struct job job;
    struct err err = { 0 };
    char line[32];

    (void)state;
    job_init(&job);
    for (int i = 0; i < JOB_HEADERS_MAX; i++) {
        snprintf(line, sizeof line, "X-%d: b", i);
        assert_int_equal(job_add_header(&job, str_view(line), NULL), RESULT_OK);
    }
    assert_int_equal(job_add_header(&job, STR("X-more: b"), &err), RESULT_LIMIT);
    job_release(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finish__derives_the_name__when_none_is_given),
        cmocka_unit_test(finish__refuses__when_there_is_nothing_to_ask),
        cmocka_unit_test(write__reads_back_the_same__when_everything_is_set),
        cmocka_unit_test(write__keeps_no_typed_credential__when_given_one),
        cmocka_unit_test(header_file__is_kept_by_its_path__when_written),
        cmocka_unit_test(header_file__names_the_line__when_one_is_bad),
        cmocka_unit_test(header__is_refused__when_the_environment_breaks_the_line),
        cmocka_unit_test(read__says_what_is_wrong__when_the_text_is_bad),
        cmocka_unit_test(same_requests__looks_at_what_is_asked__when_compared),
        cmocka_unit_test(same_requests__looks_at_records__where_they_end_a_listing),
        cmocka_unit_test(headers__end_at_their_ceiling__when_too_many),
    };

    return cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
