/* URL patterns. What `expands` and `is_refused` state was taken from curl 7.88.1 itself:
 *   curl -sS -o /dev/null --proxy http://127.0.0.1:1 -w '%{url}\n' PATTERN */
#include "job/glob.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define HEAD "http://127.0.0.1:1/"

static void assert_view_equal(struct str got, const char *want)
{
    char text[4096];

    assert_true(got.len < sizeof text);
    memcpy(text, got.data ? got.data : "", got.len);
    text[got.len] = '\0';
    assert_string_equal(text, want);
}

/* All URLs of a pattern, the head cut off, joined by blanks. */
static void assert_expands(const char *pattern, const char *want)
{
    struct glob *glob;
    struct buf url = { 0 }, all = { 0 };
    struct err err = { 0 };

    if (glob_new(&glob, str_view(pattern), false, &err) != RESULT_OK) {
        fail_msg("%s: %s", pattern, err.text);
    }
    for (uint64_t i = 0; i < glob_count(glob); i++) {
        assert_int_equal(glob_expand(glob, i, &url, NULL), RESULT_OK);
        assert_true(str_starts(buf_view(&url), STR(HEAD)));
        assert_int_equal(buf_printf(&all, "%s%.*s", i ? " " : "", (int)(url.len - strlen(HEAD)),
                                    url.data + strlen(HEAD)),
                         RESULT_OK);
    }
    assert_view_equal(buf_view(&all), want);
    buf_release(&url);
    buf_release(&all);
    glob_free(glob);
}

static void parse__expands_as_curl__when_pattern_is_good(void **state)
{
    static const struct {
        const char *pattern, *urls;
    } cases[] = {
        { HEAD "x", "x" },
        { HEAD "[1-2]/{a,b}", "1/a 1/b 2/a 2/b" },
        { HEAD "[1-2]-[1-2]", "1-1 1-2 2-1 2-2" },
        { HEAD "[001-003]", "001 002 003" },
        { HEAD "[00-010]", "00 01 02 03 04 05 06 07 08 09 10" },
        { HEAD "[008-012:2]", "008 010 012" },
        { HEAD "[0-3]", "0 1 2 3" },
        { HEAD "[1-10:4]", "1 5 9" },
        { HEAD "[1-5:4]", "1 5" },
        { HEAD "[5-5]", "5" },
        { HEAD "[1- 3]", "1 2 3" },
        { HEAD "[1-3: 2]", "1 3" },
        { HEAD "[a-e:2]", "a c e" },
        { HEAD "[a-c: 2]", "a c" },
        { HEAD "[a-a]", "a" },
        { HEAD "[A-C]", "A B C" },
        { HEAD "[Z-b]", "Z [ \\ ] ^ _ ` a b" },
        { HEAD "{a,}", "a " },
        { HEAD "{,}", " " },
        { HEAD "{a}", "a" },
        { HEAD "{a\\,b,c}", "a,b c" },
        { HEAD "{a\\}b,c}", "a}b c" },
        { HEAD "a[]=1", "a[]=1" },
        { HEAD "[]b[1-2]", "[]b1 []b2" },
        { HEAD "?filter[status]=open", "?filter[status]=open" },
        { HEAD "?page[size]=[1-2]&id[0]=a", "?page[size]=1&id[0]=a ?page[size]=2&id[0]=a" },
        { HEAD "?ids=[1,2,3]&n=[1-2]", "?ids=[1,2,3]&n=1 ?ids=[1,2,3]&n=2" },
        { HEAD "?bbox=[1.5,-2.5]", "?bbox=[1.5,-2.5]" },
        { HEAD "?q=price:[10%20TO%20*]", "?q=price:[10%20TO%20*]" },
        { HEAD "?q=[2020-01-01+TO+2020-12-31]", "?q=[2020-01-01+TO+2020-12-31]" },
        { HEAD "?q=[2020-01-01]", "?q=[2020-01-01]" },
        { HEAD "?f=[[\"a\",1],[\"b\",2]]&x=[\"c\"]", "?f=[[\"a\",1],[\"b\",2]]&x=[\"c\"]" },
        { HEAD "?a=[1- 2]", "?a=1 ?a=2" },
        { HEAD "[::1]/[1-2]", "[::1]/1 [::1]/2" },
        { HEAD "[fe80::1%25eth0]", "[fe80::1%25eth0]" },
        { HEAD "\\[1-2\\]", "[1-2]" },
        { HEAD "\\{a,b\\}", "{a,b}" },
        { HEAD "a\\b", "a\\b" },
        { HEAD "[18446744073709551614-18446744073709551615]",
          "18446744073709551614 18446744073709551615" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_expands(cases[i].pattern, cases[i].urls);
    }
}

static void parse__tells_the_position__when_pattern_is_bad(void **state)
{
    static const struct {
        const char *pattern, *code, *text; /* byte 20 is the first after the head */
    } cases[] = {
        { HEAD "{}", "E-GLOB3", "byte 21: nothing within braces" },
        { HEAD "{a,b", "E-GLOB3", "byte 20: unmatched brace" },
        { HEAD "{a\\", "E-GLOB3", "byte 20: unmatched brace" },
        { HEAD "{a,{b}}", "E-GLOB3", "byte 23: nested brace" },
        { HEAD "{a,[1-2]}", "E-GLOB3", "byte 23: nested brace" },
        { HEAD "{a]}", "E-GLOB3", "byte 22: unexpected \"]\"" },
        { HEAD "a]b", "E-GLOB3", "byte 21: unmatched closing" },
        { HEAD "a}b", "E-GLOB3", "byte 21: unmatched closing" },
        { HEAD "a\\\\[1-2]", "E-GLOB3", "byte 27: unmatched closing" },
        { HEAD "[1:2]/x", "E-GLOB1", "byte 22: bad range" },
        { HEAD "[abc]/x", "E-GLOB1", "byte 21: bad range" },
        { HEAD "[abc]/x", "E-GLOB1", "for brackets as they stand write \\[ and \\], or -g" },
        { HEAD "?id=[1..5]", "E-GLOB1", "bad range, want [1-100]" },
        { HEAD "?id=[1-3,5]", "E-GLOB1", "bad range, want \"]\"" },
        { HEAD "[5-1]", "E-GLOB1", "byte 23: bad range, it ends below" },
        { HEAD "[5-5:2]", "E-GLOB1", "byte 23: bad range, the step" },
        { HEAD "[1-5:5]", "E-GLOB1", "byte 23: bad range, the step" },
        { HEAD "[1-5:0]", "E-GLOB1", "byte 23: bad range, the step" },
        { HEAD "[1-5:]", "E-GLOB1", "byte 25: bad range, want \"]\"" },
        { HEAD "[1-5", "E-GLOB1", "byte 24: bad range, want \"]\"" },
        { HEAD "[1-{2}]", "E-GLOB1", "byte 23: bad range, want a number" },
        { HEAD "[ 1-3]", "E-GLOB1", "byte 21: bad range" },
        { HEAD "[-1-3]", "E-GLOB1", "byte 21: bad range" },
        { HEAD "[A-z]", "E-GLOB1", "byte 21: bad range" },
        { HEAD "[z-a]", "E-GLOB1", "byte 21: bad range" },
        { HEAD "[a-]", "E-GLOB1", "bad range" },
        { HEAD "[a-5]", "E-GLOB1", "byte 21: bad range" },
        { HEAD "[a-~]", "E-GLOB1", "byte 21: bad range" },
        { HEAD "[a-c", "E-GLOB1", "byte 24: bad range" },
        { HEAD "[a-c:]", "E-GLOB1", "byte 25: bad range" },
        { HEAD "[a-c:3]", "E-GLOB1", "byte 21: bad range, the step" },
        { HEAD "[a-z:26]", "E-GLOB1", "byte 21: bad range, the step" },
        { HEAD "[1-99999999999999999999]", "E-GLOB1", "byte 23: the range's upper bound" },
        { HEAD "[1-3:+2]", "E-GLOB1", "byte 25: bad range" }, /* curl takes the sign */
        { HEAD "[0-18446744073709551615]", "E-GLOB2", "byte 23: the range has more than" },
        { HEAD "[1-9223372036854775807][1-3]", "E-GLOB2", "byte 43: the pattern makes more than" },
        { "{http,file}://h/", "E-URL3", "value 2 of the part at byte 1: scheme \"file\"" },
        { "http://{a,u:p@b}/", "E-URL5", "value 2 of the part at byte 8: credentials" },
        { "http://h:[1-70000]/", "E-URL2", "value 70000 of the part at byte 10: not a valid URL" },
        { "", "E-URL4", "empty URL" },
        { "http://h/a b", "E-URL1", "space in URL at byte 11" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct glob *glob;
        struct err err = { 0 };

        assert_int_equal(glob_new(&glob, str_view(cases[i].pattern), false, &err), RESULT_INVALID);
        assert_null(glob);
        assert_string_equal(err.code, cases[i].code);
        if (!strstr(err.text, cases[i].text)) {
            fail_msg("%s: \"%s\" lacks \"%s\"", cases[i].pattern, err.text, cases[i].text);
        }
    }
}

static void parse__takes_all_as_it_stands__when_globbing_is_off(void **state)
{
    struct glob *glob;
    struct buf url = { 0 }, key = { 0 };

    (void)state;
    assert_int_equal(glob_new(&glob, STR(HEAD "[1-2]{a}\\["), true, NULL), RESULT_OK);
    assert_int_equal(glob_count(glob), 1);
    assert_int_equal(glob_expand(glob, 0, &url, &key), RESULT_OK);
    assert_view_equal(buf_view(&url), HEAD "[1-2]{a}\\[");
    assert_view_equal(buf_view(&key), "[1-2]{a}\\[");
    buf_release(&url);
    buf_release(&key);
    glob_free(glob);
}

static void parse__keeps_the_host__when_it_is_ipv6(void **state)
{
    struct glob *glob;
    struct buf url = { 0 }, key = { 0 };

    (void)state;
    assert_int_equal(glob_new(&glob, STR("http://[2001:db8::7]:8080/[1-3]"), false, NULL),
                     RESULT_OK);
    assert_int_equal(glob_count(glob), 3);
    assert_int_equal(glob_expand(glob, 2, &url, &key), RESULT_OK);
    assert_view_equal(buf_view(&url), "http://[2001:db8::7]:8080/3");
    assert_view_equal(buf_view(&key), "3");
    buf_release(&url);
    buf_release(&key);
    glob_free(glob);
}

static void parse__refuses_with_limit__when_parts_are_too_many(void **state)
{
    char pattern[8192] = HEAD;
    size_t len = strlen(pattern);
    struct glob *glob;
    struct err err = { 0 };

    (void)state;
    for (unsigned i = 0; i < GLOB_PARTS_MAX; i++) {
        len += (size_t)snprintf(pattern + len, sizeof pattern - len, "{a}");
        assert_true(len < sizeof pattern);
    }
    assert_int_equal(glob_new(&glob, str_view(pattern), false, &err), RESULT_INVALID);
    assert_string_equal(err.code, "E-GLOB4");
}

static void parse__refuses_with_limit__when_a_url_gets_too_long(void **state)
{
    static char pattern[9000];
    struct glob *glob;
    struct err err = { 0 };

    (void)state;
    memset(pattern, 'x', sizeof pattern - 1);
    memcpy(pattern, HEAD, strlen(HEAD));
    memcpy(pattern + 100, "[1-3]", 5);
    assert_int_equal(glob_new(&glob, str_view(pattern), false, &err), RESULT_LIMIT);
    assert_string_equal(err.code, "E-URL7");
}

static void expand__reaches_any_index__when_there_are_billions(void **state)
{
    static const struct {
        uint64_t index;
        const char *url, *key;
    } cases[] = {
        { 0, HEAD "a/1?z=001", "a,1,001" },
        { 998, HEAD "a/1?z=999", "a,1,999" },
        { 999, HEAD "a/2?z=001", "a,2,001" },
        { UINT64_C(1998000000) - 1, HEAD "b/1000000?z=999", "b,1000000,999" },
    };
    struct glob *glob;
    struct buf url = { 0 }, key = { 0 };

    (void)state;
    assert_int_equal(glob_new(&glob, STR(HEAD "{a,b}/[1-1000000]?z=[001-999]"), false, NULL),
                     RESULT_OK);
    assert_int_equal(glob_count(glob), UINT64_C(1998000000));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(glob_expand(glob, cases[i].index, &url, &key), RESULT_OK);
        assert_view_equal(buf_view(&url), cases[i].url);
        assert_view_equal(buf_view(&key), cases[i].key);
    }
    buf_release(&url);
    buf_release(&key);
    glob_free(glob);
}

static void key__is_what_varies__when_expanded(void **state)
{
    static const struct {
        const char *pattern, *key; /* of the last URL */
    } cases[] = {
        { "http://h/items?auctionid=[103293-103297]", "103297" },
        { "http://h/p?page=[1-3]", "page=3" },
        { "http://h/p?a=b&offset=[0-100:50]", "offset=100" },
        { "http://h/p?_page=[1-3]&_limit=10", "_page=3" },
        { "http://h/p?homepage=[1-3]", "3" },
        { "http://h/page=[1-3]", "3" },
        { "http://h/{x}?page=[1-3]", "page=3" },
        { "http://h/{x,y}?page=[1-3]", "y,3" },
        { "http://h/{x,y}", "y" },
        { "http://h/{x}", "x" },
        { "http://h/a/b?c=d#frag", "a/b?c=d" },
        { "http://h/a?api_key=4f3c&b=1", "a?api_key=***&b=1" },
        { "http://h/", "index" },
        { "http://h", "index" },
        { "http://h?x=1", "?x=1" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct glob *glob;
        struct buf url = { 0 }, key = { 0 };

        assert_int_equal(glob_new(&glob, str_view(cases[i].pattern), false, NULL), RESULT_OK);
        assert_int_equal(glob_expand(glob, glob_count(glob) - 1, &url, &key), RESULT_OK);
        assert_view_equal(buf_view(&key), cases[i].key);
        buf_release(&url);
        buf_release(&key);
        glob_free(glob);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__expands_as_curl__when_pattern_is_good),
        cmocka_unit_test(parse__tells_the_position__when_pattern_is_bad),
        cmocka_unit_test(parse__takes_all_as_it_stands__when_globbing_is_off),
        cmocka_unit_test(parse__keeps_the_host__when_it_is_ipv6),
        cmocka_unit_test(parse__refuses_with_limit__when_parts_are_too_many),
        cmocka_unit_test(parse__refuses_with_limit__when_a_url_gets_too_long),
        cmocka_unit_test(expand__reaches_any_index__when_there_are_billions),
        cmocka_unit_test(key__is_what_varies__when_expanded),
    };

    return cmocka_run_group_tests_name("glob", tests, NULL, NULL);
}
