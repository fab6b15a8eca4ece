/**
 * Split source: another source's pieces, large documents among them cut up so that all workers have
 * something of them, and nobody has to hold one whole.
 *
 * The pointer is followed from the document's beginning to the array that it ends at, or to its first
 * `*`; the members of what is found there come as pieces of about a quarter of `split_bytes`
 * (RECORD_PART), and then the document without them (RECORD_DOCUMENT with a gap), for the rest must be
 * valid too. A document stays whole when that place is not near its beginning, or the pointer
 * counts elements on its way to it, or leads to a single record.
 *
 * After a rewind the same pieces come again, if all were taken before; else documents are cut anew.
 *
 * Nothing is verified here: if a part or the rest is invalid, or the pointer meets a name twice in the
 * rest, the document must be looked at as a whole. That is rare, and then split_source_disable and
 * another beginning is all that is needed.
 *
 * Ownership  takes the inner source, also when it fails; the pointer is borrowed.
 * Threads    as record_source.h: one at a time.
 */
#ifndef SCRAPETOP_TABLE_SPLIT_SOURCE_H
#define SCRAPETOP_TABLE_SPLIT_SOURCE_H

#include "base/json_scan.h"
#include "normalise/record_source.h"

#define SPLIT_BYTES ((uint64_t)4 << 20) /* documents above this are split by default */

/** `records` may be NULL. NULL when out of memory. */
struct record_source *split_source_open(struct record_source *inner,
                                        const struct json_pointer *records, uint64_t split_bytes);

/** After the next rewind all documents come whole. */
void split_source_disable(struct record_source *source);

#endif
