/**
 * One CSV cell: unescaped, without idle white space, quoted where it must be; many bytes at a time.
 *
 * The inside of csv.h, whose rules it keeps; nobody else includes this. Bytes are copied in whole
 * blocks, so more than a cell's length may be read and written: as far as the caller says.
 */
#ifndef SCRAPETOP_NORMALISE_CSV_CELL_H
#define SCRAPETOP_NORMALISE_CSV_CELL_H

#include "normalise/rows.h"

#include <stddef.h>
#include <stdint.h>

#define CSV_CELL_SLACK 64 /* bytes behind a cell that may be written */

struct csv_style {
    char delimiter; /* ASCII, no quote and no line break */
};

/** Most that csv_put_cell may need: two quotes, and every byte a quote. */
static inline size_t csv_cell_room(const struct cell *cell)
{
    return 2 + 2 * (size_t)cell->len + CSV_CELL_SLACK;
}

/** Returns behind the cell. Up to `readable` the cell's text may be read past its end; NULL: not at all.
 *  `lone_surrogates` is raised by the number of U+FFFD written for them. */
char *csv_put_cell(char *to, const struct cell *cell, const char *readable, struct csv_style style,
                   uint64_t *lone_surrogates);

#endif
