#include "ui/screen.h"

#include "base/units.h"
#include "base/utf8.h"
#include "ui/keys.h"

#include <stdio.h>
#include <string.h>

#define HELP_KEY_COLUMNS 12

void screen_arrange(struct layout *layout, struct view *v, const struct snapshot *s, int rows,
                    int columns)
{
    struct layout_need needs[PANEL_COUNT];

    for (size_t i = 0; i < PANEL_COUNT; i++) {
        needs[i] = panels[i]->need;
        if (panels[i]->rows_wanted) {
            needs[i].rows_wanted = panels[i]->rows_wanted(s);
        }
    }
    layout_compute(layout, rows, columns, needs, PANEL_COUNT, v->zoomed ? (int)v->focus : -1);
    for (size_t i = 0; i < PANEL_COUNT; i++) {
        if (panels[i]->source) {
            list_arrange(&v->lists[i], panels[i]->source, s,
                         panel_list_rows(panels[i], layout->panels[i].rows));
        }
    }
}

static void draw_separators(const struct layout *layout, struct canvas *canvas)
{
    struct pane body = pane_of(canvas, layout->body);

    for (size_t i = 0; i < LAYOUT_COLUMNS_MAX - 1; i++) {
        for (int row = 0; layout->separators[i] >= 0 && row < body.rect.rows; row++) {
            draw_glyph(body, row, layout->separators[i], ROLE_TITLE, "\u2502", '|');
        }
    }
}

static void draw_panels(const struct layout *layout, const struct view *v, const struct snapshot *s,
                        struct canvas *canvas)
{
    for (size_t i = 0; i < PANEL_COUNT; i++) {
        struct panel_scene scene = {
            .snapshot = s,
            .list = panels[i]->source ? &v->lists[i] : NULL,
            .focused = v->focus == (enum panel_id)i,
            .zoomed = v->zoomed,
        };

        if (layout->panels[i].rows > 0) {
            panel_draw((enum panel_id)i, &scene, pane_of(canvas, layout->panels[i]));
        }
    }
}

static size_t help_lines(const struct view *v)
{
    size_t count = 0;

    while (keys_at(count, v->verbs)) {
        count++;
    }
    return count;
}

static void draw_help(const struct view *v, struct pane pane)
{
    size_t lines = help_lines(v), rows, top = v->help_top;
    char note[64];

    rows = pane.rect.rows > 1 ? (size_t)pane.rect.rows - 1 : 0;
    top = lines > rows ? (top < lines - rows ? top : lines - rows) : 0;
    snprintf(note, sizeof note,
             lines > rows ? "%zu-%zu of %zu  arrows scroll  Esc closes" : "Esc closes", top + 1,
             top + rows < lines ? top + rows : lines, lines);
    draw_rule(pane, 0, ROLE_FOCUS, "Keys", note);
    for (size_t i = 0; i < rows && top + i < lines; i++) {
        const struct key_binding *binding = keys_at(top + i, v->verbs);

        draw_text(pane, 1 + (int)i, 1, HELP_KEY_COLUMNS - 2, ROLE_KEY, str_view(binding->name));
        draw_text(pane, 1 + (int)i, HELP_KEY_COLUMNS, pane.rect.columns, ROLE_TEXT,
                  str_view(binding->help));
    }
}

static const char *prompt_label(enum view_prompt prompt)
{
    switch (prompt) {
    case PROMPT_CAP:
        return "cap: ";
    case PROMPT_RATE:
        return "rate (10/s, 5/15s, off): ";
    case PROMPT_MARK:
        return "note: ";
    case PROMPT_FILTER:
        return "filter (!text excludes): ";
    case PROMPT_NONE:
        break;
    }
    return "";
}

static void draw_prompt(const struct view *v, struct pane pane)
{
    struct canvas *canvas = pane.canvas;
    int at = draw_text(pane, 0, 1, pane.rect.columns, ROLE_KEY, str_view(prompt_label(v->prompt)));

    at = draw_text(pane, 0, at, pane.rect.columns, ROLE_STRONG, str_view(v->prompt_text));
    if (at >= pane.rect.columns) {
        at = pane.rect.columns - 1;
    }
    canvas->cursor_row = pane.rect.row;
    canvas->cursor_column = pane.rect.column + at;
    canvas->cursor_shown = true;
}

static int entry_columns(const struct key_binding *binding)
{
    return (int)strlen(binding->bar_key) + 1 + (int)strlen(binding->bar_word);
}

/* Columns that the entries up to a rank take, two between each. */
static int bar_columns(const struct view *v, int rank)
{
    const struct key_binding *binding;
    int columns = 0;

    for (size_t i = 0; (binding = keys_at(i, v->verbs)) != NULL; i++) {
        if (binding->bar_key && binding->bar_rank <= rank) {
            columns += entry_columns(binding) + 2;
        }
    }
    return columns;
}

static void draw_bar_entries(const struct view *v, struct pane pane, int at)
{
    const struct key_binding *binding;
    int rank = 9;

    while (rank > 0 && bar_columns(v, rank) > pane.rect.columns - at) {
        rank--;
    }
    for (size_t i = 0; (binding = keys_at(i, v->verbs)) != NULL; i++) {
        if (!binding->bar_key || binding->bar_rank > rank) {
            continue;
        }
        at = draw_text(pane, 0, at, pane.rect.columns, ROLE_KEY, str_view(binding->bar_key));
        at = draw_text(pane, 0, at + 1, pane.rect.columns, ROLE_TEXT, str_view(binding->bar_word));
        at += 2;
    }
}

/* One line for what is typed, else what is to be said, else the keys. */
static void draw_keys(const struct view *v, const struct snapshot *s, uint64_t now_us,
                      struct pane pane)
{
    int at = 1;

    if (v->prompt != PROMPT_NONE) {
        draw_prompt(v, pane);
        return;
    }
    if (v->message[0] && now_us < v->message_until_us) {
        draw_text(pane, 0, 1, pane.rect.columns - 1, ROLE_NOTICE, str_view(v->message));
        return;
    }
    if (s->state == RUN_DRAINING || v->quitting) {
        draw_format(pane, 0, 1, pane.rect.columns - 1, ROLE_ALERT,
                    " draining %llu - q or Ctrl-C again aborts ", (unsigned long long)s->in_flight);
        return;
    }
    if (v->frozen) {
        at = draw_text(pane, 0, at, pane.rect.columns, ROLE_ALERT,
                       STR(" the work goes on, the picture does not - Z thaws ")) +
             2;
    }
    draw_bar_entries(v, pane, at);
}

/* Without room for the requests in flight as a panel, their lines are worth more than any other. */
static bool is_too_small(const struct layout *layout, const struct view *v)
{
    return !v->zoomed && layout->header_kind == LAYOUT_HEADER_COMPACT &&
           layout->panels[PANEL_FLIGHTS].rows == 0;
}

void screen_draw(const struct layout *layout, const struct view *v, const struct snapshot *s,
                 uint64_t now_us, struct canvas *canvas)
{
    char frozen[64];

    canvas_clear(canvas);
    if (v->frozen) {
        char since[UNITS_TEXT_MAX];

        units_format_countdown(now_us > v->frozen_at_us ? now_us - v->frozen_at_us : 0, since);
        snprintf(frozen, sizeof frozen, "FROZEN %s", since);
    }
    header_draw(s, layout->header_kind, v->frozen ? frozen : NULL, pane_of(canvas, layout->header));
    if (layout->body.rows > 0 && v->help) {
        draw_help(v, pane_of(canvas, layout->body));
    } else if (is_too_small(layout, v)) {
        header_draw_remains(s, pane_of(canvas, layout->body));
    } else {
        draw_panels(layout, v, s, canvas);
        draw_separators(layout, canvas);
    }
    if (layout->keys.rows > 0) {
        draw_keys(v, s, now_us, pane_of(canvas, layout->keys));
    }
}
