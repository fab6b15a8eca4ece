/* ui/input, ui/keys and ui/view: bytes to keys, keys to commands. */

#include "tests/ui_desk.h"
#include "tests/ui_scenes.h"
#include "ui/dashboard.h"
#include "ui/keys.h"
#include "ui/screen.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t only_key(const char *bytes, size_t length)
{
    struct input in;
    struct input_key keys[INPUT_KEYS_MAX], last = { .code = 0 };
    size_t total = 0;

    input_init(&in);
    for (size_t i = 0; i < length; i++) {
        size_t count = input_feed(&in, (unsigned char)bytes[i], 1000, keys);

        total += count;
        last = count ? keys[count - 1] : last;
    }
    return total == 1 ? last.code : total == 0 ? 0 : UINT32_MAX;
}

static void input__knows_the_keys__of_common_terminals(void **state)
{
    static const struct {
        const char *bytes;
        uint32_t code;
    } cases[] = {
        { "\033[A", INPUT_UP },
        { "\033OA", INPUT_UP },
        { "\033[1;5B", INPUT_DOWN },
        { "\033[5~", INPUT_PAGE_UP },
        { "\033[6;2~", INPUT_PAGE_DOWN },
        { "\033[1~", INPUT_HOME },
        { "\033[7~", INPUT_HOME },
        { "\033OF", INPUT_END },
        { "\033[8~", INPUT_END },
        { "\033[Z", INPUT_BACK_TAB },
        { "\033OP", INPUT_F1 },
        { "\033[11~", INPUT_F1 },
        { "\033[[A", INPUT_F1 },
        { "\033[15~", INPUT_F1 + 4 },
        { "\033[17~", INPUT_F1 + 5 },
        { "\033[24~", INPUT_F12 },
        { "\r", INPUT_ENTER },
        { "\n", INPUT_ENTER },
        { "\x7F", INPUT_BACKSPACE },
        { "\t", '\t' },
        { "\x0C", 0x0C },
        { "q", 'q' },
        { "\xC3\xA9", 0xE9 },
        { "\xF0\x9F\x92\xA9", 0x1F4A9 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(only_key(cases[i].bytes, strlen(cases[i].bytes)), cases[i].code);
    }
}

static void input__swallows_whole__what_it_does_not_know(void **state)
{
    static const char *const cases[] = {
        "\033[?1;2c",
        "\033[>41;390;0c",
        "\033]11;rgb:0000/0000/0000\007",
        "\033]52;c;cXE=\033\\",
        "\033P1+r436f=38\033\\",
        "\033[97;5u",
        "\033[<0;10;20m",
        "\033[<2;10;20M",
        "\033[<0;0;0M",
        "\033[I",
        "\033q",
        "\033Oq",
        "\033[99999999999999~",
        "\033[200~\033[201~",
        "\033_Gi=1;OK\033\\",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(only_key(cases[i], strlen(cases[i])), 0);
    }
}

static void input__never_acts__on_garbage(void **state)
{
    struct input in;
    struct input_key keys[INPUT_KEYS_MAX];
    uint32_t seed = 7;

    (void)state;
    input_init(&in);
    for (int i = 0; i < 200000; i++) {
        seed = seed * 1664525 + 1013904223;
        assert_true(input_feed(&in, (unsigned char)(seed >> 24), (uint64_t)i * 20000, keys) <=
                    INPUT_KEYS_MAX);
    }
}

static void escape__is_a_key__only_when_nothing_follows(void **state)
{
    struct desk *d = *state;

    desk_type(d, "?");
    assert_true(d->view.help);
    desk_type(d, "\033");
    desk_wait(d, INPUT_ESCAPE_US / 2);
    assert_true(d->view.help);
    desk_wait(d, INPUT_ESCAPE_US);
    assert_false(d->view.help);
}

static void escape__does_not_let_its_tail_halve_the_cap__on_a_slow_link(void **state)
{
    struct desk *d = *state;

    desk_type(d, "\033");
    desk_wait(d, INPUT_ESCAPE_US);
    desk_type(d, "[A");
    assert_int_equal(d->count, 0);
    desk_wait(d, 10 * INPUT_ESCAPE_US);
    desk_type(d, "[");
    desk_expect(d, CONTROL_CAP_HALVE, 0);
}

static void paste__is_not_taken_for_keys__but_fills_a_prompt(void **state)
{
    struct desk *d = *state;

    desk_type(d, "\033[200~qqp]]\r\033[201~");
    assert_int_equal(d->count, 0);
    assert_true(d->view.message[0] != '\0');
    desk_type(d, "c\033[200~42\r\033[201~");
    assert_int_equal(d->count, 0);
    desk_type(d, "\r");
    desk_expect(d, CONTROL_CAP_SET, 42);
}

static void keys__give_the_commands_of_the_table(void **state)
{
    static const struct {
        const char *key;
        enum control_verb verb;
        int64_t number;
    } cases[] = {
        { "+", CONTROL_CAP_ADD, 1 },    { "=", CONTROL_CAP_ADD, 1 },
        { "-", CONTROL_CAP_ADD, -1 },   { "_", CONTROL_CAP_ADD, -1 },
        { "]", CONTROL_CAP_DOUBLE, 0 }, { "[", CONTROL_CAP_HALVE, 0 },
        { "p", CONTROL_PAUSE, 0 },      { "n", CONTROL_NORMALISE, 0 },
        { "a", CONTROL_AUTO, 0 },       { "c7\r", CONTROL_CAP_SET, 7 },
        { "c0\r", CONTROL_CAP_SET, 0 }, { "q", CONTROL_DRAIN, 0 },
    };
    struct desk *d = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        desk_type(d, cases[i].key);
        desk_expect(d, cases[i].verb, cases[i].number);
    }
}

static void keys__do_not_exist__when_the_engine_lacks_their_verb(void **state)
{
    struct desk *d = *state;

    view_init(&d->view, DASHBOARD_VERB(CONTROL_PAUSE));
    desk_type(d, "natm+cRrdHq");
    assert_int_equal(d->count, 0);
    assert_int_equal(d->view.prompt, PROMPT_NONE);
    for (size_t i = 0; keys_at(i, d->view.verbs); i++) {
        enum control_verb verb = keys_at(i, d->view.verbs)->verb;

        assert_true(verb == CONTROL_NONE || verb == CONTROL_PAUSE);
    }
    desk_type(d, "p");
    desk_expect(d, CONTROL_PAUSE, 0);
}

static void keys__are_listed_once_each(void **state)
{
    const struct key_binding *binding;

    (void)state;
    for (size_t i = 0; (binding = keys_at(i, UINT32_MAX)) != NULL; i++) {
        assert_non_null(binding->help);
        for (size_t k = 0; k < KEY_CODES_MAX && binding->codes[k]; k++) {
            assert_ptr_equal(keys_find(binding->codes[k], UINT32_MAX), binding);
        }
    }
}

static void plus__takes_larger_steps__when_held_down(void **state)
{
    struct desk *d = *state;

    for (int i = 0; i < 7; i++) {
        desk_type(d, "+");
        d->now_us += 30000;
    }
    assert_int_equal(d->commands[4].number, 1);
    assert_int_equal(d->commands[5].number, 5);
    d->count = 0;
    d->now_us += US_PER_S;
    desk_type(d, "+");
    desk_expect(d, CONTROL_CAP_ADD, 1);
}

static void cap_prompt__says_what_is_wrong__and_sends_nothing(void **state)
{
    struct desk *d = *state;

    desk_type(d, "cmany\r");
    assert_int_equal(d->count, 0);
    assert_non_null(strstr(d->view.message, "many"));
    desk_type(d, "c99999999999999999999\r");
    assert_int_equal(d->count, 0);
    desk_type(d, "c12\x7F\x7F\x7F\x7F"
                 "5\r");
    desk_expect(d, CONTROL_CAP_SET, 5);
    desk_type(d, "c5");
    desk_type(d, "\033");
    desk_wait(d, INPUT_ESCAPE_US);
    assert_int_equal(d->view.prompt, PROMPT_NONE);
    assert_int_equal(d->count, 0);
}

static void prompt__is_bounded__whatever_is_typed(void **state)
{
    struct desk *d = *state;

    desk_type(d, "c");
    for (int i = 0; i < 500; i++) {
        desk_type(d, "\xE6\xBC\xA2");
    }
    assert_true(strlen(d->view.prompt_text) < VIEW_PROMPT_MAX);
    desk_type(d, "\r");
    desk_type(d, "/");
    for (int i = 0; i < 500; i++) {
        desk_type(d, "x");
    }
    assert_true(strlen(d->view.lists[PANEL_FLIGHTS].filter) < LIST_FILTER_MAX);
}

static void quit__drains_first_and_aborts_then(void **state)
{
    struct desk *d = *state;

    desk_type(d, "q");
    desk_expect(d, CONTROL_DRAIN, 0);
    assert_int_equal(view_quit(&d->view, &d->snapshot).verb, CONTROL_ABORT);
    desk_type(d, "q");
    desk_expect(d, CONTROL_ABORT, 0);
}

static void quit__aborts_at_once__when_something_else_drains_already(void **state)
{
    struct desk *d = *state;

    ui_scene_fill(&d->snapshot, SCENE_DRAINING, 24, d->now_us);
    desk_type(d, "q");
    desk_expect(d, CONTROL_ABORT, 0);
}

static void panels__are_walked_by_tab_and_named_by_digit(void **state)
{
    struct desk *d = *state;

    desk_type(d, "\t");
    assert_int_equal(d->view.focus, PANEL_WAITS);
    desk_type(d, "\033[Z\033[Z");
    assert_int_equal(d->view.focus, PANEL_FAILED); /* those without content are passed over */
    desk_type(d, "4");
    assert_int_equal(d->view.focus, PANEL_RATE);
    desk_type(d, "z");
    assert_int_equal(d->layout.panels[PANEL_RATE].rows, d->layout.body.rows);
    desk_type(d, "l");
    assert_int_equal(d->view.focus, PANEL_LOG);
    assert_true(d->view.zoomed);
    desk_type(d, "l");
    assert_false(d->view.zoomed);
}

/* Those that 80x24 has no room for take that of others, until another is looked at. */
static void panel__is_shown__when_its_number_is_typed(void **state)
{
    struct desk *d = *state;

    for (char key = '1'; key <= '8'; key++) {
        desk_type(d, (char[]){ key, '\0' });
        assert_int_equal(d->view.focus, key - '1');
        assert_in_range(d->layout.panels[d->view.focus].rows, 1, d->layout.body.rows - 1);
        assert_true(d->layout.panels[PANEL_FLIGHTS].rows > 0);
    }
    assert_int_equal(d->layout.panels[PANEL_HOSTS].rows, 0);
    ui_scene_fill(&d->snapshot, SCENE_TUNED, 24, 60 * US_PER_S);
    desk_type(d, "0");
    assert_int_equal(d->view.focus, PANEL_ENDPOINTS);
    assert_in_range(d->layout.panels[PANEL_ENDPOINTS].rows, 4, d->layout.body.rows - 1);
}

static void detach__asks_first(void **state)
{
    struct desk *d = *state;

    desk_type(d, "D");
    desk_expect_question(d, "goes on");
    desk_type(d, "n");
    assert_int_equal(d->count, 0);
    desk_type(d, "Dy");
    desk_expect(d, CONTROL_DETACH, 0);
}

static void detail__is_asked_for_by_enter__and_closed_by_escape(void **state)
{
    struct desk *d = *state;

    desk_type(d, "2jj\r");
    desk_expect(d, CONTROL_DETAIL, 901);
    assert_int_equal(d->view.focus, PANEL_DETAIL);
    assert_true(d->view.zoomed);
    desk_type(d, "\033");
    desk_wait(d, INPUT_ESCAPE_US);
    desk_expect(d, CONTROL_DETAIL, 0);
    assert_int_equal(d->view.focus, PANEL_WAITS);
    assert_false(d->view.zoomed);
    desk_type(d, "4\r");
    assert_int_equal(d->count, 0);
    assert_true(d->view.zoomed);
}

static void command__is_completed_and_does_what_its_key_does(void **state)
{
    struct desk *d = *state;

    desk_type(d, ":cap 40\r");
    desk_expect(d, CONTROL_CAP_SET, 40);
    desk_type(d, ":norm\t\r");
    desk_expect(d, CONTROL_NORMALISE, 0);
    desk_type(d, ":more 7\r");
    desk_expect(d, CONTROL_CAP_ADD, 7);
    desk_type(d, ":less\r");
    desk_expect(d, CONTROL_CAP_ADD, -1);
    desk_type(d, ":rate 5/15s\r");
    desk_expect(d, CONTROL_RATE_SET, 0);
    desk_type(d, ":panel 2\r:filter meta\r");
    assert_int_equal(d->view.focus, PANEL_WAITS);
    assert_int_equal(d->view.lists[PANEL_WAITS].count, 4);
    desk_type(d, ":theme contrast\r");
    assert_int_equal(d->view.settings.theme, THEME_CONTRAST);
    desk_type(d, ":retry\t");
    assert_string_equal(d->view.prompt_text, "retry");
    desk_type(d, "-f\t");
    assert_string_equal(d->view.prompt_text, "retry-failed");
    desk_type(d, "\r");
    desk_expect_question(d, "that failed");
    desk_type(d, "n:frobnicate\r");
    assert_non_null(strstr(d->view.message, "no such command"));
    desk_type(d, ":c\r");
    assert_non_null(strstr(d->view.message, "several"));
    desk_type(d, ":pause now\r");
    assert_non_null(strstr(d->view.message, "takes nothing"));
    assert_int_equal(d->count, 0);
}

static void all_that_wait__are_asked_again__not_only_those_shown(void **state)
{
    struct desk *d = *state;

    desk_type(d, "W");
    desk_expect_question(d, "ask now all 7 that wait");
    desk_type(d, "y");
    assert_string_equal(d->commands[0].text, "");
    desk_expect(d, CONTROL_RETRY_WAITING, 0);
    /* Under a filter: of those that are not shown others pass, too. */
    d->snapshot.waiting = 5000;
    desk_type(d, "2/429\rr");
    desk_expect_question(d, "all that wait with \"429\"");
    desk_type(d, "y");
    assert_string_equal(d->commands[0].text, "429");
    desk_expect(d, CONTROL_RETRY_WAITING, 0);
    d->snapshot.waiting = d->snapshot.wait_count = 0;
    desk_type(d, "W");
    assert_non_null(strstr(d->view.message, "nothing waits"));
}

static void words__are_all_different_and_none_hides_another(void **state)
{
    const struct key_binding *binding;

    (void)state;
    for (size_t i = 0; (binding = keys_at(i, UINT32_MAX)); i++) {
        if (binding->word) {
            assert_ptr_equal(keys_by_word(binding->word, strlen(binding->word), 0, UINT32_MAX),
                             binding);
        }
    }
}

static void help__is_searched__and_does_what_is_selected(void **state)
{
    struct desk *d = *state;

    desk_type(d, "?/halve\r");
    assert_ptr_equal(view_help_at(&d->view, 0), keys_find('[', UINT32_MAX));
    assert_null(view_help_at(&d->view, 1));
    desk_type(d, "\r");
    desk_expect(d, CONTROL_CAP_HALVE, 0);
    assert_false(d->view.help);
    desk_type(d, "?jj\r");
    desk_expect(d, CONTROL_CAP_DOUBLE, 0);
    desk_type(d, "?G");
    assert_null(view_help_at(&d->view, d->view.help_row + 1));
}

static void mouse__selects_and_scrolls__when_it_is_on(void **state)
{
    struct desk *d = *state;
    struct rect waits = d->view.rects[PANEL_WAITS];
    char click[32];

    snprintf(click, sizeof click, "\033[<0;5;%dM", waits.row + 2 + 2);
    desk_type(d, click);
    assert_int_equal(d->view.focus, PANEL_FLIGHTS);
    desk_type(d, "M");
    desk_type(d, click);
    assert_int_equal(d->view.focus, PANEL_WAITS);
    assert_int_equal(d->view.lists[PANEL_WAITS].selected, 1);
    snprintf(click, sizeof click, "\033[<65;5;%dM", waits.row + 2);
    desk_type(d, click);
    assert_int_equal(d->view.lists[PANEL_WAITS].selected, 4);
    assert_int_equal(d->count, 0);
}

/* Presses the mouse on the first place in the last line where `text` stands, and says which column. */
static void click_on_bar(struct desk *d, const char *text)
{
    struct canvas canvas;
    struct buf picture = { 0 };
    const char *line, *at;
    char click[32];

    canvas_init(&canvas, false);
    assert_int_equal(canvas_resize(&canvas, 24, 80), RESULT_OK);
    screen_draw(&d->layout, &d->view, &d->snapshot, d->now_us, &canvas);
    assert_int_equal(canvas_text(&canvas, &picture), RESULT_OK);
    line = buf_cstr(&picture);
    for (int row = 0; row < 23; row++) {
        line = strchr(line, '\n') + 1;
    }
    at = strstr(line, text);
    assert_non_null(at);
    snprintf(click, sizeof click, "\033[<0;%d;24M", (int)(at - line) + 1);
    desk_type(d, click);
    buf_release(&picture);
    canvas_release(&canvas);
}

static void mouse__presses_the_keys_of_the_bar__when_it_is_on(void **state)
{
    struct desk *d = *state;

    click_on_bar(d, "pause");
    assert_int_equal(d->count, 0);
    desk_type(d, "M");
    d->view.message[0] = '\0';
    click_on_bar(d, "pause");
    desk_expect(d, CONTROL_PAUSE, 0);
    click_on_bar(d, "+");
    desk_expect(d, CONTROL_CAP_ADD, 1);
    click_on_bar(d, "- cap");
    desk_expect(d, CONTROL_CAP_ADD, -1);
    click_on_bar(d, "filter");
    assert_int_equal(d->view.prompt, PROMPT_FILTER);
    desk_type(d, "\033[<0;5;24M"); /* the line is a prompt now, no key bar */
    assert_int_equal(d->view.prompt, PROMPT_FILTER);
    assert_int_equal(d->count, 0);
}

static void unknown_key__says_so(void **state)
{
    struct desk *d = *state;

    desk_type(d, "x");
    assert_int_equal(d->count, 0);
    assert_non_null(strstr(d->view.message, "?"));
}

static void function_keys__are_htops__where_they_mean_the_same(void **state)
{
    static const struct {
        unsigned number;
        uint32_t code;
    } same[] = { { 1, '?' }, { 3, '/' }, { 4, '/' }, { 6, 's' }, { 9, 'd' }, { 10, 'q' } };

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        const struct key_binding *binding = keys_find(INPUT_F1 + same[i].number - 1, UINT32_MAX);
        char name[8];

        assert_non_null(binding);
        assert_ptr_equal(binding, keys_find(same[i].code, UINT32_MAX));
        snprintf(name, sizeof name, "F%u", same[i].number);
        assert_non_null(strstr(binding->name, name));
    }
    assert_ptr_equal(keys_find('\\', UINT32_MAX), keys_find('/', UINT32_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input__knows_the_keys__of_common_terminals),
        cmocka_unit_test(input__swallows_whole__what_it_does_not_know),
        cmocka_unit_test(input__never_acts__on_garbage),
        DESK_TEST(escape__is_a_key__only_when_nothing_follows),
        DESK_TEST(escape__does_not_let_its_tail_halve_the_cap__on_a_slow_link),
        DESK_TEST(paste__is_not_taken_for_keys__but_fills_a_prompt),
        DESK_TEST(keys__give_the_commands_of_the_table),
        DESK_TEST(keys__do_not_exist__when_the_engine_lacks_their_verb),
        cmocka_unit_test(keys__are_listed_once_each),
        DESK_TEST(plus__takes_larger_steps__when_held_down),
        DESK_TEST(cap_prompt__says_what_is_wrong__and_sends_nothing),
        DESK_TEST(prompt__is_bounded__whatever_is_typed),
        DESK_TEST(quit__drains_first_and_aborts_then),
        DESK_TEST(quit__aborts_at_once__when_something_else_drains_already),
        DESK_TEST(panels__are_walked_by_tab_and_named_by_digit),
        DESK_TEST(panel__is_shown__when_its_number_is_typed),
        DESK_TEST(detach__asks_first),
        DESK_TEST(detail__is_asked_for_by_enter__and_closed_by_escape),
        DESK_TEST(command__is_completed_and_does_what_its_key_does),
        cmocka_unit_test(function_keys__are_htops__where_they_mean_the_same),
        DESK_TEST(all_that_wait__are_asked_again__not_only_those_shown),
        cmocka_unit_test(words__are_all_different_and_none_hides_another),
        DESK_TEST(help__is_searched__and_does_what_is_selected),
        DESK_TEST(mouse__selects_and_scrolls__when_it_is_on),
        DESK_TEST(mouse__presses_the_keys_of_the_bar__when_it_is_on),
        DESK_TEST(unknown_key__says_so),
    };

    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
