/**
 * Poll: a job that asks all of its seeds again, round after round: those of a job that polls begin by their times
 * (plan/rounds.h), one that `run --again` wants has been begun by the ledger (engine/grow.h).
 *
 *   round 0   the plan's own requests, as in any run
 *   round r   seed --(a few hundred at a time)--> ledger --discover--> frontier
 *
 * A round is put into the ledger like discovered requests, each part in one transaction with how far the round is: a
 * crash neither loses a seed of it nor asks one twice. It begins when all of the round before has ended, so no
 * request is in flight twice; pages and details follow from its answers as from those of the first.
 *
 * An answer 304 to the ETag of the last one to the same request, or else to its Last-Modified, or the same body again,
 * settles it as unchanged: it has no line, and in the table of a job that polls no row. Where answers lead to further
 * requests they are asked for without these: pages and details may have changed all the same.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_POLL_H
#define SCRAPETOP_ENGINE_POLL_H

#include "plan/rounds.h"
#include "store/settlement.h"

struct engine;
struct fetch_extra;

#define POLL_HEADER_MAX 300

struct poll {
    bool is_used;
    bool compares; /* keeps what tells whether the next answer is the last one again */
    /* of one that is asked again, or follows up: no further round begins in this session */
    bool is_last;
    bool is_asleep; /* all of the round has ended, the next is not due */
    struct rounds rounds;
    uint64_t began_us; /* when the session did, by both clocks */
    int64_t began_wall_us;
    uint64_t tables_of;           /* the round after which databases were brought up to date */
    bool is_putting;              /* the store has `part` */
    struct settlement part;       /* a piece of a round on its way into the ledger */
    struct rounds_kept kept;      /* how far the round is with it */
    char header[POLL_HEADER_MAX]; /* scratch */
};

void poll_init(struct engine *engine);

/** How far an earlier session was. Before the store is started. */
MUST_CHECK enum result poll_restore(struct engine *engine, struct err *err);

/** The first round begins, if none has; or one of an earlier session goes on. */
void poll_start(struct engine *engine);

/** With every turn: begins a round that is due, skips one that cannot begin, puts seeds of it. */
void poll_turn(struct engine *engine);

/** Nothing is left, but for seeds of this round that are still to be put, or further rounds. */
bool poll_goes_on(const struct engine *engine);

/** When the next round begins, if that is what is waited for; else TIME_NEVER. */
uint64_t poll_wake_us(const struct engine *engine, uint64_t now_us);

/** Requests of the round that are not in the ledger yet. */
uint64_t poll_left(const struct engine *engine);

/** Rounds are still to come, by `count` or `until`: a run that is stopped now is resumable. */
bool poll_is_unfinished(const struct engine *engine);

/** Adds what tells the server the last answer that it gave. */
void poll_carry(struct engine *engine, const struct request *request, struct fetch_extra *extra);

/** "Not modified", and it was asked whether. */
bool poll_is_not_modified(const struct response *response);

/** What the store is to know of a request that ends well. */
void poll_note(struct engine *engine, struct settlement *settlement);

/** The part is durable, or lost. */
void poll_committed(struct engine *engine, struct settlement *part);
void poll_release(struct engine *engine);

#endif
