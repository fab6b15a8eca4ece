/**
 * The distinct strings of a column, as long as they are few; and the dictionary made of them.
 *
 * Pass 1 of a table gathers them, so that a Parquet column whose values repeat is written as numbers
 * of dictionary entries. Past a ceiling the set gives up for good. Since a union is never smaller
 * than its parts, the sets of several workers give the same dictionary, or none, in whatever order
 * they are merged; the dictionary is sorted by bytes, so it does not depend on what was seen first.
 *
 * A set takes strings for the same whose 96 bits of a hash with a secret key are, as it would else wait
 * for memory at every value. A dictionary compares all bytes: were it ever wrong, a string
 * would be missing there, but never another one be found in its place.
 *
 * Whoever looks up a text hashes it first (keyed_hash_text). Between that and the look lies time in which memory can be
 * asked for, for many texts at once: a large set or dictionary lies in no near cache.
 *
 * Ownership  distinct_release, dictionary_free; a dictionary's texts are views into its set.
 * Units      `bytes_max`: of the texts, and DISTINCT_ENTRY_BYTES for each of them.
 * Errors     RESULT_NOMEM.
 * Threads    a set has one writer; a dictionary is read-only.
 */
#ifndef SCRAPETOP_NORMALISE_DISTINCT_H
#define SCRAPETOP_NORMALISE_DISTINCT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "normalise/keyed_hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISTINCT_STRINGS_MAX 65536
#define DISTINCT_TEXT_MAX 4096 /* bytes: texts that long are hardly ever the same */
#define DISTINCT_BYTES_MAX ((size_t)8 << 20)
/* Looking a text up in a large set costs as much as compressing some dozens of bytes: of shorter ones, no
 * more than these. */
#define DISTINCT_SHORT_TEXT 16
#define DISTINCT_SHORTS_MAX 4096
#define DISTINCT_ENTRY_BYTES 64 /* what a string costs besides its text */

struct distinct_slot {
    uint64_t hash; /* 64 of its bits, and 32 more */
    uint32_t more;
    uint32_t string; /* + 1; 0 is free */
};

struct distinct_string {
    uint32_t at, len; /* in the bytes */
};

/* Zeroed: empty. */
struct distinct {
    bool given_up;
    uint32_t count, shorts;      /* shorts: texts under DISTINCT_SHORT_TEXT */
    struct distinct_slot *slots; /* open addressing */
    uint32_t slot_count;
    struct distinct_string *strings;
    struct buf bytes;
    uint64_t total_count, total_bytes; /* of all texts that were added, repeated ones too */
};

void distinct_release(struct distinct *set);

/** Asks for the memory that distinct_add will look at. */
static inline void distinct_approach(const struct distinct *set, struct keyed_hash hash)
{
    if (set->slots) {
        __builtin_prefetch(&set->slots[(uint32_t)hash.half[0] & (set->slot_count - 1)]);
    }
}

/** Gives up when the set would outgrow `bytes_max`, or DISTINCT_BYTES_MAX. */
MUST_CHECK enum result distinct_add(struct distinct *set, struct str text, struct keyed_hash hash,
                                    size_t bytes_max);

/** The set is of no more use: it forgets everything, and whatever it is merged into does, too. */
void distinct_give_up(struct distinct *set);

/** What `from` holds may move: it is only to be released then. */
MUST_CHECK enum result distinct_merge(struct distinct *into, struct distinct *from,
                                      size_t bytes_max);

size_t distinct_bytes(const struct distinct *set);

struct dictionary;

/** Of a set that stays as it is; `*dictionary` is NULL for one that gave up. */
MUST_CHECK enum result dictionary_new(struct dictionary **dictionary, const struct distinct *set);
void dictionary_free(struct dictionary *dictionary);

uint32_t dictionary_count(const struct dictionary *dictionary);
struct str dictionary_text(const struct dictionary *dictionary, uint32_t entry);

/** Ask for the memory that dictionary_find will look at: the first at once when a text is hashed, the
 *  second later, when what the first asked for has come. */
void dictionary_approach(const struct dictionary *dictionary, struct keyed_hash hash);
void dictionary_approach_text(const struct dictionary *dictionary, struct keyed_hash hash);

/** The entry, or dictionary_count when there is none of that text. */
uint32_t dictionary_find(const struct dictionary *dictionary, struct str text,
                         struct keyed_hash hash);

#endif
