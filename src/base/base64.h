/**
 * Base64 with padding, the plain alphabet, no line breaks: RFC 4648 section 4.
 *
 * Errors  RESULT_NOMEM or RESULT_LIMIT of the buffer; RESULT_INVALID when decoding anything that the
 *         encoder would not have written.
 */
#ifndef SCRAPETOP_BASE_BASE64_H
#define SCRAPETOP_BASE_BASE64_H

#include "base/buf.h"

MUST_CHECK enum result base64_append(struct buf *to, struct str bytes);
MUST_CHECK enum result base64_decode(struct buf *to, struct str text);

#endif
