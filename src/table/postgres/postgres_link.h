/**
 * Link: a connection to a PostgreSQL server in which all of a table is one transaction.
 *
 * What a server says of a failure is told as what it means for the user, with its own words after. libpq reads the rest
 * of what is to be known of a server as its documentation says: PGPASSWORD, PGSSLMODE, ~/.pgpass, services.
 *
 * Ownership  postgres_link_open gives a link that postgres_link_close ends; the server forgets what was not committed.
 * Errors     RESULT_BUSY (E-DB4): the connection broke, or the server broke the transaction off
 *            because of another one: all of it may be sent again. RESULT_BUSY (E-DB1): the server is away or frozen (it answers no other connection
 *            either), full of connections, starting or ending, or another program has locked what
 *            is wanted: later it may go well. RESULT_FULL (E-DB3): its disk is full. RESULT_DENIED,
 *            RESULT_NOT_FOUND (E-DB1): it lets nobody in by that name or password, has no such database, or takes no
 *            writes. RESULT_INVALID (E-DB2): table and rows do not fit. RESULT_CANCELLED: `*stop` became true.
 * Threads    one at a time, which is blocked; never the loop thread.
 * Source     PostgreSQL 15 documentation, libpq, errcodes-appendix.
 */
#ifndef SCRAPETOP_TABLE_POSTGRES_POSTGRES_LINK_H
#define SCRAPETOP_TABLE_POSTGRES_POSTGRES_LINK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct postgres_link;

/** False: this build has no libpq, see cmake's SCRAPETOP_POSTGRES. */
bool postgres_link_is_built(void);

/** Text of libpq's version; "" when it is not built. */
const char *postgres_link_version(void);

/** One attempt, of ten seconds at most unless the URL says connect_timeout. `url` is borrowed; `stop` may be NULL. */
MUST_CHECK enum result postgres_link_open(struct postgres_link **link, const char *url,
                                          const atomic_bool *stop, struct err *err);

/** NULL is fine. */
void postgres_link_close(struct postgres_link *link);

/** Whether the user gives the server that setting: "options" of the URL, PGOPTIONS or the service. */
bool postgres_link_has_setting(const struct postgres_link *link, const char *name);

/** From now on a statement that is silent for so long, and somewhat longer, hangs: RESULT_BUSY (E-DB1). The server's process
 *  may be frozen while others answer, and no timeout of its own comes then. 0: no limit. */
void postgres_link_limit(struct postgres_link *link, uint64_t ms);

/** Runs statements and forgets what they return. */
MUST_CHECK enum result postgres_link_run(struct postgres_link *link, struct buf *sql,
                                         struct err *err);

/** Told of each row; the values are texts, NULL for null. */
typedef void postgres_row_fn(void *context, const char *const *values, int count);

#define POSTGRES_ASK_COLUMNS_MAX 8

MUST_CHECK enum result postgres_link_ask(struct postgres_link *link, struct buf *sql,
                                         postgres_row_fn *row, void *context, struct err *err);

/** The statement is COPY ... FROM STDIN: postgres_link_put and postgres_link_put_end follow. */
MUST_CHECK enum result postgres_link_copy(struct postgres_link *link, struct buf *sql,
                                          struct err *err);
MUST_CHECK enum result postgres_link_put(struct postgres_link *link, struct str bytes,
                                         struct err *err);
MUST_CHECK enum result postgres_link_put_end(struct postgres_link *link, struct err *err);

/** Whether the last failure was of that SQLSTATE. */
bool postgres_link_failed_by(const struct postgres_link *link, const char *state);

#endif
