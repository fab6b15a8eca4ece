/**
 * What `probe` is told: the request to make, from a URL, a pasted curl command, or either on stdin.
 *
 * Ownership  probe_options_release frees everything.
 * Errors     those of cmd/options.h, cmd/curl_command.h and job/job.h.
 */
#ifndef SCRAPETOP_CMD_PROBE_OPTIONS_H
#define SCRAPETOP_CMD_PROBE_OPTIONS_H

#include "cmd/curl_lay.h"
#include "cmd/options.h"
#include "job/job.h"

#include <stdbool.h>

struct probe_options {
    struct job job;   /* of one endpoint with one URL, finished */
    const char *what; /* URL, curl command, or "-" */
    struct curl_files files;
    bool once; /* no second page, to try how it is asked for */
    bool allow_core;
    struct options_given given;
};

extern const struct option_table probe_table;

/** Reads argv into `ask`, and stdin when the operand is "-". When RESULT_OK and `given.help` is set, nothing
 *  else is to be looked at. On failure there is nothing to release. */
MUST_CHECK enum result probe_options_parse(struct probe_options *ask, int argc, char **argv,
                                           struct err *err);
void probe_options_release(struct probe_options *ask);

#endif
