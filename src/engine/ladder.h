/**
 * Ladder: what each cap gave in this run.
 *
 * A request counts for the cap that it was started under. Time counts while requests may start, so
 * that a hold or a pause does not make a cap look slow. When all rungs are taken, the one that
 * was used least gives way.
 *
 * Units  microseconds (monotonic).
 */
#ifndef SCRAPETOP_ENGINE_LADDER_H
#define SCRAPETOP_ENGINE_LADDER_H

#include "base/hist.h"
#include "engine/answer.h"
#include "engine/snapshot.h"

#include <stdbool.h>

struct ladder_rung {
    unsigned cap;
    uint64_t time_us;
    uint64_t requests, throttled; /* that came back */
    struct hist latency;          /* of answers */
};

struct ladder {
    struct ladder_rung rungs[SNAPSHOT_RUNGS_MAX];
    size_t count;
    unsigned cap;
    uint64_t entered_us, seen_us;
};

void ladder_init(struct ladder *ladder, unsigned cap, uint64_t now_us);

/** Another cap from now on. */
void ladder_enter(struct ladder *ladder, unsigned cap, uint64_t now_us);

/** Time has passed; `counts`: requests could start in it. */
void ladder_tick(struct ladder *ladder, bool counts, uint64_t now_us);

/** A request came back that began at `started_us`. `latency_us` 0: without an answer. */
void ladder_answer(struct ladder *ladder, const struct answer *answer);

/** The rungs that were used, by cap, with what is worth saying of each. Returns how many. */
size_t ladder_list(const struct ladder *ladder, struct snapshot_rung rungs[SNAPSHOT_RUNGS_MAX]);

#endif
