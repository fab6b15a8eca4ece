#include "base/str.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void view__is_none__when_text_is_null(void **state)
{
    (void)state;
    assert_null(str_view(NULL).data);
    assert_int_equal(str_view("abc").len, 3);
}

static void equal__compares_bytes__when_views_hold_nul(void **state)
{
    (void)state;
    assert_true(str_equal(STR("a\0b"), STR("a\0b")));
    assert_false(str_equal(STR("a\0b"), STR("a\0c")));
    assert_false(str_equal(STR("a"), STR("ab")));
    assert_true(str_equal(STR_NONE, STR("")));
    assert_true(str_equal_nocase(STR("Content-TYPE"), STR("content-type")));
    assert_false(str_equal_nocase(STR("@"), STR("`"))); /* 0x20 apart, but no letters */
    assert_false(str_equal_nocase(STR("\xC4"), STR("\xE4")));
}

static void starts__holds__when_prefix_is_empty_or_whole(void **state)
{
    (void)state;
    assert_true(str_starts(STR("abc"), STR("")));
    assert_true(str_starts(STR_NONE, STR_NONE));
    assert_true(str_starts(STR("abc"), STR("abc")));
    assert_false(str_starts(STR("ab"), STR("abc")));
    assert_false(str_starts(STR("xbc"), STR("ab")));
}

static void trim__takes_blanks_off_both_ends__when_there_are_any(void **state)
{
    (void)state;
    assert_true(str_equal(str_trim(STR(" \t\r\na b\n ")), STR("a b")));
    assert_true(str_equal(str_trim(STR("a")), STR("a")));
    assert_int_equal(str_trim(STR(" \n")).len, 0);
    assert_int_equal(str_trim(STR_NONE).len, 0);
    assert_int_equal(str_trim(STR("\v")).len, 1);
}

static void cut__walks_the_fields__when_called_again(void **state)
{
    struct str rest = STR("a,,b");

    (void)state;
    assert_true(str_equal(str_cut(&rest, ','), STR("a")));
    assert_int_equal(str_cut(&rest, ',').len, 0);
    assert_true(str_equal(str_cut(&rest, ','), STR("b")));
    assert_null(rest.data);
    rest = STR("a,");
    assert_true(str_equal(str_cut(&rest, ','), STR("a")));
    assert_non_null(rest.data); /* an empty field is not the end */
    assert_int_equal(str_cut(&rest, ',').len, 0);
    assert_null(rest.data);
    assert_int_equal(str_cut(&rest, ',').len, 0);
}

static void to_u64__takes_digits_only__when_they_fit(void **state)
{
    static const char *const bad[] = { "",
                                       "-1",
                                       "+1",
                                       " 1",
                                       "1 ",
                                       "0x1",
                                       "1.0",
                                       "1e3",
                                       "\xD9\xA1",
                                       "18446744073709551616",
                                       "99999999999999999999999" };
    uint64_t number = 7;

    (void)state;
    assert_true(str_to_u64(STR("18446744073709551615"), &number));
    assert_true(number == UINT64_MAX);
    assert_true(str_to_u64(STR("0000"), &number));
    assert_int_equal(number, 0);
    number = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(str_to_u64(str_view(bad[i]), &number));
        assert_int_equal(number, 7);
    }
}

static void dup__terminates__when_view_does_not(void **state)
{
    char *copy = str_dup((struct str){ "abcdef", 3 }), *empty = str_dup(STR_NONE);

    (void)state;
    assert_string_equal(copy, "abc");
    assert_string_equal(empty, "");
    free(copy);
    free(empty);
}

static void distance__counts_edits__when_words_are_short(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned want;
    } cases[] = {
        { "", "", 0 },
        { "a", "", 1 },
        { "", "abc", 3 },
        { "cap", "cap", 0 },
        { "cap", "cpa", 1 },
        { "cap", "cup", 1 },
        { "cap", "caps", 1 },
        { "kitten", "sitting", 3 },
        { "concurency", "concurrency", 1 },
        { "abcd", "badc", 2 },
        { "ca", "abc", 3 }, /* optimal string alignment, not Damerau's 2 */
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 1 },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a", 32 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(str_distance(str_view(cases[i].a), str_view(cases[i].b)), cases[i].want);
        assert_int_equal(str_distance(str_view(cases[i].b), str_view(cases[i].a)), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(view__is_none__when_text_is_null),
        cmocka_unit_test(equal__compares_bytes__when_views_hold_nul),
        cmocka_unit_test(starts__holds__when_prefix_is_empty_or_whole),
        cmocka_unit_test(trim__takes_blanks_off_both_ends__when_there_are_any),
        cmocka_unit_test(cut__walks_the_fields__when_called_again),
        cmocka_unit_test(to_u64__takes_digits_only__when_they_fit),
        cmocka_unit_test(dup__terminates__when_view_does_not),
        cmocka_unit_test(distance__counts_edits__when_words_are_short),
    };

    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
