/**
 * Whether a live run is well, for probes: an orchestrator's health check, a watchdog, `status --check`.
 *
 * It is not well when its store is in trouble, when its loop hardly turns, or when requests are ready and none has
 * ended for minutes. To wait for a server's word, to be paused or to fail requests is no illness.
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_CONTROL_HEALTH_H
#define SCRAPETOP_CONTROL_HEALTH_H

#include "engine/snapshot.h"

#define HEALTH_TEXT_MAX 200

/** False: `why` says in a sentence what is wrong, bytes from outside perhaps. */
bool health_is_well(const struct snapshot *s, char why[HEALTH_TEXT_MAX]);

#endif
