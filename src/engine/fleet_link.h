/**
 * Fleet link: the loop's side of a job that is shared with other workers (fleet/fleet.h).
 *
 *   leases   parts of the plan come from the fleet and go to the frontier; what is settled of them is reported
 *   slots    this worker's share of the cap; grants: starts at the shared rate
 *   holds    what a server says to one is obeyed by all
 *   end      the run ends when all of the job is settled, here or by other workers
 *
 * What an answer leads to any worker may ask (fleet_found.c); the others are told how much of it is not published yet, so
 * that none ends before. Nothing is started while Redis has been silent for half a lease. In a run without a fleet
 * `e->fleet_link` is NULL and nothing of this is called.
 *
 * Errors     those of the fleet end the run (E-FLEET1 to 4, exit code 2); Redis being away is waited out.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_FLEET_LINK_H
#define SCRAPETOP_ENGINE_FLEET_LINK_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct committer_question;
struct engine;
struct request;
struct response;
struct settlement;
struct settled;

/** Nothing, without "fleet" in the job. */
MUST_CHECK enum result fleet_link_init(struct engine *engine, struct err *err);
void fleet_link_release(struct engine *engine);

/** A row of an earlier session, a request of the plan's own. */
void fleet_link_restored(struct engine *engine, uint64_t id, bool is_settled);

MUST_CHECK enum result fleet_link_start(struct engine *engine, struct err *err);

/** False: its thread still runs; engine_want_turn follows when it has ended. */
bool fleet_link_stop(struct engine *engine);

/** What an earlier session found and did not publish. Before the store is started. */
MUST_CHECK enum result fleet_found_restore(struct engine *engine, struct err *err);

/** A row of an earlier session, a found request. RESULT_NOMEM. */
MUST_CHECK enum result fleet_found_restored(struct engine *engine, uint64_t id, bool is_settled);

/* What is found, on its way to the other workers: of discover.c. */

/** It is durable, and with it what it has found. */
void fleet_found_note_committed(struct engine *engine, const struct settlement *settlement);

/** What the ledger is to be asked for them; false: nothing now. The answer: takes the list. RESULT_NOMEM. */
bool fleet_found_asks(struct engine *engine, struct committer_question *question);
MUST_CHECK enum result fleet_found_answered(struct engine *engine, struct request *list,
                                            size_t count, bool was_filled);

/** A run that drains, with nothing in flight, still hands on what it has found, so that nobody waits for it: for some
 *  seconds at most, and only while Redis answers. */
bool fleet_link_publishes(struct engine *engine, uint64_t now_us);

/** What was found here and no other worker knows of: it is in the ledger, and published by the next session. */
uint64_t fleet_link_unpublished(const struct engine *engine);

/** Nothing may be started now. */
bool fleet_link_forbids(const struct engine *engine, uint64_t now_us, size_t in_flight);

/** Workers have died of this request, FLEET_DEADLY of them: it is not to be asked. */
bool fleet_link_is_deadly(const struct engine *engine, uint64_t id);

/** One more is started. */
void fleet_link_started(struct engine *engine);

/** When it may allow what it forbids, without news. */
uint64_t fleet_link_wake_us(const struct engine *engine, uint64_t now_us);

/** There is, or may come, work for this worker. */
bool fleet_link_goes_on(const struct engine *engine);

/** Why nothing is started, in some words. */
void fleet_link_words(const struct engine *engine, uint64_t now_us, char *text, size_t size);

/* Of listener_rows.c. */
void fleet_link_judged(struct engine *engine, const struct response *response);
void fleet_link_settled(struct engine *engine, const struct settled *settled);
void fleet_link_tick(struct engine *engine, uint64_t now_us);

#endif
