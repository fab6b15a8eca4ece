#include "base/json_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void expect_json(void (*write)(struct json_writer *j), bool ascii, const char *want)
{
    struct buf out = { 0 };
    struct json_writer j = json_write_begin(&out);

    j.ascii = ascii;
    write(&j);
    assert_int_equal(j.result, RESULT_OK);
    assert_string_equal(buf_cstr(&out), want);
    buf_release(&out);
}

static void write_every_kind(struct json_writer *j)
{
    json_write_object(j, NULL);
    json_write_uint(j, "big", UINT64_MAX);
    json_write_fixed(j, "price", -5, 2);
    json_write_fixed_text(j, "text", 1250, 2);
    json_write_fixed(j, "whole", INT64_MIN, 0);
    json_write_array(j, "list");
    json_write_null(j, NULL);
    json_write_bool(j, NULL, true);
    json_write_object(j, NULL);
    json_write_object_end(j);
    json_write_array(j, NULL);
    json_write_array_end(j);
    json_write_array_end(j);
    json_write_time(j, "at", 1767225600);
    json_write_object_end(j);
}

static void write_hard_text(struct json_writer *j)
{
    json_write_text(j, NULL, STR("\"\\/\b\f\n\r\t\x01\x7F é😀 \xFF\xC3"));
}

static void json__is_written__as_rfc_8259_wants_it(void **state)
{
    (void)state;
    expect_json(write_every_kind, false,
                "{\"big\":18446744073709551615,\"price\":-0.05,\"text\":\"12.50\","
                "\"whole\":-9223372036854775808,\"list\":[null,true,{},[]],"
                "\"at\":\"2026-01-01T00:00:00Z\"}");
    expect_json(write_hard_text, false,
                "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7F é😀 \\ufffd\\ufffd\"");
    expect_json(write_hard_text, true,
                "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f \\u00e9\\ud83d\\ude00 \\ufffd\\ufffd\"");
}

static void json__keeps_the_first_failure(void **state)
{
    struct buf out = { .max = 10 };
    struct json_writer j = json_write_begin(&out);

    (void)state;
    json_write_array(&j, NULL);
    json_write_text(&j, NULL, STR("longer than ten"));
    json_write_array_end(&j);
    assert_int_equal(j.result, RESULT_LIMIT);
    buf_release(&out);
}

static void write_lines(struct json_writer *j)
{
    json_write_object(j, NULL);
    json_write_known(j, "a", 7, true);
    json_write_line(j, 1);
    json_write_known(j, "b", 7, false);
    json_write_moment(j, "c", 1500000, 0);
    json_write_moment(j, "d", 0, 0);
    json_write_array(j, "e");
    json_write_line(j, 2);
    json_write_raw(j, NULL, STR("{\"x\":1}"));
    json_write_line(j, 2);
    json_write_int(j, NULL, -3);
    json_write_array_end(j);
    json_write_object_end(j);
}

static void json__has_line_breaks_where_told(void **state)
{
    (void)state;
    expect_json(write_lines, false,
                "{\"a\":7,\n \"b\":null,\"c\":\"1970-01-01T00:00:01.500Z\",\"d\":null,"
                "\"e\":[\n  {\"x\":1},\n  -3]}");
}

static void json__takes_keys_of_any_kind(void **state)
{
    struct buf out = { .max = 0 };
    struct json_writer j = json_write_begin(&out);

    (void)state;
    json_write_object(&j, NULL);
    json_write_uint(&j, "", 1);
    json_write_uint(&j, "a\"b", 2);
    json_write_uint(&j, "thirty-two bytes are written so,", 3);
    json_write_uint(&j, "and what is longer than thirty-two", 4);
    json_write_key(&j, STR("n\0l"));
    json_write_array(&j, NULL);
    json_write_array_end(&j);
    json_write_base64(&j, "b", STR("\xFF\0x"));
    json_write_object_end(&j);
    assert_int_equal(j.result, RESULT_OK);
    assert_string_equal(buf_cstr(&out),
                        "{\"\":1,\"a\\\"b\":2,\"thirty-two bytes are written so,\":3,"
                        "\"and what is longer than thirty-two\":4,"
                        "\"n\\u0000l\":[],\"b\":\"/wB4\"}");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json__is_written__as_rfc_8259_wants_it),
        cmocka_unit_test(json__takes_keys_of_any_kind),
        cmocka_unit_test(json__keeps_the_first_failure),
        cmocka_unit_test(json__has_line_breaks_where_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
