/* What `probe` makes of answers: shapes, and job files that the job's own reader takes. */
#include "base/json_scan.h"
#include "job/auth/auth_kind.h"
#include "cmd/probe_options.h"
#include "probe/probe_job.h"
#include "job/job_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <string.h>

/* --- shapes ------------------------------------------------------------------------------------------ */

static void read_shape(struct probe_shape *shape, const char *body, const char *records)
{
    struct err err = { .text = "" };

    assert_true(json_check(str_view(body), JSON_DEPTH_MAX, NULL));
    if (probe_shape_read(shape, str_view(body), records, false, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
}

static void check_records(const char *body, const char *records, uint64_t count, const char *id)
{
    struct probe_shape shape;

    read_shape(&shape, body, NULL);
    assert_string_equal(shape.records, records);
    assert_int_equal(shape.count, count);
    if (!id) {
        assert_true(shape.id == PROBE_NO_COLUMN);
    } else if (shape.id == PROBE_NO_COLUMN ||
               !str_equal(columns_name(shape.columns, (uint32_t)shape.id), str_view(id))) {
        fail_msg("%s: the id is not %s", body, id);
    }
    probe_shape_release(&shape);
}

static void records__are_found(void **state)
{
    (void)state;
    check_records("[{\"id\":1},{\"id\":2}]", "", 2, "id");
    check_records("{\"items\":[{\"a\":1},{\"a\":1}],\"n\":2}", "/items", 2, NULL);
    check_records("{\"data\":{\"x\":{\"nodes\":[{\"uuid\":\"a\"},{\"uuid\":\"b\"}]}}}",
                  "/data/x/nodes", 2, "uuid");
    check_records("{\"1\":{\"a\":1,\"b\":[1]},\"2\":{\"a\":2,\"b\":[]},\"3\":{\"b\":[]}}", "/*", 3,
                  "_key");
    check_records("{\"a\":{\"x\":1},\"b\":{\"y\":1},\"c\":{\"z\":1}}", "", 1, NULL);
    check_records("{\"a\":1,\"id\":5}", "", 1, "id");
    check_records("[]", "", 0, NULL);
    check_records("{}", "", 1, NULL);
    check_records("[1,2]", "", 2, NULL);
    check_records("[null]", "", 1, NULL);
}

static void id__is_what_differs_in_every_record(void **state)
{
    (void)state;
    check_records("[{\"id\":1,\"sku\":\"a\"},{\"id\":1,\"sku\":\"b\"}]", "", 2, "sku");
    check_records("[{\"id\":1},{\"id\":null}]", "", 2, NULL);
    check_records("[{\"userId\":1,\"name\":1},{\"userId\":2,\"name\":2}]", "", 2, "userId");
    check_records("[{\"paid\":1},{\"paid\":2}]", "", 2, "paid"); /* ends so; nothing better */
    check_records("[{\"seller\":{\"x\":1}},{\"seller\":{\"x\":2}}]", "", 2, NULL);
}

static void columns__are_counted(void **state)
{
    struct probe_shape shape;

    (void)state;
    read_shape(&shape, "{\"rows\":[{\"a\":1,\"b\":{\"c\":\"x\"}},{\"a\":null}],\"more\":[1,2,3]}",
               "/rows");
    assert_int_equal(shape.column_count, 2);
    assert_int_equal(shape.each[0].present, 1);
    assert_int_equal(shape.each[0].null, 1);
    assert_true(str_equal(columns_name(shape.columns, 1), STR("b.c")));
    assert_int_equal(shape.each[1].facts.seen[KIND_TEXT], 1);
    probe_shape_release(&shape);
}

/* --- job files ------------------------------------------------------------------------------------------ */

struct answer {
    const char *body, *headers; /* "name: value\n..." */
};

/* The whole of what is printed for an answer to argv's request. */
static void probe(int argc, const char *const *argv, const struct answer *answer, struct buf *out)
{
    char *words[12];
    struct probe_options ask;
    struct err err = { .text = "" };
    struct response *response = response_new();
    struct probe_found found = { .response = response };
    struct page_reply reply = { .body = str_view(answer->body) };
    struct pages_guess_input input = { .reply = &reply };

    assert_non_null(response);
    for (int i = 0; i < argc; i++) {
        words[i] = str_dup(str_view(argv[i]));
    }
    if (probe_options_parse(&ask, argc, words, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
    response->status = 200;
    for (struct str rest = str_view(answer->headers); rest.data;) {
        struct str line = str_cut(&rest, '\n'), name = str_cut(&line, ':');

        if (name.len) {
            assert_int_equal(buf_printf(&response->headers, "%.*s%c%.*s%c", STR_ARG(name), 0,
                                        STR_ARG(str_trim(line)), 0),
                             RESULT_OK);
        }
    }
    found.job = &ask.job;
    found.body = reply.body;
    assert_int_equal(
        probe_shape_read(&found.shape, found.body, ask.job.endpoints[0].records, false, &err),
        RESULT_OK);
    input.url = probe_url(&found);
    input.body = str_view(ask.job.endpoints[0].body);
    input.count = found.shape.count;
    pages_guess(&input, &found.guess);
    assert_int_equal(probe_tell(&found, out), RESULT_OK);
    assert_int_equal(probe_job_write(&found, out, &err), RESULT_OK);
    assert_non_null(buf_cstr(out));
    for (size_t i = 0; i < out->len; i++) {
        assert_true(out->data[i] == '\n' || (unsigned char)out->data[i] >= 0x20);
    }
    probe_shape_release(&found.shape);
    response_free(response);
    probe_options_release(&ask);
    for (int i = 0; i < argc; i++) {
        free(words[i]);
    }
}
#define PROBE(answer, out, ...)                                                                    \
    probe((int)(sizeof((const char *const[]){ "probe", __VA_ARGS__ }) / sizeof(char *)),           \
          (const char *const[]){ "probe", __VA_ARGS__ }, (answer), (out))

static void parse(struct job *job, const struct buf *text)
{
    static struct job_faults faults;
    struct err err = { .text = "" };

    if (job_file_parse(job, buf_view(text), "probed.json", NULL, &faults, &err) != RESULT_OK) {
        fail_msg("%s\n%s\n%.*s", err.text, faults.errors[0].text, STR_ARG(buf_view(text)));
    }
}

static void check_has(const struct buf *out, const char *text)
{
    if (!strstr(out->data, text)) {
        fail_msg("no \"%s\" in:\n%s", text, out->data);
    }
}

static void request__is_made_by_the_options_of_run(void **state)
{
    char path[] = "/tmp/scrapetop-test_probe-XXXXXX", given[64], records[] = "/a";
    char probe_[] = "probe", put[] = "-XPUT", data[] = "-d", pointer[] = "--records";
    char url[] = "https://h.example/";
    char *argv[] = { probe_, put, data, given, pointer, records, url };
    int fd = mkstemp(path);
    struct probe_options ask;
    struct err err = { .text = "" };

    (void)state;
    assert_true(fd >= 0 && write(fd, "{\"a\": 1}", 8) == 8);
    close(fd);
    snprintf(given, sizeof given, "@%s", path);
    if (probe_options_parse(&ask, 7, argv, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
    assert_string_equal(ask.job.endpoints[0].method, "PUT");
    assert_string_equal(ask.job.endpoints[0].body, "{\"a\": 1}");
    assert_string_equal(ask.job.endpoints[0].records, "/a");
    assert_string_equal(ask.job.headers[0].sent, "Content-Type: application/json");
    probe_options_release(&ask);
    records[0] = 'a';
    assert_int_equal(probe_options_parse(&ask, 7, argv, &err), RESULT_INVALID);
    unlink(path);
}

static void job__is_one_that_runs(void **state)
{
    struct answer answer = {
        "{\"products\":[{\"id\":1},{\"id\":2}],\"pagination\":{\"page\":1,\"total\":6}}",
        "x-ratelimit-limit: 60\nx-ratelimit-remaining: 59\ncontent-type: application/json"
    };
    struct buf out = { 0 };
    struct job job;

    (void)state;
    PROBE(&answer, &out, "https://api.example.org/v1/products?q={x}&per_page=2");
    check_has(&out, "//   records: /products, 2 in this answer");
    check_has(&out, "id                           int64      2 of 2   likely the id");
    check_has(&out, "//     /pagination/total 6");
    check_has(&out, "//   pages: by number, page; 6 records in all, so about 3 pages");
    check_has(&out, "//     x-ratelimit-remaining: 59");
    check_has(&out, "that is: 59 requests left of 60");
    check_has(&out, "{ \"name\": \"details\", \"url\": \"/v1/products/{products.id}\" }");
    parse(&job, &out);
    assert_string_equal(job.name, "api.example.org");
    assert_string_equal(job.endpoints[0].name, "products");
    assert_string_equal(job.endpoints[0].sources[0].text,
                        "https://api.example.org/v1/products?q={{x}&per_page=2");
    assert_string_equal(job.endpoints[0].records, "/products");
    assert_int_equal(job.endpoints[0].pages.kind, JOB_PAGES_NUMBER);
    assert_string_equal(job.endpoints[0].pages.total, "/pagination/total");
    assert_int_equal(job.endpoints[0].pages.size, 2);
    assert_string_equal(job.endpoints[0].pages.size_param, "per_page");
    job_release(&job);
    buf_release(&out);
}

static void job__of_every_kind_of_pages__is_read(void **state)
{
    static const struct {
        const char *url;
        struct answer answer;
        enum job_pages_kind kind;
        const char *where;
    } kinds[] = {
        { "https://h.test/a?_start=0&_limit=1",
          { "{\"a\":[1],\"total\":2}", "" },
          JOB_PAGES_OFFSET,
          "_start" },
        { "https://h.test/a?page=0",
          { "{\"a\":[1],\"total_pages\":2}", "" },
          JOB_PAGES_NUMBER,
          "page" },
        { "https://h.test/a",
          { "{\"a\":[1],\"next_cursor\":\"x\",\"has_more\":true}", "" },
          JOB_PAGES_CURSOR,
          "cursor" },
        { "https://h.test/a",
          { "{\"a\":[1],\"paging\":{\"next\":\"/a?p=2\"}}", "" },
          JOB_PAGES_NEXT,
          NULL },
        { "https://h.test/", { "[]", "" }, JOB_PAGES_NONE, NULL },
        { "https://h.test", { "5", "" }, JOB_PAGES_NONE, NULL },
        { "https://h.test/a", { "{\"a\":[1],\"total\":100}", "" }, JOB_PAGES_AUTO, NULL },
        { "https://h.test/a",
          { "{\"a\":[1],\"continue\":{\"x\":\"1\"}}", "" },
          JOB_PAGES_CURSOR,
          "*" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct buf out = { 0 };
        struct job job;

        PROBE(&kinds[i].answer, &out, kinds[i].url);
        parse(&job, &out);
        assert_int_equal(job.endpoints[0].pages.kind, kinds[i].kind);
        if (kinds[i].where) {
            assert_string_equal(job.endpoints[0].pages.param, kinds[i].where);
        }
        job_release(&job);
        buf_release(&out);
    }
}

static void job__of_a_pasted_command__has_no_credential(void **state)
{
    struct answer answer = {
        "{\"data\":{\"items\":{\"nodes\":[{}],\"pageInfo\":{\"endCursor\":\"x\","
        "\"hasNextPage\":true}}}}",
        ""
    };
    struct buf out = { 0 };
    struct job job;

    (void)state;
    setenv("API_TOKEN", "from-the-environment", 1);
    setenv("X_API_KEY", "key-of-the-environment", 1);
    PROBE(&answer, &out,
          "curl 'https://h.test/graphql' -H 'Authorization: Bearer s3cret-token' -H 'X-Api-Key: "
          "s3cret-key' -H 'X-A: ${b} \xC3\xA9' -H 'Connection: keep-alive' --data-raw "
          "'{\"query\":\"{items{id}} {{ \\u007bx \xC3\xA9\",\"variables\":{}}'");
    assert_null(strstr(out.data, "s3cret"));
    parse(&job, &out);
    assert_ptr_equal(job.login.kind, &auth_bearer);
    assert_string_equal(job.login.secret.sent, "from-the-environment");
    assert_int_equal(job.header_count, 3);
    assert_string_equal(job.headers[0].sent, "X-Api-Key: key-of-the-environment");
    assert_string_equal(job.headers[1].sent, "X-A: ${b} \xC3\xA9");
    assert_string_equal(job.endpoints[0].method, "POST");
    assert_string_equal(job.endpoints[0].pages.param, "/variables/after");
    assert_string_equal(job.endpoints[0].records, "/data/items/nodes");
    check_has(&out,
              "\"json\": {\"query\":\"{{items{{id}} {{{ \\u007bx \\u00e9\",\"variables\":{}}");
    job_release(&job);
    buf_release(&out);
}

static void job__with_a_key_in_its_query__asks_the_environment(void **state)
{
    struct answer answer = { "[{\"id\":1}]", "" };
    struct buf out = { 0 };
    struct job job;

    (void)state;
    setenv("API_KEY", "key-of-the-environment", 1);
    PROBE(&answer, &out, "-X", "PATCH", "-d", "a=b{c}", "https://h.test/x?a=1&api_key=s3cret&b");
    assert_null(strstr(out.data, "s3cret"));
    parse(&job, &out);
    assert_ptr_equal(job.login.kind, &auth_key);
    assert_true(job.login.in_query);
    assert_string_equal(job.login.name, "api_key");
    assert_string_equal(job.endpoints[0].sources[0].text, "https://h.test/x?a=1&b");
    assert_string_equal(job.endpoints[0].method, "PATCH");
    check_has(&out, "\"body\": \"a=b{{c}\"");
    job_release(&job);
    buf_release(&out);
}

/* Names that a server chose to harm a terminal or a file. */
static void job__of_hostile_names__is_safe(void **state)
{
    struct answer answer = { "{\"it\\u001b[2Jems\":[{\"\\u202e\\\"id\":1,\"a\\nb\":2}],"
                             "\"\xE2\x80\xAE*/\xC2\x9B\":[1,2],\"total\":9,\"pa\\\"ge\":1}",
                             "x-ratelimit-remaining: \x1b[31m5\xff\nratelimit: \"x\";r=5" };
    struct buf out = { 0 };
    struct job job;

    (void)state;
    PROBE(&answer, &out, "https://h.test/%22%1b?a=\xE2\x80\xAE");
    assert_null(strstr(out.data, "\xE2\x80\xAE"));
    assert_null(strstr(out.data, "\xC2\x9B"));
    parse(&job, &out);
    job_release(&job);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records__are_found),
        cmocka_unit_test(id__is_what_differs_in_every_record),
        cmocka_unit_test(columns__are_counted),
        cmocka_unit_test(request__is_made_by_the_options_of_run),
        cmocka_unit_test(job__is_one_that_runs),
        cmocka_unit_test(job__of_every_kind_of_pages__is_read),
        cmocka_unit_test(job__of_a_pasted_command__has_no_credential),
        cmocka_unit_test(job__with_a_key_in_its_query__asks_the_environment),
        cmocka_unit_test(job__of_hostile_names__is_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
