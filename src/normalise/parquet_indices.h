/**
 * A worker's dictionary of a column: its values become indices, as long as the file's dictionary is open.
 *
 * They are numbered by a dictionary of the worker's own, which lives as long as the block does that is
 * filled again and again. Before a block is encoded its new entries are adopted by the file
 * (parquet_dictionaries.h), and then the indices are numbered as the file's. Where the file's has
 * been closed, or a value is met that no dictionary takes, the indices turn into PLAIN values.
 *
 * A large dictionary does not fit into the nearer caches. Texts are therefore looked up some at a time: by when
 * they are compared, memory has been asked for all of them.
 *
 * Values often come in the order in which they came before, or are the same for some rows. Where it was so of
 * late, a value is first held against the entry behind the last one's, and against that.
 *
 * The inside of the worker's half of normalise/parquet.h.
 *
 * Ownership  parquet_indices_release; a zeroed struct holds nothing and is not open.
 * Errors     RESULT_NOMEM, or RESULT_LIMIT from a buf.
 * Threads    one worker; parquet_indices_adopt as parquet_dictionaries.h says.
 */
#ifndef SCRAPETOP_NORMALISE_PARQUET_INDICES_H
#define SCRAPETOP_NORMALISE_PARQUET_INDICES_H

#include "normalise/dictionary.h"
#include "normalise/parquet_block.h"
#include "normalise/parquet_dictionaries.h"
#include "normalise/parquet_values.h"

#include <stdbool.h>
#include <stdint.h>

struct parquet_indices {
    bool open;     /* the values' bytes are indices */
    bool full;     /* they can be no more: parquet_indices_to_plain must follow */
    uint32_t luck; /* whether such guesses were, or would have been, right of late */
    uint32_t last; /* index that was added */
    struct dictionary local;
    uint64_t first_values; /* of this block, as struct parquet_tally has them */
    uint64_t bytes, first_bytes;
    /* Texts on their way to being indices. Those stand already, as the last ones, still 0. */
    uint32_t sought_first, sought_end;
    struct parquet_sought *sought; /* NULL: none yet */
    struct buf texts;              /* of these */
    struct parquet_known *known;   /* by entry */
    uint32_t known_cap;
    uint32_t adopted; /* entries that the file has had */
    uint32_t fresh;   /* from this number on, they were new to the file */
    uint32_t block;   /* as in struct parquet_known */
};

void parquet_indices_release(struct parquet_indices *indices);

/** An index goes behind the values; of a text, it may only come to be by parquet_indices_settle. */
MUST_CHECK enum result parquet_indices_add_text(struct parquet_indices *indices,
                                                struct parquet_values *values, struct str text);

/** Likewise, or else the column is full and nothing was added. */
MUST_CHECK enum result parquet_indices_add_number(struct parquet_indices *indices,
                                                  struct parquet_values *values, uint64_t bits);

/** All values become indices, as long as it is not full. */
MUST_CHECK enum result parquet_indices_settle(struct parquet_indices *indices,
                                              struct parquet_values *values);

/** The values become PLAIN and are never indices again; `spare` is for what they were. */
MUST_CHECK enum result parquet_indices_to_plain(struct parquet_indices *indices,
                                                struct parquet_values *values, enum type type,
                                                struct buf *spare);

/** The file adopts the block's new entries. */
MUST_CHECK enum result parquet_indices_adopt(struct parquet_indices *indices,
                                             const struct parquet_values *values,
                                             struct parquet_dictionaries *dictionaries,
                                             uint32_t column);

/** The values become the file's indices. `*bounds` are found, those of texts being `bound_texts`, the lower
 *  first. */
void parquet_indices_number(struct parquet_indices *indices, struct parquet_values *values,
                            enum type type, struct parquet_bounds *bounds,
                            struct str bound_texts[2]);

/** Appends the entries that the file has from this block, as PLAIN, and counts them. Then the next block
 *  begins. */
MUST_CHECK enum result parquet_indices_append_fresh(struct parquet_indices *indices, enum type type,
                                                    struct buf *out, uint32_t *count);

/** Behind that: all entries go, and will be new again. */
void parquet_indices_forget(struct parquet_indices *indices);

#endif
