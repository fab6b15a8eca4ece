/**
 * The distinct numbers of a column, as long as they are few; and the dictionary made of them.
 *
 * What normalise/distinct.h is for strings: pass 1 gathers a column's values, and where they repeat a
 * Parquet column is written as indices. Past a ceiling the set gives up for good, and sets of several
 * workers give the same dictionary, or none, in whatever order they are merged.
 *
 * A number is kept as what Parquet stores for it: an int64 (whole numbers, microseconds of a timestamp)
 * or the bits of a double. A column of whole numbers and fractions is one of doubles, so whole numbers
 * turn into doubles when the first fraction is met; two that are told apart before are then still, as
 * types_decide calls no column double that would lose one.
 *
 * Ownership  numbers_release, number_dictionary_free.
 * Errors     RESULT_NOMEM.
 * Threads    a set has one writer; a dictionary is read-only.
 */
#ifndef SCRAPETOP_NORMALISE_NUMBERS_H
#define SCRAPETOP_NORMALISE_NUMBERS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMBERS_MAX 4096       /* more take longer to look up than they save */
#define NUMBERS_ENTRY_BYTES 32 /* what one takes at most, the room for growth included */

enum numbers_form {
    NUMBERS_NONE,
    NUMBERS_WHOLE,
    NUMBERS_FRACTION, /* and whole ones, as doubles */
    NUMBERS_TIME,
};

/* Zeroed: empty. */
struct numbers {
    bool given_up, has_zero;
    enum numbers_form form;
    uint32_t count;  /* without the zero */
    uint64_t *slots; /* open addressing; 0 is free */
    uint32_t slot_count;
    uint64_t last;  /* values often repeat */
    uint64_t total; /* of all that were added, repeated ones too */
};

void numbers_release(struct numbers *set);
void numbers_give_up(struct numbers *set);

/** Gives up past `max` numbers, or NUMBERS_MAX, and when times and others meet. */
MUST_CHECK enum result numbers_add_whole(struct numbers *set, int64_t value, uint32_t max);
MUST_CHECK enum result numbers_add_fraction(struct numbers *set, double value, uint32_t max);
MUST_CHECK enum result numbers_add_time(struct numbers *set, int64_t us, uint32_t max);

MUST_CHECK enum result numbers_merge(struct numbers *into, const struct numbers *from,
                                     uint32_t max);

/** How many there are. */
uint32_t numbers_count(const struct numbers *set);

struct number_dictionary;

/** In ascending order, a negative zero before the other. */
MUST_CHECK enum result number_dictionary_new(struct number_dictionary **dictionary,
                                             const struct numbers *set);
void number_dictionary_free(struct number_dictionary *dictionary);

uint32_t number_dictionary_count(const struct number_dictionary *dictionary);

/** As Parquet stores it. */
uint64_t number_dictionary_bits(const struct number_dictionary *dictionary, uint32_t entry);

/** The entry, or number_dictionary_count when there is none with these bits. */
uint32_t number_dictionary_find(const struct number_dictionary *dictionary, uint64_t bits);

#endif
