/* Bodies that say JSON without being it: what comes out, against hand-made texts and libc's iconv. */
#include "base/body_text.h"
#include "base/json_scan.h"

#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BOM "\xEF\xBB\xBF"

struct sample {
    struct str body, type, want; /* want: STR_NONE: it is none */
    unsigned was;
};

#define S(text) STR_INIT(text)
#define NONE                                                                                       \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

static const struct sample samples[] = {
    { S(BOM "{\"a\":1}"), S(""), S("{\"a\":1}"), BODY_WAS_MARKED },
    { S(BOM), S(""), NONE, 0 },
    { S(BOM "<html>"), S(""), NONE, 0 },
    { S(BOM BOM "{}"), S(""), NONE, 0 },
    /* Letters as the charset says, however that is written. */
    { S("[\"Z\xFCrich\"]"), S("application/json; charset=ISO-8859-1"), S("[\"Z\xC3\xBCrich\"]"),
      BODY_WAS_LATIN },
    { S("[\"\x80\x93\"]"), S("text/json;a=b ; Charset = \"Windows-1252\""),
      S("[\"\xE2\x82\xAC\xE2\x80\x9C\"]"), BODY_WAS_LATIN },
    { S("[\"\x80\"]"), S("application/json;charset=latin1"), S("[\"\xE2\x82\xAC\"]"),
      BODY_WAS_LATIN },
    { S("[\"\xA4\"]"), S("application/json;charset=iso-8859-15"), S("[\"\xE2\x82\xAC\"]"),
      BODY_WAS_LATIN },
    { S("[\"\xA4\"]"), S("application/json;charset=iso-8859-1"), S("[\"\xC2\xA4\"]"),
      BODY_WAS_LATIN },
    /* Not declared, or as what is not read: nothing is guessed. */
    { S("[\"Z\xFCrich\"]"), S("application/json"), NONE, 0 },
    { S("[\"Z\xFCrich\"]"), S("application/json; charset=utf-8"), NONE, 0 },
    { S("[\"\x83\x65\"]"), S("application/json; charset=x-klingon"), NONE, 0 },
    { S("[\"\x83\x65\"]"), S("application/json; charset=Shift_JIS"), S("[\"\xE3\x83\x86\"]"),
      BODY_WAS_LATIN },
    { S("[\"\x83\"]"), S("application/json; charset=shift_jis"), NONE, 0 }, /* half a letter */
    { S("[\"\xCF\"]"), S("application/json; charset=windows-1251"), S("[\"\xD0\x9F\"]"),
      BODY_WAS_LATIN },
    { S("[\"\xD0\x9F\"]"), S("application/json; charset=windows-1251"), S("[\"\xD0\x9F\"]"), 0 },
    { S("[\"\x1B$B%F\x1B(B\"]"), S("application/json; charset=iso-2022-jp"),
      S("[\"\xE3\x83\x86\"]"), BODY_WAS_LATIN },
    { S("[\"Z\xFCrich\"]"), S("application/json; charset"), NONE, 0 },
    { S("[\"Z\xFCrich\"]"), S("application/json; xcharset=latin1"), NONE, 0 },
    /* UTF-8 under the name of Latin letters, with a mark or NaN, stays what it is. */
    { S(BOM "[\"\xC3\xBC\"]"), S("application/json; charset=ISO-8859-1"), S("[\"\xC3\xBC\"]"),
      BODY_WAS_MARKED },
    /* UTF-16: by its mark, its charset or its NULs. */
    { S("\xFF\xFE[\0\"\0\xFC\0\"\0]\0"), S(""), S("[\"\xC3\xBC\"]"), BODY_WAS_UTF16 },
    { S("\xFE\xFF\0[\0\"\0\xFC\0\"\0]"), S("x; charset=utf-16le"), S("[\"\xC3\xBC\"]"),
      BODY_WAS_UTF16 },
    { S("[\0\"\0\xAC\x20\"\0]\0"), S("x; charset=utf-16"), S("[\"\xE2\x82\xAC\"]"),
      BODY_WAS_UTF16 },
    { S("\0[\0"
        "1\0]"),
      S(""), S("[1]"), BODY_WAS_UTF16 },
    { S("[\0"
        "1\0]\0"),
      S(""), S("[1]"), BODY_WAS_UTF16 },
    { S("7\0"), S(""), S("7"), BODY_WAS_UTF16 },
    { S("\xFF\xFE\"\0\x3D\xD8\x00\xDE\"\0"), S(""), S("\"\xF0\x9F\x98\x80\""), BODY_WAS_UTF16 },
    { S("\xFF\xFE\"\0\x3D\xD8\"\0"), S(""), NONE, 0 }, /* half a character */
    { S("\xFF\xFE\"\0\x00\xDE\"\0"), S(""), NONE, 0 }, /* the other half */
    { S("\xFF\xFE[\0]\0\n"), S(""), NONE, 0 },         /* half a unit */
    { S("\xFF\xFE\"\0\x3D\xD8"), S(""), NONE, 0 },     /* cut within a character */
    /* Lines. */
    { S("{\"a\":1}\n{\"a\":2}\n"), S("application/x-ndjson"), S("[{\"a\":1},{\"a\":2}]"),
      BODY_WAS_LINES },
    { S("{\"a\":1}\r\n\r\n [2] \r\n"), S("application/json"), S("[{\"a\":1},[2]]"),
      BODY_WAS_LINES },
    { S("1\n\"x\"\nnull"), S("application/jsonl"), S("[1,\"x\",null]"), BODY_WAS_LINES },
    { S("1\n2\n"), S("application/json"), NONE, 0 }, /* so begins a table as well */
    { S(" \n"), S("application/x-ndjson; charset=utf-8"), S("[]"), BODY_WAS_LINES },
    { S(" \n"), S("application/json"), NONE, 0 },
    { S("{\"a\":1}\n{\"a\":"), S("application/x-ndjson"), NONE, 0 },
    { S("{\"a\":1}\n{\"a\":2} x\n"), S("application/x-ndjson"), NONE, 0 },
    { S("{\n\"a\":1}\n{\"a\":2}\n"), S("application/x-ndjson"), NONE, 0 },
    { S("{\"a\":1}{\"a\":2}"), S("application/x-ndjson"), NONE, 0 },
    { S("{\"a\":1},\n{\"a\":2}\n"), S("application/json"), NONE, 0 },
    { S("\x1E{\"a\":1}\n\x1E[\n2]\n"), S("application/json-seq"), S("[{\"a\":1},[\n2]]"),
      BODY_WAS_SEQUENCE },
    { S("\x1E"
        "1\n"),
      S(""), S("[1]"), BODY_WAS_SEQUENCE },
    { S("\x1E{\"a\":1}\n\x1E{\"a\""), S("application/json-seq"), NONE, 0 },
    /* Numbers that are none. */
    { S("{\"a\":NaN,\"b\":[-Infinity,Infinity]}"), S(""), S("{\"a\":null,\"b\":[null,null]}"),
      BODY_WAS_NAN },
    { S("[\"NaN\",\"\\\"Infinity\",NaN]"), S(""), S("[\"NaN\",\"\\\"Infinity\",null]"),
      BODY_WAS_NAN },
    { S("NaN"), S(""), S("null"), BODY_WAS_NAN },
    { S("[NaN1]"), S(""), NONE, 0 },
    { S("[1NaN]"), S(""), NONE, 0 },
    { S("[-NaN]"), S(""), NONE, 0 },
    { S("[nan,-nan,inf,-inf,undefined]"), S(""), S("[null,null,null,null,null]"), BODY_WAS_NAN },
    { S("[nano]"), S(""), NONE, 0 },
    { S("{NaN:1}"), S(""), NONE, 0 },
    { S("[NaN"), S(""), NONE, 0 },
    { S("[\"NaN\\"), S(""), NONE, 0 },
    /* Nearly JSON. */
    { S("[\"a\tb\",\t\"c\r\nd\x01\"]"), S(""), S("[\"a\\tb\",\t\"c\\r\\nd\\u0001\"]"),
      BODY_WAS_LOOSE },
    { S("[\"it\\'s\",\"\\x41\\\\x41\"]"), S(""), S("[\"it's\",\"\\u0041\\\\x41\"]"),
      BODY_WAS_LOOSE },
    { S("[\"\\xZZ\"]"), S(""), NONE, 0 },
    { S("[\"\\q\"]"), S(""), NONE, 0 },
    { S("{\"a\":[1,2, ],\n}"), S(""), S("{\"a\":[1,2 ]\n}"), BODY_WAS_LOOSE },
    { S("[\",]\",]"), S(""), S("[\",]\"]"), BODY_WAS_LOOSE },
    { S("[,]"), S(""), NONE, 0 },
    { S("[1,,]"), S(""), NONE, 0 },
    { S("{\"a\":,}"), S(""), NONE, 0 },
    { S("[1,2],"), S(""), NONE, 0 },
    { S("[1,2,"), S(""), NONE, 0 },
    { S("[\"a\tb\",\"c"), S(""), NONE, 0 },
    { S("[1]\0\0\n\0"), S(""), S("[1]"), BODY_WAS_LOOSE },
    { S("[1\0]"), S(""), NONE, 0 },
    { S("[\"a\0b\"]"), S(""), S("[\"a\\u0000b\"]"), BODY_WAS_LOOSE },
    { S("{\"a\":\"x\ty\"}\n{\"a\":2,}\n"), S(""), S("[{\"a\":\"x\\ty\"},{\"a\":2}]"),
      BODY_WAS_LINES | BODY_WAS_LOOSE },
    { S("{\"a\":\"x\n{\"a\":2}\n"), S("application/x-ndjson"), NONE, 0 }, /* a line that was cut */
    /* All at once. */
    { S(BOM "{\"a\":NaN}\n{\"a\":2}\n"), S(""), S("[{\"a\":null},{\"a\":2}]"),
      BODY_WAS_MARKED | BODY_WAS_LINES | BODY_WAS_NAN },
    { S("<html>\n</html>"), S("application/json"), NONE, 0 },
    { S("{\"a\":[1,2"), S("application/json"), NONE, 0 },
    { S(""), S(""), NONE, 0 },
};

/* In a block of its own, so that nothing after it is read. */
static enum result read_copy(struct str body, struct str type, struct buf *out, unsigned *was)
{
    char *copy = malloc(body.len + !body.len);
    enum result result;

    assert_non_null(copy);
    memcpy(copy, body.data, body.len);
    result = body_text_read((struct str){ copy, body.len }, type, out, was);
    free(copy);
    return result;
}

static void body__is_read_for_what_it_says__or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const struct sample *s = &samples[i];
        struct buf out = { 0 };
        unsigned was;
        enum result result = read_copy(s->body, s->type, &out, &was);

        if (result != (s->want.data ? RESULT_OK : RESULT_INVALID)) {
            fail_msg("%zu: result %d", i, result);
        }
        if (s->want.data && (!str_equal(buf_view(&out), s->want) || was != s->was)) {
            fail_msg("%zu: %.*s, was %u", i, STR_ARG(buf_view(&out)), was);
        }
        buf_release(&out);
    }
}

/* Every byte of each charset, as libc has it; what libc has no character for is left out. */
static void letters__are_those_of_the_charset__byte_by_byte(void **state)
{
    static const char *const names[] = { "windows-1252", "iso-8859-15", "windows-1251", "koi8-r",
                                         "iso-8859-2" };

    (void)state;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        iconv_t converter = iconv_open("UTF-8", names[n]);
        unsigned seen = 0;

        assert_true(converter != (iconv_t)-1);
        for (unsigned c = 0x80; c < 0x100; c++) {
            char body[] = { '"', (char)c, '"', '\0' }, type[64], want[32], *from = body, *to = want;
            size_t left = 3, room = sizeof want;
            struct buf out = { 0 };
            unsigned was;

            if (iconv(converter, &from, &left, &to, &room) == (size_t)-1) {
                iconv(converter, NULL, NULL, NULL, NULL);
                continue;
            }
            snprintf(type, sizeof type, "application/json; charset=%s", names[n]);
            assert_int_equal(body_text_read(str_view(body), str_view(type), &out, &was), RESULT_OK);
            assert_true(str_equal(buf_view(&out), (struct str){ want, (size_t)(to - want) }));
            buf_release(&out);
            seen++;
        }
        assert_true(seen >= 123);
        iconv_close(converter);
    }
}

/* Every character that is one, in UTF-16 of both kinds. */
static void utf16__is_read_as_libc_does__character_by_character(void **state)
{
    static const char *const names[] = { "UTF-16LE", "UTF-16BE" };

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        iconv_t converter = iconv_open(names[n], "UTF-32LE"), back = iconv_open("UTF-8", names[n]);

        assert_true(back != (iconv_t)-1);
        assert_true(converter != (iconv_t)-1);
        for (uint32_t code = 0x20; code < 0x110000; code += code < 0x3000 ? 1 : 61) {
            uint32_t text[] = { '"', code, '"' };
            char wide[16], want[16], type[64], *from = (char *)text, *to = wide;
            size_t left = sizeof text, room = sizeof wide;
            struct buf out = { 0 };
            unsigned was;

            if (code == '"' || code == '\\' || (code >= 0xD800 && code < 0xE000)) {
                continue;
            }
            assert_true(iconv(converter, &from, &left, &to, &room) != (size_t)-1);
            snprintf(type, sizeof type, "x/y; charset=%s", names[n]);
            assert_int_equal(body_text_read((struct str){ wide, (size_t)(to - wide) },
                                            str_view(type), &out, &was),
                             RESULT_OK);
            from = wide;
            left = (size_t)(to - wide);
            to = want;
            room = sizeof want;
            assert_true(iconv(back, &from, &left, &to, &room) != (size_t)-1);
            assert_int_equal(was, BODY_WAS_UTF16);
            assert_true(str_equal(buf_view(&out), (struct str){ want, (size_t)(to - want) }));
            buf_release(&out);
        }
        iconv_close(converter);
        iconv_close(back);
    }
}

/* Whatever is done to a body: what comes out is JSON. */
static void anything__gives_json_or_nothing__when_bytes_are_changed(void **state)
{
    uint64_t random = 11;
    unsigned good = 0;

    (void)state;
    for (int round = 0; round < 60000; round++) {
        const struct sample *s = &samples[(size_t)round % (sizeof samples / sizeof samples[0])];
        struct buf out = { 0 };
        char body[128];
        size_t len = s->body.len;
        unsigned was;

        memcpy(body, s->body.data, len);
        for (int i = 0; len && i < round % 3; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
            body[(random >> 33) % len] = random >> 60
                                             ? "{}[]\",:\\ \nNI-1\x1E\xFC"[random >> 40 & 15]
                                             : (char)(random >> 50);
        }
        len = len && round % 7 == 0 ? len - 1 : len;
        if (read_copy((struct str){ body, len }, s->type, &out, &was) == RESULT_OK) {
            assert_true(json_check(buf_view(&out), JSON_DEPTH_MAX, NULL));
            good++;
        }
        buf_release(&out);
    }
    assert_true(good > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body__is_read_for_what_it_says__or_refused),
        cmocka_unit_test(letters__are_those_of_the_charset__byte_by_byte),
        cmocka_unit_test(utf16__is_read_as_libc_does__character_by_character),
        cmocka_unit_test(anything__gives_json_or_nothing__when_bytes_are_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
