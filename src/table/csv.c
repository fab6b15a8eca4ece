/*
 * Room is made once for a cell at its longest, then bytes are written without asking again: what
 * an escape means is never longer than the escape, so only quoting (two quotes, and those inside
 * twice) makes a cell grow.
 */
#include "table/csv.h"

#include "table/csv_cell.h"

#include <string.h>

#define BOM "\xEF\xBB\xBF"

bool csv_is_delimiter(char c)
{
    return c && strchr(",;|:^~\t", c);
}

static inline enum result make_room(struct buf *out, size_t room)
{
    return out->cap - out->len >= room && !out->max ? RESULT_OK : buf_reserve(out, room);
}

static inline struct csv_style complete(const struct csv_style *given)
{
    struct csv_style style = *given;

    style.delimiter = style.delimiter ? style.delimiter : ',';
    return style;
}

static inline enum result end_line(struct buf *out, const struct csv_style *style)
{
    return style->crlf ? buf_append(out, "\r\n", 2) : buf_append_char(out, '\n');
}

/* The row's cells from column `first` up to `end`, a delimiter before each but the row's first. */
static inline enum result put_cells(struct buf *out, const struct csv_style style,
                                    const struct row *row, size_t first, size_t end,
                                    uint64_t *lone_surrogates)
{
    for (size_t i = first; i < end; i++) {
        const struct row_cell *cell = row_cell(row, i);
        enum result result = make_room(out, 1 + (cell ? csv_cell_room(cell) : 0));
        char *to;

        if (result != RESULT_OK) {
            return result;
        }
        to = out->data + out->len;
        if (i) {
            *to++ = style.delimiter;
        }
        out->len =
            (size_t)((cell ? csv_put_cell(to, cell, row->readable, style, lone_surrogates) : to) -
                     out->data);
    }
    return RESULT_OK;
}

/* Of the columns from `next` up to `end`, which are empty. */
static enum result put_delimiters(struct buf *out, char delimiter, size_t next, size_t end)
{
    enum result result = next < end ? make_room(out, end - next) : RESULT_OK;

    if (result == RESULT_OK && next < end) {
        memset(out->data + out->len, delimiter, end - next);
        out->len += end - next;
    }
    return result;
}

/* The same of a row with few cells. */
static enum result put_filled(struct buf *out, const struct csv_style style, const struct row *row,
                              size_t first, size_t end, uint64_t *lone_surrogates)
{
    size_t next = first ? first : 1; /* column whose delimiter comes next */
    enum result result = RESULT_OK;

    for (size_t n = 0; result == RESULT_OK && n < row->filled_count; n++) {
        size_t column = row->filled[n];

        if (column < first || column >= end) {
            continue;
        }
        result = put_delimiters(out, style.delimiter, next, column);
        result = result == RESULT_OK
                     ? put_cells(out, style, row, column, column + 1, lone_surrogates)
                     : result;
        next = column + 1;
    }
    return result == RESULT_OK ? put_delimiters(out, style.delimiter, next, end) : result;
}

static enum result put_range(struct buf *out, const struct csv_style style, const struct row *row,
                             size_t first, size_t end, uint64_t *lone_surrogates)
{
    return row->filled ? put_filled(out, style, row, first, end, lone_surrogates)
                       : put_cells(out, style, row, first, end, lone_surrogates);
}

/* Those that the record's rows have in common. */
static enum result put_common(struct buf *out, const struct csv_style *style, const struct row *row,
                              struct csv_repeat *repeat, uint64_t *lone_surrogates)
{
    enum result result = RESULT_OK;

    if (repeat->row == row->number) {
        result = make_room(out, repeat->len);
        if (result == RESULT_OK) {
            memcpy(out->data + out->len, out->data + repeat->at, repeat->len);
            out->len += repeat->len;
        }
    } else {
        repeat->row = row->number;
        repeat->at = out->len;
        repeat->lone_surrogates = 0;
        result = put_range(out, *style, row, 0, repeat->columns, &repeat->lone_surrogates);
        repeat->len = out->len - repeat->at;
    }
    *lone_surrogates += repeat->lone_surrogates;
    return result;
}

enum result csv_row(struct buf *out, const struct csv_style *given, const struct row *row,
                    struct csv_repeat *repeat, uint64_t *lone_surrogates)
{
    const struct csv_style style = complete(given);
    size_t len = out->len, first = repeat && repeat->columns < row->count ? repeat->columns : 0;
    enum result result = first ? put_common(out, &style, row, repeat, lone_surrogates) : RESULT_OK;

    result = result == RESULT_OK ? put_range(out, style, row, first, row->count, lone_surrogates)
                                 : result;
    result = result == RESULT_OK ? end_line(out, &style) : result;
    if (result != RESULT_OK) {
        out->len = len;
        if (repeat) {
            repeat->row = 0; /* which no row has */
        }
    }
    return result;
}

enum result csv_header(struct buf *out, const struct csv_style *given, const struct str *names,
                       size_t count)
{
    const struct csv_style style = complete(given);
    enum result result = style.bom ? buf_append_str(out, STR(BOM)) : RESULT_OK;

    for (size_t i = 0; result == RESULT_OK && i < count; i++) {
        struct row_cell cell = { .text = names[i].data,
                                 .len = (uint32_t)names[i].len,
                                 .kind = CELL_STRING };
        uint64_t none = 0;
        char *to;

        result = buf_reserve(out, 1 + csv_cell_room(&cell));
        if (result == RESULT_OK) {
            to = out->data + out->len;
            if (i) {
                *to++ = style.delimiter;
            }
            out->len = (size_t)(csv_put_cell(to, &cell, NULL, style, &none) - out->data);
        }
    }
    return result == RESULT_OK ? end_line(out, &style) : result;
}
