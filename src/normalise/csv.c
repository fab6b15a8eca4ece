/*
 * Room is made once for a cell at its longest, then bytes are written without asking again: what
 * an escape means is never longer than the escape, so only quoting (two quotes, and those inside
 * twice) makes a cell grow.
 */
#include "normalise/csv.h"

#include "normalise/csv_cell.h"

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

enum result csv_row(struct buf *out, const struct csv_style *given, const struct row *row,
                    uint64_t *lone_surrogates)
{
    const struct csv_style style = complete(given);
    size_t len = out->len;
    enum result result;

    for (size_t i = 0; i < row->count; i++) {
        const struct row_cell *cell = row_cell(row, i);
        char *to;

        result = make_room(out, 1 + (cell ? csv_cell_room(cell) : 0));
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
    result = end_line(out, &style);
    out->len = result == RESULT_OK ? out->len : len;
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
