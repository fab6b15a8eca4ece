#include "normalise/distinct.h"

#include <stdlib.h>
#include <string.h>

/* Says enough of its text to find that with one look at memory. */
struct entry_slot {
    uint32_t hash;
    uint32_t entry;   /* + 1; 0 is free */
    uint32_t at, len; /* in the bytes */
};

struct dictionary {
    uint32_t count;
    const char *bytes;        /* the set's */
    struct str *texts;        /* sorted; views into `bytes` */
    struct entry_slot *slots; /* open addressing, each string where the set has it */
    uint32_t slot_count;
};

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

/* A larger table grows by half of the steps: DISTINCT_ENTRY_BYTES is about what an entry takes then. */
#define LARGE_SLOTS 4096

/* Room for one string more; the table stays at most half full. */
static bool grow(struct distinct *set)
{
    uint32_t slot_count = !set->slot_count                ? 16
                          : set->slot_count < LARGE_SLOTS ? 4 * set->slot_count
                                                          : 2 * set->slot_count;
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
static enum result add(struct distinct *set, struct str text, uint64_t hash, uint32_t more,
                       size_t bytes_max)
{
    struct distinct_slot *slot;

    if (!grow(set)) {
        return RESULT_NOMEM;
    }
    slot = find_slot(set->slots, set->slot_count, hash, more);
    if (slot->string) {
        return RESULT_OK;
    }
    if (!has_room(set, text, bytes_max)) {
        distinct_give_up(set);
        return RESULT_OK;
    }
    set->strings[set->count++] =
        (struct distinct_string){ (uint32_t)set->bytes.len, (uint32_t)text.len };
    set->shorts += text.len < DISTINCT_SHORT_TEXT;
    *slot = (struct distinct_slot){ hash, more, set->count };
    return buf_append_str(&set->bytes, text);
}

enum result distinct_add(struct distinct *set, struct str text, struct keyed_hash hash,
                         size_t bytes_max)
{
    if (set->given_up) {
        return RESULT_OK;
    }
    if (text.len > DISTINCT_TEXT_MAX) {
        distinct_give_up(set);
        return RESULT_OK;
    }
    set->total_count++;
    set->total_bytes += text.len;
    return add(set, text, hash.half[0], (uint32_t)hash.half[1], bytes_max);
}

enum result distinct_merge(struct distinct *into, struct distinct *from, size_t bytes_max)
{
    enum result result = RESULT_OK;

    if (from->given_up) {
        distinct_give_up(into);
    }
    if (into->given_up) {
        return RESULT_OK;
    }
    if (!into->slots) {
        *into = *from;
        *from = (struct distinct){ .given_up = false };
        return RESULT_OK;
    }
    for (uint32_t i = 0; result == RESULT_OK && !into->given_up && i < from->slot_count; i++) {
        const struct distinct_slot *slot = &from->slots[i];

        if (slot->string) {
            result = add(into, text_of(from, slot->string - 1), slot->hash, slot->more, bytes_max);
        }
    }
    into->total_count += from->total_count;
    into->total_bytes += from->total_bytes;
    return result;
}

/* A text on its way to its place. The head is eight of its bytes, from some depth on that all who are
 * being compared agree up to; `more` is whether there are others behind, or else how many of the eight
 * are the text's. */
struct ranked {
    uint64_t head;
    uint32_t string;
    unsigned char more;
    struct str text;
};

#define HEAD_BYTES 8
#define MORE (HEAD_BYTES + 1)
#define FEW 16 /* texts: are compared as they are */

static int by_head(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;

    return a->head != b->head ? (a->head < b->head ? -1 : 1) : a->more - b->more;
}

static int by_text(const void *left, const void *right)
{
    return str_compare(((const struct ranked *)left)->text, ((const struct ranked *)right)->text);
}

/* Texts that agree before `depth`: by eight bytes, then those that agree in them, too. A text is fetched
 * once for that and not at each comparison (McIlroy, Bostic, McIlroy, "Engineering Radix Sort", 1993, do
 * so with single bytes). Recursion as deep as an eighth of the longest text, DISTINCT_TEXT_MAX. */
static void sort_from(struct ranked *ranked, size_t count, size_t depth)
{
    if (count < FEW) {
        qsort(ranked, count, sizeof *ranked, by_text);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct str text = ranked[i].text, rest = { text.data + depth, text.len - depth };

        ranked[i].head = str_head(rest);
        ranked[i].more = (unsigned char)(rest.len > HEAD_BYTES ? MORE : rest.len);
    }
    qsort(ranked, count, sizeof *ranked, by_head);
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && by_head(&ranked[first], &ranked[end]) == 0; end++) {
        }
        if (end - first > 1 && ranked[first].more == MORE) {
            sort_from(ranked + first, end - first, depth + HEAD_BYTES);
        }
    }
}

/* The texts in order, and in `ranks` the place of each of the set's strings. */
static bool sort_texts(struct dictionary *d, const struct distinct *set, uint32_t *ranks)
{
    struct ranked *ranked = calloc(set->count + 1U, sizeof *ranked);

    if (!ranked) {
        return false;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        ranked[i] = (struct ranked){ .string = i, .text = text_of(set, i) };
    }
    sort_from(ranked, set->count, 0);
    for (uint32_t i = 0; i < set->count; i++) {
        d->texts[i] = ranked[i].text;
        ranks[ranked[i].string] = i;
    }
    d->count = set->count;
    free(ranked);
    return true;
}

static void fill_slots(struct dictionary *d, const struct distinct *set, const uint32_t *ranks)
{
    for (uint32_t i = 0; i < set->slot_count; i++) {
        const struct distinct_slot *from = &set->slots[i];

        if (from->string) {
            const struct distinct_string *string = &set->strings[from->string - 1];

            d->slots[i] = (struct entry_slot){ (uint32_t)from->hash, ranks[from->string - 1] + 1,
                                               string->at, string->len };
        }
    }
}

enum result dictionary_new(struct dictionary **dictionary, const struct distinct *set)
{
    struct dictionary *d;
    uint32_t *ranks;
    bool made;

    *dictionary = NULL;
    if (set->given_up) {
        return RESULT_OK;
    }
    d = calloc(1, sizeof *d);
    if (!d) {
        return RESULT_NOMEM;
    }
    d->bytes = set->bytes.data;
    d->slot_count = set->slot_count ? set->slot_count : 1;
    d->texts = calloc(set->count + 1U, sizeof *d->texts);
    d->slots = calloc(d->slot_count, sizeof *d->slots);
    ranks = calloc(set->count + 1U, sizeof *ranks);
    made = d->texts && d->slots && ranks && sort_texts(d, set, ranks);
    if (made) {
        fill_slots(d, set, ranks);
        *dictionary = d;
    } else {
        dictionary_free(d);
    }
    free(ranks);
    return made ? RESULT_OK : RESULT_NOMEM;
}

void dictionary_free(struct dictionary *d)
{
    if (d) {
        free(d->texts);
        free(d->slots);
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

void dictionary_approach(const struct dictionary *d, struct keyed_hash hash)
{
    __builtin_prefetch(&d->slots[(uint32_t)hash.half[0] & (d->slot_count - 1)]);
}

void dictionary_approach_text(const struct dictionary *d, struct keyed_hash hash)
{
    const struct entry_slot *slot = &d->slots[(uint32_t)hash.half[0] & (d->slot_count - 1)];

    for (uint32_t at = 0; at < slot->len; at += CACHE_LINE) {
        __builtin_prefetch(d->bytes + slot->at + at);
    }
}

static inline bool is_text(const struct dictionary *d, const struct entry_slot *slot,
                           struct str text, uint32_t hash)
{
    return slot->hash == hash && slot->len == text.len &&
           (text.len == 0 || memcmp(d->bytes + slot->at, text.data, text.len) == 0);
}

uint32_t dictionary_find(const struct dictionary *d, struct str text, struct keyed_hash hash)
{
    uint32_t mask = d->slot_count - 1, at = (uint32_t)hash.half[0] & mask;

    while (d->slots[at].entry && !is_text(d, &d->slots[at], text, (uint32_t)hash.half[0])) {
        at = (at + 1) & mask;
    }
    return d->slots[at].entry ? d->slots[at].entry - 1 : d->count;
}
