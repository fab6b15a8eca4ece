/**
 * A cell's text: what CSV and Parquet's text columns say for it.
 *
 * Numbers and booleans as they were written, strings as they are meant, arrays as JSON without the
 * white space between its tokens. Never longer than the cell's JSON was.
 */
#ifndef SCRAPETOP_NORMALISE_CELL_TEXT_H
#define SCRAPETOP_NORMALISE_CELL_TEXT_H

#include "base/json_simd.h"
#include "normalise/rows.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CELL_TEXT_SLACK (2 * JSON_SIMD_WIDTH) /* bytes after a text that may be written */

static_assert(CELL_TEXT_SLACK <= ROW_CELL_AFTER, "no more is read after a cell than there is");

/** Copies; `readable` is the row's, and CELL_TEXT_SLACK bytes after the copy may be
 *  written. Most texts are short: those take neither a call nor a branch on how short. */
static inline void cell_text_copy(char *to, const char *from, size_t len, const char *readable)
{
    if (len <= CELL_TEXT_SLACK && readable && readable - from >= CELL_TEXT_SLACK) {
        json_simd_store(to, json_simd_load(from));
        json_simd_store(to + JSON_SIMD_WIDTH, json_simd_load(from + JSON_SIMD_WIDTH));
    } else {
        memcpy(to, from, len);
    }
}

/** Writes the text to `to`, where there must be room for cell->len bytes, and returns its end.
 *  `lone_surrogates` is raised by the number of U+FFFD written for them. */
char *cell_text_put(char *to, const struct row_cell *cell, uint64_t *lone_surrogates);

#endif
