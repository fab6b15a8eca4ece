/**
 * Fleet, obeyed: what all workers were told from outside, `ctl URL cap 20`, becomes this worker's cap, rate and end.
 *
 * Threads  loop thread only; in a run with a fleet.
 */
#ifndef SCRAPETOP_ENGINE_FLEET_OBEY_H
#define SCRAPETOP_ENGINE_FLEET_OBEY_H

struct engine;

/** Cheap when there is nothing new. */
void fleet_obey(struct engine *engine);

#endif
