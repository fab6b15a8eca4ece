/**
 * Table run: a table from files or a run, from begin to end, for who has no loop of his own.
 *
 * What `scrapetop normalise` does. SIGINT, SIGTERM and SIGHUP cancel; a progress line stands on stderr while
 * it is a terminal. Its report is told by table/table_report.h.
 *
 * Errors   those of table_build; the report is filled in any case.
 * Threads  main thread.
 */
#ifndef SCRAPETOP_TABLE_TABLE_RUN_H
#define SCRAPETOP_TABLE_TABLE_RUN_H

#include "table/table_build.h"

#include <stdbool.h>

struct table_run_options {
    struct table_options table;
    struct record_source *source; /* taken; see normalise/file_source.h */
    bool progress;                /* on stderr, if that is a terminal */
};

/** `report->outputs` are the options'; `report->schema` is the caller's to free. */
MUST_CHECK enum result table_run(const struct table_run_options *options,
                                 struct table_report *report);

#endif
