/**
 * Hashes with a secret key, which is drawn once in a process: nobody can choose values that all fall
 * into one place of a table.
 *
 * Not for anything that leaves the process: they differ from one to the next.
 *
 * Threads  any.
 */
#ifndef SCRAPETOP_TABLE_KEYED_HASH_H
#define SCRAPETOP_TABLE_KEYED_HASH_H

#include "base/str.h"

#include <stdint.h>

/* Good for a table of up to 2^32 places. */

/** Of a text, after which there is more to read: see table/parquet/text_head.h. */
uint32_t keyed_hash_text(struct str text);

uint32_t keyed_hash_number(uint64_t number);

#endif
