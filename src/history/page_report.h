/**
 * A run as one HTML page, to be handed on: what was asked, how it ended, how fast it was and what was done to it, what
 * failed, which pages came, which tables, and how polite it was.
 *
 * The page needs nothing else: no script, no style or picture from elsewhere. Texts from outside never become markup,
 * and no secret is in it, as none is in the directory. It is made of the ledger, of events.jsonl, and of the report of
 * the last session (report.json, or a live run's own); of a directory of an older version that has less, it tells less.
 *
 * Errors   those of the ledger and of run_story_read; RESULT_NOMEM.
 * Threads  one at a time.
 */
#ifndef SCRAPETOP_HISTORY_PAGE_REPORT_H
#define SCRAPETOP_HISTORY_PAGE_REPORT_H

#include "base/buf.h"
#include "store/run_reader.h"

/** Appends the page. */
MUST_CHECK enum result page_report_write(struct run_reader *reader, struct buf *out,
                                         struct err *err);

#endif
