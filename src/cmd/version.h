/**
 * `--version`: ours, the parts that this build has, and the libraries that are linked at this moment.
 *
 * Threads  any; nothing is kept.
 */
#ifndef SCRAPETOP_CMD_VERSION_H
#define SCRAPETOP_CMD_VERSION_H

#include "base/err.h"

#include <stdio.h>

/** Two or three lines for people. */
void version_print(FILE *to);

/** One JSON object: "version", "parts" (true or false each), "libraries" (name: version). RESULT_NOMEM. */
MUST_CHECK enum result version_print_json(FILE *to, struct err *err);

#endif
