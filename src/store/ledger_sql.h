/**
 * The ledger's inside, for ledger_open.c, ledger.c (rows in and out), ledger_found.c (what answers gave
 * rise to), ledger_order.c (an endpoint's records in the order of its table), ledger_poll.c (rounds of
 * polls), ledger_failed.c (what failed, and what was said) and ledger_report.c (sums for people): the only ones that see SQLite.
 */
#ifndef SCRAPETOP_STORE_LEDGER_SQL_H
#define SCRAPETOP_STORE_LEDGER_SQL_H

#include "store/ledger.h"

#include <sqlite3.h>

enum statement {
    SQL_BEGIN,
    SQL_BEGIN_READ,
    SQL_COMMIT,
    SQL_PUT_ENDED,
    SQL_PUT_OPEN,
    SQL_PUT_SEGMENT,
    SQL_PUT_PLANNED,
    SQL_SESSION_BEGIN,
    SQL_SESSION_END,
    SQL_ROWS,
    SQL_SEGMENTS,
    SQL_INDEX,
    SQL_TOTALS,
    SQL_OPEN_TOTALS,
    SQL_SEGMENT_TOTALS,
    SQL_SESSIONS,
    SQL_PLANNED,
    SQL_REASONS,
    SQL_REASON_KEYS,
    SQL_PUT_FOUND,
    SQL_PUT_FOUND_HEAD,
    SQL_FOUND_LOOK,
    SQL_FOUND_MOVE,
    SQL_FOUND_MOVE_SUBTREE,
    SQL_FOUND_MOVED,
    SQL_PUT_PAGE_NOTE,
    SQL_PUT_PAGE,
    SQL_SEEDS,
    SQL_PUT_SEEDS,
    SQL_FOUND_COUNT,
    SQL_FOUND_NEW,
    SQL_FOUND_WAITING,
    SQL_FOUND_ONE,
    SQL_FOUND_ENDPOINTS,
    SQL_ACCOUNT_ENDED,
    SQL_ACCOUNT_FOUND,
    SQL_ACCOUNT_UNNAMED,
    SQL_ACCOUNT_MISSING,
    SQL_ACCOUNT_NOTES,
    SQL_ACCOUNT_PAGES,
    SQL_ACCOUNT_FAILED,
    SQL_ACCOUNT_KEY,
    SQL_SEED_RECORDS,
    SQL_FOUND_RECORDS,
    SQL_ROUNDS,
    SQL_PUT_ROUNDS,
    SQL_POLLED,
    SQL_PUT_POLLED,
    SQL_EXCHANGES,
    SQL_PUT_EXCHANGE,
    SQL_DROP_EXCHANGE,
    SQL_PUT_SAID,
    SQL_FORGET_SAID,
    SQL_SAID_COUNT,
    SQL_FAILED,
    SQL_FAILED_OLD,
    SQL_FAILED_ONE,
    SQL_PUT_SENDING,
    SQL_DROP_SENDING,
    SQL_END_SENDING,
    SQL_DROP_ALL_SENDING,
    SQL_KEPT,
    SQL_PUT_KEPT,
    SQL_COUNT
};

struct ledger {
    sqlite3 *db;
    char *path;
    int version;                    /* of its tables; an old one lacks some, and is read only */
    const struct ledger_plan *plan; /* borrowed; NULL: nothing is written that was found */
    uint64_t seeds;                 /* ids after it are those of found requests */
    int log_pages;                  /* in the log after the last commit */
    bool folded;                    /* the log holds nothing */
    struct ledger_clock clock;      /* ledger_set_clock */
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

/** Right after a failed call: says what SQLite says, in our terms. */
enum result ledger_fail(const struct ledger *ledger, const char *doing, struct err *err);

/** The prepared statement, its bindings those of the last use; NULL, `*result` and `err` on failure. */
sqlite3_stmt *ledger_statement(struct ledger *ledger, enum statement which, enum result *result,
                               struct err *err);

/** Runs a statement without parameters that yields no rows. */
MUST_CHECK enum result ledger_run(struct ledger *ledger, enum statement which, const char *doing,
                                  struct err *err);

/** The next row of a SELECT; at its end, or on error, the statement is reset. */
bool ledger_next_row(struct ledger *ledger, sqlite3_stmt *st, enum result *result, struct err *err);

/** Runs a statement that yields no rows. */
MUST_CHECK enum result ledger_step(struct ledger *ledger, sqlite3_stmt *st, const char *doing,
                                   struct err *err);

/** How many requests the plan has of its own, in a run in which others are found; else 0. */
MUST_CHECK enum result ledger_read_seeds(struct ledger *ledger, uint64_t *seeds, struct err *err);

#define LEDGER_ETAG_MAX 256

/** The ETag of the last answer to this request, in a further round of polls; empty: none. */
MUST_CHECK enum result ledger_read_etag(struct ledger *ledger, uint32_t endpoint,
                                        const struct request_texts *texts,
                                        char etag[LEDGER_ETAG_MAX], struct err *err);

/** Within a transaction: what the server said with this failure takes the place of what it said before. */
MUST_CHECK enum result ledger_put_said(struct ledger *ledger, uint64_t id, const struct said *said,
                                       struct err *err);
/** Adds to the account how the listings of an endpoint with pages ended, and what they lack. Not in a ledger
 *  of before version 3, which does not know. */
MUST_CHECK enum result ledger_read_listings(struct ledger *ledger, uint32_t endpoint,
                                            struct page_account *account, struct err *err);

/** Within a transaction: it has succeeded. Costs nothing in a run of which nothing is kept. */
MUST_CHECK enum result ledger_forget_said(struct ledger *ledger, uint64_t id, struct err *err);

/** Ends the transaction, unless the error that led here has ended it already. */
void ledger_roll_back(struct ledger *ledger);

/** How far the request's exchange is, when it is one; and that it is over, when it has ended. */
MUST_CHECK enum result ledger_put_exchange(struct ledger *ledger,
                                           const struct settlement *settlement, struct err *err);

/** What a row that waits or failed has of its last try: nine columns, the status and TRIED_COLUMNS. The
 *  reason is a view that the next step ends. */
struct ledger_tried {
    struct last_try last;
    struct due due;
    struct str reason;
};
void ledger_read_tried(sqlite3_stmt *st, int column, struct ledger_tried *tried);

struct str ledger_column_text(sqlite3_stmt *st, int column);
struct str ledger_column_bytes(sqlite3_stmt *st, int column); /* of a BLOB */
struct record ledger_record(sqlite3_stmt *st);                /* of the first seven columns */
uint64_t ledger_column_u64(sqlite3_stmt *st, int column);

/** The request is no longer being sent. */
MUST_CHECK enum result ledger_drop_sending(struct ledger *ledger, uint64_t id, struct err *err);

/** What the NOT_BEFORE of a statement goes by. */
void ledger_bind_clock(const struct ledger *ledger, sqlite3_stmt *st);

/** For the next step only: SQLite keeps the pointer. */
void ledger_bind_text(sqlite3_stmt *st, int at, struct str text);
void ledger_bind_optional(sqlite3_stmt *st, int at, struct str text); /* STR_NONE is NULL */

#endif
