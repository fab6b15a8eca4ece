/* plan/link: relations in Link headers, and in arrays of links in a body. */
#include "plan/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TARGET "https://h.example/items?page=2"

static void link_find__takes_the_relation__in_every_form(void **state)
{
    static const char *const values[] = {
        "<" TARGET ">; rel=\"next\"",
        "<" TARGET ">;rel=next",
        "<" TARGET "> ; title=\"a, b; c\" ; REL=\"prev Next\"",
        "<https://h.example/first>; rel=\"first\", <" TARGET ">; rel=\"next\"",
        ", ,<" TARGET ">; rel=\"next\"; rel=\"last\"",
        "<" TARGET ">; rel='next'",
        "<" TARGET ">; rel='last next'; title='a'",
        "https://h.example/first; rel=\"first\", <" TARGET ">; rel=\"next\"",
        "<https://h.example/first>; rel=\"first\" x y, <" TARGET ">; rel=\"next\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct str target = STR_NONE;

        if (!link_find(str_view(values[i]), STR("next"), &target) ||
            !str_equal(target, STR(TARGET))) {
            fail_msg("%s gives \"%.*s\"", values[i], STR_ARG(target));
        }
    }
}

static void link_find__finds_nothing__without_the_relation(void **state)
{
    static const char *const values[] = {
        "",
        "<" TARGET ">",
        "<" TARGET ">; rel=\"last\"",
        "<" TARGET ">; rel=\"nextpage\"",
        "<" TARGET ">; rel=\"next\"; anchor=\"/other\"",
        "<" TARGET "; rel=\"next\"",
        TARGET "; rel=\"next\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct str target = STR_NONE;

        if (link_find(str_view(values[i]), STR("next"), &target)) {
            fail_msg("%s gives \"%.*s\"", values[i], STR_ARG(target));
        }
    }
}

static void link_in_array__takes_the_first__of_a_relation(void **state)
{
    const struct str rel =
        STR("[{\"rel\":\"self\",\"href\":\"/1\"},{\"rel\":\"next\",\"href\":\"/2\"}]");
    const struct str relation = STR("[{\"relation\":\"next\",\"url\":\"/3\"}]");
    const struct str urls =
        STR("[{\"rel\":\"not/next\",\"uri\":\"/4\"},"
            "{\"rel\":\"http://www.opengis.net/def/rel/next\",\"uri\":\"/5\"}]");
    struct str target;

    (void)state;
    assert_true(link_is_array(rel));
    assert_true(link_is_array(STR("[]")));
    assert_false(link_is_array(STR("[1]")));
    assert_false(link_is_array(STR("\"/2\"")));
    assert_true(link_in_array(rel, STR("next"), &target));
    assert_true(str_equal(target, STR("\"/2\"")));
    assert_true(link_in_array(urls, STR("next"), &target));
    assert_true(str_equal(target, STR("\"/5\"")));
    assert_true(link_in_array(relation, STR("next"), &target));
    assert_true(str_equal(target, STR("\"/3\"")));
    assert_false(link_in_array(rel, STR("last"), &target));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(link_find__takes_the_relation__in_every_form),
        cmocka_unit_test(link_find__finds_nothing__without_the_relation),
        cmocka_unit_test(link_in_array__takes_the_first__of_a_relation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
