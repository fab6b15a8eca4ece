/**
 * Checks before a session starts: is the directory this job's, and what should the user know.
 *
 * Errors  E-JOB1: the directory holds another job's run; E-SHARD2: there is not one request for each shard; E-SHARD3: the
 *         directory holds another shard.
 */
#ifndef SCRAPETOP_SESSION_RUN_CHECKS_H
#define SCRAPETOP_SESSION_RUN_CHECKS_H

#include "job/job.h"
#include "store/run_dir.h"

/** A whole job was given for a directory that holds a run: it must ask in the same way. `*is_other`: other URLs or
 *  other values. On success `stored`, the job as it was, is the caller's to release. */
MUST_CHECK enum result run_check_same_job(const struct run_dir *dir, struct job *given,
                                          struct job *stored, bool *is_other, struct err *err);

/** RESULT_INVALID, E-JOB1: `given` asks for nothing that `stored` did, or in another way. */
enum result run_check_refuse(const struct run_dir *dir, const struct job *stored,
                             const struct job *given, struct err *err);

/** Whether the plan can be cut in that many. `list_fds`: as of seeds_new. */
MUST_CHECK enum result run_check_shard(const struct job *job, const int *list_fds, struct err *err);

/** Moves an existing run out of the way, and says where it is. RESULT_OK when there is none. */
MUST_CHECK enum result run_set_aside(const char *path, struct err *err);

/** Prints warnings about what is allowed but risky. */
void run_warn(const struct job *job);

#endif
