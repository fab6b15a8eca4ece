/**
 * JSON Web Tokens as credentials (RFC 7519, 7523), signed with a private key: RS256 for RSA, ES256 for P-256.
 * Which of them follows from the key.
 *
 * Errors   E-KEY1: the key is none, or of a kind that is not known; RESULT_NOMEM.
 * Threads  any.
 */
#ifndef SCRAPETOP_JOB_AUTH_JWT_H
#define SCRAPETOP_JOB_AUTH_JWT_H

#include "base/buf.h"
#include "base/err.h"

#define JWT_LIFE_S 300 /* servers commonly refuse more than an hour */

struct jwt_claims {
    const char *issuer, *audience;
    const char *subject, *scope, *key_id; /* or NULL */
    int64_t issued_s;                     /* seconds since 1970 */
};

/** A private key in PEM that can sign. */
MUST_CHECK enum result jwt_check_key(struct str pem, struct err *err);

/** Appends HEADER.CLAIMS.SIGNATURE. */
MUST_CHECK enum result jwt_make(const struct jwt_claims *claims, struct str pem, struct buf *out,
                                struct err *err);

#endif
