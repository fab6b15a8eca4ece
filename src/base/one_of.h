/**
 * Whether a text is one of a list of words.
 */
#ifndef SCRAPETOP_BASE_ONE_OF_H
#define SCRAPETOP_BASE_ONE_OF_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/** `list` is an array of struct str, not a pointer to one. */
#define ONE_OF(word, list) one_of(word, list, sizeof(list) / sizeof((list)[0]))

static inline bool one_of(struct str word, const struct str *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(word, list[i])) {
            return true;
        }
    }
    return false;
}

#endif
