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
 * There are two passes. FLATTEN_LEARN adds to the tree of columns and makes no cells; it touches each
 * byte once, and so is also the one that judges: text that json_check would refuse is RESULT_INVALID,
 * without words, and leaves neither columns nor counts. FLATTEN_FILL reads a settled tree and hands
 * out rows. Its text must have been valid; text that changed after the first pass is found out (E-TAB2)
 * at a column that is not known, and never read past its end.
 *
 * Ownership  flatten_new borrows the tree and the pointer; rows borrow the document.
 * Errors     RESULT_NOMEM, RESULT_LIMIT (columns), RESULT_INVALID (pass 1), RESULT_CORRUPT (changed),
 *            RESULT_CANCELLED, or the row_fn's.
 * Threads    one thread at a time.
 */
#ifndef SCRAPETOP_NORMALISE_FLATTEN_H
#define SCRAPETOP_NORMALISE_FLATTEN_H

#include "base/err.h"
#include "base/json_kernel.h"
#include "base/json_scan.h"
#include "base/str.h"
#include "normalise/columns.h"
#include "normalise/rows.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define FLATTEN_TEXT_MAX ((size_t)UINT32_MAX) /* bytes of one document: cells count in 32 bits */

enum flatten_pass { FLATTEN_LEARN, FLATTEN_FILL };

struct flatten;

/** `records` may be NULL. NULL when out of memory. */
struct flatten *flatten_new(const struct json_pointer *records, struct columns *columns,
                            enum flatten_pass pass);
void flatten_free(struct flatten *flatten);

/** Another kernel than the best one, for tests. */
void flatten_use_kernel(struct flatten *flatten, const struct json_kernel *kernel);

/** Between two records `stop` is looked at: true ends the document with RESULT_CANCELLED. */
void flatten_heed(struct flatten *flatten, const atomic_bool *stop);

/** FLATTEN_FILL: pass 1 has found `counts.ambiguous` to be 0 for the documents that follow, so the first
 *  member that the pointer names is the one and nothing behind it need be looked at. */
void flatten_trust_pointer(struct flatten *flatten, bool trust);

/** FLATTEN_LEARN: the documents that follow are the plan's chunk number `chunk`, in order. */
void flatten_enter_chunk(struct flatten *flatten, uint64_t chunk);

struct flatten_counts {
    uint64_t rows;
    uint64_t matches;        /* values that the pointer led to */
    uint64_t duplicate_keys; /* members lost to a later one of the same name */
    uint64_t ambiguous;      /* documents where a name of the pointer stands twice in one object */
};

/** Adds to `counts`. `sink` may be NULL in FLATTEN_LEARN. */
MUST_CHECK enum result flatten_document(struct flatten *flatten, struct str text, row_fn *sink,
                                        void *context, struct flatten_counts *counts,
                                        struct err *err);

/** Some members of a container in a document that was split: `text` is elements, or names and values
 *  (`named`), with commas between. Step `step` of the pointer stands for all of them, or the
 *  pointer ends there and they are the records. */
MUST_CHECK enum result flatten_part(struct flatten *flatten, struct str text, unsigned step,
                                    bool named, row_fn *sink, void *context,
                                    struct flatten_counts *counts, struct err *err);

#endif
