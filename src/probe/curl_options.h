/**
 * All options of curl, up to 8.17: what a pasted command's each is here.
 *
 * Source  `curl --help all`.
 */
#ifndef SCRAPETOP_PROBE_CURL_OPTIONS_H
#define SCRAPETOP_PROBE_CURL_OPTIONS_H

#include "base/str.h"

#include <stdbool.h>

enum curl_option {
    CURL_HEADER,
    CURL_REQUEST,
    CURL_DATA,     /* line breaks kept, as a pasted command has none that curl would drop */
    CURL_DATA_RAW, /* a leading @ means nothing */
    CURL_URLENCODE,
    CURL_URL_QUERY,
    CURL_FORM,
    CURL_FORM_STRING, /* a leading @ or <, and what comes after a semicolon, mean nothing */
    CURL_JSON,
    CURL_USER,
    CURL_COOKIE,
    CURL_BEARER,
    CURL_AGENT,
    CURL_REFERER,
    CURL_RANGE,
    CURL_URL,
    CURL_GET,
    CURL_INSECURE,
    CURL_DIGEST,
    CURL_NETRC,
    CURL_NETRC_FILE,
    CURL_NETRC_OPTIONAL,
    CURL_CONFIG,  /* a file of further options */
    CURL_NETWORK, /* as our option of that name (cmd/network_rows.h), with its value */
    CURL_SOCKS,   /* a proxy, by the option's name */
    CURL_TLS13,
    CURL_FLAG,      /* as our option of that name, without a value */
    CURL_PASS,      /* passed over: what curl shows or keeps, and what is so here anyway */
    CURL_PASS_TOLD, /* passed over, and named */
    CURL_REFUSE,
};

struct curl_known {
    char letter; /* 0: none */
    const char *name;
    enum curl_option option;
    bool takes_value;
    const char *why; /* of CURL_REFUSE: what to do instead */
};

/** By its name, by so much of it that no other begins so, or "no-" and the name of one without a value, which then is
 *  passed over. NULL: curl has no such option. */
const struct curl_known *curl_option_find(struct str name);
const struct curl_known *curl_option_letter(char letter);

#endif
