/**
 * --expect "rows >= 1000": what a table must hold, as a job's "expect" has it.
 *
 * Errors   E-EXP2: it says nothing that can be expected. RESULT_NOMEM.
 */
#ifndef SCRAPETOP_CMD_EXPECT_OPTION_H
#define SCRAPETOP_CMD_EXPECT_OPTION_H

#include "base/err.h"

/** The `set` of an option's row; `options` is a struct read_options. */
MUST_CHECK enum result expect_option_set(void *options, const char *value, struct err *err);

#endif
