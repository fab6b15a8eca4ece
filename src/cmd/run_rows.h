/**
 * Option rows of `run` that write into a job: where its URLs are, and how fast they are asked.
 *
 * Errors  those of base/units and job/job.h.
 */
#ifndef SCRAPETOP_CMD_RUN_ROWS_H
#define SCRAPETOP_CMD_RUN_ROWS_H

#include "cmd/options.h"
#include "job/job.h"

#define RUN_SOURCE_ROWS 2
#define RUN_COOKIE_ROWS 2
#define RUN_SHAPE_ROWS 1
#define RUN_PACE_ROWS 16
#define RUN_LIMIT_ROWS 3
extern const struct option_row run_source_rows[RUN_SOURCE_ROWS];
extern const struct option_row run_cookie_rows[RUN_COOKIE_ROWS];
extern const struct option_row run_shape_rows[RUN_SHAPE_ROWS];
extern const struct option_row run_limit_rows[RUN_LIMIT_ROWS];
extern const struct option_row run_pace_rows[RUN_PACE_ROWS]; /* shared with `demo` */

/* --every, --count, --until: into a struct job. */
#define RUN_POLL_ROWS 5
extern const struct option_row run_poll_rows[RUN_POLL_ROWS];

/** A list of URLs; "-" is stdin. */
MUST_CHECK enum result run_add_list(struct job *job, const char *path, struct err *err);

#endif
