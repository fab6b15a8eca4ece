/**
 * `run --dry-run`: the requests, and their price by what the run directory knows. Asks nothing, writes nothing.
 *
 * Errors   those of dry_run_print; E-JOB1 when the directory that was named holds another run.
 * Threads  before the loop.
 */
#ifndef SCRAPETOP_SESSION_QUOTE_H
#define SCRAPETOP_SESSION_QUOTE_H

#include "job/job.h"

struct quote_options {
    /* the directory that was named; empty: a new one; NULL: the one that the run would go on in */
    const char *path;
    bool json;       /* one object in place of the requests */
    bool asks_again; /* of a run that has ended, a further round */
    bool asks_part;  /* of that not all: --older-than, --where */
};

MUST_CHECK enum result quote_print(struct job *job, const struct quote_options *options,
                                   struct err *err);

#endif
