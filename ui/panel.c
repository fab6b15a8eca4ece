#include "ui/panel.h"

#include <stdio.h>

#define MARK_COLUMNS 2 /* "> " before the selected row */
#define GAP 2

int panel_rows(size_t count, size_t most)
{
    return 2 + (int)(count < most ? count : most);
}

bool panel_is_live(const struct snapshot *s)
{
    return !s->is_replay && !s->is_fleet;
}

/* Lines above the first row: the title, and the headings once there is room for rows too. A log of
 * two lines has none at all: nobody needs to be told that a line with a time is an event. */
static int lines_above(const struct panel *panel, int rows)
{
    if (panel->source && panel->source->is_log && rows <= 2) {
        return 0;
    }
    return panel->table && rows >= 3 ? 2 : 1;
}

size_t panel_list_rows(const struct panel *panel, int rows)
{
    int left = rows - lines_above(panel, rows);

    return left > 0 ? (size_t)left : 0;
}

static int column_width(const struct panel_column *column, int at, int columns)
{
    return column->width ? column->width : columns - at;
}

static bool has_column(const struct panel_table *table, const struct snapshot *s, size_t column,
                       int columns)
{
    return columns >= table->columns[column].from && !(table->is_idle && table->is_idle(s, column));
}

static void draw_headings(const struct panel_table *table, const struct snapshot *s,
                          struct pane pane, int row)
{
    int at = MARK_COLUMNS;

    for (size_t i = 0; i < table->column_count; i++) {
        const struct panel_column *column = &table->columns[i];
        int width = column_width(column, at, pane.rect.columns);

        if (!has_column(table, s, i, pane.rect.columns)) {
            continue;
        }
        if (column->right) {
            draw_right(pane, row, at, width, ROLE_HEADING, "%s", column->heading);
        } else {
            draw_text(pane, row, at, width, ROLE_HEADING, str_view(column->heading));
        }
        at += width + GAP;
    }
}

void panel_cell_request(struct panel_cell *cell, const char *request, const char *key)
{
    snprintf(cell->text, sizeof cell->text, "%s", request);
    cell->elided = true;
    cell->keep = str_view(key);
}

static void draw_row(const struct panel_table *table, const struct snapshot *s, size_t source_row,
                     struct pane pane, int row)
{
    int at = MARK_COLUMNS;

    for (size_t i = 0; i < table->column_count; i++) {
        const struct panel_column *column = &table->columns[i];
        int width = column_width(column, at, pane.rect.columns);
        struct panel_cell cell = { .role = ROLE_TEXT };

        if (!has_column(table, s, i, pane.rect.columns)) {
            continue;
        }
        table->cell(s, source_row, i, &cell);
        if (cell.elided) {
            draw_elided(pane, row, at, width, cell.role, str_view(cell.text), cell.keep);
        } else if (column->right) {
            draw_right(pane, row, at, width, cell.role, "%s", cell.text);
        } else {
            draw_text(pane, row, at, width, cell.role, str_view(cell.text));
        }
        at += width + GAP;
    }
}

static void draw_table(const struct panel *panel, const struct panel_scene *scene, struct pane pane)
{
    const struct list *list = scene->list;
    int above = lines_above(panel, pane.rect.rows);

    if (above == 2) {
        draw_headings(panel->table, scene->snapshot, pane, 1);
    }
    if (!list->count) {
        draw_text(pane, above, MARK_COLUMNS, pane.rect.columns, ROLE_DIM,
                  list->filter[0] ? STR("nothing passes the filter (Esc clears it)")
                                  : str_view(panel->table->nothing));
        return;
    }
    for (size_t i = 0; i < list->visible && list->top + i < list->count; i++) {
        int row = above + (int)i;

        draw_row(panel->table, scene->snapshot, list->rows[list->top + i], pane, row);
        if (list_is_marked(list, list->ids[list->top + i])) {
            draw_text(pane, row, 1, 1, ROLE_NOTICE, STR("*"));
        }
        if (scene->focused && list->selecting && list->selected == list->top + i) {
            draw_text(pane, row, 0, 1, ROLE_TEXT, STR(">"));
            draw_role(pane, row, 0, pane.rect.columns, ROLE_SELECTED);
            pane.canvas->cursor_row = pane.rect.row + row;
            pane.canvas->cursor_column = pane.rect.column;
        }
    }
}

static void put_before(char note[PANEL_TITLE_MAX], const char *words)
{
    char before[PANEL_TITLE_MAX];

    snprintf(before, sizeof before, "%s", note);
    snprintf(note, PANEL_TITLE_MAX, "%.70s%s%.80s", words, before[0] ? "  " : "", before);
}

/* How the user holds it: order, marks, and what is shown when that is not all. */
static void add_place(const struct panel *panel, const struct list *list,
                      char note[PANEL_TITLE_MAX])
{
    char words[PANEL_TITLE_MAX];
    size_t end = list->top + list->visible < list->count ? list->top + list->visible : list->count;

    if (panel->table && list->sort) {
        snprintf(words, sizeof words, "sort %s %c", panel->table->columns[list->sort - 1].heading,
                 list->inverted ? '^' : 'v');
        put_before(note, words);
    } else if (panel->table && panel->table->order) {
        put_before(note, panel->table->order);
    }
    if (list->count > list->visible && list->visible) {
        snprintf(words, sizeof words, "%zu-%zu of %zu", list->top + 1, end, list->count);
        put_before(note, words);
    }
    if (list->mark_count) {
        snprintf(words, sizeof words, "%zu marked", list->mark_count);
        put_before(note, words);
    }
    if (list->filter[0]) {
        snprintf(words, sizeof words, "/%.60s", list->filter);
        put_before(note, words);
    }
}

static void draw_title(const struct panel *panel, unsigned digit, const struct panel_scene *scene,
                       struct pane pane)
{
    char title[PANEL_TITLE_MAX], note[PANEL_TITLE_MAX] = "", full[PANEL_TITLE_MAX + 16];

    snprintf(title, sizeof title, "%s", panel->name);
    if (panel->title) {
        panel->title(scene->snapshot, pane.rect.rows, title, note);
    }
    if (scene->list) {
        add_place(panel, scene->list, note);
    }
    if (digit) {
        snprintf(full, sizeof full, "%u %s", digit % 10, title);
    } else {
        snprintf(full, sizeof full, "%s", title);
    }
    draw_rule(pane, 0, scene->focused ? ROLE_FOCUS : ROLE_TITLE, full, note);
}

void panel_draw_one(const struct panel *panel, unsigned digit, const struct panel_scene *scene,
                    struct pane pane)
{
    if (pane.rect.rows <= 0) {
        return;
    }
    if (lines_above(panel, pane.rect.rows) > 0) {
        draw_title(panel, digit, scene, pane);
    }
    if (panel->table) {
        draw_table(panel, scene, pane);
    } else {
        panel->draw(scene, pane);
    }
}
