/**
 * Expansion: the requests that an endpoint of a job file makes by itself, by number.
 *
 * Once for every combination of the values of the variables that its URL, body, headers and `with` name,
 * in the order in which they are named, the last one varying fastest. Nothing is unrolled: a request
 * is computed from its number. Its `vars` hold the values under the names of their placeholders
 * ({"city":"ottawa","row.id":"7"}), those that later endpoints will need among them, and `{since}`,
 * if the endpoint has one.
 *
 * Ownership  borrows the job and the variables; expansion_free releases the rest. The texts are the
 *            caller's buffers, zeroed at first.
 * Errors     E-GLOB3 too many combinations; E-TPL2 a value that is missing, E-TPL3, E-HDR2; the URL is
 *            not looked at here, but by expansion_check.
 * Threads    read-only after expansion_new, so any.
 */
#ifndef SCRAPETOP_JOB_EXPANSION_H
#define SCRAPETOP_JOB_EXPANSION_H

#include "base/buf.h"
#include "job/job.h"
#include "job/vars.h"

struct expansion;

struct expansion_texts {
    struct buf key;  /* the values, joined by commas; what is left of the URL when there are none */
    struct buf url;  /* absolute */
    struct buf body; /* when the endpoint has one */
    struct buf vars; /* a JSON object, or empty */
    struct buf values; /* scratch */
    struct str
        since; /* given: `{since}` as JSON; STR_NONE: where the endpoint says that it starts */
};

/** `endpoint` is the index of one whose source is a JOB_SOURCE_TEMPLATE and which has no parent. */
MUST_CHECK enum result expansion_new(struct expansion **made, const struct job *job,
                                     uint32_t endpoint, const struct vars *vars, struct err *err);
void expansion_free(struct expansion *x); /* NULL is ignored */

uint64_t expansion_count(const struct expansion *x);

MUST_CHECK enum result expansion_read(const struct expansion *x, uint64_t index,
                                      struct expansion_texts *texts, struct err *err);
/** Its requests ask for a stretch of time: they say where a step of a variable of dates begins, and where it ends. Only of
 *  an endpoint that has a `split`; then their `vars` have both as {V.epoch} and {V.next.epoch}. */
bool expansion_has_window(const struct expansion *x);

/** The halves of the window of the request that has these `vars`; RESULT_NOT_FOUND: it cannot be halved. */
MUST_CHECK enum result expansion_halve(const struct expansion *x, struct str vars,
                                       struct dates_window halves[2]);

/** The request that has these `vars`, with another window. Errors as of expansion_read. */
MUST_CHECK enum result expansion_read_window(const struct expansion *x, struct str vars,
                                             const struct dates_window *window,
                                             struct expansion_texts *texts, struct err *err);

void expansion_texts_release(struct expansion_texts *texts);

/** Tries every value of every variable once, not every combination: fields that a file lacks, rows
 *  without a value, URLs that are none. `faults` gets what is wrong, RESULT_INVALID. */
MUST_CHECK enum result expansion_check(const struct expansion *x, struct job_faults *faults,
                                       struct err *err);

#endif
