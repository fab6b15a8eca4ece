/** What a sweep found: printed, and drawn. */
#ifndef SCRAPETOP_SESSION_SWEEP_TELL_H
#define SCRAPETOP_SESSION_SWEEP_TELL_H

#include "engine/sweep.h"

/** Prints to stdout, as JSON when `json`; draws to the file `svg` unless that is NULL. `code` is how the run
 *  ended; returns the exit code, which is 0 when a cap can be recommended. */
int sweep_tell(const struct sweep *sweep, bool json, const char *svg, int code);

#endif
