#include "read/csv_cells.h"

#include <stdlib.h>
#include <string.h>

#define SNIFF_ROWS 64

void csv_row_release(struct csv_row *row)
{
    free(row->cells);
    buf_release(&row->text);
    *row = (struct csv_row){ 0 };
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* Behind the line break that stands at `p`. */
static const char *skip_line_end(const char *p, const char *end)
{
    return p + (p + 1 < end && p[0] == '\r' && p[1] == '\n' ? 2 : 1);
}

/* Where the cell ends that begins at `p` without a quote. */
static const char *plain_end(const char *p, const char *end, char delimiter)
{
    while (p < end && *p != delimiter && !is_line_end(*p)) {
        p++;
    }
    return p;
}

static enum result add_cell(struct csv_row *row, struct str text, bool is_quoted)
{
    if (row->count == CSV_CELLS_MAX) {
        return RESULT_LIMIT;
    }
    if (row->count == row->cap) {
        size_t cap = row->cap ? 2 * row->cap : 16;
        struct csv_cell *cells = realloc(row->cells, cap * sizeof *cells);

        if (!cells) {
            return RESULT_NOMEM;
        }
        row->cells = cells;
        row->cap = cap;
    }
    row->cells[row->count++] = (struct csv_cell){ text, is_quoted };
    return RESULT_OK;
}

static uint64_t count_lines(const char *p, const char *end)
{
    uint64_t count = 0;

    while (p < end) {
        if (is_line_end(*p)) {
            count++;
            p = skip_line_end(p, end);
        } else {
            p++;
        }
    }
    return count;
}

/* The quoted cell that begins at `r->at`. In row->text when it has doubled quotes, or goes on after its end. */
static enum result take_quoted(struct csv_reader *r, struct csv_row *row)
{
    const char *begin = r->at + 1, *p = begin, *quote;
    size_t from = row->text.len;
    bool is_copied = false;
    enum result result = RESULT_OK;

    for (;;) {
        const char *more;

        quote = p < r->end ? memchr(p, '"', (size_t)(r->end - p)) : NULL;
        if (!quote) {
            return RESULT_INVALID;
        }
        more = quote + 1;
        if (more < r->end && *more == '"') { /* the first of the two stays */
            result = buf_append(&row->text, begin, (size_t)(more - begin));
            is_copied = true;
            p = begin = more + 1;
        } else {
            const char *rest = plain_end(more, r->end, r->delimiter);

            if (rest > more || is_copied) {
                result = buf_append(&row->text, begin, (size_t)(quote - begin));
                result = result == RESULT_OK ? buf_append(&row->text, more, (size_t)(rest - more))
                                             : result;
                is_copied = true;
            }
            r->line += count_lines(r->at, quote);
            r->at = rest;
            break;
        }
        if (result != RESULT_OK) {
            return result;
        }
    }
    if (result != RESULT_OK) {
        return result;
    }
    /* row->text may move as it grows: its cells are offsets until the row is whole. */
    return add_cell(row,
                    is_copied ? (struct str){ NULL, row->text.len - from }
                              : (struct str){ begin, (size_t)(quote - begin) },
                    true);
}

static enum result take_cell(struct csv_reader *r, struct csv_row *row)
{
    const char *end;

    if (r->at < r->end && *r->at == '"') {
        return take_quoted(r, row);
    }
    end = plain_end(r->at, r->end, r->delimiter);
    struct str text = { r->at, (size_t)(end - r->at) };

    r->at = end;
    return add_cell(row, text, false);
}

/* Cells that were copied get their place, in order. */
static void place_copies(struct csv_row *row)
{
    size_t at = 0;

    for (size_t i = 0; i < row->count; i++) {
        if (!row->cells[i].text.data) {
            row->cells[i].text.data = row->text.data ? row->text.data + at : "";
            at += row->cells[i].text.len;
        }
    }
}

enum result csv_next(struct csv_reader *r, struct csv_row *row, bool *more)
{
    enum result result = RESULT_OK;

    row->count = 0;
    buf_reset(&row->text);
    while (r->at < r->end && is_line_end(*r->at)) {
        r->at = skip_line_end(r->at, r->end);
        r->line++;
    }
    row->line = r->line;
    *more = r->at < r->end;
    while (*more && result == RESULT_OK) {
        result = take_cell(r, row);
        if (result == RESULT_OK && r->at < r->end && *r->at == r->delimiter) {
            r->at++;
            continue; /* one more, which may be empty and the last */
        }
        break;
    }
    if (result == RESULT_OK && r->at < r->end && *more) {
        r->at = skip_line_end(r->at, r->end);
        r->line++;
    }
    place_copies(row);
    return result;
}

/* The state after a character that is not within quotes. */
static enum csv_scan_state state_after(char c, char delimiter)
{
    return c == delimiter ? CSV_AT_CELL : CSV_PLAIN;
}

/* `p` stands in a quoted cell: to what closes it, or the end. */
static const char *to_quote(const char *p, const char *end, uint64_t *lines)
{
    const char *quote = memchr(p, '"', (size_t)(end - p));

    quote = quote ? quote : end;
    for (const char *at = p; at < quote && (at = memchr(at, '\n', (size_t)(quote - at))); at++) {
        ++*lines;
    }
    return quote;
}

bool csv_scan_row(struct csv_scan *scan, char delimiter, struct str *block)
{
    const char *p = block->data, *end = p + block->len;
    bool has_ended = false;

    while (p < end && !has_ended) {
        if (scan->state == CSV_AFTER_CR) {
            p += *p == '\n';
            scan->state = CSV_AT_CELL;
            has_ended = true;
        } else if (scan->state == CSV_QUOTED) {
            p = to_quote(p, end, &scan->lines);
            scan->state = p < end ? CSV_CLOSED : CSV_QUOTED;
            p += p < end;
        } else if (*p == '"' && scan->state != CSV_PLAIN) {
            scan->state = CSV_QUOTED; /* it begins the cell, or it is the second of two */
            p++;
        } else if (is_line_end(*p)) {
            scan->lines++;
            has_ended = *p == '\n';
            scan->state = has_ended ? CSV_AT_CELL : CSV_AFTER_CR;
            p++;
        } else {
            scan->state = state_after(*p, delimiter);
            p++;
        }
    }
    *block = (struct str){ p, (size_t)(end - p) };
    return has_ended;
}

/* --- whose cells -------------------------------------------------------------------------------------- */

struct tried {
    size_t rows, cells; /* cells 0: not all alike */
};

static struct tried try_delimiter(struct str head, bool is_cut, char delimiter)
{
    struct csv_reader r = { head.data, head.data + head.len, delimiter, 1 };
    struct csv_row row = { 0 };
    struct tried tried = { 0, 0 };
    bool more = true, is_even = true;

    while (more && tried.rows < SNIFF_ROWS) {
        if (csv_next(&r, &row, &more) != RESULT_OK) {
            is_even &= is_cut && tried.rows > 0;
            break;
        }
        if (!more || (is_cut && r.at == r.end)) {
            break;
        }
        is_even &= !tried.rows || row.count == tried.cells;
        tried.cells = tried.rows ? tried.cells : row.count;
        tried.rows++;
    }
    csv_row_release(&row);
    tried.cells = is_even ? tried.cells : 0;
    return tried;
}

char csv_sniff(struct str head, bool is_cut, size_t *rows, size_t *cells)
{
    static const char delimiters[] = { ',', '\t', ';', '|' };
    char best = ',';

    if (head.len > CSV_SNIFF_BYTES) {
        head.len = CSV_SNIFF_BYTES;
        is_cut = true;
    }
    *rows = *cells = 0;
    for (size_t i = 0; i < sizeof delimiters; i++) {
        struct tried tried = try_delimiter(head, is_cut, delimiters[i]);

        *rows = i == 0 ? tried.rows : *rows;
        if (tried.cells > *cells) {
            best = delimiters[i];
            *rows = tried.rows;
            *cells = tried.cells;
        }
    }
    if (*cells < 2) { /* uneven rows: who parts the first one most */
        const char *end = plain_end(head.data, head.data + head.len, '\n');
        size_t most = 0;

        for (size_t i = 0; i < sizeof delimiters; i++) {
            size_t count = 0;

            for (const char *p = head.data; p < end; p++) {
                count += *p == delimiters[i];
            }
            best = count > most ? delimiters[i] : best;
            most = count > most ? count : most;
        }
    }
    return best;
}

char csv_take_separator_line(struct str *text)
{
    const char *end = text->data + text->len, *rest;
    char delimiter;

    if (text->len < 6 || !str_equal_nocase((struct str){ text->data, 4 }, STR("sep=")) ||
        !is_line_end(text->data[5]) || !memchr(",;\t|", text->data[4], 4)) {
        return 0;
    }
    delimiter = text->data[4];
    rest = skip_line_end(text->data + 5, end);
    *text = (struct str){ rest, (size_t)(end - rest) };
    return delimiter;
}
