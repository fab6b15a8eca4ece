/**
 * What a run that goes on finds: in all, and row by row.
 */
#ifndef SCRAPETOP_STORE_RECOVERY_H
#define SCRAPETOP_STORE_RECOVERY_H

#include "store/settlement.h"

/** Of a run that is asked again: what was done in rounds before the last. */
struct earlier_rounds {
    uint64_t done, unchanged;
};

struct recovery {
    bool resumed;     /* the ledger was there already */
    bool unclean;     /* the last session never wrote its end: killed, or the power failed */
    uint64_t planned; /* requests of the plan's own, as it was begun with; 0: not known */
    uint64_t done, failed, waiting;
    uint64_t unchanged;  /* of those done */
    uint64_t round_from; /* as in struct ledger_summary, with the next */
    struct earlier_rounds earlier;
    uint64_t body_bytes; /* committed so far */
    uint64_t adopted;    /* of those done: records without a row that were taken in */
    /* were being sent as the last session was cut off; among those failed, unless they are sent
     * again */
    uint64_t maybe_sent;
    bool ledger_was_old;      /* no kill explains them: store/orphans.h */
    uint64_t discarded_bytes; /* uncommitted tail that was cut */
};

struct ledger_row {
    uint64_t id;
    enum settle_state state;
    uint32_t attempt;
    uint32_t endpoint;
    int status;                 /* of its last answer; 0: none came */
    int64_t not_before_wall_us; /* SETTLE_WAITING */
    struct last_try last;       /* of one that waits or failed, as are those below */
    struct due due;
    struct str reason; /* a view, for the call only */
};

#endif
