/**
 * Session totals: what the sessions before this one have counted is taken over, and written down for the next.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_SESSION_TOTALS_H
#define SCRAPETOP_ENGINE_SESSION_TOTALS_H

#include "engine/totals.h"

struct engine;

/** Before start: takes over what the sessions before have written down; `ended`: what the ledger has at least. */
void session_totals_restore(struct engine *engine, const struct totals *ended);

/** Of all sessions, this one's so far among them; and writes them down. */
void session_totals(const struct engine *engine, struct totals *totals);
void session_totals_note(struct engine *engine);

#endif
