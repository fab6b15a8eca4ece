/**
 * Ledger view: a run's index as it is at one moment, for a table that reads it in several passes while the run goes on.
 *
 * A connection of its own, opened and held (ledger_hold) with the first read: the committer's shows what has come since.
 *
 * Ownership  ledger_view_close releases everything but the struct. The run directory is borrowed until then.
 * Errors     as ledger_open_readonly, ledger_hold and ledger_read_endpoint.
 * Threads    reads come from pool threads, one at a time; closed after the last.
 */
#ifndef SCRAPETOP_STORE_LEDGER_VIEW_H
#define SCRAPETOP_STORE_LEDGER_VIEW_H

#include "store/ledger.h"

struct ledger_view {
    const struct run_dir *dir;
    struct ledger *ledger; /* NULL: nothing has been read */
};

/** What ledger_read_endpoint says; `view` is a struct ledger_view. */
MUST_CHECK enum result ledger_view_read(void *view, uint32_t endpoint,
                                        struct record_position *position,
                                        struct placed_record *records, size_t max, size_t *count,
                                        struct err *err);
void ledger_view_close(struct ledger_view *view);

#endif
