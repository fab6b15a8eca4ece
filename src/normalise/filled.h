/**
 * Filled: which columns of a row may have a cell, in their order.
 *
 * In a table of thousands of columns most rows have a few cells. Who writes such a row goes through this list, and
 * not through all of its columns.
 *
 * Ownership  filled_release; a zeroed struct holds nothing.
 * Errors     filled_init fails only for want of memory.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_NORMALISE_FILLED_H
#define SCRAPETOP_NORMALISE_FILLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In a table of fewer columns, or of a row that has a larger part of them, looking at each is as fast. */
#define FILLED_COLUMNS_MIN 128
#define FILLED_PART 4

struct filled {
    uint64_t *bits;    /* a bit for each column, all 0 between two rows */
    uint32_t *columns; /* the list */
    size_t max;        /* columns that a list may have; 0: none is made */
};

/** Of a table of so many columns. False when out of memory. */
bool filled_init(struct filled *filled, size_t columns);
void filled_release(struct filled *filled);

/** The column may have a cell; the same one may come more than once. No more calls than `max`. */
static inline void filled_add(struct filled *filled, uint32_t column)
{
    filled->bits[column / 64] |= UINT64_C(1) << column % 64;
}

/** The columns that were added, ascending, in `columns`: how many? The next row begins. */
size_t filled_list(struct filled *filled, size_t columns);

#endif
