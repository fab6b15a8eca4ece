/**
 * A worker's dictionary of a column: its values become indices, as long as the file's dictionary is open.
 *
 * They are numbered by a dictionary of the worker's own, which lives as long as the block does that is
 * filled again and again. Before a block is encoded its new entries are adopted by the file
 * (parquet_dictionaries.h), and then the indices are numbered as the file's. Where the file's has
 * been closed, or a value is met that no dictionary takes, the values stay PLAIN, or become it again.
 *
 * A block's values are looked up one column after the other, so that each dictionary need be in a near cache only
 * then. A large one fits into none: memory is asked for some texts ahead of where they are compared.
 *
 * The inside of the worker's half of table/parquet/parquet.h.
 *
 * Ownership  parquet_indices_release; a zeroed struct holds nothing and is not open.
 * Errors     RESULT_NOMEM, or RESULT_LIMIT from a buf.
 * Threads    one worker; parquet_indices_adopt as parquet_dictionaries.h says.
 */
#ifndef SCRAPETOP_TABLE_PARQUET_INDICES_H
#define SCRAPETOP_TABLE_PARQUET_INDICES_H

#include "table/parquet/dictionary.h"
#include "table/parquet/parquet_dictionaries.h"
#include "table/parquet/parquet_plain.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Entries and indices are uint32_t, one after the other. */
#define PARQUET_INDEX_BYTES sizeof(uint32_t)

struct parquet_indices {
    bool open;
    struct dictionary local;
    uint32_t *numbers; /* by entry: the file's, of those that it has had */
    uint32_t number_cap;
    uint32_t adopted; /* entries that the file has had */
    uint32_t fresh;   /* from this number on, they were new to the file */
};

void parquet_indices_release(struct parquet_indices *indices);

/* Entries that are the least and the greatest, of texts. */
struct parquet_entry_bounds {
    uint32_t low, high;
};

/** Appends the entry of each of the `count` PLAIN values to `entries`, up to the first that no dictionary takes:
 *  `*full` says so. Sets `*bounds` of texts, after the last of which there is more to read (table/parquet/text_head.h). */
MUST_CHECK enum result parquet_indices_look_up(struct parquet_indices *indices, enum type type,
                                               struct str plain, uint32_t count,
                                               struct buf *entries,
                                               struct parquet_entry_bounds *bounds, bool *full);

static inline uint32_t parquet_entry_at(const struct buf *entries, size_t i)
{
    uint32_t entry;

    memcpy(&entry, entries->data + i * sizeof entry, sizeof entry);
    return entry;
}

/** Appends the PLAIN values of these entries, and sees to it that there is more to read after them. */
MUST_CHECK enum result parquet_indices_to_plain(const struct parquet_indices *indices,
                                                enum type type, const struct buf *entries,
                                                struct buf *plain);

/** The file adopts the block's new entries. */
MUST_CHECK enum result parquet_indices_adopt(struct parquet_indices *indices,
                                             const struct parquet_tally *tally,
                                             struct parquet_dictionaries *dictionaries,
                                             uint32_t column);

/** Behind that: the entries become the file's indices. */
void parquet_indices_number(const struct parquet_indices *indices, struct buf *entries);

/** Appends the entries that the file has from this block, as PLAIN, and counts them. Then the next block
 *  begins. */
MUST_CHECK enum result parquet_indices_append_fresh(struct parquet_indices *indices, enum type type,
                                                    struct buf *out, uint32_t *count);

/** Between two blocks: all entries go, and will be new again. */
void parquet_indices_forget(struct parquet_indices *indices);

#endif
