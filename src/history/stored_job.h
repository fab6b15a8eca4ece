/**
 * The job as it lies in its run directory: job.json, and the copy that the ledger keeps of it.
 *
 * A file that was lost or cut (a full disk, a lost page) is made up for by that copy, with the warning
 * W-JOB1; a process that runs the run puts it back on the disk. A file that is not like the copy is somebody's
 * edit, and if it is wrong, that is said with what would help.
 */
#ifndef SCRAPETOP_HISTORY_STORED_JOB_H
#define SCRAPETOP_HISTORY_STORED_JOB_H

#include "job/job.h"
#include "store/run_dir.h"

#include <stdbool.h>

/** Reads it into `job`, which is initialised here and, on failure, released again. */
MUST_CHECK enum result stored_job_read(const struct run_dir *dir, struct job *job, struct err *err);

/** The same without headers and login, for callers that make no requests: no secret need be at hand. */
MUST_CHECK enum result stored_job_read_without_secrets(const struct run_dir *dir, struct job *job,
                                                       struct err *err);

MUST_CHECK enum result stored_job_write(const struct run_dir *dir, const struct job *job,
                                        struct err *err);

/** Appends the text of which the ledger is to keep a copy. False when there is none, or it holds a secret: the
 *  ledger holds none. */
bool stored_job_read_to_keep(const struct run_dir *dir, const struct job *job, struct buf *text);

/** Whether there is one in the directory `path`, or a ledger that may have its copy; says nothing of its worth.
 *  The directory need not exist. */
bool stored_job_is_in(const char *path);

#endif
