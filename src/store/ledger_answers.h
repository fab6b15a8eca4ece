/**
 * Every answer that an endpoint ever had, round after round: what changes between rounds are found by.
 *
 * In order of round, then of seed, then of place; each of the endpoint's requests of a round once. Where tables have
 * only the newest of each (a run that is asked again), this has all that are still known.
 *
 * A request is known by `what` over all rounds: a seed by its number, all else by URL and body. An answer that was the
 * last one again has no line: it stands for that of the same `what` before it.
 *
 * Of a round and seed something may be missing: a page that failed, what waits or was not asked, a listing that ended
 * without saying that it was whole. Then `is_partial`: what is not there may be there all the same.
 * So it is with all rounds of an endpoint that asks for what has changed (`since`).
 *
 * Of details that `--again` asks for, those that came unchanged are dropped from all rounds but the newest. Then
 * `is_thinned`: a request that is not there may have been there as it was.
 *
 * Errors   those of store/ledger.h.
 * Threads  those of the ledger.
 */
#ifndef SCRAPETOP_STORE_LEDGER_ANSWERS_H
#define SCRAPETOP_STORE_LEDGER_ANSWERS_H

#include "base/digest.h"
#include "store/ledger.h"

enum ledger_answer_kind {
    LEDGER_ANSWER_NEW,   /* has a line of its own */
    LEDGER_ANSWER_EMPTY, /* came without a body (204) */
    LEDGER_ANSWER_SAME,  /* the last body again */
    LEDGER_ANSWER_NONE,  /* failed, waits, was not asked, or is no JSON */
};

struct ledger_answer { /* a view, for the call only */
    enum ledger_answer_kind kind;
    uint32_t round;  /* from 0 */
    struct str seed; /* a seed's number, as bytes that compare */
    struct str seat; /* where it stands within its round, likewise */
    uint8_t what[DIGEST_BYTES];
    bool is_partial;
    bool is_thinned;
    struct record record; /* LEDGER_ANSWER_NEW, _EMPTY */
};

struct ledger_answers_query {
    uint32_t endpoint;
    const bool *kin; /* by endpoint: itself, and those whose records it is asked for */
    size_t endpoint_count;
    bool has_pages; /* the endpoint's requests are pages of listings */
    enum result (*visit)(void *context, const struct ledger_answer *answer, struct err *err);
    void *context;
};

/** Ends when `visit` says other than RESULT_OK, with that. Of a ledger that is held (ledger_hold). */
MUST_CHECK enum result ledger_each_answer(struct ledger *ledger,
                                          const struct ledger_answers_query *query,
                                          struct err *err);

/** The line of the request with that id; RESULT_NOT_FOUND when it has none. */
MUST_CHECK enum result ledger_read_record(struct ledger *ledger, uint64_t id, struct record *record,
                                          struct err *err);

#endif
