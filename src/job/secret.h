/**
 * Secrets: where they may come from, and where they may not go.
 *
 * `${NAME}` in a header is taken from the environment, header lines come from a file that nobody else
 * can read. Every value got that way is registered, and whatever is written down or shown goes through
 * secrets_redact, which knows values, not header names: an API that echoes a key is covered too.
 *
 * Ownership  secrets_release overwrites and frees the values.
 * Errors     E-SEC1 (file readable by others), E-SEC2 (variable not set), E-HDR2 (bad header).
 * Threads    read-only after loading, so any.
 */
#ifndef SCRAPETOP_JOB_SECRET_H
#define SCRAPETOP_JOB_SECRET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

#define SECRET_MIN_BYTES 4 /* shorter values would redact half of every text */
#define SECRET_FILE_MAX (64 * 1024)
#define HEADER_LINE_MAX (8 * 1024)

struct secrets {
    char **values; /* terminated, longest first */
    size_t count;
};

void secrets_release(struct secrets *secrets);

/** Registers a value. Too short a one, and one known already, are passed over. */
MUST_CHECK enum result secrets_add(struct secrets *secrets, struct str value, struct err *err);

/** Appends `text` with every secret in it replaced by `***`, also where it stands as URLs escape it. */
MUST_CHECK enum result secrets_redact(const struct secrets *secrets, struct str text,
                                      struct buf *out);

/** The text, whose end was cut off, without what may be the beginning of a secret there: redaction would not
 *  know it. */
struct str secrets_uncut(const struct secrets *secrets, struct str text);

/** A secret stands in `text`, escaped or not. */
bool secrets_are_in(const struct secrets *secrets, struct str text);

/** Appends a URL (or the tail of one) with the values of those query parameters replaced by `***` that
 *  are secret by their name: api_key, apikey, key, token, access_token, sig, signature, password and the like. */
MUST_CHECK enum result url_redact(struct str url, struct buf *out);

/** A query parameter of that name, as it stands in the URL, is one of these. */
bool url_param_is_secret(struct str name);

/** Appends `text` with `${NAME}` replaced from the environment, `$${` by `${`; registers what it took.
 *  A variable that is not set is an error naming it. */
MUST_CHECK enum result secret_expand(struct str text, struct secrets *secrets, struct buf *out,
                                     struct err *err);

/** Reads a whole file of at most SECRET_FILE_MAX bytes; refuses what is no regular file, what somebody
 *  else owns, and what group or others may read. */
MUST_CHECK enum result secret_read_file(const char *path, struct buf *out, struct err *err);

/** A header line taken apart and found fit to be sent: the name is a token (RFC 9110 section 5.6.2),
 *  the value has no line break or control character and is not empty, and the header is not one that
 *  the program sets itself. Views into `line`. */
MUST_CHECK enum result header_split(struct str line, struct str *name, struct str *value,
                                    struct err *err);

/** A header that carries a credential by its name: Authorization, Cookie, X-Api-Key and the like. */
bool header_is_secret(struct str name);

#endif
