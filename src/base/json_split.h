/**
 * Where a large array or object may be cut: the commas between its own members, found without looking at
 * anything else, piece of text by piece of text.
 *
 * The text need not be valid. Then the cuts are nonsense, and the check of what lies between
 * them fails: members that are valid, one by one, and a container that is valid without them
 * make a valid container.
 *
 * Units    bytes.
 * Threads  no state but the caller's.
 */
#ifndef SCRAPETOP_BASE_JSON_SPLIT_H
#define SCRAPETOP_BASE_JSON_SPLIT_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_SPLIT_BLOCK 64

/* Zeroed: right after the container's opening bracket. */
struct json_split {
    size_t depth;    /* containers within the one that is split */
    uint64_t inside; /* all bits: within a string */
    bool escape;     /* the last byte was a backslash with a meaning */
};

struct json_split_found {
    size_t comma; /* the last one that may be cut at, or SIZE_MAX */
    size_t end;   /* the closing bracket, or SIZE_MAX: not yet */
};

/** Goes on over `text`, whose length must be a multiple of JSON_SPLIT_BLOCK unless it is the last. */
struct json_split_found json_split_next(struct json_split *split, struct str text);

#endif
