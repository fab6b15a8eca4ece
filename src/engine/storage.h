/**
 * Storage: what a full, busy or broken disk makes of the run (struct engine_storage).
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_STORAGE_H
#define SCRAPETOP_ENGINE_STORAGE_H

#include "base/err.h"

#include <stdbool.h>

/** committer's on_trouble. RESULT_OK: it is over. */
void storage_on_trouble(void *engine, enum result result, const struct err *err);

/** committer's on_tended. */
void storage_on_tended(void *engine, bool is_trouble, const char *text);

#endif
