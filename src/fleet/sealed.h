/**
 * Sealed text: what stands in Redis, where others may read it, and says nothing without the workers' common key.
 *
 * ChaCha20-Poly1305 (RFC 8439) under a key that HKDF (RFC 5869, SHA-256) makes of the text that the user gives all
 * workers; bound to the job's digest, so that what is moved from one job to another is none. As text: base64 of a random
 * nonce, the sealed bytes and the tag.
 *
 * Errors     RESULT_CORRUPT: it was sealed with another key, for another job, or is none. RESULT_DENIED: libcrypto does
 *            not allow it on this machine. RESULT_NOMEM.
 * Threads    any; pure but for the nonce.
 */
#ifndef SCRAPETOP_FLEET_SEALED_H
#define SCRAPETOP_FLEET_SEALED_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

#define SEALED_KEY_BYTES 32
#define SEALED_SECRET_MIN 16 /* of a shorter one all could be tried */

MUST_CHECK enum result sealed_hkdf(struct str secret, struct str salt, struct str info,
                                   uint8_t key[SEALED_KEY_BYTES]);

/** Appends to `out`. */
MUST_CHECK enum result sealed_make(struct str secret, struct str job, struct str clear,
                                   struct buf *out);

/** Appends to `out`, whose owner overwrites it. */
MUST_CHECK enum result sealed_open(struct str secret, struct str job, struct str text,
                                   struct buf *out);

#endif
