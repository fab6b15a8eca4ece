/**
 * One value of a JSON text set, all other bytes left as they are: a cursor put into a request's body.
 *
 * Members that are missing on the way are made; a null on the way becomes an object. Do not grow this
 * into an editor.
 *
 * Errors  RESULT_NOT_FOUND when the way leads into an array's missing element, or through a text or
 *         number; RESULT_NOMEM or RESULT_LIMIT of `out`.
 */
#ifndef SCRAPETOP_BASE_JSON_PUT_H
#define SCRAPETOP_BASE_JSON_PUT_H

#include "base/json_scan.h"

/** Appends `text` (which has passed json_check) with `value`, itself JSON, where `pointer` says. A `*`
 *  in it is a name like any other. */
MUST_CHECK enum result json_put(struct buf *out, struct str text,
                                const struct json_pointer *pointer, struct str value);

#endif
