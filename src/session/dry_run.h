/** `run --dry-run`: what would be asked, asking nothing. */
#ifndef SCRAPETOP_SESSION_DRY_RUN_H
#define SCRAPETOP_SESSION_DRY_RUN_H

#include "base/err.h"
#include "job/job.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What the plan asks, counted from the job. */
struct price_plan {
    uint64_t requests;
    uint64_t busiest_host; /* of these, those of the host that has most */
    uint64_t hosts;
    bool names_more;     /* further pages, or requests that records name: `requests` is the least */
    bool is_asked_again; /* the caller's: a run that has ended is priced as a further round, ... */
    bool is_most;        /* ... of which not all is asked */
};

/** Prints "METHOD URL" for every request in the plan's order, secrets redacted, each as it is reached: a
 *  reader that goes away (`| head`) ends it early and well. `to`: NULL only counts. The job has been finished. */
MUST_CHECK enum result dry_run_print(const struct job *job, FILE *to, struct price_plan *plan,
                                     struct err *err);

#endif
