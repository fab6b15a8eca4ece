/**
 * Dedup: which rows are the first with their values in some columns.
 *
 * The keys of all rows are handed in in the plan's order, as blocks that workers made; the answer is a
 * bit a row. Keys are compared whole, not by a hash. A row that lacks one of the columns has no
 * key: it is never dropped, and drops nobody.
 *
 * Ownership  dedup_free.
 * Errors     RESULT_NOMEM; RESULT_LIMIT (E-TAB6) when keys and bits take more than `memory_bytes`.
 * Threads    dedup_add_key: any worker, on its own buf. dedup_take: one at a time, then done;
 *            dedup_is_first: any number, after that.
 */
#ifndef SCRAPETOP_TABLE_DEDUP_H
#define SCRAPETOP_TABLE_DEDUP_H

#include "base/buf.h"
#include "base/err.h"
#include "normalise/rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dedup;

/** NULL when out of memory. */
struct dedup *dedup_new(uint64_t memory_bytes);
void dedup_free(struct dedup *dedup);

/** Appends the row's key in these columns, or that it has none because `kept` is false. */
MUST_CHECK enum result dedup_add_key(struct buf *keys, const struct row *row,
                                     const uint32_t *columns, size_t count, bool kept);

/** The next rows' keys, in order; fits struct row_sink. */
MUST_CHECK enum result dedup_take(void *dedup, struct str keys, struct err *err);

/** `row` counts all rows from 0. */
bool dedup_is_first(const struct dedup *dedup, uint64_t row);

#endif
