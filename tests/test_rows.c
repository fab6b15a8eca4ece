/* ui/list and ui/view: rows that stay put, and what is done to them. */

#include "tests/ui_desk.h"
#include "ui/screen.h"

#include <stdio.h>
#include <string.h>

static void selection__stays_on_its_row__when_rows_come_and_go(void **state)
{
    struct desk *d = *state;
    struct list *list = &d->view.lists[PANEL_FLIGHTS];
    uint64_t id;

    desk_type(d, "jjj");
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

    desk_type(d, "G");
    assert_int_equal(list->selected, 23);
    assert_int_equal(list->top, 24 - list->visible);
    desk_type(d, "g");
    assert_int_equal(list->top, 0);
    desk_type(d, "\033[6~\033[6~");
    assert_true(list->selected >= list->top && list->selected < list->top + list->visible);
    for (int i = 0; i < 100; i++) {
        desk_type(d, "k");
    }
    assert_int_equal(list->selected, 0);
}

static void log__shows_its_end__until_one_scrolls(void **state)
{
    struct desk *d = *state;
    struct list *list = &d->view.lists[PANEL_LOG];

    assert_int_equal(list->top, list->count - list->visible);
    desk_type(d, "6k");
    assert_int_equal(list->selected, list->count - 2);
    desk_type(d, "\033");
    desk_wait(d, INPUT_ESCAPE_US);
    assert_false(list->selecting);
}

static void filter__acts_while_it_is_typed__and_escape_puts_the_old_one_back(void **state)
{
    struct desk *d = *state;
    struct list *list = &d->view.lists[PANEL_WAITS];

    desk_type(d, "2/META");
    assert_int_equal(list->count, 4);
    desk_type(d, "\r");
    assert_int_equal(d->view.prompt, PROMPT_NONE);
    desk_type(d, "/\x15!meta");
    assert_int_equal(list->count, 3);
    desk_type(d, "\033");
    desk_wait(d, INPUT_ESCAPE_US);
    assert_int_equal(list->count, 4);
    desk_type(d, "\033");
    desk_wait(d, INPUT_ESCAPE_US);
    assert_int_equal(list->count, 7);
}

static void row_keys__name_their_request_and_host(void **state)
{
    struct desk *d = *state;

    desk_type(d, "2r");
    assert_int_equal(d->count, 0);
    assert_non_null(strstr(d->view.message, "select"));
    desk_type(d, "1jr");
    assert_int_equal(d->count, 0);
    assert_non_null(strstr(d->view.message, "being asked"));
    d->snapshot.waits[0].due.by = DUE_BACKOFF;
    desk_type(d, "2jr");
    desk_expect(d, CONTROL_RETRY, 900);
    desk_type(d, "7jjH");
    assert_string_equal(d->commands[0].text, "img.example.org");
    desk_expect(d, CONTROL_HOLD, 0);
    desk_type(d, "8jd");
    assert_int_equal(d->count, 0);
}

static void drop__asks_first__and_names_each_marked_request(void **state)
{
    struct desk *d = *state;

    desk_type(d, "2jd");
    desk_expect_question(d, "drop 1 request,");
    desk_type(d, "n");
    assert_int_equal(d->count, 0);
    desk_type(d, "g  jd");
    desk_expect_question(d, "drop 2 requests,");
    desk_type(d, "y");
    desk_take_orders(d);
    assert_int_equal(d->count, 2);
    assert_int_equal(d->commands[0].verb, CONTROL_DROP);
    assert_int_equal(d->commands[0].number, 900);
    assert_int_equal(d->commands[1].number, 901);
}

static void drop__reaches_what_is_in_flight__and_all_that_pass_a_filter(void **state)
{
    struct desk *d = *state;

    desk_type(d, "1jjd");
    desk_expect_question(d, "cut off 1 request,");
    desk_type(d, "y");
    desk_expect(d, CONTROL_DROP, (int64_t)d->snapshot.flights[1].id);
    desk_type(d, "2/meta\rd");
    desk_expect_question(d, "drop 4 requests that pass the filter,");
    desk_type(d, "y");
    desk_take_orders(d);
    assert_int_equal(d->count, 4);
    assert_int_equal(d->commands[0].number, 903);
    assert_int_equal(d->commands[3].number, 906);
    d->count = 0;
    d->snapshot.waiting += 1000; /* of which the snapshot has no rows */
    desk_type(d, "d");
    desk_expect_question(d, "drop 4 requests shown that pass the filter,");
    desk_type(d, "n");
    desk_type(d, "/\x15zzz\rd"); /* nothing passes */
    assert_int_equal(d->view.prompt, PROMPT_NONE);
    assert_non_null(strstr(d->view.message, "select"));
}

static void retry__asks_again_a_class_of_failures(void **state)
{
    struct desk *d = *state;

    for (size_t i = 0; i < d->snapshot.failure_count; i++) {
        d->snapshot.failures[i].example_id = 40 + i;
    }
    desk_type(d, "8jjr");
    desk_expect_question(d, "ask again the 2 of connect?");
    desk_type(d, "y");
    assert_string_equal(d->commands[0].text, "connect");
    desk_expect(d, CONTROL_RETRY_FAILED, 0);
    desk_type(d, "g  r");
    desk_expect_question(d, "ask again the 11 of these 2 kinds?");
    desk_type(d, "y");
    desk_take_orders(d);
    assert_int_equal(d->count, 2);
    assert_string_equal(d->commands[0].text, "HTTP 404");
    assert_string_equal(d->commands[1].text, "connect");
    d->count = 0;
    desk_type(d, "Ry"); /* all of them: no class of the question before is left in it */
    assert_string_equal(d->commands[0].text, "");
    desk_expect(d, CONTROL_RETRY_FAILED, 0);
}

static void retry__asks_first__when_a_server_named_the_time(void **state)
{
    struct desk *d = *state;

    d->snapshot.waits[0].due.by = DUE_RETRY_AFTER;
    desk_type(d, "2jr");
    desk_expect_question(d, "server named");
    desk_type(d, "y");
    desk_expect(d, CONTROL_RETRY, 900);
    desk_type(d, "jr");
    desk_expect(d, CONTROL_RETRY, 901);
}

static void marks__go_with_their_rows(void **state)
{
    struct desk *d = *state;
    struct list *list = &d->view.lists[PANEL_WAITS];

    desk_type(d, "2j   ");
    assert_int_equal(list->mark_count, 3);
    assert_true(list_is_marked(list, 901));
    memmove(&d->snapshot.waits[0], &d->snapshot.waits[2],
            sizeof d->snapshot.waits[0] * (d->snapshot.wait_count -= 2));
    screen_arrange(&d->layout, &d->view, &d->snapshot, 24, 80);
    assert_int_equal(list->mark_count, 1);
    assert_true(list_is_marked(list, 902));
}

static void sort__orders_rows_and_keeps_the_selection(void **state)
{
    struct desk *d = *state;
    struct list *list = &d->view.lists[PANEL_WAITS];

    desk_type(d, "2js try\r");
    assert_int_equal(list->sort, 0);
    assert_non_null(strstr(d->view.message, "no column"));
    desk_type(d, "stry\r");
    assert_int_equal(list->ids[0], 906);
    assert_int_equal(list->selected_id, 900);
    desk_type(d, "I");
    assert_int_equal(list->ids[0], 902);
    desk_type(d, "<<");
    assert_int_equal(list->sort, 0);
    desk_type(d, ">>>");
    assert_int_equal(list->sort, 3);
    desk_type(d, "6s");
    assert_int_equal(d->view.prompt, PROMPT_NONE);
}

static void export__is_of_the_focused_list_only(void **state)
{
    struct desk *d = *state;

    desk_type(d, "4e");
    assert_int_equal(d->view.wants.export, EXPORT_NONE);
    desk_type(d, "8e");
    assert_int_equal(d->view.wants.export, EXPORT_CSV);
    desk_type(d, ":export json\r");
    assert_int_equal(d->view.wants.export, EXPORT_JSON);
    d->view.wants.export = EXPORT_NONE;
    desk_type(d, ":export xml\r");
    assert_int_equal(d->view.wants.export, EXPORT_NONE);
    assert_int_equal(d->count, 0);
}

static void question__is_not_answered__by_pasted_text(void **state)
{
    struct desk *d = *state;

    desk_type(d, "R\033[200~y\033[201~");
    desk_take_orders(d);
    assert_int_equal(d->count, 0);
    desk_type(d, "Ry");
    desk_expect(d, CONTROL_RETRY_FAILED, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(selection__stays_on_its_row__when_rows_come_and_go),
        DESK_TEST(list__scrolls_so_that_the_selection_is_seen),
        DESK_TEST(log__shows_its_end__until_one_scrolls),
        DESK_TEST(filter__acts_while_it_is_typed__and_escape_puts_the_old_one_back),
        DESK_TEST(row_keys__name_their_request_and_host),
        DESK_TEST(drop__asks_first__and_names_each_marked_request),
        DESK_TEST(drop__reaches_what_is_in_flight__and_all_that_pass_a_filter),
        DESK_TEST(retry__asks_again_a_class_of_failures),
        DESK_TEST(retry__asks_first__when_a_server_named_the_time),
        DESK_TEST(marks__go_with_their_rows),
        DESK_TEST(sort__orders_rows_and_keeps_the_selection),
        DESK_TEST(export__is_of_the_focused_list_only),
        DESK_TEST(question__is_not_answered__by_pasted_text),
    };

    return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
