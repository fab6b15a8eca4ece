/**
 * Journal: the values of rows that have few of a table's columns, as they come, and afterwards column by column.
 *
 * In a table of thousands of columns each value would be put into memory of its own, which is in no near cache. Here
 * they are put one behind the other, and sorted once the block is done. The inside of the worker's half of
 * table/parquet/parquet.h.
 *
 * Ownership  parquet_journal_release; a zeroed struct holds nothing. It keeps its memory from block to block.
 * Errors     RESULT_NOMEM, or RESULT_LIMIT from a buf.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_TABLE_PARQUET_JOURNAL_H
#define SCRAPETOP_TABLE_PARQUET_JOURNAL_H

#include "base/buf.h"
#include "base/err.h"
#include "table/parquet/parquet_values.h"

#include <stddef.h>
#include <stdint.h>

struct journal_entry {
    uint32_t column, row;
    size_t at; /* of the value */
};

struct parquet_journal {
    struct buf values; /* PLAIN, as table/parquet/parquet_plain.h has them */
    struct journal_entry *entries, *sorted;
    size_t count, cap, sorted_cap;
    size_t *ends; /* of each column's entries in `sorted`, once that is made */
    uint32_t columns;
};

void parquet_journal_release(struct parquet_journal *journal);

/** Of the next value, which the caller puts behind `values`; rows ascend. */
MUST_CHECK enum result parquet_journal_note(struct parquet_journal *journal, uint32_t column,
                                            uint32_t row);

/** Sorts what was noted of a table of so many columns; `*met` of them have values. */
MUST_CHECK enum result parquet_journal_sort(struct parquet_journal *journal, uint32_t columns,
                                            uint32_t *met);

/** After parquet_journal_sort: how many values the column has. */
size_t parquet_journal_has(const struct parquet_journal *journal, uint32_t column);

/** Puts the column's values, which are of that type, behind those that there are of rows before. Behind the last there is
 *  more to read, as behind those of parquet_plain_add. */
MUST_CHECK enum result parquet_journal_put(const struct parquet_journal *journal, uint32_t column,
                                           enum type type, struct parquet_values *values);

/** Forgets all values. */
void parquet_journal_reset(struct parquet_journal *journal);

#endif
