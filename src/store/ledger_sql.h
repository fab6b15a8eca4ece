/**
 * The ledger's inside: the struct, and SQLite in the terms of this program. Only the files ledger_*.c see SQLite.
 *
 *   ledger_statements  the texts of the statements
 *   ledger_sql         runs them, binds parameters, reads columns, makes errors of what SQLite says
 *   ledger_files       the files while they are open: patience, whether they are still there, the log
 *   ledger_guess       words of old versions
 *   ledger_open        opens and makes a ledger
 *   ledger             rows of requests, segments and sessions; begin and commit
 *   ledger_discovered ...   one subject each, by its name: again, exchange, failed, found, merge (a
 *                      plan that has changed), plan,
 *                      outbox, poll, sending, shared, shards, since, union; order (an endpoint's
 *                      records in the order of its table); account, listings, report (sums for people)
 *
 * A function that fails within a transaction rolls it back (ledger_roll_back).
 */
#ifndef SCRAPETOP_STORE_LEDGER_SQL_H
#define SCRAPETOP_STORE_LEDGER_SQL_H

#include "base/digest.h"
#include "store/ledger.h"
#include "store/ledger_statements.h"

#include <sqlite3.h>

#define LEDGER_ENDPOINTS_MAX 256

struct ledger {
    sqlite3 *db;
    char *path;
    int version;                    /* of its tables; an old one lacks some, and is read only */
    const struct ledger_plan *plan; /* borrowed; NULL: nothing is written that was found */
    uint64_t seeds;                 /* ids after it are those of found requests */
    bool is_listed;  /* the plan's own are among those found, by their places; `seeds` is 0 */
    uint64_t listed; /* how many of them the plan has */
    /* there are further rounds, and tables have the newest of each: ledger_again.c */
    bool is_again;
    uint64_t round_from; /* requests of the latest of these have ids after it */
    /* some endpoint asks for what has changed since the round before (ledger_since.c); by endpoint:
     * tables are over all rounds, not the newest alone */
    bool has_since;
    bool keeps_rounds[LEDGER_ENDPOINTS_MAX];
    struct ledger_union *united; /* see ledger_union.h; or NULL */
    size_t number;               /* among the ledgers of it */
    bool is_shared;              /* what is found is any worker's to ask: ledger_shared.c */
    uint64_t floor;              /* no request gets an id that is not above it */
    int log_pages;               /* in the log after the last commit */
    bool folded;                 /* the log holds nothing */
    bool only_reads; /* all but temporary tables, and these only while query_only is off */
    struct ledger_clock clock;                        /* ledger_set_clock */
    bool (*waits)(void *context, unsigned waited_ms); /* ledger_set_patience */
    void *waits_context;
    const struct run_dir *dir; /* borrowed */
    struct ledger_file {
        bool is_known;
        dev_t device;
        ino_t inode;
        off_t size;
    } database, log,
        index; /* as they were when the first commit was looked at; sizes as at the last look */
    bool said_is_counted; /* rows of `said`, about; see ledger_failed.c */
    uint64_t said_count;
    unsigned said_until_count;
    sqlite3_stmt *statements[SQL_COUNT]; /* prepared at first use */
};

/* ---- running statements: ledger_sql.c ---- */

/** Right after a failed call: says what SQLite says, in our terms. */
enum result ledger_fail(const struct ledger *ledger, const char *doing, struct err *err);

/** The prepared statement, its bindings those of the last use; NULL, `*result` and `err` on failure. */
sqlite3_stmt *ledger_statement(struct ledger *ledger, enum statement which, enum result *result,
                               struct err *err);

/** Runs a statement that yields no rows. */
MUST_CHECK enum result ledger_step(struct ledger *ledger, sqlite3_stmt *st, const char *doing,
                                   struct err *err);

/** Runs a statement without parameters that yields no rows. */
MUST_CHECK enum result ledger_run(struct ledger *ledger, enum statement which, const char *doing,
                                  struct err *err);

/** The next row of a SELECT; at its end, or on error, the statement is reset. */
bool ledger_next_row(struct ledger *ledger, sqlite3_stmt *st, enum result *result, struct err *err);

/** Ends the transaction, unless the error that led here has ended it already. */
void ledger_roll_back(struct ledger *ledger);

/** For the next step only: SQLite keeps the pointer. */
void ledger_bind_text(sqlite3_stmt *st, int at, struct str text);
void ledger_bind_optional(sqlite3_stmt *st, int at, struct str text); /* STR_NONE is NULL */

/** What the NOT_BEFORE of a statement goes by. */
void ledger_bind_clock(const struct ledger *ledger, sqlite3_stmt *st);

struct str ledger_column_text(sqlite3_stmt *st, int column);
struct str ledger_column_bytes(sqlite3_stmt *st, int column); /* of a BLOB */
uint64_t ledger_column_u64(sqlite3_stmt *st, int column);
struct record ledger_record(sqlite3_stmt *st); /* of the first seven columns */

/** NULL when out of memory. To free. */
char *ledger_copy_vars(struct str vars);

/** What a row that waits or failed has of its last try: nine columns, the status and TRIED_COLUMNS. The
 *  reason is a view that the next step ends. */
struct ledger_tried {
    struct last_try last;
    struct due due;
    struct str reason;
};
void ledger_read_tried(sqlite3_stmt *st, int column, struct ledger_tried *tried);

/* ---- what the files of the ledger hand each other ---- */

/** Waits for another program as ledger_set_patience says: ledger_files.c. */
void ledger_set_busy_handler(struct ledger *ledger);

/** Gives the connection the functions that the upgrade and SQL_FAILED_OLD call: ledger_guess.c. */
MUST_CHECK enum result ledger_add_guesses(struct ledger *ledger, struct err *err);

/** Reads `seeds`, `listed` and `floor`: how many requests the plan has of its own, in a run in which others are
 *  found; else 0. ledger_plan.c. */
MUST_CHECK enum result ledger_read_seeds(struct ledger *ledger, struct err *err);

/** The id of a found request in a run that shares them: ledger_outbox.c. */
uint64_t ledger_shared_id(uint32_t endpoint, const uint8_t digest[DIGEST_BYTES]);

/** Within a transaction: nobody else knows of it yet. `*place` is the one it gets in the outbox. ledger_outbox.c. */
MUST_CHECK enum result ledger_put_outbox(struct ledger *ledger, uint64_t id, uint64_t *place,
                                         struct err *err);

/** Within a transaction, of a run that shares: what has the digest was found at this place, too, which is not the least by
 *  now. Of what is known by its id, the same of the place that it has. A place whose finders cannot be moved says nothing.
 *  ledger_outbox.c. */
MUST_CHECK enum result ledger_put_also(struct ledger *ledger, uint32_t endpoint,
                                       const uint8_t digest[DIGEST_BYTES], struct str place,
                                       struct str vars, struct err *err);
MUST_CHECK enum result ledger_put_also_before(struct ledger *ledger, uint64_t id, struct str place,
                                              struct err *err);

/** Gives a request that was found an id, unless its digest is known: `*id` is 0 then. `as`: the one it has already; 0: it has
 *  none. */
MUST_CHECK enum result ledger_put_found(struct ledger *ledger, uint32_t endpoint,
                                        const struct request_texts *texts,
                                        const struct page_at *page,
                                        const uint8_t digest[DIGEST_BYTES], uint64_t as,
                                        uint64_t *id, struct err *err);

/** What has the digest, and was asked as `texts` say, is to stand at the lesser of both places, with all that it led to. */
MUST_CHECK enum result ledger_move_found(struct ledger *ledger, uint32_t endpoint,
                                         const struct request_texts *texts,
                                         const struct page_at *page,
                                         const uint8_t digest[DIGEST_BYTES], struct err *err);

/** Hands on all found requests that the statement yields. */
MUST_CHECK enum result ledger_visit_found(struct ledger *ledger, sqlite3_stmt *st,
                                          const struct ledger_discovered_query *query,
                                          struct err *err);

/** What yields a united ledger's part, with parameters and columns as SQL_FOUND_RECORDS. ledger_union.c. */
sqlite3_stmt *ledger_union_statement(struct ledger *ledger);

/** Of what makes two found requests of one endpoint the same: ledger_discovered.c. */
MUST_CHECK enum result ledger_digest_found(const struct request_texts *texts,
                                           const struct page_at *page, struct buf *scratch,
                                           uint8_t digest[DIGEST_BYTES]);

/** Binds the columns of `found` from the second on. */
void ledger_bind_found(sqlite3_stmt *st, uint32_t endpoint, const struct request_texts *texts,
                       const struct page_at *page, const uint8_t digest[DIGEST_BYTES]);

/** What tells the last body of a request: ledger_poll.c. */
MUST_CHECK enum result ledger_digest_polled(uint32_t endpoint, struct str place,
                                            const struct request_texts *texts,
                                            uint8_t digest[DIGEST_BYTES]);

#define LEDGER_NUMBER_BYTES 8 /* of a seed, in its place */

/** Whether it is the number of one of the first `same` seeds. ledger_merge_functions.c. */
bool ledger_merge_is_same(uint64_t same, const uint8_t *number);

/** Gives the connection the functions that ledger_merge.c calls; they look at `*same` until they are given anew. */
MUST_CHECK enum result ledger_add_merge_functions(struct ledger *ledger, uint64_t *same,
                                                  struct err *err);

/** Gives the connection polled_as and found_as, which statements about rounds call. ledger_again.c. */
MUST_CHECK enum result ledger_add_round_functions(struct ledger *ledger, struct err *err);

/** Reads `has_since` and `keeps_rounds`. ledger_since.c, as all of these. */
MUST_CHECK enum result ledger_read_since_endpoints(struct ledger *ledger, struct err *err);

/** Notes the endpoints that have a `since`, or hang on one. */
MUST_CHECK enum result ledger_claim_since(struct ledger *ledger, const struct ledger_plan *plan,
                                          struct err *err);

/** Within a transaction: a further round begins. What broke off is to be seen anew; `sets` is what
 *  the user says. */
MUST_CHECK enum result ledger_begin_since(struct ledger *ledger,
                                          const struct ledger_since_set *sets, size_t count,
                                          struct err *err);

/** Within a transaction: the plan is to be asked in a further round, of which nothing is put yet; all of it, or what came
 *  last before `before_us`, or what was chosen. The plan's own are found ones (ledger_merge). ledger_again.c. */
MUST_CHECK enum result ledger_begin_again(struct ledger *ledger, int64_t before_us, bool is_chosen,
                                          struct err *err);

/** Within a transaction, before that: chooses. ledger_choose.c. */
MUST_CHECK enum result ledger_choose_again(struct ledger *ledger,
                                           const struct ledger_choice *choice, struct err *err);

/** Whether this one of the plan's own, about to be put into a further round, is not to be asked in it: the plan has just
 *  gained it, so that it is asked anyway; its last good answer came at `before_us` or later; or others were chosen.
 *  `rounds` may be NULL. ledger_poll.c. */
MUST_CHECK enum result ledger_is_left_out(struct ledger *ledger, uint32_t endpoint,
                                          const struct request_texts *texts,
                                          const struct rounds_kept *rounds, bool *left_out,
                                          struct err *err);

/** Makes what SQL_NEWEST_ENDS reads: the latest try of each of the plan's own. ledger_again.c. */
MUST_CHECK enum result ledger_find_asked(struct ledger *ledger, struct err *err);

/** ledger_read_endpoint, of a run with further rounds. ledger_again.c. */
MUST_CHECK enum result ledger_read_newest(struct ledger *ledger, uint32_t endpoint,
                                          struct record_position *position,
                                          struct placed_record *records, size_t max, size_t *count,
                                          struct err *err);

#define LEDGER_ETAG_MAX 256

/** The ETag of the last answer to this request, in a further round of polls; empty: none. ledger_poll.c. */
MUST_CHECK enum result ledger_read_etag(struct ledger *ledger, uint32_t endpoint,
                                        const struct request_texts *texts,
                                        char etag[LEDGER_ETAG_MAX], struct err *err);

/** Adds to the account how the listings of an endpoint with pages ended, and what they lack. Not in a ledger
 *  of before version 3, which does not know. ledger_listings.c. */
MUST_CHECK enum result ledger_read_listings(struct ledger *ledger, uint32_t endpoint,
                                            struct page_account *account, struct err *err);

/* Within a transaction: */

/** What the server said with this failure takes the place of what it said before: ledger_failed.c. */
MUST_CHECK enum result ledger_put_said(struct ledger *ledger, uint64_t id, const struct said *said,
                                       struct err *err);

/** It has succeeded. Costs nothing in a run of which nothing is kept. ledger_failed.c. */
MUST_CHECK enum result ledger_forget_said(struct ledger *ledger, uint64_t id, struct err *err);

/** How far the request's exchange is, when it is one; and that it is over, when it has ended:
 *  ledger_exchange.c. */
MUST_CHECK enum result ledger_put_exchange(struct ledger *ledger,
                                           const struct settlement *settlement, struct err *err);

#endif
