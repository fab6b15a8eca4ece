/**
 * Rounds: when a job that polls asks all of its seeds again.
 *
 * The times of the rounds are a grid over wall-clock time: the first round's beginning, and every whole
 * multiple of the interval after it, whatever a round takes and however often the process is started. Within
 * a process that time is to be one that nobody sets: the caller's wall clock as it was at first, and how long
 * that is ago. Between two processes a clock that was set back takes the grid along. A
 * round whose time comes while the one before it is still under way is skipped, and counted: nothing is
 * ever asked twice at once.
 *
 * Pure: told the time, never reads a clock; any thread.
 */
#ifndef SCRAPETOP_PLAN_ROUNDS_H
#define SCRAPETOP_PLAN_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

struct job_poll;

/** What outlives the process. Zeroed: no round has begun. */
struct rounds_kept {
    int64_t started_us; /* wall clock: when the first one began */
    uint64_t begun;     /* rounds, the one under way included */
    uint64_t slot;      /* of the grid, in which the latest began */
    uint64_t skipped;
    uint64_t put; /* seeds of the latest that are in the ledger */
    /* wall clock: only those are asked in it whose last good answer came before; 0: all */
    int64_t before_us;
    bool
        is_chosen; /* only those are asked in it that the ledger has a list of (run --again --where) */
};

struct rounds {
    uint64_t every_us, count; /* as the job has them */
    int64_t until_us;
    struct rounds_kept kept;
    uint64_t next; /* slot: those before it have begun, were skipped, or nobody was there */
};

enum rounds_step {
    ROUNDS_BUSY, /* the latest is under way */
    ROUNDS_REST, /* until rounds_due_us */
    ROUNDS_BEGIN,
    ROUNDS_OVER, /* there will be no further one */
};

/** Slots that passed between two sessions are no skipped ones. `wall_us`: see above; so everywhere here. */
void rounds_init(struct rounds *rounds, const struct job_poll *plan, const struct rounds_kept *kept,
                 int64_t wall_us);

/** What is to be done now. `settled`: all of the latest round has ended. With ROUNDS_BEGIN it counts as
 *  begun, with nothing put of it yet. */
enum rounds_step rounds_step(struct rounds *rounds, bool settled, int64_t wall_us);

/** No further one may begin: `count` is reached, or `until` comes before its time. */
bool rounds_are_over(const struct rounds *rounds, int64_t wall_us);

/** When the next one is due, by the wall clock. */
int64_t rounds_due_us(const struct rounds *rounds);

/** The number of the latest, from 0: where its requests stand in a table's order (plan/sort_key.h). */
uint32_t rounds_number(const struct rounds *rounds);

#endif
