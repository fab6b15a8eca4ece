/**
 * The distinct strings of a column, as long as they are few; and the dictionary made of them.
 *
 * Pass 1 of a table gathers them, so that a Parquet column whose values repeat is written as numbers
 * of dictionary entries. Past a ceiling the set gives up for good. Since a union is never smaller
 * than its parts, the sets of several workers give the same dictionary, or none, in whatever order
 * they are merged; the dictionary is sorted by bytes, so it does not depend on what was seen first.
 *
 * Ownership  distinct_release, dictionary_free.
 * Errors     RESULT_NOMEM.
 * Threads    a set has one writer; a dictionary is read-only.
 */
#ifndef SCRAPETOP_NORMALISE_DISTINCT_H
#define SCRAPETOP_NORMALISE_DISTINCT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define DISTINCT_STRINGS_MAX 1024
#define DISTINCT_TEXT_MAX 256 /* bytes: texts that long are hardly ever the same */
#define DISTINCT_BYTES_MAX ((size_t)16 << 10)

/* Zeroed: empty. */
struct distinct {
    bool given_up;
    uint32_t count;
    uint32_t *slots; /* open addressing: string + 1, 0 is free */
    uint32_t slot_count;
    uint32_t *ends; /* in `bytes`, by string */
    struct buf bytes;
    uint32_t last; /* met last: values often repeat */
};

void distinct_release(struct distinct *set);

MUST_CHECK enum result distinct_add(struct distinct *set, struct str text);

/** The set is of no more use: it forgets everything, and whatever it is merged into does, too. */
void distinct_give_up(struct distinct *set);

MUST_CHECK enum result distinct_merge(struct distinct *into, const struct distinct *from);

struct dictionary;

/** `*dictionary` is NULL for a set that gave up. */
MUST_CHECK enum result dictionary_new(struct dictionary **dictionary, const struct distinct *set);
void dictionary_free(struct dictionary *dictionary);

uint32_t dictionary_count(const struct dictionary *dictionary);
struct str dictionary_text(const struct dictionary *dictionary, uint32_t entry);

/** The entry, or dictionary_count when there is none of that text. `guess` is tried first. */
uint32_t dictionary_find(const struct dictionary *dictionary, struct str text, uint32_t guess);

#endif
