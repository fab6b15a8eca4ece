/**
 * Files of values, {"file": "ids.csv"} or {"file": "-"}: read to their end before the run begins, since their number
 * says how many requests there are, and kept in the run directory as "values-N", from where the run resumes.
 *
 * Ownership  the job has them.
 * Errors     E-ARG9: stdin is asked for twice. E-IN2: it cannot be read, or has over VARS_FILE_MAX bytes. E-DIR3: the
 *            copy cannot be written or read. E-IN5: the file was changed while it was being read.
 * Threads    before the session's.
 */
#ifndef SCRAPETOP_SESSION_RUN_VALUES_H
#define SCRAPETOP_SESSION_RUN_VALUES_H

#include "job/job.h"
#include "store/run_dir.h"

/** Reads stdin for the variable of a given job that wants it, if one does. */
MUST_CHECK enum result run_values_read(struct job *job, struct err *err);

/** The values of all files are copied into the directory, under names that end with `ending`. `names`, unless it is
 *  NULL, gets those without it, a blank before each. */
MUST_CHECK enum result run_values_keep(const struct run_dir *dir, const struct job *job,
                                       const char *ending, struct buf *names, struct err *err);

/** Takes them from there. `*all`: there are copies of all; scrapetops of before kept none of files. */
MUST_CHECK enum result run_values_take_back(const struct run_dir *dir, struct job *job, bool *all,
                                            struct err *err);

/** One has come by stdin, which so can give no keys. */
bool run_values_are_piped(const struct job *job);

#endif
