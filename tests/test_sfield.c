/* plan/sfield: structured fields of RFC 9651, as far as rate limits are written in them. */
#include "plan/sfield.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void put(struct buf *out, const char *separator, struct str key,
                const struct sfield_value *value)
{
    assert_int_equal(buf_printf(out, "%s%.*s=", separator, STR_ARG(key)), RESULT_OK);
    switch (value->type) {
    case SFIELD_NUMBER:
        assert_int_equal(buf_printf(out, "%.3f", value->number), RESULT_OK);
        break;
    case SFIELD_BOOLEAN:
        assert_int_equal(buf_printf(out, "?%.0f", value->number), RESULT_OK);
        break;
    case SFIELD_STRING:
        assert_int_equal(buf_printf(out, "\"%.*s\"", STR_ARG(value->text)), RESULT_OK);
        break;
    case SFIELD_TOKEN:
        assert_int_equal(buf_printf(out, "%.*s", STR_ARG(value->text)), RESULT_OK);
        break;
    case SFIELD_BYTES:
        assert_int_equal(buf_printf(out, ":%.*s:", STR_ARG(value->text)), RESULT_OK);
        break;
    }
}

/* What is read of a field, "KEY=VALUE" for each member and parameter; "none" when it is no field. */
static void assert_read(struct str text, const char *want)
{
    struct buf out = { 0 };
    struct sfield field;
    struct sfield_value value;
    struct str key;

    assert_int_equal(buf_append_str(&out, STR("")), RESULT_OK);
    sfield_begin(&field, text);
    while (sfield_member(&field, &key, &value)) {
        put(&out, out.len ? ", " : "", key, &value);
        while (sfield_parameter(&field, &key, &value)) {
            put(&out, ";", key, &value);
        }
    }
    assert_string_equal(sfield_is_whole(&field) ? buf_cstr(&out) : "none", want);
    buf_release(&out);
}

static void list__is_read__with_its_parameters(void **state)
{
    (void)state;
    assert_read(STR("\"default\";r=50;t=30"), "=\"default\";r=50.000;t=30.000");
    assert_read(STR("\"burst\";q=100;w=60, \"daily\";q=1000;w=86400"),
                "=\"burst\";q=100.000;w=60.000, =\"daily\";q=1000.000;w=86400.000");
    assert_read(STR("100;w=60;comment=\"sliding\";qu=requests"),
                "=100.000;w=60.000;comment=\"sliding\";qu=requests");
    assert_read(STR("a;b;c=?0;pk=:cGsx:"), "=a;b=?1;c=?0;pk=:cGsx:");
    assert_read(STR(" 1 ,\t2 "), "=1.000, =2.000"); /* spaces and tabs around commas */
    assert_read(STR(""), "");
    assert_read(STR("   "), "");
    assert_read(STR_NONE, "");
}

static void dictionary__is_told_from_a_list__by_its_first_member(void **state)
{
    (void)state;
    assert_read(STR("limit=100, remaining=50, reset=5"),
                "limit=100.000, remaining=50.000, reset=5.000");
    assert_read(STR("limit=10;w=1,*x.y-z_2=token"), "limit=10.000;w=1.000, *x.y-z_2=token");
    assert_read(STR("a=1, b, c;d"), "a=1.000, b=?1, c=?1;d=?1"); /* no value is true */
    assert_read(STR("a=1, \"b\""), "none");
    assert_read(STR("100, limit=1"), "none"); /* a list's member has no key */
    assert_read(STR("Limit=1"), "none");      /* keys are in lower case */
}

static void numbers__are_read__as_far_as_the_rfc_lets_them(void **state)
{
    (void)state;
    assert_read(STR("0, -7, 007, 3.125, -0.5"), "=0.000, =-7.000, =7.000, =3.125, =-0.500");
    assert_read(STR("999999999999999"), "=999999999999999.000"); /* 15 digits */
    assert_read(STR("1000000000000000"), "none");
    assert_read(STR("123456789012.125"), "=123456789012.125"); /* 12 and 3 */
    assert_read(STR("1234567890123.5"), "none");
    assert_read(STR("1.2345"), "none");
    assert_read(STR("1."), "none");
    assert_read(STR(".5"), "none");
    assert_read(STR("-"), "none");
    assert_read(STR("--1"), "none");
    assert_read(STR("1e3"), "none");
}

static void strings_tokens_and_bytes__are_views__as_they_stand(void **state)
{
    (void)state;
    assert_read(STR("\"a \\\"b\\\" \\\\ c\""), "=\"a \\\"b\\\" \\\\ c\"");
    assert_read(STR("\"\""), "=\"\"");
    assert_read(STR("*a/b:c, Foo123, sugar!"), "=*a/b:c, =Foo123, =sugar!");
    assert_read(STR("::, :aGVsbG8=:"), "=::, =:aGVsbG8=:");
    assert_read(STR("?1, ?0"), "=?1, =?0");
}

static void field__is_none__when_anything_is_wrong(void **state)
{
    static const struct str fields[] = {
        STR_INIT("\"open"),  STR_INIT("\"a\\b\""), STR_INIT("\"a\\"),  STR_INIT("\"\x01\""),
        STR_INIT("\"é\""),   STR_INIT(":aGk="),    STR_INIT(":a b:"),  STR_INIT("?2"),
        STR_INIT("?"),       STR_INIT("1,"),       STR_INIT("1,,2"),   STR_INIT(",1"),
        STR_INIT("1 2"),     STR_INIT("1;"),       STR_INIT("1;A=1"),  STR_INIT("1;a="),
        STR_INIT("1;a=(1)"), STR_INIT("(1 2)"),    STR_INIT("a=1,"),   STR_INIT("a=1, B=2"),
        STR_INIT("1;a b"),   STR_INIT("#"),        STR_INIT("a\x00b"), STR_INIT("1\n"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        print_message("%.*s\n", STR_ARG(fields[i]));
        assert_read(fields[i], "none");
    }
}

/* Whatever a server sends, no byte after the text's end is looked at (under AddressSanitizer). */
static void anything__ends__within_its_text(void **state)
{
    static const char letters[] = "ab0=;,\"\\:?- \t*.";
    uint64_t random = 7;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char *text = NULL;
        size_t len = (size_t)(i % 24);
        struct buf exact = { 0 };
        struct sfield field;
        struct sfield_value value;
        struct str key;
        size_t members = 0;

        for (size_t k = 0; k < len; k++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
            assert_int_equal(
                buf_append_char(&exact, letters[(random >> 33) % (sizeof letters - 1)]), RESULT_OK);
        }
        text = exact.data;
        sfield_begin(&field, (struct str){ text, len });
        while (sfield_member(&field, &key, &value)) {
            assert_true(value.text.len <= len);
            while (sfield_parameter(&field, &key, &value)) {
                assert_in_range(key.len, 1, len);
            }
            assert_in_range(++members, 1, len);
        }
        buf_release(&exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list__is_read__with_its_parameters),
        cmocka_unit_test(dictionary__is_told_from_a_list__by_its_first_member),
        cmocka_unit_test(numbers__are_read__as_far_as_the_rfc_lets_them),
        cmocka_unit_test(strings_tokens_and_bytes__are_views__as_they_stand),
        cmocka_unit_test(field__is_none__when_anything_is_wrong),
        cmocka_unit_test(anything__ends__within_its_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
