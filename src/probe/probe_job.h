/**
 * What `probe` prints: a job file whose comments tell what was found.
 *
 * All of it is ASCII but for the comments, which are display-safe: names come from the server, and may go
 * to a terminal. Credentials do not stand in it; ${NAMES} for them do.
 */
#ifndef SCRAPETOP_PROBE_PROBE_JOB_H
#define SCRAPETOP_PROBE_PROBE_JOB_H

#include "base/buf.h"
#include "fetch/response.h"
#include "job/job.h"
#include "plan/pages/page_guess.h"
#include "probe/probe_shape.h"

/** What came when the second page was asked for as the guess says (probe_try.h). */
enum probe_tried {
    PROBE_NOT_TRIED,
    PROBE_OTHERS_CAME, /* other records: the guess is right */
    PROBE_SAME_CAME,   /* no other ones, by any parameter */
};

struct probe_found {
    const struct job *job; /* what was asked */
    const struct response *response;
    struct str body; /* of the response, without a byte order mark */
    bool are_texts;  /* it was made of CSV or XML, whose values are all strings */
    struct pages_guess guess;
    struct probe_shape shape;
    enum probe_tried tried;
    unsigned tries; /* requests for that */
};

/** Appends the comments: the answer, its records with their columns, pages, limits. */
MUST_CHECK enum result probe_tell(const struct probe_found *found, struct buf *out);

/** Appends the job, without what is secret in it. */
MUST_CHECK enum result probe_job_write(const struct probe_found *found, struct buf *out,
                                       struct err *err);

/** The request that was made. */
struct str probe_url(const struct probe_found *found);

#endif
