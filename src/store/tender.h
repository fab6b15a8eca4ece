/**
 * Tender: a thread that looks after a run's store now and then, while the run goes on.
 *
 * What takes long it does beside the committer, by a connection of its own that only reads; what changes the store it has done
 * by the committer's thread, between two batches (tender_borrow): so the order of commits is that of a run at rest,
 * and no answer waits longer than one such step takes.
 *
 * Ownership  tender_stop ends the thread and frees. What `struct tending` points at is borrowed until then.
 * Errors     RESULT_IO (E-RES1): no thread can be had. What a turn fails with is told, and the next turn comes as ever.
 * Threads    tender_borrow and tender_tell from within a turn, which is on the thread; the rest from one other thread.
 */
#ifndef SCRAPETOP_STORE_TENDER_H
#define SCRAPETOP_STORE_TENDER_H

#include "store/archive.h"

#include <stdatomic.h>

#define TENDER_TEXT_MAX 512

struct tender;

typedef enum result archive_use_fn(void *context, struct archive *archive, struct err *err);

struct tending {
    enum result (*turn)(void *context, struct tender *tender, struct err *err);
    void *context;
    uint64_t period_us; /* between two turns, and before the first */
};

/* Who has the archive. */
struct tender_lender {
    /* Blocks until it is done. RESULT_CANCELLED: the store is being closed; RESULT_BUSY: not now. */
    enum result (*lend)(void *context, archive_use_fn *use, void *use_context, struct err *err);
    void (*tell)(void *context, bool is_trouble, const char *text);
    void *context;
};

MUST_CHECK enum result tender_start(struct tender **tender, const struct tending *tending,
                                    const struct tender_lender *lender, struct err *err);

/** Calls `use` by the thread that has the archive. */
MUST_CHECK enum result tender_borrow(struct tender *tender, archive_use_fn *use, void *context,
                                     struct err *err);

/** One sentence for people; the latest counts. */
void tender_tell(struct tender *tender, bool is_trouble, const char *text);

/** True once the turn is to end as it can. */
const atomic_bool *tender_stopping(const struct tender *tender);

/** Waits for the turn under way, which ends where it is. The lender lends no more by then. NULL is fine. */
void tender_stop(struct tender *tender);

#endif
