/**
 * The segment that is written: append-only, one record a line (store/line.h).
 *
 * The writer gathers bytes and writes them in large pieces; nothing is durable before segment_sync,
 * and nothing counts before the ledger has the new committed length. What lies after that length is
 * a tail without meaning: segment_recover (store/segment_scan.h) cuts it at the next start, readers never look at it. A
 * segment of SEGMENT_MAX_BYTES or more is left alone and the next one begun.
 *
 * Ownership  the writer owns its descriptor and buffer.
 * Errors     those of store/segment_file.h. RESULT_FULL (ENOSPC, EDQUOT, EFBIG): segment_rewind, then try again later. Any
 *            other is final (RESULT_IO): after a failed sync nothing may be written to the file, and a
 *            second sync would lie.
 * Threads    none of its own.
 */
#ifndef SCRAPETOP_STORE_SEGMENT_H
#define SCRAPETOP_STORE_SEGMENT_H

#include "store/segment_file.h"

#define SEGMENT_MAX_BYTES (256U << 20)

/** The file being written. The archive sets `extent` once the ledger has a new one; nobody else writes
 *  to any field. */
struct segment {
    int raw_fd; /* borrowed */
    int fd;     /* -1: none yet */
    struct segment_extent extent;
    uint64_t end; /* where the next line goes */
    char *out;    /* gathered, not yet written */
    size_t out_len;
};

MUST_CHECK enum result segment_init(struct segment *segment, int raw_fd, struct err *err);
void segment_release(struct segment *segment);

/** Goes on with the last segment of an earlier session, after segment_recover; after it, when it is packed. */
MUST_CHECK enum result segment_resume(struct segment *segment, const struct segment_extent *extent,
                                      struct err *err);

/** Begins the next file: its name is durable when this returns; the ledger is to be told before the
 *  first line. Skips numbers whose file is there and is not empty: nothing is ever overwritten. */
MUST_CHECK enum result segment_begin_next(struct segment *segment, struct err *err);

/** True when there is no file yet or the present one has its size. */
bool segment_is_full(const struct segment *segment);

MUST_CHECK enum result segment_append(struct segment *segment, struct str bytes, struct err *err);

/** Writes what is gathered. */
MUST_CHECK enum result segment_flush(struct segment *segment, struct err *err);

/** fdatasync. A failure is final. */
MUST_CHECK enum result segment_sync(struct segment *segment, struct err *err);

/** Forgets everything after extent.committed, in the file too. */
MUST_CHECK enum result segment_rewind(struct segment *segment, struct err *err);

#endif
