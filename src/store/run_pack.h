/**
 * Packing the segments of a run from outside: of a live one those that are closed, of one at rest all.
 *
 * Errors   those of store/run_dir.h, store/ledger.h and store/segment_pack.h.
 * Threads  one.
 */
#ifndef SCRAPETOP_STORE_RUN_PACK_H
#define SCRAPETOP_STORE_RUN_PACK_H

#include "store/segment_pack.h"

/** `*live`: a process runs it, so that its last segment stays as it is. */
MUST_CHECK enum result run_pack(const char *path, const atomic_bool *stop, bool *live,
                                struct segment_pack_report *report, struct err *err);

#endif
