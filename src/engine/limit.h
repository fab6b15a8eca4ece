/**
 * Limit: what keeps the run from going faster, as values (engine/limit_words.h).
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_LIMIT_H
#define SCRAPETOP_ENGINE_LIMIT_H

#include "engine/limit_words.h"
#include "engine/snapshot.h"

#include <stdint.h>

struct due;
struct engine;
struct host;
struct request;
struct snapshot_limit;

struct limits {
    enum run_limit now;                  /* as the pump found it in its last turn */
    struct snapshot_limit told;          /* the last one that events.jsonl has */
    uint64_t since_us;                   /* when another took its place */
    uint64_t us[LIMIT_COUNT], ticked_us; /* how long each has kept it back */
    uint64_t silent_us; /* of these, holds and waits for hosts that do not answer */
};

/** Why a request that is due is kept back. */
enum run_limit limit_of_ready(const struct engine *engine, const struct request *request,
                              uint64_t now_us);

/** The limit of now, with what is to be said of it. */
void limit_fill(struct engine *engine, uint64_t now_us, struct snapshot_limit *limit);

/** When a waiting request is asked at the earliest, and who says so: its own deadline, or its host's
 *  hold. TIME_NEVER while the user holds its host. */
const struct due *limit_due_of(const struct request *request, const struct host *host,
                               uint64_t now_us, uint64_t *due_us);

/** With every tick: counts how long each has kept the run back, and writes one down that has stood for a second. */
void limit_tell(struct engine *engine, uint64_t now_us);

#endif
