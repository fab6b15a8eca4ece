#include "base/utf8.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

/* What servers, files and people have sent to take over a terminal, to hide, or to break a layout. Each
 * must come out as text that does none of that; the sense of the words is kept. */
static const struct str hostile[] = {
    /* escape sequences */
    BYTES("\x1b[31mred"),
    BYTES("\x1b[2J\x1b[H"),
    BYTES("\x1b[?1049h"),
    BYTES("\x1b[?2004l"),
    BYTES("\x1b]0;title\x07"),
    BYTES("\x1b]2;title\x1b\\"),
    BYTES("\x1b]52;c;ZXZpbA==\x07"),
    BYTES("\x1b]8;;http://evil/\x1b\\click\x1b]8;;\x1b\\"),
    BYTES("\x1bP+q544e\x1b\\"),
    BYTES("\x1b_Gf=32\x1b\\"),
    BYTES("\x1b^pm\x1b\\"),
    BYTES("\x1bXsos\x1b\\"),
    BYTES("\x1b"
          "c"),
    BYTES("\x1b[6n\x1b[c\x1b[>c"),
    BYTES("\x1b[21t"),
    BYTES("\x1b(0lqqk\x1b(B"),
    BYTES("\x1b#8"),
    BYTES("\x1b[999999999999999999999C"),
    BYTES("\x1b"),
    BYTES("\x1b\x1b\x1b[m"),
    /* the same in eight bits, raw and as UTF-8 */
    BYTES("\x9b"
          "31mred"),
    BYTES("\x9d"
          "0;title\x9c"),
    BYTES("\x90q\x9c"),
    BYTES("\xc2\x9b"
          "31m"),
    BYTES("\xc2\x9d"
          "52;c;x\xc2\x9c"),
    BYTES("\xc2\x85\xc2\x84\xc2\x8d"),
    BYTES("\xc2\x90\xc2\x98\xc2\x9e\xc2\x9f"),
    /* control characters */
    BYTES("a\0b"),
    BYTES("ok\rFAILED"),
    BYTES("a\nscrapetop: 100/100 ok"),
    BYTES("a\tb\vc\fd"),
    BYTES("abc\b\b\bxyz"),
    BYTES("\x07\x07\x07"),
    BYTES("\x0e\x0f"),
    BYTES("\x05\x11\x13\x7f"),
    BYTES("\x18\x1a"),
    /* direction, invisibility, look-alikes of nothing */
    BYTES("evil\xe2\x80\xaegnp.exe"),
    BYTES("\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad"),
    BYTES("\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9"),
    BYTES("a\xe2\x80\x8b"
          "b\xe2\x80\x8c"
          "c\xe2\x80\x8d"
          "d"),
    BYTES("\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c"),
    BYTES("a\xe2\x80\xa8"
          "b\xe2\x80\xa9"
          "c"),
    BYTES("\xef\xbb\xbf"
          "bom"),
    BYTES("so\xc2\xad"
          "ft"),
    BYTES("\xcd\x8f\xe1\xa0\x8e\xe3\x85\xa4\xef\xbe\xa0"),
    BYTES("\xf3\xa0\x81\x81\xf3\xa0\x81\x82\xf3\xa0\x81\xbf"),
    BYTES("x\xef\xb8\x8f\xf3\xa0\x84\x80"),
    BYTES("\xef\xbf\xb9\xef\xbf\xba\xef\xbf\xbb"),
    BYTES("\xee\x80\x80\xf3\xb0\x80\x80\xf4\x8f\xbf\xbd"),
    BYTES("\xef\xbf\xbe\xef\xbf\xbf\xf0\x9f\xbf\xbe"),
    BYTES("\xf0\x9d\x85\xb3"),
    BYTES("\xcd\xb8\xf0\x90\x80\x8c"), /* not assigned */
    /* what is not UTF-8 */
    BYTES("\xc0\x80"),
    BYTES("\xc1\x9b"),
    BYTES("\xe0\x80\x9b"),
    BYTES("\xf0\x80\x80\x9b"),
    BYTES("\xed\xa0\x80\xed\xb0\x80"),
    BYTES("\xf4\x90\x80\x80"),
    BYTES("\xf8\x88\x80\x80\x80\xfe\xff"),
    BYTES("\xe2\x82"),
    BYTES("\xe2\x1b[31m"),
    BYTES("\xf0\x9f\x98"),
    BYTES("\x80\xbf\xc3\xa9\xc3"),
    /* marks piled up, on nothing or on one letter */
    BYTES("\xcc\x80\xcc\x81"
          "a"),
    BYTES("Z\xcc\x80\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85\xcc\x86\xcc\x87\xcc\x88\xcc\x89"),
};

/* The promise of the header, looked at one character at a time. */
static void assert_safe(const char *text)
{
    struct str rest = str_view(text);
    unsigned marks = UTF8_COMBINING_MAX;

    while (rest.len) {
        uint32_t code = 0;
        size_t len = utf8_decode(rest, &code);
        int width;

        if (!len) {
            fail_msg("not UTF-8 at \"%s\"", rest.data);
        }
        if (code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0xAD || code == 0x61C ||
            (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
            (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF ||
            (code >= 0xE000 && code <= 0xF8FF) || code >= 0xE0000) {
            fail_msg("U+%04X got through", (unsigned)code);
        }
        width = wcwidth((wchar_t)code);
        if (width < 0) {
            fail_msg("U+%04X has no width", (unsigned)code);
        }
        marks = width == 0 ? marks + 1 : 0;
        assert_true(marks <= UTF8_COMBINING_MAX);
        rest.data += len;
        rest.len -= len;
    }
}

static void display__is_safe__when_text_is_hostile(void **state)
{
    (void)state;
    assert_true(sizeof hostile / sizeof hostile[0] >= 60);
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        char out[1024];
        size_t cells = utf8_display(out, sizeof out, hostile[i], 1000);

        assert_safe(out);
        assert_int_equal(cells, utf8_columns(str_view(out)));
        if (strcmp(out, hostile[i].data) == 0) {
            fail_msg("payload %zu came through unchanged", i);
        }
    }
}

static void display__is_safe_and_fits__when_hostile_text_is_cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        for (size_t columns = 0; columns < 24; columns++) {
            for (size_t size = 1; size < 24; size++) {
                char out[32];
                size_t cells;

                memset(out, '#', sizeof out);
                cells = utf8_display(out, size, hostile[i], columns);
                assert_true(strlen(out) < size);
                assert_int_equal(out[size], '#');
                assert_true(cells <= columns);
                assert_int_equal(cells, utf8_columns(str_view(out)));
                assert_safe(out);
            }
        }
    }
}

static void display__keeps_the_text__when_it_is_harmless(void **state)
{
    static const char *const texts[] = {
        "",
        "plain text, ~!@#$%^&*()[]{}<>?",
        "Gr\xC3\xBC\xC3\x9F\x65",
        "\xE6\xBC\xA2\xE5\xAD\x97",
        "e\xCC\x81",
        "\xF0\x9F\x98\x80",
        "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",
        "\xE2\x82\xAC 5",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char out[128];

        utf8_display(out, sizeof out, str_view(texts[i]), 100);
        assert_string_equal(out, texts[i]);
    }
}

static void display__shows_what_was_there__when_it_escapes(void **state)
{
    static const struct {
        struct str text;
        const char *want;
    } cases[] = {
        { BYTES("a\x1b[31mb"), "a\\x1b[31mb" },
        { BYTES("a\0b"), "a\\x00b" },
        { BYTES("\xff"), "\\xff" },
        { BYTES("\xc2\x9b"), "\\u{9b}" },
        { BYTES("\xe2\x80\xae"), "\\u{202e}" },
        { BYTES("\xf4\x8f\xbf\xbf"), "\\u{10ffff}" },
        { BYTES("\xcc\x81"), "\\u{301}" },
        { BYTES("a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81"),
          "a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\\u{301}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[128];

        utf8_display(out, sizeof out, cases[i].text, 100);
        assert_string_equal(out, cases[i].want);
    }
}

static void display__ends_with_a_tilde__when_cut(void **state)
{
    static const struct {
        const char *text;
        size_t columns;
        const char *want;
        size_t cells;
    } cases[] = {
        { "abcdef", 6, "abcdef", 6 },
        { "abcdef", 5, "abcd~", 5 },
        { "abcdef", 1, "~", 1 },
        { "abcdef", 0, "", 0 },
        { "\xE6\xBC\xA2\xE5\xAD\x97", 4, "\xE6\xBC\xA2\xE5\xAD\x97", 4 },
        { "\xE6\xBC\xA2\xE5\xAD\x97", 3, "\xE6\xBC\xA2~", 3 },
        { "\xE6\xBC\xA2\xE5\xAD\x97", 2, "~", 1 }, /* no half of a character */
        { "ab\x1b", 5, "ab~", 3 },                 /* nor of an escape */
        { "abe\xCC\x81", 3, "abe\xCC\x81", 3 },
        { "abe\xCC\x81"
          "f",
          3, "ab~", 3 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[128];

        assert_int_equal(utf8_display(out, sizeof out, str_view(cases[i].text), cases[i].columns),
                         cases[i].cells);
        assert_string_equal(out, cases[i].want);
    }
}

static void display__is_ascii__when_told_so(void **state)
{
    char out[128];

    (void)state;
    utf8_set_ascii(true);
    utf8_display(out, sizeof out,
                 STR("Gr\xC3\xBC"
                     "n\x1b\xff"),
                 100);
    utf8_set_ascii(false);
    assert_string_equal(out, "Gr\\u{fc}n\\x1b\\xff");
}

static void decode__takes_the_shortest_form_only__when_given_bytes(void **state)
{
    static const struct {
        struct str text;
        size_t len;
        uint32_t code;
    } cases[] = {
        { BYTES(""), 0, 0 },
        { BYTES("\x7f"), 1, 0x7F },
        { BYTES("\xc2\x80"), 2, 0x80 },
        { BYTES("\xdf\xbf"), 2, 0x7FF },
        { BYTES("\xe0\xa0\x80"), 3, 0x800 },
        { BYTES("\xed\x9f\xbf"), 3, 0xD7FF },
        { BYTES("\xee\x80\x80"), 3, 0xE000 },
        { BYTES("\xef\xbf\xbf"), 3, 0xFFFF },
        { BYTES("\xf0\x90\x80\x80"), 4, 0x10000 },
        { BYTES("\xf4\x8f\xbf\xbf"), 4, 0x10FFFF },
        { BYTES("\xc0\x80"), 0, 0 },
        { BYTES("\xc1\xbf"), 0, 0 },
        { BYTES("\xe0\x9f\xbf"), 0, 0 },
        { BYTES("\xed\xa0\x80"), 0, 0 },
        { BYTES("\xed\xbf\xbf"), 0, 0 },
        { BYTES("\xf0\x8f\xbf\xbf"), 0, 0 },
        { BYTES("\xf4\x90\x80\x80"), 0, 0 },
        { BYTES("\xf5\x80\x80\x80"), 0, 0 },
        { BYTES("\x80"), 0, 0 },
        { BYTES("\xc3"), 0, 0 },
        { BYTES("\xc3("), 0, 0 },
        { BYTES("\xe2\x82"), 0, 0 },
        { BYTES("\xe2("), 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t code = 0;

        assert_int_equal(utf8_decode(cases[i].text, &code), cases[i].len);
        assert_int_equal(code, cases[i].code);
    }
}

static void valid_prefix__stops_at_the_first_bad_byte__when_there_is_one(void **state)
{
    (void)state;
    assert_int_equal(utf8_valid_prefix(STR("")), 0);
    assert_int_equal(utf8_valid_prefix(STR("a\xC3\xA9")), 3);
    assert_int_equal(utf8_valid_prefix(STR("a\xC3\xA9\xFFz")), 3);
    assert_int_equal(utf8_valid_prefix(STR("ab\xE2\x82")), 2);
    assert_int_equal(utf8_valid_prefix(STR("a\0b")), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(display__is_safe__when_text_is_hostile),
        cmocka_unit_test(display__is_safe_and_fits__when_hostile_text_is_cut_anywhere),
        cmocka_unit_test(display__keeps_the_text__when_it_is_harmless),
        cmocka_unit_test(display__shows_what_was_there__when_it_escapes),
        cmocka_unit_test(display__ends_with_a_tilde__when_cut),
        cmocka_unit_test(display__is_ascii__when_told_so),
        cmocka_unit_test(decode__takes_the_shortest_form_only__when_given_bytes),
        cmocka_unit_test(valid_prefix__stops_at_the_first_bad_byte__when_there_is_one),
    };

    if (!setlocale(LC_CTYPE, "C.UTF-8")) { /* widths come from it */
        fprintf(stderr, "no locale C.UTF-8\n");
        return 1;
    }
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
