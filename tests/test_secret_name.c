/* job/secret_name, secret_typed: which names and forms make a value a secret. */
#include "job/secret.h"
#include "secret_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names__tell_credentials__from_what_only_sounds_so),
        cmocka_unit_test(typed__is_found__in_every_kind_of_text),
        cmocka_unit_test(forms__are_hidden__in_a_path_and_in_a_header),
        cmocka_unit_test(is_secret__goes_by_the_name__when_asked),
    };

    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
