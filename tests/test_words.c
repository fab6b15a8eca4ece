/* ui/words: lines that are typed, and what they do. */

#include "tests/ui_scenes.h"
#include "ui/words.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START_US (UINT64_C(1969) * US_PER_S)
#define VERBS                                                                                      \
    (~(UINT32_C(1) << CONTROL_SEEK | UINT32_C(1) << CONTROL_DETACH | UINT32_C(1) << CONTROL_LEAVE))

static struct snapshot snapshot;
static struct buf answer;
static struct control control;

static bool typed(const char *line)
{
    buf_reset(&answer);
    control = (struct control){ .verb = CONTROL_NONE };
    return words_read(str_view(line), &snapshot, VERBS, &control, &answer) == WORDS_COMMAND;
}

static void expect(const char *line, enum control_verb verb, int64_t number, const char *text)
{
    if (!typed(line) || control.verb != verb || control.number != number ||
        strcmp(control.text, text) != 0) {
        fail_msg("\"%s\": verb %d, number %lld, text \"%s\"; %s", line, control.verb,
                 (long long)control.number, control.text, buf_cstr(&answer));
    }
    assert_int_equal(answer.len, 0);
}

static void expect_answer(const char *line, const char *words)
{
    assert_false(typed(line));
    if (!strstr(buf_cstr(&answer), words)) {
        fail_msg("\"%s\" is answered: %s", line, buf_cstr(&answer));
    }
}

static int set_up(void **state)
{
    (void)state;
    ui_scene_fill(&snapshot, SCENE_RUNNING, 24, START_US);
    return 0;
}

static void words__are_commands(void **state)
{
    (void)state;
    expect("cap 20", CONTROL_CAP_SET, 20, "");
    expect("  cap   0 \r", CONTROL_CAP_SET, 0, "");
    expect("more", CONTROL_CAP_ADD, 1, "");
    expect("less 5", CONTROL_CAP_ADD, -5, "");
    expect("double", CONTROL_CAP_DOUBLE, 0, "");
    expect("rate 5/15s", CONTROL_RATE_SET, 0, "5/15s");
    expect("auto", CONTROL_AUTO, 0, "");
    expect("pause", CONTROL_PAUSE, 0, "");
    expect("norm", CONTROL_NORMALISE, 0, "");
    expect("retry 900", CONTROL_RETRY, 900, "");
    expect("drop 901", CONTROL_DROP, 901, "");
    expect("retry-failed", CONTROL_RETRY_FAILED, 0, "");
    expect("retry-waiting", CONTROL_RETRY_WAITING, 0, "");
    expect("retry-waiting HTTP 503", CONTROL_RETRY_WAITING, 0, "HTTP 503");
    expect("retry-failed HTTP 404", CONTROL_RETRY_FAILED, 0, "HTTP 404");
    expect("hold api.example.org", CONTROL_HOLD, 0, "api.example.org");
    expect("note after lunch", CONTROL_MARK, 0, "after lunch");
    expect("quit", CONTROL_DRAIN, 0, "");
    expect("q", CONTROL_DRAIN, 0, "");
    expect("drain", CONTROL_DRAIN, 0, "");
    expect("abort", CONTROL_ABORT, 0, "");
    expect("on add 429 > 2% for 60s: cap /2", CONTROL_ON_ADD, 0, "429 > 2% for 60s: cap /2");
    expect("on remove 3", CONTROL_ON_REMOVE, 3, "");
}

static void words__say_what_a_screen_would_show(void **state)
{
    (void)state;
    expect_answer("status", "76026/90000");
    expect_answer("status", "in flight 24");
    expect_answer("failed", "9 of HTTP 404, such as GET /meta/88017");
    expect_answer("waiting", "900: GET /products?page=61190, in 0:02, try 2 of 5, HTTP 429,");
    expect_answer("hosts", "cdn.example.org: 1 in flight, 1000 requests, 90 refused, held 0:41");
    expect_answer("on", "there is no rule by event");
    expect_answer("help", "cap N: ");
    expect_answer("help", "hold HOST: ");
    ui_scene_fill(&snapshot, SCENE_TUNED, 24, START_US);
    expect_answer("on", "1: 429 > 2% for 60s: cap /2; fired 2 times; it is 1.2 %");
    expect_answer("on list", "2: idle > 10m: drain; fired 0 times; it is not known yet; for this "
                             "session");
}

/* What a screen is for is not there at all, and what is wrong is said. */
static void words__say_what_is_wrong__and_do_nothing(void **state)
{
    char longest[WORDS_LINE_MAX];

    (void)state;
    expect_answer("cap", "cap N: ");
    expect_answer("cap many", "many");
    expect_answer("cap -1", "-1");
    expect_answer("rate fast", "fast");
    expect_answer("drop", "drop ID: ");
    expect_answer("drop all", "all");
    expect_answer("zoom", "no such command");
    expect_answer("detach", "no such command");
    expect_answer("pasue", "(did you mean pause?)");
    expect_answer("retry-wating", "(did you mean retry-waiting?)");
    expect_answer("dance", "no such command: \"dance\"; help");
    expect_answer("re", "several commands begin so");
    expect_answer("resume", "not paused");
    expect_answer("on fire", "want nothing, add WHEN: DO, or remove N");
    expect_answer("on add", "on add WHEN: DO");
    expect_answer("on remove", "the number that on lists");
    expect_answer("on remove x", "the number that on lists");
    expect_answer("\033[31mred", "\\x1b[31mred");
    assert_false(typed("   "));
    assert_int_equal(answer.len, 0);
    memset(longest, 'x', sizeof longest);
    assert_int_equal(
        words_read((struct str){ longest, sizeof longest }, &snapshot, VERBS, &control, &answer),
        WORDS_REFUSED);
    ui_scene_fill(&snapshot, SCENE_PAUSED, 24, START_US);
    expect_answer("pause", "it is paused");
    expect("resume", CONTROL_PAUSE, 0, "");
}

static void expect_same(struct control wanted, bool is_paused)
{
    struct buf line = { 0 };

    ui_scene_fill(&snapshot, is_paused ? SCENE_PAUSED : SCENE_RUNNING, 24, START_US);
    assert_true(words_write(&wanted, is_paused, VERBS, &line));
    expect(buf_cstr(&line), wanted.verb, wanted.number, wanted.text);
    buf_release(&line);
}

static void commands__become_words_that_mean_them(void **state)
{
    (void)state;
    expect_same((struct control){ .verb = CONTROL_CAP_SET, .number = 20 }, false);
    expect_same((struct control){ .verb = CONTROL_CAP_SET, .number = 0 }, false);
    expect_same((struct control){ .verb = CONTROL_CAP_ADD, .number = 7 }, false);
    expect_same((struct control){ .verb = CONTROL_CAP_ADD, .number = -3 }, false);
    expect_same((struct control){ .verb = CONTROL_CAP_DOUBLE }, false);
    expect_same((struct control){ .verb = CONTROL_CAP_HALVE }, false);
    expect_same((struct control){ .verb = CONTROL_RATE_SET, .text = "5/15s" }, false);
    expect_same((struct control){ .verb = CONTROL_AUTO }, false);
    expect_same((struct control){ .verb = CONTROL_SWEEP, .text = "5,10" }, false);
    expect_same((struct control){ .verb = CONTROL_PAUSE }, false);
    expect_same((struct control){ .verb = CONTROL_PAUSE }, true);
    expect_same((struct control){ .verb = CONTROL_NORMALISE }, false);
    expect_same((struct control){ .verb = CONTROL_RETRY_FAILED }, false);
    expect_same((struct control){ .verb = CONTROL_RETRY_FAILED, .text = "404" }, false);
    expect_same((struct control){ .verb = CONTROL_RETRY_WAITING, .text = "503" }, false);
    expect_same((struct control){ .verb = CONTROL_RETRY, .number = 17 }, false);
    expect_same((struct control){ .verb = CONTROL_DROP, .number = 17 }, false);
    expect_same((struct control){ .verb = CONTROL_HOLD, .text = "a.example" }, false);
    expect_same((struct control){ .verb = CONTROL_MARK, .text = "after lunch" }, false);
    expect_same((struct control){ .verb = CONTROL_ON_ADD, .text = "idle > 10m: drain" }, false);
    expect_same((struct control){ .verb = CONTROL_ON_REMOVE, .number = 2 }, false);
    expect_same((struct control){ .verb = CONTROL_DRAIN }, false);
    expect_same((struct control){ .verb = CONTROL_ABORT }, false);
}

static void commands_without_words__are_told(void **state)
{
    struct control detail = { .verb = CONTROL_DETAIL, .number = 4 };
    struct buf line = { 0 };

    (void)state;
    assert_false(words_write(&detail, false, VERBS, &line));
    buf_release(&line);
}

/* Ctrl-Space types one: it ends no word, and nothing is read beyond it. */
static void words__may_hold_nuls__which_fit_nothing(void **state)
{
    static const char *const words[] = { "", "help", "h", "status", "waiting", "pause", "cap" };
    char line[WORDS_LINE_MAX] = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t len = strlen(words[i]);

        memset(line, 0, sizeof line);
        memcpy(line, words[i], len);
        for (size_t more = 1; len + more < sizeof line; more += 1 + more / 8) {
            struct str typed_line = { line, len + more };

            buf_reset(&answer);
            assert_int_equal(words_read(typed_line, &snapshot, VERBS, &control, &answer),
                             WORDS_REFUSED);
            assert_non_null(strstr(buf_cstr(&answer), "no such command"));
        }
    }
}

static void words__show_texts_from_outside__by_their_display_form(void **state)
{
    static const char *const lines[] = { "status", "failed", "waiting", "hosts" };

    (void)state;
    for (size_t n = 0; n < ui_scene_attacks(); n++) {
        ui_scene_fill(&snapshot, SCENE_HOSTILE, 24, START_US);
        ui_scene_fill_attack(&snapshot, n, START_US);
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
            assert_false(typed(lines[i]));
            for (size_t at = 0; at < answer.len; at++) {
                unsigned char c = (unsigned char)answer.data[at];

                assert_true(c == '\n' || (c >= 0x20 && c != 0x7F));
            }
        }
    }
}

static int release(void **state)
{
    (void)state;
    buf_release(&answer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(words__are_commands, set_up),
        cmocka_unit_test_setup(words__say_what_a_screen_would_show, set_up),
        cmocka_unit_test_setup(words__say_what_is_wrong__and_do_nothing, set_up),
        cmocka_unit_test(commands__become_words_that_mean_them),
        cmocka_unit_test(commands_without_words__are_told),
        cmocka_unit_test(words__may_hold_nuls__which_fit_nothing),
        cmocka_unit_test_setup(words__show_texts_from_outside__by_their_display_form, set_up),
    };

    return cmocka_run_group_tests_name("words", tests, NULL, release);
}
