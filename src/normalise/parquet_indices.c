#include "normalise/parquet_indices.h"

#include "base/little.h"
#include "normalise/keyed_hash.h"
#include "normalise/parquet_page.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FAR_ENTRIES 1024u /* a smaller dictionary stays in the nearest cache */
#define SOUGHT_MAX 16     /* texts that are looked up together */
#define INDEX_BYTES sizeof(uint32_t)

/* Guesses are made from the former on: where they are wrong they look at memory in vain. */
#define LUCK_MIN 4
#define LUCK_MAX 7

struct parquet_sought {
    uint32_t hash, at, len; /* in `texts` */
};

void parquet_indices_release(struct parquet_indices *x)
{
    dictionary_release(&x->local);
    free(x->known);
    free(x->sought);
    buf_release(&x->texts);
    *x = (struct parquet_indices){ .open = false };
}

static inline uint32_t index_at(const struct parquet_values *v, size_t at)
{
    uint32_t index;

    memcpy(&index, v->bytes.data + at, sizeof index);
    return index;
}

static inline enum result append_index(struct parquet_values *v, uint32_t index)
{
    enum result result = v->bytes.cap - v->bytes.len >= INDEX_BYTES
                             ? RESULT_OK
                             : buf_reserve(&v->bytes, INDEX_BYTES);

    if (result == RESULT_OK) {
        memcpy(v->bytes.data + v->bytes.len, &index, sizeof index);
        v->bytes.len += INDEX_BYTES;
    }
    return result;
}

/* --- values --------------------------------------------------------------------------------------- */

/* What the value was that came next. */
static inline void learn(struct parquet_indices *x, uint32_t entry)
{
    if (entry - x->last > 1) { /* neither the same nor the one behind */
        x->luck -= x->luck > 0;
    } else {
        x->luck += x->luck < LUCK_MAX;
    }
    x->last = entry;
}

enum result parquet_indices_settle(struct parquet_indices *x, struct parquet_values *v)
{
    size_t at = v->bytes.len - (x->sought_end - x->sought_first) * INDEX_BYTES;
    enum result result = RESULT_OK;

    if (x->full) {
        return RESULT_OK;
    }
    for (uint32_t i = x->sought_first; i < x->sought_end; i++) {
        dictionary_approach_text(&x->local, x->sought[i].hash);
    }
    for (; x->sought_first < x->sought_end; x->sought_first++, at += INDEX_BYTES) {
        const struct parquet_sought *one = &x->sought[x->sought_first];
        uint32_t entry;

        result = dictionary_text(&x->local, (struct str){ x->texts.data + one->at, one->len },
                                 one->hash, &entry);
        x->full = entry == DICTIONARY_FULL;
        if (result != RESULT_OK || x->full) {
            return result;
        }
        learn(x, entry);
        memcpy(v->bytes.data + at, &entry, sizeof entry);
    }
    x->sought_first = x->sought_end = 0;
    buf_reset(&x->texts);
    return RESULT_OK;
}

static enum result seek(struct parquet_indices *x, struct parquet_values *v, struct str text,
                        uint32_t hash)
{
    enum result result = append_index(v, 0);

    x->sought = x->sought ? x->sought : calloc(SOUGHT_MAX, sizeof *x->sought);
    if (result != RESULT_OK || !x->sought) {
        return RESULT_NOMEM;
    }
    x->sought[x->sought_end++] =
        (struct parquet_sought){ hash, (uint32_t)x->texts.len, (uint32_t)text.len };
    return buf_append_str(&x->texts, text);
}

static enum result look_up(struct parquet_indices *x, struct parquet_values *v, struct str text)
{
    uint32_t hash = keyed_hash_text(text), entry;
    enum result result;

    if (x->local.count >= FAR_ENTRIES) {
        dictionary_approach(&x->local, hash);
        result = seek(x, v, text, hash);
        return result == RESULT_OK && x->sought_end == SOUGHT_MAX ? parquet_indices_settle(x, v)
                                                                  : result;
    }
    result = dictionary_text(&x->local, text, hash, &entry);
    if (result == RESULT_OK && entry == DICTIONARY_FULL) {
        x->full = true;
        return seek(x, v, text, hash);
    }
    learn(x, entry);
    return result == RESULT_OK ? append_index(v, entry) : result;
}

enum result parquet_indices_add_text(struct parquet_indices *x, struct parquet_values *v,
                                     struct str text)
{
    x->first_values++;
    x->first_bytes += text.len;
    x->bytes += text.len;
    if (x->luck >= LUCK_MIN && !x->sought_end) {
        for (uint32_t i = 0; i < 2; i++) {
            uint32_t entry = x->last + 1 - i;

            if (dictionary_is_text(&x->local, entry, text)) {
                learn(x, entry);
                return append_index(v, entry);
            }
        }
    }
    return look_up(x, v, text);
}

static inline bool is_number(const struct dictionary *d, uint32_t entry, uint64_t bits)
{
    return entry < d->count && dictionary_bits(d, entry) == bits;
}

enum result parquet_indices_add_number(struct parquet_indices *x, struct parquet_values *v,
                                       uint64_t bits)
{
    bool guess = x->luck >= LUCK_MIN;
    uint32_t entry = x->last;
    enum result result = RESULT_OK;

    x->first_values++;
    if (guess && is_number(&x->local, x->last + 1, bits)) {
        entry++;
    } else if (!guess || !is_number(&x->local, x->last, bits)) {
        result = dictionary_number(&x->local, bits, &entry);
    }
    x->full = entry == DICTIONARY_FULL;
    learn(x, entry);
    return result == RESULT_OK && !x->full ? append_index(v, entry) : result;
}

static struct str plain_entry(const struct dictionary *d, enum type type, uint32_t entry)
{
    return type == TYPE_TEXT ? dictionary_plain_text(d, entry) : dictionary_plain_number(d, entry);
}

/* What is still sought has not been found, and is PLAIN as it is. */
enum result parquet_indices_to_plain(struct parquet_indices *x, struct parquet_values *v,
                                     enum type type, struct buf *spare)
{
    size_t end = v->bytes.len - (x->sought_end - x->sought_first) * INDEX_BYTES;
    enum result result = RESULT_OK;
    struct buf indices = v->bytes;

    buf_reset(spare);
    for (size_t at = 0; result == RESULT_OK && at < end; at += INDEX_BYTES) {
        result = buf_append_str(spare, plain_entry(&x->local, type, index_at(v, at)));
    }
    for (uint32_t i = x->sought_first; result == RESULT_OK && i < x->sought_end; i++) {
        const struct parquet_sought *one = &x->sought[i];
        char len[4];

        little_put_u32(len, one->len);
        result = buf_append(spare, len, sizeof len);
        result =
            result == RESULT_OK ? buf_append(spare, x->texts.data + one->at, one->len) : result;
    }
    v->bytes = *spare;
    *spare = indices;
    parquet_indices_release(x);
    return result;
}

/* --- the file's numbers --------------------------------------------------------------------------- */

static bool room_for_known(struct parquet_indices *x)
{
    uint32_t cap = x->local.count + x->local.count / 2;
    struct parquet_known *known;

    if (x->local.count <= x->known_cap) {
        return true;
    }
    known = realloc(x->known, cap * sizeof *known);
    if (!known) {
        return false;
    }
    memset(known + x->known_cap, 0, (cap - x->known_cap) * sizeof *known);
    x->known = known;
    x->known_cap = cap;
    return true;
}

enum result parquet_indices_adopt(struct parquet_indices *x, const struct parquet_values *v,
                                  struct parquet_dictionaries *dictionaries, uint32_t column)
{
    const struct parquet_tally tally = { .values = v->count,
                                         .first_values = x->first_values,
                                         .bytes = x->bytes,
                                         .first_bytes = x->first_bytes };

    assert(x->open && !x->full && x->sought_end == 0);
    if (!room_for_known(x)) {
        return RESULT_NOMEM;
    }
    x->fresh = parquet_dictionaries_count(dictionaries, column);
    return parquet_dictionaries_adopt(dictionaries, column, &x->local, x->adopted, &tally,
                                      x->known);
}

static void bound_text(struct str text, bool first, struct str bounds[2], uint64_t heads[2])
{
    uint64_t head = str_head(text);

    if (first || head < heads[0] || (head == heads[0] && str_compare(text, bounds[0]) < 0)) {
        bounds[0] = text;
        heads[0] = head;
    }
    if (first || head > heads[1] || (head == heads[1] && str_compare(text, bounds[1]) > 0)) {
        bounds[1] = text;
        heads[1] = head;
    }
}

/* Each entry is looked at once in a block: what it is lies far away. */
void parquet_indices_number(struct parquet_indices *x, struct parquet_values *v, enum type type,
                            struct parquet_bounds *bounds, struct str bound_texts[2])
{
    uint64_t heads[2] = { 0, 0 };
    uint32_t block = ++x->block;

    for (size_t at = 0; at < v->bytes.len; at += INDEX_BYTES) {
        uint32_t entry = index_at(v, at);
        struct parquet_known *known = &x->known[entry];

        if (known->block != block) {
            known->block = block;
            if (type == TYPE_TEXT) {
                bound_text(dictionary_entry_text(&x->local, entry), at == 0, bound_texts, heads);
            } else {
                parquet_bound_bits(bounds, type, dictionary_bits(&x->local, entry));
            }
        }
        memcpy(v->bytes.data + at, &known->number, sizeof known->number);
    }
    v->indices = true;
}

enum result parquet_indices_append_fresh(struct parquet_indices *x, enum type type, struct buf *out,
                                         uint32_t *count)
{
    enum result result = RESULT_OK;

    *count = 0;
    for (uint32_t i = x->adopted; result == RESULT_OK && i < x->local.count; i++) {
        if (x->known[i].number >= x->fresh) {
            result = buf_append_str(out, plain_entry(&x->local, type, i));
            ++*count;
        }
    }
    x->adopted = x->local.count;
    x->first_values = x->first_bytes = x->bytes = 0;
    return result;
}

void parquet_indices_forget(struct parquet_indices *x)
{
    dictionary_release(&x->local);
    x->adopted = x->last = 0;
}
