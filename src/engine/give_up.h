/**
 * Give up: all that is left waits, and nobody is there to decide. Then the session ends, or the requests of hosts
 * that are given up fail. A server that asks for a longer wait than --max-wait is treated the same.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_GIVE_UP_H
#define SCRAPETOP_ENGINE_GIVE_UP_H

#include <stdbool.h>
#include <stdint.h>

struct engine;

/** True when requests of given-up hosts may fail now, which is work for the pump. May also stop the run. */
bool give_up_waiting(struct engine *engine, uint64_t now_us);

#endif
