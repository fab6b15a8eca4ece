/**
 * normalise --changes: the table of what changed in an endpoint's records from round to round.
 *
 * Threads  main thread.
 */
#ifndef SCRAPETOP_CMD_CHANGES_TABLE_H
#define SCRAPETOP_CMD_CHANGES_TABLE_H

#include "cmd/opened_runs.h"
#include "cmd/read_options.h"
#include "table/endpoint_table.h"

/** What the table takes from the job and the command line. */
struct changes_wish {
    uint32_t endpoint;
    const char *records;
    const struct table_spec *spec;
    const struct table_output *outputs;
    size_t output_count;
};

/** Whether the options go with --changes. */
MUST_CHECK enum result changes_table_check(const struct read_options *options, struct err *err);

/** Makes it of one run, says what changed, and answers the exit code. */
int changes_table_make(const struct read_options *options, struct opened_run *run,
                       const struct changes_wish *wish);

#endif
