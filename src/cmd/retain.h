/**
 * --retain: answers of a run that polls that are older than that leave its bodies, and what they changed stays in its journal.
 *
 * Errors   those of changes/retire.h; RESULT_INVALID (E-ARG1) for a job that does not poll, or has a table without a key.
 * Threads  main thread; what goes on beside a session is on its tender's (store/tender.h).
 */
#ifndef SCRAPETOP_CMD_RETAIN_H
#define SCRAPETOP_CMD_RETAIN_H

#include "job/job.h"
#include "store/run_dir.h"
#include "store/tender.h"

#include <stdint.h>

/** Of a run at rest: says what it did, or why not; the exit code. */
int retain_rounds(const char *run, uint64_t age_us);

/** Whether a job that wants it can have it. */
MUST_CHECK enum result retain_check(const char *run, const struct job *job, struct err *err);

/** Of a run that this process holds and is about to go on with, by its job's `retain_us`; says what it did. */
MUST_CHECK enum result retain_opened(const struct run_dir *dir, const struct job *job,
                                     struct err *err);

struct retain_live;

/** The same while the run goes on, at times: a 24th of the age, an hour at the most and a second at the least. Directory
 *  and job are borrowed until retain_live_free, which comes after the session. */
MUST_CHECK enum result retain_live_new(struct retain_live **live, const struct run_dir *dir,
                                       const struct job *job, struct err *err);

/** NULL for NULL. */
const struct tending *retain_live_tending(const struct retain_live *live);
void retain_live_free(struct retain_live *live);

#endif
