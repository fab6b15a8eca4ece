/**
 * Shape: which pointers a document has to offer, for a user whose pointer finds nothing.
 *
 * Errors   RESULT_NOMEM or RESULT_LIMIT of the buf.
 * Threads  no state.
 */
#ifndef SCRAPETOP_NORMALISE_SHAPE_H
#define SCRAPETOP_NORMALISE_SHAPE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define SHAPE_POINTERS_MAX 8
#define SHAPE_DEPTH_MAX 3

/** Appends "/items (20 elements), /data/rows (3 elements)": pointers to arrays, not deeper than the above.
 *  Nothing when there is none. `text` has passed json_check. */
MUST_CHECK enum result shape_append_arrays(struct buf *out, struct str text);

/** Appends "/items (20 elements), /data/rows (3 elements), /meta": the same, then pointers to objects. */
MUST_CHECK enum result shape_append_pointers(struct buf *out, struct str text);

#endif
