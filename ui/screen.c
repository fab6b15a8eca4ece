#include "ui/screen.h"
#include "ui/panels.h"

#include "base/units.h"
#include "base/utf8.h"
#include "ui/bar.h"
#include "ui/keys.h"

#include <stdio.h>
#include <string.h>

#define IDLE_US UINT64_C(3000000)
#define HELP_KEY_COLUMNS 12
#define HELP_KEY_NARROW 10
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

/* The selected line is always among those shown. */
static void arrange_help(struct view *v, int body_rows)
{
    size_t lines = view_help_count(v), rows = body_rows > 1 ? (size_t)body_rows - 1 : 0;
    size_t last_top = lines > rows ? lines - rows : 0;

    v->help_row = v->help_row < lines ? v->help_row : lines ? lines - 1 : 0;
    if (v->help_row < v->help_top) {
        v->help_top = v->help_row;
    } else if (rows && v->help_row >= v->help_top + rows) {
        v->help_top = v->help_row - rows + 1;
    }
    v->help_top = v->help_top < last_top ? v->help_top : last_top;
}

static void help_note(const struct view *v, size_t lines, size_t rows, bool is_narrow, char *note,
                      size_t size)
{
    size_t end = v->help_top + rows < lines ? v->help_top + rows : lines;
    char filter[LIST_FILTER_MAX + 4] = "";

    if (v->help_filter[0]) {
        snprintf(filter, sizeof filter, "/%s  ", v->help_filter);
    }
    if (lines > rows) {
        snprintf(note, size, "%s%zu-%zu of %zu  / searches%s", filter, v->help_top + 1, end, lines,
                 is_narrow ? "" : "  Enter does it");
    } else {
        snprintf(note, size, "%sEnter does it  Esc closes", filter);
    }
}

static void draw_help(const struct view *v, struct pane pane)
{
    size_t lines = view_help_count(v), rows = pane.rect.rows > 1 ? (size_t)pane.rect.rows - 1 : 0;
    bool is_narrow = pane.rect.columns < HELP_WORD_FROM;
    char note[160];

    help_note(v, lines, rows, is_narrow, note, sizeof note);
    draw_rule(pane, 0, ROLE_FOCUS, "Keys", note);
    for (size_t i = 0; i < rows && v->help_top + i < lines; i++) {
        const struct key_binding *binding = view_help_at(v, v->help_top + i);
        int row = 1 + (int)i, help_at = is_narrow ? HELP_KEY_NARROW : HELP_KEY_COLUMNS;

        draw_text(pane, row, is_narrow ? 0 : 1, help_at - 2, ROLE_KEY, str_view(binding->name));
        if (!is_narrow) {
            draw_format(pane, row, HELP_KEY_COLUMNS, HELP_WORD_COLUMNS - 1, ROLE_DIM, "%s%s",
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

/* Without room for the requests in flight as a panel, their lines are worth more than any other. */
static bool is_too_small(const struct layout *layout, const struct view *v,
                         const struct snapshot *s)
{
    return !v->zoomed && layout->header_kind == LAYOUT_HEADER_COMPACT &&
           layout->panels[s->is_fleet ? PANEL_WORKERS : PANEL_FLIGHTS].rows == 0;
}

/* When all is fetched nothing moves any more: what was told, what has failed or is missing is then more worth seeing. */
static void suit_the_end(struct layout_need needs[PANEL_COUNT], const struct snapshot *s)
{
    bool missing = snapshot_pages_are_missing(s);

    if (!run_state_has_ended(s->state)) {
        return;
    }
    needs[PANEL_FLIGHTS].rows_wanted = needs[PANEL_FLIGHTS].rows_min;
    needs[PANEL_FLIGHTS].elastic = false;
    if (!s->waiting) {
        needs[PANEL_WAITS].rows_wanted = needs[PANEL_WAITS].rows_min = 3;
        needs[PANEL_WAITS].elastic = false;
    }
    if (missing) {
        needs[PANEL_ENDPOINTS].need = 0;
        needs[PANEL_ENDPOINTS].essential = true;
    }
    if (s->failed) {
        needs[PANEL_FAILED].need = 0;
        needs[PANEL_FAILED].rows_wanted = 2 + (int)(s->failure_count < 8 ? s->failure_count : 8);
        needs[PANEL_FAILED].essential = true;
    }
}

/* While nothing has been in flight for some seconds, what waits is worth more lines; not sooner, since a host that
 * is held each second would have the panels dance. */
static void suit_the_wait(struct layout_need needs[PANEL_COUNT], struct view *v,
                          const struct snapshot *s)
{
    if (s->in_flight || !s->waiting || run_state_has_ended(s->state)) {
        v->idle_since_us = 0;
        return;
    }
    v->idle_since_us = v->idle_since_us ? v->idle_since_us : s->now_us;
    if (s->now_us - v->idle_since_us >= IDLE_US) {
        needs[PANEL_FLIGHTS].rows_wanted = needs[PANEL_FLIGHTS].rows_min;
        needs[PANEL_FLIGHTS].elastic = false;
        needs[PANEL_WAITS].rows_wanted = 2 + (int)(s->waiting < 20 ? s->waiting : 20);
    }
}

/* The panel that is looked at is shown: where there is no room for all, that of another is its. */
static void arrange_panels(struct layout *layout, const struct view *v,
                           struct layout_need needs[PANEL_COUNT], int rows, int columns)
{
    layout_compute(layout, rows, columns, needs, PANEL_COUNT, v->zoomed ? (int)v->focus : -1);
    if (v->help && layout->header_kind == LAYOUT_HEADER_COMPACT) { /* keys need its lines */
        layout_compute(layout, rows, columns, needs, PANEL_COUNT, (int)v->focus);
        return;
    }
    if (!v->zoomed && layout->panels[v->focus].rows == 0) {
        needs[v->focus].need = -1;
        needs[v->focus].essential = true;
        if (v->focus == PANEL_EACH_FAILED) { /* which else is there on a wide screen only */
            memcpy(needs[v->focus].column, panels[PANEL_FAILED]->need.column,
                   sizeof needs[v->focus].column);
        }
        layout_compute(layout, rows, columns, needs, PANEL_COUNT, -1);
    }
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
    suit_the_end(needs, s);
    suit_the_wait(needs, v, s);
    if (!panel_exists(v->focus, s) && !(v->focus == PANEL_DETAIL && v->detail_id)) {
        v->focus = s->is_fleet                      ? PANEL_WORKERS
                   : panel_exists(PANEL_FLIGHTS, s) ? PANEL_FLIGHTS
                                                    : PANEL_RATE;
    }
    arrange_panels(layout, v, needs, rows, columns);
    v->detail_has_room =
        layout->header_kind == LAYOUT_HEADER_WIDE && columns >= LAYOUT_THREE_COLUMNS;
    for (size_t i = 0; i < PANEL_COUNT; i++) {
        v->rects[i] = layout->panels[i];
        if (panels[i]->source) {
            list_arrange(&v->lists[i], panels[i]->source, s,
                         panel_list_rows(panels[i], layout->panels[i].rows));
        }
    }
    v->bar = layout->keys;
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
    } else if (is_too_small(layout, v, s)) {
        header_draw_remains(s, pane_of(canvas, layout->body));
    } else {
        draw_panels(layout, v, s, canvas);
        draw_separators(layout, canvas);
    }
    if (layout->keys.rows > 0) {
        bar_draw(v, s, now_us, pane_of(canvas, layout->keys));
    }
}
