/**
 * Extent: from which value to which a column chunk goes, as its statistics say it.
 *
 * The inside of the file's half of table/parquet/parquet.h.
 *
 * Ownership  a zeroed struct has no values, and none owns anything.
 * Errors     those of thrift.h.
 * Source     apache/parquet-format: parquet.thrift (Statistics, ColumnOrder).
 */
#ifndef SCRAPETOP_TABLE_PARQUET_EXTENT_H
#define SCRAPETOP_TABLE_PARQUET_EXTENT_H

#include "normalise/types.h"
#include "table/parquet/parquet_block.h"
#include "table/parquet/thrift.h"

struct parquet_extent {
    struct parquet_bounds bounds;
    char low[PARQUET_BOUND_MAX], high[PARQUET_BOUND_MAX]; /* of text */
};

/** Takes in a block's bounds; `texts` are those of text, low then high. */
void parquet_extent_add(struct parquet_extent *extent, enum type type,
                        const struct parquet_bounds *bounds, const char *texts);

/** Fields 5 to 8 of the struct Statistics that has been begun. Nothing when there is no value, or a text is too long. */
void parquet_extent_put(const struct parquet_extent *extent, enum type type, struct thrift *thrift);

#endif
