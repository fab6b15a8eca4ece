/**
 * Structured fields: the part of RFC 9651 (before: RFC 8941) that rate limits are written in.
 *
 * A field is a list of items ("default";r=50;t=30) or, in an older draft of RateLimit, a dictionary
 * (limit=100, remaining=50). Both are read as members with parameters; inner lists are not, since no
 * rate limit has one. A field with any error is no field: the caller drops what it has read of it.
 *
 * Ownership  everything is a view into the field's text.
 */
#ifndef SCRAPETOP_PLAN_SFIELD_H
#define SCRAPETOP_PLAN_SFIELD_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum sfield_type {
    SFIELD_NUMBER, /* integer or decimal */
    SFIELD_STRING,
    SFIELD_TOKEN,
    SFIELD_BYTES,
    SFIELD_BOOLEAN,
};

struct sfield_value {
    enum sfield_type type;
    struct str text; /* a string's inside with its escapes, a token, the bytes' base64 */
    double number;   /* of a boolean: 0 or 1 */
};

struct sfield {
    const char *at, *end;
    bool is_dictionary;
    bool begun, failed;
};

void sfield_begin(struct sfield *field, struct str text);

/** The next member: `key` is empty in a list. False at the end, or when the field is malformed. */
bool sfield_member(struct sfield *field, struct str *key, struct sfield_value *value);

/** The next parameter of that member; all must be taken before the next member. */
bool sfield_parameter(struct sfield *field, struct str *key, struct sfield_value *value);

/** Read to its end, and nothing wrong with it. */
bool sfield_is_whole(const struct sfield *field);

#endif
