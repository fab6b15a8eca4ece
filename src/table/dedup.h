/**
 * Dedup: of the rows with the same values in some columns, which one stays.
 *
 * The keys of all rows are handed in in the plan's order, as blocks that workers made; the answer is a
 * bit a row. Keys are compared whole, not by a hash. A row that lacks one of the columns has no
 * key: it is never dropped, and drops nobody.
 *
 * Of rows with one key the first in that order stays; or, if so asked, the last by time, and of those of one time the
 * last in that order.
 *
 * Keys that take more than their share of memory go to a temporary file without a name, in DEDUP_PARTS parts by
 * hash (table/dedup_spill.h), and one part after the other is looked at in the end.
 *
 * Ownership  dedup_free.
 * Errors     RESULT_NOMEM; RESULT_LIMIT (E-TAB6) when one part, or the bits, take more than `memory_bytes`; E-TAB6 when
 *            the temporary file cannot be made, written or read.
 * Threads    dedup_add_key: any worker, on its own buf. dedup_take: one at a time, then dedup_end;
 *            dedup_is_kept: any number, after that.
 */
#ifndef SCRAPETOP_TABLE_DEDUP_H
#define SCRAPETOP_TABLE_DEDUP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/row_keep.h"
#include "normalise/rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dedup;

/** NULL when out of memory. */
struct dedup *dedup_new(uint64_t memory_bytes, enum row_keep keep);
void dedup_free(struct dedup *dedup);

/* Which columns, and when the row's answer came: microseconds since 1970, 0 of a file. */
struct dedup_by {
    const uint32_t *columns;
    size_t count;
    int64_t time_us;
};

/** Appends the row's key, or that it has none because `has_key` is false. */
MUST_CHECK enum result dedup_add_key(struct buf *keys, const struct row *row,
                                     const struct dedup_by *by, bool has_key);

/** The next rows' keys, in order; fits struct row_sink. */
MUST_CHECK enum result dedup_take(void *dedup, struct str keys, struct err *err);

/** After the last of them. */
MUST_CHECK enum result dedup_end(struct dedup *dedup, struct err *err);

/** `row` counts all rows from 0. */
bool dedup_is_kept(const struct dedup *dedup, uint64_t row);

/** Rows that are not kept. */
uint64_t dedup_dropped(const struct dedup *dedup);

#define DEDUP_EXAMPLES 3
#define DEDUP_EXAMPLE_TEXT 64

/** The keys of the first rows that are not kept, "7, Oslo"; may hold bytes from outside. */
unsigned dedup_example_count(const struct dedup *dedup);
const char *dedup_example(const struct dedup *dedup, unsigned index);

/** Whether keys went to a file. */
bool dedup_is_spilt(const struct dedup *dedup);

#endif
