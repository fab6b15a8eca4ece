/**
 * Recall: a failed request that is looked at, read back from the ledger, where it may have been since an
 * earlier session.
 *
 * One at a time, the last that was asked for. The answer comes in a turn of the loop of its own.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_RECALL_H
#define SCRAPETOP_ENGINE_RECALL_H

#include "base/buf.h"
#include "store/failed_row.h"

struct engine;

struct recall {
    uint64_t asked;        /* the id that the committer is asked for; 0: none */
    bool is_stale;         /* it has ended again since it was asked for */
    uint64_t id;           /* the id that `row` is about; 0: none */
    bool has_row;          /* else the ledger has no failure of it */
    struct failed_row row; /* views into `texts` */
    struct buf texts;
};

/** What the ledger has of it; NULL when that is not known yet, or nothing. Asks for it. */
const struct failed_row *recall_row(struct engine *engine, uint64_t id);

/** The committer's on_failed. */
void recall_answered(void *engine, uint64_t id, const struct failed_row *row);

/** The ledger's row may have changed. */
void recall_forget(struct engine *engine, uint64_t id);
void recall_release(struct engine *engine);

#endif
