/**
 * The frontier's insides, for its own files only. From the ground up:
 *
 *   frontier_wait   where requests stand: the waiting heap, and hosts with what is parked at them
 *   frontier_order  the plan's own requests in their order
 *   frontier_lease  which of them are ours, when others ask of the same plan
 *   frontier_aside  what is parked at a host that is shut for long
 *   frontier_discovered  what answers gave rise to
 *   frontier_steer  single requests, by the user's word
 *   frontier        which request is next, and when
 */
#ifndef SCRAPETOP_PLAN_FRONTIER_STATE_H
#define SCRAPETOP_PLAN_FRONTIER_STATE_H

#include "plan/frontier.h"
#include "plan/seeds.h"

struct gap {
    uint64_t first, last; /* ids without a row */
};

struct frontier {
    struct host_table *hosts;
    struct seeds *seeds;
    bool is_listed;
    struct job_shard shard;
    uint64_t total; /* of the plan's own, all shards', unless they are offered */
    /* of these the shard's. The ranges and the cursor below are places in the shard
     * (job/shard.h) */
    uint64_t own;

    uint32_t endpoint_count;
    uint64_t *found; /* requests found, by endpoint */
    uint64_t discovered_count;
    /* of a plan that is shared, by endpoint: what this worker has had of it; else NULL */
    uint64_t *leased;
    struct request_queue offered; /* found, and not begun on yet */
    size_t offered_count;

    struct gap *gaps;
    size_t gap_count, gap_allocated, gap_at;
    uint64_t cursor;   /* next id after all rows and gaps */
    bool closed;       /* nothing is made from there on */
    struct gap *aside; /* frontier_aside.c: made again when all from the cursor on has been made */
    size_t aside_count, aside_allocated, aside_at;

    struct request **heap; /* waiting; heap[0] is due first */
    size_t heap_count, heap_allocated;

    struct host *ring;           /* hosts with ready requests; the next one to be asked for work */
    size_t parked, parked_tried; /* of these: tried before */

    /* by the user's word: before all others, whatever holds their host */
    struct request_queue urgent;
    size_t urgent_count;
};

/* frontier_wait.c */

/** Takes what stands at `at` out of the heap. */
struct request *frontier_heap_take(struct frontier *frontier, size_t at);

/** Takes those out of the heap that `wanted` says yes to, and appends them to `out`. */
void frontier_heap_split(struct frontier *f, frontier_wanted *wanted, void *context,
                         struct request_queue *out);

/** Parks it at its host. */
void frontier_park(struct frontier *frontier, struct request *request, enum lane_place place);

/** A request has been taken out of its host's queue. */
void frontier_note_unparked(struct frontier *frontier, struct host *host,
                            const struct request *request);

/** Finds the host and the lane of its URL, and refers to them. */
MUST_CHECK enum result frontier_assign(struct frontier *frontier, struct request *request,
                                       const struct url *url, struct err *err);

/** Lets it wait, and its host be held if a server had named the deadline. */
MUST_CHECK enum result frontier_restore_wait(struct frontier *frontier, struct request *request,
                                             uint64_t waits_until_us, uint64_t now_us);

/* frontier_order.c */

/** The plan's next one; NULL at its end. */
MUST_CHECK enum result frontier_make_next(struct frontier *frontier, struct request **request,
                                          struct err *err);

/** Of the plan's own there are some that have not been made once. */
bool frontier_has_unmade(const struct frontier *frontier);

/* frontier_aside.c */

/** Unmakes what is parked before hosts that are shut for long, while there is more of the plan. */
void frontier_set_aside(struct frontier *frontier, uint64_t now_us);

/* frontier_discovered.c */

/** The first of the offered ones, or NULL. */
struct request *frontier_take_offered(struct frontier *frontier);

/* frontier_steer.c */

/** The first of the urgent ones, or NULL. */
struct request *frontier_take_urgent(struct frontier *frontier);

#endif
