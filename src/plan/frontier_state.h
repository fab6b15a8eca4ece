/**
 * The frontier's insides, shared by its own files only: frontier.c (the plan's order, what waits, what
 * is parked), frontier_steer.c (single requests: found, taken out, asked for once more).
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
    uint64_t total;

    struct gap *gaps;
    size_t gap_count, gap_allocated, gap_at;
    uint64_t cursor; /* next id behind all rows and gaps */

    struct request **heap; /* waiting; heap[0] is due first */
    size_t heap_count, heap_allocated;

    struct host *ring;           /* hosts with ready requests; the next one to be asked for work */
    size_t parked, parked_tried; /* of these: tried before */

    struct request_queue
        urgent; /* by the user's word: before all others, whatever holds their host */
    size_t urgent_count;
};

/* frontier.c */

/** Takes what stands at `at` out of the heap. */
struct request *frontier_heap_take(struct frontier *frontier, size_t at);

/** A request has been taken out of its host's queue. */
void frontier_note_unparked(struct frontier *frontier, struct host *host,
                            const struct request *request);

MUST_CHECK enum result frontier_add_gap(struct frontier *frontier, uint64_t first, uint64_t last);

/* frontier_steer.c */

/** The first of the urgent ones, or NULL. */
struct request *frontier_take_urgent(struct frontier *frontier);

#endif
