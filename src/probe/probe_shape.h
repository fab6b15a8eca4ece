/**
 * The shape of one body, for `probe`: which values are its records, and what their columns hold.
 *
 * Records are the elements of a top-level array; or of the array that pages_guess_records takes for them; or
 * the members of an object whose members look alike (all trains by their number); or the body itself. The
 * columns are the ones that the table will have.
 *
 * Ownership  probe_shape_release frees everything; names are views into it.
 * Errors     RESULT_NOMEM, RESULT_LIMIT (more columns than a table may have), RESULT_INVALID (a pointer
 *            that is none).
 */
#ifndef SCRAPETOP_PROBE_PROBE_SHAPE_H
#define SCRAPETOP_PROBE_PROBE_SHAPE_H

#include "base/record_shape.h"
#include "normalise/columns.h"
#include "normalise/types.h"
#include "plan/pages/page_guess.h"

#define PROBE_NO_COLUMN SIZE_MAX

struct probe_column {
    uint64_t present, null;
    struct type_facts facts;
};

struct probe_shape {
    char records[PAGES_GUESS_POINTER_MAX]; /* "": a job need not say where they are */
    enum record_shape shape;               /* of the table there */
    uint64_t count;
    struct columns *columns; /* settled */
    struct probe_column *each;
    size_t column_count;
    size_t id; /* of the column that most likely tells records apart; PROBE_NO_COLUMN */
};

/** `body` has passed json_check; `records` is what the user says of it, or NULL. `are_texts`: all values are strings by
 *  what the body was made of, so that numbers are looked for in them. */
MUST_CHECK enum result probe_shape_read(struct probe_shape *shape, struct str body,
                                        const char *records, bool are_texts, struct err *err);
void probe_shape_release(struct probe_shape *shape);

#endif
