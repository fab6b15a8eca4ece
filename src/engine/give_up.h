/**
 * Give up: all that is left waits, and nobody is there to decide. Hosts that are given up end the session, or their own
 * requests; and so does a server that asks for more patience than --max-wait.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_GIVE_UP_H
#define SCRAPETOP_ENGINE_GIVE_UP_H

#include <stdbool.h>
#include <stdint.h>

struct engine;

/** True when what is left of some hosts may end at once, and so more may be done; the run may have been stopped. */
bool give_up_waiting(struct engine *engine, uint64_t now_us);

#endif
