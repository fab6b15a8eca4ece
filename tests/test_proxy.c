/* Whom a proxy is for, compared with what the libcurl that is here makes of the same list. */
#include "fetch/proxy.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PROXY "http://127.1.1.1:3128"

/* --- URLs of proxies -------------------------------------------------------------------------------------- */

static void proxy_url_split__takes__what_curl_takes(void **state)
{
    static const struct {
        const char *text, *shown, *user;
        bool resolves;
    } good[] = {
        { "proxy.example:3128", "http://proxy.example:3128", "", true },
        { "http://proxy.example", "http://proxy.example", "", true },
        { "HTTPS://a:b@proxy.example:443/", "https://proxy.example:443", "a:b", true },
        { "socks5h://u%40x:p%3A@[::1]:1080", "socks5h://[::1]:1080", "u%40x:p%3A", true },
        { "socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080", "", false },
        { "socks4a://h:1", "socks4a://h:1", "", true },
        { "http://a:p@ss@h:1", "http://h:1", "a:p@ss", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct buf shown = { 0 };
        struct proxy_url url;

        assert_int_equal(proxy_url_split(str_view(good[i].text), &url, NULL), RESULT_OK);
        assert_int_equal(proxy_url_append_shown(&url, &shown), RESULT_OK);
        assert_string_equal(buf_cstr(&shown), good[i].shown);
        assert_int_equal(url.user.len, strlen(good[i].user));
        assert_memory_equal(url.user.data ? url.user.data : "", good[i].user, url.user.len);
        assert_int_equal(proxy_kind_resolves(url.kind), good[i].resolves);
        buf_release(&shown);
    }
}

static void proxy_url_split__refuses__what_is_none_and_repeats_no_credentials(void **state)
{
    static const char *const bad[] = {
        "ftp://h:1",
        "http://",
        "http://s3cret:s3cret@",
        "h:0",
        "h:65536",
        "h:12x",
        "http://h/path",
        "h h:1",
        "[::1:3128",
        "http://h:1?x",
        "socks6://s3cret@h:1",
        "h\n:1",
        ":3128",
        "http://u:x@s3cret word",
        "user:s3cret",
        "http://user:s3cret",
        "s3cret://x@h:1",
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct proxy_url url;

        assert_int_equal(proxy_url_split(str_view(bad[i]), &url, &err), RESULT_INVALID);
        assert_string_equal(err.code, "E-PRX1");
        assert_null(strstr(err.text, "s3cret"));
    }
}

static void proxy_url_append_decoded__resolves__escapes_and_nothing_else(void **state)
{
    struct buf out = { 0 };

    (void)state;
    assert_int_equal(proxy_url_append_decoded(STR("a%40b+c%zz%4"), &out), RESULT_OK);
    assert_string_equal(buf_cstr(&out), "a@b+c%zz%4");
    buf_release(&out);
}

/* --- whom it is for --------------------------------------------------------------------------------------- */

/* No socket is had: only the address that it would be for. */
static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    char *first = context;
    struct sockaddr_in in;

    (void)purpose;
    if (address->family == AF_INET) {
        memcpy(&in, &address->addr, sizeof in);
        if (!first[0]) {
            inet_ntop(AF_INET, &in.sin_addr, first, INET_ADDRSTRLEN);
        }
    } else if (!first[0]) {
        snprintf(first, INET_ADDRSTRLEN, "::");
    }
    return CURL_SOCKET_BAD;
}

static bool libcurl_goes_past(const char *list, const char *host)
{
    char first[INET_ADDRSTRLEN] = "", text[256];
    struct curl_slist *resolve = NULL;
    CURL *easy = curl_easy_init();

    assert_non_null(easy);
    snprintf(text, sizeof text, "%s:80:127.9.9.9", host);
    resolve = host[0] == '[' ? NULL : curl_slist_append(NULL, text);
    snprintf(text, sizeof text, "http://%s/", host);
    curl_easy_setopt(easy, CURLOPT_URL, text);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, resolve);
    curl_easy_setopt(easy, CURLOPT_PROXY, PROXY);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, list);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, first);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    assert_int_not_equal(curl_easy_perform(easy), CURLE_OK);
    curl_easy_cleanup(easy);
    curl_slist_free_all(resolve);
    assert_true(first[0] != '\0');
    return strcmp(first, "127.1.1.1") != 0;
}

static void proxy_is_not_for__says__what_libcurl_does(void **state)
{
    static const char *const lists[] = {
        "",
        "*",
        "*,x.test",
        "h.test",
        ".h.test",
        "h.test.",
        "www.h.test",
        "H.TEST",
        "test",
        ".",
        "x.test,h.test",
        "x.test, h.test",
        " h.test",
        "x.test,,h.test,",
        "h.test:80",
        "127.0.0.1",
        "127.0.0.0/8",
        "10.0.0.0/8,127.0.0.1/32",
        "127.0.0.1/33",
        "127.0.0.0/9",
        "127.0.0.2/31",
        "127.0.0",
        "0.0.0.0/0",
        "::1",
        "[::1]",
        "fe80::/10",
        "localhost",
    };
    static const char *const hosts[] = { "h.test",    "www.h.test", "xh.test", "h.test.", "test",
                                         "127.0.0.1", "127.0.0.3",  "[::1]",   "10.1.2.3" };
    unsigned past = 0;

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (size_t j = 0; j < sizeof hosts / sizeof hosts[0]; j++) {
            bool is_ipv6 = hosts[j][0] == '[';
            struct str host = str_view(hosts[j]);
            bool want = libcurl_goes_past(lists[i], hosts[j]), got;

            if (is_ipv6) {
                host = (struct str){ host.data + 1, host.len - 2 };
            }
            got = proxy_is_not_for(lists[i], host, is_ipv6);
            if (got != want) {
                print_error("\"%s\" for %s: libcurl %d, here %d\n", lists[i], hosts[j], want, got);
            }
            assert_int_equal(got, want);
            past += want;
        }
    }
    assert_in_range(past, 30, sizeof lists / sizeof lists[0] * sizeof hosts / sizeof hosts[0] - 30);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(proxy_url_split__takes__what_curl_takes),
        cmocka_unit_test(proxy_url_split__refuses__what_is_none_and_repeats_no_credentials),
        cmocka_unit_test(proxy_url_append_decoded__resolves__escapes_and_nothing_else),
        cmocka_unit_test(proxy_is_not_for__says__what_libcurl_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
