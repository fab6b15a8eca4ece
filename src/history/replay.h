/**
 * A run of the past, made from its events.jsonl: the snapshot of any moment of it.
 *
 * Between two samples counts grow evenly; between two sessions nothing happens. What samples do not hold
 * (single requests, cores) is not there. Lines that are damaged or unknown are passed over: the file is
 * written without syncs, so a crash may have cut it.
 *
 * Ownership  replay_new copies what it needs; replay_free frees.
 * Units      microseconds of the wall clock.
 * Errors     replay_new: RESULT_NOMEM; RESULT_NOT_FOUND (E-RPL1) when there is not one sample.
 * Threads    none of its own.
 */
#ifndef SCRAPETOP_HISTORY_REPLAY_H
#define SCRAPETOP_HISTORY_REPLAY_H

#include "base/err.h"
#include "base/str.h"
#include "engine/sample.h"
#include "engine/snapshot.h"

struct replay;

MUST_CHECK enum result replay_new(struct replay **replay, struct str lines, const char *name,
                                  struct err *err);
void replay_free(struct replay *replay); /* NULL is ignored */

int64_t replay_first_us(const struct replay *replay);
int64_t replay_last_us(const struct replay *replay);

/** The figures at that moment; `ran_us` (may be NULL) gets the time that sessions had run by then. */
void replay_sample(const struct replay *replay, int64_t at_us, struct sample *sample,
                   uint64_t *ran_us);

/** All sessions together: counts of requests as they stand at the end, retries, bytes and answers added up,
 *  latencies of all answers; of logs from before totals were written, the mean of the sessions'. */
void replay_whole(const struct replay *replay, struct sample *whole, uint64_t *ran_us);

/** The whole picture. `now_us` is the snapshot's monotonic time. */
void replay_snapshot(const struct replay *replay, int64_t at_us, uint64_t now_us,
                     struct snapshot *s);

/** What each cap gave up to that moment, the lowest first; returns how many rungs. */
size_t replay_rungs(const struct replay *replay, int64_t until_us,
                    struct snapshot_rung rungs[SNAPSHOT_RUNGS_MAX]);

#endif
