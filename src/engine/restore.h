/**
 * Restore: what the ledger knows of earlier sessions becomes the state of this one.
 *
 * Threads  loop thread, before anything is asked.
 */
#ifndef SCRAPETOP_ENGINE_RESTORE_H
#define SCRAPETOP_ENGINE_RESTORE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;

/** All rows of the plan's own requests, and what their hosts had asked for. */
MUST_CHECK enum result restore_rows(struct engine *engine, struct err *err);

/** The deadline of a restored request that had `left_us` more to wait. False if the deadline passed while stopped:
 *  use new jitter, so that not all start at once, and hold no host (DUE_RESTART). */
bool restore_due(struct engine *engine, uint32_t attempt, int64_t left_us, uint64_t *due_us);

/** A request that waits and has just been restored is left to a later session, when this one asks
 *  failed ones only. The hold on its host stays. */
void restore_leave_waiting(struct engine *engine, uint64_t id);

#endif
