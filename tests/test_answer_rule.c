/* Rules for answers: how they are read, spelt, written and refused. */
#include "job/job_file.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOB(rules)                                                                                 \
    "{\"endpoints\":[{\"name\":\"a\",\"url\":\"https://h/\"}],\"answers\":[" rules "]}"

static void parse(struct job *job, const char *text)
{
    struct job_faults faults;
    struct err err;

    if (job_file_parse(job, str_view(text), "j.json", NULL, &faults, &err) != RESULT_OK) {
        fail_msg("%s", faults.count ? faults.errors[0].text : err.text);
    }
}

static void read__fills_every_field(void **state)
{
    struct job job;
    const struct answer_rule *a;

    (void)state;
    parse(
        &job,
        JOB("{\"status\":[404,\"5xx\",\"400-402\"],\"body\":[\"html\",\"empty\"],\"do\":\"empty\"},"
            "{\"at\":\"/error/code\",\"is\":[\"a\",429,true,null],\"do\":\"hold\","
            "\"wait\":\"/error/retry_after\",\"unit\":\"ms\"},"
            "{\"status\":202,\"do\":\"again\",\"wait\":\"header:Retry-After\",\"for\":\"1h\","
            "\"url\":\"header:Location\",\"then\":\"/result/url\"},"
            "{\"header\":\"X-Foo\",\"matches\":\"^a+$\",\"do\":\"stop\"},"
            "{\"at\":\"\",\"absent\":true,\"do\":\"retry\",\"wait\":2.5,\"first\":true}"));
    assert_int_equal(job.answers.count, 5);
    a = job.answers.list;
    assert_int_equal(a[0].action, ANSWER_EMPTY);
    assert_int_equal(a[0].status_count, 3);
    assert_int_equal(a[0].statuses[1].low, 500);
    assert_int_equal(a[0].statuses[1].high, 599);
    assert_int_equal(a[0].statuses[2].high, 402);
    assert_int_equal(a[0].bodies, 1U << ANSWER_BODY_HTML | 1U << ANSWER_BODY_EMPTY);
    assert_string_equal(a[0].text, a[0].json);
    assert_string_equal(a[1].at.name, "/error/code");
    assert_int_equal(a[1].test, ANSWER_TEST_IS);
    assert_int_equal(a[1].value_count, 4);
    assert_string_equal(a[1].values[1].text, "429");
    assert_true(a[1].values[3].is_null && !a[1].values[2].is_null);
    assert_string_equal(a[1].wait.name, "/error/retry_after");
    assert_false(a[1].wait.is_header || a[1].has_wait);
    assert_int_equal(a[1].unit_us, US_PER_MS);
    assert_string_equal(a[2].wait.name, "retry-after");
    assert_true(a[2].wait.is_header && a[2].url.is_header && !a[2].then.is_header);
    assert_int_equal(a[2].for_us, 3600 * US_PER_S);
    assert_int_equal(a[2].unit_us, US_PER_S);
    assert_string_equal(a[3].header.name, "x-foo");
    assert_string_equal(a[3].pattern, "^a+$");
    assert_int_equal(a[4].test, ANSWER_TEST_ABSENT);
    assert_string_equal(a[4].at.name, "");
    assert_true(a[4].has_wait && a[4].wait_us == 2500000 && a[4].is_first);
    job_release(&job);
}

static const struct {
    const char *text, *code, *want;
} wrong_rules[] = {
    { "{\"endpoints\":[{\"url\":\"https://h/\"}],\"answers\":{}}", "E-CFG2", "want an array" },
    { JOB("7"), "E-CFG2", "\"answer\": want an object" },
    { JOB("{\"status\":404}"), "E-CFG4", "the rule has no \"do\"" },
    { JOB("{\"do\":\"fail\"}"), "E-CFG4", "the rule has no condition" },
    { JOB("{\"status\":404,\"do\":\"emtpy\"}"), "E-CFG2", "(did you mean \"empty\"?)" },
    { JOB("{\"status\":404,\"do\":\"ok\"},\n{\"status\":500,\"do\":7}"), "E-CFG2",
      "j.json:2:20: \"do\": want one of ok, empty, end, retry, hold, again, fail, stop, "
      "login" },
    { JOB("{\"status\":404,\"do\":\"ok\",\"statsu\":1}"), "E-CFG1",
      "unknown key \"statsu\" of answer (did you mean \"status\"?)" },
    { JOB("{\"status\":1000,\"do\":\"ok\"}"), "E-CFG2", "want statuses from 100 to 999" },
    { JOB("{\"status\":99,\"do\":\"ok\"}"), "E-CFG2", "want statuses from 100 to 999" },
    { JOB("{\"status\":\"499-400\",\"do\":\"ok\"}"), "E-CFG2", "want statuses from" },
    { JOB("{\"status\":\"4x\",\"do\":\"ok\"}"), "E-CFG2", "want statuses from" },
    { JOB("{\"status\":[],\"do\":\"ok\"}"), "E-CFG2", "\"status\": the list is empty" },
    { JOB("{\"status\":true,\"do\":\"ok\"}"), "E-CFG2", "want statuses from" },
    { JOB("{\"at\":\"error\",\"do\":\"ok\"}"), "E-PTR1", "\"error\" is no JSON Pointer" },
    { JOB("{\"at\":\"/a\",\"matches\":\"(\",\"do\":\"ok\"}"), "E-PAT1",
      "\"matches\": pattern \"(\", byte 2: the parenthesis" },
    { JOB("{\"at\":\"/a\",\"is\":{},\"do\":\"ok\"}"), "E-CFG2", "\"is\": want strings" },
    { JOB("{\"status\":404,\"is\":1,\"do\":\"ok\"}"), "E-CFG4", "want \"at\" or \"header\"" },
    { JOB("{\"at\":\"/a\",\"is\":1,\"matches\":\"a\",\"do\":\"ok\"}"), "E-CFG8", "want one of" },
    { JOB("{\"at\":\"/a\",\"present\":true,\"absent\":true,\"do\":\"ok\"}"), "E-CFG8",
      "want one of" },
    { JOB("{\"at\":\"/a\",\"absent\":false,\"do\":\"ok\"}"), "E-CFG2", "want true" },
    { JOB("{\"at\":\"/a\",\"header\":\"b\",\"is\":1,\"do\":\"ok\"}"), "E-CFG8", "either's" },
    { JOB("{\"header\":\"a b\",\"do\":\"ok\"}"), "E-CFG2", "the name of a header" },
    { JOB("{\"header\":\"\",\"do\":\"ok\"}"), "E-CFG2", "the name of a header" },
    { JOB("{\"body\":\"htlm\",\"do\":\"ok\"}"), "E-CFG2", "\"body\": want" },
    { JOB("{\"status\":1e2,\"do\":\"ok\"}"), "E-CFG2", "want statuses from" },
    { JOB("{\"status\":202,\"do\":\"again\",\"wait\":\"soon\"}"), "E-PTR1",
      "\"soon\" is neither a JSON Pointer (/job/url) nor a header (header:Location) nor a "
      "time" },
    { JOB("{\"status\":202,\"do\":\"again\",\"wait\":\"5x\"}"), "E-CFG2", "\"wait\"" },
    { JOB("{\"status\":202,\"do\":\"again\",\"url\":\"header:\"}"), "E-PTR1", "neither" },
    { JOB("{\"status\":202,\"do\":\"again\",\"url\":\"\"}"), "E-PTR1", "neither" },
    { JOB("{\"status\":202,\"do\":\"again\",\"wait\":1,\"unit\":\"ms\"}"), "E-CFG4",
      "\"unit\" wants" },
    { JOB("{\"status\":202,\"do\":\"again\",\"wait\":\"/a\",\"unit\":\"days\"}"), "E-CFG2",
      "\"unit\": want" },
    { JOB("{\"status\":404,\"do\":\"empty\",\"wait\":1}"), "E-CFG8",
      "\"wait\" has no meaning with \"do\": \"empty\"" },
    { JOB("{\"status\":404,\"do\":\"retry\",\"url\":\"/a\"}"), "E-CFG8", "\"again\" alone" },
    { JOB("{\"status\":202,\"do\":\"again\",\"for\":0}"), "E-CFG2", "\"for\": 0 is out of range" },
    { JOB("{\"status\":\"4xx\",\"do\":\"fail\"},{\"status\":[404,410],\"do\":\"empty\"}"), "E-ANS1",
      "rule 2 can never match: rule 1 takes all" },
    { JOB("{\"at\":\"/e\",\"do\":\"fail\"},{\"at\":\"/e\",\"is\":\"x\",\"do\":\"hold\"}"), "E-ANS1",
      "rule 2 can never match" },
    { "{\"endpoints\":[{\"url\":\"https://h/\",\"answers\":[{\"status\":404,\"do\":\"ok\","
      "\"first\":true}]}]}",
      "E-CFG8", "\"first\" is for rules of the job" },
};

static void read__says_what_and_where__when_a_rule_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong_rules / sizeof wrong_rules[0]; i++) {
        struct job_faults faults;
        struct job job;
        struct err err;

        if (job_file_parse(&job, str_view(wrong_rules[i].text), "j.json", NULL, &faults, &err) ==
            RESULT_OK) {
            fail_msg("taken: %s", wrong_rules[i].text);
        }
        if (!strstr(faults.errors[0].text, wrong_rules[i].want) ||
            strcmp(faults.errors[0].code, wrong_rules[i].code) != 0) {
            fail_msg("%s: %s %s, want %s %s", wrong_rules[i].text, faults.errors[0].code,
                     faults.errors[0].text, wrong_rules[i].code, wrong_rules[i].want);
        }
    }
}

/* Whether the second of two rules stands in vain after the first. */
static void covers__is_told__only_when_it_is_sure(void **state)
{
    static const struct {
        const char *earlier, *later;
        bool want;
    } cases[] = {
        { "status=4xx", "status=404", true },
        { "status=404", "status=4xx", false },
        { "status=400-499,500", "status=404,500", true },
        { "status=404", "at=/a", false },
        { "status=404", "status=404 at=/a", true },
        { "status=404 at=/a", "status=404", false },
        { "at=/a", "at=/a matches=x", true },
        { "at=/a", "at=/a is=null", false }, /* which is not present */
        { "at=/a", "at=/a absent", false },
        { "at=/a absent", "at=/a absent status=200", true },
        { "at=/a is=x,y", "at=/a is=y", true },
        { "at=/a is=x", "at=/a is=x,y", false },
        { "at=/a is=null", "at=/a is='null'", false },
        { "at=/a matches=x", "at=/a matches=x", true },
        { "at=/a matches=x", "at=/a is=x", false },
        { "at=/a", "at=/b", false },
        { "header=a", "header=A is=1", true },
        { "header=a", "at=/a", false },
        { "body=html,text", "body=html status=200", true },
        { "body=html", "status=200", false },
        { "body=html", "status=200 body=html", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char words[128];
        struct job job;
        struct err err;
        enum result result;

        job_init(&job);
        snprintf(words, sizeof words, "%s do=fail", cases[i].earlier);
        assert_int_equal(job_add_answer(&job, str_view(words), &err), RESULT_OK);
        snprintf(words, sizeof words, "%s do=empty", cases[i].later);
        result = job_add_answer(&job, str_view(words), &err);
        if ((result == RESULT_INVALID) != cases[i].want) {
            fail_msg("%s, then %s: %s", cases[i].earlier, cases[i].later,
                     result ? err.text : "taken");
        }
        if (result != RESULT_OK) {
            assert_string_equal(err.code, "E-ANS1");
        }
        job_release(&job);
    }
}

static void spell__makes_the_json_of_a_job_file(void **state)
{
    static const struct {
        const char *words, *json;
    } cases[] = {
        { "status=404 do=empty", "{\"status\":\"404\",\"do\":\"empty\"}" },
        { "  status=404,5xx   do=ok ", "{\"status\":[\"404\",\"5xx\"],\"do\":\"ok\"}" },
        { "at=/a absent do=fail", "{\"at\":\"/a\",\"absent\":true,\"do\":\"fail\"}" },
        { "at=/a is='a, b',\"c\" do=fail",
          "{\"at\":\"/a\",\"is\":[\"a, b\",\"c\"],\"do\":\"fail\"}" },
        { "at=/a is=null,true,'null'", "{\"at\":\"/a\",\"is\":[null,true,\"null\"]}" },
        { "at= is=", "{\"at\":\"\",\"is\":\"\"}" },
        { "at=/a matches='^a b$'", "{\"at\":\"/a\",\"matches\":\"^a b$\"}" },
        { "at=/a matches=null", "{\"at\":\"/a\",\"matches\":\"null\"}" },
        { "{\"status\": 404}", "{\"status\": 404}" },
        { "at=/\"\\", "{\"at\":\"/\\\"\\\\\"}" },
    };
    static const struct {
        const char *words, *want;
    } bad[] = {
        { "404", "\"404\" is no condition" },
        { "status=404 do", "\"do\" is no condition" },
        { "at=/a is='x do=ok", "is=: its quote is not closed" },
        { "at=/a is='x'y do=ok", "want a blank after" },
    };
    struct buf json = { 0 };
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(answer_rule_spell(str_view(cases[i].words), &json, &err), RESULT_OK);
        assert_string_equal(buf_cstr(&json), cases[i].json);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(answer_rule_spell(str_view(bad[i].words), &json, &err), RESULT_INVALID);
        if (!strstr(err.text, bad[i].want)) {
            fail_msg("%s: %s", bad[i].words, err.text);
        }
    }
    buf_release(&json);
}

static void add__puts_rules_of_the_command_line_first__and_job_json_keeps_them_so(void **state)
{
    struct buf first = { 0 }, second = { 0 };
    struct job job, again;
    struct err err = { .text = "" };

    (void)state;
    parse(&job,
          "{\"endpoints\":[{\"name\":\"a\",\"url\":\"https://h/\",\"answers\":[{\"status\":404,"
          "\"do\":\"fail\"}]}],\"answers\":[{\"status\":404, \"do\":\"end\"}]}");
    assert_int_equal(job_add_answer(&job, STR("status=404 do=empty"), &err), RESULT_OK);
    assert_int_equal(job_add_answer(&job, STR("{\"status\":410,\"do\":\"empty\"}"), &err),
                     RESULT_OK);
    assert_int_equal(job.answers.count, 3);
    assert_true(job.answers.list[0].is_first && job.answers.list[1].is_first);
    assert_string_equal(job.answers.list[0].text, "status=404 do=empty");
    assert_string_equal(job.answers.list[1].json,
                        "{\"first\":true,\"status\":410,\"do\":\"empty\"}");
    assert_string_equal(job.answers.list[2].text, "{\"status\":404,\"do\":\"end\"}");
    assert_int_equal(job_write(&job, &first, &err), RESULT_OK);
    if (job_read(&again, buf_view(&first), "job.json", &err) != RESULT_OK) {
        fail_msg("%s: %s", err.text, buf_cstr(&first));
    }
    assert_int_equal(job_write(&again, &second, &err), RESULT_OK);
    assert_string_equal(buf_cstr(&first), buf_cstr(&second));
    assert_int_equal(again.answers.count, 3);
    assert_int_equal(again.endpoints[0].answers.count, 1);
    answer_rules_drop_first(&again.answers);
    assert_int_equal(again.answers.count, 1);
    assert_int_equal(again.answers.list[0].action, ANSWER_END);
    assert_int_equal(job_add_answer(&job, STR("status=404 do=emtpy"), &err), RESULT_INVALID);
    assert_non_null(strstr(err.text, "did you mean \"empty\"?"));
    assert_null(strstr(err.text, ":1:"));
    job_release(&job);
    job_release(&again);
    buf_release(&first);
    buf_release(&second);
}

static void add__has_a_bound(void **state)
{
    struct job job;
    struct err err;
    enum result result = RESULT_OK;
    char words[64];

    (void)state;
    job_init(&job);
    for (unsigned i = 0; i <= ANSWER_RULES_MAX && result == RESULT_OK; i++) {
        snprintf(words, sizeof words, "status=%u do=empty", 300 + i);
        result = job_add_answer(&job, str_view(words), &err);
    }
    assert_int_equal(result, RESULT_INVALID);
    assert_non_null(strstr(err.text, "more than 64 rules"));
    assert_int_equal(job.answers.count, ANSWER_RULES_MAX);
    job_release(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__fills_every_field),
        cmocka_unit_test(read__says_what_and_where__when_a_rule_is_wrong),
        cmocka_unit_test(covers__is_told__only_when_it_is_sure),
        cmocka_unit_test(spell__makes_the_json_of_a_job_file),
        cmocka_unit_test(add__puts_rules_of_the_command_line_first__and_job_json_keeps_them_so),
        cmocka_unit_test(add__has_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
