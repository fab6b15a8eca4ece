/**
 * Whether two jobs that ask in the same way, with other values, have requests in common.
 *
 * Looked at are the first and the last RUN_ALIKE_SAMPLES of each: values that are added, that move on or are cut at
 * one end are seen, however many there are.
 *
 * Threads  before the loop.
 */
#ifndef SCRAPETOP_SESSION_RUN_ALIKE_H
#define SCRAPETOP_SESSION_RUN_ALIKE_H

#include "job/job.h"
#include "store/run_dir.h"

#define RUN_ALIKE_SAMPLES 1000

/** `stored` is the job of `dir`, which gets its values from there. Jobs without variables, of lists or with a
 *  credential that was typed are not alike. */
bool run_is_alike(const struct run_dir *dir, struct job *stored, const struct job *given);

#endif
