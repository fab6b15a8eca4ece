/**
 * Charset: letters that the C library converts, beside those that body_text.c reads itself.
 *
 * The table of names is ours: what a server calls a charset is never handed to the library as it is. They are those of
 * WHATWG Encoding that JSON, CSV and XML are met in. Which of them the library knows is another question.
 *
 * Ownership  the caller's buf.
 * Errors     RESULT_INVALID: bytes that are no letters there; RESULT_NOMEM or RESULT_LIMIT of the buf.
 * Threads    no state.
 */
#ifndef SCRAPETOP_BASE_CHARSET_H
#define SCRAPETOP_BASE_CHARSET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

/** The library's name for it; NULL when it has no place here, or the library does not know it. */
const char *charset_find(struct str name);

/** All ASCII bytes stand for themselves in it, and it has no escapes: the bytes show whether a text is UTF-8 instead. */
bool charset_is_told_from_utf8(const char *found);

/** Appends the bytes as UTF-8. `found` is charset_find's. */
MUST_CHECK enum result charset_read(const char *found, struct str bytes, struct buf *out);

/** What each byte stands for, -1: nothing; false when some bytes are only part of a letter. */
bool charset_map(const char *found, int map[256]);

#endif
