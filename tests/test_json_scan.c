#include "base/json_kernel.h"
#include "base/json_scan.h"
#include "base/json_step.h"
#include "base/json_text.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static void assert_fault(struct str text, unsigned depth_max, size_t at, const char *words)
{
    struct json_error error;
    /* An exact-size copy on the heap, so that AddressSanitizer sees a read past the end. */
    char *copy = str_dup(text);

    assert_non_null(copy);
    copy = realloc(copy, text.len ? text.len : 1);
    assert_false(json_check((struct str){ copy, text.len }, depth_max, &error));
    assert_string_equal(error.text, words);
    assert_int_equal(error.at, at);
    free(copy);
}

static void json_check__names_the_byte__when_text_is_bad(void **state)
{
    static const struct {
        struct str text;
        size_t at;
        const char *words;
    } cases[] = {
        { STR_INIT(""), 0, "empty body (0 bytes)" },
        { STR_INIT(" \r\n\t"), 4, "empty body (4 bytes)" },
        { STR_INIT("<html><body>"), 0, "expected JSON, got \"<html><body>\"" },
        { STR_INIT("\n)]}',{}"), 1, "expected JSON, got \")]}',{}\"" },
        { STR_INIT("NaN"), 0, "expected JSON, got \"NaN\"" },
        { STR_INIT("\xEF\xBB\xBF{}"), 0, "expected JSON, got \"\\u{feff}{}\"" },
        { STR_INIT("{\"a\":[1,2,{\"b\":"), 15, "JSON ends at byte 15 inside object" },
        { STR_INIT("{\"items\":[1,2, 3"), 16, "JSON ends at byte 16 inside array" },
        { STR_INIT("[\"abc"), 5, "JSON ends at byte 5 inside string" },
        { STR_INIT("[\"abc\\"), 6, "JSON ends at byte 6 inside string" },
        { STR_INIT("[\"\\u12"), 6, "JSON ends at byte 6 inside string" },
        { STR_INIT("[1."), 3, "JSON ends at byte 3 inside number" },
        { STR_INIT("-"), 1, "JSON ends at byte 1 inside number" },
        { STR_INIT("[tru"), 4, "JSON ends at byte 4 inside literal" },
        { STR_INIT("{\"a\":1}{}"), 7, "extra data at byte 7" },
        { STR_INIT("1 2"), 2, "extra data at byte 2" },
        { STR_INIT("[\"\xFF\"]"), 2, "invalid UTF-8 at byte 2 (0xff)" },
        { STR_INIT("[\"0123456789abcdefg\xC0\xAF\"]"), 19, "invalid UTF-8 at byte 19 (0xc0)" },
        { STR_INIT("[\"\xED\xA0\x80\"]"), 2, "invalid UTF-8 at byte 2 (0xed)" },
        { STR_INIT("[\xFF]"), 1, "invalid UTF-8 at byte 1 (0xff)" },
        { STR_INIT("[\"a\tb\"]"), 3, "control character \\x09 in string at byte 3" },
        { STR_INIT("[\"\0\"]"), 2, "control character \\x00 in string at byte 2" },
        { STR_INIT("[007]"), 2, "expected no digit after a leading zero at byte 2, found \"07]\"" },
        { STR_INIT("[1,]"), 3, "expected a value at byte 3, found \"]\"" },
        { STR_INIT("{\"a\":1,}"), 7, "expected a quoted member name at byte 7, found \"}\"" },
        { STR_INIT("{\"a\" 1}"), 5, "expected a colon at byte 5, found \"1}\"" },
        { STR_INIT("[1 2]"), 3, "expected a comma or ] at byte 3, found \"2]\"" },
        { STR_INIT("{\"a\":1]"), 6, "expected a comma or } at byte 6, found \"]\"" },
        { STR_INIT("[\"\\x\"]"), 3,
          "expected one of \"\\/bfnrtu after a backslash at byte 3, found \"x\"]\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_fault(cases[i].text, JSON_DEPTH_MAX, cases[i].at, cases[i].words);
    }
}

static void json_check__accepts__when_text_is_valid(void **state)
{
    static const struct str cases[] = {
        STR_INIT("null"),
        STR_INIT(" true "),
        STR_INIT("-0.0"),
        STR_INIT("1e400"),
        STR_INIT("\"\""),
        STR_INIT("[]"),
        STR_INIT("{}"),
        STR_INIT("[[],{},[{}]]"),
        STR_INIT("{\"a\" : { \"b\" : [ 1 , 2.5E-3 , \"x\" ] } , \"\" : null }\r\n"),
        STR_INIT("[\"\\ud83d\\ude00 \\ud800 \\u0000 \\/\"]"),
        STR_INIT("[\"Montr\xC3\xA9"
                 "al \xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x9B\x8B\"]"),
        STR_INIT("{\"a\":1,\"a\":2}"),
    };
    struct json_error error;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!json_check(cases[i], JSON_DEPTH_MAX, &error)) {
            fail_msg("\"%.*s\": %s", STR_ARG(cases[i]), error.text);
        }
    }
}

static void json_check__refuses__when_nested_too_deep(void **state)
{
    struct buf text = { 0 };

    (void)state;
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(buf_append_char(&text, '['), RESULT_OK);
    }
    assert_fault(buf_view(&text), 128, 128, "nesting deeper than 128 at byte 128");
    assert_fault(buf_view(&text), UINT32_MAX, 1024, "nesting deeper than 1024 at byte 1024");
    text.len = 128;
    for (int i = 0; i < 128; i++) {
        assert_int_equal(buf_append_char(&text, ']'), RESULT_OK);
    }
    assert_true(json_check(buf_view(&text), 128, NULL));
    assert_false(json_check(buf_view(&text), 127, NULL));
    buf_release(&text);
}

/* Every place in a string is reached by the wide loop and by the tail. */
static void json_check__finds_the_byte__when_it_is_anywhere(void **state)
{
    char text[80];

    (void)state;
    for (size_t len = 3; len < sizeof text; len++) {
        for (size_t at = 1; at < len - 1; at++) {
            struct json_error error;

            memset(text, 'x', len);
            text[0] = text[len - 1] = '"';
            text[at] = '\x1F';
            assert_false(json_check((struct str){ text, len }, 8, &error));
            assert_int_equal(error.at, at);
            text[at] = '\x80';
            assert_false(json_check((struct str){ text, len }, 8, &error));
            assert_int_equal(error.at, at);
            text[at] = '\x7F';
            assert_true(json_check((struct str){ text, len }, 8, &error));
        }
    }
}

/* Cut anywhere, a valid text is refused, and never read past its end (AddressSanitizer). */
static void json_check__refuses__when_cut_anywhere(void **state)
{
    static const struct str whole = STR_INIT(
        "{\"id\":-12.5e+7,\"s\":\"\\u00e9 \xF0\x9F\x9B\x8B \\n\",\"l\":[true,false,null,[],{}]}");

    (void)state;
    assert_true(json_check(whole, 16, NULL));
    for (size_t len = 0; len < whole.len; len++) {
        char *copy = malloc(len ? len : 1);
        struct json_error error;

        assert_non_null(copy);
        memcpy(copy, whole.data, len);
        assert_false(json_check((struct str){ copy, len }, 16, &error));
        if (error.fault != JSON_FAULT_UTF8) { /* a cut character */
            assert_int_equal(error.at, len);
        }
        free(copy);
    }
}

/* By each kernel, and at its exact length: what is read after its end is seen under AddressSanitizer. */
static void assert_all_agree(struct str text, unsigned depth_max)
{
    const struct json_kernel *kernels[JSON_KERNELS_MAX];
    size_t count = json_kernels(kernels);
    bool is_json = json_check_closely(text, depth_max, NULL);
    char *copy = malloc(text.len);

    assert_non_null(copy);
    memcpy(copy, text.data, text.len);
    for (size_t i = 0; i < count; i++) {
        const char *end = kernels[i]->verify(copy, copy + text.len, depth_max);

        if ((end == copy + text.len) != is_json) {
            print_error("%s at depth %u: %.*s\n", kernels[i]->name, depth_max, STR_ARG(text));
        }
        assert_true((end == copy + text.len) == is_json);
    }
    free(copy);
}

/* Each byte of a text becomes each of these, and the text is cut there, wherever blocks of 64 bytes begin. */
static void json_kernels__say_what_the_judge_says__when_any_byte_is_another(void **state)
{
    static const struct str text =
        STR_INIT("[{\"a\\\"b\":[-1.5e3,0,{\"\":\"\\u00e9 \\\\\"},[]],\"k\" : "
                 "true},\tnull,\"\xc3\xa9\xf0\x9f\x98\x80\",12]");
    static const struct str others = STR_INIT("{}[]\",:\\0-1e.tu \n\x01\x80\xc3\xff");

    (void)state;
    for (size_t pad = 0; pad < 64; pad += 3) {
        char room[256];
        size_t head = 1 + pad, len = text.len + pad;

        room[0] = text.data[0];
        memset(room + 1, ' ', pad);
        memcpy(room + head, text.data + 1, text.len - 1);
        assert_all_agree((struct str){ room, len }, 16);
        assert_all_agree((struct str){ room, len }, 2);
        for (size_t at = head; at < len; at++) {
            char before = room[at];

            for (size_t i = 0; i < others.len; i++) {
                room[at] = others.data[i];
                assert_all_agree((struct str){ room, len }, 16);
            }
            room[at] = before;
            assert_all_agree((struct str){ room, at }, 16);
        }
    }
}

/* The piece's first byte, spaces, and the rest of it before `end`: `len` bytes in all, of the piece what fits. */
static struct str text_before(char *end, size_t len, struct str piece)
{
    size_t rest = len ? len - 1 : 0;

    rest = rest < piece.len - 1 ? rest : piece.len - 1;
    memset(end - len, ' ', len);
    if (len) {
        end[-(ptrdiff_t)len] = piece.data[0];
        memcpy(end - rest, piece.data + piece.len - rest, rest);
    }
    return (struct str){ end - len, len };
}

static void json_kernels__read_nothing_after_the_end__when_a_text_ends_its_page(void **state)
{
    static const struct str pieces[] = {
        STR_INIT("[\"\\\\\\\""),      STR_INIT("[\"\\u00e9"), STR_INIT("[\"\xf0\x9f\x98\x80"),
        STR_INIT("[-1.5e+30"),        STR_INIT("{\"a\":tru"), STR_INIT("[123456789012345678901"),
        STR_INIT("[\"\\\\\",\"a\"]"), STR_INIT("{\"a\":0}"),  STR_INIT("[\"\xf0\x9f\x98"),
    };
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count;
    char *room = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const struct json_kernel *kernels[JSON_KERNELS_MAX];
    char *end = room + page;

    (void)state;
    assert_true(room != MAP_FAILED && mprotect(end, page, PROT_NONE) == 0);
    count = json_kernels(kernels);
    for (size_t n = 0; n < sizeof pieces / sizeof pieces[0] * 131; n++) {
        struct str text = text_before(end, n % 131, pieces[n / 131]);
        bool is_json = json_check_closely(text, 16, NULL), is_escaped = false;

        assert_int_equal(json_check(text, 16, NULL), is_json);
        for (size_t i = 0; i < count && text.len; i++) {
            assert_int_equal(kernels[i]->verify(text.data, end, 16) == end, is_json);
            assert_true(kernels[i]->container_end(text.data, end) <= end);
            (void)kernels[i]->verify_string(text.data, end, &is_escaped);
        }
    }
    assert_int_equal(munmap(room, 2 * page), 0);
}

static bool read_file(const char *directory, const char *name, struct buf *text)
{
    char path[1024], block[65536];
    size_t got;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    f = fopen(path, "rb");
    if (!f) {
        return false;
    }
    buf_reset(text);
    while ((got = fread(block, 1, sizeof block, f)) > 0) {
        assert_int_equal(buf_append(text, block, got), RESULT_OK);
    }
    fclose(f);
    return true;
}

static bool accepted_where_free(const char *name)
{
    return strstr(name, "i_number_") || strstr(name, "lone_2nd_surrogate") ||
           strstr(name, "1st_surrogate_but") || strstr(name, "1st_valid_surrogate") ||
           strstr(name, "incomplete_surrogate") || strstr(name, "invalid_lonely") ||
           strstr(name, "i_string_invalid_surrogate") || strstr(name, "inverted_surrogates") ||
           strstr(name, "lone_second_surrogate") || strstr(name, "500_nested_arrays");
}

static void json_check__agrees_with_json_test_suite__when_it_is_there(void **state)
{
    const char *directory = getenv("JSON_TEST_SUITE");
    struct buf text = { 0 };
    const struct dirent *entry;
    unsigned seen = 0;
    DIR *d;

    (void)state;
    directory = directory ? directory : JSON_TEST_SUITE;
    d = opendir(directory);
    if (!d) {
        fprintf(stderr, "SKIPPED: JSONTestSuite is not at %s: %s\n", directory, strerror(errno));
        skip();
    }
    while ((entry = readdir(d))) {
        struct json_error error = { .text = "" };
        bool valid, want;

        if (!strchr("yni", entry->d_name[0]) || entry->d_name[1] != '_') {
            continue;
        }
        assert_true(read_file(directory, entry->d_name, &text));
        valid = json_check(buf_view(&text), JSON_DEPTH_MAX, &error);
        want = entry->d_name[0] == 'y' ||
               (entry->d_name[0] == 'i' && accepted_where_free(entry->d_name));
        if (valid != want) {
            fail_msg("%s: %s %s", entry->d_name, valid ? "accepted" : "refused", error.text);
        }
        seen++;
    }
    closedir(d);
    buf_release(&text);
    assert_true(seen >= 300);
}

static void json_walk__gives_views__when_text_is_valid(void **state)
{
    static const struct {
        const char *key, *value;
    } want[] = {
        { "a", "1.50" }, { "b\\\"", "\"x]}\\\"\"" }, { "", "[1,{\"z\":\"]\"}]" },
        { "n", "null" }, { "o", "{\"p\" : {}}" },
    };
    struct json_walk walk;
    struct str key, value;
    size_t i = 0;

    (void)state;
    json_walk_begin(&walk, STR(" { \"a\" : 1.50 ,\"b\\\"\":\"x]}\\\"\", \"\":[1,{\"z\":\"]\"}],"
                               "\"n\":null\n,\"o\":{\"p\" : {}} } "));
    while (json_walk_next(&walk, &key, &value)) {
        assert_true(i < sizeof want / sizeof want[0]);
        assert_true(str_equal(key, str_view(want[i].key)));
        assert_true(str_equal(value, str_view(want[i].value)));
        i++;
    }
    assert_int_equal(i, sizeof want / sizeof want[0]);
    json_walk_begin(&walk, STR("[]"));
    assert_false(json_walk_next(&walk, &key, &value));
    json_walk_begin(&walk, STR("12"));
    assert_false(json_walk_next(&walk, &key, &value));
    json_walk_begin(&walk, STR_NONE);
    assert_false(json_walk_next(&walk, &key, &value));
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 16;
}

/* Text that was never checked must not lead the walker astray, only to nonsense. */
static void json_walk__ends__when_text_is_garbage(void **state)
{
    static const char alphabet[] = "{}[]\",:\\ a1\n";
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t len = next_random(&seed) % 40, steps = 0;
        char *text = malloc(len ? len : 1);
        struct json_walk walk;
        struct str key, value, found;

        assert_non_null(text);
        for (size_t i = 0; i < len; i++) {
            text[i] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
        }
        json_walk_begin(&walk, (struct str){ text, len });
        while (json_walk_next(&walk, &key, &value)) {
            assert_true(++steps <= len);
            assert_true(value.data >= text && value.data + value.len <= text + len);
        }
        (void)json_find((struct str){ text, len }, STR("/a/*/1"), &found);
        free(text);
    }
}

static void assert_found(const char *pointer, const char *want)
{
    static const struct str doc =
        STR_INIT("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"m~n\":8,\"k\\u0022l\":6,"
                 "\"o\":{\"x\":{\"v\":1},\"y\":{\"v\":2}},\"d\":1,\"d\":2}");
    struct str value = STR_NONE;

    if (!want) {
        assert_false(json_find(doc, str_view(pointer), &value));
        return;
    }
    assert_true(json_find(doc, str_view(pointer), &value));
    assert_int_equal(value.len, strlen(want));
    assert_memory_equal(value.data, want, value.len);
}

static void json_find__follows_rfc6901__when_pointer_is_valid(void **state)
{
    (void)state;
    assert_found("/foo", "[\"bar\",\"baz\"]");
    assert_found("/foo/0", "\"bar\"");
    assert_found("/foo/1", "\"baz\"");
    assert_found("/", "0");
    assert_found("/a~1b", "1");
    assert_found("/m~0n", "8");
    assert_found("/k\"l", "6");
    assert_found("/o/*/v", "1");
    assert_found("/o/y/v", "2");
    assert_found("/d", "2"); /* the last of equal names */
    assert_found("/foo/2", NULL);
    assert_found("/foo/01", NULL);
    assert_found("/foo/-", NULL);
    assert_found("/nope", NULL);
    assert_found("/d/x", NULL);
    assert_found("foo", NULL);
    assert_found("/m~2n", NULL);
}

static void json_pointer_parse__says_why__when_pointer_is_bad(void **state)
{
    struct json_pointer p;
    struct err err;

    (void)state;
    assert_int_equal(json_pointer_parse(&p, STR("items"), &err), RESULT_INVALID);
    assert_string_equal(err.text, "JSON Pointer \"items\" must begin with \"/\", as in /items");
    assert_int_equal(json_pointer_parse(&p, STR("/a~"), &err), RESULT_INVALID);
    assert_int_equal(json_pointer_parse(&p, STR("/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h"), &err),
                     RESULT_INVALID);
    assert_int_equal(json_pointer_parse(&p, STR(""), &err), RESULT_OK);
    assert_int_equal(p.count, 0);
    assert_int_equal(json_pointer_parse(&p, STR("/a/"), &err), RESULT_OK);
    assert_int_equal(p.count, 2);
}

static bool join_match(void *context, const struct json_match *match)
{
    struct buf *out = context;

    return buf_printf(out, "%.*s=%.*s;", STR_ARG(match->key), STR_ARG(match->value)) == RESULT_OK;
}

static void assert_each(const char *pointer, struct str doc, const char *want)
{
    struct json_pointer p;
    struct buf out = { 0 };

    assert_int_equal(json_pointer_parse(&p, str_view(pointer), NULL), RESULT_OK);
    json_pointer_each(doc, &p, join_match, &out);
    assert_string_equal(buf_cstr(&out), want);
    buf_release(&out);
}

static void json_pointer_each__visits_in_order__when_steps_are_stars(void **state)
{
    (void)state;
    assert_each("/*", STR("{\"26\":{\"a\":1},\"33\":{}}"), "26={\"a\":1};33={};");
    assert_each("/*", STR("[1,[2]]"), "=1;=[2];");
    assert_each("/*/t/*", STR("{\"x\":{\"t\":[1,2]},\"y\":{},\"z\":{\"t\":[3]}}"), "x=1;x=2;z=3;");
    assert_each("", STR("7"), "=7;");
    assert_each("/*", STR("7"), "");
}

static void json_unescape__gives_utf8__when_string_has_escapes(void **state)
{
    static const struct {
        struct str raw, want;
        uint64_t lone;
    } cases[] = {
        { STR_INIT("plain"), STR_INIT("plain"), 0 },
        { STR_INIT(""), STR_INIT(""), 0 },
        { STR_INIT("\\\"\\\\\\/\\b\\f\\n\\r\\t"), STR_INIT("\"\\/\b\f\n\r\t"), 0 },
        { STR_INIT("caf\\u00e9 \\u65E5"), STR_INIT("caf\xC3\xA9 \xE6\x97\xA5"), 0 },
        { STR_INIT("\\ud83d\\ude00!"), STR_INIT("\xF0\x9F\x98\x80!"), 0 },
        { STR_INIT("a\\u0000b"), STR_INIT("a\0b"), 0 },
        { STR_INIT("\\ud83d"), STR_INIT("\xEF\xBF\xBD"), 1 },
        { STR_INIT("\\ude00\\ud83dx"), STR_INIT("\xEF\xBF\xBD\xEF\xBF\xBDx"), 2 },
        { STR_INIT("\\ud83d\\u0041"),
          STR_INIT("\xEF\xBF\xBD"
                   "A"),
          1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = { 0 };
        uint64_t lone = 0;

        assert_int_equal(json_unescape(&out, cases[i].raw, &lone), RESULT_OK);
        assert_true(str_equal(buf_view(&out), cases[i].want));
        assert_int_equal(lone, cases[i].lone);
        assert_true(json_raw_equal(cases[i].raw, cases[i].want));
        assert_false(json_raw_equal(cases[i].raw, STR("something else")));
        buf_release(&out);
    }
}

/* One escape at each place of strings that are longer and shorter than blocks, and another right after it
 * or further on. Neither the text nor the room has a byte more than it must. */
static void json_step_unescape__stays_within_the_room__when_escapes_stand_anywhere(void **state)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";

    (void)state;
    for (size_t len = 2; len <= 70; len++) {
        for (size_t at = 0; at + 2 <= len; at++) {
            char *raw = malloc(len), *room = malloc(len), want[70], *end;
            size_t letter = (len + at) % 8, second = at + 2 + len % 19, count = 0;
            uint64_t lone = 0;

            assert_true(raw && room);
            for (size_t i = 0; i < len; i++) {
                raw[i] = (char)('a' + i % 26);
            }
            raw[at] = '\\';
            raw[at + 1] = letters[letter];
            if (second + 2 <= len) {
                raw[second] = '\\';
                raw[second + 1] = letters[7 - letter];
            }
            for (size_t i = 0; i < len; i++) {
                bool escape = raw[i] == '\\';

                i += escape;
                want[count++] = escape ? meant[strchr(letters, raw[i]) - letters] : raw[i];
            }
            end = json_step_unescape(room, (struct str){ raw, len }, &lone);
            assert_int_equal(end - room, count);
            assert_memory_equal(room, want, count);
            assert_int_equal(lone, 0);
            free(raw);
            free(room);
        }
    }
}

static void json_unescape__gives_the_text_back__when_it_was_appended(void **state)
{
    static const struct str odd = STR_INIT("a\"b\\c\n\t\x01\x7F \xC3\xA9");
    struct buf out = { 0 }, back = { 0 };

    (void)state;
    assert_int_equal(json_text_append(&out, odd), RESULT_OK);
    assert_true(json_check(buf_view(&out), 1, NULL));
    assert_int_equal(json_unescape(&back, json_string_raw(buf_view(&out)), NULL), RESULT_OK);
    assert_true(str_equal(buf_view(&back), odd));
    buf_release(&out);
    buf_release(&back);
}

static void json_type_of__tells__when_value_is_any(void **state)
{
    (void)state;
    assert_int_equal(json_type_of(STR(" {}")), JSON_OBJECT);
    assert_int_equal(json_type_of(STR("[1]")), JSON_ARRAY);
    assert_int_equal(json_type_of(STR("\"\"")), JSON_STRING);
    assert_int_equal(json_type_of(STR("-1")), JSON_NUMBER);
    assert_int_equal(json_type_of(STR("false")), JSON_BOOL);
    assert_int_equal(json_type_of(STR("null")), JSON_NULL);
    assert_int_equal(json_type_of(STR("  ")), JSON_NONE);
    assert_true(str_equal(json_string_raw(STR(" \"a\\\"b\" ")), STR("a\\\"b")));
    assert_null(json_string_raw(STR("1")).data);
    assert_true(str_equal(json_without_bom(STR("\xEF\xBB\xBF{}")), STR("{}")));
    assert_true(str_equal(json_without_bom(STR("{}")), STR("{}")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_check__names_the_byte__when_text_is_bad),
        cmocka_unit_test(json_check__accepts__when_text_is_valid),
        cmocka_unit_test(json_check__refuses__when_nested_too_deep),
        cmocka_unit_test(json_check__finds_the_byte__when_it_is_anywhere),
        cmocka_unit_test(json_check__refuses__when_cut_anywhere),
        cmocka_unit_test(json_check__agrees_with_json_test_suite__when_it_is_there),
        cmocka_unit_test(json_walk__gives_views__when_text_is_valid),
        cmocka_unit_test(json_walk__ends__when_text_is_garbage),
        cmocka_unit_test(json_find__follows_rfc6901__when_pointer_is_valid),
        cmocka_unit_test(json_pointer_parse__says_why__when_pointer_is_bad),
        cmocka_unit_test(json_pointer_each__visits_in_order__when_steps_are_stars),
        cmocka_unit_test(json_kernels__say_what_the_judge_says__when_any_byte_is_another),
        cmocka_unit_test(json_kernels__read_nothing_after_the_end__when_a_text_ends_its_page),
        cmocka_unit_test(json_unescape__gives_utf8__when_string_has_escapes),
        cmocka_unit_test(json_step_unescape__stays_within_the_room__when_escapes_stand_anywhere),
        cmocka_unit_test(json_unescape__gives_the_text_back__when_it_was_appended),
        cmocka_unit_test(json_type_of__tells__when_value_is_any),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
