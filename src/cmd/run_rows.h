/**
 * Option rows of `run` that write into a job: what to ask, and how fast.
 *
 * Errors  those of base/units and job/job.h; E-IN4 a body that cannot be read.
 */
#ifndef SCRAPETOP_CMD_RUN_ROWS_H
#define SCRAPETOP_CMD_RUN_ROWS_H

#include "cmd/options.h"
#include "job/job.h"

#define RUN_REQUEST_ROWS 10
#define RUN_PACE_ROWS 15
#define RUN_LIMIT_ROWS 3
extern const struct option_row run_request_rows[RUN_REQUEST_ROWS];
extern const struct option_row run_limit_rows[RUN_LIMIT_ROWS];
extern const struct option_row run_pace_rows[RUN_PACE_ROWS]; /* shared with `demo` */

/* --every, --count, --until: into a struct job. */
#define RUN_POLL_ROWS 3
extern const struct option_row run_poll_rows[RUN_POLL_ROWS];

/** A list of URLs; "-" is stdin. */
MUST_CHECK enum result run_add_list(struct job *job, const char *path, struct err *err);

/** A body makes the method POST, as in curl, unless one was given, and says of what type it is. */
MUST_CHECK enum result run_finish_body(struct job *job, bool has_method, struct err *err);

#endif
