/**
 * The inside of a block, for the two files of the worker's half of table/parquet/parquet.h only: parquet_block_rows.c
 * takes rows, parquet_block.c makes pages of them.
 */
#ifndef SCRAPETOP_TABLE_PARQUET_BLOCK_STATE_H
#define SCRAPETOP_TABLE_PARQUET_BLOCK_STATE_H

#include "table/parquet/parquet.h"
#include "table/parquet/parquet_block.h"
#include "table/parquet/parquet_dictionaries.h"
#include "table/parquet/parquet_indices.h"
#include "table/parquet/parquet_journal.h"
#include "table/parquet/parquet_values.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What all columns together keep from one block to the next: values that follow each other may all be of one
 * column, and later of another. */
#define KEPT_BYTES ((size_t)8 << 20)

/* What each row looks at stands first: tables of many columns have many of these. */
struct slice {
    const char *cell; /* of the last row that had a value here */
    uint32_t repeats; /* of it, which `runs` does not have yet */
    uint32_t kinds;   /* parquet_plain_kinds */
    /* `bytes` has the others alone, until they are encoded: PLAIN, or once they have been looked up, entries. */
    struct parquet_values values;
    struct buf runs;   /* of these */
    uint32_t repeated; /* values that are repetitions, so far as `runs` has them */
    struct parquet_indices indices;
    struct parquet_tally tally;
    struct parquet_bounds bounds;
    size_t low, high; /* of text: where in `bytes`, or which entries */
    size_t kept;      /* see KEPT_BYTES; 0 while it is in use */
    bool given_up;    /* in this block: the file's dictionary is to be closed */
};

struct parquet_block {
    const struct parquet_schema *schema;
    struct slice *slices;
    unsigned char *stages; /* by column: enum stage */
    uint32_t *met;         /* columns that have values in this block, as they came */
    uint32_t met_count;
    uint32_t rows;
    size_t bytes;
    uint64_t record;     /* whose rows come now */
    uint32_t record_row; /* the first of them, ... */
    uint32_t again;      /* ... and those after it, whose common cells are still to be put */
    size_t common_bytes; /* that these take in each of those */
    bool begun;          /* parquet_block_begin */
    uint32_t waiting;    /* columns that are, and those that are to tell */
    size_t keep;         /* see KEPT_BYTES: what is left of it */
    size_t spare_kept;
    struct page_maker maker;
    struct buf spare; /* what a column's values become before they take their place */
    /* Rows that have few of many columns, until the block is done or a row comes that has many. */
    bool may_gather;
    bool gathers; /* in this block */
    struct parquet_journal journal;
    struct buf lent_bytes, lent_runs; /* a column's, while its values come from the journal */
};

/** The last value of the column stands as often as it was repeated. */
MUST_CHECK enum result parquet_block_end_repeats(struct slice *slice);

/** The record's rows so far have the common cells of the first. */
void parquet_block_put_again(struct parquet_block *block);

#endif
