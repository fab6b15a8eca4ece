/**
 * Orphans: complete records in raw/ that no row of the ledger names.
 *
 * A process that is killed leaves a few: the lines of a batch whose rows were not committed. More than that,
 * or any where none can be, means that the ledger is older than raw/: its log (ledger.db-wal) was not copied
 * with it, or was removed, or ledger.db is a copy of before. A line carries what its row needs, so who knows
 * the plan can take it in; of a request that led to others it does not say to which.
 *
 * Ownership  nothing is kept.
 * Errors     as store/segment.h and store/ledger.h say.
 */
#ifndef SCRAPETOP_STORE_ORPHANS_H
#define SCRAPETOP_STORE_ORPHANS_H

#include "store/ledger.h"
#include "store/line.h"

struct orphans {
    uint64_t records, bytes; /* bytes: of their lines */
    bool ledger_is_old;      /* no kill explains them */
};

/** Reads all that lies after what the ledger knows; of a run that nobody is running. */
MUST_CHECK enum result orphans_count(struct orphans *orphans, struct ledger *ledger, int raw_fd,
                                     struct err *err);

/** The same of a run that is only read. Of a run under way: none, as its own process knows of them all. */
MUST_CHECK enum result orphans_at_rest(struct orphans *orphans, const struct run_dir *dir,
                                       struct ledger *ledger, int raw_fd, struct err *err);

/** Whether the line is the good answer to a request of the plan, and of which endpoint. */
typedef bool orphans_claim_fn(void *context, const struct line_view *line, uint32_t *endpoint);

/** Makes rows of those that are claimed and whose request is not done: durable when it returns. `*adopted`
 *  counts these. The writer's: the run is held, and nothing was written in this session. */
MUST_CHECK enum result orphans_adopt(struct orphans *adopted, struct ledger *ledger, int raw_fd,
                                     orphans_claim_fn *claim, void *context, struct err *err);

#endif
