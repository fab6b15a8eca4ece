/**
 * URLs made from URLs: a reference resolved, a parameter of the query set.
 *
 * The result is not checked: a caller that requests it puts it through url_split.
 *
 * Source  RFC 3986 sections 2.3, 3.4 and 5.2; names in a query may be percent-encoded or have `+` for a
 *         space, as forms write them.
 * Errors  RESULT_NOMEM or RESULT_LIMIT of the buffer.
 */
#ifndef SCRAPETOP_BASE_URL_MAKE_H
#define SCRAPETOP_BASE_URL_MAKE_H

#include "base/buf.h"
#include "base/url.h"

/** Appends `bytes`, all but unreserved ones percent-encoded. */
MUST_CHECK enum result url_append_encoded(struct buf *to, struct str bytes);

/** What percent escapes (and `+`) of a query mean, in `room`, which has at least as many bytes as
 *  `encoded`; a bad escape stands for itself. */
struct str url_decode(struct str encoded, char *room);

/** One "name=value" of a query after the other, both as they stand there. */
struct url_params {
    struct str rest;
};

void url_params_begin(struct url_params *params, struct str url);
bool url_params_next(struct url_params *params, struct str *name, struct str *value);

/** `encoded`, a name in a query, means `name`. */
bool url_name_is(struct str encoded, struct str name);

/** The first value of that name, still encoded. */
bool url_param(struct str url, struct str name, struct str *encoded);

/** Appends `url` without its fragment, the parameter set: in place of the first of its name (others of
 *  it are left out), else after the last. `encoded` is copied as it is. */
MUST_CHECK enum result url_append_with_param(struct buf *to, struct str url, struct str name,
                                             struct str encoded);

/** Appends `url` without its fragment and the parameters of that name. */
MUST_CHECK enum result url_append_without_param(struct buf *to, struct str url, struct str name);

/** Appends `reference` (a URL or a part of one) with spaces, bytes above 0x7E and `"<>\^`{|}` in its path and
 *  query percent-encoded: what servers write that do not encode their URLs. Spaces at its ends are left
 *  out. Its host, and control characters, stay as they are. */
MUST_CHECK enum result url_append_mended(struct buf *to, struct str reference);

/** Appends a path that begins with "/" without its "." and ".." segments (section 5.2.4), as libcurl sends it. */
MUST_CHECK enum result url_append_path(struct buf *to, struct str path);

/** Appends the URL that `reference` means to somebody who stands at `base`, a URL that url_split takes. */
MUST_CHECK enum result url_append_resolved(struct buf *to, struct str base, struct str reference);

#endif
