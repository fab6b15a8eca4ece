/*
 * Room is made once for a cell at its longest, then bytes are written without asking again: what
 * an escape means is never longer than the escape, so only quoting (two quotes, and those inside
 * twice) makes a cell grow. A cell is written bare first; when a byte turns up that needs quotes, it is
 * written again.
 */
#include "normalise/csv.h"

#include "normalise/cell_text.h"

#include <string.h>

#define DELIMITER ','

static inline bool needs_quotes(char c)
{
    return c == DELIMITER || c == '"' || c == '\n' || c == '\r';
}

static bool any_needs_quotes(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (needs_quotes(p[i])) {
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

static char *put_cell(char *to, const struct cell *cell, uint64_t *lone_surrogates)
{
    char *first = to;

    to = cell_text_put(to, cell, lone_surrogates);
    /* Only strings can be empty or need quotes; a JSON array needs them for any comma or string. */
    if (cell->kind != CELL_BARE && (to == first || any_needs_quotes(first, (size_t)(to - first)))) {
        to = quote(first, to);
    }
    return to;
}

enum result csv_row(struct buf *out, const struct row *row, uint64_t *lone_surrogates)
{
    size_t len = out->len;

    for (size_t i = 0; i < row->count; i++) {
        const struct cell *cell = row_cell(row, i);
        /* A delimiter, two quotes and, at worst, every byte a quote. */
        enum result result = buf_reserve(out, 3 + (cell ? 2 * (size_t)cell->len : 0));
        char *to;

        if (result != RESULT_OK) {
            out->len = len;
            return result;
        }
        to = out->data + out->len;
        if (i) {
            *to++ = DELIMITER;
        }
        out->len = (size_t)((cell ? put_cell(to, cell, lone_surrogates) : to) - out->data);
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

        result = buf_reserve(out, 3 + 2 * name.len);
        if (result == RESULT_OK) {
            to = out->data + out->len;
            if (i) {
                *to++ = DELIMITER;
            }
            out->len = (size_t)(put_cell(to, &cell, &none) - out->data);
        }
    }
    return result == RESULT_OK ? buf_append_char(out, '\n') : result;
}
