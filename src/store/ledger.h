/**
 * The ledger: what was asked, how it ended, and where its body lies. SQLite in WAL mode.
 *
 * A request has a row only once it has ended or waits: what is queued or in flight is what the plan
 * yields and the ledger does not have, so a crash needs no repair. A row that waits or failed may be
 * overwritten by what came of it later; a done row never is.
 *
 *   request   id, state, endpoint, attempt, status, body kind; segment, line_at, line_bytes, crc32c of
 *             the stored line; for what waits or failed: key, outcome and class (plan/failure.h), reason in
 *             words, url without secrets; for what waits: not_before_us, and who set that (plan/due.h)
 *   said      what the server said at the last failure of a request: headers, head of the body
 *   found     what answers gave rise to: id (after the plan's own), endpoint, digest of URL, body and
 *             round, place, and what the request is made of
 *   page_note what was odd about a listing, by the request that showed it
 *   exchange  of a request that waits for what is not ready (plan/exchange.h): where to ask, how often it
 *             was, for how long
 *   page      each page that came: its endpoint, listing (id of the first page), place in it, records, what
 *             total it told, and why the listing ended there (plan/page_end.h)
 *   polled    of a request that is asked round after round: what tells its last body, whose line has it, and
 *             when it last came
 *   since_seen  of an answer of an endpoint with `since`: the latest of its records; until the
 *     listing is whole
 *   since_state  how far a listing has been read: by the id of its seed's first round
 *   since_endpoint  those with `since`, and those that hang on one: tables are over all their
 *     rounds
 *   same      of a run that is asked again: a request that came to its last body again, and whose line has that
 *   segment   number, committed length, where the last batch began, bytes of bodies, lines
 *   session   when a process began and ended its work, its pid, and whether it left nothing undone
 *   meta      planned: how many requests the plan has of its own, when that is known; seeds: the same
 *             number in a run in which further ones are found, whose ids begin after it; listed: the
 *             plan's size, when its own requests are found ones, too (ledger_merge); of a run that
 *             polls, or is asked again: poll_started_us, poll_begun, poll_slot, poll_skipped, poll_put,
 *             poll_before_us (plan/rounds.h); round_from: requests of the latest round that was
 *             begun so have ids after it; again: further rounds are of the latter, tables have the
 *             newest of each; shared: ids of found requests are made of what they ask, the same in
 *             the ledgers of all workers
 *
 *   sending   requests that must not be sent twice and were about to be sent: there until they are settled,
 *             so that they are known after a crash
 *   outbox    of a run that shares what it finds: found requests that no other worker knows of yet, in the order in
 *             which they were found
 *   also      of a run that shares what it finds: where else a found request would stand, by others that led to it
 *   gone      found requests that the present plan no longer leads to, or that came to nothing before a further
 *             round began; `pruned` 1: tables are without them, 2: the latter
 *   kept      texts that a run cannot do without and that lie in files beside the ledger: job.json
 *
 * synchronous=FULL: a commit that returned is on the disk. A folded ledger is one file that stands
 * alone; while in use, or after a crash, ledger.db-wal belongs to it.
 *
 * Errors   E-LEDG1 not a ledger, E-LEDG2 of a newer version, E-LEDG3 damaged (RESULT_CORRUPT each);
 *          E-DISK1 no space (RESULT_FULL: the transaction is rolled back, try again later); E-DISK2
 *          any other I/O error (RESULT_IO: final).
 * Threads  a ledger belongs to one thread at a time. Readers in other processes are welcome: they do
 *          not block the writer, nor are they blocked.
 */
#ifndef SCRAPETOP_STORE_LEDGER_H
#define SCRAPETOP_STORE_LEDGER_H

#include "store/failed_row.h"
#include "store/page_account.h"
#include "store/recovery.h"
#include "store/run_dir.h"
#include "store/segment_file.h"

struct ledger;

/** What the ledger must know of a job in whose runs further requests are found. */
struct ledger_plan {
    uint64_t seeds;          /* requests of the plan's own: what is found has ids after these */
    const uint32_t *parents; /* by endpoint: whose records it is asked for, or itself; borrowed */
    const bool *
        is_since; /* by endpoint: it has a `since`, or hangs on one that has; NULL: none; borrowed */
    size_t endpoint_count;
    /* the seeds are found ones, too, or ledger_merge makes them so; `seeds` is nothing then */
    bool is_listed;
    bool is_shared; /* what is found is any worker's to ask (ledger_shared.c) */
};

/** Opens or creates it; `*created` tells which. */
MUST_CHECK enum result ledger_open(struct ledger **ledger, const struct run_dir *dir, bool *created,
                                   struct err *err);
MUST_CHECK enum result ledger_open_readonly(struct ledger **ledger, const struct run_dir *dir,
                                            struct err *err);

/** This moment, by which what waits is told how long it still does. Wall time may have been set between two
 *  sessions; a monotonic time is that of another process, and good if it is of the same boot. */
struct ledger_clock {
    int64_t wall_us;
    uint64_t now_us; /* monotonic, as in `due_us` of the requests that are put */
    uint64_t boot;   /* clock_boot(); 0: not known */
};

/** Without it deadlines are those of the wall clock, as they were put. */
void ledger_set_clock(struct ledger *ledger, const struct ledger_clock *clock);

/** Leaves everything as it is, but takes away a log in which there is nothing. NULL is ignored. */
void ledger_close(struct ledger *ledger);

/** Folds what can be of the log into the database without waiting for other readers; `truncate`: and gives
 *  its space back, so that ledger_close leaves one file. With a reader in the way the log stays, and is
 *  folded by the next who runs the run. ledger_commit folds by itself when the log has grown. Not
 *  after an I/O error. */
MUST_CHECK enum result ledger_checkpoint(struct ledger *ledger, bool truncate, struct err *err);

/** The callback that decides how long a call waits while another program holds the ledger: `waits` is asked every
 *  LEDGER_BUSY_STEP_MS with what it has waited so far, on the caller's thread; false ends the call
 *  with RESULT_BUSY. NULL: as at first, LEDGER_BUSY_MS. */
#define LEDGER_BUSY_MS 5000 /* for the moments at which opening and closing shut others out */
#define LEDGER_BUSY_STEP_MS 20

void ledger_set_patience(struct ledger *ledger, bool (*waits)(void *context, unsigned waited_ms),
                         void *context);

/** Whether its files are still what is open: RESULT_NOT_FOUND (E-DIR4) when one was removed or replaced. To be
 *  asked after a commit, before anything relies on it. */
MUST_CHECK enum result ledger_look(struct ledger *ledger, struct err *err);

/** SQLite's own look at the database (quick_check). */
MUST_CHECK enum result ledger_check(struct ledger *ledger, struct err *err);

/* Writing: begin, any number of puts, commit. After a failed put or commit the transaction is gone. */

MUST_CHECK enum result ledger_begin(struct ledger *ledger, struct err *err);

/** Done, failed or waiting. `*duplicate`: the row was done already and stays as it is. */
MUST_CHECK enum result ledger_put(struct ledger *ledger, const struct settlement *settlement,
                                  bool *duplicate, struct err *err);

/** SETTLE_SENDING: notes that it is about to be sent; SETTLE_UNSENT: that it was not. */
MUST_CHECK enum result ledger_put_sending(struct ledger *ledger,
                                          const struct settlement *settlement, struct err *err);

/** The request is no longer being sent, or never was. */
MUST_CHECK enum result ledger_drop_sending(struct ledger *ledger, uint64_t id, struct err *err);

/** What an earlier session had been sending as it was cut off becomes failed (FAILURE_MAYBE_SENT); or, with
 *  `forget`, is as if it had never been sent. `*count` of them. */
MUST_CHECK enum result ledger_end_sending(struct ledger *ledger, bool forget, uint64_t *count,
                                          struct err *err);

/** What came of it: notes, and further requests. Those of further rounds of polls get the ETag that was last
 *  answered. Those that are new get the next ids; one that was
 *  found before (same endpoint, URL, body and round) keeps the lesser of both places and what belongs to
 *  it, with all that was found by it, and gets no id here. A page that its own listing has had
 *  already is noted as PAGE_NOTE_BACK. */
MUST_CHECK enum result ledger_put_discoveries(struct ledger *ledger, struct settlement *settlement,
                                              struct err *err);

/* Of a run that shares what it finds (ledger_plan.is_shared): the id of a found request is made of its digest, so that it is
 * the same in the ledgers of all workers, whoever of them asks. What one finds is put into its outbox, too, until others
 * can know of it. Places in the outbox only ever grow. ledger_outbox.c, ledger_shared.c. */

/** Within a transaction: a found request that another worker may have found has come to something here: it is found here,
 *  too, at the lesser of both places. */
MUST_CHECK enum result ledger_put_taken(struct ledger *ledger, const struct request *request,
                                        struct err *err);

/** Within a transaction: others know of all up to that place in the outbox. */
MUST_CHECK enum result ledger_drop_outbox(struct ledger *ledger, uint64_t upto, struct err *err);

/** A transaction of its own: the outbox has all that was found here and has not ended here. */
MUST_CHECK enum result ledger_fill_outbox(struct ledger *ledger, struct err *err);

/** The place before the first one in the outbox, and the last one there ever was; the same when it is empty. */
MUST_CHECK enum result ledger_outbox_ends(struct ledger *ledger, uint64_t *before, uint64_t *last,
                                          struct err *err);

/** How far the rounds of polls are. */
MUST_CHECK enum result ledger_put_rounds(struct ledger *ledger, const struct rounds_kept *rounds,
                                         struct err *err);

/** Its answer was its last one again, as the server says. */
MUST_CHECK enum result ledger_touch_polled(struct ledger *ledger,
                                           const struct settlement *settlement, struct err *err);

/** What tells the body that this request's answer had. */
MUST_CHECK enum result ledger_put_polled(struct ledger *ledger, const struct settlement *settlement,
                                         struct err *err);

/** Done, of an endpoint with `since`: how far its records reach. Nothing else of other
 *  endpoints. */
MUST_CHECK enum result ledger_put_since(struct ledger *ledger, const struct settlement *settlement,
                                        struct err *err);

/** Within a transaction: listings of which all has come are read so far. */
MUST_CHECK enum result ledger_settle_since(struct ledger *ledger, struct err *err);

/** The segment's new length; inserts it when new. */
MUST_CHECK enum result ledger_put_segment(struct ledger *ledger,
                                          const struct segment_extent *extent, struct err *err);
MUST_CHECK enum result ledger_put_planned(struct ledger *ledger, uint64_t planned, struct err *err);

#define LEDGER_KEPT_JOB "job.json"
#define LEDGER_KEPT_TOKENS "tokens" /* LEDGER_NOTE_TOKENS */

/* Texts of the engine that are written with a batch, each in the place of what was. */
enum ledger_note {
    LEDGER_NOTE_TOKENS, /* store/token_note.h */
    LEDGER_NOTE_HTTP,   /* engine/http_notes.h */
    LEDGER_NOTE_FLEET, /* which generation of the fleet's job knows all of this run (fleet/fleet.h) */
    LEDGER_NOTES,
};

/** What it is kept as. */
const char *ledger_note_name(enum ledger_note note);
#define LEDGER_KEPT_PLAN "plan" /* session/run_growth.h */

/** A copy of a text that lies beside the ledger. The same text again costs nothing. */
MUST_CHECK enum result ledger_put_kept(struct ledger *ledger, const char *name, struct str text,
                                       struct err *err);
MUST_CHECK enum result ledger_commit(struct ledger *ledger, struct err *err);

/** One request of a plan's own; the texts as they may be written down. */
struct ledger_seed {
    uint32_t endpoint;
    struct request_texts texts; /* without place and ETag */
    /* its variables, too, make it another request: headers are made of them */
    bool is_told_by_vars;
};

typedef enum result ledger_seed_fn(void *context, uint64_t number, struct ledger_seed *seed,
                                   struct err *err);

/** What the user says of an endpoint: its listings are read up to there. */
struct ledger_since_set {
    uint32_t endpoint;
    struct since_value value;
};

/** Which of the plan's own requests a further round asks: those of whose newest answers one is chosen, their pages and
 *  details included, and those that had not all of their answers the last time. */
struct ledger_choice {
    /* Whether this answer is. Not for keeping. */
    enum result (*choose)(void *context, const struct record *record, bool *is_chosen,
                          struct err *err);
    void *context;
    uint32_t endpoint_count;
};

struct ledger_merge {
    /* The seeds of the plan that the run has had so far, by number; NULL: the ledger knows them (it is listed).
     * Called for those that were asked, in order. */
    ledger_seed_fn *was;
    uint64_t total_before; /* how many there are of those */
    ledger_seed_fn *is;    /* of the present plan, from 1 to `total`, in order */
    uint64_t total;
    void *context;
    bool prunes;       /* what is gone leaves the tables */
    bool begins_again; /* the present plan is to be asked once more, in a further round: */
    /* of it, what last had a good answer before then (wall clock); 0: all */
    int64_t again_before_us;
    const struct ledger_choice *again_choice; /* of it, what that says; NULL: all */
    /* the first so many are those of before, one by one: nothing is looked up for them */
    uint64_t same;
    const struct ledger_since_set *since; /* with `begins_again` */
    size_t since_count;
    struct str note; /* kept as LEDGER_KEPT_PLAN with all the rest; empty: as it was */
    uint64_t kept, added,
        gone;        /* filled in: seeds that both have, that are new, that have gone now */
    uint64_t pruned; /* seeds that are in no table any more, and were before */
};

/** The plan is another now: seeds that it shares with the one before (same endpoint, URL and body) keep their ids
 *  and what is known of them, others are new found requests; from then on all of the plan's own are found ones, in
 *  the places that the present plan gives them. One transaction: all of it or nothing. RESULT_INVALID (E-JOB1) when
 *  they share nothing. */
MUST_CHECK enum result ledger_merge(struct ledger *ledger, struct ledger_merge *merge,
                                    struct err *err);

/** Whether that has been done once. */
bool ledger_is_listed(const struct ledger *ledger);

/** How many requests of its own the plan has, when they are. */
uint64_t ledger_listed(const struct ledger *ledger);

/** The highest id of what was found; 0: nothing was. */
MUST_CHECK enum result ledger_last_found(struct ledger *ledger, uint64_t *id, struct err *err);

/** These are transactions of their own, unless one is under way. The first tells how many requests
 * the plan has of its own, before
 *  anything is found: RESULT_CORRUPT (E-LEDG3) when found ones are numbered after another number. */
MUST_CHECK enum result ledger_claim_plan(struct ledger *ledger, const struct ledger_plan *plan,
                                         struct err *err);
MUST_CHECK enum result ledger_session_begin(struct ledger *ledger, int64_t wall_us,
                                            struct err *err);
MUST_CHECK enum result ledger_session_end(struct ledger *ledger, int64_t wall_us, bool clean,
                                          struct err *err);

/** What is read from here on is of one moment, until ledger_let_go: for who reads in several passes, page by page, while
 *  others write. Only of a ledger that was opened for reading, no longer than a table takes: the log is not folded meanwhile.
 *  Of the functions below only those of endpoints may be called. */
MUST_CHECK enum result ledger_hold(struct ledger *ledger, struct err *err);
void ledger_let_go(struct ledger *ledger);

/* Reading: each of these has ended its read transaction when it returns, so that no reader keeps the
 * log from being folded; but see ledger_hold. */

MUST_CHECK enum result ledger_each_row(struct ledger *ledger,
                                       void (*visit)(void *context, const struct ledger_row *row),
                                       void *context, struct err *err);

/** In order of number. Ends when `visit` says other than RESULT_OK, with that. */
MUST_CHECK enum result ledger_each_segment(struct ledger *ledger,
                                           enum result (*visit)(void *context,
                                                                const struct segment_extent *extent,
                                                                struct err *err),
                                           void *context, struct err *err);

/** Those that wait for what is not ready, in order of id. Ends when `visit` says other than RESULT_OK, with
 *  that. */
MUST_CHECK enum result ledger_each_exchange(struct ledger *ledger,
                                            enum result (*visit)(void *context, uint64_t id,
                                                                 const struct exchange *exchange,
                                                                 struct err *err),
                                            void *context, struct err *err);

enum ledger_discovered {
    LEDGER_DISCOVERED_NEW,     /* have not ended, nor do they wait */
    LEDGER_DISCOVERED_WAITING, /* for their next try */
};

/** Up to `max` found requests with id > `after_id`, in order of id. `visit` takes each; those that wait
 *  come with the attempt, the last try and who set the deadline, and until when (`not_before_us`, wall clock).
 *  Ends when `visit` says other than RESULT_OK, with that. */
struct ledger_discovered_query {
    enum ledger_discovered which;
    uint64_t after_id;
    size_t max;
    enum result (*visit)(void *context, struct request *request, int64_t not_before_us);
    void *context;
};

MUST_CHECK enum result ledger_each_discovered(struct ledger *ledger,
                                              const struct ledger_discovered_query *query,
                                              struct err *err);

/** Up to `query->max` of the outbox, those after the place `query->after_id`, in its order. */
MUST_CHECK enum result ledger_each_outbox(struct ledger *ledger,
                                          const struct ledger_discovered_query *query,
                                          struct err *err);

/** Those with these ids, in their order and as if never asked; of the query only `visit` counts. */
MUST_CHECK enum result ledger_each_discovered_of(struct ledger *ledger, const uint64_t *ids,
                                                 size_t count,
                                                 const struct ledger_discovered_query *query,
                                                 struct err *err);

/** Appends the copy that ledger_put_kept made; RESULT_NOT_FOUND when there is none. */
MUST_CHECK enum result ledger_read_kept(struct ledger *ledger, const char *name, struct buf *out,
                                        struct err *err);

/** How far the listing of one of the plan's own has been read. */
struct ledger_since {
    uint32_t endpoint;
    uint64_t number; /* in the plan */
    struct since_value value;
};

typedef enum result ledger_since_fn(void *context, const struct ledger_since *since,
                                    struct err *err);

/** In order of number. Ends when `visit` says other than RESULT_OK, with that. */
MUST_CHECK enum result ledger_each_since(struct ledger *ledger, ledger_since_fn *visit,
                                         void *context, struct err *err);

/** Zeroed when none has begun. */
MUST_CHECK enum result ledger_read_rounds(struct ledger *ledger, struct rounds_kept *rounds,
                                          struct err *err);

/** Whether the last body of the same request (endpoint, URL, body, and the seed that led to it) was the
 *  same. Also within a transaction. */
MUST_CHECK enum result ledger_is_unchanged(struct ledger *ledger,
                                           const struct settlement *settlement, bool *unchanged,
                                           struct err *err);

/** How many were found, by endpoint. */
MUST_CHECK enum result ledger_count_discovered(struct ledger *ledger, uint64_t *counts,
                                               size_t endpoint_count, struct err *err);

enum ledger_index {
    LEDGER_JSON,  /* done, with a JSON body: what tables are made of */
    LEDGER_DONE,  /* done, with a body of any kind */
    LEDGER_STORED /* whatever has a line, failures too */
};

/** Up to `max` records with id > `after_id`, in order of id. */
MUST_CHECK enum result ledger_read_index(struct ledger *ledger, enum ledger_index index,
                                         uint64_t after_id, struct record *records, size_t max,
                                         size_t *count, struct err *err);

/** Up to `max` records of done requests with a JSON body, in the order of the endpoint's table: by place
 *  (plan/sort_key.h), from `position` on, which moves past the last of them. Also when it fails, `vars` of
 *  the first `*count` are the caller's. */
MUST_CHECK enum result ledger_read_endpoint(struct ledger *ledger, uint32_t endpoint,
                                            struct record_position *position,
                                            struct placed_record *records, size_t max,
                                            size_t *count, struct err *err);

/** `record`, of ledger_read_endpoint, is in one of `others`, too (ledgers of runs that had parts of the same plan, `ledger`
 *  itself among them), and in one run of all it would stand there: at a lesser place, or at the same place and their
 *  ledger comes earlier in the list. */
MUST_CHECK enum result ledger_is_found_before(struct ledger *ledger,
                                              const struct placed_record *record,
                                              struct ledger *const *others, size_t count,
                                              bool *before, struct err *err);

/** The pages of an endpoint, by what has ended so far; of a run that is asked again those of its
 *  last round. */
MUST_CHECK enum result ledger_read_account(struct ledger *ledger, uint32_t endpoint,
                                           struct page_account *account, struct err *err);

struct ledger_summary {
    uint64_t planned; /* 0: not known */
    /* of these the plan's own: the others were found; as the run began when `is_listed` */
    uint64_t own;
    bool is_listed; /* ledger_merge has been at work: the plan's own are found ones, too */
    uint64_t done, failed, waiting;
    uint64_t unchanged;  /* of those done: the body was the last one again */
    uint64_t round_from; /* of a run that is asked again: ids of its last round are after it */
    struct earlier_rounds earlier;   /* what of all this rounds before that have asked */
    uint64_t attempts;               /* of all rows together */
    int64_t next_deadline_us;        /* wall clock; INT64_MAX: nothing waits */
    uint64_t body_bytes, line_bytes; /* of bodies, of the segments' committed lengths */
    uint32_t segments;
    uint64_t sessions;
    int64_t first_start_us, last_start_us, last_end_us; /* wall clock; last_end 0: not ended */
    bool last_clean;
};

MUST_CHECK enum result ledger_summarise(struct ledger *ledger, struct ledger_summary *summary,
                                        struct err *err);

#define LEDGER_FAILED_PAGE 500

struct ledger_failed_query {
    enum result (*visit)(void *context, const struct failed_row *row, struct err *err);
    void *context;
};

/** What has failed for good, in order of id. Ends when `visit` says other than RESULT_OK, with that. */
MUST_CHECK enum result ledger_each_failed(struct ledger *ledger,
                                          const struct ledger_failed_query *query, struct err *err);

/** The one with this id, be it failed or waiting; none is visited when it is neither. */
MUST_CHECK enum result ledger_read_failed(struct ledger *ledger, uint64_t id,
                                          const struct ledger_failed_query *query, struct err *err);

/** How a request stands. */
enum ledger_end_state { LEDGER_END_DONE = 1, LEDGER_END_FAILED = 2, LEDGER_END_WAITING = 3 };

struct ledger_end { /* a view, for the call only; bytes from outside */
    uint64_t id;
    enum ledger_end_state state;
    uint32_t attempts;
    int status;        /* 0: none came */
    struct str reason; /* why not, at the last try; STR_NONE */
};

/** All that were asked, up to the id `last`, in order of id. Ends when `visit` says other than RESULT_OK, with that. */
MUST_CHECK enum result
ledger_each_end(struct ledger *ledger, uint64_t last,
                enum result (*visit)(void *context, const struct ledger_end *end, struct err *err),
                void *context, struct err *err);

#define LEDGER_KEYS_SHOWN 3

struct ledger_reason { /* views, for the call only; bytes from outside */
    struct str reason;
    uint64_t count;
    struct str keys[LEDGER_KEYS_SHOWN]; /* the first in the plan's order */
    size_t key_count;
};

/** Why requests failed for good: the `max` most frequent reasons. */
MUST_CHECK enum result ledger_each_reason(struct ledger *ledger, size_t max,
                                          void (*visit)(void *context,
                                                        const struct ledger_reason *reason),
                                          void *context, struct err *err);

#endif
