#include "ui/layout.h"

#include <assert.h>

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* A compact header leaves a line for the panel below it only once its own lines are all there. */
static int header_lines(enum layout_header kind, int rows, bool zoomed)
{
    switch (kind) {
    case LAYOUT_HEADER_COMPACT:
        return zoomed ? least(rows, 1) : least(rows, LAYOUT_COMPACT_LINES);
    case LAYOUT_HEADER_FULL:
        return LAYOUT_FULL_LINES;
    case LAYOUT_HEADER_WIDE:
        return LAYOUT_WIDE_LINES;
    }
    return 0;
}

static enum layout_header header_kind(int rows, int columns)
{
    if (rows < LAYOUT_COMPACT_ROWS || columns < LAYOUT_COMPACT_COLUMNS) {
        return LAYOUT_HEADER_COMPACT;
    }
    return columns < LAYOUT_TWO_COLUMNS ? LAYOUT_HEADER_FULL : LAYOUT_HEADER_WIDE;
}

static void divide_screen(struct layout *l, int rows, int columns, bool zoomed)
{
    int lines, key_rows = rows >= 4 ? 1 : 0;

    *l = (struct layout){ .rows = rows, .columns = columns };
    l->header_kind = header_kind(rows, columns);
    lines = header_lines(l->header_kind, rows - key_rows, zoomed);
    l->header = (struct rect){ 0, 0, lines, columns };
    l->body = (struct rect){ lines, 0, rows - lines - key_rows, columns };
    l->keys = (struct rect){ rows - key_rows, 0, key_rows, columns };
    for (size_t i = 0; i < LAYOUT_COLUMNS_MAX - 1; i++) {
        l->separators[i] = -1;
    }
}

/* The panels of one column, in the order of their need. */
static size_t by_need(const struct layout_need *needs, size_t count, int columns, int column,
                      size_t out[LAYOUT_PANELS_MAX])
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        size_t at = found;

        if (needs[i].column[columns - 1] != column) {
            continue;
        }
        while (at > 0 && needs[out[at - 1]].need > needs[i].need) {
            out[at] = out[at - 1];
            at--;
        }
        out[at] = i;
        found++;
    }
    return found;
}

/* Gives a panel rows up to `height`, as far as there are any. */
static void grow(int *height, int to, int *rows)
{
    int more = least(to - *height, *rows);

    if (more > 0) {
        *height += more;
        *rows -= more;
    }
}

static void admit(const struct layout_need *needs, const size_t *members, size_t count, int rows,
                  int heights[LAYOUT_PANELS_MAX])
{
    int wanted = 0;

    for (size_t i = 0; i < count; i++) {
        const struct layout_need *need = &needs[members[i]];

        if (need->essential && need->rows_min <= rows) {
            heights[members[i]] = need->rows_min;
            rows -= need->rows_min;
            wanted += need->rows_wanted - need->rows_min;
        }
    }
    rows -= wanted;
    for (size_t i = 0; i < count; i++) {
        const struct layout_need *need = &needs[members[i]];

        if (!need->essential && need->rows_min <= rows) {
            heights[members[i]] = need->rows_min;
            rows -= need->rows_min;
        }
    }
}

/* Evenly among the elastic, in turn. */
static void share_rest(const struct layout_need *needs, const size_t *members, size_t count,
                       int rows, int heights[LAYOUT_PANELS_MAX])
{
    bool any = true;

    while (rows > 0 && any) {
        any = false;
        for (size_t i = 0; i < count && rows > 0; i++) {
            if (needs[members[i]].elastic && heights[members[i]]) {
                heights[members[i]]++;
                rows--;
                any = true;
            }
        }
    }
}

static void share_rows(const struct layout_need *needs, const size_t *members, size_t count,
                       int rows, int heights[LAYOUT_PANELS_MAX])
{
    admit(needs, members, count, rows, heights);
    for (size_t i = 0; i < count; i++) {
        rows -= heights[members[i]];
    }
    for (size_t i = 0; i < count; i++) {
        int *height = &heights[members[i]];

        if (*height) {
            grow(height, needs[members[i]].rows_wanted, &rows);
        }
    }
    share_rest(needs, members, count, rows, heights);
}

static void stack(struct layout *l, const struct layout_need *needs, const size_t *members,
                  size_t count, const int *heights, int left, int width)
{
    int row = l->body.row;
    int last = -1;

    for (size_t placed = 0; placed < count; placed++) {
        size_t next = count;

        for (size_t i = 0; i < count; i++) {
            int order = needs[members[i]].order;

            if (order > last && (next == count || order < needs[members[next]].order)) {
                next = i;
            }
        }
        if (next == count) {
            return;
        }
        last = needs[members[next]].order;
        l->panels[members[next]] = (struct rect){ row, left, heights[members[next]], width };
        row += heights[members[next]];
    }
}

static int column_count(const struct layout *l)
{
    if (l->header_kind != LAYOUT_HEADER_WIDE) {
        return 1;
    }
    return l->columns < LAYOUT_THREE_COLUMNS ? 2 : LAYOUT_COLUMNS_MAX;
}

/* Left edges of the columns; the lists of requests get more than an even share. */
static void divide_columns(struct layout *l, int columns, int left[LAYOUT_COLUMNS_MAX + 1])
{
    left[0] = 0;
    if (columns == 2) {
        left[1] = l->columns * 60 / 100;
    } else if (columns == 3) {
        left[1] = l->columns * 48 / 100;
        left[2] = l->columns * 78 / 100;
    }
    left[columns] = l->columns + 1; /* as if a separator stood after the screen */
    for (int i = 1; i < columns; i++) {
        l->separators[i - 1] = left[i] - 1;
    }
}

void layout_compute(struct layout *l, int rows, int columns, const struct layout_need *needs,
                    size_t count, int zoom)
{
    int left[LAYOUT_COLUMNS_MAX + 1];
    int heights[LAYOUT_PANELS_MAX] = { 0 };
    int shown;

    assert(count <= LAYOUT_PANELS_MAX && zoom < (int)count);
    rows = rows < 0 ? 0 : rows;
    columns = columns < 0 ? 0 : columns;
    divide_screen(l, rows, columns, zoom >= 0);
    if (l->body.rows <= 0 || columns == 0) {
        l->body.rows = 0;
        return;
    }
    if (zoom >= 0) {
        l->panels[zoom] = l->body;
        return;
    }
    shown = column_count(l);
    divide_columns(l, shown, left);
    for (int i = 0; i < shown; i++) {
        size_t members[LAYOUT_PANELS_MAX];
        size_t found = by_need(needs, count, shown, i, members);

        share_rows(needs, members, found, l->body.rows, heights);
        stack(l, needs, members, found, heights, left[i], left[i + 1] - 1 - left[i]);
    }
}
