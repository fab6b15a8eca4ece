#include "table/dedup.h"

#include "normalise/cell_text.h"

#include <stdlib.h>
#include <string.h>

#define NO_KEY UINT32_MAX

struct slot {
    uint64_t hash;
    uint64_t at; /* of the key in `keys`, + 1; 0 is free */
};

struct dedup {
    uint64_t memory_bytes;
    struct slot *slots;
    size_t slot_count, count;
    struct buf keys;  /* each after its length in four bytes */
    struct buf later; /* a bit a row: another came first */
    uint64_t rows;
};

struct dedup *dedup_new(uint64_t memory_bytes)
{
    struct dedup *u = calloc(1, sizeof *u);

    if (u) {
        u->memory_bytes = memory_bytes;
    }
    return u;
}

void dedup_free(struct dedup *u)
{
    if (u) {
        free(u->slots);
        buf_release(&u->keys);
        buf_release(&u->later);
        free(u);
    }
}

static enum result append_u32(struct buf *out, uint32_t value)
{
    return buf_append(out, &value, sizeof value);
}

/* Each cell's text with its length, so that ("ab", "c") and ("a", "bc") differ. */
static enum result append_cell(struct buf *keys, const struct row_cell *cell)
{
    uint64_t lone = 0;
    size_t at = keys->len;
    uint32_t len;
    enum result result = buf_reserve(keys, sizeof len + cell->len);
    char *to;

    if (result != RESULT_OK) {
        return result;
    }
    to = keys->data + at + sizeof len;
    len = (uint32_t)(cell_text_put(to, cell, &lone) - to);
    memcpy(keys->data + at, &len, sizeof len);
    keys->len += sizeof len + len;
    return RESULT_OK;
}

enum result dedup_add_key(struct buf *keys, const struct row *row, const uint32_t *columns,
                          size_t count, bool kept)
{
    size_t at = keys->len;
    enum result result = append_u32(keys, NO_KEY);
    uint32_t len;

    for (size_t i = 0; result == RESULT_OK && kept && i < count; i++) {
        const struct row_cell *cell = row_cell(row, columns[i]);

        kept = cell != NULL;
        result = kept ? append_cell(keys, cell) : result;
    }
    if (result != RESULT_OK) {
        keys->len = at;
        return result;
    }
    if (!kept || keys->len - at - sizeof len >= NO_KEY) {
        keys->len = at + sizeof len;
        return RESULT_OK;
    }
    len = (uint32_t)(keys->len - at - sizeof len);
    memcpy(keys->data + at, &len, sizeof len);
    return RESULT_OK;
}

static uint64_t hash_key(struct str key)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325); /* FNV-1a */

    for (size_t i = 0; i < key.len; i++) {
        h = (h ^ (unsigned char)key.data[i]) * UINT64_C(0x100000001B3);
    }
    return h ^ h >> 29;
}

static struct str key_at(const struct dedup *u, uint64_t at)
{
    uint32_t len;

    memcpy(&len, u->keys.data + at, sizeof len);
    return (struct str){ u->keys.data + at + sizeof len, len };
}

static struct slot *find_slot(const struct dedup *u, uint64_t hash, struct str key)
{
    size_t mask = u->slot_count - 1, at = (size_t)hash & mask;

    while (u->slots[at].at &&
           !(u->slots[at].hash == hash && str_equal(key_at(u, u->slots[at].at - 1), key))) {
        at = (at + 1) & mask;
    }
    return &u->slots[at];
}

/* Room for one key more; the table stays at most half full. */
static bool grow(struct dedup *u)
{
    size_t count = u->slot_count ? 2 * u->slot_count : 1024;
    struct slot *old = u->slots, *end = old + u->slot_count;

    if (2 * (u->count + 1) <= u->slot_count) {
        return true;
    }
    u->slots = calloc(count, sizeof *u->slots);
    if (!u->slots) {
        u->slots = old;
        return false;
    }
    u->slot_count = count;
    for (struct slot *s = old; s < end; s++) {
        size_t at = (size_t)s->hash & (count - 1);

        while (s->at && u->slots[at].at) {
            at = (at + 1) & (count - 1);
        }
        if (s->at) {
            u->slots[at] = *s;
        }
    }
    free(old);
    return true;
}

static enum result take_key(struct dedup *u, struct str key, bool *first)
{
    uint64_t hash = hash_key(key);
    struct slot *slot;
    enum result result;

    if (!grow(u)) {
        return RESULT_NOMEM;
    }
    slot = find_slot(u, hash, key);
    *first = !slot->at;
    if (!*first) {
        return RESULT_OK;
    }
    *slot = (struct slot){ hash, u->keys.len + 1 };
    u->count++;
    result = append_u32(&u->keys, (uint32_t)key.len);
    return result == RESULT_OK ? buf_append_str(&u->keys, key) : result;
}

static enum result note_row(struct dedup *u, bool first)
{
    if (u->rows % 8 == 0 && buf_append_char(&u->later, 0) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    if (!first) {
        u->later.data[u->rows / 8] = (char)(u->later.data[u->rows / 8] | 1 << u->rows % 8);
    }
    u->rows++;
    return RESULT_OK;
}

enum result dedup_take(void *dedup, struct str keys, struct err *err)
{
    struct dedup *u = dedup;

    while (keys.len) {
        enum result result = RESULT_OK;
        bool first = true;
        uint32_t len;

        memcpy(&len, keys.data, sizeof len);
        keys = (struct str){ keys.data + sizeof len, keys.len - sizeof len };
        if (len != NO_KEY) {
            result = take_key(u, (struct str){ keys.data, len }, &first);
            keys = (struct str){ keys.data + len, keys.len - len };
        }
        if (result != RESULT_OK || note_row(u, first) != RESULT_OK) {
            return err_nomem(err, "comparing rows");
        }
        if (u->keys.len + u->slot_count * sizeof *u->slots + u->later.len > u->memory_bytes) {
            return err_set(err, RESULT_LIMIT, "E-TAB6",
                           "--unique: the keys of %llu rows take more than --memory allows",
                           (unsigned long long)u->rows);
        }
    }
    return RESULT_OK;
}

bool dedup_is_first(const struct dedup *u, uint64_t row)
{
    return row >= u->rows || !(u->later.data[row / 8] >> row % 8 & 1);
}
