/**
 * `sweep CAPS ...`, which is `run --sweep CAPS ...`, and what is printed when one is over.
 */
#ifndef SCRAPETOP_CMD_SWEEP_TELL_H
#define SCRAPETOP_CMD_SWEEP_TELL_H

#include "cmd/run_options.h"

extern const struct option_table sweep_table;

/** Prints what the sweep found (--json: as JSON) and draws it (--svg). `code` is how the run ended; the
 *  exit code is 0 when a cap can be recommended. */
int sweep_tell(const struct run_options *options, int code);

#endif
