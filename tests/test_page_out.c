/* Texts from outside in an HTML page. */

#include "history/page_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static struct buf out;

static const char *text(struct str outside, size_t max)
{
    struct page_out p = { .to = &out };

    buf_reset(&out);
    page_text(&p, outside, max);
    assert_false(p.no_memory);
    return buf_cstr(&out);
}

static void text__never_is_markup(void **state)
{
    (void)state;
    assert_string_equal(text(STR("<a href=\"x\" title='y'>&amp;</a>"), SIZE_MAX),
                        "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
    assert_string_equal(text(STR("</style><script>"), SIZE_MAX), "&lt;/style&gt;&lt;script&gt;");
    assert_string_equal(text(STR("a\nb\tc"), SIZE_MAX), "a\nb\tc");
}

static void text__has_no_bytes__that_a_page_may_not_hold(void **state)
{
    (void)state;
    assert_string_equal(text((struct str){ "a\0b", 3 }, SIZE_MAX), "a\xEF\xBF\xBD"
                                                                   "b");
    assert_string_equal(text(STR("\xff\x1b[2J"), SIZE_MAX), "\xEF\xBF\xBD\xEF\xBF\xBD[2J");
    assert_string_equal(text(STR("\xE2\x80\xAE"
                                 "x"),
                             SIZE_MAX),
                        "\xEF\xBF\xBD"
                        "x"); /* U+202E */
    assert_string_equal(text(STR("gr\xC3\xBC\xC3\x9F"), SIZE_MAX), "gr\xC3\xBC\xC3\x9F");
}

static void text__is_cut__between_characters(void **state)
{
    (void)state;
    assert_string_equal(text(STR("abcdef"), 3), "abc\xE2\x80\xA6");
    assert_string_equal(text(STR("ab\xC3\xBC"
                                 "d"),
                             3),
                        "ab\xE2\x80\xA6");
    assert_string_equal(text(STR("abc"), 3), "abc");
    assert_string_equal(text(STR_NONE, 3), "");
}

static void json_text__is_what_it_means(void **state)
{
    struct page_out p = { .to = &out };

    (void)state;
    buf_reset(&out);
    page_json_text(&p, STR("\"a\\u003cb\\n\""), SIZE_MAX);
    page_json_text(&p, STR(" 12 "), SIZE_MAX);
    page_json_text(&p, STR_NONE, SIZE_MAX);
    assert_string_equal(buf_cstr(&out), "a&lt;b\n12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__never_is_markup),
        cmocka_unit_test(text__has_no_bytes__that_a_page_may_not_hold),
        cmocka_unit_test(text__is_cut__between_characters),
        cmocka_unit_test(json_text__is_what_it_means),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    buf_release(&out);
    return failed;
}
