/**
 * The latest runs at rest of the current directory: what `ls` tells when none is live.
 *
 * There is no list of all runs on a machine; a run is made where its user stands, as NAME.run, most often. So the
 * directory's own entries are looked at, links and what lies deeper are not.
 *
 * Errors   a directory that cannot be read has no runs; one whose ledger cannot be read is left out.
 * Threads  main thread; at most RESTING_ENTRIES_MAX entries are looked at, and RESTING_RUNS_MAX ledgers read.
 */
#ifndef SCRAPETOP_HISTORY_RESTING_RUNS_H
#define SCRAPETOP_HISTORY_RESTING_RUNS_H

#include <stddef.h>

#define RESTING_ENTRIES_MAX 10000
#define RESTING_RUNS_MAX 10

/** A table for people on stdout, the latest first. Returns how many. */
size_t resting_runs_print(void);

#endif
