/**
 * Timestamps: strings in the forms of RFC 3339, or in the ISO 8601 forms next to it.
 *
 * Those are a space for the T, the offset as +0100 or +01, a time without seconds, a date alone, and no
 * offset (taken as UTC). Nothing is lost by reading one: with more than six digits of a second's fraction
 * it is none, unless the further ones are zeros; nor is one with the second 60.
 *
 * Units    microseconds since 1970-01-01 UTC.
 * Threads  no state.
 */
#ifndef SCRAPETOP_BASE_TIMESTAMP_H
#define SCRAPETOP_BASE_TIMESTAMP_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define TIMESTAMP_TEXT_MIN 10 /* of a date alone */
#define TIMESTAMP_TEXT_MAX 40

/** timestamp_parse, of a text that is between these lengths. */
bool timestamp_read(struct str text, int64_t *us);

/** False when the text is no timestamp; `*us` is then undefined. Inline as most strings are told apart by
 *  their fifth byte. */
static inline bool timestamp_parse(struct str text, int64_t *us)
{
    return text.len >= TIMESTAMP_TEXT_MIN && text.len <= TIMESTAMP_TEXT_MAX &&
           text.data[4] == '-' && timestamp_read(text, us);
}

/** For deadlines: a text that is finer than a microsecond gives the next one. */
bool timestamp_parse_up(struct str text, int64_t *us);

#endif
