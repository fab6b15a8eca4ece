/**
 * What a run keeps no more: answers of old rounds, and the segments that held them.
 *
 * A request whose answer was retired stays done, without a line (`body` is 4). `meta` says how many rounds are in the
 * written journal, how long that is, and which segments are dropped but may still lie in raw/:
 *
 *   journal_bytes, journal_rounds, dropped:00000017, twin:0a1b2c3d:00000018:000000000000
 *
 * Errors   those of store/ledger.h.
 * Threads  those of the ledger.
 */
#ifndef SCRAPETOP_STORE_LEDGER_RETIRE_H
#define SCRAPETOP_STORE_LEDGER_RETIRE_H

#include "store/ledger.h"

struct ledger_journal {
    uint64_t bytes;  /* of the file */
    uint32_t rounds; /* the first so many are in it */
};

MUST_CHECK enum result ledger_read_journal(struct ledger *ledger, struct ledger_journal *journal,
                                           struct err *err);

/** Within a transaction. */
MUST_CHECK enum result ledger_put_journal(struct ledger *ledger,
                                          const struct ledger_journal *journal, struct err *err);

/** What is retired next spares these; forgets those of before. */
MUST_CHECK enum result ledger_begin_needs(struct ledger *ledger, struct err *err);
MUST_CHECK enum result ledger_need(struct ledger *ledger, uint64_t id, struct err *err);

/** Within a transaction: the endpoint's answers of the first `rounds` rounds, but for those that are needed or no JSON,
 *  lose their lines. */
MUST_CHECK enum result ledger_retire(struct ledger *ledger, uint32_t endpoint, uint32_t rounds,
                                     uint64_t *count, struct err *err);

/** Within a transaction, after that: no further answer is called the last one again when the last one has no line. */
MUST_CHECK enum result ledger_forget_retired(struct ledger *ledger, struct err *err);

/** From now on what `polled` names when that changes is needed, too: an answer that comes meanwhile may stand for it.
 *  By the connection that retires; ends with ledger_end_needs. */
MUST_CHECK enum result ledger_watch_needs(struct ledger *ledger, struct err *err);
MUST_CHECK enum result ledger_end_needs(struct ledger *ledger, struct err *err);

/* Which segments are to be rewritten: those between the two numbers, with bytes that belong to no line. */
struct ledger_holey {
    uint32_t after, below;
    bool half; /* as many as others, at least */
};

/** The first of them; 0: there is none. */
MUST_CHECK enum result ledger_find_holey(struct ledger *ledger, const struct ledger_holey *which,
                                         uint32_t *number, struct err *err);

/** Up to `max` of the segment's lines from byte `from` on, in their order. */
MUST_CHECK enum result ledger_read_segment(struct ledger *ledger, uint32_t number, uint64_t from,
                                           struct record *records, size_t max, size_t *count,
                                           struct err *err);

/** Within a transaction: the line lies there now. */
MUST_CHECK enum result ledger_move_line(struct ledger *ledger, const struct record *record,
                                        struct err *err);

/** How far a copy of the lines is that lies elsewhere (--copy-to): all before that place. No id: there is none. */
struct ledger_copied {
    char id[9];
    uint32_t segment;
    uint64_t offset;
};

struct ledger_twins { /* lines of a segment that were in another, of which that copy has them */
    uint32_t segment;
    uint64_t from, to;
};

/** Within a transaction: the copy has these lines from where they were before. Forgotten with their segment. */
MUST_CHECK enum result ledger_put_twins(struct ledger *ledger, const char *id,
                                        const struct ledger_twins *twins, struct err *err);

/** Those of the copy, in their order. */
MUST_CHECK enum result ledger_each_twins(struct ledger *ledger, const char *id,
                                         enum result (*visit)(void *context,
                                                              const struct ledger_twins *twins,
                                                              struct err *err),
                                         void *context, struct err *err);

/** Within a transaction: no line is in it any more. Its file may go now; then it is to be forgotten. */
MUST_CHECK enum result ledger_drop_segment(struct ledger *ledger, uint32_t number, struct err *err);
MUST_CHECK enum result ledger_forget_dropped(struct ledger *ledger, struct err *err);
MUST_CHECK enum result ledger_each_dropped(struct ledger *ledger,
                                           enum result (*visit)(void *context, uint32_t number,
                                                                struct err *err),
                                           void *context, struct err *err);

#endif
