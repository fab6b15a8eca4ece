/**
 * Command: what a user may tell a run, and what is answered. engine_control and its like (engine/engine.h) stand here.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_COMMAND_H
#define SCRAPETOP_ENGINE_COMMAND_H

#include "engine/control.h"

#include <stdbool.h>
#include <stdint.h>

#define COMMAND_BY_USER "you"

struct engine;

/** fetch's on_stood_still: whatever was in flight loses no try. */
void command_stood_still(void *engine, uint64_t lost_us);

/** Carries the command out. Events tell who gave it: COMMAND_BY_USER, or "on-rule 2". Who calls sees to it that the
 *  engine gets a turn. False: refused, and the reply says why. */
bool command_obey(struct engine *engine, const struct control *control, const char *by,
                  char reply[CONTROL_REPLY_MAX]);

#endif
