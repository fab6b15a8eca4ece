/**
 * The URL of a proxy, taken apart: its kind, its address, and the credentials that may stand in it.
 *
 * Errors  E-PRX1; the message never repeats credentials.
 * Source  curl's manual page, --proxy.
 */
#ifndef SCRAPETOP_JOB_PROXY_URL_H
#define SCRAPETOP_JOB_PROXY_URL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

enum proxy_kind {
    PROXY_HTTP,
    PROXY_HTTPS,
    PROXY_SOCKS4,
    PROXY_SOCKS4A,
    PROXY_SOCKS5,
    PROXY_SOCKS5H,
};

struct proxy_url {
    enum proxy_kind kind;
    struct str user; /* "name:password" as it stands there, percent-encoded; STR_NONE: none */
    struct str host; /* with its port and brackets, as written */
};

/** Views into `text`, which without a scheme is http's. */
MUST_CHECK enum result proxy_url_split(struct str text, struct proxy_url *url, struct err *err);

/** It is told the name that is asked for, and looks that up itself. */
bool proxy_kind_resolves(enum proxy_kind kind);

/** Appends "http://host:3128": what may be shown. */
MUST_CHECK enum result proxy_url_append_shown(const struct proxy_url *url, struct buf *out);

/** Appends the text with its percent escapes resolved; a bad one stands for itself. */
MUST_CHECK enum result proxy_url_append_decoded(struct str encoded, struct buf *out);

#endif
