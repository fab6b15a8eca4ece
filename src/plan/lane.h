/**
 * Lane: the requests of one kind to one host, ready to start, and how they fare.
 *
 * One host may serve several things of which one is broken. So each endpoint, and within it each first
 * segment of a path, has a lane of its own: queues of its own, and trouble of its own.
 *
 *   well --first tries of different URLs fail in a row (5xx)--> trouble: few at once, spaced when
 *     ^                                                         nothing else of the host goes well
 *     `------------- successes open it again, soon -------------'
 *
 * A single URL that fails is no trouble: it runs through its own tries.
 *
 * Retries and first tries take turns, so that neither waits for all of the other; in trouble first tries
 * go first, as only they tell whether it is over.
 *
 * Pure: told the time. Units: microseconds (monotonic).
 */
#ifndef SCRAPETOP_PLAN_LANE_H
#define SCRAPETOP_PLAN_LANE_H

#include "plan/bucket.h"
#include "plan/request_queue.h"

#include <stdbool.h>

#define LANE_TROUBLE_FAILURES 5
#define LANE_TROUBLE_WINDOW 2
#define LANE_TROUBLE_SPACE_US UINT64_C(50000)         /* between starts, for ... */
#define LANE_TROUBLE_SOON_US (UINT64_C(60) * 1000000) /* ... so long; then they grow apart ... */
#define LANE_TROUBLE_SPACE_MAX_US (UINT64_C(5) * 1000000)

struct lane {
    uint32_t endpoint;
    uint32_t segment;     /* hash of the path's first telling segment; 0: none */
    uint16_t bucket;      /* index into its host's */
    uint32_t moves;       /* so often has it changed its bucket, ... */
    uint64_t moved_start; /* ... the last time after this many of the new one's starts, ... */
    unsigned carried;     /* ... with so many in flight that have not ended yet */
    struct request_queue tried, fresh; /* may start as soon as the host may be asked */
    uint64_t ready_count;              /* in both */
    bool retry_was_last;
    struct bucket_suspicion suspicion;

    unsigned in_flight;
    uint64_t well_us;          /* the last answer that was well; 0: none was */
    unsigned failures;         /* first tries in a row that failed */
    uint64_t trouble_since_us; /* 0: none */
    unsigned window;           /* in trouble: in flight at most ... */
    uint64_t window_us;        /* ... as of then: it grows by time too */
    uint64_t next_us;          /* in trouble: no start before */
};

enum lane_place {
    LANE_PLACE_NEXT,  /* before all others */
    LANE_PLACE_TRIED, /* after those that were tried before */
    LANE_PLACE_FRESH, /* after all first tries */
};

void lane_push(struct lane *lane, struct request *request, enum lane_place place);

/** What lane_pop would give. */
const struct request *lane_first(const struct lane *lane);

/** The next one; NULL when it is empty. */
struct request *lane_pop(struct lane *lane);

/** Takes all first tries out but the first `keep`: a chain by `next`, in their order. NULL: there are no more. */
struct request *lane_cut_fresh(struct lane *lane, size_t keep);

/** The one with this id; NULL when it is not there. */
struct request *lane_take(struct lane *lane, uint64_t id);

/** A retry has started: the next start is a first try, if there is one, even one that is not made yet. */
bool lane_wants_fresh(const struct lane *lane);

/** How long one more start must wait in trouble; 0: not. `others_are_well`: something else of its host went
 *  well since it began. */
uint64_t lane_wait_us(const struct lane *lane, bool others_are_well, uint64_t now_us);

void lane_started(struct lane *lane, bool is_retry, bool others_are_well, uint64_t now_us);

/** An attempt ended. */
void lane_ended(struct lane *lane);

/** It went well: any answer that is no refusal and no failure of the server. */
void lane_well(struct lane *lane, uint64_t now_us);

/** It failed in a way that may pass (5xx, a short body). True when trouble began with it. */
bool lane_failed(struct lane *lane, bool is_first, uint64_t now_us);

#endif
