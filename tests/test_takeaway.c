/* ui/pretty, ui/notify, ui/save, ui/settings: what leaves the screen, or is kept for the next one. */

#include "tests/ui_scenes.h"
#include "ui/notify.h"
#include "ui/pretty.h"
#include "ui/save.h"
#include "ui/settings.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define START_US (UINT64_C(1969) * US_PER_S)

static struct snapshot snapshot;

static void add_line(void *context, struct str line)
{
    struct buf *out = context;

    assert_int_equal(buf_append_str(out, line), RESULT_OK);
    assert_int_equal(buf_append_char(out, '\n'), RESULT_OK);
}

static void expect_pretty(const char *text, const char *expected)
{
    struct buf out = { 0 };

    pretty_lines(str_view(text), add_line, &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_release(&out);
}

static void pretty__lays_out_json__that_may_end_anywhere(void **state)
{
    (void)state;
    expect_pretty(
        "{\"a\":[1, 2],\"b\":{\"c\":\"x,{\\\"}\"}}",
        "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {\n    \"c\": \"x,{\\\"}\"\n  }\n}\n");
    expect_pretty("{\"a\":\"cut of", "{\n  \"a\": \"cut of\n");
    expect_pretty("[", "[\n");
    expect_pretty("<html>\n<body>", "<html>\n<body>\n");
    expect_pretty("]]]]", "]]]]\n");
    expect_pretty("[]]]]", "[\n]\n]\n]\n]\n");
    expect_pretty("", "");
}

static void pretty__is_bounded__however_deep_or_long(void **state)
{
    char text[5000];
    struct buf out = { 0 };
    struct str rest;

    (void)state;
    memset(text, '[', sizeof text);
    memset(text + 2000, 'x', 2000);
    pretty_lines((struct str){ text, sizeof text }, add_line, &out);
    rest = buf_view(&out);
    while (rest.len) {
        assert_in_range(str_cut(&rest, '\n').len, 0, PRETTY_LINE_MAX);
    }
    buf_release(&out);
}

static void curl__is_quoted_for_a_shell_and_encoded_for_the_terminal(void **state)
{
    struct buf bytes = { 0 }, line = { 0 };
    struct str text;

    (void)state;
    ui_scene_fill(&snapshot, SCENE_TUNED, 24, START_US);
    snprintf(snapshot.detail.url, sizeof snapshot.detail.url,
             "http://a/?q='; rm -rf ~; '\033]0;x\007");
    assert_int_equal(save_curl(&snapshot.detail, &bytes), RESULT_OK);
    text = buf_view(&bytes);
    assert_true(str_starts(text, STR("\033]52;c;")));
    assert_int_equal(text.data[text.len - 1], '\007');
    text = (struct str){ text.data + 7, text.len - 8 };
    assert_int_equal(base64_decode(&line, text), RESULT_OK);
    assert_string_equal(buf_cstr(&line),
                        "curl -g -H 'X-Api-Key: ${API_KEY}' -H 'Authorization: ***' "
                        "'http://a/?q='\\''; rm -rf ~; '\\''\\x1b]0;x\\x07'");
    buf_release(&bytes);
    buf_release(&line);
}

static void figures__are_valid_json__in_every_scene(void **state)
{
    struct buf text = { 0 };
    struct json_error error;

    (void)state;
    for (int scene = 0; scene < SCENE_COUNT; scene++) {
        ui_scene_fill(&snapshot, (enum ui_scene)scene, 24, START_US);
        buf_reset(&text);
        assert_int_equal(save_figures(&snapshot, &text), RESULT_OK);
        if (!json_check(buf_view(&text), 8, &error)) {
            fail_msg("%s: %s in %s", ui_scene_name((enum ui_scene)scene), error.text,
                     buf_cstr(&text));
        }
    }
    buf_release(&text);
}

static void picture__is_written_as_text_and_figures__or_says_why_not(void **state)
{
    char dir[] = "/tmp/test_takeaway.XXXXXX", path[SAVE_PATH_MAX], file[SAVE_PATH_MAX + 8];
    struct canvas canvas;
    struct stat info;
    struct err err;

    (void)state;
    assert_non_null(mkdtemp(dir));
    canvas_init(&canvas, true);
    assert_int_equal(canvas_resize(&canvas, 2, 10), RESULT_OK);
    ui_scene_fill(&snapshot, SCENE_RUNNING, 24, START_US);
    snprintf(snapshot.run_dir, sizeof snapshot.run_dir, "%s", dir);
    assert_int_equal(save_picture(&canvas, &snapshot, path, &err), RESULT_OK);
    snprintf(file, sizeof file, "%s.txt", path);
    assert_int_equal(stat(file, &info), 0);
    assert_int_equal(info.st_size, 2);
    assert_int_equal(info.st_mode & 0777, 0600);
    unlink(file);
    snprintf(file, sizeof file, "%s.json", path);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(dir), 0);
    assert_int_not_equal(save_picture(&canvas, &snapshot, path, &err), RESULT_OK);
    assert_non_null(strstr(err.text, dir));
    canvas_release(&canvas);
}

static void settings__come_back__and_what_is_not_understood_is_passed_over(void **state)
{
    struct settings in = { THEME_CONTRAST, true, true }, out = { THEME_DEFAULT, false, false };
    char dir[] = "/tmp/test_takeaway.XXXXXX", path[SETTINGS_PATH_MAX], part[SETTINGS_PATH_MAX];
    struct err err;
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(dir));
    setenv("XDG_CONFIG_HOME", dir, 1);
    settings_path(path);
    settings_load(&out, path);
    assert_int_equal(out.theme, THEME_DEFAULT);
    assert_int_equal(settings_save(&in, path, &err), RESULT_OK);
    settings_load(&out, path);
    assert_int_equal(out.theme, THEME_CONTRAST);
    assert_true(out.mouse && out.notify);

    file = fopen(path, "w");
    assert_non_null(file);
    fputs("theme = neon\nmouse=off\n= =\nnotify = perhaps\nfuture = 7\n\xFF\n", file);
    fclose(file);
    settings_load(&out, path);
    assert_int_equal(out.theme, THEME_DEFAULT);
    assert_false(out.mouse);
    assert_true(out.notify);
    unlink(path);
    snprintf(part, sizeof part, "%s/scrapetop", dir);
    rmdir(part);
    rmdir(dir);
    assert_int_equal(settings_save(&in, "", &err), RESULT_NOT_FOUND);
}

static const char *look(struct notify *n, uint64_t after_us)
{
    static char bytes[NOTIFY_BYTES_MAX];
    struct str text;

    snapshot.now_us += after_us;
    text = notify_look(n, &snapshot, bytes);
    bytes[text.len] = '\0';
    return bytes;
}

static void notify__calls_once_for_each_thing(void **state)
{
    struct notify n = { .waiting_since_us = 0 };

    (void)state;
    ui_scene_fill(&snapshot, SCENE_RUNNING, 24, START_US);
    snapshot.mix.throttled = 0;
    assert_non_null(strstr(look(&n, 0), "\033]2;84.5% RUN catalog108"));
    assert_string_equal(look(&n, US_PER_S), "");
    snapshot.mix.throttled = 1;
    assert_non_null(strstr(look(&n, US_PER_S), "\007\033]9;scrapetop catalog108: first 429"));
    assert_string_equal(look(&n, US_PER_S), "");
    snapshot.state = RUN_ALL_WAITING;
    assert_null(strstr(look(&n, US_PER_S), "\033]9;"));
    assert_null(strstr(look(&n, NOTIFY_ALL_WAITING_US / 2), "\033]9;"));
    assert_non_null(strstr(look(&n, NOTIFY_ALL_WAITING_US), "all requests wait"));
    snapshot.state = RUN_DONE;
    assert_non_null(strstr(look(&n, 0), "catalog108: DONE"));
    assert_string_equal(look(&n, 0), "");
}

static void notify__sends_nothing_of_a_name_but_its_display_form(void **state)
{
    struct notify n = { .waiting_since_us = 0 };
    const char *bytes;

    (void)state;
    ui_scene_fill(&snapshot, SCENE_HOSTILE, 24, START_US);
    bytes = look(&n, 0);
    assert_non_null(strstr(bytes, "\\x1b]0;owned"));
    assert_null(strstr(bytes, "\033]0;"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pretty__lays_out_json__that_may_end_anywhere),
        cmocka_unit_test(pretty__is_bounded__however_deep_or_long),
        cmocka_unit_test(curl__is_quoted_for_a_shell_and_encoded_for_the_terminal),
        cmocka_unit_test(figures__are_valid_json__in_every_scene),
        cmocka_unit_test(picture__is_written_as_text_and_figures__or_says_why_not),
        cmocka_unit_test(settings__come_back__and_what_is_not_understood_is_passed_over),
        cmocka_unit_test(notify__calls_once_for_each_thing),
        cmocka_unit_test(notify__sends_nothing_of_a_name_but_its_display_form),
    };

    return cmocka_run_group_tests_name("takeaway", tests, NULL, NULL);
}
