/**
 * A job file on the command line of `run`: told from a URL, read, and its variables tried before
 * anything is asked.
 *
 * Errors  those of job/job_file.h and job/expansion.h. When there are several, they are printed here and
 *         the error handed back only counts them.
 */
#ifndef SCRAPETOP_SESSION_RUN_JOB_H
#define SCRAPETOP_SESSION_RUN_JOB_H

#include "job/job_file.h"

#include <stdbool.h>

/** A path that ends in .json, or is that of a file: no URL. */
bool run_job_is_file(const char *operand);

/** job_file_read. On failure there is nothing to release. */
MUST_CHECK enum result run_job_read(struct job *job, const char *path,
                                    const struct job_given *given, struct err *err);

/** The same of a text that stands in no file. */
MUST_CHECK enum result run_job_parse(struct job *job, struct str text, struct err *err);

/** Opens the files of the variables and tries each value once; notes the files' checksums in `job`. */
MUST_CHECK enum result run_job_check(struct job *job, struct err *err);

/** A URL's secret query parameter, `?api_key=${ENV}`, becomes the job's login, which is put in when a
 *  request is sent: so it stands in no record and no job.json. E-SEC4 for a `${ENV}` anywhere else. */
MUST_CHECK enum result run_job_take_url_secrets(struct job *job, struct err *err);

/** The same for callers that make no requests, without secrets; with its "base". */
MUST_CHECK enum result run_job_read_without_secrets(struct job *job, const char *path,
                                                    struct err *err);

#endif
