/**
 * Where a run lies that was given no directory: NAME.run, or NAME-2.run, ... when that holds another job's. Of a shard
 * NAME-003-of-008.run.
 *
 * The first place that is free or holds a run of the same requests and the same shard; but before a free one, that of a
 * job file's run that has grown: with other values, some of which are the same
 * (session/run_alike.h). Two jobs of one host so lie side by side, and
 * each finds its own again. What cannot be judged (unreadable, not a run) is taken as it is, so that opening it
 * tells what is wrong.
 *
 * Errors   RESULT_NOMEM only.
 * Threads  before the loop: it waits, bounded, for a process that is just making the place.
 */
#ifndef SCRAPETOP_SESSION_RUN_PLACE_H
#define SCRAPETOP_SESSION_RUN_PLACE_H

#include "job/job.h"
#include "session/run_lists.h"

#define RUN_PLACE_MAX (JOB_NAME_MAX + 48)

/** Where it is when nothing else is in the way. */
void run_place_first(const struct job *job, char path[RUN_PLACE_MAX]);

/** `lists` are those that run_lists_check has read: of one from stdin nothing but its bytes says whether it is
 *  the same. */
MUST_CHECK enum result run_place_choose(const struct job *job, const struct run_lists *lists,
                                        char path[RUN_PLACE_MAX], struct err *err);

#endif
