/**
 * Unresponsive hosts: finds them among what is in flight, and takes requests back that hold their places under
 * the cap without a connection (plan/unresponsive.h). Nothing of theirs has been sent by then, so it is no try.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_UNRESPONSIVE_HOSTS_H
#define SCRAPETOP_ENGINE_UNRESPONSIVE_HOSTS_H

#include <stdint.h>

struct engine;

/** From the tick: hosts that cannot be reached give places back that others need. */
void unresponsive_hosts_look(struct engine *engine, uint64_t now_us);

#endif
