/**
 * Fleet: this worker's side of a job that several workers share by a Redis.
 *
 *   loop    fleet_say, fleet_settled --> desk --> thread --> Redis (turn.lua, up to some ten a second)
 *   loop    fleet_take  <-- desk <-- thread (uv_async: there is news)
 *
 * One thread of its own talks to Redis, and waits for it; the loop never does. Redis holds nothing that the workers'
 * ledgers cannot restore: whenever it has lost the job, or was away, the thread joins anew and tells again what is
 * settled here (recount.lua).
 *
 * Ownership  the options' texts are borrowed until fleet_close's `closed`.
 * Bounds     a bit for each request of the plan, of which there are FLEET_PLAN_MAX at most.
 * Errors     fleet_take tells them: RESULT_BUSY is waited out by the thread, others are final (E-FLEET1 to 4).
 * Threads    all calls on the loop thread.
 */
#ifndef SCRAPETOP_FLEET_FLEET_H
#define SCRAPETOP_FLEET_FLEET_H

#include "base/units.h"
#include "fleet/budget.h"
#include "fleet/place.h"
#include "fleet/turn.h"

#include <uv.h>

#define FLEET_PLAN_MAX UINT64_C(1000000000)
#define FLEET_DIGEST_MAX 40
#define FLEET_GENERATION_MAX 128
#define FLEET_PUBLISHED_MAX 64 /* found requests in one fleet_publish */

struct fleet_options {
    uv_loop_t *loop;
    const struct fleet_place *place;
    const char *worker;            /* its name, as long as its run directory lives */
    const char *who;               /* where that is, for people: HOST:/PATH */
    char digest[FLEET_DIGEST_MAX]; /* of the plan: all workers have the same */
    uint64_t total;                /* requests in the plan */
    unsigned cap;                  /* of the fleet, if this worker makes the job */
    struct rate rate;
    void (*on_news)(void *context);
    void *context;
};

struct fleet;

/** Prepares it; the thread begins with fleet_go. */
MUST_CHECK enum result fleet_start(struct fleet **fleet, const struct fleet_options *options,
                                   struct err *err);
MUST_CHECK enum result fleet_go(struct fleet *fleet, struct err *err);

/** A request of the plan was ended by an earlier session: before fleet_go. */
void fleet_restored(struct fleet *fleet, uint64_t id);

/** One has ended, durably, and what it led to is published; `outbox` as of a tell. They are told together. */
void fleet_settled(struct fleet *fleet, uint64_t id, uint64_t outbox);

/** The generation of the job in Redis (fleet_state.generation) to which an earlier session told all that it had; before
 *  fleet_go. */
void fleet_set_generation(struct fleet *fleet, const char *generation);

/** A found request, which any worker may ask, has ended here, durably, in this session or an earlier one. */
void fleet_found_ended(struct fleet *fleet, uint64_t id);

/** Found requests that no other worker knows of: lines "ID TEXT", of which `text` says what this worker's own lines say
 *  (fleet_lease.found). `upto`: their last place in the outbox. Copied; the news tell when they are published. What was
 *  not by then is forgotten when the job is made anew. RESULT_NOMEM. */
MUST_CHECK enum result fleet_publish(struct fleet *fleet, struct str lines, uint64_t upto);

/** After fleet_state.is_reset: the outbox has all again that only this worker may know of. */
void fleet_filled(struct fleet *fleet);

/** A lease of the news is heeded: it lives on until it is ended, or the job is made anew. */
void fleet_keep(struct fleet *fleet, const struct fleet_entry *entry);

/** Its one request has come to something here, if only to a wait: none died of it. */
void fleet_calm(struct fleet *fleet, const struct fleet_entry *entry);

/** It is another worker's by now. */
void fleet_drop(struct fleet *fleet, const struct fleet_entry *entry);

/** All of a lease is settled; told with the next fleet_say, as is a hold. */
void fleet_ended(struct fleet *fleet, const struct fleet_entry *entry);
void fleet_held(struct fleet *fleet, const char *origin, uint64_t left_us);

/** What refusals taught here, or that some came: with the next turn, the latest of each key and all of its refusals.
 *  `is_urgent`: at once. */
void fleet_learned_told(struct fleet *fleet, const struct fleet_learned *learned, bool is_urgent);

/** What this worker does and wants from now on; of `tell` the lists do not count. `is_urgent`: it is sent at once. */
void fleet_say(struct fleet *fleet, const struct fleet_tell *tell, bool is_urgent);

/** An answer told of a quota: with the next turn, the latest of each key; `is_urgent`: at once. */
void fleet_budget_told(struct fleet *fleet, const struct fleet_quota *quota, bool is_urgent);

/** So many starts are wanted at once; so many were granted and not spent. */
void fleet_budget_ask(struct fleet *fleet, const char *key, unsigned count);
void fleet_budget_back(struct fleet *fleet, const char *key, unsigned count);

/** What is left to ask here, and how many quotas this worker knows the fleet to have. */
void fleet_budget_say(struct fleet *fleet, uint64_t work, uint64_t known);

/** The news of budgets since the last call, to be released; false when there is none. */
bool fleet_budget_take(struct fleet *fleet, struct fleet_budget_news *news);

struct fleet_state {
    bool is_joined; /* Redis answers, and knows this worker */
    /* since the last look the job was made anew, or Redis was: all leases are void, and what was found here and has not
     * ended is to be published once more */
    bool is_reset;
    char generation[FLEET_GENERATION_MAX]; /* of the job and of Redis; empty: not joined yet */
    uint64_t silent_us;                    /* since Redis answered last */
    uint64_t age_us;                       /* of the news */
    struct err trouble; /* why it is not joined, or RESULT_OK. Other than RESULT_BUSY: for good */
};

/** The news since the last call, to be released; false when there is none. `state` is filled always. */
bool fleet_take(struct fleet *fleet, struct fleet_news *news, struct fleet_state *state);

/** Ends the thread, which may be within a call for FLEET_CALL_MS; then `closed`, on the loop. */
void fleet_close(struct fleet *fleet, void (*closed)(void *context), void *context);

#endif
