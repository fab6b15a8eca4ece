#include "table/parquet/parquet_indices.h"

#include "base/little.h"
#include "table/parquet/keyed_hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void parquet_indices_release(struct parquet_indices *x)
{
    dictionary_release(&x->local);
    free(x->numbers);
    *x = (struct parquet_indices){ .open = false };
}

/* --- values --------------------------------------------------------------------------------------- */

#define NEAR_ENTRIES 1024u /* fewer stay in the nearest cache */
#define AHEAD 16           /* texts between two looks at memory for one */

struct sought {
    struct str text;
    uint32_t hash;
};

/* Heads of the texts that are the bounds by now. */
struct heads {
    uint64_t low, high;
};

/* Rarely so, and never for the bounds themselves, which may come again and again. */
static inline bool may_be_bound(const struct heads *heads,
                                const struct parquet_entry_bounds *bounds, uint64_t head,
                                uint32_t entry)
{
    return (head < heads->low) | (head > heads->high) |
           ((head == heads->low) & (entry != bounds->low)) |
           ((head == heads->high) & (entry != bounds->high));
}

static void bound_text(const struct dictionary *d, struct heads *heads,
                       struct parquet_entry_bounds *bounds, uint64_t head, uint32_t entry)
{
    struct str text = dictionary_entry_text(d, entry);
    bool first = bounds->low == DICTIONARY_FULL;

    if (first || head < heads->low ||
        (head == heads->low && str_compare(text, dictionary_entry_text(d, bounds->low)) < 0)) {
        bounds->low = entry;
        heads->low = head;
    }
    if (first || head > heads->high ||
        (head == heads->high && str_compare(text, dictionary_entry_text(d, bounds->high)) > 0)) {
        bounds->high = entry;
        heads->high = head;
    }
}

struct look {
    struct dictionary *local;
    struct buf *entries;
    struct parquet_entry_bounds *bounds;
    struct heads heads;
    bool full;
};

static inline enum result look_up_text(struct look *look, struct str text, uint32_t hash)
{
    uint64_t head = parquet_text_head(text);
    uint32_t entry;
    enum result result = dictionary_text(look->local, text, hash, &entry);

    look->full = entry == DICTIONARY_FULL;
    if (result != RESULT_OK || look->full) {
        return result;
    }
    if (may_be_bound(&look->heads, look->bounds, head, entry)) {
        bound_text(look->local, &look->heads, look->bounds, head, entry);
    }
    memcpy(look->entries->data + look->entries->len, &entry, sizeof entry);
    look->entries->len += sizeof entry;
    return RESULT_OK;
}

static enum result look_up_near(struct look *look, struct str plain)
{
    enum result result = RESULT_OK;
    struct str text;

    for (size_t at = 0; at < plain.len && result == RESULT_OK && !look->full;
         at += parquet_text_bytes(text)) {
        text = parquet_text_at(plain.data + at);
        result = look_up_text(look, text, keyed_hash_text(text));
    }
    return result;
}

/* Text `i` is hashed, and its slot asked for; the text in the slot of the one AHEAD before is, by
 * when that has come; and the one as far before that is compared. */
static enum result look_up_far(struct look *look, struct str plain, uint32_t count)
{
    struct sought ring[2 * AHEAD];
    enum result result = RESULT_OK;
    size_t at = 0;

    for (size_t i = 0; i < count + (size_t)2 * AHEAD && result == RESULT_OK && !look->full; i++) {
        struct sought *one = &ring[i % (2 * AHEAD)];

        if (i >= 2 * AHEAD) {
            result = look_up_text(look, one->text, one->hash);
        }
        if (i < count) {
            one->text = parquet_text_at(plain.data + at);
            one->hash = keyed_hash_text(one->text);
            dictionary_approach(look->local, one->hash);
            at += parquet_text_bytes(one->text);
        }
        if (i >= AHEAD && i < count + (size_t)AHEAD) {
            dictionary_approach_text(look->local, ring[(i + AHEAD) % (2 * AHEAD)].hash);
        }
    }
    return result;
}

static enum result look_up_texts(struct dictionary *local, struct str plain, uint32_t count,
                                 struct buf *entries, struct parquet_entry_bounds *bounds,
                                 bool *full)
{
    struct look look = {
        .local = local, .entries = entries, .bounds = bounds, .heads.low = UINT64_MAX
    };
    enum result result;

    *bounds = (struct parquet_entry_bounds){ DICTIONARY_FULL, DICTIONARY_FULL };
    result =
        local->count < NEAR_ENTRIES ? look_up_near(&look, plain) : look_up_far(&look, plain, count);
    *full = look.full;
    return result;
}

static enum result look_up_numbers(struct dictionary *local, struct str plain, struct buf *entries,
                                   bool *full)
{
    for (size_t at = 0; at < plain.len; at += sizeof(uint64_t)) {
        uint32_t entry;
        enum result result = dictionary_number(local, little_get_u64(plain.data + at), &entry);

        *full = entry == DICTIONARY_FULL;
        if (result != RESULT_OK || *full) {
            return result;
        }
        memcpy(entries->data + entries->len, &entry, sizeof entry);
        entries->len += sizeof entry;
    }
    return RESULT_OK;
}

enum result parquet_indices_look_up(struct parquet_indices *x, enum type type, struct str plain,
                                    uint32_t count, struct buf *entries,
                                    struct parquet_entry_bounds *bounds, bool *full)
{
    enum result result = buf_reserve(entries, count * PARQUET_INDEX_BYTES);

    *full = false;
    if (result != RESULT_OK) {
        return result;
    }
    return type == TYPE_TEXT ? look_up_texts(&x->local, plain, count, entries, bounds, full)
                             : look_up_numbers(&x->local, plain, entries, full);
}

static struct str plain_entry(const struct dictionary *d, enum type type, uint32_t entry)
{
    return type == TYPE_TEXT ? dictionary_plain_text(d, entry) : dictionary_plain_number(d, entry);
}

enum result parquet_indices_to_plain(const struct parquet_indices *x, enum type type,
                                     const struct buf *entries, struct buf *plain)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; result == RESULT_OK && i < entries->len / PARQUET_INDEX_BYTES; i++) {
        result = buf_append_str(plain, plain_entry(&x->local, type, parquet_entry_at(entries, i)));
    }
    return result == RESULT_OK ? buf_reserve(plain, TEXT_HEAD_BYTES) : result;
}

/* --- the file's numbers --------------------------------------------------------------------------- */

static bool room_for_numbers(struct parquet_indices *x)
{
    uint32_t cap = x->local.count + x->local.count / 2;
    uint32_t *numbers;

    if (x->local.count <= x->number_cap) {
        return true;
    }
    numbers = realloc(x->numbers, cap * sizeof *numbers);
    if (!numbers) {
        return false;
    }
    x->numbers = numbers;
    x->number_cap = cap;
    return true;
}

enum result parquet_indices_adopt(struct parquet_indices *x, const struct parquet_tally *tally,
                                  struct parquet_dictionaries *dictionaries, uint32_t column)
{
    assert(x->open);
    if (!room_for_numbers(x)) {
        return RESULT_NOMEM;
    }
    x->fresh = parquet_dictionaries_count(dictionaries, column);
    return parquet_dictionaries_adopt(dictionaries, column, &x->local, x->adopted, tally,
                                      x->numbers);
}

#define NUMBERS_AHEAD 16

void parquet_indices_number(const struct parquet_indices *x, struct buf *entries)
{
    size_t count = entries->len / PARQUET_INDEX_BYTES;

    for (size_t i = 0; i < count; i++) {
        if (i + NUMBERS_AHEAD < count) {
            __builtin_prefetch(&x->numbers[parquet_entry_at(entries, i + NUMBERS_AHEAD)]);
        }
        memcpy(entries->data + i * PARQUET_INDEX_BYTES, &x->numbers[parquet_entry_at(entries, i)],
               PARQUET_INDEX_BYTES);
    }
}

enum result parquet_indices_append_fresh(struct parquet_indices *x, enum type type, struct buf *out,
                                         uint32_t *count)
{
    enum result result = RESULT_OK;

    *count = 0;
    for (uint32_t i = x->adopted; result == RESULT_OK && i < x->local.count; i++) {
        if (x->numbers[i] >= x->fresh) {
            result = buf_append_str(out, plain_entry(&x->local, type, i));
            ++*count;
        }
    }
    x->adopted = x->local.count;
    return result;
}

void parquet_indices_forget(struct parquet_indices *x)
{
    dictionary_release(&x->local);
    x->adopted = 0;
}
