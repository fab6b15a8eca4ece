/**
 * Observe: fills a snapshot from the engine, at the rate of the frames.
 *
 * engine_snapshot (engine/engine.h) stands here, too.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_OBSERVE_H
#define SCRAPETOP_ENGINE_OBSERVE_H

struct engine;

/** The figures of this moment, for events.jsonl. */
void observe_sample(struct engine *engine);

#endif
