/**
 * Dictionary: the distinct values of a column, numbered in the order in which they were first met.
 *
 * It grows while values are looked up, and nothing ever leaves it: an entry keeps its number, and the first
 * so many entries stay what they are. A Parquet column whose values repeat is written as such
 * numbers. Entries are kept as Parquet's PLAIN encoding has them, so that what it holds is the body of a
 * dictionary page: of texts, their length and bytes; of numbers, the eight bytes of an int64 or double.
 *
 * A dictionary is one of texts or one of numbers, by what is first looked up in it. Past a ceiling it takes no
 * more. Since a set is never larger than one that holds it, parts of a column can only be
 * full when the whole is.
 *
 * Ownership  dictionary_release; views of entries die with the next one that is added.
 * Errors     RESULT_NOMEM.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_TABLE_DICTIONARY_H
#define SCRAPETOP_TABLE_DICTIONARY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/little.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DICTIONARY_TEXTS_MAX 65536
#define DICTIONARY_TEXT_MAX 4096 /* bytes: texts that long are hardly ever the same */
#define DICTIONARY_BYTES_MAX ((size_t)8 << 20)
/* Looking a text up in a large dictionary costs as much as compressing some dozens of bytes: of shorter ones,
 * no more than these. */
#define DICTIONARY_SHORT_TEXT 16
#define DICTIONARY_SHORTS_MAX 4096
#define DICTIONARY_NUMBERS_MAX 4096 /* more take longer to look up than they save */

/* What an entry costs besides its PLAIN bytes, the room for growth included. */
#define DICTIONARY_TEXT_BYTES 64
#define DICTIONARY_NUMBER_BYTES 24

#define DICTIONARY_FULL UINT32_MAX /* in place of an entry's number */

/* Zeroed: empty. Only `count` is for others to read. */
struct dictionary {
    uint32_t count;
    uint32_t shorts; /* texts under DICTIONARY_SHORT_TEXT */
    uint32_t slot_count;
    struct dictionary_slot *texts;   /* open addressing, one of both */
    uint16_t *numbers;               /* entry + 1; 0 is free */
    struct dictionary_place *places; /* by entry, of texts */
    struct buf plain;
};

void dictionary_release(struct dictionary *dictionary);

/** The text's entry, which is a new one if there was none; `hash` is keyed_hash_text's. Behind the text there is
 *  more to read, as after those of entries (table/parquet/text_head.h). */
MUST_CHECK enum result dictionary_text(struct dictionary *dictionary, struct str text,
                                       uint32_t hash, uint32_t *entry);

/** Likewise, of the bits that Parquet stores. */
MUST_CHECK enum result dictionary_number(struct dictionary *dictionary, uint64_t bits,
                                         uint32_t *entry);

/** Ask for the memory that dictionary_text will look at, which for a large dictionary is in no near cache: the
 *  first at once when a text is hashed, the second later, when what the first asked for has come. */
void dictionary_approach(const struct dictionary *dictionary, uint32_t hash);
void dictionary_approach_text(const struct dictionary *dictionary, uint32_t hash);

/** An entry as PLAIN has it. */
struct str dictionary_plain_text(const struct dictionary *dictionary, uint32_t entry);
struct str dictionary_plain_number(const struct dictionary *dictionary, uint32_t entry);

/** The text alone, and what it was hashed to. */
struct str dictionary_entry_text(const struct dictionary *dictionary, uint32_t entry);
uint32_t dictionary_text_hash(const struct dictionary *dictionary, uint32_t entry);

static inline uint64_t dictionary_bits(const struct dictionary *dictionary, uint32_t entry)
{
    return little_get_u64(dictionary->plain.data + (size_t)entry * sizeof(uint64_t));
}

/** The memory it takes, roughly, and the same whenever the entries are. */
size_t dictionary_bytes(const struct dictionary *dictionary);

#endif
