/**
 * Whole numbers as differences to the one before, bit-packed: Parquet's DELTA_BINARY_PACKED.
 *
 * For values that found no dictionary: numbers that go up, or that lie close to each other, as ids and times
 * do. zstd, which looks for bytes that were there before, takes several times as long over these and makes more of
 * them.
 *
 * Where that is not so the values had better stay PLAIN, which is told from the values alone. Where most are
 * the same as the one before them, PLAIN is what zstd is good at: differences must be shorter than what is
 * left of it then. And no reader is asked for a difference that 64 bits cannot hold.
 *
 * Errors   RESULT_NOMEM, or RESULT_LIMIT from a buf.
 * Threads  no state.
 * Source   apache/parquet-format: Encodings.md.
 */
#ifndef SCRAPETOP_TABLE_PARQUET_DELTA_H
#define SCRAPETOP_TABLE_PARQUET_DELTA_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

/** `plain` is the values, as INT64 in PLAIN. Sets `*pays`, and appends nothing unless it does. */
MUST_CHECK enum result parquet_append_delta(struct buf *out, struct str plain, bool *pays);

#endif
