/**
 * A file of curl's options (-K), line by line.
 *
 * A line is an option, with or without its dashes, and a value after blanks, "=" or ":". A value in double quotes has
 * \\, \", \n, \r, \t and \v; another ends at a blank. Lines that begin with "#", "/" or "*" are passed over.
 *
 * Ownership  the texts are good until the next call; curl_config_release overwrites them.
 * Errors     E-CURL1: the file cannot be read, or a line is none.
 * Source     curl's manual, "--config".
 */
#ifndef SCRAPETOP_PROBE_CURL_CONFIG_H
#define SCRAPETOP_PROBE_CURL_CONFIG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

#define CURL_CONFIG_MAX (1024 * 1024) /* bytes of a file */

struct curl_config {
    char path[512];
    struct buf text;
    struct str rest;
    unsigned line;     /* that was read last, from 1 */
    struct buf option; /* "-X", "--request" or "request" */
    struct buf value;
    bool has_value;
};

/** Reads the whole file. */
MUST_CHECK enum result curl_config_open(struct curl_config *config, const char *path,
                                        struct err *err);

/** The next option; `more` is false after the last one. */
MUST_CHECK enum result curl_config_next(struct curl_config *config, bool *more, struct err *err);

void curl_config_release(struct curl_config *config);

#endif
