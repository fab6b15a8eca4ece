/**
 * A run that starts in the background: `run --detach`.
 *
 * The process forks before it has any thread. What the user started waits until the run is under way, says how to come
 * back, and ends; or ends with the exit code of a run that could not begin. The run itself has no terminal, and writes
 * its lines to `run.log` in its directory.
 *
 * Errors   E-BG1 there can be no further process (the errno's result).
 * Threads  main thread, while it is the only one.
 */
#ifndef SCRAPETOP_SESSION_DETACH_H
#define SCRAPETOP_SESSION_DETACH_H

#include "base/err.h"
#include "store/run_dir.h"

#include <stdbool.h>

#define DETACH_LOG "run.log"

struct detach {
    bool is_parent; /* all is done: end with `code` */
    int code;
    int ready_fd; /* of the run: tells the parent; -1: nobody waits */
};

/** `keeps_stdin`: a list comes by it. */
MUST_CHECK enum result detach_begin(struct detach *d, bool keeps_stdin, struct err *err);

/** The run is under way: from here on its lines go to the log. */
void detach_ready(struct detach *d, const struct run_dir *dir);

#endif
