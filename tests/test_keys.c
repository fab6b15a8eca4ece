/* ui/input, ui/keys, ui/list and ui/view: bytes to keys, keys to commands, rows that stay put. */

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

#define ALL_VERBS UINT32_MAX
#define START_US (UINT64_C(1969) * US_PER_S)

struct desk {
    struct input input;
    struct view view;
    struct layout layout;
    struct snapshot snapshot;
    uint64_t now_us;
    struct control commands[64];
    size_t count;
};

static int set_up(void **state)
{
    static struct desk d;

    memset(&d, 0, sizeof d);
    input_init(&d.input);
    view_init(&d.view, ALL_VERBS);
    ui_scene_fill(&d.snapshot, SCENE_RUNNING, 24, START_US);
    screen_arrange(&d.layout, &d.view, &d.snapshot, 24, 80);
    d.now_us = START_US;
    *state = &d;
    return 0;
}

static void press(struct desk *d, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        struct input_key keys[INPUT_KEYS_MAX];
        size_t count = input_feed(&d->input, (unsigned char)bytes[i], d->now_us, keys);

        for (size_t k = 0; k < count && d->count < 64; k++) {
            d->count +=
                view_key(&d->view, &d->snapshot, keys[k], d->now_us, &d->commands[d->count]);
        }
    }
    screen_arrange(&d->layout, &d->view, &d->snapshot, 24, 80);
}

static void type(struct desk *d, const char *text)
{
    press(d, text, strlen(text));
}

static void wait_us(struct desk *d, uint64_t us)
{
    struct input_key keys[INPUT_KEYS_MAX];
    size_t count;

    d->now_us += us;
    count = input_idle(&d->input, d->now_us, keys);
    for (size_t k = 0; k < count; k++) {
        d->count += view_key(&d->view, &d->snapshot, keys[k], d->now_us, &d->commands[d->count]);
    }
    screen_arrange(&d->layout, &d->view, &d->snapshot, 24, 80);
}

static void expect_one(struct desk *d, enum control_verb verb, int64_t number)
{
    assert_int_equal(d->count, 1);
    assert_int_equal(d->commands[0].verb, verb);
    assert_int_equal(d->commands[0].number, number);
    d->count = 0;
}

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

    type(d, "?");
    assert_true(d->view.help);
    type(d, "\033");
    wait_us(d, INPUT_ESCAPE_US / 2);
    assert_true(d->view.help);
    wait_us(d, INPUT_ESCAPE_US);
    assert_false(d->view.help);
}

static void escape__does_not_let_its_tail_halve_the_cap__on_a_slow_link(void **state)
{
    struct desk *d = *state;

    type(d, "\033");
    wait_us(d, INPUT_ESCAPE_US);
    type(d, "[A");
    assert_int_equal(d->count, 0);
    wait_us(d, 10 * INPUT_ESCAPE_US);
    type(d, "[");
    expect_one(d, CONTROL_CAP_HALVE, 0);
}

static void paste__is_not_taken_for_keys__but_fills_a_prompt(void **state)
{
    struct desk *d = *state;

    type(d, "\033[200~qqp]]\r\033[201~");
    assert_int_equal(d->count, 0);
    assert_true(d->view.message[0] != '\0');
    type(d, "c\033[200~42\r\033[201~");
    assert_int_equal(d->count, 0);
    type(d, "\r");
    expect_one(d, CONTROL_CAP_SET, 42);
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
        type(d, cases[i].key);
        expect_one(d, cases[i].verb, cases[i].number);
    }
}

static void keys__do_not_exist__when_the_engine_lacks_their_verb(void **state)
{
    struct desk *d = *state;

    view_init(&d->view, DASHBOARD_VERB(CONTROL_PAUSE));
    type(d, "natm+cRrdHq");
    assert_int_equal(d->count, 0);
    assert_int_equal(d->view.prompt, PROMPT_NONE);
    for (size_t i = 0; keys_at(i, d->view.verbs); i++) {
        enum control_verb verb = keys_at(i, d->view.verbs)->verb;

        assert_true(verb == CONTROL_NONE || verb == CONTROL_PAUSE);
    }
    type(d, "p");
    expect_one(d, CONTROL_PAUSE, 0);
}

static void keys__are_listed_once_each(void **state)
{
    const struct key_binding *binding;

    (void)state;
    for (size_t i = 0; (binding = keys_at(i, ALL_VERBS)) != NULL; i++) {
        assert_non_null(binding->help);
        for (size_t k = 0; k < KEY_CODES_MAX && binding->codes[k]; k++) {
            assert_ptr_equal(keys_find(binding->codes[k], ALL_VERBS), binding);
        }
    }
}

static void plus__takes_larger_steps__when_held_down(void **state)
{
    struct desk *d = *state;

    for (int i = 0; i < 7; i++) {
        type(d, "+");
        d->now_us += 30000;
    }
    assert_int_equal(d->commands[4].number, 1);
    assert_int_equal(d->commands[5].number, 5);
    d->count = 0;
    d->now_us += US_PER_S;
    type(d, "+");
    expect_one(d, CONTROL_CAP_ADD, 1);
}

static void cap_prompt__says_what_is_wrong__and_sends_nothing(void **state)
{
    struct desk *d = *state;

    type(d, "cmany\r");
    assert_int_equal(d->count, 0);
    assert_non_null(strstr(d->view.message, "many"));
    type(d, "c99999999999999999999\r");
    assert_int_equal(d->count, 0);
    type(d, "c12\x7F\x7F\x7F\x7F"
            "5\r");
    expect_one(d, CONTROL_CAP_SET, 5);
    type(d, "c5");
    type(d, "\033");
    wait_us(d, INPUT_ESCAPE_US);
    assert_int_equal(d->view.prompt, PROMPT_NONE);
    assert_int_equal(d->count, 0);
}

static void prompt__is_bounded__whatever_is_typed(void **state)
{
    struct desk *d = *state;

    type(d, "c");
    for (int i = 0; i < 500; i++) {
        type(d, "\xE6\xBC\xA2");
    }
    assert_true(strlen(d->view.prompt_text) < VIEW_PROMPT_MAX);
    type(d, "\r");
    type(d, "/");
    for (int i = 0; i < 500; i++) {
        type(d, "x");
    }
    assert_true(strlen(d->view.lists[PANEL_FLIGHTS].filter) < LIST_FILTER_MAX);
}

static void quit__drains_first_and_aborts_then(void **state)
{
    struct desk *d = *state;

    type(d, "q");
    expect_one(d, CONTROL_DRAIN, 0);
    assert_int_equal(view_quit(&d->view, &d->snapshot).verb, CONTROL_ABORT);
    type(d, "q");
    expect_one(d, CONTROL_ABORT, 0);
}

static void quit__aborts_at_once__when_something_else_drains_already(void **state)
{
    struct desk *d = *state;

    ui_scene_fill(&d->snapshot, SCENE_DRAINING, 24, START_US);
    type(d, "q");
    expect_one(d, CONTROL_ABORT, 0);
}

static void selection__stays_on_its_row__when_rows_come_and_go(void **state)
{
    struct desk *d = *state;
    struct list *list = &d->view.lists[PANEL_FLIGHTS];
    uint64_t id;

    type(d, "jjj");
    assert_true(list->selecting);
    assert_int_equal(list->selected, 2);
    id = list->selected_id;
    memmove(&d->snapshot.flights[0], &d->snapshot.flights[1],
            sizeof d->snapshot.flights[0] * --d->snapshot.flight_count);
    screen_arrange(&d->layout, &d->view, &d->snapshot, 24, 80);
    assert_int_equal(list->selected, 1);
    assert_int_equal(list->selected_id, id);

    d->snapshot.flights[1].id = 999999; /* it ended: its place stays selected */
    screen_arrange(&d->layout, &d->view, &d->snapshot, 24, 80);
    assert_int_equal(list->selected, 1);
    d->snapshot.flight_count = 0;
    screen_arrange(&d->layout, &d->view, &d->snapshot, 24, 80);
    assert_false(list->selecting);
}

static void list__scrolls_so_that_the_selection_is_seen(void **state)
{
    struct desk *d = *state;
    struct list *list = &d->view.lists[PANEL_FLIGHTS];

    type(d, "G");
    assert_int_equal(list->selected, 23);
    assert_int_equal(list->top, 24 - list->visible);
    type(d, "g");
    assert_int_equal(list->top, 0);
    type(d, "\033[6~\033[6~");
    assert_true(list->selected >= list->top && list->selected < list->top + list->visible);
    for (int i = 0; i < 100; i++) {
        type(d, "k");
    }
    assert_int_equal(list->selected, 0);
}

static void log__shows_its_end__until_one_scrolls(void **state)
{
    struct desk *d = *state;
    struct list *list = &d->view.lists[PANEL_LOG];

    assert_int_equal(list->top, list->count - list->visible);
    type(d, "6k");
    assert_int_equal(list->selected, list->count - 2);
    type(d, "\033");
    wait_us(d, INPUT_ESCAPE_US);
    assert_false(list->selecting);
}

static void filter__acts_while_it_is_typed__and_escape_puts_the_old_one_back(void **state)
{
    struct desk *d = *state;
    struct list *list = &d->view.lists[PANEL_WAITS];

    type(d, "2/META");
    assert_int_equal(list->count, 4);
    type(d, "\r");
    assert_int_equal(d->view.prompt, PROMPT_NONE);
    type(d, "/\x15!meta");
    assert_int_equal(list->count, 3);
    type(d, "\033");
    wait_us(d, INPUT_ESCAPE_US);
    assert_int_equal(list->count, 4);
    type(d, "\033");
    wait_us(d, INPUT_ESCAPE_US);
    assert_int_equal(list->count, 7);
}

static void row_keys__name_their_request_and_host(void **state)
{
    struct desk *d = *state;

    type(d, "r");
    assert_int_equal(d->count, 0);
    assert_non_null(strstr(d->view.message, "select"));
    type(d, "2jr");
    expect_one(d, CONTROL_RETRY, 900);
    type(d, "7jjH");
    assert_string_equal(d->commands[0].text, "img.example.org");
    expect_one(d, CONTROL_HOLD, 0);
    type(d, "8jd");
    assert_int_equal(d->count, 0);
}

static void panels__are_walked_by_tab_and_named_by_digit(void **state)
{
    struct desk *d = *state;

    type(d, "\t");
    assert_int_equal(d->view.focus, PANEL_WAITS);
    type(d, "\033[Z\033[Z");
    assert_int_equal(d->view.focus, PANEL_FAILED); /* those without content are passed over */
    type(d, "4");
    assert_int_equal(d->view.focus, PANEL_RATE);
    type(d, "z");
    assert_int_equal(d->layout.panels[PANEL_RATE].rows, d->layout.body.rows);
    type(d, "l");
    assert_int_equal(d->view.focus, PANEL_LOG);
    assert_true(d->view.zoomed);
    type(d, "l");
    assert_false(d->view.zoomed);
}

static void expect_question(struct desk *d, const char *words)
{
    assert_int_equal(d->count, 0);
    assert_int_equal(d->view.prompt, PROMPT_QUESTION);
    assert_non_null(strstr(d->view.question, words));
}

static void drain_orders(struct desk *d)
{
    while (d->count < 64 && view_next(&d->view, &d->commands[d->count])) {
        d->count++;
    }
}

static void drop__asks_first__and_names_each_marked_request(void **state)
{
    struct desk *d = *state;

    type(d, "2jd");
    expect_question(d, "drop 1 request,");
    type(d, "n");
    assert_int_equal(d->count, 0);
    type(d, "g  jd");
    expect_question(d, "drop 2 requests,");
    type(d, "y");
    drain_orders(d);
    assert_int_equal(d->count, 2);
    assert_int_equal(d->commands[0].verb, CONTROL_DROP);
    assert_int_equal(d->commands[0].number, 900);
    assert_int_equal(d->commands[1].number, 901);
}

static void question__is_not_answered__by_pasted_text(void **state)
{
    struct desk *d = *state;

    type(d, "R\033[200~y\033[201~");
    drain_orders(d);
    assert_int_equal(d->count, 0);
    type(d, "Ry");
    expect_one(d, CONTROL_RETRY_FAILED, 0);
}

static void retry__asks_first__when_a_server_named_the_time(void **state)
{
    struct desk *d = *state;

    d->snapshot.waits[0].is_named = true;
    type(d, "2jr");
    expect_question(d, "server named");
    type(d, "y");
    expect_one(d, CONTROL_RETRY, 900);
    type(d, "jr");
    expect_one(d, CONTROL_RETRY, 901);
}

static void marks__go_with_their_rows(void **state)
{
    struct desk *d = *state;
    struct list *list = &d->view.lists[PANEL_WAITS];

    type(d, "2j   ");
    assert_int_equal(list->mark_count, 3);
    assert_true(list_is_marked(list, 901));
    memmove(&d->snapshot.waits[0], &d->snapshot.waits[2],
            sizeof d->snapshot.waits[0] * (d->snapshot.wait_count -= 2));
    screen_arrange(&d->layout, &d->view, &d->snapshot, 24, 80);
    assert_int_equal(list->mark_count, 1);
    assert_true(list_is_marked(list, 902));
}

static void detail__is_asked_for_by_enter__and_closed_by_escape(void **state)
{
    struct desk *d = *state;

    type(d, "2jj\r");
    expect_one(d, CONTROL_DETAIL, 901);
    assert_int_equal(d->view.focus, PANEL_DETAIL);
    assert_true(d->view.zoomed);
    type(d, "\033");
    wait_us(d, INPUT_ESCAPE_US);
    expect_one(d, CONTROL_DETAIL, 0);
    assert_int_equal(d->view.focus, PANEL_WAITS);
    assert_false(d->view.zoomed);
    type(d, "4\r");
    assert_int_equal(d->count, 0);
    assert_true(d->view.zoomed);
}

static void sort__orders_rows_and_keeps_the_selection(void **state)
{
    struct desk *d = *state;
    struct list *list = &d->view.lists[PANEL_WAITS];

    type(d, "2js try\r");
    assert_int_equal(list->sort, 0);
    assert_non_null(strstr(d->view.message, "no column"));
    type(d, "stry\r");
    assert_int_equal(list->ids[0], 906);
    assert_int_equal(list->selected_id, 900);
    type(d, "I");
    assert_int_equal(list->ids[0], 902);
    type(d, "<<");
    assert_int_equal(list->sort, 0);
    type(d, ">>>");
    assert_int_equal(list->sort, 3);
    type(d, "6s");
    assert_int_equal(d->view.prompt, PROMPT_NONE);
}

static void command__is_completed_and_does_what_its_key_does(void **state)
{
    struct desk *d = *state;

    type(d, ":cap 40\r");
    expect_one(d, CONTROL_CAP_SET, 40);
    type(d, ":norm\t\r");
    expect_one(d, CONTROL_NORMALISE, 0);
    type(d, ":more 7\r");
    expect_one(d, CONTROL_CAP_ADD, 7);
    type(d, ":less\r");
    expect_one(d, CONTROL_CAP_ADD, -1);
    type(d, ":rate 5/15s\r");
    expect_one(d, CONTROL_RATE_SET, 0);
    type(d, ":panel 2\r:filter meta\r");
    assert_int_equal(d->view.focus, PANEL_WAITS);
    assert_int_equal(d->view.lists[PANEL_WAITS].count, 4);
    type(d, ":theme contrast\r");
    assert_int_equal(d->view.settings.theme, THEME_CONTRAST);
    type(d, ":retry\t");
    assert_string_equal(d->view.prompt_text, "retry");
    type(d, "-\t");
    assert_string_equal(d->view.prompt_text, "retry-failed");
    type(d, "\r");
    expect_question(d, "that failed");
    type(d, "n:frobnicate\r");
    assert_non_null(strstr(d->view.message, "no such command"));
    type(d, ":c\r");
    assert_non_null(strstr(d->view.message, "several"));
    type(d, ":pause now\r");
    assert_non_null(strstr(d->view.message, "takes nothing"));
    assert_int_equal(d->count, 0);
}

static void words__are_all_different_and_none_hides_another(void **state)
{
    const struct key_binding *binding;

    (void)state;
    for (size_t i = 0; (binding = keys_at(i, ALL_VERBS)); i++) {
        if (binding->word) {
            assert_ptr_equal(keys_by_word(binding->word, strlen(binding->word), 0, ALL_VERBS),
                             binding);
        }
    }
}

static void help__is_searched__and_does_what_is_selected(void **state)
{
    struct desk *d = *state;

    type(d, "?/halve\r");
    assert_ptr_equal(view_help_at(&d->view, 0), keys_find('[', ALL_VERBS));
    assert_null(view_help_at(&d->view, 1));
    type(d, "\r");
    expect_one(d, CONTROL_CAP_HALVE, 0);
    assert_false(d->view.help);
    type(d, "?jj\r");
    expect_one(d, CONTROL_CAP_DOUBLE, 0);
    type(d, "?G");
    assert_null(view_help_at(&d->view, d->view.help_row + 1));
}

static void mouse__selects_and_scrolls__when_it_is_on(void **state)
{
    struct desk *d = *state;
    struct rect waits = d->view.rects[PANEL_WAITS];
    char click[32];

    snprintf(click, sizeof click, "\033[<0;5;%dM", waits.row + 2 + 2);
    type(d, click);
    assert_int_equal(d->view.focus, PANEL_FLIGHTS);
    type(d, "M");
    type(d, click);
    assert_int_equal(d->view.focus, PANEL_WAITS);
    assert_int_equal(d->view.lists[PANEL_WAITS].selected, 1);
    snprintf(click, sizeof click, "\033[<65;5;%dM", waits.row + 2);
    type(d, click);
    assert_int_equal(d->view.lists[PANEL_WAITS].selected, 4);
    assert_int_equal(d->count, 0);
}

static void unknown_key__says_so(void **state)
{
    struct desk *d = *state;

    type(d, "x");
    assert_int_equal(d->count, 0);
    assert_non_null(strstr(d->view.message, "?"));
}

#define DESK_TEST(name) cmocka_unit_test_setup(name, set_up)

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
        DESK_TEST(selection__stays_on_its_row__when_rows_come_and_go),
        DESK_TEST(list__scrolls_so_that_the_selection_is_seen),
        DESK_TEST(log__shows_its_end__until_one_scrolls),
        DESK_TEST(filter__acts_while_it_is_typed__and_escape_puts_the_old_one_back),
        DESK_TEST(row_keys__name_their_request_and_host),
        DESK_TEST(panels__are_walked_by_tab_and_named_by_digit),
        DESK_TEST(drop__asks_first__and_names_each_marked_request),
        DESK_TEST(question__is_not_answered__by_pasted_text),
        DESK_TEST(retry__asks_first__when_a_server_named_the_time),
        DESK_TEST(marks__go_with_their_rows),
        DESK_TEST(detail__is_asked_for_by_enter__and_closed_by_escape),
        DESK_TEST(sort__orders_rows_and_keeps_the_selection),
        DESK_TEST(command__is_completed_and_does_what_its_key_does),
        cmocka_unit_test(words__are_all_different_and_none_hides_another),
        DESK_TEST(help__is_searched__and_does_what_is_selected),
        DESK_TEST(mouse__selects_and_scrolls__when_it_is_on),
        DESK_TEST(unknown_key__says_so),
    };

    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
