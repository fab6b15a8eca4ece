/**
 * Table report: what a table build found, as lines for people, as JSON for programs, and the words of its
 * events.
 *
 * Errors   RESULT_NOMEM of the bufs.
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_TABLE_TABLE_REPORT_H
#define SCRAPETOP_TABLE_TABLE_REPORT_H

#include "base/buf.h"
#include "table/table_build.h"

#include <stdio.h>

/** "12,345 rows ..." and what was skipped and why, display-safe, a line each. */
void table_report_print(const struct table_report *report, FILE *stream);

/** One JSON object without a line break: rows, columns, types, drift, skipped ... */
MUST_CHECK enum result table_report_json(const struct table_report *report, struct buf *out);

/** It went to a pipe whose reader has had enough, as `| head` has: no trouble. */
bool table_reader_is_gone(const struct err *err);

/** The connection to a database broke amid the rows, and what is there is as it was: all may be sent again. */
bool table_is_to_send_again(const struct err *err);

/** The exit code of a table that was not made, by its error. */
int table_exit_code(enum result result, const char *code);

/** Records that gave no row, for all reasons. */
uint64_t table_report_skipped(const struct table_report *report);

/** What there can be to say about columns. */
enum table_remark {
    TABLE_REMARK_CONFLICT, /* text, since their values are of several kinds */
    TABLE_REMARK_RARE,     /* a value in under 1 % of the rows */
    TABLE_REMARK_NEW,      /* since the table before, like the two that follow */
    TABLE_REMARK_GONE,
    TABLE_REMARK_TYPE,
    TABLE_REMARK_COUNT,
};

/** Appends "gone since the last table: a, b", not display-safe; nothing when there are none. The
 *  first ten are named, and the rest counted. */
MUST_CHECK enum result table_report_remark(const struct table_report *report,
                                           enum table_remark remark, struct buf *out);

#endif
