/**
 * Session end: a limit that the user set to the session is reached. Nothing more is started, what is in flight
 * finishes, and the run can be resumed.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_SESSION_END_H
#define SCRAPETOP_ENGINE_SESSION_END_H

#include <stdbool.h>
#include <stdint.h>

struct engine;

/** One more request may be sent; else the session ends. */
bool session_may_send(struct engine *engine);

/** Ends the session when it has run for too long, or too many have failed. */
void session_look(struct engine *engine, uint64_t now_us);

/** More have failed than may. `is_end`: all is settled. */
bool session_has_failed(const struct engine *engine, bool is_end);

#endif
