/**
 * `--shard`: which part of the plan a run is, said by hand or by what has started it.
 *
 *   I/N     as it says
 *   k8s     of a Kubernetes Indexed Job: JOB_COMPLETION_INDEX, counted from 0, of SCRAPETOP_SHARDS
 *   slurm   of a Slurm job array: SLURM_ARRAY_TASK_ID among SLURM_ARRAY_TASK_MIN to _MAX, which has no gaps
 *
 * Without the option SCRAPETOP_SHARD says the same in the same words.
 *
 * Errors     E-SHARD1: none of these, or a variable that is missing or no number in range.
 *            E-SHARD3: a run that exists is of another shard.
 * Threads    before the loop: the environment is read.
 */
#ifndef SCRAPETOP_CMD_SHARD_OPTION_H
#define SCRAPETOP_CMD_SHARD_OPTION_H

#include "job/job.h"

#define SHARD_WORDS "k8s slurm 1/2"

/** Of the option's value. */
MUST_CHECK enum result shard_option_read(struct job_shard *shard, const char *value,
                                         struct err *err);

/** Lays SCRAPETOP_SHARD over the job unless --shard `is_given`; then a shard and --every are refused together. */
MUST_CHECK enum result shard_option_settle(struct job *job, bool is_given, struct err *err);

/** The same for a run that exists and is of the shard `stored`, which it stays. */
MUST_CHECK enum result shard_option_keep(struct job *job, bool is_given,
                                         const struct job_shard *stored, struct err *err);

#endif
