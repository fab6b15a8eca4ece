/**
 * The order in which endpoints come about, by what their texts name: who waits for whom, whose records each is asked
 * for, and which variables have a value there. Parents come first; else the order of the file stays.
 *
 * Ownership  job_links is the caller's; names and places are views into the job file.
 * Errors     faults in the reader: E-CFG4 "where" without a parent, E-CFG6 endpoints that wait for one another, E-CFG9
 *            records that belong to no one line of endpoints.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_JOB_JOB_ORDER_H
#define SCRAPETOP_JOB_JOB_ORDER_H

#include "job/job_read.h"

#define JOB_LINK_NONE SIZE_MAX

/** A placeholder, and where it stands. */
struct job_use {
    char *name;
    struct str at;
    size_t var;      /* index, or JOB_LINK_NONE */
    size_t endpoint; /* index, or JOB_LINK_NONE */
};

struct job_links {
    struct job_reader *r;
    size_t count;         /* of endpoints */
    struct job_use *uses; /* of all endpoints */
    size_t use_count, use_allocated;
    size_t *first_use; /* of each endpoint; one more than there are endpoints */
    bool has_base;     /* or needs none */
    size_t at;         /* the endpoint that is being linked */
};

/** Sorts the job's endpoints and says whose parent is whose, unless there are faults. */
void job_order_endpoints(struct job_links *links);

#endif
