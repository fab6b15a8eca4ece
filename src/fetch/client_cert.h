/**
 * A client's certificate and its key, looked at before the first request.
 *
 * The TLS library reads them at each handshake, and what it makes of a wrong pass phrase is a failure of each
 * request. So they are read here once as it would read them: PEM, or PKCS #12, which holds the key as well. They must
 * be of one another, and of this time. Only its owner may read the key.
 *
 * Errors  E-TLS4, E-SEC1 (others can read the key), RESULT_NOMEM.
 */
#ifndef SCRAPETOP_FETCH_CLIENT_CERT_H
#define SCRAPETOP_FETCH_CLIENT_CERT_H

#include "base/err.h"
#include "job/job_network.h"

#include <stdbool.h>

/** Blocks on the disk, never on a pipe. All is well when there is none. */
MUST_CHECK enum result client_cert_check(const struct job_tls *tls, struct err *err);

/** The file is PKCS #12 and not PEM, by its first byte. */
bool client_cert_is_p12(const char *path);

#endif
