/**
 * A text as Parquet's PLAIN encoding has it: its length in four bytes, and then the text.
 *
 * Dictionaries, PLAIN values and pages are made of such, one after the other.
 *
 * Source  apache/parquet-format: Encodings.md (PLAIN, BYTE_ARRAY).
 */
#ifndef SCRAPETOP_TABLE_PARQUET_TEXT_H
#define SCRAPETOP_TABLE_PARQUET_TEXT_H

#include "base/little.h"
#include "base/str.h"
#include "table/parquet/text_head.h"

#include <stddef.h>
#include <stdint.h>

#define PARQUET_LEN_BYTES 4 /* in front of a text */

/** The text whose length stands at `plain`; the next begins after it. */
static inline struct str parquet_text_at(const char *plain)
{
    return (struct str){ plain + PARQUET_LEN_BYTES, little_get_u32(plain) };
}

/** What it takes. */
static inline size_t parquet_text_bytes(struct str text)
{
    return PARQUET_LEN_BYTES + text.len;
}

/** The text's first eight bytes as a number: if those of two differ, the numbers order them as str_compare does.
 *  Behind the text there is more to read (table/parquet/text_head.h). */
static inline uint64_t parquet_text_head(struct str text)
{
    uint64_t head = text_head(text.data, text.len < 8 ? text.len : 8).low;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    head = __builtin_bswap64(head);
#endif
    return head;
}

#endif
