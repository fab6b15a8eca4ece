/**
 * S3 ask: one signed request to an object store, and what it answers.
 *
 * Signed by libcurl (AWS Signature Version 4); the body's SHA-256 is a part of the signature, so that a body
 * that was changed on the way is refused. A body is a piece of a file and is never in memory as a whole.
 * Redirects are not followed: a store that is elsewhere names its region (upload.c).
 *
 * libcurl 7.88 signs a query as it is written: parameters are sorted, and each has its "=".
 *
 * Ownership  place and file are borrowed; an answer is the caller's, who releases it; of a
 *            failed request there is none to release.
 *            An upload that is stopped (place.stop) is RESULT_CANCELLED, within a second or two.
 * Errors     E-OUT8: nobody answered (RESULT_IO), or a file of certificates is none. An answer of any status is
 *            RESULT_OK. E-OUT2: the piece cannot be read.
 * Source     Amazon S3 API Reference, "Authenticating Requests"; curl's manual, CURLOPT_AWS_SIGV4.
 * Threads    any, each with answers of its own; waits for the network, so never the loop thread.
 */
#ifndef SCRAPETOP_S3_ASK_H
#define SCRAPETOP_S3_ASK_H

#include "base/buf.h"
#include "base/err.h"
#include "s3/place.h"

#include <stdbool.h>
#include <stdint.h>

#define S3_BODY_MAX (64 * 1024) /* bytes of an answer; more is a failure */
#define S3_FIELD_MAX 128

struct s3_request {
    const char *method; /* PUT, POST, HEAD, DELETE */
    const char *query;  /* without "?", or NULL */
    bool of_bucket;
    int fd; /* of the body, if `bytes` is not 0 */
    uint64_t offset, bytes;
    struct str text; /* the body where there is no file */
};

/** It asks whether the bucket is there. */
bool s3_request_is_look(const struct s3_request *request);

struct s3_answer {
    long status;
    struct buf body;
    char etag[S3_FIELD_MAX];   /* as sent, with its quotes; empty: none */
    char region[S3_FIELD_MAX]; /* that the bucket is in, by x-amz-bucket-region */
    uint64_t length;           /* Content-Length; of a HEAD the object's */
    unsigned retry_after_s;    /* 0: not told */
};

MUST_CHECK enum result s3_ask(const struct s3_place *place, const struct s3_request *request,
                              struct s3_answer *answer, struct err *err);

/** Of all zeroes is fine. */
void s3_answer_release(struct s3_answer *answer);

/** What stands between <NAME> and </NAME> in the body, as it is written there; at most S3_FIELD_MAX bytes count.
 *  False: there is no such element. */
bool s3_answer_element(const struct s3_answer *answer, const char *name, struct str *text);

/** The answer as a fault: E-OUT8 with the server's code and words. RESULT_DENIED for 401 and 403. */
enum result s3_answer_fault(const struct s3_place *place, const struct s3_answer *answer,
                            struct err *err);

#endif
