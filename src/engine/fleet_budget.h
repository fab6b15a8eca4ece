/**
 * Fleet budget: quotas that servers tell are spent once, by all workers of a fleet together.
 *
 *   an answer tells of a quota --> the fleet (fleet/budget.h), at once when it is news
 *   the fleet has a quota ------> its bucket needs grants (plan/grant.h), at every worker
 *   a start waits for a grant --> some are asked for, those that are not spent in time go back
 *
 * Where a grant is needed, what this worker alone would make of the quota (plan/allowance.h) does not count. Of several tokens (plan/twin.h) each
 * worker spends the quotas by itself, as it does all with --budget worker.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_FLEET_BUDGET_H
#define SCRAPETOP_ENGINE_FLEET_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct answer;
struct engine;
struct fleet_link;

/** An answer, after its bucket's allowance was told. */
void fleet_budget_answer(struct engine *engine, const struct answer *answer);

/** Asks for what is wanted. With every start, and with every tick: `is_tick`, then lapsed grants go back, too. */
void fleet_budget_look(struct engine *engine, uint64_t now_us, bool is_tick);

/** There may be news. */
void fleet_budget_heed(struct engine *engine, uint64_t now_us);

/** The job was made anew: the fleet knows of no quota. */
void fleet_budget_reset(struct engine *engine);

void fleet_budget_free(struct fleet_link *link);

#endif
