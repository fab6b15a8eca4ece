/**
 * Job files: a whole API, told in JSON with comments (DESIGN section 4).
 *
 * Every mistake is told at once, each with line and column. What is relative in the file becomes
 * absolute: URLs by "base" (which is put before them as it stands), paths by the file's directory.
 * Endpoints are sorted so that a parent comes before its children. Where a text is a secret, a value
 * that begins with `@` is the content of that file, and `${NAME}` comes from the environment; neither
 * is ever written down. A key that begins with `$` is left to editors ("$schema").
 *
 * Errors, next to those of the texts inside (E-URL, E-HDR2, E-SEC, E-TPL1, E-PTR1, E-GLOB):
 *
 *   E-CFG1  an unknown key; the nearest one is named
 *   E-CFG2  not JSON, a value of the wrong type or out of its range
 *   E-CFG3  a key given twice
 *   E-CFG4  something needed is missing, or is of no use without another
 *   E-CFG5  an unknown placeholder, endpoint or variable; the nearest one is named
 *   E-CFG6  endpoints that wait for one another
 *   E-CFG7  a name taken twice
 *   E-CFG8  two keys that exclude each other
 *   E-CFG9  placeholders that belong to no one line of endpoints
 *   E-ANS1  a rule of "answers" that stands in vain after another
 *   E-PAT1  a pattern that is none (base/pattern.h)
 *   E-SEC4  a secret where it would be stored with every record
 *
 * Threads  one at a time.
 */
#ifndef SCRAPETOP_JOB_JOB_FILE_H
#define SCRAPETOP_JOB_JOB_FILE_H

#include "job/job.h"

#define JOB_FAULTS_SHOWN 20

struct job_faults {
    struct err errors[JOB_FAULTS_SHOWN]; /* the first of them, in the order of the file */
    size_t count;                        /* all that were found */
};

/** What the command line says of a job file, in the place of what the file says. */
struct job_given {
    const char *base;        /* NULL: the file's */
    const char *const *vars; /* "NAME=VALUE"; the value is one, or a day in words (job/dates.h) */
    size_t var_count;        /* 64 at most */
    const int64_t *wall_us;  /* now; NULL: the system's */
};

/** Reads the file into `job`, which is initialised by it. `given` may be NULL. RESULT_INVALID with
 * `faults` filled and a summary in `err`; there is then nothing to release. */
MUST_CHECK enum result job_file_read(struct job *job, const char *path,
                                     const struct job_given *given, struct job_faults *faults,
                                     struct err *err);

/** The same for callers that make no requests: headers and login are passed over, and no secret need be at hand. */
MUST_CHECK enum result job_file_read_without_secrets(struct job *job, const char *path,
                                                     struct job_faults *faults, struct err *err);

/** The same from memory; `path` is for messages and for what is relative to it. */
MUST_CHECK enum result job_file_parse(struct job *job, struct str text, const char *path,
                                      const struct job_given *given, struct job_faults *faults,
                                      struct err *err);

/** Appends the text of a job file. E-IN2. */
MUST_CHECK enum result job_file_load(const char *path, struct buf *text, struct err *err);

#endif
