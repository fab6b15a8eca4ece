/* Hints are words only; but they look at bytes of strangers, cut anywhere. */
#include "normalise/not_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *const texts[] = {
    "",
    " ",
    "<",
    "<!doctype html>",
    "\x1F\x8B\x08",
    "PK\x03\x04",
    "\xFF\xFE[",
    "[1",
    "{\"a\":1} ,",
    "{\"a\":1}{",
    "1,2\n3,4",
    "a,b",
    "a\tb\nc\td",
    "cb(",
    "cb ( [",
    "{'a'",
    "[1,]",
    ",]",
    "[,]",
    "//",
    "[1,//",
    "{\"a\":None}",
    "{\"a\":N",
    "\xFC",
    "\"\xFC",
    ")]}'\n",
    "SQLite format 3",
    "%PDF",
    "\"abc",
    "1 2",
};

/* Each beginning of each text, at the end of its own block of memory: nothing after it is read. */
static void hint__stays_within_the_text__wherever_it_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t len = 0; len <= strlen(texts[i]); len++) {
            char *copy = malloc(len + !len);
            struct str text = { copy, len };
            struct json_error error;

            assert_non_null(copy);
            memcpy(copy, texts[i], len);
            if (!json_check(text, JSON_DEPTH_MAX, &error)) {
                const char *hint = not_json_hint(text, i & 1, &error);

                assert_true(!hint || strlen(hint) < 120);
            }
            free(copy);
        }
    }
}

static void hint__tells_nul_bytes_apart__when_they_are_utf16_or_not(void **state)
{
    static const struct {
        struct str text;
        const char *want;
    } cases[] = {
        { STR_INIT("[\0001\000]\000"), "UTF-16LE" },
        { STR_INIT("\000[\0001\000]"), "UTF-16BE" },
        { STR_INIT("[1]\000\000\000"), "NULs come after" },
        { STR_INIT("[1,\000\000\000\000]"), "has NULs" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_error error;
        const char *hint;

        assert_false(json_check(cases[i].text, JSON_DEPTH_MAX, &error));
        hint = not_json_hint(cases[i].text, false, &error);
        if (!hint || !strstr(hint, cases[i].want)) {
            fail_msg("%zu: %s", i, hint ? hint : "nothing");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hint__stays_within_the_text__wherever_it_ends),
        cmocka_unit_test(hint__tells_nul_bytes_apart__when_they_are_utf16_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
