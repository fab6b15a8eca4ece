/*
 * A table of keys by hash, open addressing, the keys in one buffer. Each has the row that stays of those until now.
 *
 * When they take more than allowed, all go to the parts of a spill, and so does every key after them: then
 * the row that stays is only known when its part is looked at, with an empty table, by itself.
 */
#include "table/dedup.h"

#include "normalise/cell_text.h"
#include "table/dedup_spill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_KEY UINT32_MAX
#define PART_SHIFT 58 /* of a hash: the table takes its lowest bits, the part its highest */

/* What stands before a key's bytes, in a worker's block, in `keys` and in a spill. */
struct entry {
    int64_t time_us;
    uint64_t row; /* in a worker's block not known yet */
    uint32_t len; /* or NO_KEY */
    uint32_t nought;
};

struct slot {
    uint64_t hash;
    uint64_t at; /* of the entry in `keys`, + 1; 0 is free */
};

struct example {
    uint64_t row;
    char text[DEDUP_EXAMPLE_TEXT];
};

struct dedup {
    uint64_t memory_bytes;
    enum row_keep keep;
    struct slot *slots;
    size_t slot_count, count;
    struct buf keys;  /* each entry, and its bytes */
    struct buf other; /* a bit a row: another stays */
    uint64_t rows, dropped;
    struct example examples[DEDUP_EXAMPLES]; /* by row */
    unsigned example_count;
    struct dedup_spill *spill; /* NULL: memory has done until now */
    struct buf cut;            /* of a part that is read: the head of an entry */
};

struct dedup *dedup_new(uint64_t memory_bytes, enum row_keep keep)
{
    struct dedup *u = calloc(1, sizeof *u);

    if (u) {
        u->memory_bytes = memory_bytes;
        u->keep = keep;
    }
    return u;
}

void dedup_free(struct dedup *u)
{
    if (u) {
        dedup_spill_free(u->spill);
        free(u->slots);
        buf_release(&u->keys);
        buf_release(&u->other);
        buf_release(&u->cut);
        free(u);
    }
}

/* --- keys of rows -------------------------------------------------------------------------------------- */

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

enum result dedup_add_key(struct buf *keys, const struct row *row, const struct dedup_by *by,
                          bool has_key)
{
    struct entry entry = { .time_us = by->time_us, .len = NO_KEY };
    size_t at = keys->len, begin = at + sizeof entry;
    enum result result = buf_append(keys, &entry, sizeof entry);

    for (size_t i = 0; result == RESULT_OK && has_key && i < by->count; i++) {
        const struct row_cell *cell = row_cell(row, by->columns[i]);

        has_key = cell != NULL;
        result = has_key ? append_cell(keys, cell) : result;
    }
    if (result != RESULT_OK) {
        keys->len = at;
        return result;
    }
    if (!has_key || keys->len - begin >= NO_KEY) {
        keys->len = begin;
        return RESULT_OK;
    }
    entry.len = (uint32_t)(keys->len - begin);
    memcpy(keys->data + at, &entry, sizeof entry);
    return RESULT_OK;
}

/* --- the table ----------------------------------------------------------------------------------------- */

static uint64_t hash_key(struct str key)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325); /* FNV-1a */

    for (size_t i = 0; i < key.len; i++) {
        h = (h ^ (unsigned char)key.data[i]) * UINT64_C(0x100000001B3);
    }
    /* Its highest bits hardly know of the last bytes: they choose the part. */
    h = (h ^ h >> 32) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}

static struct entry entry_at(const struct dedup *u, uint64_t at)
{
    struct entry entry;

    memcpy(&entry, u->keys.data + at, sizeof entry);
    return entry;
}

static struct str key_at(const struct dedup *u, uint64_t at)
{
    return (struct str){ u->keys.data + at + sizeof(struct entry), entry_at(u, at).len };
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

static void empty(struct dedup *u)
{
    buf_release(&u->keys);
    free(u->slots);
    u->slots = NULL;
    u->slot_count = u->count = 0;
}

static uint64_t held(const struct dedup *u)
{
    return u->keys.len + u->slot_count * sizeof *u->slots + u->other.len +
           (u->spill ? DEDUP_SPILL_BYTES : 0);
}

/* The key's cells, as far as there is room. */
static void tell_key(struct str key, char text[DEDUP_EXAMPLE_TEXT])
{
    size_t at = 0;
    uint32_t len;

    text[0] = '\0';
    for (const char *between = ""; key.len >= sizeof len && at < DEDUP_EXAMPLE_TEXT - 1;
         between = ", ") {
        memcpy(&len, key.data, sizeof len);
        at += (size_t)snprintf(text + at, DEDUP_EXAMPLE_TEXT - at, "%s%.*s", between, (int)len,
                               key.data + sizeof len);
        key = (struct str){ key.data + sizeof len + len, key.len - sizeof len - len };
    }
}

static void keep_example(struct dedup *u, uint64_t row, struct str key)
{
    unsigned at = u->example_count;

    while (at > 0 && u->examples[at - 1].row > row) {
        at--;
    }
    if (at == DEDUP_EXAMPLES) {
        return;
    }
    u->example_count += u->example_count < DEDUP_EXAMPLES;
    for (unsigned i = u->example_count - 1; i > at; i--) {
        u->examples[i] = u->examples[i - 1];
    }
    u->examples[at].row = row;
    tell_key(key, u->examples[at].text);
}

static void drop(struct dedup *u, uint64_t row, struct str key)
{
    keep_example(u, row, key);
    u->other.data[row / 8] = (char)(u->other.data[row / 8] | 1 << row % 8);
    u->dropped++;
}

/* The one that stays of two rows of one key, of which the second is later in the plan's order. */
static bool stays_first(const struct dedup *u, const struct entry *first,
                        const struct entry *second)
{
    return u->keep == ROW_KEEP_FIRST || first->time_us > second->time_us;
}

static enum result take_key(struct dedup *u, const struct entry *entry, struct str key)
{
    uint64_t hash = hash_key(key);
    struct slot *slot;
    struct entry held_now;
    enum result result;

    if (!grow(u)) {
        return RESULT_NOMEM;
    }
    slot = find_slot(u, hash, key);
    if (slot->at) {
        held_now = entry_at(u, slot->at - 1);
        if (stays_first(u, &held_now, entry)) {
            drop(u, entry->row, key);
        } else {
            drop(u, held_now.row, key);
            memcpy(u->keys.data + slot->at - 1, entry, sizeof *entry);
        }
        return RESULT_OK;
    }
    result = buf_reserve(&u->keys, sizeof *entry + key.len);
    if (result == RESULT_OK) {
        *slot = (struct slot){ hash, u->keys.len + 1 };
        u->count++;
        result = buf_append(&u->keys, entry, sizeof *entry);
        result = result == RESULT_OK ? buf_append_str(&u->keys, key) : result;
    }
    return result;
}

/* --- beyond memory ------------------------------------------------------------------------------------- */

static enum result too_much(const struct dedup *u, struct err *err)
{
    return err_set(err, RESULT_LIMIT, "E-TAB6",
                   "--unique: the keys of %llu rows take more than --memory allows, even in %d "
                   "parts; give it more",
                   (unsigned long long)u->rows, DEDUP_PARTS);
}

static enum result spill_key(struct dedup *u, const struct entry *entry, struct str key,
                             struct err *err)
{
    unsigned part = (unsigned)(hash_key(key) >> PART_SHIFT);
    struct str head = { (const char *)entry, sizeof *entry };
    enum result result = dedup_spill_put(u->spill, part, head, err);

    return result == RESULT_OK ? dedup_spill_put(u->spill, part, key, err) : result;
}

/* All that is in memory, in the order in which the keys were met first. */
static enum result begin_spill(struct dedup *u, struct err *err)
{
    enum result result = dedup_spill_new(&u->spill, err);

    for (uint64_t at = 0; result == RESULT_OK && at < u->keys.len;) {
        struct entry entry = entry_at(u, at);

        result = spill_key(u, &entry, key_at(u, at), err);
        at += sizeof entry + entry.len;
    }
    empty(u);
    return result;
}

/* Entries of a part, of which the last may be cut. */
static enum result take_piece(void *context, struct str piece, struct err *err)
{
    struct dedup *u = context;
    enum result result = buf_append_str(&u->cut, piece);
    size_t at = 0;
    struct entry entry;

    while (result == RESULT_OK && u->cut.len - at >= sizeof entry) {
        memcpy(&entry, u->cut.data + at, sizeof entry);
        if (u->cut.len - at - sizeof entry < entry.len) {
            break;
        }
        result = take_key(u, &entry, (struct str){ u->cut.data + at + sizeof entry, entry.len });
        at += sizeof entry + entry.len;
        if (result == RESULT_OK && held(u) > u->memory_bytes) {
            return too_much(u, err);
        }
    }
    if (result != RESULT_OK) {
        return err_nomem(err, "comparing rows");
    }
    if (at) {
        memmove(u->cut.data, u->cut.data + at, u->cut.len - at);
        u->cut.len -= at;
    }
    return RESULT_OK;
}

enum result dedup_end(struct dedup *u, struct err *err)
{
    enum result result = RESULT_OK;

    for (unsigned part = 0; u->spill && result == RESULT_OK && part < DEDUP_PARTS; part++) {
        empty(u);
        result = dedup_spill_read(u->spill, part, take_piece, u, err);
    }
    empty(u);
    buf_release(&u->cut);
    return result;
}

/* --- all rows ------------------------------------------------------------------------------------------ */

static enum result note_row(struct dedup *u)
{
    enum result result = u->rows % 8 == 0 ? buf_append_char(&u->other, 0) : RESULT_OK;

    u->rows += result == RESULT_OK;
    return result;
}

/* The next row's, which has a key. */
static enum result take_row(struct dedup *u, const struct entry *entry, struct str key,
                            struct err *err)
{
    enum result result;

    if (u->spill) {
        return spill_key(u, entry, key, err);
    }
    result = take_key(u, entry, key);
    if (result != RESULT_OK) {
        return err_nomem(err, "comparing rows");
    }
    return held(u) > u->memory_bytes ? begin_spill(u, err) : RESULT_OK;
}

enum result dedup_take(void *dedup, struct str keys, struct err *err)
{
    struct dedup *u = dedup;
    enum result result = RESULT_OK;

    while (keys.len && result == RESULT_OK) {
        struct entry entry;

        memcpy(&entry, keys.data, sizeof entry);
        keys = (struct str){ keys.data + sizeof entry, keys.len - sizeof entry };
        entry.row = u->rows;
        if (note_row(u) != RESULT_OK) {
            return err_nomem(err, "comparing rows");
        }
        if (entry.len != NO_KEY) {
            result = take_row(u, &entry, (struct str){ keys.data, entry.len }, err);
            keys = (struct str){ keys.data + entry.len, keys.len - entry.len };
        }
        if (result == RESULT_OK && u->spill && held(u) > u->memory_bytes) {
            result = too_much(u, err);
        }
    }
    return result;
}

bool dedup_is_kept(const struct dedup *u, uint64_t row)
{
    return row >= u->rows || !(u->other.data[row / 8] >> row % 8 & 1);
}

uint64_t dedup_dropped(const struct dedup *u)
{
    return u->dropped;
}

unsigned dedup_example_count(const struct dedup *u)
{
    return u->example_count;
}

const char *dedup_example(const struct dedup *u, unsigned index)
{
    return u->examples[index].text;
}

bool dedup_is_spilt(const struct dedup *u)
{
    return u->spill;
}
