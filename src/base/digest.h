/**
 * Digest: 16 bytes that stand for a text, to tell whether it was seen before.
 *
 * SipHash-2-4 with 128 bits of result and a key that never changes: 10^9 texts meet by chance with a
 * probability of 10^-21. It is no signature: who knows the key can make two texts meet.
 *
 * Source  Aumasson, Bernstein: SipHash, a fast short-input PRF (2012); the test has its vectors.
 */
#ifndef SCRAPETOP_BASE_DIGEST_H
#define SCRAPETOP_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES 16

/** Of `len` bytes. */
void digest_of(const void *bytes, size_t len, uint8_t digest[DIGEST_BYTES]);

#endif
