/**
 * Env file: `.env` beside a job file, in which `${NAME}` is looked for when the environment has no such variable.
 *
 * Lines are NAME=value, as shells read them: `export` before it, quotes around the value, `#` comments. Nothing is
 * expanded in it, and it is read only when it is needed.
 *
 * Errors   RESULT_NOT_FOUND: there is no file, or it has no such name. E-SEC1: others can read the file.
 * Threads  any.
 */
#ifndef SCRAPETOP_JOB_ENV_FILE_H
#define SCRAPETOP_JOB_ENV_FILE_H

#include "base/buf.h"
#include "base/err.h"

/** The path of the file beside that of a job; a heap copy, NULL when out of memory. */
char *env_file_beside(const char *job_path);

/** Appends the value of a name. */
MUST_CHECK enum result env_file_find(const char *path, const char *name, struct buf *value,
                                     struct err *err);

#endif
