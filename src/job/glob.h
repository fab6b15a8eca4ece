/**
 * URL patterns as curl writes them, expanded at random access.
 *
 * `[1-100]` `[001-100]` (padded) `[1-100:5]` `[a-z]` `[a-z:2]` `{a,b}`, several in one URL, a backslash
 * before a bracket or brace takes its meaning away. Brackets in a query that hold a word without "-" are
 * no range and stand for themselves (`filter[status]=open`), as do `[]` and IPv6 addresses,
 * and braces in a query that hold JSON or are never closed. The rightmost part varies fastest. A pattern is
 * never unrolled: the URL at an index is computed from the index, so ten million URLs cost what one
 * costs, and a run that resumes needs nothing but a number.
 *
 * Differs from curl 7.88 in three things, each on purpose: the product of all parts must fit into 64
 * bits, a step may not carry a sign, and what a pattern expands to must be a URL that base/url takes
 * (every value of every part is tried once, not every combination).
 *
 * Ownership  glob_new copies the pattern; glob_free releases everything.
 * Errors     E-GLOB1 to E-GLOB4 with the byte, counted from 1; E-URL1 to E-URL7.
 * Threads    read-only after glob_new, so any.
 */
#ifndef SCRAPETOP_JOB_GLOB_H
#define SCRAPETOP_JOB_GLOB_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define GLOB_PARTS_MAX 100 /* literals, ranges and sets of one pattern */
#define GLOB_PATTERN_MAX (UINT32_C(1) << 20)

struct glob;

/** `globoff`: no character has a meaning, the pattern is one URL. */
MUST_CHECK enum result glob_new(struct glob **glob, struct str pattern, bool globoff,
                                struct err *err);
void glob_free(struct glob *glob);

/** Brackets or braces in its query are none of a pattern's, and stand for themselves. */
bool glob_has_plain(const struct glob *glob);

/** How many URLs it expands to; at least 1. */
uint64_t glob_count(const struct glob *glob);

/** Replaces the content of `url` by the URL at `index` (below glob_count), and that of `key`, which
 *  may be NULL, by what varies in it: the values joined by commas. The value of a query parameter
 *  named page, _page, p, offset or cursor keeps its name when nothing else varies ("page=3"). What
 *  has nothing that varies has the key of glob_url_key. RESULT_NOMEM or RESULT_LIMIT. */
MUST_CHECK enum result glob_expand(const struct glob *glob, uint64_t index, struct buf *url,
                                   struct buf *key);

/** Appends the key of one plain URL: path and query without the leading slash, query values that are
 *  secrets by their name redacted, or "index" when that leaves nothing. `url` has been checked. */
MUST_CHECK enum result glob_url_key(struct str url, struct buf *key);

#endif
