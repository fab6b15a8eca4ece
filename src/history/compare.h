/**
 * Two past runs side by side: counts, latencies and what each cap gave, printed as a table.
 *
 * Errors  those of history/past_run.h.
 */
#ifndef SCRAPETOP_HISTORY_COMPARE_H
#define SCRAPETOP_HISTORY_COMPARE_H

#include "base/err.h"

/** To stdout. */
MUST_CHECK enum result compare_print(const char *path_a, const char *path_b, struct err *err);

#endif
