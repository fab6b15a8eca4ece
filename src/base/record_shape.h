/**
 * In which shape an API writes a table; normalise/reshape.h reads them.
 */
#ifndef SCRAPETOP_BASE_RECORD_SHAPE_H
#define SCRAPETOP_BASE_RECORD_SHAPE_H

#include "base/str.h"

#include <stdbool.h>

enum record_shape {
    RECORD_SHAPE_OBJECTS,  /* an array of objects */
    RECORD_SHAPE_HEADER,   /* an array of arrays, of which the first one has the names */
    RECORD_SHAPE_PARALLEL, /* an object of arrays, a column each */
    RECORD_SHAPE_COUNT,
};

#define RECORD_SHAPE_WORDS "objects header parallel"

/** "header" ... */
const char *record_shape_name(enum record_shape shape);

/** False when none is called so. */
bool record_shape_parse(struct str text, enum record_shape *shape);

#endif
