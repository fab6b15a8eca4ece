#include "base/url.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

static void assert_str(struct str got, const char *want)
{
    if (!str_equal(got, str_view(want))) {
        fail_msg("got \"%.*s\", want \"%s\"", STR_ARG(got), want);
    }
}

static void split__takes_it_apart__when_valid(void **state)
{
    static const struct {
        const char *text, *host, *origin, *target;
        uint16_t port;
        bool https, ipv6;
    } cases[] = {
        { "http://h", "h", "http://h", "", 80, false, false },
        { "https://h/", "h", "https://h", "/", 443, true, false },
        { "HTTPS://H.Test:8443/a?b=c#d", "H.Test", "HTTPS://H.Test:8443", "/a?b=c", 8443, true,
          false },
        { "http://h:/x", "h", "http://h:", "/x", 80, false, false },
        { "http://h?x", "h", "http://h", "?x", 80, false, false },
        { "http://h#x", "h", "http://h", "", 80, false, false },
        { "http://[::1]:65535/", "::1", "http://[::1]:65535", "/", 65535, false, true },
        { "http://[2001:db8::192.0.2.1]/", "2001:db8::192.0.2.1", "http://[2001:db8::192.0.2.1]",
          "/", 80, false, true },
        { "http://h/a@b:c", "h", "http://h", "/a@b:c", 80, false, false },
        { "http://h/?u=http://x:99999/", "h", "http://h", "/?u=http://x:99999/", 80, false, false },
        { "http://b\xC3\xBC"
          "cher.example/",
          "b\xC3\xBC"
          "cher.example",
          "http://b\xC3\xBC"
          "cher.example",
          "/", 80, false, false },
        { "http://h/\xC3\xA9", "h", "http://h", "/\xC3\xA9", 80, false, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct url url;
        struct err err = { 0 };

        if (url_split(str_view(cases[i].text), &url, &err) != RESULT_OK) {
            fail_msg("%s: %s", cases[i].text, err.text);
        }
        assert_str(url.host, cases[i].host);
        assert_str(url.origin, cases[i].origin);
        assert_str(url.target, cases[i].target);
        assert_int_equal(url.port, cases[i].port);
        assert_int_equal(url.is_https, cases[i].https);
        assert_int_equal(url.is_ipv6, cases[i].ipv6);
    }
}

/* RELIABILITY's table of bad inputs, rows 1 to 8. */
static void split__says_why__when_refused(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *code, *want;
    } cases[] = {
#define URL(text, code, want) { text, sizeof(text) - 1, code, want }
        URL("http://h/a\rb", "E-URL1", "control character \\x0d in URL at byte 11"),
        URL("http://h/a\nb", "E-URL1", "control character \\x0a"),
        URL("http://h/\x1b]0;x\a", "E-URL1", "control character \\x1b"),
        URL("http://h/\0", "E-URL1", "control character \\x00"),
        URL("http://h/\x7f", "E-URL1", "control character \\x7f"),
        URL("http://h/a b", "E-URL1", "space in URL at byte 11; write it as %20"),
        URL("http://[::1", "E-URL2", "bad host"),
        URL("http://[::1]x/", "E-URL2", "bad host"),
        URL("http://[g::1]/", "E-URL2", "bad character in IPv6 address"),
        URL("http://[]/", "E-URL4", "missing host"),
        URL("http://h:99999/", "E-URL2", "port \"99999\" is not within 1 to 65535"),
        URL("http://h:0/", "E-URL2", "port \"0\""),
        URL("http://h:8o/", "E-URL2", "port \"8o\""),
        URL("http://h:-1/", "E-URL2", "port \"-1\""),
        URL("http://a:1:2/", "E-URL2", "port \"1:2\""),
        URL("http://a<b/", "E-URL2", "bad host \"a<b\""),
        URL("http://a\\b/", "E-URL2", "bad host"),
        URL("http:x", "E-URL3", "scheme \"http\" not allowed"),
        URL("file:///etc/passwd", "E-URL3",
            "scheme \"file\" not allowed; only http:// and https://"),
        URL("ftp://h/", "E-URL3", "scheme \"ftp\""),
        URL("gopher://h/", "E-URL3", "scheme \"gopher\""),
        URL("ws://h/", "E-URL3", "scheme \"ws\""),
        URL("javascript:alert(1)", "E-URL3", "scheme \"javascript\""),
        URL("http:///ok", "E-URL4", "missing host"),
        URL("http://", "E-URL4", "missing host"),
        URL("http://?x", "E-URL4", "missing host"),
        URL("http://:80/", "E-URL4", "missing host"),
        URL("h/path", "E-URL4", "missing scheme in \"h/path\""),
        URL("127.0.0.1:9001/x", "E-URL4", "missing scheme"),
        URL("localhost:80/", "E-URL4", "missing scheme"),
        URL("//h/", "E-URL4", "missing scheme"),
        URL("", "E-URL4", "empty URL"),
        URL("http://user:s3cr3t@h/", "E-URL5", "credentials in URL"),
        URL("http://good@evil.test/", "E-URL5", "credentials in URL"),
        URL("http://s3cr3t@h:80/", "E-URL5", "credentials in URL"),
        URL("1user:1s3cr3t@h/", "E-URL4", "missing scheme in URL"),
        URL("user:s3cr3t@h/", "E-URL3", "scheme \"user\" not allowed"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str text = { cases[i].text, cases[i].len };
        struct url url;
        struct err err = { 0 };

        if (url_split(text, &url, &err) == RESULT_OK) {
            fail_msg("\"%s\" was taken", cases[i].text);
        }
        if (strcmp(err.code, cases[i].code) != 0 || !strstr(err.text, cases[i].want)) {
            fail_msg("%s: want %s \"%s\", got %s \"%s\"", cases[i].text, cases[i].code,
                     cases[i].want, err.code, err.text);
        }
        assert_null(strstr(err.text, "s3cr3t"));
    }
}

static void split__is_refused_with_limit__when_too_long(void **state)
{
    static char text[URL_MAX_BYTES + 2] = "http://h/";
    struct url url;
    struct err err = { 0 };

    (void)state;
    memset(text + 9, 'x', sizeof text - 10);
    assert_int_equal(url_split((struct str){ text, URL_MAX_BYTES }, &url, &err), RESULT_OK);
    assert_int_equal(url_split((struct str){ text, URL_MAX_BYTES + 1 }, &url, &err), RESULT_LIMIT);
    assert_string_equal(err.text, "URL too long (8001 > 8000 bytes)");
    memset(text + 7, 'x', URL_HOST_MAX);
    text[7 + URL_HOST_MAX] = '/';
    assert_int_equal(url_split((struct str){ text, 8 + URL_HOST_MAX }, &url, &err), RESULT_OK);
    text[7 + URL_HOST_MAX] = 'x';
    text[8 + URL_HOST_MAX] = '/';
    assert_int_equal(url_split((struct str){ text, 9 + URL_HOST_MAX }, &url, &err), RESULT_LIMIT);
    assert_string_equal(err.code, "E-URL7");
}

static void same_origin__compares_scheme_host_and_port__when_asked(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        { "http://h/a", "HTTP://H:80/b?c", true },     { "https://h/", "https://h:443", true },
        { "http://h/", "https://h/", false },          { "http://h:80/", "http://h:81/", false },
        { "https://h:80/", "http://h:80/", false },    { "http://h/", "http://h.evil/", false },
        { "http://h/", "http://h./", false }, /* another name for cookies and certificates */
        { "http://[::1]/", "http://[::1]:80/", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct url a, b;

        assert_int_equal(url_split(str_view(cases[i].a), &a, NULL), RESULT_OK);
        assert_int_equal(url_split(str_view(cases[i].b), &b, NULL), RESULT_OK);
        assert_int_equal(url_same_origin(&a, &b), cases[i].same);
        assert_int_equal(url_same_origin(&b, &a), cases[i].same);
    }
}

static void origin_key__is_canonical__when_written(void **state)
{
    static const struct {
        const char *url, *key;
    } cases[] = {
        { "HTTP://Example.ORG/a", "http://example.org:80" },
        { "https://h", "https://h:443" },
        { "https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char key[URL_ORIGIN_MAX];
        struct url url;

        assert_int_equal(url_split(str_view(cases[i].url), &url, NULL), RESULT_OK);
        url_origin_key(&url, key);
        assert_string_equal(key, cases[i].key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split__takes_it_apart__when_valid),
        cmocka_unit_test(split__says_why__when_refused),
        cmocka_unit_test(split__is_refused_with_limit__when_too_long),
        cmocka_unit_test(same_origin__compares_scheme_host_and_port__when_asked),
        cmocka_unit_test(origin_key__is_canonical__when_written),
    };

    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
