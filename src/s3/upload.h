/**
 * S3 upload: a file becomes an object, whole or not at all.
 *
 * Up to S3_PART_BYTES it is one PUT. What is larger goes up in parts (multipart upload), and is there under its name
 * once all are: until then, and whatever fails, an older object of that name stays. A failed upload is aborted, so
 * that its parts are not kept and paid for.
 *
 * What may pass (nobody answers, 408, 429, 5xx) is tried again, six times in all, with waits that double from 0.2 s, or
 * what Retry-After says, up to a minute; a look at the bucket three times, half a minute at most. A bucket in another
 * region than thought is asked there, once.
 *
 * Ownership  place and descriptor are borrowed; the place learns the bucket's region.
 * Errors     those of s3/ask.h; E-OUT8 with the store's own words when it refuses.
 * Source     Amazon S3 API Reference: PutObject, CreateMultipartUpload, UploadPart, CompleteMultipartUpload.
 * Threads    any; waits for the network and between tries, so never the loop thread.
 */
#ifndef SCRAPETOP_S3_UPLOAD_H
#define SCRAPETOP_S3_UPLOAD_H

#include "base/err.h"
#include "s3/place.h"

#include <stdint.h>

#define S3_PART_BYTES ((uint64_t)16 << 20) /* larger where 10,000 parts would not do */

MUST_CHECK enum result s3_upload(struct s3_place *place, int fd, uint64_t bytes, struct err *err);

/** Whether the bucket is there and answers. Keys that may only write cannot look: that is no fault. */
MUST_CHECK enum result s3_look(struct s3_place *place, struct err *err);

#endif
