/**
 * The text of a job file: JSON with comments, whose values know where they stand, and the mistakes
 * found in it.
 *
 * Comments (two slashes to the end of the line, or C's) are blanked out in a copy, byte for byte, so that
 * a view into the copy tells line and column of the original. Nothing goes through a JSON library's
 * doubles: a number is read as it was written. A function that finds a mistake reports it and goes on, so that all of
 * them are told at once, in the order of the file.
 *
 * Ownership  job_text_release frees the copy; values are views into it.
 * Units      lines and columns count from 1, columns in characters.
 * Errors     E-CFG2 when it is not JSON; running out of memory is remembered in `no_memory`.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_JOB_JOB_TEXT_H
#define SCRAPETOP_JOB_JOB_TEXT_H

#include "base/buf.h"
#include "job/job_file.h"

struct job_text {
    const char *where; /* "catalog.json", for messages; NULL: no place is told */
    struct buf plain;
    struct job_faults *faults;
    size_t fault_at[JOB_FAULTS_SHOWN]; /* bytes: they are kept in the order of the text */
    bool no_memory;
};

/** Copies `text`. False when it is not JSON, which is a fault, too. */
bool job_text_open(struct job_text *t, struct str text, const char *where,
                   struct job_faults *faults);
void job_text_release(struct job_text *t);

/** The one value. */
struct str job_text_root(const struct job_text *t);

/** Adds a fault, "catalog.json:12:5: " before it; `at` is a view into the text. */
void job_text_fault(struct job_text *t, struct str at, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** The same with another module's words. */
void job_text_fault_of(struct job_text *t, struct str at, const struct err *err);

unsigned job_text_line(const struct job_text *t, struct str at);

/** A string value as a terminated heap copy; NULL, with a fault that names `key`, when it is none or
 *  holds a NUL. */
char *job_text_string(struct job_text *t, const char *key, struct str value);

/** The same for the name of a member, as it stands between its quotes. */
char *job_text_name(struct job_text *t, struct str raw);

/** A copy of JSON without the white space between its tokens; NULL when out of memory. */
char *job_text_compact(struct str json);

/** Frees `*to` and puts a copy of `text` there. On failure `*to` stays. RESULT_NOMEM. */
MUST_CHECK enum result job_replace(char **to, struct str text, struct err *err);

#endif
