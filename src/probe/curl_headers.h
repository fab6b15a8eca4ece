/**
 * The headers of a curl command: what -H, -A, -b, -e, -r, -u, --oauth2-bearer and others make of them.
 *
 * As in curl, those of -H go before any other, -H 'Name:' takes out what another option would send, several cookies
 * become one line, and of two options that make the same header the last one counts.
 *
 * Ownership  the lines are the command's; curl_headers_release frees what was remembered while it was read.
 * Errors     E-CURL1, E-CURL2, RESULT_NOMEM.
 */
#ifndef SCRAPETOP_PROBE_CURL_HEADERS_H
#define SCRAPETOP_PROBE_CURL_HEADERS_H

#include "probe/curl_command.h"
#include "probe/curl_options.h"

#define CURL_REMOVED_MAX 16 /* names in a command that takes some out */

/** Where a header comes from: the stronger one stays. */
enum curl_strength {
    CURL_BY_OPTION, /* -A, -b, -e, --json, -u */
    CURL_BY_BEARER, /* --oauth2-bearer goes before -u */
    CURL_BY_HEADER,
};

struct curl_headers {
    struct curl_command *to;
    struct err *err;
    enum curl_strength strengths[CURL_COMMAND_HEADERS_MAX];
    struct buf removed[CURL_REMOVED_MAX]; /* names of -H 'Name:' */
    size_t removed_count;
};

/** What one of these options says. */
MUST_CHECK enum result curl_headers_apply(struct curl_headers *headers, enum curl_option option,
                                          struct str value);

/** A line of two parts that another option makes. */
MUST_CHECK enum result curl_headers_add(struct curl_headers *headers, struct str head,
                                        struct str tail);

/** Takes the header out again that an option made which is no stronger than others. False: there is none. */
bool curl_headers_drop_weak(struct curl_headers *headers, struct str name);

/** It was taken out, and nothing else has given it. */
bool curl_headers_lack(const struct curl_headers *headers, struct str name);

void curl_headers_release(struct curl_headers *headers);

#endif
