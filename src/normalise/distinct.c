#include "normalise/distinct.h"

#include <stdlib.h>
#include <string.h>

struct dictionary {
    uint32_t count;
    struct str *texts; /* sorted; views into `bytes` */
    uint32_t *slots;
    uint32_t slot_count;
    struct buf bytes;
};

static uint64_t hash_text(struct str text)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325); /* FNV-1a */

    for (size_t i = 0; i < text.len; i++) {
        h = (h ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001B3);
    }
    return h ^ h >> 29;
}

static struct str text_of(const struct distinct *set, uint32_t string)
{
    uint32_t at = string ? set->ends[string - 1] : 0;

    return (struct str){ set->bytes.data + at, set->ends[string] - at };
}

void distinct_release(struct distinct *set)
{
    free(set->slots);
    free(set->ends);
    buf_release(&set->bytes);
    *set = (struct distinct){ .given_up = set->given_up };
}

void distinct_give_up(struct distinct *set)
{
    set->given_up = true;
    distinct_release(set);
}

static uint32_t *find_slot(const struct distinct *set, struct str text)
{
    uint32_t mask = set->slot_count - 1, at = (uint32_t)hash_text(text) & mask;

    while (set->slots[at] && !str_equal(text_of(set, set->slots[at] - 1), text)) {
        at = (at + 1) & mask;
    }
    return &set->slots[at];
}

/* Room for one string more; the table stays at most half full. */
static bool grow(struct distinct *set)
{
    uint32_t slot_count = set->slot_count ? 2 * set->slot_count : 16, *ends;

    if (2 * (set->count + 1) <= set->slot_count) {
        return true;
    }
    ends = realloc(set->ends, slot_count / 2 * sizeof *ends);
    if (!ends) {
        return false;
    }
    set->ends = ends;
    free(set->slots);
    set->slots = calloc(slot_count, sizeof *set->slots);
    set->slot_count = set->slots ? slot_count : 0;
    for (uint32_t i = 0; set->slots && i < set->count; i++) {
        *find_slot(set, text_of(set, i)) = i + 1;
    }
    return set->slots != NULL;
}

enum result distinct_add(struct distinct *set, struct str text)
{
    uint32_t *slot;

    if (set->given_up) {
        return RESULT_OK;
    }
    if (set->count && str_equal(text_of(set, set->last), text)) {
        return RESULT_OK;
    }
    if (text.len > DISTINCT_TEXT_MAX) {
        distinct_give_up(set);
        return RESULT_OK;
    }
    if (!grow(set) || buf_reserve(&set->bytes, 1) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    slot = find_slot(set, text);
    if (*slot) {
        set->last = *slot - 1;
        return RESULT_OK;
    }
    if (set->count == DISTINCT_STRINGS_MAX || set->bytes.len + text.len > DISTINCT_BYTES_MAX) {
        distinct_give_up(set);
        return RESULT_OK;
    }
    if (buf_append_str(&set->bytes, text) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    set->last = set->count;
    set->ends[set->count++] = (uint32_t)set->bytes.len;
    *slot = set->count;
    return RESULT_OK;
}

enum result distinct_merge(struct distinct *into, const struct distinct *from)
{
    enum result result = RESULT_OK;

    if (from->given_up) {
        distinct_give_up(into);
    }
    for (uint32_t i = 0; result == RESULT_OK && i < from->count; i++) {
        result = distinct_add(into, text_of(from, i));
    }
    return result;
}

static int by_bytes(const void *left, const void *right)
{
    const struct str *a = left, *b = right;
    int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);

    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static void fill(struct dictionary *d, const struct distinct *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        struct str text = text_of(set, i);

        d->texts[i] = (struct str){ d->bytes.data + (text.data - set->bytes.data), text.len };
    }
    d->count = set->count;
    qsort(d->texts, d->count, sizeof *d->texts, by_bytes);
    for (uint32_t i = 0; i < d->count; i++) {
        uint32_t at = (uint32_t)hash_text(d->texts[i]) & (d->slot_count - 1);

        while (d->slots[at]) {
            at = (at + 1) & (d->slot_count - 1);
        }
        d->slots[at] = i + 1;
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

uint32_t dictionary_find(const struct dictionary *d, struct str text, uint32_t guess)
{
    uint32_t mask = d->slot_count - 1, at;

    if (guess < d->count && str_equal(d->texts[guess], text)) {
        return guess;
    }
    for (at = (uint32_t)hash_text(text) & mask; d->slots[at]; at = (at + 1) & mask) {
        if (str_equal(d->texts[d->slots[at] - 1], text)) {
            return d->slots[at] - 1;
        }
    }
    return d->count;
}
