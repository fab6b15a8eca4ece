/**
 * Tables that APIs write otherwise than as an array of objects, made into one.
 *
 *   header     [["NAME","POP"],["Alabama","5"]]       the first array names the others' elements (US Census)
 *   parallel   {"time":["t1","t2"],"temp":[1,2]}      each array is a column (Open-Meteo)
 *
 * Values stay as they are written, to the byte. Names that are empty or taken are made up as those of CSV are
 * (read/csv_json.h), and elements without a name stand in `_more`; a parallel array that is shorter lacks its last
 * members, and what is no array is the same in each row. Something that is not in the shape is a record as it is.
 *
 * Ownership  the caller's buf.
 * Errors     RESULT_NOMEM, RESULT_LIMIT of the buf.
 * Threads    no state.
 */
#ifndef SCRAPETOP_NORMALISE_RESHAPE_H
#define SCRAPETOP_NORMALISE_RESHAPE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json_scan.h"
#include "base/record_shape.h"

struct reshape_counts {
    uint64_t matches; /* that the pointer leads to */
    uint64_t nulls;   /* where a record should be: they give none */
};

/** Appends one array: the records of all that `records` leads to (NULL: of the whole text), which is valid JSON. */
MUST_CHECK enum result reshape_append(struct str text, const struct json_pointer *records,
                                      enum record_shape shape, struct buf *out,
                                      struct reshape_counts *counts);

/** The shape that the value most likely has. */
enum record_shape reshape_guess(struct str value);

#endif
