/**
 * A column's values as Parquet's PLAIN encoding has them: what every value is made into first.
 *
 * Only values that differ from the row before's are gathered, since the rows of one exploded record share its own
 * cells; how often each stands is kept beside them, and put in when the column becomes a page.
 *
 * The inside of the worker's half of table/parquet/parquet.h.
 *
 * Ownership  the caller's bufs.
 * Errors     RESULT_NOMEM, or RESULT_LIMIT from a buf.
 * Source     apache/parquet-format: Encodings.md (PLAIN). Booleans are a byte each here, and dates 8 bytes, until
 *            they are a page.
 */
#ifndef SCRAPETOP_TABLE_PARQUET_PLAIN_H
#define SCRAPETOP_TABLE_PARQUET_PLAIN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/little.h"
#include "table/parquet/parquet.h"
#include "table/parquet/parquet_block.h"
#include "table/parquet/parquet_text.h"

#include <stdint.h>
#include <string.h>

/** The kinds of values, a bit for each, that need not be parsed: when types were found out, they have become what the
 *  column has. */
uint32_t parquet_plain_kinds(const struct parquet_column *column);

/** Appends such a value. */
MUST_CHECK static inline enum result parquet_plain_add_known(struct buf *plain,
                                                             const struct row_value *value)
{
    uint64_t bits;

    if (plain->cap - plain->len < sizeof bits && buf_reserve(plain, sizeof bits) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    memcpy(&bits, &value->value, sizeof bits);
    little_put_u64(plain->data + plain->len, bits);
    plain->len += sizeof bits;
    return RESULT_OK;
}

/** Appends the value of the row's cell in that column, which there must be, and room after it as
 *  table/parquet/text_head.h wants it. RESULT_CORRUPT (E-TAB2) when it is not of the column's type, RESULT_LIMIT (E-TAB3)
 *  when it is too long. */
MUST_CHECK enum result parquet_plain_add(struct buf *plain, const struct parquet_column *column,
                                         const struct row *row, uint32_t at,
                                         uint64_t *lone_surrogates, struct err *err);

/** Where the least and the greatest of the texts stand; after the last of them there is more to read
 *  (table/parquet/text_head.h). Of none: 0. */
void parquet_plain_bound_texts(struct str plain, size_t *low, size_t *high);

/** Of anything else: its bounds. */
void parquet_plain_bound(struct str plain, enum type type, struct parquet_bounds *bounds);

/** Appends what PLAIN is in a file of values that it has as INT32: they have 8 bytes each until then. */
MUST_CHECK enum result parquet_plain_append_narrow(struct buf *out, struct str plain);

static inline bool parquet_plain_is_narrow(enum type type)
{
    return type == TYPE_DATE;
}

/** What a value takes: so many bytes, or 0 for texts, each of which says it. */
static inline size_t parquet_plain_size(enum type type)
{
    return type == TYPE_TEXT ? 0 : type == TYPE_BOOLEAN ? 1 : 8;
}

/* Runs: how often the values stand, a uint32_t for each of the first so many; the others stand once. */

/** The last of `values` values, for which this was not said yet, stands so many times more. */
MUST_CHECK enum result parquet_runs_add(struct buf *runs, uint32_t values, uint32_t more);

/** What `count` values take then: of `size` bytes each, or texts. */
size_t parquet_runs_bytes(const struct buf *runs, size_t size, uint32_t count, struct str values);

/** Puts each of the values in as often as it stands, which makes them `count`. What they were is in `spare` then; if
 *  each stands once, or there is an error, both are untouched. */
MUST_CHECK enum result parquet_runs_expand(const struct buf *runs, size_t size, uint32_t count,
                                           struct buf *values, struct buf *spare);

#endif
