/**
 * Where a stored body lies: the noun that the store hands to normalise.
 */
#ifndef SCRAPETOP_STORE_RECORD_H
#define SCRAPETOP_STORE_RECORD_H

#include "plan/sort_key.h"

#include <stdint.h>

#define RECORD_LINE_MAX UINT32_MAX /* bytes of a line; a longer one is RESULT_LIMIT */

struct record {
    uint64_t id;      /* the request's place in the plan's order */
    uint64_t offset;  /* of the line's first byte in raw/SEGMENT.jsonl */
    uint32_t length;  /* of the line, its line feed included */
    uint32_t segment; /* from 1 */
    uint32_t crc32c;  /* of the line as it lies there (store/line.h says which bytes) */
    uint16_t status;
    uint16_t endpoint;
};

/** How far an endpoint's records have been read, in its table's order. Zeroed: nothing of it. */
struct record_position {
    uint64_t seed;            /* the plan's own up to this id */
    struct sort_key sort_key; /* what was found, up to this key, and at it ... */
    uint64_t found;           /* ... up to this id */
};

/** A record in the order of its endpoint's table. */
struct placed_record {
    struct record record;
    struct sort_key sort_key; /* where it stands in that order */
    /* The variables of its request, when it was found anew with a lesser key after it had been asked: a JSON
     * object. NULL: those in its line. To free. */
    char *vars;
};

#endif
