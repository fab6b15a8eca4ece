/*
 * Room is made once for a cell at its longest, then bytes are written without asking again: what
 * an escape means is never longer than the escape, so only quoting (two quotes, and those inside
 * twice) makes a cell grow. A cell is written bare first; when a byte turns up that needs quotes, it is
 * written again.
 */
#include "normalise/csv.h"

#include "normalise/cell_text.h"
#include "normalise/types.h"

#include <string.h>

#define BOM "\xEF\xBB\xBF"

bool csv_is_delimiter(char c)
{
    return c && strchr(",;|:^~\t", c);
}

static inline char delimiter_of(const struct csv_style *style)
{
    return style->delimiter ? style->delimiter : ',';
}

static inline bool needs_quotes(char c, char delimiter)
{
    return c == delimiter || c == '"' || c == '\n' || c == '\r';
}

static bool any_needs_quotes(const char *p, size_t len, char delimiter)
{
    for (size_t i = 0; i < len; i++) {
        if (needs_quotes(p[i], delimiter)) {
            return true;
        }
    }
    return false;
}

/* Puts quotes around what stands from `first` on and doubles those inside. Room must be there. */
static char *quote(char *first, char *end)
{
    size_t extra = 2;
    char *to;

    for (const char *p = first; p < end; p++) {
        extra += *p == '"';
    }
    to = end + extra;
    *--to = '"';
    for (const char *p = end; p > first;) {
        *--to = *--p;
        if (*p == '"') {
            *--to = '"';
        }
    }
    *first = '"';
    return end + extra;
}

static bool looks_like_formula(struct str text)
{
    return text.len && memchr("=+-@\t\r", text.data[0], 6) && !types_is_number(text);
}

static char *put_cell(char *to, const struct csv_style *style, const struct cell *cell,
                      uint64_t *lone_surrogates)
{
    char *first = to;

    to = cell_text_put(to, cell, lone_surrogates);
    if (style->safe && cell->kind != CELL_BARE &&
        looks_like_formula((struct str){ first, (size_t)(to - first) })) {
        memmove(first + 1, first, (size_t)(to - first));
        *first = '\'';
        to++;
    }
    /* Only strings can be empty or need quotes; a JSON array needs them for any comma or string. */
    if (cell->kind != CELL_BARE &&
        (to == first || any_needs_quotes(first, (size_t)(to - first), delimiter_of(style)))) {
        to = quote(first, to);
    }
    return to;
}

static enum result end_line(struct buf *out, const struct csv_style *style)
{
    return style->crlf ? buf_append(out, "\r\n", 2) : buf_append_char(out, '\n');
}

/* A delimiter, an apostrophe, two quotes and, at worst, every byte a quote. */
static size_t room_for(size_t len)
{
    return 6 + 2 * len;
}

enum result csv_row(struct buf *out, const struct csv_style *style, const struct row *row,
                    uint64_t *lone_surrogates)
{
    size_t len = out->len;
    enum result result;

    for (size_t i = 0; i < row->count; i++) {
        const struct cell *cell = row_cell(row, i);
        char *to;

        result = buf_reserve(out, room_for(cell ? cell->len : 0));
        if (result != RESULT_OK) {
            out->len = len;
            return result;
        }
        to = out->data + out->len;
        if (i) {
            *to++ = delimiter_of(style);
        }
        out->len = (size_t)((cell ? put_cell(to, style, cell, lone_surrogates) : to) - out->data);
    }
    result = end_line(out, style);
    out->len = result == RESULT_OK ? out->len : len;
    return result;
}

enum result csv_header(struct buf *out, const struct csv_style *style, const struct str *names,
                       size_t count)
{
    enum result result = style->bom ? buf_append_str(out, STR(BOM)) : RESULT_OK;

    for (size_t i = 0; result == RESULT_OK && i < count; i++) {
        struct cell cell = { .text = names[i].data,
                             .len = (uint32_t)names[i].len,
                             .kind = CELL_STRING };
        uint64_t none = 0;
        char *to;

        result = buf_reserve(out, room_for(names[i].len));
        if (result == RESULT_OK) {
            to = out->data + out->len;
            if (i) {
                *to++ = delimiter_of(style);
            }
            out->len = (size_t)(put_cell(to, style, &cell, &none) - out->data);
        }
    }
    return result == RESULT_OK ? end_line(out, style) : result;
}
