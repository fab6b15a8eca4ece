/**
 * A column's values of some rows, on their way to becoming a page of Parquet.
 *
 * Both halves of table/parquet/parquet.h gather such: a worker those of its chunk, and the file those of chunks
 * that have too few rows for pages of their own. Of no use to anybody else.
 *
 * Ownership  parquet_values_release, page_maker_release; a zeroed struct holds nothing.
 * Units      rows are counted from the first that the values are of.
 * Errors     RESULT_NOMEM, or RESULT_LIMIT from a buf.
 */
#ifndef SCRAPETOP_TABLE_PARQUET_VALUES_H
#define SCRAPETOP_TABLE_PARQUET_VALUES_H

#include "base/buf.h"
#include "table/parquet/parquet.h"
#include "table/parquet/parquet_page.h"

#include <stdbool.h>
#include <stdint.h>
#include <zstd.h>

struct parquet_values {
    uint32_t run_first, run_end; /* rows that all have one, and are the last that have */
    uint32_t runs_end;           /* the row after the last that `runs` has */
    uint32_t count;
    bool indices; /* of the file's dictionary, which is what the bytes are */
    /* PLAIN, but booleans a byte each, and indices of a dictionary uint32_t. */
    struct buf bytes;
    /* Rows before `run_first` that have one (parquet_levels.h). */
    struct buf runs;
};

void parquet_values_release(struct parquet_values *values);
void parquet_values_reset(struct parquet_values *values);
void parquet_values_reset_within(struct parquet_values *values,
                                 size_t *keep); /* as buf_reset_within */

/* Below: ends the run, so that the next may begin with that row. */
MUST_CHECK enum result parquet_values_begin_run(struct parquet_values *values, uint32_t row);

/** The row has a value, which the caller puts after the others; rows ascend. */
MUST_CHECK static inline enum result parquet_values_mark(struct parquet_values *values,
                                                         uint32_t row)
{
    enum result result = values->run_end == row ? RESULT_OK : parquet_values_begin_run(values, row);

    values->run_end = row + 1;
    values->count++;
    return result;
}

/** The same of `count` rows, of as many values. */
MUST_CHECK static inline enum result parquet_values_mark_run(struct parquet_values *values,
                                                             uint32_t row, uint32_t count)
{
    enum result result = values->run_end == row ? RESULT_OK : parquet_values_begin_run(values, row);

    values->run_end = row + count;
    values->count += count;
    return result;
}

/* What pages are made with. */
struct page_maker {
    ZSTD_CCtx *zstd;
    struct buf body;
    struct buf levels; /* parquet_append_levels' */
};

/** False when out of memory. */
bool page_maker_init(struct page_maker *maker);
void page_maker_release(struct page_maker *maker);

/* What a page has become. */
struct parquet_made {
    enum parquet_encoding encoding; /* of its values */
    uint64_t plain_bytes;           /* that it would take without compression */
};

/** Appends the page of `rows` rows. */
MUST_CHECK enum result parquet_values_page(struct parquet_values *values, enum type type,
                                           uint32_t rows, struct page_maker *maker, struct buf *out,
                                           struct parquet_made *made);

/** Turns indices of the dictionary, whose `count` entries are PLAIN in `entries`, into what they stand for. */
MUST_CHECK enum result parquet_values_to_plain(struct parquet_values *values, enum type type,
                                               struct str entries, uint32_t count);

/* Few values, as one half hands them to the other: bytes, then runs of rows unless all have one. */
struct parquet_loose {
    uint32_t rows, count, bytes_len, runs_len;
};

/** Appends them as they are, `*loose` saying what was appended. */
MUST_CHECK enum result parquet_values_loosen(struct parquet_values *values, uint32_t rows,
                                             struct parquet_loose *loose, struct buf *out);

/** Puts them after the values of `rows_before` rows, which are of the same kind. */
MUST_CHECK enum result parquet_values_join(struct parquet_values *values, uint32_t rows_before,
                                           const struct parquet_loose *loose, const char *from);

#endif
