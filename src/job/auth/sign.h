/**
 * Signatures: each request is signed by itself, with a key that is never sent.
 *
 *   aws   AWS Signature Version 4: Authorization, X-Amz-Date, X-Amz-Content-Sha256, X-Amz-Security-Token
 *   hmac  HMAC with SHA-256 or SHA-512 of a text made of the request: {time}, {method}, {path}, {query}, {target} (path
 *         and query), {host}, {body}; in hex or base64, in a header; the time in another one
 *
 * Pure; told the time.
 *
 * Ownership  buffers are the caller's, who overwrites them.
 * Errors     RESULT_NOMEM.
 * Threads    any.
 */
#ifndef SCRAPETOP_JOB_AUTH_SIGN_H
#define SCRAPETOP_JOB_AUTH_SIGN_H

#include "base/buf.h"
#include "base/err.h"
#include "job/job.h"
#include "job/job_keys.h"

#define SIGN_HEADERS_MAX 4
#define SIGN_CLOCK_OFF_US (5 * 60 * UINT64_C(1000000)) /* further off, and signatures are refused */

struct sign_request {
    struct str method, body;
    struct str host;   /* with its port, where that is not the scheme's */
    struct str target; /* path and query as they are sent */
    int64_t wall_us;
};

extern const struct job_keys job_sign_keys;

/** What concerns several keys, after they were read. `lacks`: a secret was not kept with the job. */
MUST_CHECK enum result sign_check(struct job_sign *sign, bool lacks, struct err *err);

/** Makes header lines; those that are not needed stay empty. */
MUST_CHECK enum result sign_make(const struct job_sign *sign, const struct sign_request *request,
                                 struct buf lines[SIGN_HEADERS_MAX]);

#endif
