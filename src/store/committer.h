/**
 * The committer: what came back is on the disk before anybody says "done".
 *
 * One thread of its own holds the segment files and the only SQLite connection. The loop thread
 * hands it settlements whole and gets each back, through `on_committed` on the loop, once it is
 * durable. The order, for every batch (RELIABILITY section e):
 *
 *   lines written -> fdatasync -> one SQLite transaction (synchronous=FULL) -> on_committed
 *
 * What gathers while one batch syncs is the next batch; with little to do a batch lingers for at
 * most COMMITTER_LINGER_US, so that a slow scrape does not sync per record.
 *
 *   loop thread                                   committer thread
 *     committer_put ----- settlements (list) ------> write, sync, commit
 *     on_committed <----- the same, settled -------- uv_async
 *     committer_event --- text line ---------------> events.jsonl (no sync)
 *
 * Failures   A full disk (ENOSPC, EDQUOT, EFBIG) pauses: `on_trouble` is told RESULT_FULL, the batch
 *            is kept, the disk probed every 2 s, and RESULT_OK told when it goes on. A failed sync or
 *            any other I/O error is final: `on_trouble` with RESULT_IO, nothing more is written, the
 *            settlements not yet durable come back with `state` SETTLE_LOST.
 * Ownership  a settlement belongs to the committer from put to on_committed.
 * Bounds     committer_is_full() at COMMITTER_QUEUE_BYTES or _COUNT; the engine then starts nothing.
 * Threads    all calls on the loop thread, unless said otherwise.
 */
#ifndef SCRAPETOP_STORE_COMMITTER_H
#define SCRAPETOP_STORE_COMMITTER_H

#include "base/clock.h"
#include "fetch/response.h"
#include "store/record.h"
#include "store/run_dir.h"

#include <uv.h>

#define COMMITTER_LINGER_US 25000
#define COMMITTER_QUEUE_BYTES (64U << 20)
#define COMMITTER_QUEUE_COUNT 16384
#define SEGMENT_MAX_BYTES (256U << 20)

enum settle_state {
    SETTLE_DONE = 1, /* the values are the ledger's: never renumber */
    SETTLE_FAILED = 2,
    SETTLE_WAITING = 3,
    SETTLE_LOST = 0, /* came back undone: the store failed; never in the ledger */
};

enum settle_body {
    SETTLE_BODY_NONE,    /* no line: a failure without a body worth keeping, or a wait */
    SETTLE_BODY_JSON,    /* checked JSON, copied byte for byte */
    SETTLE_BODY_FOREIGN, /* anything else: kept as "text" (valid UTF-8) or "base64" */
    SETTLE_BODY_EMPTY,   /* 204: "body":null */
};

/** One request's end, or its wait, on its way to the disk and back. */
struct settlement {
    struct settlement *next;
    enum settle_state state;
    enum settle_body body_kind;
    struct response *response;  /* with its request; comes back untouched */
    int64_t not_before_wall_us; /* SETTLE_WAITING: the deadline, to outlive a restart */
    struct record record;       /* filled in when a line was written */
};

/** What a resumed run begins with. */
struct ledger_row {
    uint64_t id;
    enum settle_state state;
    uint32_t attempt;
    int64_t not_before_wall_us; /* SETTLE_WAITING */
    struct str reason, set_by;  /* views, for the call only */
};

struct recovery {
    bool resumed; /* the ledger was there already */
    bool unclean; /* the last session did not end by itself */
    uint64_t done, failed, waiting;
    uint64_t body_bytes;      /* committed so far */
    uint64_t discarded_bytes; /* uncommitted tail that was cut */
};

struct committer_options {
    uv_loop_t *loop;
    const struct run_dir *dir; /* borrowed, outlives the committer */
    struct clock clock;
    void (*on_committed)(void *context, struct settlement *list); /* in order of put */
    void (*on_trouble)(void *context, enum result result, const struct err *err);
    void *context;
};

struct committer;

/** Opens or creates ledger and segments, recovers (RELIABILITY section e, "Recovery at start"), does
 *  not yet start the thread. E-LEDG1..4 foreign, newer, corrupt ledger or missing segment; E-SEG1 a
 *  segment shorter than what was committed. */
MUST_CHECK enum result committer_open(struct committer **committer,
                                      const struct committer_options *options,
                                      struct recovery *recovery, struct err *err);

/** Before start: every row, in order of id. Synchronous. */
MUST_CHECK enum result committer_each_row(struct committer *committer,
                                          void (*visit)(void *context,
                                                        const struct ledger_row *row),
                                          void *context, struct err *err);

MUST_CHECK enum result committer_start(struct committer *committer, struct err *err);

void committer_put(struct committer *committer, struct settlement *settlement);
bool committer_is_full(const struct committer *committer);

/** Settlements put and not yet back. */
size_t committer_pending(const struct committer *committer);

/** Ends the present linger: commit what is there. For when nothing more will come soon. */
void committer_flush(struct committer *committer);

/** Appends one line (JSON object without line feed) to events.jsonl. Copied; dropped and counted
 *  when the queue is full. */
void committer_event(struct committer *committer, struct str line);

/** Any thread but the loop's and the committer's own: waits until the committer has read up to `max`
 *  records with a stored JSON body and id > `after_id`, in order of id, of what is committed now. */
MUST_CHECK enum result committer_read_index(struct committer *committer, uint64_t after_id,
                                            struct record *records, size_t max, size_t *count,
                                            struct err *err);

/** Commits what was put, writes the session's end (`clean` when nothing is left undone by force),
 *  checkpoints, joins the thread, closes its uv handles and then calls `closed` on the loop, after
 *  which the committer is freed. Everything put has come back before that. */
void committer_close(struct committer *committer, bool clean, void (*closed)(void *context));

#endif
