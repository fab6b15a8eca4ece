/**
 * Fleet bucket: by what workers of a fleet call one limiter of a server, and which bucket here that is.
 *
 *   "https://h:443 core"   the origin, and where its server names several the resource, after a blank
 *
 * Hosts that are there once for each of several tokens (plan/twin.h) have no such name.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_FLEET_BUCKET_H
#define SCRAPETOP_ENGINE_FLEET_BUCKET_H

#include "fleet/budget.h"
#include "plan/host.h"

struct engine;

void fleet_bucket_key(const struct host *host, const struct bucket *bucket,
                      char key[FLEET_BUDGET_KEY_MAX]);

/** NULL: it is not asked here, or not yet. `*at`: its host, as found last; UINT32_MAX: not yet. */
struct bucket *fleet_bucket_find(const struct engine *engine, const char *key, uint32_t *at);

#endif
