/* job/secret_hide: values are hidden in any text, however they are escaped or cut. */
#include "job/secret.h"
#include "secret_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void redact__replaces_every_value__when_they_overlap(void **state)
{
    struct secrets secrets = { 0 };
    struct buf out = { 0 };

    (void)state;
    assert_int_equal(secrets_add(&secrets, STR("abcd"), "test", NULL), RESULT_OK);
    assert_int_equal(secrets_add(&secrets, STR("abcdefgh"), "test", NULL), RESULT_OK);
    assert_int_equal(secrets_add(&secrets, STR("abcd"), "test", NULL), RESULT_OK);
    assert_int_equal(secrets_add(&secrets, STR("x"), "test", NULL), RESULT_OK); /* too short */
    assert_int_equal(secrets.count, 2);
    assert_int_equal(
        secrets_redact(&secrets, STR("abcdefgh abcdef abcdabcd abc x"), SECRETS_WHOLE, &out),
        RESULT_OK);
    assert_content(&out, "*** ***ef ****** abc x");
    secrets_release(&secrets);
    assert_int_equal(secrets_redact(&secrets, STR("abcd"), SECRETS_WHOLE, &out), RESULT_OK);
    assert_content(&out, "abcd");
}

static void redact__finds_a_secret__when_it_has_a_percent_sign(void **state)
{
    static const char *const texts[] = { "a=ab%25cd", "a=ab%2525cd", "a=%61b%2525cd" };
    struct secrets secrets = { 0 };
    struct buf out = { 0 };

    (void)state;
    assert_int_equal(secrets_add(&secrets, STR("ab%25cd"), "test", NULL), RESULT_OK);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(secrets_redact(&secrets, str_view(texts[i]), SECRETS_WHOLE, &out),
                         RESULT_OK);
        assert_content(&out, "a=***");
    }
    secrets_release(&secrets);
}

static void redact__finds_a_secret__however_it_is_escaped(void **state)
{
    static const char *const texts[] = {
        "a=p+w/0 x=",     "a=p%2Bw%2F0%20x%3D", "a=p%2bw%2f0+x=",
        "a=p+w%2F0 x%3d", "a=%70+%77/%30+%78=",
    };
    struct secrets secrets = { 0 };
    struct buf out = { 0 };

    (void)state;
    assert_int_equal(secrets_add(&secrets, STR("p+w/0 x="), "test", NULL), RESULT_OK);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_true(secrets_are_in(&secrets, str_view(texts[i])));
        assert_int_equal(secrets_redact(&secrets, str_view(texts[i]), SECRETS_WHOLE, &out),
                         RESULT_OK);
        assert_content(&out, "a=***");
    }
    assert_false(secrets_are_in(&secrets, STR("a=p+w/0 x")));
    assert_false(secrets_are_in(&secrets, STR("p%2Bw%2F0%20x%3")));
    assert_int_equal(secrets_redact(&secrets, STR("100% + p%2Bw%2F0%20x%3"), SECRETS_WHOLE, &out),
                     RESULT_OK);
    assert_content(&out, "100% + p%2Bw%2F0%20x%3");
    secrets_release(&secrets);
}

static void redact__finds_a_secret__as_json_and_html_escape_it(void **state)
{
    static const char *const texts[] = {
        "a=p+w/\"&'x",
        "a=p+w\\/\\\"&'x",
        "a=p\\u002bw\\/\\u0022\\u0026'x",
        "a=p&#43;w/&quot;&amp;&#39;x",
        "a=p+w&#x2F;&#x22;&amp;&apos;x",
        "a=p%2Bw%2F%22%26'x",
        "a=p%252Bw%252F%2522%2526%2527x",
    };
    struct secrets secrets = { 0 };
    struct buf out = { 0 };

    (void)state;
    assert_int_equal(secrets_add(&secrets, STR("p+w/\"&'x"), "test", NULL), RESULT_OK);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(secrets_redact(&secrets, str_view(texts[i]), SECRETS_WHOLE, &out),
                         RESULT_OK);
        assert_content(&out, "a=***");
    }
    secrets_release(&secrets);
}

static void redact__hides_beginnings__of_eight_bytes_and_at_a_cut(void **state)
{
    static const struct {
        enum secret_reach reach;
        const char *text, *want;
    } cases[] = {
        { SECRETS_WHOLE, "token 0123456789abcdef was cut: 0123456789abc",
          "token *** was cut: 0123456789abc" },
        { SECRETS_BEGUN, "token 0123456789abcdef was cut: 0123456789abc",
          "token *** was cut: ***" },
        { SECRETS_BEGUN, "01234567 0123456 012345678x", "*** 0123456 ***x" },
        { SECRETS_BEGUN, "%30123456%37", "***" },
        { SECRETS_BEGUN, "012", "012" },
        { SECRETS_CUT, "x 012", "x ***" },
        { SECRETS_CUT, "x 0123456789abcdef", "x ***" },
        { SECRETS_CUT, "x 012 y", "x 012 y" },
        { SECRETS_BEGUN, "see https://www.example.org", "see https://www.example.org" },
        { SECRETS_BEGUN, "see https://hooks.example", "see ***" },
    };
    struct secrets secrets = { 0 };

    (void)state;
    assert_int_equal(secrets_add(&secrets, STR("0123456789abcdef"), "test", NULL), RESULT_OK);
    assert_int_equal(secrets_add(&secrets, STR("https://hooks.example.org/T0/B1"), "test", NULL),
                     RESULT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = { 0 };

        assert_int_equal(secrets_redact(&secrets, str_view(cases[i].text), cases[i].reach, &out),
                         RESULT_OK);
        assert_content(&out, cases[i].want);
    }
    secrets_release(&secrets);
}

static void seal__keeps_labels_only__and_unseal_puts_in_what_they_are_now(void **state)
{
    static const char given[] = "http://h/?page=2&t=t%2Fok-one&u={secret:env.X}&v=t/ok-one";
    static const char sealed[] =
        "http://h/?page=2&t={secret:login.token}&u={secret:}env.X}&v={secret:login.token}";
    struct secrets before = { 0 }, after = { 0 };
    struct buf out = { 0 };

    (void)state;
    assert_int_equal(secrets_add(&before, STR("t/ok-one"), "login.token", NULL), RESULT_OK);
    assert_int_equal(secrets_add(&after, STR("new&\"tok"), "login.token", NULL), RESULT_OK);
    assert_int_equal(secrets_add(&after, STR("an-older-one-that-is-longer"), "login.token", NULL),
                     RESULT_OK);
    assert_false(secret_is_sealed(STR("http://h/?page=2")));
    assert_int_equal(secrets_seal(&before, str_view(given), &out), RESULT_OK);
    assert_content(&out, sealed);
    assert_true(secret_is_sealed(str_view(sealed)));
    assert_int_equal(secrets_unseal(&after, str_view(sealed), SECRET_IN_URL, &out), RESULT_OK);
    assert_content(&out, "http://h/?page=2&t=new%26%22tok&u={secret:env.X}&v=new%26%22tok");
    assert_int_equal(
        secrets_unseal(&after, STR("{\"a\":\"{secret:login.token}\"}"), SECRET_IN_JSON, &out),
        RESULT_OK);
    assert_content(&out, "{\"a\":\"new&\\\"tok\"}");
    assert_int_equal(secrets_unseal(&after, STR("{secret:gone}"), SECRET_AS_IS, &out),
                     RESULT_NOT_FOUND);
    buf_release(&out);
    assert_int_equal(secrets_redact(&after, str_view(sealed), SECRETS_WHOLE, &out), RESULT_OK);
    assert_content(&out, "http://h/?page=2&t=***&u=***env.X}&v=***");
    secrets_release(&before);
    secrets_release(&after);
}

static void url_redact__hides_values__when_names_are_secret(void **state)
{
    static const struct {
        const char *url, *want;
    } cases[] = {
        { "http://h/a", "http://h/a" },
        { "http://h/a?", "http://h/a?" },
        { "http://h/a?b=1&api_key=xyz&c=2", "http://h/a?b=1&api_key=***&c=2" },
        { "http://h/?token=a%20b#frag", "http://h/?token=***#frag" },
        { "http://h/?ACCESS_TOKEN=a", "http://h/?ACCESS_TOKEN=***" },
        { "http://h/?sig=a=b&sig=c", "http://h/?sig=***&sig=***" },
        { "http://h/?password=&key", "http://h/?password=&key" },
        { "http://h/?monkey=1&keys=2&tokens=3", "http://h/?monkey=1&keys=2&tokens=3" },
        { "http://h/?a=1&&key=2&", "http://h/?a=1&&key=***&" },
        { "http://h/key=1", "http://h/key=1" },
        { "?key=1?x=2", "?key=***" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = { 0 };

        assert_int_equal(url_redact(str_view(cases[i].url), &out), RESULT_OK);
        assert_content(&out, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redact__replaces_every_value__when_they_overlap),
        cmocka_unit_test(redact__finds_a_secret__however_it_is_escaped),
        cmocka_unit_test(redact__finds_a_secret__when_it_has_a_percent_sign),
        cmocka_unit_test(redact__finds_a_secret__as_json_and_html_escape_it),
        cmocka_unit_test(redact__hides_beginnings__of_eight_bytes_and_at_a_cut),
        cmocka_unit_test(seal__keeps_labels_only__and_unseal_puts_in_what_they_are_now),
        cmocka_unit_test(url_redact__hides_values__when_names_are_secret),
    };

    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
