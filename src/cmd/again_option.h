/**
 * `--again`, `--where`, `--since`: the same command every night. When nothing is left of a run, all of it is
 * asked anew (engine/grow.h).
 *
 * Errors   E-ARG1: with what it does not go together.
 */
#ifndef SCRAPETOP_CMD_AGAIN_OPTION_H
#define SCRAPETOP_CMD_AGAIN_OPTION_H

#include "cmd/options.h"
#include "cmd/since_option.h"
#include "job/job.h"
#include "plan/record_where.h"

struct again_option {
    bool is_wanted;
    uint64_t age_us;           /* --older-than; 0: of all */
    struct record_where where; /* none: of all */
    struct since_option since;
};

#define AGAIN_ROWS 4
extern const struct option_row again_rows[AGAIN_ROWS]; /* into a struct again_option */

/** Whether a run that has ended begins a further round: by the option, or as its job has a
 *  `since`. */
bool again_option_begins(const struct again_option *option, const struct job *job, bool is_part);

/** With the job as it will be run; `is_part`: the session asks only a part of it, or for another purpose. */
MUST_CHECK enum result again_option_check(const struct again_option *option, const struct job *job,
                                          bool is_part, struct err *err);

#endif
