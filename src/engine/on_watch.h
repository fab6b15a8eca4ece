/**
 * Watches the figures that rules by event are about, once a second, and lets them act.
 *
 * Only while the run is under way: not while it drains, makes tables, or stands at its end.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_ON_WATCH_H
#define SCRAPETOP_ENGINE_ON_WATCH_H

#include <stdint.h>

#define ON_LOOK_US (UINT64_C(1) * 1000000)

struct answer;
struct engine;
struct settled;

/** Listeners (engine/listeners.h). */
void on_watch_answer(struct engine *engine, const struct answer *answer);
void on_watch_settled(struct engine *engine, const struct settled *settled);
void on_watch_tick(struct engine *engine, uint64_t now_us);

#endif
