/**
 * Table run: a table from files or a run, from begin to end, for who has no loop of his own.
 *
 * What `scrapetop normalise` does. SIGINT and SIGTERM cancel; a progress line stands on stderr while
 * it is a terminal. The report can be told as lines for people or as JSON for programs.
 *
 * Errors   those of table_build; the report is filled in any case.
 * Threads  main thread.
 */
#ifndef SCRAPETOP_ENGINE_TABLE_RUN_H
#define SCRAPETOP_ENGINE_TABLE_RUN_H

#include "base/buf.h"
#include "engine/table_build.h"

#include <stdio.h>

struct table_run_options {
    struct table_options table;
    struct record_source *source; /* taken; see normalise/file_source.h */
    bool progress;                /* on stderr, if that is a terminal */
};

/** `report->output` is the option's string. */
MUST_CHECK enum result table_run(const struct table_run_options *options,
                                 struct table_report *report);

/** "12,345 rows ..." and what was skipped and why, display-safe, a line each. */
void table_report_print(const struct table_report *report, FILE *stream);

/** One JSON object without a line break: rows, columns, skipped ... */
MUST_CHECK enum result table_report_json(const struct table_report *report, struct buf *out);

/** Records that gave no row, for all reasons. */
uint64_t table_report_skipped(const struct table_report *report);

#endif
