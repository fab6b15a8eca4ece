#include "ui/draw.h"

#include "base/utf8.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define TEXT_BYTES_MAX 2048 /* of one text on screen, display form */

static const char role_letters[ROLE_COUNT + 1] = ".dstfgnwbrkSAK>h";

void canvas_init(struct canvas *c, bool unicode)
{
    *c = (struct canvas){ .unicode = unicode };
}

void canvas_release(struct canvas *c)
{
    free(c->cells);
    *c = (struct canvas){ .unicode = c->unicode };
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static void cell_set(struct cell *cell, const char *glyph, size_t length, enum role role)
{
    memset(cell->glyph, 0, sizeof cell->glyph);
    memcpy(cell->glyph, glyph, length);
    cell->length = (uint8_t)length;
    cell->role = (uint8_t)role;
}

enum result canvas_resize(struct canvas *c, int rows, int columns)
{
    struct cell *cells;

    rows = clamp(rows, 0, CANVAS_ROWS_MAX);
    columns = clamp(columns, 0, CANVAS_COLUMNS_MAX);
    if (!c->cells || rows != c->rows || columns != c->columns) {
        size_t count = (size_t)rows * (size_t)columns;

        cells = calloc(count ? count : 1, sizeof *cells);
        if (!cells) {
            return RESULT_NOMEM;
        }
        free(c->cells);
        c->cells = cells;
        c->rows = rows;
        c->columns = columns;
    }
    canvas_clear(c);
    return RESULT_OK;
}

void canvas_clear(struct canvas *c)
{
    size_t count = (size_t)c->rows * (size_t)c->columns;

    c->cursor_row = c->cursor_column = 0;
    c->cursor_shown = false;
    for (size_t i = 0; i < count; i++) {
        cell_set(&c->cells[i], " ", 1, ROLE_TEXT);
    }
}

static struct cell *cell_at(const struct canvas *c, int row, int column)
{
    assert(row >= 0 && row < c->rows && column >= 0 && column < c->columns);
    return &c->cells[(size_t)row * (size_t)c->columns + (size_t)column];
}

const struct cell *canvas_cell(const struct canvas *c, int row, int column)
{
    return cell_at(c, row, column);
}

static bool cell_is_blank(const struct cell *cell)
{
    return cell->length == 1 && cell->glyph[0] == ' ';
}

enum result canvas_text(const struct canvas *c, struct buf *out)
{
    enum result result = RESULT_OK;

    for (int row = 0; row < c->rows && result == RESULT_OK; row++) {
        int end = c->columns;

        while (end > 0 && cell_is_blank(cell_at(c, row, end - 1))) {
            end--;
        }
        for (int column = 0; column < end && result == RESULT_OK; column++) {
            const struct cell *cell = cell_at(c, row, column);

            result = buf_append(out, cell->glyph, cell->length);
        }
        if (result == RESULT_OK) {
            result = buf_append_char(out, '\n');
        }
    }
    return result;
}

enum result canvas_roles(const struct canvas *c, struct buf *out)
{
    enum result result = RESULT_OK;

    for (int row = 0; row < c->rows && result == RESULT_OK; row++) {
        int end = c->columns;

        while (end > 0 && cell_is_blank(cell_at(c, row, end - 1)) &&
               cell_at(c, row, end - 1)->role == ROLE_TEXT) {
            end--;
        }
        for (int column = 0; column < end && result == RESULT_OK; column++) {
            result = buf_append_char(out, role_letters[cell_at(c, row, column)->role]);
        }
        if (result == RESULT_OK) {
            result = buf_append_char(out, '\n');
        }
    }
    return result;
}

struct pane pane_of(struct canvas *c, struct rect rect)
{
    struct pane all = { c, { 0, 0, c->rows, c->columns } };

    return pane_part(all, rect.row, rect.column, rect.rows, rect.columns);
}

struct pane pane_part(struct pane p, int row, int column, int rows, int columns)
{
    row = clamp(row, 0, p.rect.rows);
    column = clamp(column, 0, p.rect.columns);
    rows = clamp(rows, 0, p.rect.rows - row);
    columns = clamp(columns, 0, p.rect.columns - column);
    return (struct pane){ p.canvas, { p.rect.row + row, p.rect.column + column, rows, columns } };
}

/* A cell is overwritten: what stood half in it and half beside it loses its other half. */
static void break_wide(struct canvas *c, int row, int column)
{
    struct cell *cell = cell_at(c, row, column);

    if (cell->length == 0 && column > 0) {
        cell_set(cell_at(c, row, column - 1), " ", 1, ROLE_TEXT);
    }
    if (column + 1 < c->columns && cell_at(c, row, column + 1)->length == 0) {
        cell_set(cell_at(c, row, column + 1), " ", 1, ROLE_TEXT);
    }
}

static void put_glyph(struct pane p, int row, int column, int cells, const char *glyph,
                      size_t length, enum role role)
{
    struct canvas *c = p.canvas;
    int at_row = p.rect.row + row, at = p.rect.column + column;

    for (int i = 0; i < cells; i++) {
        break_wide(c, at_row, at + i);
    }
    cell_set(cell_at(c, at_row, at), glyph, length, role);
    if (cells == 2) {
        cell_set(cell_at(c, at_row, at + 1), "", 0, role);
    }
}

/* A combining mark joins the character before it; one that does not fit is left out. */
static void put_mark(struct pane p, int row, int column, const char *mark, size_t length)
{
    struct cell *cell;

    if (column < 1) {
        return;
    }
    cell = cell_at(p.canvas, p.rect.row + row, p.rect.column + column - 1);
    if (cell->length == 0 && column > 1) {
        cell = cell_at(p.canvas, p.rect.row + row, p.rect.column + column - 2);
    }
    if (cell->length && cell->length + length <= CELL_GLYPH_MAX) {
        memcpy(cell->glyph + cell->length, mark, length);
        cell->length = (uint8_t)(cell->length + length);
    }
}

/* Display-safe text that is known to fit. */
static int put_safe(struct pane p, int row, int column, enum role role, struct str safe)
{
    while (safe.len) {
        uint32_t code = 0;
        size_t length = utf8_decode(safe, &code);
        int cells = code < 0x7F ? 1 : wcwidth((wchar_t)code);

        if (length && cells > 0 && column + cells <= p.rect.columns) {
            put_glyph(p, row, column, cells, safe.data, length, role);
            column += cells;
        } else if (length && cells == 0) {
            put_mark(p, row, column, safe.data, length);
        }
        length = length ? length : 1;
        safe.data += length;
        safe.len -= length;
    }
    return column;
}

int draw_text(struct pane p, int row, int column, int width, enum role role, struct str text)
{
    char safe[TEXT_BYTES_MAX];

    if (row < 0 || row >= p.rect.rows || column < 0 || column >= p.rect.columns) {
        return column;
    }
    width = clamp(width, 0, p.rect.columns - column);
    utf8_display(safe, sizeof safe, text, (size_t)width);
    return put_safe(p, row, column, role, str_view(safe));
}

/* The head of a display-safe text that takes at most so many cells. */
static struct str head_of(struct str safe, size_t cells)
{
    struct str head = { safe.data, 0 };
    size_t used = 0;

    while (head.len < safe.len) {
        struct str rest = { safe.data + head.len, safe.len - head.len };
        uint32_t code = 0;
        size_t length = utf8_decode(rest, &code);
        size_t width = utf8_columns((struct str){ rest.data, length ? length : 1 });

        if (used + width > cells) {
            break;
        }
        used += width;
        head.len += length ? length : 1;
    }
    return head;
}

/* Where what must be seen begins and ends, in cells. */
struct span {
    size_t from, to;
};

static struct span find_last(struct str safe, struct str keep)
{
    size_t cells = utf8_columns(safe);
    char wanted[TEXT_BYTES_MAX];
    size_t length;

    utf8_display(wanted, sizeof wanted, keep, SIZE_MAX);
    length = strlen(wanted);
    for (size_t at = safe.len; length && at-- > 0;) {
        if (safe.len - at >= length && memcmp(safe.data + at, wanted, length) == 0) {
            size_t from = utf8_columns((struct str){ safe.data, at });

            return (struct span){ from, from + utf8_columns(str_view(wanted)) };
        }
    }
    return (struct span){ cells, cells };
}

int draw_elided(struct pane p, int row, int column, int width, enum role role, struct str text,
                struct str keep)
{
    char safe[TEXT_BYTES_MAX];
    struct str all, head, tail;
    struct span span;
    size_t cells, room, begin;

    if (row < 0 || row >= p.rect.rows || column < 0 || column >= p.rect.columns) {
        return column;
    }
    width = clamp(width, 0, p.rect.columns - column);
    utf8_display(safe, sizeof safe, text, SIZE_MAX);
    all = str_view(safe);
    cells = utf8_columns(all);
    span = find_last(all, keep);
    if (cells <= (size_t)width || span.to < (size_t)width || width < 4) {
        return draw_text(p, row, column, width, role, text);
    }
    room = (size_t)(width - width / 3) - 1;
    if (cells - span.from > room) { /* even from there on it does not fit: less of the head */
        room = (size_t)width - 1 - (size_t)(width < 16 ? width / 4 : 4);
    }
    begin = cells - span.from <= room || span.to > cells - room ? cells - room : span.from;
    head = head_of(all, (size_t)width - 1 - room);
    column = put_safe(p, row, column, role, head);
    column = put_safe(p, row, column, role, STR("~"));
    tail.data = all.data + head_of(all, begin).len;
    tail.len = (size_t)(all.data + all.len - tail.data);
    return draw_text(p, row, column, (int)room, role, tail);
}

int draw_format(struct pane p, int row, int column, int width, enum role role, const char *format,
                ...)
{
    char text[TEXT_BYTES_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return draw_text(p, row, column, width, role, str_view(text));
}

void draw_right(struct pane p, int row, int column, int width, enum role role, const char *format,
                ...)
{
    char text[TEXT_BYTES_MAX], safe[TEXT_BYTES_MAX];
    va_list args;
    int used;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (width <= 0) {
        return;
    }
    used = (int)utf8_display(safe, sizeof safe, str_view(text), (size_t)width);
    draw_text(p, row, column + width - used, used, role, str_view(text));
}

void draw_role(struct pane p, int row, int column, int width, enum role role)
{
    if (row < 0 || row >= p.rect.rows || column < 0) {
        return;
    }
    for (int i = column; i < p.rect.columns && i < column + width; i++) {
        cell_at(p.canvas, p.rect.row + row, p.rect.column + i)->role = (uint8_t)role;
    }
}

void draw_glyph(struct pane p, int row, int column, enum role role, const char *unicode, char ascii)
{
    if (row < 0 || row >= p.rect.rows || column < 0 || column >= p.rect.columns) {
        return;
    }
    if (p.canvas->unicode) {
        put_glyph(p, row, column, 1, unicode, strlen(unicode), role);
    } else {
        put_glyph(p, row, column, 1, &ascii, 1, role);
    }
}

void draw_rule(struct pane p, int row, enum role role, const char *title, const char *note)
{
    int columns = p.rect.columns, end;

    for (int i = 0; i < columns; i++) {
        draw_glyph(p, row, i, role, role == ROLE_FOCUS ? "\u2501" : "\u2500",
                   role == ROLE_FOCUS ? '=' : '-');
    }
    if (columns < 8) {
        draw_text(p, row, 0, columns, role, str_view(title));
        return;
    }
    end = draw_format(p, row, 2, columns - 4, role, " %s ", title);
    if (note[0] && columns - end > 8) {
        struct str text = str_view(note);
        int width = (int)utf8_columns(text) + 2;

        if (width <= columns - end - 3) {
            draw_format(p, row, columns - 2 - width, width, role, " %s ", note);
        }
    }
}

static double clamp_part(double part)
{
    return part > 0 ? (part < 1 ? part : 1) : 0; /* NaN is nothing */
}

void draw_bar(struct pane p, int row, int column, int width, enum role role, double part)
{
    static const char *const eighths[] = { "\u258F", "\u258E", "\u258D", "\u258C",
                                           "\u258B", "\u258A", "\u2589" };
    int full, eighth;

    width = clamp(width, 0, p.rect.columns - column);
    full = (int)(clamp_part(part) * width * 8 + 0.5);
    eighth = p.canvas->unicode ? full % 8 : 0;
    full /= 8;
    for (int i = 0; i < width; i++) {
        if (i < full) {
            draw_glyph(p, row, column + i, role, "\u2588", '#');
        } else if (i == full && eighth) {
            draw_glyph(p, row, column + i, role, eighths[eighth - 1], '-');
        } else {
            draw_glyph(p, row, column + i, ROLE_TRACK, "\u00B7", '-');
        }
    }
}

void draw_level(struct pane p, int row, int column, enum role role, double part)
{
    static const char *const blocks[] = { " ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                          "\u2585", "\u2586", "\u2587", "\u2588" };
    static const char ascii[] = " .:-=+*##";
    int level = (int)(clamp_part(part) * 8 + 0.5);

    if (level == 0 && part > 0) {
        level = 1; /* a little is not nothing */
    }
    draw_glyph(p, row, column, role, blocks[level], ascii[level]);
}

bool draw_cells_equal(const struct cell *a, const struct cell *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}
