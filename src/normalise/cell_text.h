/**
 * A cell's text: what CSV and Parquet's text columns say for it.
 *
 * Numbers and booleans as they were written, strings as they are meant, arrays as JSON without the
 * white space between its tokens. Never longer than the cell's JSON was.
 */
#ifndef SCRAPETOP_NORMALISE_CELL_TEXT_H
#define SCRAPETOP_NORMALISE_CELL_TEXT_H

#include "normalise/rows.h"

#include <stdint.h>

/** Writes the text to `to`, where there must be room for cell->len bytes, and returns its end.
 *  `lone_surrogates` is raised by the number of U+FFFD written for them. */
char *cell_text_put(char *to, const struct row_cell *cell, uint64_t *lone_surrogates);

#endif
