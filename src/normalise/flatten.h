/**
 * Flatten: one JSON document in, rows out.
 *
 * Which values are records: without a pointer, the elements of a top-level array, or else the
 * document itself; with one, what it leads to, and the elements of an array that it leads to.
 * A record that is an object gives a row whose columns are the paths to its values; nested objects are
 * gone into, arrays stay whole as JSON text, an empty object has no value and gives no cell. Any
 * other record gives a row with the single column `value`. A pointer that leads to null finds
 * no record, and is counted. When a `*` of the pointer stood for a member, its name is the column `_key`; of
 * several such stars it is the last one's, and the others' are `_key_1`, `_key_2` by their place. Of members
 * with equal names the last wins, with all that is in it, and the loss is counted.
 *
 * A struct flatten_shape asks for more: rows for the elements of an array within the record (the
 * record's other cells are repeated; an array without elements, or none, still gives one row), objects
 * kept as JSON below a depth, values found by pointers, and cells that belong to the document.
 *
 * There are two passes. FLATTEN_LEARN adds to the tree of columns; it touches each byte once, and so is
 * also the one that judges: text that json_check would refuse is RESULT_INVALID, without words, and
 * leaves neither columns nor counts. FLATTEN_FILL reads a settled tree and hands out rows. Its text must
 * have been valid; text that changed after the first pass is found out (E-TAB2) at a column that is not
 * known, and never read past its end.
 *
 * A caller that guesses the columns can have rows in FLATTEN_LEARN already (flatten_give_rows). If
 * the guess was right, that was all of the work.
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

#define FLATTEN_DEPTH_ALL UINT32_MAX

/* A column that the user has named, and where its value lies. */
struct flatten_pick {
    struct str name;
    struct json_pointer pointer; /* from the record ... */
    bool in_element;             /* ... or from the element of the array that is exploded */
};

struct flatten_shape {
    const struct json_pointer *explode; /* array of the record; without `*`; NULL: none */
    uint32_t depth_max; /* objects that a path may go into; 0: the record's members only */
    const struct flatten_pick *picks;
    size_t pick_count;
    bool picks_only; /* nothing but the picks is wanted */
    bool facts;      /* FLATTEN_LEARN: note each value (columns_want_facts) */
};

/* A cell of every row of a document: where it came from. */
struct flatten_meta {
    struct str name;
    enum cell_kind kind;
    struct str text;
};

struct flatten;

/** `records` may be NULL. NULL when out of memory. */
struct flatten *flatten_new(const struct json_pointer *records, struct columns *columns,
                            enum flatten_pass pass);
void flatten_free(struct flatten *flatten);

/** Another kernel than the best one, for tests. */
void flatten_use_kernel(struct flatten *flatten, const struct json_kernel *kernel);

/** FLATTEN_LEARN with facts: whether a document is verified as a whole before any are taken from it, as
 *  they cannot be taken back; so it is at first. Otherwise facts are worth nothing once a document was
 *  RESULT_INVALID. */
void flatten_judge_first(struct flatten *flatten, bool first);

/** Between two records `stop` is looked at: true ends the document with RESULT_CANCELLED. */
void flatten_heed(struct flatten *flatten, const atomic_bool *stop);

/** FLATTEN_FILL: pass 1 has found `counts.ambiguous` to be 0 for the documents that follow, so the first
 *  member that the pointer names is the one and nothing after it need be looked at. */
void flatten_trust_pointer(struct flatten *flatten, bool trust);

/** Before the first document; `shape` is borrowed. */
MUST_CHECK enum result flatten_set_shape(struct flatten *flatten, const struct flatten_shape *shape,
                                         struct err *err);

/** FLATTEN_LEARN, after flatten_set_shape and before the first document: rows are handed out, too,
 * with the columns of `table`: a settled
 *  tree, borrowed, from which the flattener's own was seeded. NULL, between documents: no longer. */
MUST_CHECK enum result flatten_give_rows(struct flatten *flatten, const struct columns *table,
                                         struct err *err);

/** Rows that were handed out in FLATTEN_LEARN cannot stay, and none are any more: a value was met that has no
 *  column in the table, or a document was no good after all. */
bool flatten_rows_spoilt(const struct flatten *flatten);

/** For the documents that follow; borrowed until the next call. */
void flatten_set_meta(struct flatten *flatten, const struct flatten_meta *meta, size_t count);

/** Whether the record that was read last was an element of an array that the pointer led to, or of the document. */
bool flatten_in_array(const struct flatten *flatten);

/** FLATTEN_LEARN: the documents that follow are the plan's chunk number `chunk`, in order. */
void flatten_enter_chunk(struct flatten *flatten, uint64_t chunk);

struct flatten_counts {
    uint64_t rows;
    uint64_t records;        /* as many as rows, unless one gave several */
    uint64_t exploded;       /* records with an array to explode */
    uint64_t matches;        /* values that the pointer led to */
    uint64_t nulls;          /* of them null, which is no record */
    uint64_t duplicate_keys; /* members lost to a later one of the same name */
    uint64_t ambiguous;      /* documents where a name of the pointer stands twice in one object */
};

/** Adds to `counts`. `sink` may be NULL where no rows are handed out. */
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
