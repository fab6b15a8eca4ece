/**
 * A run's stored records, read in the plan's order by somebody who does not run it.
 *
 * What `raw`, `verify` and `status` stand on. Takes no lock and disturbs nobody: the ledger is read in
 * pages, and no read transaction outlives a call. Another process may run the run meanwhile.
 *
 * Ownership  run_reader_close releases everything but the struct.
 * Errors     as store/run_dir.h, store/ledger.h and store/segment.h say.
 */
#ifndef SCRAPETOP_STORE_RUN_READER_H
#define SCRAPETOP_STORE_RUN_READER_H

#include "store/ledger.h"
#include "store/run_dir.h"
#include "store/segment_reader.h"

struct run_reader {
    struct run_dir dir;
    struct ledger *ledger;
    int raw_fd;
    struct segment_reader segments;
};

MUST_CHECK enum result run_reader_open(struct run_reader *reader, const char *path,
                                       struct err *err);
void run_reader_close(struct run_reader *reader);

/** Whether the session of the process that holds the run has ended, so that the process only waits for who hears of
 *  that: what --on-end and --ping ask for. */
bool run_reader_is_ending(const struct run_holder *holder, const struct ledger_summary *summary);

/** Calls `visit` for every record; ends when that says other than RESULT_OK, with that. */
MUST_CHECK enum result
run_reader_each(struct run_reader *reader, enum ledger_index index,
                enum result (*visit)(void *context, const struct record *record, struct err *err),
                void *context, struct err *err);

#endif
