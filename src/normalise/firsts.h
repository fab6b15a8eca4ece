/**
 * Firsts: of each column the first value of each kind and the record that it stands in, so that a report can
 * say which value it is that keeps a column from being numbers.
 *
 * Columns count by node (normalise/columns.h). Records come in any order of chunks, and the earliest stays. The
 * beginning of a value is kept, as JSON writes it.
 *
 * Ownership  a zeroed struct holds nothing; firsts_release gives all back. Texts are views until the next note.
 * Errors     none but out of memory, which firsts_reserve tells; a value that there is no room for is not kept.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_NORMALISE_FIRSTS_H
#define SCRAPETOP_NORMALISE_FIRSTS_H

#include "base/buf.h"
#include "normalise/types.h"

#include <stdbool.h>
#include <stdint.h>

#define FIRSTS_TEXT_MAX 40 /* bytes of a value that are kept */

/* Where a record stands: the first of a chunk is 1. */
struct record_place {
    uint64_t chunk, record;
};

struct first {
    struct record_place place;
    uint32_t text_at;
    uint8_t text_len;
    bool is_cut;
    enum cell_kind kind;
};

struct firsts {
    uint32_t *slots; /* KIND_COUNT for each node: which of `list`, from 1; 0: none */
    struct first *list;
    uint32_t count;
    size_t cap;
    struct buf texts;
};

/** Room for the nodes below `nodes`, of which `before` there was room for until now. */
bool firsts_reserve(struct firsts *firsts, uint32_t before, uint32_t nodes);
void firsts_release(struct firsts *firsts);

/** A value of that kind stands there; of one record, told in the record's order. */
void firsts_note(struct firsts *firsts, uint32_t node, enum type_kind kind,
                 const struct record_place *place, enum cell_kind cell, struct str text);
void firsts_forget(struct firsts *firsts, uint32_t node);

/** The node gets what `from` has of its node `its`. */
void firsts_merge(struct firsts *into, uint32_t node, const struct firsts *from, uint32_t its);

/** The earliest value of those kinds (a bit for each) and its text, with quotes if it is a string; false when there
 *  is none. */
bool firsts_find(const struct firsts *firsts, uint32_t node, uint32_t kinds,
                 struct record_place *place, char text[FIRSTS_TEXT_MAX + 8]);

#endif
