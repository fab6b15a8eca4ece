/**
 * Screens as text: made-up snapshots and keys in, cells out, compared with tests/screens/.
 *
 * UPDATE_GOLDEN=1 rewrites the files instead; look at the difference before committing it.
 */
#include "tests/ui_scenes.h"
#include "ui/dashboard.h"
#include "ui/screen.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START_US (UINT64_C(1969) * US_PER_S)

struct stage {
    struct snapshot snapshot;
    struct view view;
    struct layout layout;
    struct canvas canvas;
};

static struct stage stage;

static void set_stage(enum ui_scene scene, bool unicode)
{
    canvas_release(&stage.canvas);
    canvas_init(&stage.canvas, unicode);
    utf8_set_ascii(!unicode);
    view_init(&stage.view, ~(DASHBOARD_VERB(CONTROL_SEEK) | DASHBOARD_VERB(CONTROL_LEAVE)));
    ui_scene_fill(&stage.snapshot, scene, 24, START_US);
}

static void press(const char *keys)
{
    struct input input;
    struct input_key out[INPUT_KEYS_MAX];
    struct control command;

    input_init(&input);
    for (; *keys; keys++) {
        size_t count = input_feed(&input, (unsigned char)*keys, stage.snapshot.now_us, out);

        for (size_t i = 0; i < count; i++) {
            view_key(&stage.view, &stage.snapshot, out[i], stage.snapshot.now_us, &command);
        }
        if (stage.layout.rows) { /* what the next key finds is on the screen */
            screen_arrange(&stage.layout, &stage.view, &stage.snapshot, stage.layout.rows,
                           stage.layout.columns);
        }
    }
}

static void draw(int rows, int columns)
{
    assert_int_equal(canvas_resize(&stage.canvas, rows, columns), RESULT_OK);
    screen_arrange(&stage.layout, &stage.view, &stage.snapshot, rows, columns);
    screen_draw(&stage.layout, &stage.view, &stage.snapshot, stage.snapshot.now_us, &stage.canvas);
}

static void write_golden(const char *path, const struct buf *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
    assert_int_equal(fclose(file), 0);
}

static void compare(const char *name, struct buf *text)
{
    char path[256], expected[65536];
    FILE *file;
    size_t length;

    snprintf(path, sizeof path, "tests/screens/%s.txt", name);
    if (getenv("UPDATE_GOLDEN")) {
        write_golden(path, text);
        return;
    }
    file = fopen(path, "r");
    if (!file) {
        fail_msg("%s is missing: UPDATE_GOLDEN=1 writes it", path);
    }
    length = fread(expected, 1, sizeof expected - 1, file);
    expected[length] = '\0';
    fclose(file);
    if (strcmp(buf_cstr(text), expected) != 0) {
        fail_msg("%s differs. Drawn:\n%s\nExpected:\n%s", path, buf_cstr(text), expected);
    }
}

static void expect_screen(const char *name, int rows, int columns)
{
    struct buf text = { 0 };
    char full[128];

    draw(rows, columns);
    assert_int_equal(canvas_text(&stage.canvas, &text), RESULT_OK);
    snprintf(full, sizeof full, "%s_%dx%d", name, columns, rows);
    compare(full, &text);
    buf_release(&text);
}

static const struct {
    int rows, columns;
} sizes[] = { { 24, 80 }, { 40, 120 }, { 60, 200 }, { 10, 40 }, { 1, 1 } };

static void screen__is_as_recorded__in_every_state_and_size(void **state)
{
    (void)state;
    for (int scene = 0; scene < SCENE_COUNT; scene++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            set_stage((enum ui_scene)scene, true);
            expect_screen(ui_scene_name((enum ui_scene)scene), sizes[i].rows, sizes[i].columns);
        }
    }
}

static void screen__is_as_recorded__in_ascii(void **state)
{
    struct buf text = { 0 };

    (void)state;
    set_stage(SCENE_RUNNING, false);
    expect_screen("ascii", 24, 80);
    expect_screen("ascii", 40, 120);
    set_stage(SCENE_HOSTILE, false);
    draw(40, 120);
    assert_int_equal(canvas_text(&stage.canvas, &text), RESULT_OK);
    for (size_t i = 0; i < text.len; i++) {
        assert_true(text.data[i] == '\n' || (text.data[i] >= 0x20 && text.data[i] < 0x7F));
    }
    buf_release(&text);
}

static void screen__marks_meaning_by_role__as_recorded(void **state)
{
    struct buf roles = { 0 };

    (void)state;
    set_stage(SCENE_RUNNING, true);
    press("jj");
    draw(24, 80);
    press("j");
    draw(24, 80);
    assert_int_equal(canvas_roles(&stage.canvas, &roles), RESULT_OK);
    compare("roles_80x24", &roles);
    buf_release(&roles);
}

static void screen__is_as_recorded__with_keys_pressed(void **state)
{
    static const struct {
        const char *name, *keys;
    } cases[] = {
        { "help", "?" },         { "help-end", "?G" },
        { "prompt-cap", "c12" }, { "filter", "2/meta\r" },
        { "zoom-waits", "2z" },  { "zoom-rate", "4z" },
        { "zoom-cores", "5z" },  { "log", "l" },
        { "hosts", "7z" },       { "panel-failed", "8z" },
        { "frozen", "Z" },       { "quit", "q" },
        { "unknown-key", "x" },  { "command", ":re" },
        { "sort", "1s" },        { "sorted", "2>>" },
        { "marked", "2j  " },    { "drop", "2j  d" },
        { "retry-failed", "R" }, { "help-search", "?/cap" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        set_stage(SCENE_RUNNING, true);
        draw(24, 80);
        press(cases[i].keys);
        expect_screen(cases[i].name, 24, 80);
        expect_screen(cases[i].name, 10, 40);
    }
}

/* With room, why each of them failed, and what was said. */
static void screen__is_as_recorded__of_lists_with_room(void **state)
{
    (void)state;
    set_stage(SCENE_NETWORK_DOWN, true);
    draw(40, 120);
    press("2z");
    expect_screen("zoom-waits", 40, 120);
    set_stage(SCENE_RUNNING, true);
    draw(40, 120);
    press("8z");
    expect_screen("panel-failed", 40, 120);
}

/* All requests went well, and yet the run is not whole. */
static void screen__is_as_recorded__when_pages_are_missing(void **state)
{
    (void)state;
    set_stage(SCENE_DONE, true);
    stage.snapshot.endpoint_count = 1;
    stage.snapshot.endpoints[0] = (struct snapshot_endpoint){ .name = "products",
                                                              .planned = 90000,
                                                              .done = 90000,
                                                              .pages_known = true,
                                                              .pages_expected = 90002,
                                                              .pages_got = 90000,
                                                              .pages_cut = true,
                                                              .note = "the same page again" };
    stage.snapshot.state = RUN_INCOMPLETE;
    draw(24, 80);
    press("0");
    expect_screen("pages-missing", 24, 80);
    expect_screen("pages-missing", 10, 40);
}

static void screen__survives__every_size_and_scene(void **state)
{
    (void)state;
    for (int scene = 0; scene < SCENE_COUNT; scene++) {
        /* From another size on in each scene: all of them together meet nearly all. */
        for (int rows = 1 + scene % 5; rows <= 64; rows += 5) {
            for (int columns = 1 + scene * 3 % 11; columns <= 220; columns += 11) {
                set_stage((enum ui_scene)scene, rows % 2 == 0);
                draw(rows, columns);
                press("jG4z");
                draw(rows, columns);
                press("?");
                draw(rows, columns);
            }
        }
    }
}

static void screen__is_as_recorded__of_one_request(void **state)
{
    static const struct {
        const char *name, *keys;
    } cases[] = {
        { "detail", "2j\r" },  { "detail-end", "2j\rG" }, { "ladder", "0\tz" },
        { "endpoints", "0z" }, { "answers", "0\t\tz" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        set_stage(SCENE_TUNED, true);
        draw(24, 80);
        press(cases[i].keys);
        expect_screen(cases[i].name, 24, 80);
        expect_screen(cases[i].name, 10, 40);
    }
    set_stage(SCENE_TUNED, true);
    draw(60, 200);
    press("2j\r");
    expect_screen("detail", 60, 200);
}

/* Only what is printable, and nothing that turns the direction or cannot be seen. */
static void expect_harmless(const struct buf *text)
{
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->data[i];
        unsigned char next = i + 1 < text->len ? (unsigned char)text->data[i + 1] : 0;
        unsigned char after = i + 2 < text->len ? (unsigned char)text->data[i + 2] : 0;

        assert_true(c == '\n' || c >= 0x20);
        assert_int_not_equal(c, 0x7F);
        assert_false(c == 0xC2 && next < 0xA0);
        assert_false(c == 0xE2 && next == 0x80 &&
                     ((after >= 0x8B && after <= 0x8F) || (after >= 0xA8 && after <= 0xAE)));
        assert_false(c == 0xE2 && next == 0x81 && after >= 0xA0 && after <= 0xAF);
        assert_false(c == 0xEF && next == 0xBB && after == 0xBF);
        assert_false(c == 0xEE || c == 0xF3 || c == 0xF4);
    }
    assert_int_equal(utf8_valid_prefix(buf_view(text)), text->len);
}

/* Without a terminal in between: each attack in each text of each panel. */
static void screen__holds_no_control_character__of_hostile_texts(void **state)
{
    static const char *const keys[] = { "1z",  "z2z",   "z3z",     "z6z",   "z7z", "z8z",
                                        "z0z", "z0\tz", "z0\t\tz", "z2j\r", "G" };
    struct buf text = { 0 };

    (void)state;
    assert_true(ui_scene_attacks() >= 60);
    for (size_t n = 0; n < ui_scene_attacks(); n++) {
        set_stage(SCENE_HOSTILE, true);
        ui_scene_fill_attack(&stage.snapshot, n, START_US);
        draw(60, 200);
        assert_int_equal(canvas_text(&stage.canvas, &text), RESULT_OK);
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            press(keys[k]);
            draw(24, 80);
            assert_int_equal(canvas_text(&stage.canvas, &text), RESULT_OK);
        }
        expect_harmless(&text);
        buf_reset(&text);
    }
    buf_release(&text);
}

/* A cell is as wide as it says, or a wide character would push its line over the edge. */
static void screen__fills_its_lines_exactly__with_hostile_texts(void **state)
{
    struct buf text = { 0 };

    (void)state;
    for (size_t n = 0; n < ui_scene_attacks(); n++) {
        struct str rest;

        set_stage(SCENE_HOSTILE, true);
        ui_scene_fill_attack(&stage.snapshot, n, START_US);
        draw(40, 120);
        buf_reset(&text);
        assert_int_equal(canvas_text(&stage.canvas, &text), RESULT_OK);
        rest = buf_view(&text);
        while (rest.len) {
            assert_in_range(utf8_columns(str_cut(&rest, '\n')), 0, 120);
        }
    }
    buf_release(&text);
}

static void screen__is_the_same__after_a_thousand_resizes(void **state)
{
    const struct list *waits = &stage.view.lists[PANEL_WAITS];
    struct buf before = { 0 }, after = { 0 };
    uint32_t seed = 7;

    (void)state;
    set_stage(SCENE_TUNED, true);
    draw(24, 80);
    press("2jjjjj1");
    for (int i = 0; i < 1000; i++) {
        seed = seed * 1664525 + 1013904223;
        draw(1 + (int)(seed >> 24) % 100, 1 + (int)(seed >> 8 & 0xFFFF) % 300);
        assert_true(waits->selecting && waits->selected_id == 904);
    }
    draw(1, 1);
    draw(24, 80);
    assert_in_range(waits->selected, waits->top, waits->top + waits->visible - 1);
    press("2g");
    draw(24, 80);
    assert_int_equal(canvas_text(&stage.canvas, &after), RESULT_OK);
    set_stage(SCENE_TUNED, true);
    draw(24, 80);
    press("2g");
    draw(24, 80);
    assert_int_equal(canvas_text(&stage.canvas, &before), RESULT_OK);
    assert_string_equal(buf_cstr(&after), buf_cstr(&before));
    buf_release(&before);
    buf_release(&after);
}

static size_t cells_changed(const struct cell *before, const struct canvas *now)
{
    size_t changed = 0;

    for (size_t i = 0; i < (size_t)now->rows * (size_t)now->columns; i++) {
        changed += memcmp(&before[i], &now->cells[i], sizeof before[i]) != 0;
    }
    return changed;
}

/* What a frame costs the link is what has changed in it: nothing at rest, little at work. */
static void screen__changes_few_cells__from_frame_to_frame(void **state)
{
    static const struct {
        int rows, columns;
        size_t most; /* cells, in a tenth of a second of a busy run */
    } cases[] = { { 24, 80, 300 }, { 40, 120, 700 }, { 60, 200, 2200 } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t count = (size_t)cases[i].rows * (size_t)cases[i].columns, sum = 0;
        struct cell *before = malloc(count * sizeof *before);

        assert_non_null(before);
        set_stage(SCENE_RUNNING, true);
        draw(cases[i].rows, cases[i].columns);
        for (uint64_t frame = 1; frame <= 50; frame++) {
            memcpy(before, stage.canvas.cells, count * sizeof *before);
            draw(cases[i].rows, cases[i].columns);
            assert_int_equal(cells_changed(before, &stage.canvas), 0);
            ui_scene_fill(&stage.snapshot, SCENE_RUNNING, 24, START_US + frame * 100000);
            draw(cases[i].rows, cases[i].columns);
            sum += cells_changed(before, &stage.canvas);
        }
        if (sum / 50 > cases[i].most) {
            fail_msg("%dx%d: %zu cells a frame", cases[i].columns, cases[i].rows, sum / 50);
        }
        free(before);
    }
}

/* What a reader compares from one frame to the next must stay where it is. */
static void columns__do_not_dance__while_figures_change(void **state)
{
    static const char *const anchors[] = { "cap", "limited by", "REQUEST", "p50/95", "I/O", "2xx" };
    struct buf first = { 0 }, next = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof anchors / sizeof anchors[0]; i++) {
        for (unsigned step = 0; step < 40; step++) {
            struct buf *text = step ? &next : &first;
            const char *at_first, *at_next;

            set_stage(SCENE_RUNNING, false);
            ui_scene_fill(&stage.snapshot, SCENE_RUNNING, 10 + step,
                          START_US + step * 7 * US_PER_S / 3);
            draw(24, 80);
            buf_reset(text);
            assert_int_equal(canvas_text(&stage.canvas, text), RESULT_OK);
            if (!step) {
                continue;
            }
            at_first = strstr(buf_cstr(&first), anchors[i]);
            at_next = strstr(buf_cstr(&next), anchors[i]);
            if (!at_first || !at_next) {
                assert_ptr_equal(at_first, at_next);
                continue;
            }
            while (at_first > first.data && at_first[-1] != '\n' && at_next > next.data &&
                   at_next[-1] != '\n') {
                at_first--;
                at_next--;
            }
            assert_true((at_first == first.data || at_first[-1] == '\n') ==
                        (at_next == next.data || at_next[-1] == '\n'));
        }
    }
    buf_release(&first);
    buf_release(&next);
}

/* The column of a word in the first line; wide characters there are none. */
static long column_of(const char *word, int rows, int columns)
{
    struct buf text = { 0 };
    const char *end, *at;
    long column;

    draw(rows, columns);
    assert_int_equal(canvas_text(&stage.canvas, &text), RESULT_OK);
    end = strchr(buf_cstr(&text), '\n');
    at = strstr(text.data, word);
    column = at && at < end ? at - text.data : -1;
    buf_release(&text);
    return column;
}

static void header__stands_still__while_the_state_changes(void **state)
{
    static const enum ui_scene scenes[] = { SCENE_RUNNING,      SCENE_HELD,   SCENE_ALL_WAITING,
                                            SCENE_NETWORK_DOWN, SCENE_PAUSED, SCENE_DRAINING,
                                            SCENE_SWEEP,        SCENE_AUTH,   SCENE_NORMALISING };
    static const struct {
        int rows, columns;
        const char *words[3];
    } screens[] = { { 24, 80, { "up ", "ETA ", "cap " } },
                    { 40, 120, { "up ", "ETA ", "cap " } },
                    { 60, 200, { "up ", "ETA ", "cap " } },
                    { 10, 40, { "catalog108", "cap ", NULL } } };

    (void)state;
    for (size_t i = 0; i < sizeof screens / sizeof screens[0]; i++) {
        for (size_t w = 0; w < 3 && screens[i].words[w]; w++) {
            const char *word = screens[i].words[w];
            long first = -1;

            for (size_t k = 0; k < sizeof scenes / sizeof scenes[0]; k++) {
                long column;

                set_stage(scenes[k], true);
                column = column_of(word, screens[i].rows, screens[i].columns);
                if (screens[i].columns == 40 && column < 0) {
                    continue; /* a state with a long text leaves no room for the name there */
                }
                first = first < 0 ? column : first;
                assert_true(column > 0);
                assert_int_equal(column, first);
            }
        }
    }
}

static bool shows(const char *words, int rows, int columns)
{
    struct buf text = { 0 };
    bool found;

    draw(rows, columns);
    assert_int_equal(canvas_text(&stage.canvas, &text), RESULT_OK);
    found = strstr(buf_cstr(&text), words) != NULL;
    buf_release(&text);
    return found;
}

static void end__advises_the_table__unless_it_is_made_of_all(void **state)
{
    (void)state;
    set_stage(SCENE_DONE, true);
    assert_true(stage.snapshot.normalise.new_records > 0);
    assert_true(shows("n makes the table", 24, 80));
    assert_true(shows("n table", 10, 40));
    stage.snapshot.normalise.new_records = 0;
    stage.snapshot.normalise.have_table = true;
    assert_true(shows("the table is made", 24, 80));
    assert_true(shows("table made", 10, 40));
    stage.snapshot.normalise.have_table = false;
    assert_true(shows("n makes the table", 24, 80));
}

/* Rows of the waiting panel; the scene has seven. */
static int waits_shown(uint64_t now_us)
{
    stage.snapshot.now_us = now_us;
    draw(24, 80);
    return stage.layout.panels[PANEL_WAITS].rows;
}

static void waits__get_the_lines__once_nothing_was_in_flight_for_seconds(void **state)
{
    uint64_t began;
    int before;

    (void)state;
    set_stage(SCENE_ALL_WAITING, true);
    began = stage.snapshot.now_us;
    before = waits_shown(began);
    assert_int_equal(waits_shown(began + 2 * US_PER_S), before);
    assert_int_equal(waits_shown(began + 3 * US_PER_S), 2 + 7);
    /* A probe goes out: from then on it counts anew. */
    stage.snapshot.in_flight = 1;
    assert_int_equal(waits_shown(began + 4 * US_PER_S), before);
    stage.snapshot.in_flight = 0;
    assert_int_equal(waits_shown(began + 5 * US_PER_S), before);
    assert_true(waits_shown(began + 8 * US_PER_S) > before);
}

static int set_environment(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

static int release(void **state)
{
    (void)state;
    canvas_release(&stage.canvas);
    return 0;
}

/* With an argument: what takes seconds (ctest's label "longer"). */
int main(int argc, char **argv)
{
    const struct CMUnitTest long_one[] = {
        cmocka_unit_test(screen__survives__every_size_and_scene),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(screen__is_as_recorded__in_every_state_and_size),
        cmocka_unit_test(screen__is_as_recorded__in_ascii),
        cmocka_unit_test(screen__marks_meaning_by_role__as_recorded),
        cmocka_unit_test(screen__is_as_recorded__with_keys_pressed),
        cmocka_unit_test(screen__is_as_recorded__of_one_request),
        cmocka_unit_test(screen__is_as_recorded__of_lists_with_room),
        cmocka_unit_test(screen__is_as_recorded__when_pages_are_missing),
        cmocka_unit_test(screen__holds_no_control_character__of_hostile_texts),
        cmocka_unit_test(screen__fills_its_lines_exactly__with_hostile_texts),
        cmocka_unit_test(screen__is_the_same__after_a_thousand_resizes),
        cmocka_unit_test(screen__changes_few_cells__from_frame_to_frame),
        cmocka_unit_test(columns__do_not_dance__while_figures_change),
        cmocka_unit_test(header__stands_still__while_the_state_changes),
        cmocka_unit_test(end__advises_the_table__unless_it_is_made_of_all),
        cmocka_unit_test(waits__get_the_lines__once_nothing_was_in_flight_for_seconds),
    };

    (void)argv;
    return argc > 1 ? cmocka_run_group_tests_name("sizes", long_one, set_environment, release)
                    : cmocka_run_group_tests_name("dashboard", tests, set_environment, release);
}
