#include "normalise/numbers.h"

#include "normalise/keyed_hash.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct number_dictionary {
    uint32_t count;
    uint64_t *values; /* ascending */
    uint16_t *slots;  /* entry + 1, open addressing; 0 is free */
    uint32_t slot_count;
};

static_assert(NUMBERS_MAX < UINT16_MAX, "an entry fits into its slot");

static inline uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

void numbers_release(struct numbers *set)
{
    free(set->slots);
    *set = (struct numbers){ .given_up = set->given_up };
}

void numbers_give_up(struct numbers *set)
{
    set->given_up = true;
    numbers_release(set);
}

uint32_t numbers_count(const struct numbers *set)
{
    return set->count + set->has_zero;
}

/* Where the number is, or else where it would be. */
static inline uint64_t *find_slot(uint64_t *slots, uint32_t slot_count, uint64_t bits)
{
    uint32_t mask = slot_count - 1, at = keyed_hash_number(bits) & mask;

    while (slots[at] && slots[at] != bits) {
        at = (at + 1) & mask;
    }
    return &slots[at];
}

/* Room for one more; the table stays at most half full. */
static bool grow(struct numbers *set)
{
    uint32_t slot_count = set->slot_count ? 2 * set->slot_count : 16;
    uint64_t *slots;

    if (2 * (set->count + 1) <= set->slot_count) {
        return true;
    }
    slots = calloc(slot_count, sizeof *slots);
    if (!slots) {
        return false;
    }
    for (uint32_t i = 0; i < set->slot_count; i++) {
        if (set->slots[i]) {
            *find_slot(slots, slot_count, set->slots[i]) = set->slots[i];
        }
    }
    free(set->slots);
    set->slots = slots;
    set->slot_count = slot_count;
    return true;
}

static enum result add_bits(struct numbers *set, uint64_t bits, uint32_t max)
{
    uint64_t *slot;

    if (bits == 0) {
        set->has_zero = true;
        return RESULT_OK;
    }
    if (!grow(set)) {
        return RESULT_NOMEM;
    }
    slot = find_slot(set->slots, set->slot_count, bits);
    set->last = bits;
    if (*slot) {
        return RESULT_OK;
    }
    if (set->count == max || set->count == NUMBERS_MAX) {
        numbers_give_up(set);
        return RESULT_OK;
    }
    *slot = bits;
    set->count++;
    return RESULT_OK;
}

/* From now on the set is one of doubles. */
static enum result to_fractions(struct numbers *set, uint32_t max)
{
    struct numbers whole = *set;
    enum result result = RESULT_OK;

    *set = (struct numbers){ .form = NUMBERS_FRACTION,
                             .has_zero = whole.has_zero,
                             .total = whole.total };
    for (uint32_t i = 0; result == RESULT_OK && !set->given_up && i < whole.slot_count; i++) {
        if (whole.slots[i]) {
            result = add_bits(set, bits_of((double)(int64_t)whole.slots[i]), max);
        }
    }
    free(whole.slots);
    return result;
}

/* False when nothing is to be added, for `*result`. */
static bool take_form(struct numbers *set, enum numbers_form form, uint32_t max,
                      enum result *result)
{
    *result = RESULT_OK;
    if (set->given_up || set->form == form) {
        return !set->given_up;
    }
    if (set->form == NUMBERS_NONE) {
        set->form = form;
    } else if (set->form == NUMBERS_TIME || form == NUMBERS_TIME) {
        numbers_give_up(set);
    } else if (form == NUMBERS_FRACTION) {
        *result = to_fractions(set, max);
    }
    return *result == RESULT_OK && !set->given_up;
}

static inline enum result add(struct numbers *set, enum numbers_form form, uint64_t bits,
                              uint32_t max)
{
    enum result result;

    if (set->form != form && !take_form(set, form, max, &result)) {
        return result;
    }
    set->total++;
    return set->last == bits && bits ? RESULT_OK : add_bits(set, bits, max);
}

enum result numbers_add_whole(struct numbers *set, int64_t value, uint32_t max)
{
    return set->form == NUMBERS_FRACTION ? add(set, NUMBERS_FRACTION, bits_of((double)value), max)
                                         : add(set, NUMBERS_WHOLE, (uint64_t)value, max);
}

enum result numbers_add_fraction(struct numbers *set, double value, uint32_t max)
{
    return add(set, NUMBERS_FRACTION, bits_of(value), max);
}

enum result numbers_add_time(struct numbers *set, int64_t us, uint32_t max)
{
    return add(set, NUMBERS_TIME, (uint64_t)us, max);
}

enum result numbers_merge(struct numbers *into, const struct numbers *from, uint32_t max)
{
    enum result result = RESULT_OK;

    if (from->given_up) {
        numbers_give_up(into);
    }
    if (from->form == NUMBERS_NONE || into->given_up) {
        return RESULT_OK;
    }
    if (!take_form(into, from->form, max, &result)) {
        return result;
    }
    for (uint32_t i = 0; result == RESULT_OK && !into->given_up && i < from->slot_count; i++) {
        uint64_t bits = from->slots[i];

        if (bits) {
            bool turns = from->form == NUMBERS_WHOLE && into->form == NUMBERS_FRACTION;

            result = add_bits(into, turns ? bits_of((double)(int64_t)bits) : bits, max);
        }
    }
    into->has_zero |= from->has_zero && !into->given_up;
    into->total += from->total;
    return result;
}

static int by_whole(const void *left, const void *right)
{
    int64_t a, b;

    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    return (a > b) - (a < b);
}

static int by_fraction(const void *left, const void *right)
{
    double a, b;

    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    return a != b ? (a > b) - (a < b) : !!signbit(b) - !!signbit(a);
}

static void fill(struct number_dictionary *d, const struct numbers *set)
{
    uint32_t mask = d->slot_count - 1;

    if (set->has_zero) {
        d->values[d->count++] = 0;
    }
    for (uint32_t i = 0; i < set->slot_count; i++) {
        if (set->slots[i]) {
            d->values[d->count++] = set->slots[i];
        }
    }
    qsort(d->values, d->count, sizeof *d->values,
          set->form == NUMBERS_FRACTION ? by_fraction : by_whole);
    for (uint32_t i = 0; i < d->count; i++) {
        uint32_t at = keyed_hash_number(d->values[i]) & mask;

        while (d->slots[at]) {
            at = (at + 1) & mask;
        }
        d->slots[at] = (uint16_t)(i + 1);
    }
}

enum result number_dictionary_new(struct number_dictionary **dictionary, const struct numbers *set)
{
    struct number_dictionary *d = calloc(1, sizeof *d);

    *dictionary = NULL;
    if (!d) {
        return RESULT_NOMEM;
    }
    for (d->slot_count = 16; d->slot_count < 2 * (numbers_count(set) + 1);) {
        d->slot_count *= 2;
    }
    d->values = calloc(numbers_count(set) + 1U, sizeof *d->values);
    d->slots = calloc(d->slot_count, sizeof *d->slots);
    if (!d->values || !d->slots) {
        number_dictionary_free(d);
        return RESULT_NOMEM;
    }
    fill(d, set);
    *dictionary = d;
    return RESULT_OK;
}

void number_dictionary_free(struct number_dictionary *d)
{
    if (d) {
        free(d->values);
        free(d->slots);
        free(d);
    }
}

uint32_t number_dictionary_count(const struct number_dictionary *d)
{
    return d->count;
}

uint64_t number_dictionary_bits(const struct number_dictionary *d, uint32_t entry)
{
    return d->values[entry];
}

uint32_t number_dictionary_find(const struct number_dictionary *d, uint64_t bits)
{
    uint32_t mask = d->slot_count - 1, at = keyed_hash_number(bits) & mask;

    while (d->slots[at] && d->values[d->slots[at] - 1] != bits) {
        at = (at + 1) & mask;
    }
    return d->slots[at] ? d->slots[at] - 1U : d->count;
}
