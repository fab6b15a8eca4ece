/**
 * S3 place: where an object lies, and as whom it is written.
 *
 * "s3://BUCKET/KEY", and for the rest what the tools of AWS take, in their order:
 *
 *   keys      AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; else the file
 *             AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials), section AWS_PROFILE (default)
 *   region    AWS_REGION, AWS_DEFAULT_REGION; else the file AWS_CONFIG_FILE (~/.aws/config); else us-east-1
 *   endpoint  AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL: any server of the S3 protocol, http or https, where
 *             buckets are the first part of the path; else that of AWS
 *   trust     AWS_CA_BUNDLE: a file of certificates
 *
 * Ownership  s3_place_read makes a place that s3_place_release frees; it overwrites the keys.
 * Errors     E-OUT6: no such place can be (RESULT_INVALID); E-OUT7: no keys are known (RESULT_DENIED).
 * Threads    any, while no other thread changes the environment.
 */
#ifndef SCRAPETOP_S3_PLACE_H
#define SCRAPETOP_S3_PLACE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>

#define S3_KEY_MAX 1024 /* bytes of a key, by the protocol */

struct s3_place {
    char *name; /* as given: for messages */
    char *bucket;
    char *key;      /* percent-encoded, without a slash before */
    char *endpoint; /* without a slash at its end; NULL: AWS */
    char *region;
    char *key_id, *secret;
    char *session_token;     /* or NULL */
    char *ca_file;           /* or NULL */
    const atomic_bool *stop; /* true: nobody waits for the store any more. Borrowed, or NULL */
};

/** Whether the path names an object of a store: "s3://...". */
bool s3_is_place(const char *path);

MUST_CHECK enum result s3_place_read(struct s3_place *place, const char *path, struct err *err);

/** Of all zeroes is fine. */
void s3_place_release(struct s3_place *place);

/** Appends the object's URL, or with `of_bucket` the bucket's. At AWS the bucket is a part of the host name, unless
 *  it has dots, for which no certificate is made. */
MUST_CHECK enum result s3_place_url(const struct s3_place *place, bool of_bucket, struct buf *url);

/** Another region than thought, by the server's word. False when it can be none. */
MUST_CHECK bool s3_place_set_region(struct s3_place *place, struct str region);

#endif
