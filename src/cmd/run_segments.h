/**
 * A run's segments, each as a source of its own: what `normalise --partition` makes its parts of.
 *
 * One look at the index of an endpoint says what each segment holds of it, and where in the plan's order it begins,
 * so that reading one of them need not go through all.
 *
 * Ownership  run_segments_release; the run is borrowed, and so is the list until its sources are closed.
 * Errors     those of the ledger, E-NOMEM.
 * Threads    main thread; sources as table/run_source.h says. The ledger is held by who calls (opened_runs_hold).
 */
#ifndef SCRAPETOP_CMD_RUN_SEGMENTS_H
#define SCRAPETOP_CMD_RUN_SEGMENTS_H

#include "cmd/opened_runs.h"

#include <stddef.h>
#include <stdint.h>

struct run_segment {
    struct opened_run *run;
    uint32_t number;
    uint64_t records, bytes;
    uint64_t digest;             /* of where its records are and of their checksums, in order */
    struct record_position from; /* before its first record */
    uint64_t left;               /* records that the present pass has still to read */
};

struct run_segments {
    struct run_segment *list; /* by number; the first is no segment */
    uint32_t count;
    uint32_t endpoint; /* of the run */
};

MUST_CHECK enum result run_segments_find(struct run_segments *segments, struct opened_run *run,
                                         uint32_t endpoint, struct err *err);
void run_segments_release(struct run_segments *segments);

/** The records in segment `number`, which has some. One source at a time for a segment. */
MUST_CHECK enum result run_segments_source(const struct run_segments *segments, uint32_t number,
                                           struct record_source **source, struct err *err);

#endif
