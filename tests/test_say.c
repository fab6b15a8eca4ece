#include "base/say.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOSTILE "\x1b]0;pwned\x07\n\r\x7f\xc2\x9b\xe2\x80\xae\xff"
#define SHOWN "\\x1b]0;pwned\\x07\\x0a\\x0d\\x7f\\u{9b}\\u{202e}\\xff"

/* What is written to the stream. */
static void check_written(const char *wanted, FILE *to, char **text, size_t *size)
{
    fclose(to);
    assert_int_equal(*size, strlen(wanted));
    assert_string_equal(*text, wanted);
    free(*text);
}

static void say__writes_one_safe_line__whatever_comes_in(void **state)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    (void)state;
    say_part(to, "a %s", HOSTILE);
    say(to, " b %d %s", 7, "\xc3\xa9");
    check_written("a " SHOWN " b 7 \xc3\xa9\n", to, &text, &size);
}

static void say_lines__keeps_lines(void **state)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    (void)state;
    say_lines(to, STR("one\x1b\ntwo\n"));
    check_written("scrapetop: one\\x1b\nscrapetop: two\n", to, &text, &size);
}

static void say_json__means_the_same__and_acts_on_no_terminal(void **state)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    (void)state;
    say_json(to, STR("{\"a\":\n\t\"\x7f\xc2\x9b\xe2\x80\xae\xc3\xa9\xf3\xa0\x80\x81\"}"));
    check_written("{\"a\":\n\t\"\\u007f\\u009b\\u202e\xc3\xa9\\udb40\\udc01\"}", to, &text, &size);
}

static void check_word(struct str word, const char *wanted)
{
    struct buf out = { .max = 0 };

    assert_int_equal(say_shell_word(&out, word), RESULT_OK);
    assert_string_equal(buf_cstr(&out), wanted);
    buf_release(&out);
}

static void shell_word__is_what_a_shell_takes_for_it(void **state)
{
    (void)state;
    check_word(STR("api.example.org.run"), "api.example.org.run");
    check_word(STR(""), "''");
    check_word(STR("my run"), "'my run'");
    check_word(STR("it's $HOME"), "'it'\\''s $HOME'");
    check_word(STR("caf\xc3\xa9"), "'caf\xc3\xa9'");
    check_word(STR("\x1b'\\ \xff"), "$'\\x1b\\'\\\\ \\xff'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(say__writes_one_safe_line__whatever_comes_in),
        cmocka_unit_test(say_lines__keeps_lines),
        cmocka_unit_test(say_json__means_the_same__and_acts_on_no_terminal),
        cmocka_unit_test(shell_word__is_what_a_shell_takes_for_it),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
