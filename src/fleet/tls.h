/**
 * TLS of a connection to Redis, by OpenSSL on a socket that is connected: hiredis has it from 1.0 on only.
 *
 * The certificate of the server is checked against the system's authorities, or those of place->ca_file, and against the
 * host of the URL, a name or an address (RFC 9525); a name is sent along (SNI). TLS 1.2 or later.
 *
 * Ownership  a tls owns all but the socket, and borrows `place`; NULL is freed, and closed.
 * Units      deadlines are of uv_hrtime, in ns.
 * Errors     RESULT_DENIED (E-FLEET1): the user's to mend, with a sentence: a certificate that is not trusted, or of
 *            another host, a file that is none, no TLS there. RESULT_BUSY (E-FLEET5): the connection broke, or the deadline
 *            passed; it may go well later. `err` is not NULL.
 * Threads    any, one at a time, which it blocks until the deadline.
 */
#ifndef SCRAPETOP_FLEET_TLS_H
#define SCRAPETOP_FLEET_TLS_H

#include "fleet/place.h"

#include <stddef.h>

struct fleet_tls;

/** Reads the files that `place` names. */
MUST_CHECK enum result fleet_tls_new(struct fleet_tls **tls, const struct fleet_place *place,
                                     struct err *err);
void fleet_tls_free(struct fleet_tls *tls);

/** Greets the other end of a socket, which does not block from then on. */
MUST_CHECK enum result fleet_tls_open(struct fleet_tls *tls, int fd, uint64_t due_ns,
                                      struct err *err);
void fleet_tls_close(struct fleet_tls *tls);

MUST_CHECK enum result fleet_tls_write(struct fleet_tls *tls, const char *bytes, size_t len,
                                       uint64_t due_ns, struct err *err);

/** Some bytes, `*len` of them, at least one. */
MUST_CHECK enum result fleet_tls_read(struct fleet_tls *tls, char *bytes, size_t size, size_t *len,
                                      uint64_t due_ns, struct err *err);

#endif
