/**
 * This user's live runs: those whose control sockets answer.
 *
 * Errors   out of memory only: a socket that does not answer is no live run.
 * Threads  any; each run is waited for two seconds at most.
 */
#ifndef SCRAPETOP_CONTROL_LIVE_RUNS_H
#define SCRAPETOP_CONTROL_LIVE_RUNS_H

#include "base/err.h"
#include "control/socket_place.h"
#include "engine/snapshot.h"

#include <stddef.h>
#include <sys/types.h>

struct live_run {
    pid_t pid;
    char socket[SOCKET_PATH_MAX]; /* its path */
    char dir[4096];               /* absolute */
    struct snapshot *now;         /* only what a line of progress needs */
};

struct live_runs {
    struct live_run *runs; /* owned */
    size_t count;
};

MUST_CHECK enum result live_runs_find(struct live_runs *found, struct err *err);
void live_runs_release(struct live_runs *found);

/** A table for people, on stdout; `json`: a line for each. */
void live_runs_print(const struct live_runs *found, bool json);

#endif
