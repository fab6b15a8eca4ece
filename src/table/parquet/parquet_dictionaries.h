/**
 * A Parquet file's dictionaries, one for each column whose values may repeat, while the file is written.
 *
 * Each worker numbers the values of its blocks by a dictionary of its own. So that all pages of a file
 * use the same numbers, a block's new values are adopted before it is encoded: in the plan's order,
 * each gets the number that it has in the file, which is the next one if it was never met before. Thus what
 * is in a dictionary, and where, depends on the rows alone.
 *
 * A dictionary is closed for good when it no longer pays, when it is full, or when there is no room left
 * for all of them. That is decided by what has been adopted, too: from that block on, the column's pages are
 * PLAIN, whenever its worker learns of it.
 *
 * The inside of table/parquet/parquet.h.
 *
 * Ownership  parquet_dictionaries_free; the schema is borrowed.
 * Units      `room`: bytes as dictionary_bytes counts them, of all open dictionaries together.
 * Errors     RESULT_NOMEM.
 * Threads    one at a time, in the plan's order: who calls sees to both.
 */
#ifndef SCRAPETOP_TABLE_PARQUET_DICTIONARIES_H
#define SCRAPETOP_TABLE_PARQUET_DICTIONARIES_H

#include "base/err.h"
#include "table/parquet/dictionary.h"
#include "table/parquet/parquet.h"

#include <stdbool.h>
#include <stdint.h>

/* The values of some rows. A value is repeated where it stands for several rows of one exploded record; first
 * ones are those that repeat none. */
struct parquet_tally {
    uint64_t values, first_values;
    uint64_t bytes, first_bytes; /* of texts */
};

/** Whether so many entries, of `plain_bytes`, are worth their while for the values. */
bool parquet_dictionary_pays(enum type type, uint32_t entries, uint64_t plain_bytes,
                             const struct parquet_tally *tally);

/** Adopts the entries of `local` from `first` on: `numbers[i]` gets the file's number of entry i. */
MUST_CHECK enum result parquet_dictionaries_adopt(struct parquet_dictionaries *dictionaries,
                                                  uint32_t column, const struct dictionary *local,
                                                  uint32_t first, const struct parquet_tally *tally,
                                                  uint32_t *numbers);

/** The column has values that no dictionary takes. */
void parquet_dictionaries_close(struct parquet_dictionaries *dictionaries, uint32_t column);

/** Behind all columns of a block: sees to it that there is room. */
void parquet_dictionaries_end_block(struct parquet_dictionaries *dictionaries);

/** Whether the column's is open, which holds for a block once that is done. */
bool parquet_dictionaries_is_open(const struct parquet_dictionaries *dictionaries, uint32_t column);

/** How many entries the column's has. */
uint32_t parquet_dictionaries_count(const struct parquet_dictionaries *dictionaries,
                                    uint32_t column);

#endif
