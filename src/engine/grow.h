/**
 * Grow: a plan that has gained, lost or changed requests goes on with the run that it had.
 *
 *   seeds of the plan before, seeds of the present one --by what they ask--> ledger (ledger_merge)
 *
 * From then on all that is asked comes out of the ledger, as what answers lead to does: seeds are numbered in the
 * order in which they came to be known, and stand in tables where the present plan has them. What it no longer names
 * is not asked any more and stays in tables, after all others, until it is pruned.
 *
 * A run that has ended and is to be asked again (`run --again`) goes the same way, its plan changed or not: in the
 * same transaction a further round of all that the plan names begins, which engine/poll.h puts into the ledger piece
 * by piece. What the plan has just gained is asked once, not twice.
 *
 * Errors   E-JOB1 nothing is shared with the plan before.
 * Threads  loop thread, before anything is asked.
 */
#ifndef SCRAPETOP_ENGINE_GROW_H
#define SCRAPETOP_ENGINE_GROW_H

#include "job/job.h"
#include "store/ledger.h"

struct engine;

/** What a run asked until now; borrowed. */
struct plan_before {
    const struct job *job; /* with the endpoints of the present one */
    const int *list_fds;   /* see struct frontier_options */
    uint64_t same;         /* the present plan begins with all of them, so many; 0: it need not */
    struct str note;       /* what the ledger is to keep of it (struct ledger_merge) */
};

struct grow {
    bool was_listed;   /* the plan's own requests are in the ledger, ... */
    bool is_listed;    /* ... or will be */
    bool begins_again; /* all of it had ended, and is to be asked in a further round */
    bool is_taken;     /* in this session, with what came of it: */
    struct ledger_merge merge;
};

/** Whether the ledger has the plan's own requests already, or will have, and whether a further round begins. */
MUST_CHECK enum result grow_look(struct engine *engine, struct err *err);

/** Merges the plan, when it has changed. */
MUST_CHECK enum result grow_take_in(struct engine *engine, struct err *err);

/** What came of that. */
void grow_tell(struct engine *engine);

#endif
