/**
 * What parquet's two halves say to each other: an encoded block, in memory only.
 *
 * A block is a struct parquet_block_head, then for each column that has values, in any order, a struct
 * parquet_slice, the bytes of its bounds, the entries that are new in its dictionary, and its body: a page, or loose
 * values. So a block of a table with thousands of columns is as large as what is in it.
 * Nothing of it is ever written to a file as it is.
 */
#ifndef SCRAPETOP_TABLE_PARQUET_BLOCK_H
#define SCRAPETOP_TABLE_PARQUET_BLOCK_H

#include "table/parquet/parquet_values.h"

#include <stdbool.h>
#include <stdint.h>

#define PARQUET_BOUND_MAX 64 /* bytes of a text's bound; longer ones are not kept */

struct parquet_block_head {
    uint32_t rows;
    uint32_t slices;
};

/* Least and greatest value; of text, the bytes. */
struct parquet_bounds {
    bool any;       /* there was a value */
    bool unbounded; /* text too long to be a bound */
    union parquet_bound {
        int64_t whole; /* int64, timestamp, date, boolean */
        double fraction;
    } low, high;
    uint32_t low_len, high_len; /* of text */
};

struct parquet_slice {
    uint32_t column;
    bool indices;         /* what the values are, if there are any */
    uint32_t entries;     /* that the dictionary has more */
    uint64_t entry_bytes; /* of these, as PLAIN */
    uint64_t body_bytes;  /* of the page, header included; or of the loose values */
    uint32_t nulls;
    struct parquet_loose loose;   /* of no rows: it is a page ... */
    struct parquet_made made;     /* ... like this */
    struct parquet_bounds bounds; /* texts follow, low then high */
};

#endif
