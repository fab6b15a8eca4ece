/**
 * Header fill: the headers of an endpoint that hold `{placeholders}`, filled in from a request's `vars`.
 *
 * The others are the same for all its requests and are none of this module's business.
 *
 * Ownership  copies what it needs; header_fill_free releases it.
 * Errors     E-TPL2 a value that is missing, E-HDR2 one that no header may hold.
 * Threads    read-only after header_fill_new, so any.
 */
#ifndef SCRAPETOP_JOB_HEADER_FILL_H
#define SCRAPETOP_JOB_HEADER_FILL_H

#include "base/buf.h"
#include "job/job.h"

#define HEADER_FILL_MAX 6 /* of one endpoint */

struct header_fill;

/** Whether this header of an endpoint is one that has to be filled in. */
bool header_is_filled(const struct job_endpoint *endpoint, const struct job_header *header);

/** NULL in `made` when the endpoint has none. RESULT_LIMIT (E-HDR2) for too many. */
MUST_CHECK enum result header_fill_new(struct header_fill **made,
                                       const struct job_endpoint *endpoint, struct err *err);
void header_fill_free(struct header_fill *f); /* NULL is ignored */

/** 0 for NULL. */
size_t header_fill_count(const struct header_fill *f);

/** Replaces the content of `line` by "Name: value". */
MUST_CHECK enum result header_fill_line(const struct header_fill *f, size_t index, struct str vars,
                                        struct buf *line, struct err *err);

#endif
