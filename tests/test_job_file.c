#include "job/job_file.h"
#include "job/job_keys.h"
#include "job/job_schema.h"
#include "job/auth/auth_kind.h"

#include "base/clock.h"
#include "base/json_scan.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char everything[] =
    "// A whole API.\n"
    "{\n"
    "  \"$schema\": \"scrapetop-job.schema.json\", \"name\": \"catalog\",\n"
    "  \"base\": \"https://api.example.org/v2/\", /* as it\n stands */\n"
    "  \"headers\": { \"X-Api-Key\": \"${JOB_FILE_KEY}\", \"Accept\": \"application/json\" },\n"
    "  \"login\": { \"url\": \"/auth/login\", \"json\": { \"email\": \"${JOB_FILE_MAIL}\",\n"
    "    \"password\": \"a${JOB_FILE_PASSWORD}\", \"n\": 12345678901234567890 },\n"
    "    \"token\": \"/access_token\", \"expires\": \"/expires_in\",\n"
    "    \"send\": \"Authorization: Bearer {token}\" },\n"
    "  \"endpoints\": [\n"
    "    { \"name\": \"reviews\", \"url\": \"/products/{products.id}/reviews?c={city}\",\n"
    "      \"records\": \"/items\", \"with\": [\"products.name\", \"city\"] },\n"
    "    { \"name\": \"products\", \"url\": \"products?city={city}&d={day}&n={row.name}\",\n"
    "      \"headers\": { \"X-Day\": \"{day.last}\" },\n"
    "      \"pages\": { \"param\": \"page\", \"size\": 50, \"size_param\": \"per_page\",\n"
    "                 \"total\": \"/pagination/total\", \"max\": 7 },\n"
    "      \"records\": \"/products\" },\n"
    "    { \"name\": \"search\", \"url\": \"https://other.example.org/graphql\",\n"
    "      \"json\": { \"query\": \"query($a: String) { x(after: $a) { id } }\",\n"
    "                \"variables\": { \"id\": \"{id}\", \"big\": 90071992547409931 } },\n"
    "      \"pages\": { \"cursor\": \"/data/x/endCursor\", \"param\": \"/variables/a\",\n"
    "                 \"has_more\": \"/data/x/hasNext\" } },\n"
    "    { \"name\": \"votes\", \"url\": \"/reviews/{reviews.id}/votes?p={products.id}\",\n"
    "      \"pages\": \"auto\" }\n"
    "  ],\n"
    "  \"vars\": { \"id\": \"[103293-103297]\", \"city\": [\"toronto\", \"ottawa\", 7],\n"
    "            \"row\": { \"file\": \"ids.csv\" },\n"
    "            \"day\": { \"from\": \"2026-01-01\", \"to\": \"2026-03-31\", \"step\": \"1month\" "
    "} },\n"
    "  \"pace\": { \"cap\": 20, \"cap_per_host\": 10, \"rate\": \"5/s\", \"auto\": true },\n"
    "  \"retry\": { \"attempts\": 5, \"backoff\": \"1s:30s\", \"statuses\": [408, 429, 500] },\n"
    "  \"network\": { \"max_body\": \"64M\", \"max_time\": 45 },\n"
    "  \"tables\": { \"products\": { \"unique\": [\"id\"], \"types\": true,\n"
    "                            \"columns\": { \"price\": \"/price/amount\" } },\n"
    "              \"votes\": { \"columns\": [\"id\", \"n\"], \"explode\": \"/a\" } },\n"
    "  \"output\": [\"csv\", \"parquet\"],\n"
    "  \"every\": \"30s\", \"count\": 5, \"until\": \"2026-12-31T23:59:59Z\"\n"
    "}\n";

static void set_environment(void)
{
    setenv("JOB_FILE_KEY", "k3y-of-the-file", 1);
    setenv("JOB_FILE_MAIL", "me@example.org", 1);
    setenv("JOB_FILE_PASSWORD", "pass\"w\\ord&1", 1);
}

static struct job_faults faults; /* too large for some stacks */

static void must_parse(struct job *job, const char *text)
{
    struct err err = { .text = "" };

    if (job_file_parse(job, str_view(text), "/jobs/catalog.json", NULL, &faults, &err) !=
        RESULT_OK) {
        fail_msg("%s; %s", err.text, faults.count ? faults.errors[0].text : "");
    }
}

static void parse__reads_every_key__of_a_whole_file(void **state)
{
    struct job job;
    const struct job_endpoint *e;

    (void)state;
    set_environment();
    must_parse(&job, everything);
    assert_int_equal(job_finish(&job, NULL), RESULT_OK);
    assert_string_equal(job.name, "catalog");
    assert_string_equal(job.headers[0].given, "${JOB_FILE_KEY}");
    assert_string_equal(job.headers[0].sent, "X-Api-Key: k3y-of-the-file");
    assert_ptr_equal(job.login.kind, &auth_call);
    assert_string_equal(job.login.url, "https://api.example.org/v2/auth/login");
    assert_string_equal(job.login.method, "POST");
    assert_string_equal(job.login.body.sent,
                        "{\"email\":\"me@example.org\",\"password\":\"apass\\\"w\\\\ord&1\","
                        "\"n\":12345678901234567890}");
    assert_string_equal(job.login.body.given,
                        "{\"email\":\"${JOB_FILE_MAIL}\",\"password\":\"a${JOB_FILE_PASSWORD}\","
                        "\"n\":12345678901234567890}");
    assert_int_equal(job.endpoint_count, 4);
    e = job.endpoints; /* parents first, else in the order of the file */
    assert_string_equal(e[0].name, "products");
    assert_int_equal(e[0].sources[0].kind, JOB_SOURCE_TEMPLATE);
    assert_string_equal(e[0].sources[0].text,
                        "https://api.example.org/v2/products?city={city}&d={day}&n={row.name}");
    assert_string_equal(e[0].headers[0].sent, "X-Day: {day.last}");
    assert_int_equal(e[0].pages.kind, JOB_PAGES_NUMBER);
    assert_int_equal(e[0].pages.first, 1);
    assert_int_equal(e[0].pages.size, 50);
    assert_int_equal(e[0].pages.max, 7);
    assert_string_equal(e[0].pages.total, "/pagination/total");
    assert_string_equal(e[0].records, "/products");
    assert_true(e[0].table.types);
    assert_string_equal(e[0].table.columns[0], "price=/price/amount");
    assert_string_equal(e[1].name, "reviews");
    assert_true(e[1].has_parent && e[1].parent == 0);
    assert_int_equal(e[1].with_count, 2);
    assert_string_equal(e[2].name, "search");
    assert_string_equal(e[2].method, "POST");
    assert_string_equal(e[2].headers[0].sent, "Content-Type: application/json");
    assert_non_null(strstr(e[2].body, "\"big\":90071992547409931}"));
    assert_int_equal(e[2].pages.kind, JOB_PAGES_CURSOR);
    assert_string_equal(e[2].pages.next, "/data/x/endCursor");
    assert_string_equal(e[3].name, "votes");
    assert_true(e[3].has_parent && e[3].parent == 1);
    assert_int_equal(e[3].pages.kind, JOB_PAGES_AUTO);
    assert_int_equal(job.var_count, 4);
    assert_string_equal(job.vars[1].values[2], "7");
    assert_string_equal(job.vars[1].values[0], "\"toronto\"");
    assert_string_equal(job.vars[2].text, "/jobs/ids.csv");
    assert_int_equal(job.pace.cap, 20);
    assert_true(job.pace.is_auto);
    assert_int_equal(job.retry.attempts, 5);
    assert_int_equal(job.retry.status_count, 3);
    assert_int_equal(job.network.total_timeout_us, 45 * US_PER_S);
    assert_int_equal(job.output_count, 2);
    assert_string_equal(job.outputs[0], "csv");
    assert_string_equal(job.outputs[1], "parquet");
    assert_int_equal(job.poll.every_us, 30 * US_PER_S);
    assert_int_equal(job.poll.count, 5);
    assert_true(job.poll.until_us == INT64_C(1798761599000000));
    job_release(&job);
}

static void write__reads_back_the_same__without_a_secret(void **state)
{
    static const char *const logins[] = {
        "{\"bearer\":\"${JOB_FILE_KEY}\"}",
        "{\"bearer\":\"typed-t0ken\"}",
        "{\"basic\":{\"user\":\"me\",\"password\":\"${JOB_FILE_PASSWORD}\"}}",
        "{\"digest\":{\"user\":\"me\",\"password\":\"${JOB_FILE_PASSWORD}\"}}",
        "{\"key\":\"${JOB_FILE_KEY}\",\"header\":\"X-Api-Key\"}",
        "{\"key\":\"${JOB_FILE_KEY}\",\"query\":\"api_key\"}",
        ("{\"oauth2\":{\"url\":\"https://h/token\",\"client_id\":\"me\",\"client_secret\":"
         "\"${JOB_FILE_KEY}\",\"scope\":\"read write\"}}"),
        "{\"url\":\"https://h/login\",\"body\":\"u=me&p=${JOB_FILE_PASSWORD}\",\"method\":\"PUT\"}",
        "{\"url\":\"https://h/login\",\"json\":{\"user\":\"me\",\"password\":\"typed-t0ken\"}}",
        "{\"bearer\":\"${JOB_FILE_KEY}\"},\"retry\":{\"statuses\":[\"+403\",\"-500\"]}",
        "{\"bearer\":\"${JOB_FILE_KEY}\"},\"retry\":{\"statuses\":[403,\"-429\"]}",
    };
    struct buf first = { 0 }, second = { 0 }, text = { 0 };
    struct job job, again;
    struct err err = { .text = "" };

    (void)state;
    set_environment();
    for (size_t i = 0; i <= sizeof logins / sizeof logins[0]; i++) {
        buf_reset(&first);
        buf_reset(&second);
        buf_reset(&text);
        if (i == 0) {
            must_parse(&job, everything);
        } else {
            assert_int_equal(buf_printf(&text,
                                        "{\"endpoints\":[{\"url\":\"https://h/\"}],\"login\":%s}",
                                        logins[i - 1]),
                             RESULT_OK);
            must_parse(&job, buf_cstr(&text));
        }
        assert_int_equal(job_write(&job, &first, &err), RESULT_OK);
        assert_null(memmem(first.data, first.len, "k3y-of", 6));
        assert_null(memmem(first.data, first.len, "ord&1", 5));
        assert_null(memmem(first.data, first.len, "ord%261", 7));
        assert_null(memmem(first.data, first.len, "typed-t0ken", 11));
        if (job_read(&again, buf_view(&first), "/run/job.json", &err) != RESULT_OK) {
            fail_msg("%s: %s", err.text, buf_cstr(&first));
        }
        assert_int_equal(job_write(&again, &second, &err), RESULT_OK);
        assert_string_equal(buf_cstr(&first), buf_cstr(&second));
        assert_true(job_same_requests(&job, &again));
        assert_int_equal(job_finish(&again, &err),
                         strstr(buf_cstr(&text), "typed-t0ken") ? RESULT_INVALID : RESULT_OK);
        job_release(&job);
        job_release(&again);
    }
    buf_release(&first);
    buf_release(&second);
    buf_release(&text);
}

static void read_without_secrets__needs_none(void **state)
{
    struct buf text = { 0 };
    struct job job, again;
    struct err err = { .text = "" };

    (void)state;
    set_environment();
    must_parse(&job, everything);
    assert_int_equal(job_write(&job, &text, &err), RESULT_OK);
    unsetenv("JOB_FILE_KEY");
    assert_int_equal(job_read(&again, buf_view(&text), "job.json", &err), RESULT_NOT_FOUND);
    assert_string_equal(err.code, "E-SEC2");
    assert_int_equal(job_read_without_secrets(&again, buf_view(&text), "job.json", &err),
                     RESULT_OK);
    assert_true(job_same_requests(&job, &again));
    assert_int_equal(again.header_count, 0);
    job_release(&again);
    job_release(&job);
    buf_release(&text);
}

#define ONE(rest) "{\"endpoints\":[{\"url\":\"https://h/\"" rest "}]}"
#define JOB(rest) "{\"endpoints\":[{\"name\":\"a\",\"url\":\"https://h/\"}]," rest "}"

static const struct {
    const char *text, *code, *want;
} wrong_files[] = {
    { "", "E-CFG2", "j.json:1:1: not valid JSON: empty" },
    { "{\n  \"name\": }", "E-CFG2", "j.json:2:11: not valid JSON" },
    { "{} /* open", "E-CFG2", "j.json:1:4: not valid JSON" },
    { "{}", "E-CFG4", "the job has no \"endpoints\"" },
    { "{\"endpoints\":[]}", "E-CFG4", "the job has no \"endpoints\"" },
    { "{\"endpoints\":[{}]}", "E-CFG4", "the endpoint has no \"url\"" },
    { JOB("\"concurency\":1"), "E-CFG1", "unknown key \"concurency\" of job" },
    { JOB("\"retry\":{\"retries\":5}"), "E-CFG1",
      "unknown key \"retries\" of retry (it is \"attempts\", which counts the first try, too" },
    { JOB("\"pace\":{\"rat\":1}"), "E-CFG1",
      "unknown key \"rat\" of pace (did you mean \"rate\"?)" },
    { JOB("\"headers\":{},\"headers\":{}"), "E-CFG3", "\"headers\" is given twice" },
    { JOB("\"pace\":{\"cap\":-1}"), "E-CFG2", "\"cap\": want a whole number from 1 to 100000" },
    { JOB("\"pace\":{\"cap\":99999999999999999999999}"), "E-CFG2", "\"cap\": want a whole" },
    { JOB("\"retry\":{\"statuses\":[200]}"), "E-CFG2", "\"statuses\": want HTTP statuses" },
    { JOB("\"retry\":{\"statuses\":[\"+200\"]}"), "E-CFG2", "\"+403\" adds one" },
    { JOB("\"retry\":{\"statuses\":[\"403\"]}"), "E-CFG2", "\"+403\" adds one" },
    { JOB("\"retry\":{\"statuses\":[\"+\"]}"), "E-CFG2", "\"+403\" adds one" },
    { JOB("\"retry\":{\"statuses\":[-403]}"), "E-CFG2", "\"+403\" adds one" },
    { JOB("\"retry\":{\"statuses\":429}"), "E-CFG2", "\"statuses\": want an array" },
    { JOB("\"output\":\"x/ml\""), "E-CFG2", "\"output\": want" },
    { JOB("\"every\":\"soon\""), "E-CFG2", "\"every\": \"soon\" is not a time" },
    { JOB("\"every\":\"1ms\""), "E-CFG2", "\"every\": 1ms is out of range" },
    { JOB("\"count\":3"), "E-CFG4", "\"count\" and \"until\" want \"every\"" },
    { JOB("\"every\":1,\"until\":\"tomorrow\""), "E-CFG2", "\"until\": want a time such as" },
    { JOB("\"base\":\"example.org\""), "E-URL4", "\"base\": missing scheme" },
    { JOB("\"base\":\"https://h/?a=1\""), "E-CFG2", "\"base\": want a URL without query" },
    { JOB("\"base\":\"${BASE}\""), "E-SEC4", "run with --base URL" },
    { JOB("\"headers\":{\"X-A\":\"a\\r\\nX-B: b\"}"), "E-HDR2", "X-A: line break not allowed" },
    { JOB("\"headers\":{\"X-A: b\\r\\nX-B\":\"c\"}"), "E-HDR2", "byte \\x3a at 4 is not" },
    { JOB("\"headers\":{\"X-A:\":\"c\"}"), "E-HDR2", "byte \\x3a at 4 is not" },
    { JOB("\"headers\":{\"X\\u003a\":\"c\"}"), "E-HDR2", "byte \\x3a at 2 is not" },
    { JOB("\"headers\":{\"X\\u0000\":\"c\"}"), "E-CFG2", "holds a NUL" },
    { JOB("\"headers\":{\"\":\"c\"}"), "E-HDR2", "header without a name" },
    { JOB("\"headers\":{\"H\\u006fst\":\"c\"}"), "E-HDR2", "header Host cannot be set" },
    { JOB("\"headers\":{\"X-A\":\"c\",\"x-\\u0061\":\"c\"}"), "E-HDR2", "is given twice" },
    { JOB("\"login\":{\"key\":\"bbbbbbbb\",\"header\":\"X-K: a\"}"), "E-HDR2", "byte \\x3a" },
    { JOB("\"vars\":{\"\\u0020\":[1]}"), "E-CFG2", "want a name of letters" },
    { JOB("\"vars\":{\"ab\":[1],\"\\u0061b\":[1]}"), "E-CFG3", "\"ab\" is given twice" },
    { JOB("\"headers\":{\"X-A\":\"${JOB_FILE_NONE}\"}"), "E-SEC2",
      "environment variable JOB_FILE_NONE is not set" },
    { JOB("\"headers\":{\"X-A\":\"@/no/such/file\"}"), "E-SEC1", "cannot read /no/such/file" },
    { JOB("\"tables\":{\"b\":{}}"), "E-CFG5", "no endpoint is named \"b\"" },
    { JOB("\"tables\":{\"a\":{\"uniqe\":[]}}"), "E-CFG1", "(did you mean \"unique\"?)" },
    { JOB("\"tables\":{\"a\":{\"columns\":{\"x\":\"y\"}}}"), "E-PTR1", "" },
    { JOB("\"login\":{}"), "E-CFG4", "\"login\": want one of" },
    { JOB("\"login\":{\"bearer\":\"aaaa\",\"key\":\"bbbb\"}"), "E-CFG8", "\"login\": want one" },
    { JOB("\"login\":{\"key\":\"bbbb\"}"), "E-CFG4", "one of \"header\" and \"query\"" },
    { JOB("\"login\":{\"bearer\":\"aaaa\",\"query\":\"x\"}"), "E-CFG8",
      "\"query\" has no meaning" },
    { JOB("\"login\":{\"digest\":{\"user\":\"a:b\",\"password\":\"c\"}}"), "E-CFG2", "no colon" },
    { JOB("\"login\":{\"basic\":{\"user\":\"a\"}}"), "E-CFG4", "\"basic\" wants \"password\"" },
    { JOB("\"login\":{\"url\":\"https://h/\",\"json\": {\"a\" : \"${JOB_FILE_NONE}\" }}"), "E-SEC2",
      "j.json:1:91: environment variable JOB_FILE_NONE" },
    { JOB("\"login\":{\"url\":\"/login\"}"), "E-URL4", "\"login\": missing scheme" },
    { JOB("\"login\":{\"url\":\"https://h/\",\"token\":\"access\"}"), "E-PTR1", "JSON Pointer" },
    { JOB("\"login\":{\"bearer\":\"aaaa\",\"send\":\"X-T: {tokn}\"}"), "E-CFG5", "{token}" },
    { JOB("\"vars\":{\"id\":\"[1-\"}"), "E-GLOB1", "\"id\": bad URL pattern" },
    { JOB("\"vars\":{\"id\":[]}"), "E-CFG2", "\"id\": the list is empty" },
    { JOB("\"vars\":{\"id\":[{}]}"), "E-CFG2", "\"id\": want strings, numbers" },
    { JOB("\"vars\":{\"id\":7}"), "E-CFG2", "\"id\": want a pattern" },
    { JOB("\"vars\":{\"i d\":\"7\"}"), "E-CFG2", "variable \"i d\": want a name" },
    { JOB("\"vars\":{\"a\":\"7\"}"), "E-CFG7", "an endpoint and a variable are named \"a\"" },
    { JOB("\"vars\":{\"d\":{\"from\":\"2026-02-30\",\"to\":\"2026-03-01\"}}"), "E-CFG2",
      "\"from\": want a date" },
    { JOB("\"vars\":{\"d\":{\"from\":\"2026-02-03\",\"to\":\"2026-02-01\"}}"), "E-CFG2",
      "\"to\" is before \"from\"" },
    { JOB("\"vars\":{\"d\":{\"from\":\"2026-02-03\"}}"), "E-CFG4", "\"d\": want {\"file\"" },
    { ONE(",\"method\":\"HEAD\""), "E-ARG8", "method \"HEAD\" is not one of" },
    { ONE(",\"records\":\"items\""), "E-PTR1", "\"items\" is no JSON Pointer" },
    { ONE(",\"json\":{},\"body\":\"a\""), "E-CFG8", "both \"json\" and \"body\"" },
    { ONE(",\"pages\":\"offset\""), "E-CFG2", "\"pages\": want \"auto\"" },
    { ONE(",\"pages\":{}"), "E-CFG4", "\"pages\": want one of" },
    { ONE(",\"pages\":{\"param\":\"p\",\"next\":\"/n\"}"), "E-CFG8", "\"pages\": want one of" },
    { ONE(",\"pages\":{\"cursor\":\"/c\"}"), "E-CFG4", "\"cursor\" wants \"param\"" },
    { ONE(",\"pages\":{\"param\":\"p\",\"size_param\":\"n\"}"), "E-CFG4", "wants \"size\"" },
    { ONE(",\"pages\":{\"param\":\"/p\"}"), "E-CFG4", "points into a body" },
    { ONE(",\"with\":[\"nobody.id\"]"), "E-CFG5", "{nobody.id} names neither" },
    { "{\"endpoints\":[{\"url\":\"/x\"}]}", "E-CFG4", "relative, and there is no \"base\"" },
    { "{\"endpoints\":[{\"url\":\"ftp://h/x\"}]}", "E-URL3", "scheme \"ftp\" not allowed" },
    { "{\"endpoints\":[{\"url\":\"https://h/a b\"}]}", "E-URL1", "space in URL at byte 12" },
    { "{\"endpoints\":[{\"url\":\"https://h/\\u000d\\u000a\"}]}", "E-URL1", "control character" },
    { "{\"endpoints\":[{\"url\":\"https://u:p@h/\"}]}", "E-URL5", "" },
    { "{\"endpoints\":[{\"url\":\"https://h:99999/\"}]}", "E-URL2", "port \"99999\"" },
    { "{\"endpoints\":[{\"url\":\"https:///x\"}]}", "E-URL4", "" },
    { "{\"endpoints\":[{\"url\":\"https://good@evil.test/\"}]}", "E-URL5", "" },
    { "{\"endpoints\":[{\"url\":\"https://[::1\"}]}", "E-URL2", "" },
    { "{\"endpoints\":[{\"url\":\"https://h/\\u001b[31m\"}]}", "E-URL1", "control character" },
    { "{\"endpoints\":[{\"url\":\"file:///etc/passwd\"}]}", "E-URL3", "scheme \"file\"" },
    { "{\"endpoints\":[{\"url\":\"https://h/{id\"}]}", "E-TPL1", "at byte 11" },
    { "{\"endpoints\":[{\"url\":\"https://h/[1-9]\"}]}", "E-CFG5", "is a variable's" },
    { "{\"endpoints\":[{\"url\":\"https://h/?k=${JOB_FILE_KEY}\"}]}", "E-SEC4", "would be stored" },
    { "{\"vars\":{\"city\":\"x\"},\"endpoints\":[{\"url\":\"https://h/{ctiy}\"}]}", "E-CFG5",
      "{ctiy} names neither a variable nor an endpoint (did you mean \"city\"?)" },
    { "{\"endpoints\":[{\"name\":\"a\",\"url\":\"https://h/\"},{\"name\":\"a\",\"url\":"
      "\"https://h/b\"}]}",
      "E-CFG7", "two endpoints are named \"a\"" },
    { "{\"endpoints\":[{\"name\":\"a\",\"url\":\"https://h/\"},{\"url\":\"https://h/b\"}]}",
      "E-CFG4", "no \"name\", which several" },
    { "{\"endpoints\":[{\"name\":\"a\",\"url\":\"https://h/\"},{\"name\":\"b\",\"url\":"
      "\"https://h/{a}\"}]}",
      "E-CFG5", "{a} is an endpoint; want a field" },
    { "{\"endpoints\":[{\"name\":\"a\",\"url\":\"https://h/{a.id}\"}]}", "E-CFG6",
      "none can begin: a" },
    { "{\"endpoints\":[{\"name\":\"a\",\"url\":\"https://h/{c.id}\"},{\"name\":\"b\",\"url\":"
      "\"https://h/{a.id}\"},{\"name\":\"c\",\"url\":\"https://h/{b.id}\"}]}",
      "E-CFG6", "none can begin: a, b, c" },
    { "{\"endpoints\":[{\"name\":\"a\",\"url\":\"https://h/\"},{\"name\":\"b\",\"url\":"
      "\"https://h/\"},{\"name\":\"c\",\"url\":\"https://h/{a.id}/{b.id}\"}]}",
      "E-CFG9", "do not follow one another" },
    { "{\"vars\":{\"v\":\"[1-2]\"},\"endpoints\":[{\"name\":\"a\",\"url\":\"https://h/\"},"
      "{\"name\":\"b\",\"url\":\"https://h/{a.id}/{v}\"}]}",
      "E-CFG9", "{v} has no value here" },
};

static void parse__says_where_and_what__when_something_is_wrong(void **state)
{
    (void)state;
    set_environment();
    for (size_t i = 0; i < sizeof wrong_files / sizeof wrong_files[0]; i++) {
        struct job job;
        struct err err;

        if (job_file_parse(&job, str_view(wrong_files[i].text), "j.json", NULL, &faults, &err) !=
            RESULT_INVALID) {
            fail_msg("%s: was taken", wrong_files[i].text);
        }
        if (faults.count != 1 || strcmp(faults.errors[0].code, wrong_files[i].code) != 0 ||
            !strstr(faults.errors[0].text, wrong_files[i].want)) {
            fail_msg("%s: want %s \"%s\", got %zu: %s \"%s\"", wrong_files[i].text,
                     wrong_files[i].code, wrong_files[i].want, faults.count, faults.errors[0].code,
                     faults.errors[0].text);
        }
    }
}

static void parse__tells_every_mistake_at_once__in_the_order_of_the_file(void **state)
{
    static const char text[] = "{\n"
                               "  \"nam\": \"x\",\n"
                               "  \"tables\": { \"b\": {} },\n"
                               "  \"endpoints\": [ { \"name\": \"a\", \"url\": \"https://h/{x}\",\n"
                               "      \"records\": \"r\" } ],\n"
                               "  \"pace\": { \"\xC3\xA9\": 1, \"cap\": 0 }\n"
                               "}\n";
    static const char *const wants[] = {
        "j.json:2:4: unknown key \"nam\" of job (did you mean \"name\"",
        "j.json:3:16: \"tables\": no endpoint",
        "j.json:4:40: {x} names neither",
        "j.json:5:18: \"records\"",
        "j.json:6:14: unknown key",
        "j.json:6:28: \"cap\": want"
    };
    struct job job;
    struct err err;

    (void)state;
    assert_int_equal(job_file_parse(&job, str_view(text), "j.json", NULL, &faults, &err),
                     RESULT_INVALID);
    assert_string_equal(err.text, "j.json: 6 mistakes");
    assert_int_equal(faults.count, 6);
    for (size_t i = 0; i < 6; i++) {
        if (!str_starts(str_view(faults.errors[i].text), str_view(wants[i]))) {
            fail_msg("want \"%s\", got \"%s\"", wants[i], faults.errors[i].text);
        }
    }
}

static void parse__counts_what_it_does_not_show(void **state)
{
    struct buf text = { 0 };
    struct job job;

    (void)state;
    assert_int_equal(buf_append_str(&text, STR("{\"endpoints\":[{\"url\":\"https://h/\"}]")),
                     RESULT_OK);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(buf_printf(&text, ",\n\"wrong%d\":1", i), RESULT_OK);
    }
    assert_int_equal(buf_append_char(&text, '}'), RESULT_OK);
    assert_int_equal(job_file_parse(&job, buf_view(&text), "j.json", NULL, &faults, NULL),
                     RESULT_INVALID);
    assert_int_equal(faults.count, 100);
    for (unsigned i = 0; i < JOB_FAULTS_SHOWN; i++) {
        char want[64];

        snprintf(want, sizeof want, "j.json:%u:2: unknown key \"wrong%u\"", i + 2, i);
        assert_true(str_starts(str_view(faults.errors[i].text), str_view(want)));
    }
    buf_release(&text);
}

static void parse__takes_the_base_of_the_command_line__before_its_own(void **state)
{
    struct job job;

    (void)state;
    assert_int_equal(
        job_file_parse(&job,
                       STR("{\"base\":\"https://real/\",\"endpoints\":[{\"url\":\"/a\"}],"
                           "\"login\":{\"url\":\"/login\"}}"),
                       "j.json", &(struct job_given){ .base = "http://127.0.0.1:8000" }, &faults,
                       NULL),
        RESULT_OK);
    assert_string_equal(job.endpoints[0].sources[0].text, "http://127.0.0.1:8000/a");
    assert_string_equal(job.login.url, "http://127.0.0.1:8000/login");
    assert_string_equal(job.name, "j");
    job_release(&job);
}

static void read__refuses__what_is_no_file(void **state)
{
    struct job job;
    struct err err;

    (void)state;
    assert_int_equal(job_file_read(&job, "/", NULL, &faults, &err), RESULT_INVALID);
    assert_string_equal(err.code, "E-IN2");
    assert_int_equal(job_file_read(&job, "/no/such/file.json", NULL, &faults, &err),
                     RESULT_NOT_FOUND);
    assert_string_equal(err.code, "E-IN2");
}

static void secret_files__are_read_by_their_place__and_only_when_private(void **state)
{
    char dir[] = "/tmp/scrapetop-test-XXXXXX", path[64], secret[64];
    static const char text[] =
        "{\"endpoints\":[{\"url\":\"https://h/\"}],"
        "\"headers\":{\"X-Key\":\"@secret\"},\"login\":{\"bearer\":\"@secret\"}}";
    struct job job, again;
    struct buf out = { 0 };
    struct err err;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/j.json", dir);
    snprintf(secret, sizeof secret, "%s/secret", dir);
    fd = open(secret, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "t0p-s3cret\n", 11), 11);
    close(fd);
    assert_int_equal(job_file_parse(&job, str_view(text), path, NULL, &faults, &err), RESULT_OK);
    assert_string_equal(job.headers[0].sent, "X-Key: t0p-s3cret");
    assert_string_equal(job.login.secret.sent, "t0p-s3cret");
    assert_string_equal(job.login.secret.given + 1, secret);
    assert_int_equal(job_write(&job, &out, &err), RESULT_OK);
    assert_null(strstr(buf_cstr(&out), "t0p-s3cret"));
    assert_int_equal(job_read(&again, buf_view(&out), "/elsewhere/job.json", &err), RESULT_OK);
    assert_string_equal(again.headers[0].sent, "X-Key: t0p-s3cret");
    assert_int_equal(job_finish(&again, &err), RESULT_OK);
    job_release(&again);
    job_release(&job);
    chmod(secret, 0644);
    assert_int_equal(job_file_parse(&job, str_view(text), path, NULL, &faults, &err),
                     RESULT_INVALID);
    assert_int_equal(faults.count, 2);
    assert_string_equal(faults.errors[0].code, "E-SEC1");
    unlink(secret);
    rmdir(dir);
    buf_release(&out);
}

/* Where the schema has the keys of an object. */
static struct str find_properties(struct str schema, const struct job_keys *keys)
{
    struct str properties = STR_NONE;
    char pointer[128];

    snprintf(pointer, sizeof pointer, "/definitions/%s/properties", keys->object);
    if (!json_find(schema, keys == job_object(0) ? STR("/properties") : str_view(pointer),
                   &properties)) {
        fail_msg("the schema knows no %s", keys->object);
    }
    return properties;
}

static void schema__says_something_of_each_key__and_names_no_list_that_is_none(void **state)
{
    struct buf text = { 0 };
    const struct job_keys *keys;
    struct str value;

    (void)state;
    assert_int_equal(job_schema_write("csv csv.gz", &text, NULL), RESULT_OK);
    for (size_t i = 0; (keys = job_object(i)); i++) {
        struct str properties = find_properties(buf_view(&text), keys);

        assert_true(keys->help && *keys->help);
        for (size_t k = 0; k < keys->count; k++) {
            char pointer[128];

            snprintf(pointer, sizeof pointer, "/%s/%s", keys->keys[k].name,
                     keys->keys[k].help ? "description" : "$ref");
            if (!json_find(properties, str_view(pointer), &value)) {
                fail_msg("the schema says nothing of \"%s\" of %s", keys->keys[k].name,
                         keys->object);
            }
        }
    }
    for (const char *at = buf_cstr(&text); (at = strstr(at, "\"@")); at++) {
        assert_false(at[2] >= 'a' && at[2] <= 'z'); /* "@FILE" is a word of people */
    }
    assert_true(json_find(buf_view(&text), STR("/definitions/ending/enum/1"), &value));
    assert_true(str_equal(value, STR("\"csv.gz\"")));
    assert_true(
        json_find(buf_view(&text), STR("/definitions/pace/properties/cap/maximum"), &value));
    assert_true(str_equal(value, STR("1000000")));
    buf_release(&text);
}

/* An error or a job, and what it was is still so after being written and read. */
static void survive(struct str text)
{
    struct job job, again;
    struct buf out = { 0 };
    struct err err = { .text = "" };

    if (job_file_parse(&job, text, "/jobs/j.json", NULL, &faults, &err) != RESULT_OK) {
        assert_true(faults.count > 0 || err.text[0]);
        return;
    }
    assert_int_equal(faults.count, 0);
    assert_int_equal(job_write(&job, &out, &err), RESULT_OK);
    if (job_read(&again, buf_view(&out), "job.json", &err) != RESULT_OK) {
        fail_msg("%s: %.*s\n%s", err.text, STR_ARG(text), buf_cstr(&out));
    }
    assert_true(job_same_requests(&job, &again));
    job_release(&again);
    job_release(&job);
    buf_release(&out);
}

static void parse__survives__every_byte_changed_and_every_cut(void **state)
{
    static const char instead[] = "\"{}[]:,/\\* \n0-x$@.\x01\x80\xFF";
    char text[sizeof everything];

    (void)state;
    set_environment();
    for (size_t at = 0; at < sizeof everything - 1; at++) {
        memcpy(text, everything, sizeof everything);
        for (size_t i = 0; i < sizeof instead; i++) { /* the NUL, too */
            text[at] = instead[i];
            survive((struct str){ text, sizeof everything - 1 });
        }
        survive((struct str){ everything, at });
        memmove(text + at, everything + at + 1, sizeof everything - at - 1);
        survive((struct str){ text, sizeof everything - 2 });
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest long_one[] = {
        cmocka_unit_test(parse__survives__every_byte_changed_and_every_cut),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__reads_every_key__of_a_whole_file),
        cmocka_unit_test(write__reads_back_the_same__without_a_secret),
        cmocka_unit_test(read_without_secrets__needs_none),
        cmocka_unit_test(parse__says_where_and_what__when_something_is_wrong),
        cmocka_unit_test(parse__tells_every_mistake_at_once__in_the_order_of_the_file),
        cmocka_unit_test(parse__counts_what_it_does_not_show),
        cmocka_unit_test(parse__takes_the_base_of_the_command_line__before_its_own),
        cmocka_unit_test(read__refuses__what_is_no_file),
        cmocka_unit_test(secret_files__are_read_by_their_place__and_only_when_private),
        cmocka_unit_test(schema__says_something_of_each_key__and_names_no_list_that_is_none),
    };
    return argc > 1 && argv ? cmocka_run_group_tests(long_one, NULL, NULL)
                            : cmocka_run_group_tests(tests, NULL, NULL);
}
