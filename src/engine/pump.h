/**
 * Pump: starts what may start, arms the timer for what may start later, and sees when all is over.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_PUMP_H
#define SCRAPETOP_ENGINE_PUMP_H

#include "base/exit_code.h"

#include <stdbool.h>

struct engine;
struct request;

/** What is wanted of engine_want_turn: starts what may start now, arms the timer for what may start later, and
 *  sees whether all is over. */
void pump_turn(struct engine *engine);

/** There is work again, though all was settled. False when the run has been stopped. */
bool pump_revive(struct engine *engine);

void pump_drain(struct engine *engine);
void pump_abort(struct engine *engine, enum exit_code code);

#endif
