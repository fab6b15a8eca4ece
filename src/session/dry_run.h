/** `run --dry-run`: what would be asked, asking nothing. */
#ifndef SCRAPETOP_SESSION_DRY_RUN_H
#define SCRAPETOP_SESSION_DRY_RUN_H

#include "base/err.h"
#include "job/job.h"

#include <stdio.h>

/** Prints "METHOD URL" for every request in the plan's order, secrets redacted, each as it is reached: a
 *  reader that goes away (`| head`) ends it early and well. Then says how many on stderr. The job has
 *  been finished. */
MUST_CHECK enum result dry_run_print(const struct job *job, FILE *to, struct err *err);

#endif
