/**
 * JSON as some servers write it, made JSON: only what has one meaning.
 *
 *   NaN, -nan, Infinity, -inf, undefined   null, for JSON has no such value
 *   a control character within a text      its escape: a tab is \t
 *   \' within a text                       '
 *   \x41 within a text                     \u0041, as in JavaScript
 *   a comma after the last of a list       left out, as in JavaScript; [,] and [1,,] stay what they are
 *   NULs after the end                     left out, as of a program that counts its string's end
 *
 * All else is copied: what is no JSON besides is none with that either, so that json_check is to be asked about what
 * comes out. Servers that do so write their JSON by hand (PHP, shell scripts, devices), or with Python's and C's
 * words for numbers.
 *
 * Ownership  the caller's buf.
 * Errors     RESULT_NOMEM or RESULT_LIMIT of the buf.
 * Units      bytes.
 * Threads    no state.
 * Sources    RFC 8259 sections 2, 3 and 7; ECMA-262 (\x and \' in texts, the last comma); C17 7.21.6.1 (nan, inf).
 */
#ifndef SCRAPETOP_BASE_JSON_LOOSE_H
#define SCRAPETOP_BASE_JSON_LOOSE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* What was other than JSON, a bit for each. */
enum json_loose_had {
    JSON_LOOSE_NAN = 1,   /* one of the words that stand for no value */
    JSON_LOOSE_SIGNS = 2, /* one of the others */
};

/** Appends to `out` what `text`, UTF-8, means. `*had`: 0 when it was copied as it is. */
MUST_CHECK enum result json_loose_read(struct str text, struct buf *out, unsigned *had);

#endif
