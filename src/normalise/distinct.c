#include "normalise/distinct.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Says enough of its text to find that with one look at memory. */
struct entry_slot {
    uint32_t hash;
    uint32_t entry;   /* + 1; 0 is free */
    uint32_t at, len; /* in the bytes */
};

struct dictionary {
    uint32_t count;
    struct str *texts;        /* sorted; views into `bytes` */
    struct entry_slot *slots; /* open addressing */
    uint32_t slot_count;
    uint64_t seed;
    struct buf bytes;
};

__extension__ typedef unsigned __int128 u128;

static inline uint64_t load(const char *p, size_t len)
{
    uint64_t value = 0;

    memcpy(&value, p, len);
    return value;
}

/* Both halves of the product: every bit of the result depends on all bits of both. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    u128 product = (u128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

struct hash {
    uint64_t half[2];
};

/* Sixteen bytes at a time, in two lanes; the secret seed is in every product, so that none can be made
 * zero. */
static inline struct hash hash_text(uint64_t seed, struct str text)
{
    const uint64_t odd = UINT64_C(0x9E3779B97F4A7C15), other = ~seed * odd;
    uint64_t a = seed ^ text.len * odd, b = other ^ text.len, low = 0, high = 0;
    const char *p = text.data;
    size_t left = text.len;

    for (; left > 16; p += 16, left -= 16) {
        low = load(p, 8);
        high = load(p + 8, 8);
        a = fold(low ^ a, high ^ seed);
        b = fold(high ^ b, low ^ other);
    }
    if (left >= 8) {
        low = load(p, 8);
        high = load(p + left - 8, 8);
    } else if (left >= 4) {
        low = load(p, 4);
        high = load(p + left - 4, 4);
    } else {
        low = left ? load(p, 1) | load(p + left / 2, 1) << 8 : 0;
        high = left ? load(p + left - 1, 1) : 0;
    }
    return (struct hash){ { fold(fold(low ^ a, high ^ seed), odd),
                            fold(fold(high ^ b, low ^ other), odd) } };
}

static uint64_t draw_seed(const void *place)
{
    uint64_t seed;

    /* Without the kernel's, where memory happens to lie is a secret, too. */
    return getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed
               ? seed
               : (uint64_t)(uintptr_t)place * UINT64_C(0xD6E8FEB86659FD93);
}

static inline bool holds(const char *bytes, uint32_t at, uint32_t len, struct str text)
{
    return len == text.len && memcmp(bytes + at, text.data, text.len) == 0;
}

static struct str text_of(const struct distinct *set, uint32_t string)
{
    return (struct str){ set->bytes.data + set->strings[string].at, set->strings[string].len };
}

void distinct_release(struct distinct *set)
{
    free(set->slots);
    free(set->strings);
    buf_release(&set->bytes);
    *set = (struct distinct){ .given_up = set->given_up };
}

void distinct_give_up(struct distinct *set)
{
    set->given_up = true;
    distinct_release(set);
}

size_t distinct_bytes(const struct distinct *set)
{
    return set->bytes.len + (size_t)set->count * DISTINCT_ENTRY_BYTES;
}

/* Where the string is, or else where it would be. */
static struct distinct_slot *find_slot(struct distinct_slot *slots, uint32_t slot_count,
                                       uint64_t hash, uint32_t more)
{
    uint32_t mask = slot_count - 1, at = (uint32_t)hash & mask;

    while (slots[at].string && (slots[at].hash != hash || slots[at].more != more)) {
        at = (at + 1) & mask;
    }
    return &slots[at];
}

/* Room for one string more; the table stays at most half full. */
static bool grow(struct distinct *set)
{
    uint32_t slot_count = set->slot_count ? 2 * set->slot_count : 16;
    struct distinct_string *strings;
    struct distinct_slot *slots;

    if (2 * (set->count + 1) <= set->slot_count) {
        return true;
    }
    strings = realloc(set->strings, slot_count / 2 * sizeof *strings);
    if (!strings) {
        return false;
    }
    set->strings = strings;
    slots = calloc(slot_count, sizeof *slots);
    if (!slots) {
        return false;
    }
    if (!set->slots) {
        set->seed = draw_seed(slots);
    }
    for (uint32_t i = 0; i < set->slot_count; i++) {
        const struct distinct_slot *old = &set->slots[i];

        if (old->string) {
            *find_slot(slots, slot_count, old->hash, old->more) = *old;
        }
    }
    free(set->slots);
    set->slots = slots;
    set->slot_count = slot_count;
    return true;
}

static bool has_room(const struct distinct *set, struct str text, size_t bytes_max)
{
    size_t bytes = distinct_bytes(set) + text.len + DISTINCT_ENTRY_BYTES;

    return set->count < DISTINCT_STRINGS_MAX && bytes <= bytes_max && bytes <= DISTINCT_BYTES_MAX &&
           (text.len >= DISTINCT_SHORT_TEXT || set->shorts < DISTINCT_SHORTS_MAX);
}

/* One of the column's texts; who calls counts it. */
static enum result add(struct distinct *set, struct str text, size_t bytes_max)
{
    struct distinct_slot *slot;
    struct hash hash;

    if (set->count && holds(set->bytes.data, set->last.at, set->last.len, text)) {
        return RESULT_OK;
    }
    if (text.len > DISTINCT_TEXT_MAX) {
        distinct_give_up(set);
        return RESULT_OK;
    }
    if (!grow(set) || buf_reserve(&set->bytes, 1) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    hash = hash_text(set->seed, text);
    slot = find_slot(set->slots, set->slot_count, hash.half[0], (uint32_t)hash.half[1]);
    if (slot->string) {
        set->last = set->strings[slot->string - 1];
        return RESULT_OK;
    }
    if (!has_room(set, text, bytes_max)) {
        distinct_give_up(set);
        return RESULT_OK;
    }
    set->last = (struct distinct_string){ (uint32_t)set->bytes.len, (uint32_t)text.len };
    set->strings[set->count++] = set->last;
    set->shorts += text.len < DISTINCT_SHORT_TEXT;
    *slot = (struct distinct_slot){ hash.half[0], (uint32_t)hash.half[1], set->count };
    return buf_append_str(&set->bytes, text);
}

enum result distinct_add(struct distinct *set, struct str text, size_t bytes_max)
{
    if (set->given_up) {
        return RESULT_OK;
    }
    set->total_count++;
    set->total_bytes += text.len;
    return add(set, text, bytes_max);
}

enum result distinct_merge(struct distinct *into, const struct distinct *from, size_t bytes_max)
{
    enum result result = RESULT_OK;

    if (from->given_up) {
        distinct_give_up(into);
    }
    for (uint32_t i = 0; result == RESULT_OK && !into->given_up && i < from->count; i++) {
        result = add(into, text_of(from, i), bytes_max);
    }
    if (!into->given_up) {
        into->total_count += from->total_count;
        into->total_bytes += from->total_bytes;
    }
    return result;
}

static int by_bytes(const void *left, const void *right)
{
    const struct str *a = left, *b = right;
    int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);

    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static struct entry_slot *find_entry(const struct dictionary *d, struct str text, uint32_t hash)
{
    uint32_t mask = d->slot_count - 1, at = hash & mask;

    while (d->slots[at].entry && (d->slots[at].hash != hash ||
                                  !holds(d->bytes.data, d->slots[at].at, d->slots[at].len, text))) {
        at = (at + 1) & mask;
    }
    return &d->slots[at];
}

static void fill(struct dictionary *d, const struct distinct *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        d->texts[d->count++] =
            (struct str){ d->bytes.data + set->strings[i].at, set->strings[i].len };
    }
    qsort(d->texts, d->count, sizeof *d->texts, by_bytes);
    for (uint32_t i = 0; i < d->count; i++) {
        struct str text = d->texts[i];
        uint32_t hash = (uint32_t)hash_text(d->seed, text).half[0];

        *find_entry(d, text, hash) =
            (struct entry_slot){ hash, i + 1, (uint32_t)(text.data - d->bytes.data),
                                 (uint32_t)text.len };
    }
}

enum result dictionary_new(struct dictionary **dictionary, const struct distinct *set)
{
    struct dictionary *d;

    *dictionary = NULL;
    if (set->given_up) {
        return RESULT_OK;
    }
    d = calloc(1, sizeof *d);
    if (!d) {
        return RESULT_NOMEM;
    }
    d->slot_count = set->slot_count ? set->slot_count : 1;
    d->seed = set->seed;
    d->texts = calloc(set->count + 1U, sizeof *d->texts);
    d->slots = calloc(d->slot_count, sizeof *d->slots);
    if (!d->texts || !d->slots || buf_reserve(&d->bytes, set->bytes.len + 1) != RESULT_OK ||
        buf_append_str(&d->bytes, buf_view(&set->bytes)) != RESULT_OK) {
        dictionary_free(d);
        return RESULT_NOMEM;
    }
    fill(d, set);
    *dictionary = d;
    return RESULT_OK;
}

void dictionary_free(struct dictionary *d)
{
    if (d) {
        free(d->texts);
        free(d->slots);
        buf_release(&d->bytes);
        free(d);
    }
}

uint32_t dictionary_count(const struct dictionary *d)
{
    return d->count;
}

struct str dictionary_text(const struct dictionary *d, uint32_t entry)
{
    return d->texts[entry];
}

#define CACHE_LINE 64

uint32_t dictionary_hash(const struct dictionary *d, struct str text)
{
    uint32_t hash = (uint32_t)hash_text(d->seed, text).half[0];

    __builtin_prefetch(&d->slots[hash & (d->slot_count - 1)]);
    return hash;
}

void dictionary_approach(const struct dictionary *d, uint32_t hash)
{
    const struct entry_slot *slot = &d->slots[hash & (d->slot_count - 1)];

    for (uint32_t at = 0; at < slot->len; at += CACHE_LINE) {
        __builtin_prefetch(d->bytes.data + slot->at + at);
    }
}

uint32_t dictionary_find(const struct dictionary *d, struct str text, uint32_t hash)
{
    const struct entry_slot *slot = find_entry(d, text, hash);

    return slot->entry ? slot->entry - 1 : d->count;
}
