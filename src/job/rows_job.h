/**
 * `run --rows FILE URL`: a job of one URL for each row of a file, without a job file.
 *
 * `{id}` in the URL is the row's column (or, of JSON Lines, member) `id`; of a file with a value a line, `{row}` is the
 * line. What comes of it is what a job file says as "vars": {"row": {"file": FILE}} and {row.id}, so that file formats,
 * encoding of values and errors are those of job files (job/vars.h, job/template.h).
 *
 * Errors  E-ARG1: a URL without a placeholder; E-URL1: too long a URL.
 */
#ifndef SCRAPETOP_JOB_ROWS_JOB_H
#define SCRAPETOP_JOB_ROWS_JOB_H

#include "job/job.h"

/** Appends the text of that job file. `path` is "-" for stdin. */
MUST_CHECK enum result rows_job_text(const char *path, const char *url, struct buf *text,
                                     struct err *err);

#endif
