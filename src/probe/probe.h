/**
 * Sends a request and prints a job file whose comments say what the answer holds. Where the answer leaves open how page 2
 * is asked for, that is tried (probe_try.h).
 *
 * Errors   are printed, with secrets taken out.
 * Threads  main thread; it runs a loop of its own.
 */
#ifndef SCRAPETOP_PROBE_PROBE_H
#define SCRAPETOP_PROBE_PROBE_H

#include "job/job.h"

/** `job` has one endpoint with one URL. `records` is where the records are, or NULL: guessed. Returns the
 *  exit code: EXIT_INCOMPLETE when the answer is no JSON, or its next page cannot be asked for. `once`: nothing is
 *  tried. */
int probe_run(const struct job *job, const char *records, bool once);

#endif
