/**
 * Grow: room for one more element of an array on the heap.
 *
 * Ownership  the array is the caller's, before and after; on failure it is as it was.
 * Errors     NULL when out of memory, or when its bytes cannot be counted.
 */
#ifndef SCRAPETOP_BASE_GROW_H
#define SCRAPETOP_BASE_GROW_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define GROW_FIRST 16 /* elements of the first allocation */

/** Room for `count` + 1 elements of `size` bytes: the array, moved if need be. `*cap` is the room in elements, at
 *  first 0. Twice as much each time, so that adding costs the same however long it is. */
static inline void *grow_by_one(void *array, size_t count, size_t *cap, size_t size)
{
    size_t more = *cap ? *cap * 2 : GROW_FIRST;
    void *grown;

    if (count < *cap) {
        return array;
    }
    if (more > SIZE_MAX / 2 / size) {
        return NULL;
    }
    grown = realloc(array, more * size);
    if (grown) {
        *cap = more;
    }
    return grown;
}

#endif
