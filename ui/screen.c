#include "ui/screen.h"

#include "base/units.h"
#include "base/utf8.h"
#include "ui/keys.h"

#include <stdio.h>
#include <string.h>

#define HELP_KEY_COLUMNS 12
#define HELP_WORD_COLUMNS 15
#define HELP_WORD_FROM 70 /* a narrower screen has no room for the words */

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

    while (view_help_at(v, count)) {
        count++;
    }
    return count;
}

/* The selected line is always among those shown. */
static void arrange_help(struct view *v, int body_rows)
{
    size_t lines = help_lines(v), rows = body_rows > 1 ? (size_t)body_rows - 1 : 0;
    size_t last_top = lines > rows ? lines - rows : 0;

    v->help_row = v->help_row < lines ? v->help_row : lines ? lines - 1 : 0;
    if (v->help_row < v->help_top) {
        v->help_top = v->help_row;
    } else if (rows && v->help_row >= v->help_top + rows) {
        v->help_top = v->help_row - rows + 1;
    }
    v->help_top = v->help_top < last_top ? v->help_top : last_top;
}

static void help_note(const struct view *v, size_t lines, size_t rows, char *note, size_t size)
{
    size_t end = v->help_top + rows < lines ? v->help_top + rows : lines;
    char filter[LIST_FILTER_MAX + 4] = "";

    if (v->help_filter[0]) {
        snprintf(filter, sizeof filter, "/%s  ", v->help_filter);
    }
    if (lines > rows) {
        snprintf(note, size, "%s%zu-%zu of %zu  / searches  Enter does it", filter, v->help_top + 1,
                 end, lines);
    } else {
        snprintf(note, size, "%sEnter does it  Esc closes", filter);
    }
}

static void draw_help(const struct view *v, struct pane pane)
{
    size_t lines = help_lines(v), rows = pane.rect.rows > 1 ? (size_t)pane.rect.rows - 1 : 0;
    char note[160];

    help_note(v, lines, rows, note, sizeof note);
    draw_rule(pane, 0, ROLE_FOCUS, "Keys", note);
    for (size_t i = 0; i < rows && v->help_top + i < lines; i++) {
        const struct key_binding *binding = view_help_at(v, v->help_top + i);
        int row = 1 + (int)i, help_at = HELP_KEY_COLUMNS;

        draw_text(pane, row, 1, HELP_KEY_COLUMNS - 2, ROLE_KEY, str_view(binding->name));
        if (pane.rect.columns >= HELP_WORD_FROM) {
            draw_format(pane, row, HELP_KEY_COLUMNS, HELP_WORD_COLUMNS - 2, ROLE_DIM, "%s%s",
                        binding->word ? ":" : "", binding->word ? binding->word : "");
            help_at += HELP_WORD_COLUMNS;
        }
        draw_text(pane, row, help_at, pane.rect.columns, ROLE_TEXT, str_view(binding->help));
        if (v->help_row == v->help_top + i) {
            draw_role(pane, row, 0, pane.rect.columns, ROLE_SELECTED);
            pane.canvas->cursor_row = pane.rect.row + row;
            pane.canvas->cursor_column = pane.rect.column;
        }
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
    case PROMPT_SWEEP:
        return "sweep caps: ";
    case PROMPT_FILTER:
        return "filter (!text excludes): ";
    case PROMPT_SORT:
        return "sort by: ";
    case PROMPT_COMMAND:
        return ":";
    case PROMPT_HELP:
        return "search the keys: ";
    case PROMPT_QUESTION:
    case PROMPT_NONE:
        break;
    }
    return "";
}

/* What may stand there: the columns to sort by, the commands that begin so. */
static void draw_choices(const struct view *v, struct pane pane, int at)
{
    const struct panel_table *table = panels[v->focus]->table;
    const struct key_binding *binding;
    size_t typed = strlen(v->prompt_text);

    for (size_t i = 0; v->prompt == PROMPT_SORT && i < table->column_count; i++) {
        at = draw_text(pane, 0, at, pane.rect.columns, ROLE_DIM,
                       str_view(table->columns[i].heading)) +
             1;
    }
    for (size_t i = 0; v->prompt == PROMPT_COMMAND && !strchr(v->prompt_text, ' ') &&
                       (binding = keys_by_word(v->prompt_text, typed, i, v->verbs));
         i++) {
        at = draw_text(pane, 0, at, pane.rect.columns, ROLE_DIM, str_view(binding->word)) + 1;
        if (binding->argument) {
            at = draw_text(pane, 0, at, pane.rect.columns, ROLE_DIM, str_view(binding->argument)) +
                 1;
        }
    }
}

static void draw_prompt(const struct view *v, struct pane pane)
{
    struct canvas *canvas = pane.canvas;
    int at;

    if (v->prompt == PROMPT_QUESTION) {
        at = draw_format(pane, 0, 1, pane.rect.columns - 1, ROLE_ALERT, " %s ", v->question);
    } else {
        at = draw_text(pane, 0, 1, pane.rect.columns, ROLE_KEY, str_view(prompt_label(v->prompt)));
        at = draw_text(pane, 0, at, pane.rect.columns, ROLE_STRONG, str_view(v->prompt_text));
        draw_choices(v, pane, at + 3);
    }
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

void screen_arrange(struct layout *layout, struct view *v, const struct snapshot *s, int rows,
                    int columns)
{
    struct layout_need needs[PANEL_COUNT];

    for (size_t i = 0; i < PANEL_COUNT; i++) {
        needs[i] = panels[i]->need;
        if (panels[i]->rows_wanted) {
            needs[i].rows_wanted = panels[i]->rows_wanted(s);
        }
        for (size_t c = 0; c < LAYOUT_COLUMNS_MAX && !panel_exists((enum panel_id)i, s); c++) {
            needs[i].column[c] = -1;
        }
    }
    if (!panel_exists(v->focus, s) && !(v->focus == PANEL_DETAIL && v->detail_id)) {
        v->focus = panel_exists(PANEL_FLIGHTS, s) ? PANEL_FLIGHTS : PANEL_RATE;
    }
    layout_compute(layout, rows, columns, needs, PANEL_COUNT, v->zoomed ? (int)v->focus : -1);
    v->detail_has_room =
        layout->header_kind == LAYOUT_HEADER_WIDE && columns >= LAYOUT_THREE_COLUMNS;
    for (size_t i = 0; i < PANEL_COUNT; i++) {
        v->rects[i] = layout->panels[i];
        if (panels[i]->source) {
            list_arrange(&v->lists[i], panels[i]->source, s,
                         panel_list_rows(panels[i], layout->panels[i].rows));
        }
    }
    if (v->help) {
        arrange_help(v, layout->body.rows);
    }
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
