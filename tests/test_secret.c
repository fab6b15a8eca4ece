#include "job/secret.h"

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

static void assert_content(struct buf *b, const char *want)
{
    const char *got = buf_cstr(b);

    assert_non_null(got);
    assert_string_equal(got, want);
    buf_release(b);
}

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

static const char *const secret_headers[] = {
    "Authorization",
    "Proxy-Authorization",
    "X-Authorization",
    "X-Auth",
    "X-Auth-Token",
    "Cookie",
    "X-Api-Key",
    "apikey",
    "X-ApiKey",
    "APIKey",
    "Ocp-Apim-Subscription-Key",
    "X-RapidAPI-Key",
    "jwt",
    "X-JWT-Assertion",
    "X-Passphrase",
    "X-Credential",
    "CB-ACCESS-SIGN",
    "CB-ACCESS-KEY",
    "CB-ACCESS-PASSPHRASE",
    "X-OWA-CANARY",
    "X-CSRF-Token",
    "X-XSRF-TOKEN",
    "Private-Token",
    "X-Amz-Security-Token",
    "X-Session-Id",
    "X-Signature",
    "API-Sign",
    "X-Client-Secret",
    "Key",
    "X-Vault-Token",
    "X-MBX-APIKEY",
    "X-Password",
    "X-Access-Token",
    "X-Auth-Key",
    "X-Hub-Signature-256",
    "X-Sig-V2",
    "Authorization-Token-V2",
    "DPoP",
    "X-Client-Cert",
    "Client-Cert-Chain",
    "X-Forwarded-Client-Cert",
    "X-SSL-Client-Cert",
    "X-ARR-ClientCert",
    "X-Amzn-Mtls-Clientcert-Leaf",
    "X-Client-Certificate",
    "Sec-Token-Binding",
    "Sec-Provided-Token-Binding-ID",
    "X-MS-CLIENT-PRINCIPAL",
    "X-CAS-Ticket",
};

static const char *const plain_headers[] = {
    "authority",        ":authority",   "Author",          "Accept",           "Content-Type",
    "Referer",          "Keywords",     "Idempotency-Key", "X-Monkey",         "Sec-Fetch-Site",
    "X-Auth-Type",      "X-Auth-Email", "Token-Type",      "X-Requested-With", "Origin",
    "X-Concert",        "X-Certain",    "X-Binding",       "X-Certify",        "Ticker",
    "WWW-Authenticate", "X-Sort-Key",   "X-Design",        "X-Passenger",      "",
};

static const char *const secret_params[] = {
    "api_key",
    "apikey",
    "api-key",
    "apiKey",
    "key",
    "token",
    "access_token",
    "accessToken",
    "refresh_token",
    "id_token",
    "auth_token",
    "auth",
    "sig",
    "signature",
    "sign",
    "password",
    "passwd",
    "pwd",
    "pass",
    "secret",
    "client_secret",
    "clientSecret",
    "x-amz-signature",
    "X-Amz-Security-Token",
    "subscription-key",
    "oauth_token",
    "oauth_signature",
    "PHPSESSID",
    "jsessionid",
    "session_id",
    "sessionId",
    "client_assertion",
    "user_password",
    "passphrase",
    "app_key",
    "private_key",
    "otp",
    "login%5Bpassword%5D",
    "user.password",
};

static const char *const plain_params[] = {
    "page_token",
    "pageToken",
    "nextPageToken",
    "next_token",
    "continuation_token",
    "syncToken",
    "sort_key",
    "primary_key",
    "partition_key",
    "monkey",
    "keys",
    "tokens",
    "max_tokens",
    "token_type",
    "auth_type",
    "author",
    "authority",
    "session",
    "design",
    "signed",
    "passenger",
    "bypass",
    "compass",
    "keyword",
    "cursor",
    "username",
    "pinned",
    "",
};

static void names__tell_credentials__from_what_only_sounds_so(void **state)
{
    (void)state;
#define EACH(list, is, want)                                                                       \
    for (size_t i = 0; i < sizeof(list) / sizeof((list)[0]); i++) {                                \
        if (is(str_view((list)[i])) != (want)) {                                                   \
            fail_msg("%s: want %d", (list)[i], want);                                              \
        }                                                                                          \
    }
    EACH(secret_headers, header_is_secret, true)
    EACH(plain_headers, header_is_secret, false)
    EACH(secret_params, url_param_is_secret, true)
    EACH(plain_params, url_param_is_secret, false)
#undef EACH
}

static void typed__is_found__in_every_kind_of_text(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "https://h/x?api_key=abcd&n=[1-3]", "https://h/x?api_key=***&n=[1-3]" },
        { "https://h/x?n=1&token=a%20b%2Fc#f", "https://h/x?n=1&token=***#f" },
        { "https://h/x?token={a,b}&key=[1-9]", "https://h/x?token={a,b}&key=[1-9]" },
        { "https://h/x?page_token=abcdefgh", "https://h/x?page_token=abcdefgh" },
        { "user=me&password=hunter2hunter2", "user=me&password=***" },
        { "grant_type=client_credentials&client_secret=hunter2",
          "grant_type=client_credentials&client_secret=***" },
        { "{\"user\":\"me\",\"password\":\"hun\\\"ter2\"}",
          "{\"user\":\"me\",\"password\":\"***\"}" },
        { "{ \"auth\" : { \"clientSecret\" : \"hunter2\" } }",
          "{ \"auth\" : { \"clientSecret\" : \"***\" } }" },
        { "{\"query\":\"query($p:String){login(password:$p)}\",\"variables\":{\"password\":"
          "\"hunter2\"}}",
          "{\"query\":\"query($p:String){login(password:$p)}\",\"variables\":{\"password\":\"***\"}"
          "}" },
        { "{\"query\":\"mutation{login(user:\\\"me\\\",password: \\\"hunter2\\\"){id}}\"}",
          "{\"query\":\"mutation{login(user:\\\"me\\\",password: \\\"***\\\"){id}}\"}" },
        { "mutation { login(password: \"hunter2\") }", "mutation { login(password: \"***\") }" },
        { "<a><password>hunter2</password></a>", "<a><password>***</password></a>" },
        { "<s:a><s:apikey>v4lue</s:apikey>text<b/></s:a>",
          "<s:a><s:apikey>***</s:apikey>text<b/></s:a>" },
        { "query($apikey: String!, $auth_token:[ID!]) { a(k: $apikey) { b } }",
          "query($apikey: String!, $auth_token:[ID!]) { a(k: $apikey) { b } }" },
        { "{ a(where: apiKey>50000) { apiKey } }", "{ a(where: apiKey>50000) { apiKey } }" },
        { "{\"password\":null,\"token\":true,\"secret\":\"${X}\"}",
          "{\"password\":null,\"token\":true,\"secret\":\"${X}\"}" },
        { "params[api_key]=abcdefgh&a[b]=1", "params[api_key]=***&a[b]=1" },
        { "x=1;token=abcdefgh", "x=1;token=***" },
        { "{\"pass\\u0077ord\":\"hunter2\"}", "{\"pass\\u0077ord\":\"***\"}" },
        { "{\"credentials\": [\"one2\", \"two3\"], \"n\":[\"four\"]}",
          "{\"credentials\": [\"***\", \"***\"], \"n\":[\"four\"]}" },
        { "{\"secret\":{\"type\":\"text\",\"value\":\"hunter2\"},\"value\":\"seen\"}",
          "{\"secret\":{\"type\":\"text\",\"value\":\"***\"},\"value\":\"seen\"}" },
        { "{\"secret\":[{\"value\":\"hunter2", "{\"secret\":[{\"value\":\"***" },
        { "https://h/x?appid=570&sid=news&code=de", "https://h/x?appid=570&sid=news&code=de" },
        { "https://h/x?appid=0123456789abcdef0123", "https://h/x?appid=***" },
        { "text=see ghp_0123456789abcdefXYZ there", "text=see *** there" },
        { "a=eyJhbGciOiJI.eyJzdWIiOiIxMjM0.c2lnbmVk", "a=***" },
        { "ghp_short sk-is-no ask-0123456789abcdefgh",
          "ghp_short sk-is-no ask-0123456789abcdefgh" },
        { "{\"q\":\"login(password: 'hunter2, n: 1)\",\"x\":\"it's\"}",
          "{\"q\":\"login(password: '***, n: 1)\",\"x\":\"it's\"}" },
        { "login(password: 'hunter two', n: 1)", "login(password: '***', n: 1)" },
        { "{secret:tPage enafter} and {secret:a.b}", "{secret:*** enafter} and ***" },
        { "password", "password" },
        { "password=", "password=" },
        { "=&?\"'\\", "=&?\"'\\" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = { 0 };

        assert_int_equal(secret_hide_typed(str_view(cases[i].text), NULL, &out), RESULT_OK);
        assert_content(&out, cases[i].want);
    }
}

static void forms__are_hidden__in_a_path_and_in_a_header(void **state)
{
    struct buf out = { 0 };

    (void)state;
    assert_int_equal(
        secret_hide_forms(STR("https://h/bot123456789:AAF-0123456789abcdef/getMe?a=1"), &out),
        RESULT_OK);
    assert_content(&out, "https://h/***/getMe?a=1");
    assert_int_equal(secret_hide_forms(STR("https://h/bot12:AAF/robots"), &out), RESULT_OK);
    assert_content(&out, "https://h/bot12:AAF/robots");
    assert_true(secret_form_is(STR("Bearer 0123456789ab")));
    assert_true(secret_form_is(STR("token 0123456789ab")));
    assert_true(secret_form_is(STR("id=glpat-0123456789abcdef0123")));
    assert_false(secret_form_is(STR("Basic facts of life")));
    assert_false(secret_form_is(STR("application/json")));
    assert_true(secret_looks_random(STR("0123456789abcdef")));
    assert_false(secret_looks_random(STR("0123456789abcde")));
    assert_false(secret_looks_random(STR("only-letters-in-here")));
    assert_false(secret_looks_random(STR("12 words and a blank")));
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

static void expand__fills_in_variables__when_they_are_set(void **state)
{
    struct secrets secrets = { 0 };
    struct buf out = { 0 };

    (void)state;
    setenv("SCRAPETOP_T1", "first-value", 1);
    setenv("SCRAPETOP_T2", "", 1);
    assert_int_equal(secret_expand(STR("a ${SCRAPETOP_T1}${SCRAPETOP_T2} $b $${c} $$ {d}$"),
                                   &secrets, &out, NULL),
                     RESULT_OK);
    assert_content(&out, "a first-value $b ${c} $$ {d}$");
    assert_int_equal(secrets.count, 1);
    assert_string_equal(secrets.list[0].value, "first-value");
    secrets_release(&secrets);
}

static void expand__names_the_variable__when_it_is_missing(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "${SCRAPETOP_MISSING}", "environment variable SCRAPETOP_MISSING is not set" },
        { "${}", "without a variable's name" },
        { "${A", "without a variable's name" },
        { "${", "without a variable's name" },
        { "${1A}", "without a variable's name" },
        { "${A-B}", "without a variable's name" },
    };

    (void)state;
    unsetenv("SCRAPETOP_MISSING");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct secrets secrets = { 0 };
        struct buf out = { 0 };
        struct err err = { 0 };

        assert_int_not_equal(secret_expand(str_view(cases[i].text), &secrets, &out, &err),
                             RESULT_OK);
        assert_string_equal(err.code, "E-SEC2");
        assert_non_null(strstr(err.text, cases[i].want));
        buf_release(&out);
        secrets_release(&secrets);
    }
}

static void split__takes_the_line__when_it_is_well_formed(void **state)
{
    static const struct {
        const char *line, *name, *value;
    } cases[] = {
        { "X-A: b", "X-A", "b" },
        { "X-A:b", "X-A", "b" },
        { "X-A: \t b c \t", "X-A", "b c" },
        { "Authorization: Bearer a:b:c", "Authorization", "Bearer a:b:c" },
        { "!#$%&'*+-.^_`|~0z: \xC3\xA9", "!#$%&'*+-.^_`|~0z", "\xC3\xA9" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str name, value;

        assert_int_equal(header_split(str_view(cases[i].line), &name, &value, NULL), RESULT_OK);
        assert_true(str_equal(name, str_view(cases[i].name)));
        assert_true(str_equal(value, str_view(cases[i].value)));
    }
}

static void split__refuses_without_repeating_values__when_it_is_not(void **state)
{
    static const struct {
        const char *line;
        size_t len;
        const char *want;
    } cases[] = {
#define LINE(text, want) { text, sizeof(text) - 1, want }
        LINE("", "without a name"),
        LINE("s3cr3t", "without a name"),
        LINE(": s3cr3t", "without a name"),
        LINE("X A: s3cr3t", "header name: byte \\x20 at 2 is not allowed"),
        LINE("X-A : s3cr3t", "header name: byte \\x20 at 4"),
        LINE("X\0A: s3cr3t", "header name: byte \\x00 at 2"),
        LINE("X-\xC3\xA9: s3cr3t", "header name: byte \\xc3 at 3"),
        LINE("X-A: s3cr3t\r\nX-B: c", "header X-A: line break not allowed"),
        LINE("X-A: s3cr3t\n", "header X-A: line break not allowed"),
        LINE("X-A: s3cr3t\0b", "header X-A: control character \\x00"),
        LINE("X-A: s3cr3t\x1b[m", "header X-A: control character \\x1b"),
        LINE("X-A: s3cr3t\x7f", "header X-A: control character \\x7f"),
        LINE("X-A:", "header X-A has no value"),
        LINE("X-A: \t ", "header X-A has no value"),
        LINE("Host: evil", "header Host cannot be set: it follows from the URL"),
        LINE("content-length: 5", "header Content-Length cannot be set"),
        LINE("Transfer-Encoding: chunked", "header Transfer-Encoding cannot be set"),
        LINE("CONNECTION: close", "header Connection cannot be set"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str name, value, line = { cases[i].line, cases[i].len };
        struct err err = { 0 };

        assert_int_equal(header_split(line, &name, &value, &err), RESULT_INVALID);
        assert_string_equal(err.code, "E-HDR2");
        if (!strstr(err.text, cases[i].want)) {
            fail_msg("\"%s\" lacks \"%s\"", err.text, cases[i].want);
        }
        assert_null(strstr(err.text, "s3cr3t"));
    }
}

static void is_secret__goes_by_the_name__when_asked(void **state)
{
    static const char *const secret[] = { "Authorization", "cookie",       "X-Api-Key",
                                          "x-auth-token",  "X-Session-Id", "Proxy-Authorization" };
    static const char *const open[] = { "Accept", "User-Agent", "X-Request-Id", "Referer" };

    (void)state;
    for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++) {
        assert_true(header_is_secret(str_view(secret[i])));
    }
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        assert_false(header_is_secret(str_view(open[i])));
    }
}

/* A temporary file with that mode; the caller unlinks and frees the path. */
static char *file_of(const char *text, size_t len, mode_t mode)
{
    char *path = strdup("/tmp/scrapetop-test-XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static void read_file__refuses__when_others_may_read_it(void **state)
{
    static const struct {
        mode_t mode;
        enum result result;
    } cases[] = { { 0600, RESULT_OK },     { 0400, RESULT_OK },     { 0644, RESULT_DENIED },
                  { 0640, RESULT_DENIED }, { 0604, RESULT_DENIED }, { 0620, RESULT_DENIED } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = file_of("X-A: b\n", 7, cases[i].mode);
        struct buf out = { 0 };
        struct err err = { 0 };

        assert_int_equal(secret_read_file(path, &out, &err), cases[i].result);
        if (cases[i].result == RESULT_OK) {
            assert_content(&out, "X-A: b\n");
        } else {
            assert_string_equal(err.code, "E-SEC1");
            assert_non_null(strstr(err.text, "is readable by others (0"));
            assert_non_null(strstr(err.text, "chmod 600"));
        }
        buf_release(&out);
        unlink(path);
        free(path);
    }
}

static void read_file__refuses__when_it_is_no_small_file(void **state)
{
    static char text[SECRET_FILE_MAX + 1];
    char *path = file_of(text, sizeof text, 0600);
    struct buf out = { 0 };
    struct err err = { 0 };

    (void)state;
    assert_int_equal(secret_read_file(path, &out, &err), RESULT_LIMIT);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(secret_read_file(path, &out, &err), RESULT_DENIED);
    assert_non_null(strstr(err.text, "is not a regular file"));
    unlink(path);
    assert_int_equal(secret_read_file(path, &out, &err), RESULT_NOT_FOUND);
    assert_int_equal(secret_read_file("/", &out, &err), RESULT_DENIED);
    buf_release(&out);
    free(path);
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
        cmocka_unit_test(names__tell_credentials__from_what_only_sounds_so),
        cmocka_unit_test(typed__is_found__in_every_kind_of_text),
        cmocka_unit_test(forms__are_hidden__in_a_path_and_in_a_header),
        cmocka_unit_test(url_redact__hides_values__when_names_are_secret),
        cmocka_unit_test(expand__fills_in_variables__when_they_are_set),
        cmocka_unit_test(expand__names_the_variable__when_it_is_missing),
        cmocka_unit_test(split__takes_the_line__when_it_is_well_formed),
        cmocka_unit_test(split__refuses_without_repeating_values__when_it_is_not),
        cmocka_unit_test(is_secret__goes_by_the_name__when_asked),
        cmocka_unit_test(read_file__refuses__when_others_may_read_it),
        cmocka_unit_test(read_file__refuses__when_it_is_no_small_file),
    };

    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
