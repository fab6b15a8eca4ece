/**
 * Option rows of `run` that say the same as headers, bodies and URLs do, in curl's words.
 *
 * Ownership  as_curl_release frees what was collected.
 * Errors     those of job/job.h and probe/curl_form.h; E-ARG1 what does not go together.
 */
#ifndef SCRAPETOP_CMD_AS_CURL_ROWS_H
#define SCRAPETOP_CMD_AS_CURL_ROWS_H

#include "base/buf.h"
#include "cmd/options.h"
#include "job/job.h"

struct as_curl {
    const char *agent, *user, *cookie; /* -A, -u, -b */
    struct buf encoded;                /* of --data-urlencode, joined */
    struct buf form;                   /* of -F */
    bool is_get;                       /* -G */
    bool is_digest;                    /* --digest */
};

#define AS_CURL_ROWS 7
extern const struct option_row as_curl_rows[AS_CURL_ROWS]; /* into a struct as_curl */

/** Credentials: for any job. */
MUST_CHECK enum result as_curl_lay_headers(struct as_curl *as, struct job *job, struct err *err);

/** What is sent: for URLs of the command line. */
MUST_CHECK enum result as_curl_lay_body(struct as_curl *as, struct job *job, struct err *err);

void as_curl_release(struct as_curl *as);

#endif
