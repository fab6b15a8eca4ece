/**
 * `normalise --partition`: a dataset of Parquet files, one for each segment of the runs (table/dataset.h).
 *
 * Only what has changed since the last time is made: segments that are new or have grown, and those of which a request
 * has been answered anew. When a segment changes the type of a column, all parts are made again, so that they agree.
 *
 * Errors   told by message_error, as exit codes.
 * Threads  main thread.
 */
#ifndef SCRAPETOP_CMD_PARTITION_H
#define SCRAPETOP_CMD_PARTITION_H

#include "cmd/opened_runs.h"
#include "cmd/read_options.h"

/** E-ARG1: another option does not go with it. */
MUST_CHECK enum result partition_check(const struct read_options *options, struct err *err);

/** The parts of one endpoint of the first run, in all of them; `spec` is what the job and the options say together. The
 *  exit code. */
int partition_make(const struct read_options *options, struct opened_runs *runs, uint32_t endpoint,
                   const char *records, const struct table_spec *spec);

#endif
