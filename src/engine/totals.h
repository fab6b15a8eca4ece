/**
 * Totals: what all sessions of a run have counted together, so that a report of a run that went on adds up.
 *
 * A session takes them over from events.jsonl, where the one before wrote them at its end and every minute. What
 * a session that was killed had no time to write is made up for, as far as the ledger knows it: an
 * answer to each request that has ended.
 *
 * Units    microseconds, bytes. Pure; any thread.
 */
#ifndef SCRAPETOP_ENGINE_TOTALS_H
#define SCRAPETOP_ENGINE_TOTALS_H

#include "base/buf.h"
#include "engine/metrics.h"

#define TOTALS_TAIL (16 << 20)             /* bytes of events.jsonl in which they are looked for */
#define TOTALS_EVERY_US UINT64_C(60000000) /* between two that are written */

struct totals {
    uint64_t attempts, reused, retried, resent, bytes, logins;
    uint64_t status[METRICS_STATUS_MAX]; /* answers by status; [0]: none came */
    struct snapshot_status_mix mix;
    struct hist latency;
};

/** Adds what a session has counted so far. */
void totals_add(struct totals *totals, const struct metrics *session, uint64_t logins);

/** A request ended so, with that many tries and that status (0: none), in some session. */
void totals_note_ended(struct totals *ended, uint32_t attempts, int status);

/** At least what the requests that have ended needed. */
void totals_raise(struct totals *totals, const struct totals *ended);

/** Appends the members of the line, each with a comma in front (events_note). */
MUST_CHECK enum result totals_write(const struct totals *totals, struct buf *fields);

/** Reads what totals_write wrote, from a line that json_check has passed. */
void totals_read(struct str line, struct totals *totals);

/** The last of a log's lines, whose first may be torn. False when there are none. */
bool totals_find(struct str lines, struct totals *totals);

#endif
