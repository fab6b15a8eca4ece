#include "base/url_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void encoded__is_what_is_not_unreserved(void **state)
{
    struct buf out = { 0 };
    char room[64];

    (void)state;
    assert_int_equal(url_append_encoded(&out, STR("aZ09-._~ /+=&%\xC3\xA9\x7F\n")), RESULT_OK);
    assert_string_equal(buf_cstr(&out), "aZ09-._~%20%2F%2B%3D%26%25%C3%A9%7F%0A");
    assert_true(str_equal(url_decode(buf_view(&out), room), STR("aZ09-._~ /+=&%\xC3\xA9\x7F\n")));
    assert_true(str_equal(url_decode(STR("a+b%2"), room), STR("a b%2")));
    assert_true(str_equal(url_decode(STR("%zz%"), room), STR("%zz%")));
    buf_release(&out);
}

static void check_mended(const char *reference, const char *want)
{
    struct buf out = { 0 };

    assert_int_equal(url_append_mended(&out, str_view(reference)), RESULT_OK);
    assert_string_equal(buf_cstr(&out), want);
    buf_release(&out);
}

static void mended__is_what_a_server_did_not_encode(void **state)
{
    (void)state;
    check_mended("", "");
    check_mended(" http://h.test/a b?c=d e\n", "http://h.test/a%20b?c=d%20e");
    check_mended("http://h.test/a%20b?c=\"<>\\^`{|}\"",
                 "http://h.test/a%20b?c=%22%3C%3E%5C%5E%60%7B%7C%7D%22");
    check_mended("/caf\xC3\xA9?x[y]='1'&z=1+2#f", "/caf%C3%A9?x[y]='1'&z=1+2#f");
    check_mended("?a b", "?a%20b");
    check_mended("a//b c", "a//b%20c");
    check_mended("http://a b/c", "http://a b/c"); /* a host is not for us to mend, ... */
    check_mended("//caf\xC3\xA9.test/c", "//caf\xC3\xA9.test/c");
    check_mended("/a\tb\x7F",
                 "/a\tb\x7F"); /* ... and control characters mean that somebody tries something */
}

static void params__are_walked_and_found(void **state)
{
    struct url_params params;
    struct str name, value;

    (void)state;
    url_params_begin(&params, STR("http://h.test/?a=1&&b&c=x=y&=z#?d=4"));
    assert_true(url_params_next(&params, &name, &value));
    assert_true(str_equal(name, STR("a")) && str_equal(value, STR("1")));
    assert_true(url_params_next(&params, &name, &value));
    assert_true(str_equal(name, STR("b")) && !value.data);
    assert_true(url_params_next(&params, &name, &value));
    assert_true(str_equal(name, STR("c")) && str_equal(value, STR("x=y")));
    assert_true(url_params_next(&params, &name, &value));
    assert_true(!name.len && str_equal(value, STR("z")));
    assert_false(url_params_next(&params, &name, &value));
    assert_true(url_param(STR("http://h.test?page%5Bn%5D=2&page[n]=3"), STR("page[n]"), &value));
    assert_true(str_equal(value, STR("2")));
    assert_false(url_param(STR("http://h.test/"), STR("a"), &value));
    assert_false(url_param(STR("http://h.test/#?a=1"), STR("a"), &value));
}

static void check_set(const char *url, const char *want)
{
    struct buf out = { 0 };

    assert_int_equal(url_append_with_param(&out, str_view(url), STR("p q"), STR("7")), RESULT_OK);
    assert_string_equal(buf_cstr(&out), want);
    buf_release(&out);
}

static void param__is_set(void **state)
{
    (void)state;
    check_set("http://h.test", "http://h.test?p%20q=7");
    check_set("http://h.test/a?", "http://h.test/a?p%20q=7");
    check_set("http://h.test/a?x=1#f", "http://h.test/a?x=1&p%20q=7");
    check_set("http://h.test/a?p+q=1&x&p%20q=2", "http://h.test/a?p+q=7&x");
    check_set("http://h.test/a?p+q&x=", "http://h.test/a?p+q=7&x=");
}

static void check_dropped(const char *url, const char *want)
{
    struct buf out = { 0 };

    assert_int_equal(url_append_without_param(&out, str_view(url), STR("p q")), RESULT_OK);
    assert_string_equal(buf_cstr(&out), want);
    buf_release(&out);
}

static void param__is_dropped__wherever_it_stands(void **state)
{
    (void)state;
    check_dropped("http://h.test/a?p%20q=1", "http://h.test/a");
    check_dropped("http://h.test/a?p+q=1&x=2#f", "http://h.test/a?x=2");
    check_dropped("http://h.test/a?x=2&p+q&y", "http://h.test/a?x=2&y");
    check_dropped("http://h.test/a?pq=1", "http://h.test/a?pq=1");
}

static void check_resolved(const char *reference, const char *want)
{
    struct buf out = { 0 };

    assert_int_equal(url_append_resolved(&out, STR("http://a.test/b/c/d;p?q"), str_view(reference)),
                     RESULT_OK);
    assert_string_equal(buf_cstr(&out), want);
    buf_release(&out);
}

/* RFC 3986 section 5.4, its host made one of ours. */
static void reference__is_resolved__as_the_rfc_has_it(void **state)
{
    (void)state;
    check_resolved("g:h", "g:h");
    check_resolved("g", "http://a.test/b/c/g");
    check_resolved("./g", "http://a.test/b/c/g");
    check_resolved("g/", "http://a.test/b/c/g/");
    check_resolved("/g", "http://a.test/g");
    check_resolved("//g.test", "http://g.test");
    check_resolved("?y", "http://a.test/b/c/d;p?y");
    check_resolved("g?y", "http://a.test/b/c/g?y");
    check_resolved("#s", "http://a.test/b/c/d;p?q#s");
    check_resolved("g#s", "http://a.test/b/c/g#s");
    check_resolved("g?y#s", "http://a.test/b/c/g?y#s");
    check_resolved(";x", "http://a.test/b/c/;x");
    check_resolved("", "http://a.test/b/c/d;p?q");
    check_resolved(".", "http://a.test/b/c/");
    check_resolved("./", "http://a.test/b/c/");
    check_resolved("..", "http://a.test/b/");
    check_resolved("../", "http://a.test/b/");
    check_resolved("../g", "http://a.test/b/g");
    check_resolved("../..", "http://a.test/");
    check_resolved("../../g", "http://a.test/g");
    check_resolved("../../../g", "http://a.test/g");
    check_resolved("/./g", "http://a.test/g");
    check_resolved("/../g", "http://a.test/g");
    check_resolved("g.", "http://a.test/b/c/g.");
    check_resolved("..g", "http://a.test/b/c/..g");
    check_resolved("./g/.", "http://a.test/b/c/g/");
    check_resolved("g/./h", "http://a.test/b/c/g/h");
    check_resolved("g/../h", "http://a.test/b/c/h");
    check_resolved("g;x=1/../y", "http://a.test/b/c/y");
    check_resolved("g?y/../x", "http://a.test/b/c/g?y/../x");
    check_resolved("g#s/../x", "http://a.test/b/c/g#s/../x");
    check_resolved("http:g", "http:g");
}

static void reference__is_resolved__without_a_path(void **state)
{
    struct buf out = { 0 };

    (void)state;
    assert_int_equal(url_append_resolved(&out, STR("http://a.test?x"), STR("g")), RESULT_OK);
    assert_string_equal(buf_cstr(&out), "http://a.test/g");
    buf_reset(&out);
    assert_int_equal(url_append_resolved(&out, STR("http://a.test"), STR("?p=2")), RESULT_OK);
    assert_string_equal(buf_cstr(&out), "http://a.test?p=2");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoded__is_what_is_not_unreserved),
        cmocka_unit_test(mended__is_what_a_server_did_not_encode),
        cmocka_unit_test(params__are_walked_and_found),
        cmocka_unit_test(param__is_set),
        cmocka_unit_test(param__is_dropped__wherever_it_stands),
        cmocka_unit_test(reference__is_resolved__as_the_rfc_has_it),
        cmocka_unit_test(reference__is_resolved__without_a_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
