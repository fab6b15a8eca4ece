/**
 * Values of a variable that come by stdin, {"file": "-"}: read to their end before the run begins, since their number
 * says how many requests there are, and kept in the run directory as "values-N", from where the run resumes.
 *
 * Ownership  the job has them.
 * Errors     E-ARG9: stdin is asked for twice. E-IN2: it cannot be read, or has over VARS_FILE_MAX bytes. E-DIR3: the
 *            copy cannot be written or read.
 * Threads    before the session's.
 */
#ifndef SCRAPETOP_SESSION_RUN_VALUES_H
#define SCRAPETOP_SESSION_RUN_VALUES_H

#include "job/job.h"
#include "store/run_dir.h"

/** Reads stdin for the variable of a given job that wants it, if one does. */
MUST_CHECK enum result run_values_read(struct job *job, struct err *err);

/** Of a fresh run they are copied into its directory; of a job that was read from there, they are taken from it. */
MUST_CHECK enum result run_values_settle(const struct run_dir *dir, struct job *job,
                                         struct err *err);

/** One has come by stdin, which so can give no keys. */
bool run_values_are_piped(const struct job *job);

#endif
