/*
 * Room is made once for a cell at its longest, then bytes are written without asking again: what
 * an escape means is never longer than the escape, so only quoting (two quotes, and those inside
 * twice) makes a cell grow.
 */
#include "normalise/csv.h"

#include "normalise/csv_cell.h"

static const struct csv_style style = { .delimiter = ',' };

static inline enum result make_room(struct buf *out, size_t room)
{
    return out->cap - out->len >= room && !out->max ? RESULT_OK : buf_reserve(out, room);
}

enum result csv_row(struct buf *out, const struct row *row, uint64_t *lone_surrogates)
{
    size_t len = out->len;

    for (size_t i = 0; i < row->count; i++) {
        const struct cell *cell = row_cell(row, i);
        enum result result = make_room(out, 1 + (cell ? csv_cell_room(cell) : 0));
        char *to;

        if (result != RESULT_OK) {
            out->len = len;
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
    return buf_append_char(out, '\n');
}

enum result csv_header(struct buf *out, const struct columns *columns)
{
    enum result result = RESULT_OK;

    for (uint32_t i = 0; result == RESULT_OK && i < columns_count(columns); i++) {
        struct str name = columns_name(columns, i);
        struct cell cell = { .text = name.data, .len = (uint32_t)name.len, .kind = CELL_STRING };
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
    return result == RESULT_OK ? buf_append_char(out, '\n') : result;
}
