/**
 * `--fleet`: where the workers on one job meet, and what cannot be together with it; and the rows of what goes beyond one
 * machine.
 *
 * Errors     E-FLEET1: the URL is none, or this build has no fleet. E-FLEET6: what a fleet cannot do.
 * Threads    before the loop.
 */
#ifndef SCRAPETOP_CMD_FLEET_OPTION_H
#define SCRAPETOP_CMD_FLEET_OPTION_H

#include "cmd/options.h"
#include "job/job.h"
#include "store/run_dir.h"

#define FLEET_ROWS 3
extern const struct option_row
    fleet_rows[FLEET_ROWS]; /* --fleet, --budget and --shard, into a struct job */

/** What else is asked for together with it. */
struct fleet_beside {
    bool sweeps, follows_up, needs_place;
};

/** Whether a fleet can do it. */
MUST_CHECK enum result fleet_option_check(const struct job *job, const struct fleet_beside *beside,
                                          struct err *err);

/** A run that begins gets its name in the fleet; one that goes on has one, or is refused. */
MUST_CHECK enum result fleet_option_name(struct job *job, const struct run_dir *dir,
                                         struct err *err);

#endif
