/**
 * Snapshot fill: fills a snapshot from the engine, at the rate of the frames.
 *
 * engine_snapshot (engine/engine.h) stands here, too.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_SNAPSHOT_FILL_H
#define SCRAPETOP_ENGINE_SNAPSHOT_FILL_H

struct engine;

/** The figures of this moment, for events.jsonl. */
void snapshot_fill_sample(struct engine *engine);

#endif
