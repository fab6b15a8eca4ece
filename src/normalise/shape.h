/**
 * Shape: which pointers a document has to offer, for whoever gave one that finds nothing.
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

/** Appends "/items (20 elements), /data/rows (3 elements), /meta": pointers to arrays first, then to
 *  objects, not deeper than the above. Nothing when there is neither. `text` has passed json_check. */
MUST_CHECK enum result shape_append_pointers(struct buf *out, struct str text);

#endif
