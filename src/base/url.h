/**
 * A URL taken apart just far enough to know whom it asks: scheme, host, port, path.
 *
 * Strict where being lenient has cost others: http and https only, no credentials, no control
 * byte, no space, a host, a port in range. It neither resolves references nor decodes anything;
 * libcurl does the rest, and sees only what passed here.
 *
 * Source  RFC 3986 sections 3 and 3.2; the refusals are RELIABILITY section d, 1 to 8.
 */
#ifndef SCRAPETOP_BASE_URL_H
#define SCRAPETOP_BASE_URL_H

#include "base/err.h"
#include "base/str.h"

#define URL_MAX_BYTES 8000
#define URL_HOST_MAX 253
#define URL_ORIGIN_MAX (URL_HOST_MAX + 18) /* "https://[", "]:65535" and the end */

struct url {
    struct str scheme; /* "http" or "https", as written */
    struct str host;   /* without brackets, as written */
    uint16_t port;     /* given, or the scheme's */
    bool is_https;
    bool is_ipv6;      /* the host stood in brackets */
    struct str origin; /* "https://host:port" as written: the head of the text */
    struct str target; /* path and query as written, possibly empty; never the fragment */
};

/** Views into `text`. On failure says what, where (byte, from 1) and what to do (E-URL1 to E-URL7); never
 *  repeats credentials. */
MUST_CHECK enum result url_split(struct str text, struct url *url, struct err *err);

/** Same scheme, host (ASCII case folded) and port: RFC 6454. */
bool url_same_origin(const struct url *a, const struct url *b);

/** "https://host:port", lower case, port always given: a key for tables. `text` is terminated. */
void url_origin_key(const struct url *url, char text[URL_ORIGIN_MAX]);

#endif
