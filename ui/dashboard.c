#include "ui/dashboard.h"

#include "base/units.h"
#include "ui/export.h"
#include "ui/input.h"
#include "ui/notify.h"
#include "ui/save.h"
#include "ui/screen.h"
#include "ui/terminal.h"
#include "ui/view.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_BYTES 256

struct dashboard {
    struct terminal *terminal;
    struct input input;
    struct view view;
    struct layout layout;
    struct canvas canvas;
    struct snapshot shown; /* the last one drawn; while frozen, the one that stays */
    bool has_shown;
    uint64_t now_us; /* of the last snapshot handed in, frozen or not */
    char settings_path[SETTINGS_PATH_MAX];
    struct notify notify;
    char word[128];          /* to be said with the first picture */
    char unread[READ_BYTES]; /* typed, not yet made into keys */
    size_t unread_from, unread_to;
};

struct dashboard_options dashboard_options_environment(void)
{
    const char *no_colour = getenv("NO_COLOR"), *word = getenv("SCRAPETOP_BACKGROUND");
    enum background forced = BACKGROUND_AUTO;

    if (word && !background_parse(str_view(word), &forced)) {
        forced = BACKGROUND_AUTO;
    }
    return (struct dashboard_options){
        .type = getenv("TERM"),
        .forced = forced,
        .guess = background_of_fgbg(getenv("COLORFGBG")),
        .colour = !no_colour || !no_colour[0],
        .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
    };
}

enum result dashboard_new(struct dashboard **dashboard, const struct dashboard_options *options,
                          struct err *err)
{
    struct terminal_options terminal = {
        .device = options->device ? options->device : "/dev/tty",
        .type = options->type,
        .colour = options->colour,
        .asks = options->forced == BACKGROUND_AUTO,
    };
    struct dashboard *d = calloc(1, sizeof *d);
    enum result result;

    if (!d) {
        return err_nomem(err, "opening the dashboard");
    }
    result = terminal_new(&d->terminal, &terminal, err);
    if (result != RESULT_OK) {
        free(d);
        return result;
    }
    input_init(&d->input);
    view_init(&d->view, options->verbs);
    snprintf(d->settings_path, sizeof d->settings_path, "%s",
             options->settings_path ? options->settings_path : "");
    settings_load(&d->view.settings, d->settings_path);
    view_take_sorts(&d->view);
    d->view.can_return = options->can_return;
    d->view.told = options->guess;
    d->view.forced = options->forced;
    if (terminal_stand_in(d->terminal)) {
        snprintf(d->word, sizeof d->word, "TERM=%.40s is not known here: drawn as for %s",
                 options->type, terminal_stand_in(d->terminal));
    }
    d->view.settings.notify = d->view.settings.notify || options->notify;
    canvas_init(&d->canvas, !options->ascii);
    *dashboard = d;
    return RESULT_OK;
}

/* The last picture as lines for the scrollback. */
static void leave_picture(struct dashboard *d)
{
    struct buf text = { 0 };

    if (canvas_text(&d->canvas, &text) == RESULT_OK) {
        terminal_leave(d->terminal, buf_view(&text));
    }
    buf_release(&text);
}

void dashboard_free(struct dashboard *d)
{
    if (!d) {
        return;
    }
    if (d->view.leave) {
        leave_picture(d);
    }
    terminal_free(d->terminal);
    canvas_release(&d->canvas);
    free(d);
}

int dashboard_fd(const struct dashboard *d)
{
    return terminal_fd(d->terminal);
}

/* What the terminal answers is no key. */
static bool take_answer(struct dashboard *d, uint32_t code)
{
    switch (code) {
    case INPUT_TOLD_DARK:
        d->view.told = BACKGROUND_DARK;
        return true;
    case INPUT_TOLD_LIGHT:
        d->view.told = BACKGROUND_LIGHT;
        return true;
    case INPUT_TOLD_ALL:
        terminal_was_answered(d->terminal);
        return true;
    default:
        return false;
    }
}

static size_t act_on_keys(struct dashboard *d, const struct input_key *keys, size_t count,
                          struct control *out)
{
    size_t commands = 0;

    for (size_t i = 0; i < count; i++) {
        if (take_answer(d, keys[i].code)) {
            continue;
        }
        commands += view_key(&d->view, &d->shown, keys[i], d->now_us, &out[commands]);
    }
    return commands;
}

static bool read_more(struct dashboard *d)
{
    if (d->unread_from < d->unread_to) {
        return true;
    }
    d->unread_from = 0;
    d->unread_to = terminal_read(d->terminal, d->unread, sizeof d->unread);
    return d->unread_to > 0;
}

size_t dashboard_input(struct dashboard *d, uint64_t now_us, struct control *out, size_t max)
{
    struct input_key keys[INPUT_KEYS_MAX];
    size_t commands = 0;

    d->now_us = now_us > d->now_us ? now_us : d->now_us;
    d->input.expects = terminal_is_asked(d->terminal);
    /* A byte gives one command at most: when it completes two keys, the first is a lone Esc. */
    while (commands < max && view_next(&d->view, &out[commands])) {
        commands++;
    }
    while (commands < max && read_more(d)) {
        unsigned char byte = (unsigned char)d->unread[d->unread_from++];
        size_t count = input_feed(&d->input, byte, d->now_us, keys);

        commands += act_on_keys(d, keys, count, out + commands);
        while (commands < max && view_next(&d->view, &out[commands])) {
            commands++;
        }
    }
    return commands;
}

/* A lone Esc is known by what does not follow. It changes the view only: Esc is no command. */
static void settle_input(struct dashboard *d)
{
    struct input_key keys[INPUT_KEYS_MAX];
    struct control unused[INPUT_KEYS_MAX];

    act_on_keys(d, keys, input_idle(&d->input, d->now_us, keys), unused);
}

static void tell(struct dashboard *d, enum result result, const struct err *err, const char *well)
{
    view_message(&d->view, d->now_us, result == RESULT_OK ? well : err->text);
}

static void save_settings(struct dashboard *d)
{
    struct err err;
    enum result result;
    char text[CONTROL_REPLY_MAX];

    view_note_sorts(&d->view);
    result = settings_save(&d->view.settings, d->settings_path, &err);
    snprintf(text, sizeof text, "kept in %.140s", d->settings_path);
    tell(d, result, &err, text);
}

/* Of a file in the run's directory, whose own name a line has no room for. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void save_files(struct dashboard *d)
{
    char text[CONTROL_REPLY_MAX], path[SAVE_PATH_MAX];
    struct err err;
    enum result result = save_picture(&d->canvas, &d->shown, path, &err);

    snprintf(text, sizeof text, "written: %.80s.txt and .json, in the run's directory",
             base_name(path));
    tell(d, result, &err, text);
}

/* How many rows the run has of those that the snapshot shows the first of. */
static uint64_t rows_there_are(enum panel_id panel, const struct snapshot *s, size_t shown)
{
    return panel == PANEL_FLIGHTS ? s->in_flight : panel == PANEL_WAITS ? s->waiting : shown;
}

static void save_rows(struct dashboard *d, bool json)
{
    enum panel_id panel = d->view.focus;
    const struct list *list = view_list(&d->view);
    char text[CONTROL_REPLY_MAX], path[SAVE_PATH_MAX], of[32] = "";
    struct buf rows = { 0 };
    struct err err;
    enum result result = export_rows(panel, &d->shown, list, json, &rows);

    if (result == RESULT_NOT_FOUND) {
        view_message(&d->view, d->now_us, "no rows here to write");
        return;
    }
    if (result == RESULT_OK) {
        result = save_bytes(&d->shown, export_name(panel), json ? ".json" : ".csv", buf_view(&rows),
                            path, &err);
    } else {
        err_nomem(&err, "writing rows");
    }
    buf_release(&rows);
    if (!list->filter[0] && rows_there_are(panel, &d->shown, list->count) > list->count) {
        snprintf(of, sizeof of, " of %llu",
                 (unsigned long long)rows_there_are(panel, &d->shown, list->count));
    }
    snprintf(text, sizeof text, "%zu%s row%s written: %.80s, in the run's directory", list->count,
             of, units_plural(list->count), base_name(path));
    tell(d, result, &err, text);
}

/* Once the snapshot has what was asked for. */
static void copy_request(struct dashboard *d)
{
    struct buf bytes = { 0 };

    if (d->shown.detail.id != d->view.detail_id || !d->shown.detail.url[0]) {
        d->view.wants.copy = d->shown.detail.id != d->view.detail_id;
        return;
    }
    d->view.wants.copy = false;
    if (save_curl(&d->shown.detail, &bytes) == RESULT_OK) {
        terminal_send(d->terminal, buf_view(&bytes));
        view_message(&d->view, d->now_us, "copied as a curl command, secrets masked (OSC 52)");
    }
    buf_release(&bytes);
}

/* What keys have asked for and only the terminal or the disk can give. */
static void serve_wants(struct dashboard *d)
{
    if (d->view.wants.repaint) {
        terminal_repaint(d->terminal);
        d->view.wants.repaint = false;
    }
    if (d->view.wants.save_settings) {
        d->view.wants.save_settings = false;
        save_settings(d);
    }
    if (d->view.wants.copy) {
        copy_request(d);
    }
    terminal_set_theme(d->terminal, d->view.settings.theme, view_is_light(&d->view));
    terminal_set_mouse(d->terminal, d->view.settings.mouse);
}

static void send_notices(struct dashboard *d, const struct snapshot *s)
{
    char bytes[NOTIFY_BYTES_MAX];

    if (d->view.settings.notify) {
        terminal_send(d->terminal, notify_look(&d->notify, s, bytes));
    }
}

void dashboard_draw(struct dashboard *d, const struct snapshot *s)
{
    int rows = terminal_rows(d->terminal), columns = terminal_columns(d->terminal);

    d->now_us = s->now_us > d->now_us ? s->now_us : d->now_us;
    settle_input(d);
    if (d->word[0]) {
        view_message(&d->view, d->now_us, d->word);
        d->word[0] = '\0';
    }
    if (!d->view.frozen || !d->has_shown) {
        d->shown = *s;
        d->has_shown = true;
    }
    d->shown.detail = s->detail; /* what is asked for while frozen is answered all the same */
    if ((d->canvas.rows != rows || d->canvas.columns != columns || !d->canvas.cells) &&
        canvas_resize(&d->canvas, rows, columns) != RESULT_OK) {
        return; /* the picture before stays until there is memory */
    }
    serve_wants(d);
    screen_arrange(&d->layout, &d->view, &d->shown, rows, columns);
    screen_draw(&d->layout, &d->view, &d->shown, d->now_us, &d->canvas);
    if (d->view.wants.save_picture) {
        d->view.wants.save_picture = false;
        save_files(d);
    }
    if (d->view.wants.export != EXPORT_NONE) {
        save_rows(d, d->view.wants.export == EXPORT_JSON);
        d->view.wants.export = EXPORT_NONE;
    }
    terminal_show(d->terminal, &d->canvas);
    send_notices(d, s);
}

void dashboard_message(struct dashboard *d, const char *text)
{
    view_message(&d->view, d->now_us, text);
}

struct control dashboard_quit(struct dashboard *d)
{
    return view_quit(&d->view, &d->shown);
}

bool dashboard_wants_read(const struct dashboard *d)
{
    return terminal_wants_read(d->terminal);
}

bool dashboard_wants_write(const struct dashboard *d)
{
    return terminal_wants_write(d->terminal);
}

void dashboard_flush(struct dashboard *d)
{
    terminal_flush(d->terminal);
}

void dashboard_resize(struct dashboard *d)
{
    terminal_resize(d->terminal);
}

void dashboard_suspend(struct dashboard *d)
{
    terminal_suspend(d->terminal);
}

void dashboard_resume(struct dashboard *d)
{
    terminal_resume(d->terminal);
}

bool dashboard_gone(const struct dashboard *d)
{
    return terminal_gone(d->terminal);
}
