/**
 * Session totals: what the sessions before this one have counted is taken over, and written down for the next.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_SESSION_TOTALS_H
#define SCRAPETOP_ENGINE_SESSION_TOTALS_H

#include "engine/totals.h"
#include "plan/session_limit.h"

#include <stdint.h>

struct engine;

/** What this session has come to. */
struct session {
    enum session_limit limit; /* that was reached */
    uint64_t ok, failed;      /* requests of this session, committed or not */
    uint64_t sent;            /* retries, redirects and logins among them */
    uint64_t ended_us;        /* when the last request was settled; 0 before */
    double cpu_s, loop_cpu_s; /* until then */
    struct totals before;     /* of the sessions before this one */
    uint64_t totals_due_us;
};

/** Before start: takes over what the sessions before have written down; `ended`: what the ledger has at least. */
void session_totals_restore(struct engine *engine, const struct totals *ended);

/** Of all sessions, this one's so far among them; and writes them down. */
void session_totals(const struct engine *engine, struct totals *totals);
void session_totals_note(struct engine *engine);

#endif
