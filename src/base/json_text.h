/**
 * Bytes as a JSON string literal, and back.
 *
 * Strict RFC 8259 whatever comes in: quotes, backslashes and controls are escaped, a byte that is not
 * part of valid UTF-8 becomes U+FFFD (so only valid UTF-8 survives the way back), everything else is
 * copied. Decoding is as strict, an escape of a lone surrogate is refused, for it is meant for what was
 * appended here; a string of a body that json_check has passed is for json_unescape (json_scan.h). Do
 * not grow this into a JSON writer.
 *
 * Errors  RESULT_NOMEM or RESULT_LIMIT of the buffer; RESULT_INVALID when decoding.
 */
#ifndef SCRAPETOP_BASE_JSON_TEXT_H
#define SCRAPETOP_BASE_JSON_TEXT_H

#include "base/buf.h"

/** Printable ASCII that stands for itself between quotes. */
bool json_text_is_plain(const char *bytes, size_t len);

/** Appends `bytes` as a literal, its quotes included. */
MUST_CHECK enum result json_text_append(struct buf *to, struct str bytes);

/** The same for a log that people look at on a terminal: what would act on it is escaped, too (base/utf8.h), and
 *  means the same. */
MUST_CHECK enum result json_text_append_shown(struct buf *to, struct str bytes);

/** Appends what the literal says; `inside` is what stands between the quotes. */
MUST_CHECK enum result json_text_decode(struct buf *to, struct str inside);

/** Appends valid JSON without the white space between its tokens. */
MUST_CHECK enum result json_text_compact(struct buf *to, struct str json);

#endif
