#include "base/buf.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void append__grows__when_bytes_come(void **state)
{
    struct buf b = { 0 };

    (void)state;
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(buf_append_char(&b, (char)i), RESULT_OK);
    }
    assert_int_equal(b.len, 10000);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(b.data[i], (char)i);
    }
    buf_release(&b);
    assert_null(b.data);
}

static void append__keeps_the_content__when_the_ceiling_is_met(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 5);
    assert_int_equal(buf_append(&b, "abc", 3), RESULT_OK);
    assert_int_equal(buf_append(&b, "def", 3), RESULT_LIMIT);
    assert_int_equal(b.len, 3);
    assert_int_equal(buf_append(&b, "de", 2), RESULT_OK);
    assert_int_equal(buf_append_char(&b, 'x'), RESULT_LIMIT);
    assert_int_equal(buf_append(&b, NULL, 0), RESULT_OK);
    assert_string_equal(buf_cstr(&b), "abcde"); /* the NUL does not count */
    assert_int_equal(buf_reserve(&b, SIZE_MAX), RESULT_LIMIT);
    buf_release(&b);
    assert_int_equal(b.max, 5);
}

static void reserve__fails__when_no_memory_can_be_that_large(void **state)
{
    struct buf b = { 0 };

    (void)state;
    assert_int_equal(buf_append(&b, "abc", 3), RESULT_OK);
    assert_int_equal(buf_reserve(&b, SIZE_MAX - 1), RESULT_LIMIT); /* the sum overflows */
    assert_string_equal(buf_cstr(&b), "abc");
    buf_release(&b);
}

static void printf__takes_any_length__when_formatted(void **state)
{
    char text[600];
    struct buf b;

    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t len = 250; len < 260; len++) { /* around the size that stays on the stack */
        buf_init(&b, len + 2);
        assert_int_equal(buf_printf(&b, "<%.*s>", (int)len, text), RESULT_OK);
        assert_int_equal(b.len, len + 2);
        assert_int_equal(b.data[0], '<');
        assert_int_equal(b.data[len + 1], '>');
        assert_int_equal(buf_printf(&b, "%d", 1), RESULT_LIMIT);
        buf_release(&b);
    }
}

static void reset__keeps_the_memory__when_called(void **state)
{
    struct buf b = { 0 };
    const char *before;

    (void)state;
    assert_int_equal(buf_append_str(&b, STR("abc")), RESULT_OK);
    before = b.data;
    buf_reset(&b);
    assert_int_equal(buf_view(&b).len, 0);
    assert_int_equal(buf_append_str(&b, STR("de")), RESULT_OK);
    assert_ptr_equal(b.data, before);
    buf_release(&b);
}

static void reset_within__releases_the_memory__when_more_than_may_be_kept(void **state)
{
    struct buf b[2] = { { 0 }, { 0 } };
    size_t keep;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(buf_append_str(&b[i], STR("abc")), RESULT_OK);
    }
    keep = b[0].cap + b[1].cap - 1;
    for (size_t i = 0; i < 2; i++) {
        buf_reset_within(&b[i], &keep);
        assert_int_equal(b[i].len, 0);
    }
    assert_non_null(b[0].data);
    assert_null(b[1].data);
    assert_int_equal(keep, b[0].cap - 1);
    buf_release(&b[0]);
}

static void take__moves_the_bytes__when_called(void **state)
{
    struct buf from, to = { 0 };

    (void)state;
    buf_init(&from, 8);
    assert_int_equal(buf_append_str(&from, STR("abc")), RESULT_OK);
    buf_take(&to, &from);
    assert_null(from.data);
    assert_int_equal(from.len, 0);
    assert_int_equal(from.max, 8);
    assert_string_equal(buf_cstr(&to), "abc");
    buf_release(&to);
}

static void cstr__is_empty__when_nothing_was_added(void **state)
{
    struct buf b = { 0 };

    (void)state;
    assert_string_equal(buf_cstr(&b), "");
    assert_int_equal(b.len, 0);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(append__grows__when_bytes_come),
        cmocka_unit_test(append__keeps_the_content__when_the_ceiling_is_met),
        cmocka_unit_test(reserve__fails__when_no_memory_can_be_that_large),
        cmocka_unit_test(printf__takes_any_length__when_formatted),
        cmocka_unit_test(reset__keeps_the_memory__when_called),
        cmocka_unit_test(reset_within__releases_the_memory__when_more_than_may_be_kept),
        cmocka_unit_test(take__moves_the_bytes__when_called),
        cmocka_unit_test(cstr__is_empty__when_nothing_was_added),
    };

    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
