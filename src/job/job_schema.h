/**
 * The JSON Schema of job files (draft 7), made of the rows of job/job_keys.h: for editors, which complete and check
 * with it, and for the manual's list of keys.
 *
 * The texts "@NAME" of rows stand for lists that have their own tables: the words of pagination styles, the actions
 * of answer rules, the auth kinds.
 */
#ifndef SCRAPETOP_JOB_JOB_SCHEMA_H
#define SCRAPETOP_JOB_JOB_SCHEMA_H

#include "base/buf.h"
#include "base/err.h"

/** Appends the schema. `endings` are those of "output", with blanks between: "csv csv.gz parquet". RESULT_NOMEM. */
MUST_CHECK enum result job_schema_write(const char *endings, struct buf *out, struct err *err);

#endif
