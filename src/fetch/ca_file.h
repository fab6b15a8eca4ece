/**
 * A file of certificates to trust, looked at before the first request.
 *
 * The TLS library reads it at each handshake, and what it makes of one that is no such file is a failure of
 * each request. So it is looked into here as far as that needs no TLS: PEM with at least one certificate, and
 * each of them whole base64 of one DER sequence. Whether they are worth anything is the library's to say.
 *
 * Errors  E-TLS3, RESULT_INVALID or what the system says; RESULT_NOMEM.
 */
#ifndef SCRAPETOP_FETCH_CA_FILE_H
#define SCRAPETOP_FETCH_CA_FILE_H

#include "base/err.h"

#define CA_FILE_MAX (32U << 20) /* bytes; the bundle of a system has some 200 KiB */

/** Blocks on the disk, never on a pipe. */
MUST_CHECK enum result ca_file_check(const char *path, struct err *err);

#endif
