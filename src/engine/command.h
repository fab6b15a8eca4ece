/**
 * Command: what a user may tell a run, and what is answered. engine_control and its like (engine/engine.h) stand here.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_COMMAND_H
#define SCRAPETOP_ENGINE_COMMAND_H

#include <stdint.h>

/** fetch's on_stood_still: what was in flight costs no try whatever becomes of it. */
void command_stood_still(void *engine, uint64_t lost_us);

#endif
