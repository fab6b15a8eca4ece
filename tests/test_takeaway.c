/* ui/pretty, ui/notify, ui/save, ui/export, ui/settings: what leaves the screen, or is kept for the next one. */

#include "tests/ui_scenes.h"
#include "ui/export.h"
#include "ui/notify.h"
#include "ui/panels.h"
#include "ui/pretty.h"
#include "ui/save.h"
#include "ui/settings.h"
#include "ui/view.h"

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
    expect_pretty("<html>\r\n\r\n<body>\r", "<html>\n\n<body>\n");
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
    struct settings in = {
        .theme = THEME_CONTRAST, .background = BACKGROUND_LIGHT, .mouse = true, .notify = true
    };
    struct settings out = { .theme = THEME_DEFAULT };
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
    assert_int_equal(out.background, BACKGROUND_LIGHT);

    file = fopen(path, "w");
    assert_non_null(file);
    fputs("theme = neon\nbackground = pink\nmouse=off\n= =\nnotify = perhaps\nfuture = 7\n\xFF\n",
          file);
    fclose(file);
    settings_load(&out, path);
    assert_int_equal(out.theme, THEME_DEFAULT);
    assert_int_equal(out.background, BACKGROUND_AUTO);
    assert_false(out.mouse);
    assert_true(out.notify);
    unlink(path);
    snprintf(part, sizeof part, "%s/scrapetop", dir);
    rmdir(part);
    rmdir(dir);
    assert_int_equal(settings_save(&in, "", &err), RESULT_NOT_FOUND);
}

/* Kept by the words that are on screen; those of another version are passed over. */
static void sorting__comes_back__by_its_words(void **state)
{
    static struct view before, after;
    char path[] = "/tmp/scrapetop-sort-XXXXXX";
    FILE *file;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    view_init(&before, 0);
    before.lists[PANEL_WAITS].sort = 2;
    before.lists[PANEL_FLIGHTS].sort = 1;
    before.lists[PANEL_FLIGHTS].inverted = true;
    view_note_sorts(&before);
    assert_int_equal(settings_save(&before.settings, path, NULL), RESULT_OK);
    view_init(&after, 0);
    settings_load(&after.settings, path);
    view_take_sorts(&after);
    assert_int_equal(after.lists[PANEL_WAITS].sort, 2);
    assert_false(after.lists[PANEL_WAITS].inverted);
    assert_int_equal(after.lists[PANEL_FLIGHTS].sort, 1);
    assert_true(after.lists[PANEL_FLIGHTS].inverted);
    assert_int_equal(after.lists[PANEL_HOSTS].sort, 0);

    file = fopen(path, "w");
    assert_non_null(file);
    fputs("sort Nothing = AGE\nsort Hosts = NOTHING\nsort =\nsort \nsort Hosts\nsort x = ,,,\n"
          "sort Rate and latency = AGE\nsort Hosts = REFUSED, inverted, twice\n",
          file);
    for (int i = 0; i < 2 * SETTINGS_SORTS_MAX; i++) {
        fputs("sort Waiting = TRY\n", file);
    }
    fclose(file);
    view_init(&after, 0);
    settings_load(&after.settings, path);
    assert_int_equal(after.settings.sort_count, SETTINGS_SORTS_MAX);
    view_take_sorts(&after);
    assert_int_equal(after.lists[PANEL_FLIGHTS].sort, 0);
    assert_true(after.lists[PANEL_HOSTS].sort > 0);
    unlink(path);
}

static struct list list;

static const char *exported(enum panel_id panel, const char *filter, bool json, struct buf *out)
{
    memset(&list, 0, sizeof list);
    snprintf(list.filter, sizeof list.filter, "%s", filter);
    list_arrange(&list, panels[panel]->source, &snapshot, 3);
    buf_reset(out);
    assert_int_equal(export_rows(panel, &snapshot, &list, json, out), RESULT_OK);
    return buf_cstr(out);
}

static void export__gives_whole_figures__of_the_rows_that_pass(void **state)
{
    struct buf out = { 0 };

    (void)state;
    ui_scene_fill(&snapshot, SCENE_TUNED, 24, START_US);
    assert_string_equal(
        exported(PANEL_ENDPOINTS, "products", false, &out),
        "name,requests,ok,failed,waiting,req_per_s,p50_ms,p95_ms,throttled,"
        "server_errors,rows,expected,got,missing_count,ended,records,"
        "records_missing,note\n"
        "products,83003,58104,3,5,33.1,560,1080,0.014,0.001,2905150,83003,58104,3,,,,"
        "61190 61201 and 1 more\n");
    snprintf(snapshot.failures[0].example, sizeof snapshot.failures[0].example,
             "a \"b\", c\033[2J");
    assert_string_equal(exported(PANEL_FAILED, "\"b", false, &out),
                        "why,class,count,last_ago_s,example,example_id,said\n"
                        "HTTP 404,404,9,118,\"a \"\"b\"\", c\\x1b[2J\",0,\n");
    assert_non_null(strstr(exported(PANEL_HOSTS, "img", true, &out), "\"quota_left\":null"));
    buf_release(&out);
}

static void export__is_valid_json__whatever_the_texts_hold(void **state)
{
    static const enum panel_id panels_with_rows[] = { PANEL_FLIGHTS, PANEL_WAITS,     PANEL_LOG,
                                                      PANEL_HOSTS,   PANEL_ENDPOINTS, PANEL_LADDER,
                                                      PANEL_FAILED };
    struct json_error error;
    struct buf out = { 0 };

    (void)state;
    for (size_t n = 0; n < ui_scene_attacks(); n++) {
        ui_scene_fill(&snapshot, SCENE_HOSTILE, 24, START_US);
        ui_scene_fill_attack(&snapshot, n, START_US);
        for (size_t i = 0; i < sizeof panels_with_rows / sizeof panels_with_rows[0]; i++) {
            const char *text = exported(panels_with_rows[i], "", true, &out);

            assert_true(json_check(str_view(text), 10, &error));
            text = exported(panels_with_rows[i], "", false, &out);
            assert_null(strchr(text, '\033'));
        }
    }
    memset(&list, 0, sizeof list);
    assert_int_equal(export_rows(PANEL_RATE, &snapshot, &list, true, &out), RESULT_NOT_FOUND);
    buf_release(&out);
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
        cmocka_unit_test(sorting__comes_back__by_its_words),
        cmocka_unit_test(export__gives_whole_figures__of_the_rows_that_pass),
        cmocka_unit_test(export__is_valid_json__whatever_the_texts_hold),
        cmocka_unit_test(notify__calls_once_for_each_thing),
        cmocka_unit_test(notify__sends_nothing_of_a_name_but_its_display_form),
    };

    return cmocka_run_group_tests_name("takeaway", tests, NULL, NULL);
}
