/**
 * The job as it lies in its run directory: job.json.
 */
#ifndef SCRAPETOP_CMD_STORED_JOB_H
#define SCRAPETOP_CMD_STORED_JOB_H

#include "job/job.h"
#include "store/run_dir.h"

#include <stdbool.h>

/** Reads it into `job`, which is initialised here and, on failure, released again. */
MUST_CHECK enum result stored_job_read(const struct run_dir *dir, struct job *job, struct err *err);

/** The same without headers and login, for who asks nothing: no secret need be at hand. */
MUST_CHECK enum result stored_job_read_without_secrets(const struct run_dir *dir, struct job *job,
                                                       struct err *err);

MUST_CHECK enum result stored_job_write(const struct run_dir *dir, const struct job *job,
                                        struct err *err);

/** Whether there is one in the directory `path`, which need not exist; says nothing of its worth. */
bool stored_job_is_in(const char *path);

#endif
