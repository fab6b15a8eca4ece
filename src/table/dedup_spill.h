/**
 * Where dedup's keys wait that memory has no room for: a file without a name, in parts by the keys' hashes.
 *
 * A part is read again as it was written, piece after piece. The file lies where TMPDIR says, or in /tmp, and is gone
 * with the process.
 *
 * Ownership  dedup_spill_free closes it.
 * Errors     RESULT_NOMEM; E-TAB6 with the system's reason.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_TABLE_DEDUP_SPILL_H
#define SCRAPETOP_TABLE_DEDUP_SPILL_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

#define DEDUP_PARTS 64
#define DEDUP_SPILL_BLOCK ((size_t)32 << 10)
/* Of memory, while there is a spill: what is not written yet. */
#define DEDUP_SPILL_BYTES ((DEDUP_PARTS + 1) * DEDUP_SPILL_BLOCK)

struct dedup_spill;

MUST_CHECK enum result dedup_spill_new(struct dedup_spill **spill, struct err *err);
void dedup_spill_free(struct dedup_spill *spill);

MUST_CHECK enum result dedup_spill_put(struct dedup_spill *spill, unsigned part, struct str bytes,
                                       struct err *err);

/** Told of the part's bytes from its beginning, in pieces that are cut anywhere. */
typedef enum result dedup_piece_fn(void *context, struct str piece, struct err *err);

/** After the last put. */
MUST_CHECK enum result dedup_spill_read(struct dedup_spill *spill, unsigned part,
                                        dedup_piece_fn *fn, void *context, struct err *err);

#endif
