/**
 * Since: from where each listing with a `since` is asked in this round, and what is odd about what
 * came.
 *
 *   ledger (store/ledger.h) --at the start--> state of each listing --less the lag--> `{since}` of
 *   its seed
 *
 * What the states are after this round is the ledger's to find out; nothing here changes them while
 * the session lasts, so that a round that was cut off goes on with what it began with.
 *
 * Memory   one state for each listing; SINCE_LISTINGS_MAX of them.
 * Errors   E-SINCE1 more listings than that; E-SINCE2 --since while a round is under way.
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_SINCE_H
#define SCRAPETOP_ENGINE_SINCE_H

#include "base/since_value.h"
#include "store/ledger.h"
#include "store/settlement.h"

struct engine;

#define SINCE_LISTINGS_MAX 100000

struct since_state {
    uint64_t number; /* of its seed, in the plan */
    struct since_value value;
};

/** Of one endpoint, in this session. */
struct since_count {
    uint64_t without, odd, ahead; /* records, as in plan/since.h */
    bool has_latest;
    struct since_value latest; /* of those that count; no state before its listing is whole */
};

struct since {
    struct since_state *states; /* in order of number */
    size_t count, allocated;
    struct since_count *counts; /* by endpoint; NULL: no endpoint has a `since` */
    struct since_value asked;   /* the `{since}` found last */
};

/** Reads them. Before the store is started, after the plan was taken in. */
MUST_CHECK enum result since_restore(struct engine *engine, struct err *err);
void since_release(struct engine *engine);

/** `{since}` of the seed with that number, as JSON, until the next call; STR_NONE: where its
 *  endpoint starts. */
struct str since_asked(struct engine *engine, uint64_t number);

/** Of that endpoint; NULL when it has no `since`. */
const struct since_count *since_count_of(const struct engine *engine, uint32_t endpoint);

/** "what has changed since "2026-01-31" is asked", of a round that begins. */
void since_words(const struct engine *engine, char *text, size_t size);

/** Tells what is odd about an answer, once for each endpoint and kind. */
void since_note(struct engine *engine, const struct settlement *settlement);

#endif
