/**
 * Flatten: one JSON document in, rows out.
 *
 * Which values are records: without a pointer, the elements of a top-level array, or else the
 * document itself; with one, what it leads to, and the elements of an array that it leads to.
 * A record that is an object gives a row whose columns are the paths to its values; nested objects are
 * gone into, arrays stay whole as JSON text, an empty object has no value and gives no cell. Any
 * other record gives a row with the single column `value`. A pointer that leads to null finds
 * no record. When a `*` of the pointer stood for a member, its name is the column `_key`. Of members
 * with equal names the last wins, with all that is in it, and the loss is counted.
 *
 * There are two passes. FLATTEN_LEARN adds to the tree of columns and makes no cells; FLATTEN_FILL
 * reads a settled tree and hands out rows. Text must have passed json_check; text that changed
 * after the first pass is found out (E-TAB2) at a column that is not known.
 *
 * Ownership  flatten_new borrows the tree and the pointer; rows borrow the document.
 * Errors     RESULT_NOMEM, RESULT_LIMIT (columns), RESULT_CORRUPT (changed), or the row_fn's.
 * Threads    one thread at a time.
 */
#ifndef SCRAPETOP_NORMALISE_FLATTEN_H
#define SCRAPETOP_NORMALISE_FLATTEN_H

#include "base/err.h"
#include "base/json_scan.h"
#include "base/str.h"
#include "normalise/columns.h"
#include "normalise/rows.h"

#include <stdint.h>

#define FLATTEN_TEXT_MAX ((size_t)UINT32_MAX) /* bytes of one document: cells count in 32 bits */

enum flatten_pass { FLATTEN_LEARN, FLATTEN_FILL };

struct flatten;

/** `records` may be NULL. NULL when out of memory. */
struct flatten *flatten_new(const struct json_pointer *records, struct columns *columns,
                            enum flatten_pass pass);
void flatten_free(struct flatten *flatten);

/** FLATTEN_LEARN: the documents that follow are the plan's chunk number `chunk`, in order. */
void flatten_enter_chunk(struct flatten *flatten, uint64_t chunk);

struct flatten_counts {
    uint64_t rows;
    uint64_t matches;        /* values that the pointer led to */
    uint64_t duplicate_keys; /* members lost to a later one of the same name */
};

/** Adds to `counts`. `sink` may be NULL in FLATTEN_LEARN. */
MUST_CHECK enum result flatten_document(struct flatten *flatten, struct str text, row_fn *sink,
                                        void *context, struct flatten_counts *counts,
                                        struct err *err);

#endif
