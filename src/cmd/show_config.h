/**
 * --show-config: every value of a job, in a job file's own words, and where it comes from.
 *
 * One line a value: its path, the value as JSON (secrets as given, never expanded), and "default", the
 * line of the job file, or the option that set it.
 */
#ifndef SCRAPETOP_CMD_SHOW_CONFIG_H
#define SCRAPETOP_CMD_SHOW_CONFIG_H

#include "cmd/run_options.h"

/** To stdout. */
MUST_CHECK enum result show_config_print(const struct run_options *options, struct err *err);

#endif
