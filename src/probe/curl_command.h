/**
 * A pasted curl command ("Copy as cURL"), read into what it asks for.
 *
 * Words are split as a POSIX shell splits them: '...', "...", $'...', backslashes, continued lines; a command that was
 * copied for cmd.exe is written so first (probe/curl_cmd.h). What a shell would fill in, run or redirect ($NAME, `...`,
 * $(...), |, >, ;, &) is refused. All of curl's options are known (probe/curl_options.h): those that concern only what
 * curl shows or keeps (-s, -v, -o FILE, --compressed) are passed over, those that make no sense here are named, and
 * those without which it would not be the request that was pasted are refused with what to do instead.
 *
 * Ownership  curl_command_release frees everything.
 * Errors     E-CURL1 (not one command that can be read), E-CURL2 (an option, named).
 * Source     curl's manual page, POSIX.1-2017 XCU section 2.2.
 */
#ifndef SCRAPETOP_PROBE_CURL_COMMAND_H
#define SCRAPETOP_PROBE_CURL_COMMAND_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

#define CURL_COMMAND_MAX (1024 * 1024) /* bytes */
#define CURL_COMMAND_HEADERS_MAX 64
#define CURL_COMMAND_NETWORKS_MAX 64

/** What says how the server is reached: an option of ours by its name (cmd/network_rows.h), as if it were given. */
struct curl_network {
    const char *name;
    struct buf value;
};

struct curl_command {
    struct buf url;    /* as given, -G's data in its query */
    struct buf method; /* as curl would send it; of a file: as it is given there, or empty */
    struct buf body;
    bool has_body;
    struct buf headers
        [CURL_COMMAND_HEADERS_MAX]; /* "Name: value"; those of -A, -b, -e, -F, -u, --json too */
    size_t header_count;
    bool has_no_type; /* -H 'Content-Type:': the body is sent without one */
    bool insecure;
    struct buf digest_user; /* of -u with --digest, "name:password"; else -u is among the headers */
    struct buf netrc;       /* a file's path; empty: that of the user, if `has_netrc` */
    bool has_netrc, netrc_is_optional;
    struct buf more_urls; /* of a file of options: those after the first, a line each */
    struct curl_network networks[CURL_COMMAND_NETWORKS_MAX];
    size_t network_count;
    struct buf passed; /* options that were passed over, to be named: "--retry --limit-rate" */
};

/** `text` is the whole command, the word "curl" included. On failure there is nothing to release. */
MUST_CHECK enum result curl_command_parse(struct curl_command *command, struct str text,
                                          struct err *err);
void curl_command_release(struct curl_command *command);

/** A file of curl's options (-K): as a command of them would be read, but it may have no URL, or several. */
MUST_CHECK enum result curl_command_read_file(struct curl_command *command, const char *path,
                                              struct err *err);

/** The text begins with the word "curl". */
bool curl_command_is(struct str text);

#endif
