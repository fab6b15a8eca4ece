#include "store/token_note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define S INT64_C(1000000)

static void notes__are_read_as_they_were_written(void **state)
{
    const struct token_note first = { .name = "alpha", .ok = UINT64_MAX, .refused = 3 };
    const struct token_note second = { .name = "b-2.c",
                                       .aside_status = 401,
                                       .held_by = 2,
                                       .held_until_us = 1700000000 * S,
                                       .held_us = 30 * S };
    struct token_note notes[TOKEN_NOTES_MAX];
    struct buf text = { 0 };

    (void)state;
    assert_int_equal(token_note_append(&text, &first), RESULT_OK);
    assert_int_equal(token_note_append(&text, &second), RESULT_OK);
    assert_int_equal(token_notes_read(buf_view(&text), notes), 2);
    assert_memory_equal(&notes[0], &first, sizeof first);
    assert_memory_equal(&notes[1], &second, sizeof second);
    buf_release(&text);
}

static void lines_that_are_none__are_passed_over(void **state)
{
    static const char *const bad[] = { "",
                                       "\n\n",
                                       "a 1 2 3 4 5",
                                       "a 1 2 3 4 5 6 7",
                                       "a 1 2 -3 4 5 6",
                                       "a 1 2 1000 4 5 6",
                                       "a 1 2 3 4 9223372036854775808 6",
                                       "a 1 2 3 4 9223372036854775807 9223372036854775807",
                                       "a 18446744073709551616 2 3 4 5 6",
                                       " 1 2 3 4 5 6" };
    char longest[TOKEN_NOTE_NAME_SIZE + 16] = "";
    struct token_note notes[TOKEN_NOTES_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(token_notes_read(str_view(bad[i]), notes), 0);
    }
    memset(longest, 'n', TOKEN_NOTE_NAME_SIZE);
    snprintf(longest + TOKEN_NOTE_NAME_SIZE, sizeof longest - TOKEN_NOTE_NAME_SIZE, " 1 2 3 4 5 6");
    assert_int_equal(token_notes_read(str_view(longest), notes), 0);
    assert_int_equal(token_notes_read(str_view(longest + 1), notes), 1);
    assert_int_equal(token_notes_read(STR("bad\nx 1 2 3 4 5 6\nworse 1\n"), notes), 1);
    assert_string_equal(notes[0].name, "x");
}

static void more_than_there_may_be__are_left(void **state)
{
    struct token_note notes[TOKEN_NOTES_MAX], note = { .name = "" };
    struct buf text = { 0 };

    (void)state;
    for (int i = 0; i < TOKEN_NOTES_MAX + 3; i++) {
        snprintf(note.name, sizeof note.name, "t%d", i);
        assert_int_equal(token_note_append(&text, &note), RESULT_OK);
    }
    assert_int_equal(token_notes_read(buf_view(&text), notes), TOKEN_NOTES_MAX);
    buf_release(&text);
}

static void hold__is_never_longer_than_it_was__however_the_clock_is_set(void **state)
{
    struct token_note note = { .held_by = 2, .held_until_us = 100 * S, .held_us = 30 * S };

    (void)state;
    assert_int_equal(token_note_left_us(&note, 90 * S), 10 * S);
    assert_int_equal(token_note_left_us(&note, 100 * S), 0);
    assert_int_equal(token_note_left_us(&note, 500 * S), 0);
    assert_int_equal(token_note_left_us(&note, 1 * S), 30 * S);
    assert_int_equal(token_note_left_us(&note, INT64_MIN), 30 * S);
    note.held_by = 0;
    assert_int_equal(token_note_left_us(&note, 90 * S), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes__are_read_as_they_were_written),
        cmocka_unit_test(lines_that_are_none__are_passed_over),
        cmocka_unit_test(more_than_there_may_be__are_left),
        cmocka_unit_test(hold__is_never_longer_than_it_was__however_the_clock_is_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
