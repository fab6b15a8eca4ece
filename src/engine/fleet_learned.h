/**
 * Fleet learned: what refusals without a deadline teach is learned once, for all workers of a fleet.
 *
 *   the first worker that is refused learns; each turn it tells what its part of the limit is --> Redis
 *   the others follow: their part is as large (plan/bucket.h) ------------------------------------'
 *   a refusal at one of them is told, and counts as one of who learns
 *
 * All parts being alike, what the one that learns sees of the limiter is what all would see, but for the scale: it is
 * accepted and refused in the same proportion. So its model needs no other, and the sum is what one run alone would
 * start. When workers come or go, all parts change together. Who has nothing to start any more, or is gone, leaves it to
 * the next (turn.lua), which learns on from there. A worker that joins knows the rate before its first start.
 *
 * Not with --budget worker, and not where several tokens are used.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_FLEET_LEARNED_H
#define SCRAPETOP_ENGINE_FLEET_LEARNED_H

#include "fleet/turn.h"

#include <stdint.h>

struct engine;
struct fleet_link;
struct request;

/** An answer was judged: a refusal is told at once. */
void fleet_learned_judged(struct engine *engine, const struct request *request, uint64_t now_us);

/** With every tick: what is told with the next turn. */
void fleet_learned_tick(struct engine *engine, uint64_t now_us);

void fleet_learned_heed(struct engine *engine, const struct fleet_news *news, uint64_t now_us);

/** Redis knows of nothing: each learns on by itself. */
void fleet_learned_reset(struct engine *engine, uint64_t now_us);

void fleet_learned_free(struct fleet_link *link);

#endif
