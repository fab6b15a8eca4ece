/**
 * The report of a run's last session, as --json has it, kept in its directory: report.json.
 *
 * There is none while a session is under way, nor after one that was killed: what it would say is not known then.
 *
 * Errors   E-DIR3, as store/run_dir.h says.
 * Threads  one at a time.
 */
#ifndef SCRAPETOP_HISTORY_SAVED_REPORT_H
#define SCRAPETOP_HISTORY_SAVED_REPORT_H

#include "base/buf.h"
#include "store/run_dir.h"

#define SAVED_REPORT_FILE "report.json"

/** The directory is this process's. Nothing waits for the disk: a report that a power loss takes can be missed. */
MUST_CHECK enum result saved_report_write(const struct run_dir *dir, struct str json,
                                          struct err *err);

/** A session begins. That there was none, or that it cannot be removed, is no matter. */
void saved_report_forget(const struct run_dir *dir);

#define SAVED_REPORT_NUMBER_MAX 1e12 /* more is no figure of a run */

/** A number at that pointer of a report or a part of one, from 0 to SAVED_REPORT_NUMBER_MAX; false when there is none. */
bool saved_report_number(struct str json, struct str pointer, double *number);

/** Appends it, checked to be one JSON value. False: there is none. */
bool saved_report_read(const struct run_dir *dir, struct buf *json);

#endif
