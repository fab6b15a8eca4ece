/**
 * Parquet: typed columns in row groups, written without a library.
 *
 * Two halves, so that the work is done on all cores and the file is still written in order. A worker
 * encodes its chunk's rows into a block (struct parquet_block): one compressed page for each column, or
 * its values alone where the rows are few, as in a table of thousands of columns. Blocks are handed to
 * the file (struct parquet_file) in the plan's order, which gathers the pages column by column until a
 * row group is large enough, and ends the file with its footer.
 *
 * The dictionary of a column whose values repeat grows while the file is written. A block therefore
 * goes through three hands: rows are added by its worker, then what is new in it is adopted by the
 * file's dictionaries, one block at a time and in the plan's order, and then the worker encodes it. So the file's
 * bytes depend on rows and blocks alone (parquet_dictionaries.h).
 *
 * What is written, in the format's terms: format version 2.6; a flat schema, every column OPTIONAL
 * (definition level 0 is null); INT64, DOUBLE, BOOLEAN, INT64 as TIMESTAMP(isAdjustedToUTC, MICROS),
 * INT32 as DATE, and BYTE_ARRAY as STRING; data pages v1, their values PLAIN, or RLE_DICTIONARY as long as the column
 * has a dictionary (each row group then has its dictionary page, with what has been met by then; pages of
 * other encodings may follow those in one row group), or DELTA_BINARY_PACKED where INT64 and INT32 are shorter so;
 * levels and dictionary indices in the RLE/bit-packing hybrid; codec ZSTD; min_value, max_value and
 * null_count for each column chunk (bounds of text only while both are short).
 *
 * Ownership  the schema is borrowed and must outlive blocks and file; a block's bytes are the caller's
 *            buf's.
 * Errors     RESULT_NOMEM; RESULT_CORRUPT (E-TAB2) for a value that is not of its column's type,
 *            which can only be when the types were a guess, or the input changed after they were found;
 *            RESULT_LIMIT (E-TAB3) for what the format's 32 bits cannot count; the sink's.
 * Threads    a block belongs to one worker; the file's calls come one at a time, and so do those of
 *            parquet_block_adopt for one struct parquet_dictionaries, whatever the file does meanwhile.
 * Source     apache/parquet-format: README.md, Encodings.md, LogicalTypes.md, parquet.thrift.
 */
#ifndef SCRAPETOP_TABLE_PARQUET_H
#define SCRAPETOP_TABLE_PARQUET_H

#include "base/buf.h"
#include "base/err.h"
#include "normalise/rows.h"
#include "normalise/types.h"

#include <stdbool.h>
#include <stdint.h>

#define PARQUET_GROUP_ROWS 262144
#define PARQUET_GROUP_BYTES ((uint64_t)64 << 20) /* of pages before compression */

struct parquet_column {
    struct str name;
    enum type type;
    int64_t epoch_unit_us; /* see struct type_decision */
};

/* Columns must be one at least: readers refuse a file without any. */
struct parquet_schema {
    const struct parquet_column *columns;
    uint32_t count;
    uint32_t common; /* the first so many have the same cells in all rows of a record, or 0 */
    bool explodes;   /* a record may have several rows */
};

/* In a table of more columns a row group has few values of each: their dictionaries would be written anew with
 * every one, and looking thousands of them up in turn would cost more than all the rest. */
#define PARQUET_DICTIONARIES_MAX 512

static inline bool parquet_may_have_dictionary(const struct parquet_schema *schema, uint32_t column)
{
    return schema->columns[column].type != TYPE_BOOLEAN &&
           schema->count <= PARQUET_DICTIONARIES_MAX;
}

/* --- what both halves share */

struct parquet_dictionaries;

/** One for each column that may have one, still empty. `room` is for all of them together; the file holds what is
 *  in them once more. NULL when out of memory. */
struct parquet_dictionaries *parquet_dictionaries_new(const struct parquet_schema *schema,
                                                      size_t room);
void parquet_dictionaries_free(struct parquet_dictionaries *dictionaries);

/* --- a worker's half */

struct parquet_block;

/** NULL when out of memory. */
struct parquet_block *parquet_block_new(const struct parquet_schema *schema);
void parquet_block_free(struct parquet_block *block);

/** The row has the schema's columns. `lone_surrogates` as in csv_row. */
MUST_CHECK enum result parquet_block_row(struct parquet_block *block, const struct row *row,
                                         uint64_t *lone_surrogates, struct err *err);

/** Memory that the rows take by now, roughly: the same wherever and after whatever rows they are added. */
size_t parquet_block_bytes(const struct parquet_block *block);

/** Ends the rows, and appends to `out` what can be encoded of them by now. */
MUST_CHECK enum result parquet_block_begin(struct parquet_block *block, struct buf *out,
                                           struct err *err);

/** Behind parquet_block_begin: whether the rest needs the file's dictionaries. */
bool parquet_block_waits(const struct parquet_block *block);

/** The file's dictionaries get what is new in the block: after all blocks before it in the plan's order, and
 *  before all after. */
MUST_CHECK enum result parquet_block_adopt(struct parquet_block *block,
                                           struct parquet_dictionaries *dictionaries,
                                           struct err *err);

/** Appends the rest of the encoded rows to `out`, all of which parquet_file_take understands, and begins
 *  anew. A block without rows appends nothing. */
MUST_CHECK enum result parquet_block_finish(struct parquet_block *block, struct buf *out,
                                            struct err *err);

/** Between two blocks: forgets the values that were met, if they take more than `room`. Until they are met again
 *  that costs time, but makes no difference to the file. */
void parquet_block_forget(struct parquet_block *block, size_t room);

/* --- the file's half */

typedef enum result parquet_sink_fn(void *context, const void *bytes, size_t len, struct err *err);

struct parquet_file;

/** Nothing is written yet. `group_bytes` bounds a row group before compression; 0 is the above. */
MUST_CHECK enum result parquet_file_new(struct parquet_file **file,
                                        const struct parquet_schema *schema, uint64_t group_bytes,
                                        parquet_sink_fn *sink, void *context, struct err *err);
void parquet_file_free(struct parquet_file *file);

/** Any number of whole blocks. */
MUST_CHECK enum result parquet_file_take(struct parquet_file *file, struct str blocks,
                                         struct err *err);

/** The last row group and the footer. */
MUST_CHECK enum result parquet_file_finish(struct parquet_file *file, struct err *err);

#endif
