/**
 * Table report: what a table build found, as lines for people, as JSON for programs, and the words of its
 * events.
 *
 * Errors   RESULT_NOMEM of the bufs.
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_ENGINE_TABLE_REPORT_H
#define SCRAPETOP_ENGINE_TABLE_REPORT_H

#include "base/buf.h"
#include "engine/table_build.h"

#include <stdio.h>

/** "12,345 rows ..." and what was skipped and why, display-safe, a line each. */
void table_report_print(const struct table_report *report, FILE *stream);

/** One JSON object without a line break: rows, columns, types, drift, skipped ... */
MUST_CHECK enum result table_report_json(const struct table_report *report, struct buf *out);

/** Records that gave no row, for all reasons. */
uint64_t table_report_skipped(const struct table_report *report);

/** Appends "2 columns are new: a int64, b text; 1 is gone: c", not display-safe; nothing when the table
 *  has the columns of the one before. */
MUST_CHECK enum result table_report_drift(const struct table_report *report, struct buf *out);

/** Appends "price (9998 fractions, 2 strings)" for each column that became text since its values are
 *  of several kinds; not display-safe. */
MUST_CHECK enum result table_report_conflicts(const struct table_report *report, struct buf *out);

#endif
