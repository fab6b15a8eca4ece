/**
 * One CSV cell: unescaped, without idle white space, quoted where it must be; many bytes at a time.
 *
 * The inside of csv.h, whose rules it keeps; for the files of CSV only. Bytes are copied in whole
 * blocks, so more than a cell's length may be read and written: as far as the caller says.
 */
#ifndef SCRAPETOP_TABLE_CSV_CELL_H
#define SCRAPETOP_TABLE_CSV_CELL_H

#include "base/json_simd.h"
#include "normalise/cell_text.h"
#include "normalise/rows.h"
#include "table/csv.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CSV_CELL_SLACK 64 /* bytes after a cell that may be written */

static_assert(CELL_TEXT_SLACK <= CSV_CELL_SLACK, "there is room for a cell's copy");

/** Most that csv_put_cell may need: two quotes, an apostrophe, and every byte a quote. */
static inline size_t csv_cell_room(const struct row_cell *cell)
{
    return 3 + 2 * (size_t)cell->len + CSV_CELL_SLACK;
}

static inline bool csv_asks_for_quotes(char c, struct csv_style style)
{
    return c == style.delimiter || c == '"' || c == '\n' || c == '\r';
}

static inline uint64_t csv_quote_askers(json_simd v, struct csv_style style)
{
    return json_simd_bits(
        json_simd_or(json_simd_or(json_simd_is(v, style.delimiter), json_simd_is(v, '"')),
                     json_simd_or(json_simd_is(v, '\n'), json_simd_is(v, '\r'))));
}

static inline uint64_t csv_first_bits(size_t count)
{
    return count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
}

/* There is a block more to be read after `from`. */
static inline bool csv_has_block(const char *from, const char *readable)
{
    return readable && readable - from >= JSON_SIMD_WIDTH;
}

/* Copies; true when a byte asks for quotes. */
static inline bool csv_copy_text(char *to, const char *from, size_t len, const char *readable,
                                 struct csv_style style)
{
    uint64_t asking = 0;
    bool slowly = false;

    for (; len && csv_has_block(from, readable); to += JSON_SIMD_WIDTH, from += JSON_SIMD_WIDTH) {
        json_simd v = json_simd_load(from);

        json_simd_store(to, v);
        if (len <= JSON_SIMD_WIDTH) {
            asking |= csv_quote_askers(v, style) & csv_first_bits(len);
            len = 0;
        } else {
            asking |= csv_quote_askers(v, style);
            len -= JSON_SIMD_WIDTH;
        }
    }
    for (size_t i = 0; i < len; i++) {
        to[i] = from[i];
        slowly |= csv_asks_for_quotes(from[i], style);
    }
    return asking || slowly;
}

/** Puts quotes around what stands from `first` on and doubles those inside; returns the end of them. */
char *csv_quote(char *first, char *end);

/** csv_put_cell, for any cell. */
char *csv_put_special(char *to, const struct row_cell *cell, const char *readable,
                      const struct csv_style *style, uint64_t *lone_surrogates);

/** Returns the end of the cell; the style's delimiter is not 0. Up to `readable` the cell's text may be read past its
 *  end; NULL: not at all. `lone_surrogates` is raised by the number of U+FFFD written for them.
 *
 *  Inline for what most cells are, so that the delimiter is made ready once for a row and not for each. */
static inline char *csv_put_cell(char *to, const struct row_cell *cell, const char *readable,
                                 struct csv_style style, uint64_t *lone_surrogates)
{
    if (cell->kind == CELL_STRING && cell->len && !style.safe) {
        return csv_copy_text(to, cell->text, cell->len, readable, style)
                   ? csv_quote(to, to + cell->len)
                   : to + cell->len;
    }
    if (cell->kind == CELL_BARE) {
        cell_text_copy(to, cell->text, cell->len, readable);
        return to + cell->len;
    }
    return csv_put_special(to, cell, readable, &style, lone_surrogates);
}

#endif
