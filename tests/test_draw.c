/* ui/draw and ui/format: cells, cuts, wide characters, bars; figures for narrow columns. */

#include "ui/draw.h"
#include "ui/format.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct canvas canvas;
    struct buf text;
};

static int set_up(void **state)
{
    static struct fixture f;

    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("TZ", "UTC", 1);
    memset(&f, 0, sizeof f);
    canvas_init(&f.canvas, false);
    *state = &f;
    return canvas_resize(&f.canvas, 2, 12) == RESULT_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    canvas_release(&f->canvas);
    buf_release(&f->text);
    return 0;
}

static struct pane whole(struct fixture *f)
{
    return pane_of(&f->canvas, (struct rect){ 0, 0, f->canvas.rows, f->canvas.columns });
}

static const char *text_of(struct fixture *f)
{
    buf_reset(&f->text);
    assert_int_equal(canvas_text(&f->canvas, &f->text), RESULT_OK);
    return buf_cstr(&f->text);
}

static void draw_text__cuts_with_a_tilde__when_too_long(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(draw_text(whole(f), 0, 2, 6, ROLE_TEXT, STR("abcdefghij")), 8);
    draw_text(whole(f), 1, 6, 100, ROLE_TEXT, STR("abcdefghij"));
    assert_string_equal(text_of(f), "  abcde~\n      abcde~\n");
}

static const char *elided(struct fixture *f, int width, const char *text, const char *keep)
{
    canvas_clear(&f->canvas);
    assert_in_range(draw_elided(whole(f), 0, 0, width, ROLE_TEXT, str_view(text), str_view(keep)),
                    0, width);
    return strtok((char *)(uintptr_t)text_of(f), "\n");
}

static void draw_elided__shows_what_varies__when_too_long(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(elided(f, 12, "GET /posts", ""), "GET /posts");
    assert_string_equal(elided(f, 12, "GET /a/b/c?id=103301", ""), "GET ~=103301");
    assert_string_equal(elided(f, 12, "GET /a/b/c?id=103301", "nowhere"), "GET ~=103301");
    assert_string_equal(elided(f, 12, "GET /17/a/b/c/d/e/f", "17"), "GET /17/a/b~");
    assert_string_equal(elided(f, 12, "GET /a/b/c/d/17/and/much/more", "17"), "GET~17/and/~");
    assert_string_equal(elided(f, 3, "GET /posts", ""), "GE~");
    assert_string_equal(elided(f, 12, "GET /\xE6\xBC\xA2\xE5\xAD\x97/\x1B[31m/17", "17"),
                        "GET ~[31m/17");
}

static void draw_text__draws_nothing__outside_its_pane(void **state)
{
    struct fixture *f = *state;
    struct pane part = pane_part(whole(f), 0, 4, 1, 4);

    draw_text(part, 1, 0, 9, ROLE_TEXT, STR("below"));
    draw_text(part, -1, 0, 9, ROLE_TEXT, STR("above"));
    draw_text(part, 0, 4, 9, ROLE_TEXT, STR("beside"));
    draw_text(part, 0, -1, 9, ROLE_TEXT, STR("before"));
    draw_text(part, 0, 0, -5, ROLE_TEXT, STR("nowhere"));
    draw_bar(part, 0, 9, 5, ROLE_BAR, 1);
    draw_role(part, 0, 2, 100, ROLE_SELECTED);
    assert_string_equal(text_of(f), "\n\n");
    assert_int_equal(canvas_cell(&f->canvas, 0, 8)->role, ROLE_TEXT);
    assert_int_equal(canvas_cell(&f->canvas, 0, 7)->role, ROLE_SELECTED);
}

static void draw_text__escapes__what_would_steer_a_terminal(void **state)
{
    struct fixture *f = *state;

    draw_text(whole(f), 0, 0, 12, ROLE_TEXT, STR("\033[2J\n"));
    draw_text(whole(f), 1, 0, 12, ROLE_TEXT,
              STR("\xE2\x80\xAE"
                  "x"));
    assert_string_equal(text_of(f), "\\x1b[2J\\x0a\n\\u{202e}x\n");
}

static void draw_text__clears_both_halves__when_a_wide_character_is_overwritten(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(draw_text(whole(f), 0, 0, 12, ROLE_TEXT, STR("\u6F22\u5B57")), 4);
    assert_int_equal(canvas_cell(&f->canvas, 0, 1)->length, 0);
    draw_text(whole(f), 0, 1, 1, ROLE_TEXT, STR("x"));
    assert_string_equal(text_of(f), " x\u5B57\n\n");
    draw_text(whole(f), 0, 2, 1, ROLE_TEXT, STR("y"));
    assert_string_equal(text_of(f), " xy\n\n");
}

static void draw_text__never_halves__a_wide_character_at_the_edge(void **state)
{
    struct fixture *f = *state;
    int end = draw_text(whole(f), 0, 11, 9, ROLE_TEXT, STR("\u6F22"));

    assert_true(end <= 12);
    assert_string_equal(text_of(f), "           ~\n\n");
}

static void draw_text__keeps_marks_with_their_character(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(draw_text(whole(f), 0, 0, 12, ROLE_TEXT, STR("e\u0301x")), 2);
    assert_int_equal(canvas_cell(&f->canvas, 0, 0)->length, 3);
    assert_string_equal(text_of(f), "e\u0301x\n\n");
}

static void draw_bar__fills_its_share__and_nothing_for_nonsense(void **state)
{
    struct fixture *f = *state;

    draw_bar(whole(f), 0, 0, 10, ROLE_BAR, 0.5);
    draw_bar(whole(f), 1, 0, 4, ROLE_BAR, NAN);
    draw_bar(whole(f), 1, 4, 4, ROLE_BAR, INFINITY);
    draw_bar(whole(f), 1, 8, 4, ROLE_BAR, -1);
    assert_string_equal(text_of(f), "#####-----\n----####----\n");
}

static void draw_level__shows_a_little__as_more_than_nothing(void **state)
{
    struct fixture *f = *state;

    draw_level(whole(f), 0, 0, ROLE_BAR, 0);
    draw_level(whole(f), 0, 1, ROLE_BAR, 0.001);
    draw_level(whole(f), 0, 2, ROLE_BAR, 1);
    assert_string_equal(text_of(f), " .#\n\n");
}

static void draw_rule__keeps_its_note__only_where_there_is_room(void **state)
{
    struct fixture *f = *state;

    draw_rule(whole(f), 0, ROLE_TITLE, "a", "longer note");
    assert_string_equal(text_of(f), "-- a -------\n\n");
    assert_int_equal(canvas_resize(&f->canvas, 1, 20), RESULT_OK);
    draw_rule(whole(f), 0, ROLE_FOCUS, "a", "note");
    assert_string_equal(text_of(f), "== a ======= note ==\n");
}

static void canvas_resize__clamps__what_no_terminal_has(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(canvas_resize(&f->canvas, 100000, -1), RESULT_OK);
    assert_int_equal(f->canvas.rows, CANVAS_ROWS_MAX);
    assert_int_equal(f->canvas.columns, 0);
}

static void format__stays_within_its_columns__at_any_value(void **state)
{
    static const uint64_t values[] = { 0,         1,          999,         99949,        99950,
                                       999999,    5999999,    99999999,    100000000,    599999999,
                                       600000000, 5999999999, 35999999999, 3600000000000 };
    char text[FORMAT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        format_age(values[i], text);
        assert_true(strlen(text) <= 5);
        format_size(values[i], text);
        assert_true(strlen(text) <= 5);
    }
    format_age(UINT64_MAX, text);
    format_size(UINT64_MAX, text);
    format_ms(UINT64_MAX, text);
    format_eta(true, UINT64_MAX, UINT64_MAX, text);
    format_rate(NAN, text);
    assert_string_equal(text, "0.0");
    format_rate(1e300, text);
    assert_true(strlen(text) < FORMAT_MAX - 1);
}

static void format_eta__is_a_range__said_shortly(void **state)
{
    static const struct {
        uint64_t low_s, high_s;
        const char *text;
    } cases[] = {
        { 720, 900, "12-15m" },       { 40, 50, "40-50s" },      { 300, 300, "5m" },
        { 4200, 5400, "1h10-1h30m" }, { 50, 130, "50s-2m" },     { 0, 3, "0-3s" },
        { 90000, 180000, "25h-2d" },  { 120, 4200, "2m-1h10m" },
    };
    char text[FORMAT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        format_eta(true, cases[i].low_s * 1000000, cases[i].high_s * 1000000, text);
        assert_string_equal(text, cases[i].text);
    }
    format_eta(false, 0, 0, text);
    assert_string_equal(text, "--");
    format_eta(true, 2, 1, text);
    assert_string_equal(text, "--");
}

static void format_percent__is_100__only_when_all_is_done(void **state)
{
    char text[FORMAT_MAX];

    (void)state;
    format_percent(9999999, 10000000, text);
    assert_string_equal(text, "99.9%");
    format_percent(10, 10, text);
    assert_string_equal(text, "100.0%");
    format_percent(20, 10, text);
    assert_string_equal(text, "100.0%");
    format_percent(1, 0, text);
    assert_string_equal(text, "--");
}

static void format_clock__is_local_time(void **state)
{
    char text[FORMAT_MAX];

    (void)state;
    format_clock(INT64_C(1795183360) * 1000000, text);
    assert_string_equal(text, "14:02:40");
    format_clock(INT64_MIN, text);
    assert_true(strlen(text) < FORMAT_MAX - 1);
}

#define DRAW_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRAW_TEST(draw_text__cuts_with_a_tilde__when_too_long),
        DRAW_TEST(draw_elided__shows_what_varies__when_too_long),
        DRAW_TEST(draw_text__draws_nothing__outside_its_pane),
        DRAW_TEST(draw_text__escapes__what_would_steer_a_terminal),
        DRAW_TEST(draw_text__clears_both_halves__when_a_wide_character_is_overwritten),
        DRAW_TEST(draw_text__never_halves__a_wide_character_at_the_edge),
        DRAW_TEST(draw_text__keeps_marks_with_their_character),
        DRAW_TEST(draw_bar__fills_its_share__and_nothing_for_nonsense),
        DRAW_TEST(draw_level__shows_a_little__as_more_than_nothing),
        DRAW_TEST(draw_rule__keeps_its_note__only_where_there_is_room),
        DRAW_TEST(canvas_resize__clamps__what_no_terminal_has),
        cmocka_unit_test(format__stays_within_its_columns__at_any_value),
        cmocka_unit_test(format_eta__is_a_range__said_shortly),
        cmocka_unit_test(format_percent__is_100__only_when_all_is_done),
        cmocka_unit_test(format_clock__is_local_time),
    };

    return cmocka_run_group_tests_name("draw", tests, NULL, NULL);
}
