#include "normalise/cell_text.h"

#include "base/json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The cell's JSON against json_text_compact, which goes byte by byte. Neither the text nor the room has
 * a byte more than it must. */
static void assert_compact(const char *json, size_t len)
{
    char *text = malloc(len), *room = malloc(len), *end;
    struct row_cell cell = { .text = text, .len = (uint32_t)len, .kind = CELL_JSON };
    uint64_t lone = 0;
    struct buf want;

    assert_true(text && room);
    memcpy(text, json, len);
    buf_init(&want, 1000);
    assert_int_equal(json_text_compact(&want, (struct str){ text, len }), RESULT_OK);
    end = cell_text_put(room, &cell, &lone);
    assert_int_equal(end - room, want.len);
    assert_memory_equal(room, want.data, want.len);
    buf_release(&want);
    free(text);
    free(room);
}

/* An array of one number of so many digits; a byte of `idle` after each place outside it, in turn. */
static void cell_text__leaves_white_space_out__when_it_is_between_tokens(void **state)
{
    (void)state;
    for (size_t digits = 1; digits <= 80; digits++) {
        char json[100] = "[";

        memset(json + 1, '1', digits);
        json[digits + 1] = ']';
        assert_compact(json, digits + 2);
        for (size_t i = 0; i < 4; i++) {
            json[digits + 1] = " \t\r\n"[i];
            json[digits + 2] = ']';
            assert_compact(json, digits + 3);
        }
        memmove(json + 2, json + 1, digits + 2);
        json[1] = '\n';
        assert_compact(json, digits + 4);
    }
}

static void cell_text__keeps_spaces__when_they_are_within_strings(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 80; len++) {
        for (size_t at = 0; at < len; at++) {
            char json[100] = "[\"";

            memset(json + 2, 'x', len);
            json[2 + at] = ' ';
            memcpy(json + 2 + len, "\"]", 2);
            assert_compact(json, len + 4);
            memcpy(json + 2 + len, "\" ]", 3);
            assert_compact(json, len + 5);
            json[2 + at] = '\x7F';
            assert_compact(json, len + 5);
        }
    }
    assert_compact("[]", 2);
    assert_compact("[ \"a \\\" b\" , { } ]", 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cell_text__leaves_white_space_out__when_it_is_between_tokens),
        cmocka_unit_test(cell_text__keeps_spaces__when_they_are_within_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
