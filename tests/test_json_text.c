#include "base/base64.h"
#include "base/json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_buf(const struct buf *b, struct str wanted)
{
    assert_int_equal(b->len, wanted.len);
    assert_memory_equal(b->data, wanted.data, wanted.len);
}

static void check_literal(struct str bytes, struct str literal)
{
    struct buf b = { .max = 0 };

    assert_int_equal(json_text_append(&b, bytes), RESULT_OK);
    assert_buf(&b, literal);
    buf_release(&b);
}

static void json_text_append__escapes_what_json_forbids(void **state)
{
    (void)state;
    check_literal(STR(""), STR("\"\""));
    check_literal(STR("plain"), STR("\"plain\""));
    check_literal(STR("a\"b\\c/"), STR("\"a\\\"b\\\\c/\""));
    check_literal(STR("\n\r\t\b\f"), STR("\"\\n\\r\\t\\b\\f\""));
    check_literal(STR("\0\x1f\x7f"), STR("\"\\u0000\\u001f\x7f\""));
    check_literal(STR("caf\xC3\xA9 \xF0\x9F\x99\x82"), STR("\"caf\xC3\xA9 \xF0\x9F\x99\x82\""));
}

static void json_text_append__replaces__when_not_utf8(void **state)
{
    (void)state;
    check_literal(STR("a\xFFz"), STR("\"a\\ufffdz\""));
    check_literal(STR("\xC3"), STR("\"\\ufffd\""));
    check_literal(STR("\xED\xA0\x80"), STR("\"\\ufffd\\ufffd\\ufffd\"")); /* a surrogate */
}

/* Eight bytes are looked at together: what one of them becomes must not depend on its neighbours. */
static void json_text_append__treats_each_byte_alike__wherever_it_stands(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 0x80; c++) {
        for (size_t at = 0; at < 19; at++) {
            struct buf alone = { .max = 0 }, among = { .max = 0 }, want = { .max = 0 };
            char one = (char)c, text[20] = "!~ azAZ09!~ azAZ09!";

            text[at] = one;
            assert_int_equal(json_text_append(&alone, (struct str){ &one, 1 }), RESULT_OK);
            assert_int_equal(json_text_append(&among, (struct str){ text, 19 }), RESULT_OK);
            assert_int_equal(buf_printf(&want, "\"%.*s", (int)at, text), RESULT_OK);
            assert_int_equal(buf_append(&want, alone.data + 1, alone.len - 2), RESULT_OK);
            assert_int_equal(buf_printf(&want, "%s\"", text + at + 1), RESULT_OK);
            assert_buf(&among, buf_view(&want));
            buf_release(&alone);
            buf_release(&among);
            buf_release(&want);
        }
    }
}

static void json_text_append_shown__escapes_what_acts_on_a_terminal(void **state)
{
    struct str text =
        STR("a\"\n\x7f\xc2\x9b\xe2\x80\xae\xc3\xa9\xf0\x9f\x99\x82\xf3\xa0\x80\x81\xff z");
    struct buf b = { .max = 0 };

    (void)state;
    assert_int_equal(json_text_append_shown(&b, text), RESULT_OK);
    assert_buf(
        &b,
        STR("\"a\\\"\\n\\u007f\\u009b\\u202e\xc3\xa9\xf0\x9f\x99\x82\\udb40\\udc01\\ufffd z\""));
    buf_release(&b);
}

static void json_text_append__leaves_all_as_it_was__when_over_limit(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 8);
    assert_int_equal(buf_append_str(&b, STR("abc")), RESULT_OK);
    assert_int_equal(json_text_append(&b, STR("12345")), RESULT_LIMIT);
    assert_buf(&b, STR("abc"));
    buf_release(&b);
}

static void json_text_decode__gives_back__what_was_appended(void **state)
{
    struct str all = STR("\0\1\n\"\\/ \xC3\xA9\xE2\x82\xAC\xF0\x9F\x99\x82 end");
    struct buf literal = { .max = 0 }, back = { .max = 0 };

    (void)state;
    assert_int_equal(json_text_append(&literal, all), RESULT_OK);
    assert_int_equal(json_text_decode(&back, (struct str){ literal.data + 1, literal.len - 2 }),
                     RESULT_OK);
    assert_buf(&back, all);
    buf_release(&literal);
    buf_release(&back);
}

static void json_text_decode__reads_surrogate_pairs(void **state)
{
    struct buf back = { .max = 0 };

    (void)state;
    assert_int_equal(json_text_decode(&back, STR("\\ud83d\\ude42\\u00e9\\/")), RESULT_OK);
    assert_buf(&back, STR("\xF0\x9F\x99\x82\xC3\xA9/"));
    buf_release(&back);
}

static void json_text_decode__refuses__when_malformed(void **state)
{
    static const struct str bad[] = {
        STR_INIT("\\"),      STR_INIT("\\x"),
        STR_INIT("\\u12"),   STR_INIT("\\u12g4"),
        STR_INIT("\\ud83d"), STR_INIT("\\ud83d\\n"),
        STR_INIT("\\ude42"), STR_INIT("a\"b"),
        STR_INIT("a\nb"),    STR_INIT("\\ud83d\\u0041"),
        STR_INIT("\xFF"),    STR_INIT("\\ud83d\\uds00"),
    };
    struct buf back = { .max = 0 };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(json_text_decode(&back, bad[i]), RESULT_INVALID);
        assert_int_equal(back.len, 0);
    }
    buf_release(&back);
}

/* RFC 4648 section 10. */
static void base64__goes_both_ways(void **state)
{
    static const struct {
        struct str bytes, text;
    } cases[] = {
        { STR_INIT(""), STR_INIT("") },
        { STR_INIT("f"), STR_INIT("Zg==") },
        { STR_INIT("fo"), STR_INIT("Zm8=") },
        { STR_INIT("foo"), STR_INIT("Zm9v") },
        { STR_INIT("foob"), STR_INIT("Zm9vYg==") },
        { STR_INIT("fooba"), STR_INIT("Zm9vYmE=") },
        { STR_INIT("foobar"), STR_INIT("Zm9vYmFy") },
        { STR_INIT("\0\xFF\xFE\xFB"), STR_INIT("AP/++w==") },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf text = { .max = 0 }, back = { .max = 0 };

        assert_int_equal(base64_append(&text, cases[i].bytes), RESULT_OK);
        assert_int_equal(text.len, cases[i].text.len);
        assert_int_equal(base64_decode(&back, cases[i].text), RESULT_OK);
        assert_int_equal(back.len, cases[i].bytes.len);
        if (back.len) {
            assert_memory_equal(text.data, cases[i].text.data, text.len);
            assert_memory_equal(back.data, cases[i].bytes.data, back.len);
        }
        buf_release(&text);
        buf_release(&back);
    }
}

static void base64_decode__refuses__what_it_would_not_write(void **state)
{
    static const struct str bad[] = {
        STR_INIT("Z"),    STR_INIT("Zg"),       STR_INIT("Zg="),       STR_INIT("Zh=="),
        STR_INIT("Zm9="), STR_INIT("Zg==Zg=="), STR_INIT("Zm 9"),      STR_INIT("===="),
        STR_INIT("Z==="), STR_INIT("Zm-_"),     STR_INIT("Zm9v\0m9v"),
    };
    struct buf back = { .max = 0 };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(base64_decode(&back, bad[i]), RESULT_INVALID);
        assert_int_equal(back.len, 0);
    }
    buf_release(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_text_append__escapes_what_json_forbids),
        cmocka_unit_test(json_text_append__replaces__when_not_utf8),
        cmocka_unit_test(json_text_append__treats_each_byte_alike__wherever_it_stands),
        cmocka_unit_test(json_text_append_shown__escapes_what_acts_on_a_terminal),
        cmocka_unit_test(json_text_append__leaves_all_as_it_was__when_over_limit),
        cmocka_unit_test(json_text_decode__gives_back__what_was_appended),
        cmocka_unit_test(json_text_decode__reads_surrogate_pairs),
        cmocka_unit_test(json_text_decode__refuses__when_malformed),
        cmocka_unit_test(base64__goes_both_ways),
        cmocka_unit_test(base64_decode__refuses__what_it_would_not_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
