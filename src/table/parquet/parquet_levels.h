/**
 * Which rows of a column have a value, as runs, and as the definition levels that Parquet writes of them.
 *
 * Runs are varints: how many rows have no value, how many have one, and so on. So a column with few values takes
 * neither memory nor time for rows that have none.
 *
 * Errors   RESULT_NOMEM, or RESULT_LIMIT from a buf.
 * Threads  no state but the caller's.
 * Source   apache/parquet-format: Encodings.md (RLE).
 */
#ifndef SCRAPETOP_TABLE_PARQUET_LEVELS_H
#define SCRAPETOP_TABLE_PARQUET_LEVELS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

/** Takes the next of the runs, which begins behind row `*end`. They are our own, and whole. */
void parquet_next_run(struct str *runs, uint32_t *first, uint32_t *end);

/** Appends the levels of `rows` rows, of which those in the runs are 1: what parquet_append_hybrid makes of them one by
 *  one. `spare` is for the bits of many runs. */
MUST_CHECK enum result parquet_append_levels(struct buf *out, struct str runs, uint32_t rows,
                                             struct buf *spare);

#endif
