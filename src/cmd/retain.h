/**
 * --retain: answers of a run that polls that are older than that leave its bodies, and what they changed stays in its journal.
 *
 * Errors   those of changes/retire.h; RESULT_INVALID (E-ARG1) for a job that does not poll, or has a table without a key.
 * Threads  main thread.
 */
#ifndef SCRAPETOP_CMD_RETAIN_H
#define SCRAPETOP_CMD_RETAIN_H

#include "job/job.h"
#include "store/run_dir.h"

#include <stdint.h>

/** Of a run at rest: says what it did, or why not; the exit code. */
int retain_rounds(const char *run, uint64_t age_us);

/** Whether a job that wants it can have it. */
MUST_CHECK enum result retain_check(const char *run, const struct job *job, struct err *err);

/** Of a run that this process holds, by its job; says what it did. */
MUST_CHECK enum result retain_opened(const struct run_dir *dir, const struct job *job,
                                     uint64_t age_us, struct err *err);

#endif
