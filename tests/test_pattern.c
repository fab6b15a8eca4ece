#include "base/pattern.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static bool matches(const char *expression, struct str text)
{
    struct pattern *pattern;
    struct err err = { .text = "" };
    bool is_match;

    if (pattern_new(&pattern, str_view(expression), &err) != RESULT_OK) {
        fail_msg("%s: %s", expression, err.text);
    }
    is_match = pattern_matches(pattern, text);
    pattern_free(pattern);
    return is_match;
}

static void matches__is_told__for_each_part_of_the_language(void **state)
{
    static const struct {
        const char *expression, *text;
        bool want;
    } cases[] = {
        { "", "", true },
        { "", "anything", true },
        { "rate.?limit", "API rate limit exceeded", true },
        { "^rate", "API rate", false },
        { "rate$", "API rate", true },
        { "^$", "", true },
        { "^$", "a", false },
        { "a|b|^c", "xb", true },
        { "a|b|^c", "xc", false },
        { "(ab)+$", "xababab", true },
        { "^(ab)+$", "ababa", false },
        { "^(a|bc)*d$", "abcbcad", true },
        { "^a{3}$", "aaa", true },
        { "^a{3}$", "aaaa", false },
        { "^a{2,}$", "a", false },
        { "^a{2,}$", "aaaaa", true },
        { "^(ab){1,2}c$", "ababc", true },
        { "^(ab){1,2}c$", "abababc", false },
        { "^a{0}b$", "b", true },
        { "^a{0,2}b$", "aab", true },
        { "^a{0,2}b$", "aaab", false },
        { "^[a-c]+$", "abcba", true },
        { "^[^a-c]+$", "xyz", true },
        { "^[^a-c]+$", "xaz", false },
        { "^[]-]+$", "]-]", true },
        { "^[[:digit:]]{4}$", "2026", true },
        { "^[[:upper:][:digit:]_]+$", "RATE_LIMITED_2", true },
        { "^\\d+\\.\\d$", "10.5", true },
        { "^\\d+\\.\\d$", "10x5", false },
        { "^[\\w.]+$", "a.b_9", true },
        { "\\S", " \t\n", false },
        { "^\\W$", "-", true },
        { "\\$5 \\(each\\)", "only $5 (each)!", true },
        { "(?i)too many requests", "Too MANY Requests", true },
        { "(?i)^[A-C]+$", "abCb", true },
        { "(?i)^[^x]$", "X", false },
        { "too many requests", "Too MANY Requests", false },
        { "(a*)*b", "aaab", true },
        { "(a*)*b", "aaa", false },
        { "()", "", true },
        { "(|a)b", "b", true },
        { "caf\xc3\xa9", "un caf\xc3\xa9 noir", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (matches(cases[i].expression, str_view(cases[i].text)) != cases[i].want) {
            fail_msg("\"%s\" in \"%s\": want %d", cases[i].expression, cases[i].text,
                     cases[i].want);
        }
    }
    assert_true(matches("^a.b$", (struct str){ "a\0b", 3 })); /* a NUL is a byte as any */
    assert_false(matches("a", STR_NONE));
}

static void new__says_what_and_where__when_the_expression_is_wrong(void **state)
{
    static const struct {
        const char *expression, *want;
    } cases[] = {
        { "a(b", "byte 4: the parenthesis ( is not closed" },
        { "ab)", "byte 3: no parenthesis ( is open here" },
        { "[a", "the bracket [ is not closed" },
        { "[", "the bracket [ is not closed" },
        { "*a", "byte 1: nothing stands here" },
        { "a|*", "byte 3: nothing stands here" },
        { "^*", "byte 2: nothing stands here" },
        { "a{", "want {N}" },
        { "a{x}", "want {N}" },
        { "a{2,1}", "want {N}" },
        { "a{256}", "want {N}" },
        { "a\\", "a backslash at the end" },
        { "(a)\\1", "back-references are not supported" },
        { "\\bword", "this escape has no meaning" },
        { "[\\q]", "this escape has no meaning" },
        { "(?:a)", "is not supported" },
        { "[z-a]", "this range" },
        { "[[:nothing:]]", "want a class" },
        { "[[.a.]]", "collations" },
        { "(((a{255}){255}){255}){255}", "too long" },
        { "((((((((((a|b){20}){20}){20}){20}){20}){20}){20}){20}){20})", "too long" },
    };
    char deep[PATTERN_BYTES_MAX + 2];
    struct pattern *pattern;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (pattern_new(&pattern, str_view(cases[i].expression), &err) == RESULT_OK) {
            fail_msg("%s is taken", cases[i].expression);
        }
        assert_string_equal(err.code, "E-PAT1");
        if (!strstr(err.text, cases[i].want)) {
            fail_msg("%s: \"%s\", want \"%s\"", cases[i].expression, err.text, cases[i].want);
        }
    }
    memset(deep, '(', sizeof deep);
    assert_int_equal(pattern_new(&pattern, (struct str){ deep, 200 }, &err), RESULT_INVALID);
    assert_int_equal(pattern_new(&pattern, (struct str){ deep, sizeof deep }, &err),
                     RESULT_INVALID);
}

/* What drives a backtracking matcher, or one that keeps every set of states, out of time and memory. */
static void matches__takes_little_time__whatever_the_text_is(void **state)
{
    static char text[65536];
    clock_t began = clock();

    (void)state;
    memset(text, 'a', sizeof text);
    assert_false(matches("^(a|aa)+$x", (struct str){ text, sizeof text }));
    assert_false(matches("(a*)*(a*)*(a*)*b", (struct str){ text, sizeof text }));
    for (size_t i = 0; i < sizeof text; i++) { /* each window of it another */
        text[i] = (i * 2654435761U >> 13 & 1) ? 'a' : 'b';
    }
    assert_false(matches("(a|b)*a(a|b){30}c", (struct str){ text, sizeof text }));
    assert_true((double)(clock() - began) / CLOCKS_PER_SEC < 5);
}

/* --- held against regexec ------------------------------------------------------------------------------ */

static uint64_t random_state = 42;

static unsigned random_below(unsigned bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % bound;
}

static void random_expression(char *out, size_t size)
{
    static const char *const parts[] = { "a",     "b",   "c",     ".",    "(",     ")",
                                         "|",     "*",   "+",     "?",    "[ab]",  "[^a]",
                                         "a",     "{2}", "{1,2}", "{2,}", "[a-c]", "\\.",
                                         "(a|b)", "^",   "$",     "b" };
    unsigned count = 1 + random_below(9);

    out[0] = '\0';
    for (unsigned i = 0; i < count; i++) {
        const char *part = parts[random_below(sizeof parts / sizeof parts[0])];

        snprintf(out + strlen(out), size - strlen(out), "%s", part);
    }
}

static void matches__agrees_with_regexec__for_random_expressions(void **state)
{
    unsigned held = 0;

    (void)state;
    for (unsigned i = 0; i < 40000; i++) {
        char expression[128], text[16];
        struct pattern *pattern;
        regex_t theirs;

        random_expression(expression, sizeof expression);
        if (pattern_new(&pattern, str_view(expression), NULL) != RESULT_OK) {
            continue;
        }
        if (regcomp(&theirs, expression, REG_EXTENDED | REG_NOSUB) != 0) {
            fail_msg("regcomp refuses %s", expression);
        }
        for (unsigned k = 0; k < 8; k++) {
            unsigned len = random_below(9);
            bool want;

            for (unsigned c = 0; c < len; c++) {
                text[c] = "abc."[random_below(4)];
            }
            text[len] = '\0';
            want = regexec(&theirs, text, 0, NULL, 0) == 0;
            if (pattern_matches(pattern, str_view(text)) != want) {
                fail_msg("\"%s\" in \"%s\": regexec says %d", expression, text, want);
            }
            held++;
        }
        regfree(&theirs);
        pattern_free(pattern);
    }
    assert_true(held > 50000);
}

/* Whatever bytes it is given: it ends, and within its bounds. */
static void new__survives__random_bytes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        static const char likely[] = "()[]{}|*+?^$\\.,-:dwsa019";
        char text[24];
        size_t len = random_below(sizeof text);
        struct pattern *pattern;

        for (size_t k = 0; k < len; k++) {
            text[k] =
                random_below(4) ? likely[random_below(sizeof likely - 1)] : (char)random_below(256);
        }
        if (pattern_new(&pattern, (struct str){ text, len }, NULL) == RESULT_OK) {
            (void)pattern_matches(pattern, (struct str){ text, len });
            pattern_free(pattern);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches__is_told__for_each_part_of_the_language),
        cmocka_unit_test(new__says_what_and_where__when_the_expression_is_wrong),
        cmocka_unit_test(matches__takes_little_time__whatever_the_text_is),
        cmocka_unit_test(matches__agrees_with_regexec__for_random_expressions),
        cmocka_unit_test(new__survives__random_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
