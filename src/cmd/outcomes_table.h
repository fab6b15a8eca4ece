/**
 * `normalise --outcomes`: a table with a row for each input of a run, and what became of it (history/outcomes.h).
 *
 * Threads  main thread.
 */
#ifndef SCRAPETOP_CMD_OUTCOMES_TABLE_H
#define SCRAPETOP_CMD_OUTCOMES_TABLE_H

#include "cmd/opened_runs.h"
#include "cmd/read_options.h"

/** To options->outcomes. Gives the exit code, and prints what went wrong. */
int outcomes_table_make(const struct read_options *options, struct opened_run *run);

#endif
