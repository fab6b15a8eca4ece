#include "table/parquet/dictionary.h"

#include "base/little.h"
#include "table/parquet/keyed_hash.h"
#include "table/parquet/parquet_text.h"
#include "table/parquet/text_head.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES 8
#define SLOTS_MIN 16
/* A larger table grows by half of the steps: DICTIONARY_TEXT_BYTES is about what an entry takes then. */
#define LARGE_SLOTS 4096

/* Says enough of its text to find that with one look at memory. */
struct dictionary_slot {
    uint32_t hash;
    uint32_t entry;   /* + 1; 0 is free */
    uint32_t at, len; /* of the text, in `plain` */
};

struct dictionary_place {
    uint32_t at, len, hash;
};

static_assert(DICTIONARY_NUMBERS_MAX < UINT16_MAX, "an entry fits into its slot");
static_assert(DICTIONARY_BYTES_MAX + DICTIONARY_TEXT_MAX < UINT32_MAX, "places are of 32 bits");

void dictionary_release(struct dictionary *d)
{
    free(d->texts);
    free(d->numbers);
    free(d->places);
    buf_release(&d->plain);
    *d = (struct dictionary){ 0 };
}

size_t dictionary_bytes(const struct dictionary *d)
{
    return d->plain.len +
           (size_t)d->count * (d->numbers ? DICTIONARY_NUMBER_BYTES : DICTIONARY_TEXT_BYTES);
}

/* --- texts ---------------------------------------------------------------------------------------- */

static inline bool is_same(const char *a, const char *b, size_t len)
{
    struct text_head left, right;

    if (len > TEXT_HEAD_BYTES) {
        return memcmp(a, b, len) == 0;
    }
    left = text_head(a, len);
    right = text_head(b, len);
    return left.low == right.low && left.high == right.high;
}

static inline bool is_text(const struct dictionary *d, const struct dictionary_slot *slot,
                           struct str text, uint32_t hash)
{
    return slot->hash == hash && slot->len == text.len &&
           is_same(d->plain.data + slot->at, text.data, text.len);
}

/* Where the text is, or else where it would be. */
static inline struct dictionary_slot *find_text(const struct dictionary *d, struct str text,
                                                uint32_t hash)
{
    uint32_t mask = d->slot_count - 1, at = hash & mask;

    while (d->texts[at].entry && !is_text(d, &d->texts[at], text, hash)) {
        at = (at + 1) & mask;
    }
    return &d->texts[at];
}

/* For one text more; the table stays at most half full. */
static uint32_t wanted_slots(const struct dictionary *d)
{
    if (2 * (d->count + 1) <= d->slot_count) {
        return d->slot_count;
    }
    return d->slot_count == 0            ? SLOTS_MIN
           : d->slot_count < LARGE_SLOTS ? 4 * d->slot_count
                                         : 2 * d->slot_count;
}

static bool grow_texts(struct dictionary *d)
{
    uint32_t slot_count = wanted_slots(d), mask = slot_count - 1;
    struct dictionary_place *places;
    struct dictionary_slot *slots;

    if (slot_count == d->slot_count) {
        return true;
    }
    places = realloc(d->places, slot_count / 2 * sizeof *places);
    if (!places) {
        return false;
    }
    d->places = places;
    slots = calloc(slot_count, sizeof *slots);
    if (!slots) {
        return false;
    }
    for (uint32_t i = 0; i < d->slot_count; i++) {
        uint32_t at = d->texts[i].hash & mask;

        if (d->texts[i].entry) {
            while (slots[at].entry) {
                at = (at + 1) & mask;
            }
            slots[at] = d->texts[i];
        }
    }
    free(d->texts);
    d->texts = slots;
    d->slot_count = slot_count;
    return true;
}

static bool has_room(const struct dictionary *d, struct str text)
{
    return d->count < DICTIONARY_TEXTS_MAX && text.len <= DICTIONARY_TEXT_MAX &&
           dictionary_bytes(d) + PARQUET_LEN_BYTES + text.len + DICTIONARY_TEXT_BYTES <=
               DICTIONARY_BYTES_MAX &&
           (text.len >= DICTIONARY_SHORT_TEXT || d->shorts < DICTIONARY_SHORTS_MAX);
}

__attribute__((noinline)) static enum result add_text(struct dictionary *d, struct str text,
                                                      uint32_t hash, uint32_t *entry)
{
    uint32_t at, len = (uint32_t)text.len;

    *entry = DICTIONARY_FULL;
    if (!has_room(d, text)) {
        return RESULT_OK;
    }
    if (buf_reserve(&d->plain, PARQUET_LEN_BYTES + text.len + TEXT_HEAD_BYTES) != RESULT_OK ||
        !grow_texts(d)) {
        return RESULT_NOMEM;
    }
    little_put_u32(d->plain.data + d->plain.len, len);
    at = (uint32_t)d->plain.len + PARQUET_LEN_BYTES;
    memcpy(d->plain.data + at, text.data, len);
    d->plain.len = at + len;
    *find_text(d, text, hash) = (struct dictionary_slot){ hash, d->count + 1, at, len };
    d->places[d->count] = (struct dictionary_place){ at, len, hash };
    d->shorts += len < DICTIONARY_SHORT_TEXT;
    *entry = d->count++;
    return RESULT_OK;
}

enum result dictionary_text(struct dictionary *d, struct str text, uint32_t hash, uint32_t *entry)
{
    if (d->slot_count) {
        const struct dictionary_slot *slot = find_text(d, text, hash);

        if (slot->entry) {
            *entry = slot->entry - 1;
            return RESULT_OK;
        }
    }
    return add_text(d, text, hash, entry);
}

#define CACHE_LINE 64

void dictionary_approach(const struct dictionary *d, uint32_t hash)
{
    if (d->slot_count) {
        __builtin_prefetch(&d->texts[hash & (d->slot_count - 1)]);
    }
}

void dictionary_approach_text(const struct dictionary *d, uint32_t hash)
{
    const struct dictionary_slot *slot;
    uint32_t mask = d->slot_count - 1, at = hash & mask;

    if (!d->slot_count) {
        return;
    }
    while (d->texts[at].entry && d->texts[at].hash != hash) {
        at = (at + 1) & mask;
    }
    slot = &d->texts[at];
    for (uint32_t line = 0; line < slot->len; line += CACHE_LINE) {
        __builtin_prefetch(d->plain.data + slot->at + line);
    }
}

struct str dictionary_plain_text(const struct dictionary *d, uint32_t entry)
{
    const struct dictionary_place *place = &d->places[entry];

    return (struct str){ d->plain.data + place->at - PARQUET_LEN_BYTES,
                         PARQUET_LEN_BYTES + (size_t)place->len };
}

struct str dictionary_entry_text(const struct dictionary *d, uint32_t entry)
{
    return (struct str){ d->plain.data + d->places[entry].at, d->places[entry].len };
}

uint32_t dictionary_text_hash(const struct dictionary *d, uint32_t entry)
{
    return d->places[entry].hash;
}

/* --- numbers -------------------------------------------------------------------------------------- */

struct str dictionary_plain_number(const struct dictionary *d, uint32_t entry)
{
    return (struct str){ d->plain.data + (size_t)entry * NUMBER_BYTES, NUMBER_BYTES };
}

static inline uint16_t *find_number(const struct dictionary *d, uint64_t bits)
{
    uint32_t mask = d->slot_count - 1, at = keyed_hash_number(bits) & mask;

    while (d->numbers[at] && dictionary_bits(d, d->numbers[at] - 1U) != bits) {
        at = (at + 1) & mask;
    }
    return &d->numbers[at];
}

/* The table stays at most a quarter full: its slots are small, and a look at a second one is rarely foreseen. */
static bool grow_numbers(struct dictionary *d)
{
    uint32_t slot_count = d->slot_count ? 2 * d->slot_count : SLOTS_MIN;
    uint16_t *slots;

    if (4 * (d->count + 1) <= d->slot_count) {
        return true;
    }
    slots = calloc(slot_count, sizeof *slots);
    if (!slots) {
        return false;
    }
    free(d->numbers);
    d->numbers = slots;
    d->slot_count = slot_count;
    for (uint32_t i = 0; i < d->count; i++) {
        *find_number(d, dictionary_bits(d, i)) = (uint16_t)(i + 1);
    }
    return true;
}

__attribute__((noinline)) static enum result add_number(struct dictionary *d, uint64_t bits,
                                                        uint32_t *entry)
{
    *entry = DICTIONARY_FULL;
    if (d->count == DICTIONARY_NUMBERS_MAX) {
        return RESULT_OK;
    }
    if (buf_reserve(&d->plain, NUMBER_BYTES) != RESULT_OK || !grow_numbers(d)) {
        return RESULT_NOMEM;
    }
    little_put_u64(d->plain.data + d->plain.len, bits);
    d->plain.len += NUMBER_BYTES;
    *entry = d->count++;
    *find_number(d, bits) = (uint16_t)d->count;
    return RESULT_OK;
}

enum result dictionary_number(struct dictionary *d, uint64_t bits, uint32_t *entry)
{
    uint16_t *slot = d->slot_count ? find_number(d, bits) : NULL;

    if (slot && *slot) {
        *entry = *slot - 1U;
        return RESULT_OK;
    }
    return add_number(d, bits, entry);
}
