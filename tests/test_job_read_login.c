/* job/job_read_login: "login" of a job file: its kinds, what may stand beside them, and where secrets stand. */
#include "job/job_file.h"

#include "job/auth/auth_kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct job_faults faults;

static enum result parse(struct job *job, const char *login)
{
    struct err err = { .result = RESULT_OK };
    struct buf text = { 0 };
    enum result result;

    assert_int_equal(
        buf_printf(&text, "{\"endpoints\":[{\"url\":\"https://h/\"}],\n\"login\":%s}", login),
        RESULT_OK);
    faults.count = 0;
    result = job_file_parse(job, buf_view(&text), "/d/j.json", NULL, &faults, &err);
    buf_release(&text);
    return result;
}

static void must_parse(struct job *job, const char *login)
{
    if (parse(job, login) != RESULT_OK) {
        fail_msg("%s: %s", login, faults.errors[0].text);
    }
}

/* What a request would carry goes through `sent`; what is written down goes through `given`. */
static void body__is_compact_json__with_variables_put_in(void **state)
{
    struct job job;

    (void)state;
    must_parse(&job, "{\"url\":\"https://h/in\",\"json\":{ \"user\" : \"me\",\n \"deep\": [ "
                     "{\"p\":\"${LOGIN_WORD}\"}, 1.50 ],"
                     " \"note\": \"a ${LOGIN_WORD} b\" }}");
    assert_ptr_equal(job.login.kind, &auth_call);
    assert_string_equal(job.login.body.sent,
                        "{\"user\":\"me\",\"deep\":[{\"p\":\"a\\\"b&c\"},1.50],"
                        "\"note\":\"a a\\\"b&c b\"}");
    assert_string_equal(job.login.body.given,
                        "{\"user\":\"me\",\"deep\":[{\"p\":\"${LOGIN_WORD}\"},1.50],"
                        "\"note\":\"a ${LOGIN_WORD} b\"}");
    assert_string_equal(job.login.method, "POST");
    assert_string_equal(job.login.token, JOB_LOGIN_TOKEN);
    assert_string_equal(job.login.expires, "/expires_in");
    assert_string_equal(job.login.send, "Authorization: Bearer {token}");
    job_release(&job);
}

static void body__is_not_kept__when_a_password_is_typed_in(void **state)
{
    struct job job;

    (void)state;
    must_parse(&job, "{\"url\":\"https://h/in\",\"json\":{\"password\":\"s3cr3t-typed\"}}");
    assert_string_equal(job.login.body.sent, "{\"password\":\"s3cr3t-typed\"}");
    assert_null(job.login.body.given);
    job_release(&job);
    must_parse(&job, "{\"url\":\"https://h/in\",\"body\":\"u=me&p=typed\"}");
    assert_null(job.login.body.given);
    job_release(&job);
}

static void form__has_what_a_variable_holds__percent_encoded(void **state)
{
    struct job job;

    (void)state;
    must_parse(
        &job,
        "{\"url\":\"https://h/in\",\"body\":\"u=me&p=${LOGIN_WORD}&x=%26\",\"method\":\"PUT\"}");
    assert_string_equal(job.login.body.sent, "u=me&p=a%22b%26c&x=%26");
    assert_string_equal(job.login.body.given, "u=me&p=${LOGIN_WORD}&x=%26");
    assert_string_equal(job.login.method, "PUT");
    job_release(&job);
}

static void key__is_put_where_it_is_told(void **state)
{
    struct job job;

    (void)state;
    must_parse(&job, "{\"key\":\"${LOGIN_WORD}\",\"query\":\"api_key\"}");
    assert_true(job.login.in_query);
    assert_string_equal(job.login.name, "api_key");
    job_release(&job);
    must_parse(&job, "{\"key\":\"${LOGIN_WORD}\",\"header\":\"X-Key\"}");
    assert_false(job.login.in_query);
    assert_string_equal(job.login.name, "X-Key");
    job_release(&job);
}

static void command__knows_the_word_in_which_a_secret_is_typed(void **state)
{
    struct job job;

    (void)state;
    must_parse(&job, "{\"command\":[\"get\",\"--password\",\"s3cr3t-typed\",\"--password\",\"./"
                     "file\",\"-c\",\"plain\"]}");
    assert_int_equal(job.login.command.count, 7);
    assert_int_equal(job.login.command.typed, 1U << 2);
    job_release(&job);
}

static void faults__say_what_to_do__and_where(void **state)
{
    static const struct {
        const char *login, *code, *says;
    } cases[] = {
        { "[]", "E-CFG2", "login" },
        { "{}", "E-CFG4", "want one of" },
        { "{\"bearer\":\"aaaa\",\"url\":\"https://h/\"}", "E-CFG8", "want one of" },
        { "{\"baerer\":\"aaaa\"}", "E-CFG1", "bearer" },
        { "{\"bearer\":\"${LOGIN_NONE}\"}", "E-SEC2", "LOGIN_NONE" },
        { "{\"bearer\":\"aaaa\",\"token\":\"/t\"}", "E-CFG8", "no meaning beside \"bearer\"" },
        { "{\"key\":\"aaaa\",\"header\":\"X\",\"query\":\"x\"}", "E-CFG8",
          "one of \"header\" and \"query\"" },
        { "{\"key\":\"aaaa\",\"header\":\"X Y\"}", "E-HDR2", "" },
        { "{\"basic\":{\"password\":\"a\"}}", "E-CFG4", "\"basic\" wants \"user\"" },
        { "{\"url\":\"https://h/\",\"json\":{},\"body\":\"a\"}", "E-CFG8",
          "both \"json\" and \"body\"" },
        { "{\"url\":\"https://h/\",\"method\":\"P T\"}", "", "" },
        { "{\"url\":\"https://h/\",\"send\":\"X-T: {tokn}\"}", "E-CFG5", "{token}" },
        { "{\"url\":\"https://h/\",\"send\":\"X-T: token\"}", "E-CFG5", "{token}" },
        { "{\"url\":\"https://h/\",\"json\":[\"${LOGIN_NONE}\",\"${LOGIN_NEITHER}\"]}", "E-SEC2",
          "LOGIN_NONE" },
        { "{\"command\":\"get it\"}", "E-CFG2", "want an array of texts" },
        { "{\"command\":[]}", "E-CFG2", "no words" },
        { "{\"command\":[\"get\"],\"timeout\":\"0\"}", "", "timeout" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct job job;

        if (parse(&job, cases[i].login) == RESULT_OK) {
            fail_msg("%s is taken", cases[i].login);
        }
        assert_true(faults.count >= 1);
        if (!strstr(faults.errors[0].text, cases[i].says) ||
            (cases[i].code[0] && strcmp(faults.errors[0].code, cases[i].code) != 0)) {
            fail_msg("%s: %s %s", cases[i].login, faults.errors[0].code, faults.errors[0].text);
        }
        assert_non_null(strstr(faults.errors[0].text, "j.json:2:")); /* the line of "login" */
    }
    /* Two in one body are told both. */
    {
        struct job job;

        assert_int_not_equal(parse(&job, cases[13].login), RESULT_OK);
        assert_int_equal(faults.count, 2);
    }
}

/* No message repeats what a variable holds. */
static void faults__hold_no_secret(void **state)
{
    static const char *const logins[] = {
        "{\"bearer\":\"${LOGIN_WORD}\",\"key\":\"${LOGIN_WORD}\"}",
        "{\"key\":\"${LOGIN_WORD}\",\"header\":\"X Y\"}",
        "{\"digest\":{\"user\":\"a:b\",\"password\":\"${LOGIN_WORD}\"}}",
        "{\"url\":\"https://h/\",\"json\":{\"p\":\"${LOGIN_WORD}\"},\"body\":\"p=${LOGIN_WORD}\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof logins / sizeof logins[0]; i++) {
        struct job job;

        assert_int_not_equal(parse(&job, logins[i]), RESULT_OK);
        for (size_t k = 0; k < faults.count; k++) {
            assert_null(strstr(faults.errors[k].text, "b&c"));
        }
    }
}

static int set_environment(void **state)
{
    (void)state;
    unsetenv("LOGIN_NONE");
    unsetenv("LOGIN_NEITHER");
    return setenv("LOGIN_WORD", "a\"b&c", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body__is_compact_json__with_variables_put_in),
        cmocka_unit_test(body__is_not_kept__when_a_password_is_typed_in),
        cmocka_unit_test(form__has_what_a_variable_holds__percent_encoded),
        cmocka_unit_test(key__is_put_where_it_is_told),
        cmocka_unit_test(command__knows_the_word_in_which_a_secret_is_typed),
        cmocka_unit_test(faults__say_what_to_do__and_where),
        cmocka_unit_test(faults__hold_no_secret),
    };

    return cmocka_run_group_tests(tests, set_environment, NULL);
}
