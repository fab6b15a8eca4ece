#include "store/ledger_sql.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_PAGES_MAX 1000 /* SQLite's own figure for folding the log */

#define RECORD_SELECT "SELECT r.id,r.line_at,r.line_bytes,r.segment,r.crc32c,r.status,r.endpoint,"
#define TRIED_COLUMNS                                                                              \
    "outcome,class,due_by,due_wait_us,due_ceiling_us,due_host,due_said,reason" /* see bind_tried */
/* By today's wall clock (ledger_bind_clock): the clock may have been set since, but a wait gets no longer by
 * that. Within one boot the monotonic clock knows better. */
#define NOT_BEFORE                                                                                 \
    "CASE WHEN due_boot=:boot THEN :wall+due_at_us-:now"                                           \
    " ELSE coalesce(min(not_before_us,:wall+due_length_us),not_before_us) END"
#define FOUND_PAGE                                                                                 \
    "chain,number,ordinal,total,expected,size,empty,kind,named_by,came,previous,most,"             \
    "records_type,records_at,basis,repeats"
#define FOUND_PAGE_VALUES "?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25"
#define FOUND_SELECT                                                                               \
    "SELECT f.id,f.endpoint,f.place,f.key,f.url,f.body,f.vars,f.etag," FOUND_PAGE ","

#define FAILED_SELECT                                                                              \
    "SELECT r.id,r.endpoint,r.attempt,r.key,r.status," TRIED_COLUMNS                               \
    ",r.url,ifnull(s.at_us,0),s.headers,s.body,ifnull(s.body_bytes,0)"                             \
    " FROM request r LEFT JOIN said s ON s.request=r.id"

static const char *const sql[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_PUT_ENDED] =
        "INSERT INTO "
        "request(id,state,endpoint,attempt,status,body,segment,line_at,line_bytes,crc32c)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)"
        " ON CONFLICT(id) DO UPDATE SET state=excluded.state,attempt=excluded.attempt,"
        "status=excluded.status,body=excluded.body,segment=excluded.segment,"
        "line_at=excluded.line_at,line_bytes=excluded.line_bytes,crc32c=excluded.crc32c,"
        "key=NULL,url=NULL,not_before_us=NULL,due_length_us=NULL,due_at_us=NULL,due_boot=NULL,"
        "(" TRIED_COLUMNS ")=(NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL) WHERE request.state<>1",
    [SQL_PUT_OPEN] =
        "INSERT INTO "
        "request(id,state,endpoint,attempt,status,body,segment,line_at,line_bytes,crc32c,"
        "key,not_before_us," TRIED_COLUMNS ",url,due_length_us,due_at_us,due_boot)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,"
        "?22,?23,?24)"
        " ON CONFLICT(id) DO UPDATE SET state=excluded.state,attempt=excluded.attempt,"
        "status=excluded.status,body=excluded.body,segment=excluded.segment,"
        "line_at=excluded.line_at,line_bytes=excluded.line_bytes,crc32c=excluded.crc32c,"
        "key=excluded.key,not_before_us=excluded.not_before_us,outcome=excluded.outcome,"
        "class=excluded.class,due_by=excluded.due_by,due_wait_us=excluded.due_wait_us,"
        "due_ceiling_us=excluded.due_ceiling_us,due_host=excluded.due_host,"
        "due_said=excluded.due_said,reason=excluded.reason,url=excluded.url,"
        "due_length_us=excluded.due_length_us,due_at_us=excluded.due_at_us,"
        "due_boot=excluded.due_boot WHERE request.state<>1",
    [SQL_PUT_SEGMENT] =
        "INSERT OR REPLACE INTO segment(number,committed,last_batch,body_bytes,lines)"
        " VALUES(?1,?2,?3,?4,?5)",
    [SQL_PUT_PLANNED] = "INSERT OR REPLACE INTO meta(name,value) VALUES('planned',?1)",
    [SQL_SESSION_BEGIN] = "INSERT INTO session(pid,started_us) VALUES(?1,?2)",
    [SQL_SESSION_END] = "UPDATE session SET ended_us=?1,clean=?2"
                        " WHERE number=(SELECT max(number) FROM session)",
    [SQL_ROWS] = "SELECT id,state,attempt,endpoint," NOT_BEFORE ",status," TRIED_COLUMNS
                 " FROM request ORDER BY id",
    [SQL_SEGMENTS] = "SELECT number,committed,last_batch,body_bytes,lines FROM segment"
                     " ORDER BY number",
    [SQL_INDEX] = "SELECT id,line_at,line_bytes,segment,crc32c,status,endpoint FROM request"
                  " WHERE id>?1 AND line_bytes IS NOT NULL AND (state=1 OR ?2=2)"
                  " AND (body=1 OR ?2>0) ORDER BY id LIMIT ?3",
    [SQL_TOTALS] = "SELECT count(*),total(attempt),count(*) FILTER (WHERE state=1 AND body=0)"
                   " FROM request",
    [SQL_OPEN_TOTALS] = "SELECT count(*) FILTER (WHERE state=2),count(*) FILTER (WHERE state=3),"
                        "min(not_before_us) FILTER (WHERE state=3) FROM request WHERE state<>1",
    [SQL_SEGMENT_TOTALS] = "SELECT count(*),total(committed),total(body_bytes) FROM segment",
    [SQL_SESSIONS] = "SELECT count(*),min(started_us),"
                     "(SELECT started_us FROM session ORDER BY number DESC LIMIT 1),"
                     "(SELECT ended_us FROM session ORDER BY number DESC LIMIT 1),"
                     "(SELECT clean FROM session ORDER BY number DESC LIMIT 1) FROM session",
    [SQL_PLANNED] = "SELECT max(value) FROM meta WHERE name='planned'",
    [SQL_SEEDS] = "SELECT value FROM meta WHERE name='seeds'",
    [SQL_PUT_SEEDS] = "INSERT OR REPLACE INTO meta(name,value) VALUES('seeds',?1)",
    [SQL_FOUND_COUNT] = "SELECT max(id) FROM found",
    /* Ids follow one another. What a failed transaction took of them is free again. */
    [SQL_PUT_FOUND] =
        "INSERT INTO found(id,endpoint,digest,place,key,url,body,vars,etag," FOUND_PAGE ",moved)"
        " VALUES((SELECT max(?1,ifnull(max(id),0))+1 FROM found),"
        "?2,?3,?4,?5,?6,?7,?8,?9," FOUND_PAGE_VALUES ",0)"
        " ON CONFLICT(endpoint,digest) DO NOTHING RETURNING id",
    [SQL_FOUND_MOVE] = "UPDATE found SET place=?4,key=?5,vars=?8,(" FOUND_PAGE
                       ")=(" FOUND_PAGE_VALUES "),moved=1 WHERE id=?1",
    /* The variables of the one that moved take the place of those that were handed on. */
    [SQL_FOUND_MOVE_SUBTREE] =
        "UPDATE found SET place=CAST(?4||substr(place,?5) AS BLOB),"
        "vars=CASE WHEN ?6 IS NULL THEN vars ELSE json_patch(ifnull(vars,'{}'),?6) END,moved=1"
        " WHERE endpoint=?1 AND place>?2 AND place<?3",
    [SQL_FOUND_MOVED] = "SELECT place,vars FROM found WHERE id=?1 AND moved=1",
    [SQL_PUT_FOUND_HEAD] =
        "INSERT INTO found(id,endpoint,digest,place,key,url,body,vars,etag," FOUND_PAGE ",moved)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9," FOUND_PAGE_VALUES ",0)"
        " ON CONFLICT DO NOTHING",
    [SQL_FOUND_LOOK] = "SELECT id,chain,ordinal,place FROM found WHERE endpoint=?1 AND digest=?2",
    [SQL_PUT_PAGE_NOTE] = "INSERT OR REPLACE INTO page_note(request,kind,text) VALUES(?1,?2,?3)",
    [SQL_PUT_PAGE] = "INSERT OR REPLACE INTO page(endpoint,chain,id,ordinal,records,total,"
                     "expected,size,crc32c,ended) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
    [SQL_FOUND_NEW] = FOUND_SELECT "0,0 FROM found f WHERE f.id>?1"
                                   " AND NOT EXISTS(SELECT 1 FROM request r WHERE r.id=f.id)"
                                   " ORDER BY f.id LIMIT ?2",
    [SQL_FOUND_WAITING] = FOUND_SELECT "r.attempt," NOT_BEFORE ",r.status," TRIED_COLUMNS
                                       " FROM request r CROSS JOIN found f ON f.id=r.id"
                                       " WHERE r.state<>1 AND r.state=3 AND r.id>?1"
                                       " ORDER BY r.id LIMIT ?2",
    [SQL_FOUND_ONE] = FOUND_SELECT "0,0 FROM found f WHERE f.id=?1",
    [SQL_FOUND_ENDPOINTS] = "SELECT endpoint,count(*) FROM found WHERE id>?1 GROUP BY endpoint",
    [SQL_ACCOUNT_ENDED] = "SELECT count(*) FILTER (WHERE id<=?2),count(*) FILTER (WHERE state=1),"
                          "count(*) FILTER (WHERE state=2) FROM request WHERE endpoint=?1",
    [SQL_ACCOUNT_FOUND] = "SELECT count(*) FROM found WHERE endpoint=?1 AND id>?2",
    /* Announced, and not named: the one that was to name them did not come. */
    [SQL_ACCOUNT_UNNAMED] =
        "SELECT total(more) FROM (SELECT max(0,max(expected)-count(*)-1) AS more"
        " FROM found WHERE endpoint=?1 AND chain IS NOT NULL GROUP BY chain)",
    [SQL_ACCOUNT_MISSING] = "SELECT key FROM request WHERE state<>1 AND state=2 AND endpoint=?1"
                            " ORDER BY id LIMIT ?2",
    [SQL_ACCOUNT_NOTES] = "SELECT n.kind,count(*),min(n.text) FROM page_note n"
                          " CROSS JOIN request r ON r.id=n.request WHERE r.endpoint=?1"
                          " GROUP BY n.kind ORDER BY n.kind",
    [SQL_ACCOUNT_PAGES] = "SELECT chain,id,ordinal,records,total,expected,size,crc32c,ended"
                          " FROM page WHERE endpoint=?1 ORDER BY chain,id",
    [SQL_ACCOUNT_FAILED] =
        "SELECT ifnull(f.chain,r.id),r.status,r.class,f.expected>0 OR f.basis>0 FROM request r"
        " LEFT JOIN found f ON f.id=r.id WHERE r.state<>1 AND r.state=2 AND r.endpoint=?1"
        " ORDER BY 1",
    [SQL_ACCOUNT_KEY] = "SELECT key FROM found WHERE id=?1",
    [SQL_SEED_RECORDS] = RECORD_SELECT "NULL,NULL FROM request r WHERE r.id>?1 AND r.id<=?2"
                                       " AND r.endpoint=?3 AND r.state=1 AND r.body=1"
                                       " ORDER BY r.id LIMIT ?4",
    [SQL_FOUND_RECORDS] = RECORD_SELECT
    "f.place,CASE f.moved WHEN 1 THEN f.vars END FROM found f CROSS JOIN request r ON r.id=f.id"
    " WHERE f.endpoint=?3 AND (f.place,f.id)>(?1,?2)"
    " AND f.id>?5 AND r.state=1 AND r.body=1"
    " ORDER BY f.place,f.id LIMIT ?4",
    [SQL_ROUNDS] = "SELECT name,value FROM meta WHERE name GLOB 'poll_*'",
    [SQL_PUT_ROUNDS] = "INSERT OR REPLACE INTO meta(name,value) VALUES('poll_started_us',?1),"
                       "('poll_begun',?2),('poll_slot',?3),('poll_skipped',?4),('poll_put',?5)",
    [SQL_PUT_SENDING] = "INSERT OR REPLACE INTO sending(id,endpoint,attempt,key,url)"
                        " VALUES(?1,?2,?3,?4,?5)",
    [SQL_DROP_SENDING] = "DELETE FROM sending WHERE id=?1",
    [SQL_END_SENDING] =
        "INSERT INTO request(id,state,endpoint,attempt,status,body,key,outcome,class,reason,url)"
        " SELECT id,2,endpoint,attempt,0,0,key,?1,?2,?3,url FROM sending WHERE true"
        " ON CONFLICT(id) DO UPDATE SET state=excluded.state,attempt=excluded.attempt,"
        "status=excluded.status,key=excluded.key,outcome=excluded.outcome,class=excluded.class,"
        "reason=excluded.reason,url=excluded.url,not_before_us=NULL,due_by=NULL"
        " WHERE request.state<>1",
    [SQL_DROP_ALL_SENDING] = "DELETE FROM sending",
    [SQL_KEPT] = "SELECT text FROM kept WHERE name=?1",
    [SQL_PUT_KEPT] = "INSERT INTO kept(name,text) VALUES(?1,?2)"
                     " ON CONFLICT(name) DO UPDATE SET text=excluded.text"
                     " WHERE kept.text IS NOT excluded.text",
    [SQL_POLLED] = "SELECT etag,digest FROM polled WHERE what=?1",
    [SQL_PUT_POLLED] = "INSERT OR REPLACE INTO polled(what,etag,digest) VALUES(?1,?2,?3)",
    [SQL_EXCHANGES] = "SELECT request,url,asked,waited_us,is_foreign,from_public,with_get"
                      " FROM exchange ORDER BY request",
    [SQL_PUT_EXCHANGE] = "INSERT OR REPLACE INTO "
                         "exchange(request,url,asked,waited_us,is_foreign,from_public,with_get)"
                         " VALUES(?1,?2,?3,?4,?5,?6,?7)",
    [SQL_DROP_EXCHANGE] = "DELETE FROM exchange WHERE request=?1",
    [SQL_PUT_SAID] = "INSERT OR REPLACE INTO said(request,at_us,headers,body,body_bytes)"
                     " VALUES(?1,?2,?3,?4,?5)",
    [SQL_FORGET_SAID] = "DELETE FROM said WHERE request=?1",
    [SQL_SAID_COUNT] = "SELECT count(*) FROM said",
    [SQL_FAILED] = FAILED_SELECT " WHERE r.state<>1 AND r.state=2 AND r.id>?1"
                                 " ORDER BY r.id LIMIT ?2",
    [SQL_FAILED_ONE] = FAILED_SELECT " WHERE r.state<>1 AND r.id=?1",
    [SQL_FAILED_OLD] =
        "SELECT id,endpoint,attempt,key,status,old_outcome(reason,status),old_class(reason,status),"
        "0,0,0,NULL,NULL,reason,NULL,0,NULL,NULL,0 FROM request"
        " WHERE state<>1 AND state=2 AND id>?1 ORDER BY id LIMIT ?2",
    [SQL_REASONS] = "SELECT reason,count(*) FROM request WHERE state<>1 AND state=2"
                    " GROUP BY reason ORDER BY count(*) DESC,min(id) LIMIT ?1",
    [SQL_REASON_KEYS] = "SELECT key FROM request WHERE state<>1 AND state=2 AND reason IS ?1"
                        " ORDER BY id LIMIT ?2",
};

static bool is_shortage(int errnum)
{
    return errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG;
}

/* What the last failed call on the log said. sqlite3_system_errno tells what errno is by the time that
 * the transaction has been rolled back, which may be something else. */
static int log_errno(const struct ledger *ledger)
{
    sqlite3_file *log = NULL;
    int errnum = 0;

    if (sqlite3_file_control(ledger->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK &&
        log && log->pMethods) {
        (void)log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &errnum);
    }
    return errnum;
}

/* Whether a failed call ran out of space rather than into a broken disk. SQLite says FULL for ENOSPC
 * only. A failed sync is never taken for it: the pages are gone. */
static bool is_full(const struct ledger *ledger, int code)
{
    switch (code & 0xFF) {
    case SQLITE_FULL:
        return true;
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) {
            return false;
        }
        return is_shortage(sqlite3_system_errno(ledger->db)) ||
               (code == SQLITE_IOERR_WRITE && is_shortage(log_errno(ledger)));
    case SQLITE_CANTOPEN:
        return is_shortage(sqlite3_system_errno(ledger->db));
    default:
        return false;
    }
}

enum result ledger_fail(const struct ledger *ledger, const char *doing, struct err *err)
{
    int code = sqlite3_extended_errcode(ledger->db);
    const char *text = sqlite3_errmsg(ledger->db);

    if (is_full(ledger, code)) {
        return err_set(err, RESULT_FULL, "E-DISK1", "%s: no space left while %s", ledger->path,
                       doing);
    }
    switch (code & 0xFF) {
    case SQLITE_NOMEM:
        return err_nomem(err, doing);
    case SQLITE_NOTADB:
        return err_set(err, RESULT_CORRUPT, "E-LEDG1", "%s is not a ledger (%s)", ledger->path,
                       text);
    case SQLITE_CORRUPT:
        return err_set(err, RESULT_CORRUPT, "E-LEDG3",
                       "%s is damaged (%s while %s): put it back from a copy, or begin anew with "
                       "--fresh (the old run is set aside, not deleted)",
                       ledger->path, text, doing);
    case SQLITE_READONLY:
        return err_set(err, RESULT_IO, "E-DIR1", "%s: %s while %s", ledger->path, text, doing);
    case SQLITE_BUSY:
        return err_set(err, RESULT_BUSY, "E-LOCK1", "%s is held by another program while %s",
                       ledger->path, doing);
    default:
        return err_set(err, RESULT_IO, "E-DISK2", "%s: %s while %s (SQLite code %d)", ledger->path,
                       text, doing, code);
    }
}

sqlite3_stmt *ledger_statement(struct ledger *ledger, enum statement which, enum result *result,
                               struct err *err)
{
    sqlite3_stmt **prepared = &ledger->statements[which];

    *result = RESULT_OK;
    if (!*prepared && sqlite3_prepare_v3(ledger->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT,
                                         prepared, NULL) != SQLITE_OK) {
        *result = ledger_fail(ledger, "preparing a query", err);
        return NULL;
    }
    return *prepared;
}

enum result ledger_step(struct ledger *ledger, sqlite3_stmt *st, const char *doing, struct err *err)
{
    enum result result = RESULT_OK;

    if (sqlite3_step(st) != SQLITE_DONE) {
        result = ledger_fail(ledger, doing, err);
    }
    sqlite3_reset(st);
    return result;
}

enum result ledger_run(struct ledger *ledger, enum statement which, const char *doing,
                       struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, which, &result, err);

    return st ? ledger_step(ledger, st, doing, err) : result;
}

bool ledger_next_row(struct ledger *ledger, sqlite3_stmt *st, enum result *result, struct err *err)
{
    int code = sqlite3_step(st);

    if (code == SQLITE_ROW) {
        return true;
    }
    *result = code == SQLITE_DONE ? RESULT_OK : ledger_fail(ledger, "reading the ledger", err);
    sqlite3_reset(st);
    return false;
}

void ledger_roll_back(struct ledger *ledger)
{
    if (ledger->db && !sqlite3_get_autocommit(ledger->db)) {
        (void)sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
    }
}

struct str ledger_column_text(sqlite3_stmt *st, int column)
{
    const unsigned char *text = sqlite3_column_text(st, column);

    return (struct str){ (const char *)text, (size_t)sqlite3_column_bytes(st, column) };
}

struct str ledger_column_bytes(sqlite3_stmt *st, int column)
{
    const void *bytes = sqlite3_column_blob(st, column); /* before its length: it may convert */

    return (struct str){ bytes, (size_t)sqlite3_column_bytes(st, column) };
}

uint64_t ledger_column_u64(sqlite3_stmt *st, int column)
{
    sqlite3_int64 value = sqlite3_column_int64(st, column);

    return value < 0 ? 0 : (uint64_t)value;
}

/* ---- writing ---- */

enum result ledger_begin(struct ledger *ledger, struct err *err)
{
    ledger->folded = false;
    return ledger_run(ledger, SQL_BEGIN, "beginning a commit", err);
}

void ledger_bind_text(sqlite3_stmt *st, int at, struct str text)
{
    /* SQLite keeps no pointer beyond the step that follows. */
    sqlite3_bind_text(st, at, text.data ? text.data : "", (int)text.len, SQLITE_STATIC);
}

void ledger_bind_optional(sqlite3_stmt *st, int at, struct str text)
{
    if (text.data) {
        ledger_bind_text(st, at, text);
    } else {
        sqlite3_bind_null(st, at);
    }
}

static void bind_row(sqlite3_stmt *st, const struct settlement *settlement)
{
    const struct request *request = settlement->response->request;
    const struct record *record = &settlement->record;

    sqlite3_bind_int64(st, 1, (sqlite3_int64)request->id);
    sqlite3_bind_int(st, 2, (int)settlement->state);
    sqlite3_bind_int(st, 3, (int)request->endpoint);
    sqlite3_bind_int64(st, 4, request->attempt);
    sqlite3_bind_int(st, 5, settlement->response->status);
    sqlite3_bind_int(st, 6, (int)settlement->body_kind);
    if (record->length) {
        sqlite3_bind_int64(st, 7, record->segment);
        sqlite3_bind_int64(st, 8, (sqlite3_int64)record->offset);
        sqlite3_bind_int64(st, 9, record->length);
        sqlite3_bind_int64(st, 10, record->crc32c);
    } else {
        for (int i = 7; i <= 10; i++) {
            sqlite3_bind_null(st, i);
        }
    }
}

/* What its last try came to and, of one that waits, who set the deadline: TRIED_COLUMNS. */
static void bind_tried(sqlite3_stmt *st, const struct settlement *settlement)
{
    const struct request *request = settlement->response->request;
    const struct due *due = &request->due;
    bool waits = settlement->state == SETTLE_WAITING;

    sqlite3_bind_int(st, 13, (int)request->last.outcome);
    sqlite3_bind_int(st, 14, (int)request->last.failure.class);
    sqlite3_bind_int(st, 15, (int)(waits ? due->by : DUE_NONE));
    sqlite3_bind_int64(st, 16, waits ? (sqlite3_int64)due->wait_us : 0);
    sqlite3_bind_int64(st, 17, waits ? (sqlite3_int64)due->ceiling_us : 0);
    ledger_bind_text(st, 18, str_view(waits ? due->host : ""));
    ledger_bind_text(st, 19, str_view(waits ? due->said : ""));
    ledger_bind_text(st, 20, str_view(request->reason));
    ledger_bind_text(st, 21, settlement->url.data ? settlement->url : request->url);
}

/* So that the deadline outlives both a restart and a wall clock that is set. */
static void bind_deadline(const struct ledger *ledger, sqlite3_stmt *st,
                          const struct settlement *settlement)
{
    bool waits = settlement->state == SETTLE_WAITING;

    for (int i = 22; i <= 24; i++) {
        sqlite3_bind_null(st, i);
    }
    if (waits && settlement->waits_us) {
        sqlite3_bind_int64(st, 22, (sqlite3_int64)settlement->waits_us);
    }
    if (waits && ledger->clock.boot) {
        sqlite3_bind_int64(st, 23, (sqlite3_int64)settlement->response->request->due_us);
        sqlite3_bind_int64(st, 24, (sqlite3_int64)ledger->clock.boot);
    }
}

void ledger_bind_clock(const struct ledger *ledger, sqlite3_stmt *st)
{
    const struct ledger_clock *clock = &ledger->clock;
    int wall = sqlite3_bind_parameter_index(st, ":wall");

    sqlite3_bind_null(st, wall);
    if (clock->wall_us) {
        sqlite3_bind_int64(st, wall, clock->wall_us);
    }
    sqlite3_bind_null(st, sqlite3_bind_parameter_index(st, ":boot"));
    if (clock->boot) {
        sqlite3_bind_int64(st, sqlite3_bind_parameter_index(st, ":boot"),
                           (sqlite3_int64)clock->boot);
        sqlite3_bind_int64(st, sqlite3_bind_parameter_index(st, ":now"),
                           (sqlite3_int64)clock->now_us);
    }
}

void ledger_set_clock(struct ledger *ledger, const struct ledger_clock *clock)
{
    ledger->clock = *clock;
}

void ledger_read_tried(sqlite3_stmt *st, int column, struct ledger_tried *tried)
{
    int status = sqlite3_column_int(st, column);
    int outcome = sqlite3_column_int(st, column + 1), class = sqlite3_column_int(st, column + 2);
    int by = sqlite3_column_int(st, column + 3);

    /* Somebody may have written into it: a number that is none is no index. */
    outcome = outcome >= 0 && outcome < OUTCOME_COUNT ? outcome : OUTCOME_LOCAL;
    class = class > 0 && class < FAILURE_CLASS_COUNT ? class : FAILURE_OTHER;
    by = by > 0 && by < DUE_BY_COUNT ? by : DUE_NONE;
    tried->last = (struct last_try){
        .outcome = (enum outcome)outcome,
        .status = status,
        .failure = { (enum failure_class) class, class == FAILURE_STATUS ? status : 0 },
    };
    tried->due = (struct due){
        .by = (enum due_by)by,
        .status = status,
        .wait_us = ledger_column_u64(st, column + 4),
        .ceiling_us = ledger_column_u64(st, column + 5),
    };
    snprintf(tried->due.host, sizeof tried->due.host, "%.*s",
             STR_ARG(ledger_column_text(st, column + 6)));
    snprintf(tried->due.said, sizeof tried->due.said, "%.*s",
             STR_ARG(ledger_column_text(st, column + 7)));
    tried->reason = ledger_column_text(st, column + 8);
}

enum result ledger_put(struct ledger *ledger, const struct settlement *settlement, bool *duplicate,
                       struct err *err)
{
    bool done = settlement->state == SETTLE_DONE;
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, done ? SQL_PUT_ENDED : SQL_PUT_OPEN, &result, err);

    if (!st) {
        ledger_roll_back(ledger);
        return result;
    }
    bind_row(st, settlement);
    if (!done) {
        const struct request *request = settlement->response->request;

        ledger_bind_text(st, 11, request->key);
        if (settlement->state == SETTLE_WAITING) {
            sqlite3_bind_int64(st, 12, settlement->not_before_wall_us);
        } else {
            sqlite3_bind_null(st, 12);
        }
        bind_tried(st, settlement);
        bind_deadline(ledger, st, settlement);
    }
    result = ledger_step(ledger, st, "settling a request", err);
    *duplicate = result == RESULT_OK && sqlite3_changes(ledger->db) == 0;
    if (result == RESULT_OK && !*duplicate) {
        uint64_t id = settlement->response->request->id;

        result = done ? ledger_forget_said(ledger, id, err)
                      : ledger_put_said(ledger, id, &settlement->said, err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    if (result == RESULT_OK && settlement->response->request->is_marked) {
        result = ledger_drop_sending(ledger, settlement->response->request->id, err);
    }
    return result == RESULT_OK && settlement->response->request->exchange.asked
               ? ledger_put_exchange(ledger, settlement, err)
               : result;
}

enum result ledger_put_segment(struct ledger *ledger, const struct segment_extent *extent,
                               struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_PUT_SEGMENT, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 1, extent->number);
        sqlite3_bind_int64(st, 2, (sqlite3_int64)extent->committed);
        sqlite3_bind_int64(st, 3, (sqlite3_int64)extent->last_batch);
        sqlite3_bind_int64(st, 4, (sqlite3_int64)extent->body_bytes);
        sqlite3_bind_int64(st, 5, (sqlite3_int64)extent->lines);
        result = ledger_step(ledger, st, "noting a segment's length", err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

enum result ledger_put_planned(struct ledger *ledger, uint64_t planned, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_PUT_PLANNED, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)planned);
        result = ledger_step(ledger, st, "noting the plan's size", err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

enum result ledger_put_kept(struct ledger *ledger, const char *name, struct str text,
                            struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_PUT_KEPT, &result, err);

    if (st) {
        ledger_bind_text(st, 1, str_view(name));
        ledger_bind_text(st, 2, text);
        result = ledger_step(ledger, st, "keeping a copy of the job", err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

enum result ledger_commit(struct ledger *ledger, struct err *err)
{
    enum result result = ledger_run(ledger, SQL_COMMIT, "committing", err);

    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    } else if (ledger->log_pages >= LOG_PAGES_MAX) {
        result = ledger_checkpoint(ledger, false, err);
    }
    return result;
}

enum result ledger_session_begin(struct ledger *ledger, int64_t wall_us, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_SESSION_BEGIN, &result, err);

    ledger->folded = false;
    if (st) {
        sqlite3_bind_int64(st, 1, getpid());
        sqlite3_bind_int64(st, 2, wall_us);
        result = ledger_step(ledger, st, "noting the start", err);
    }
    return result;
}

enum result ledger_session_end(struct ledger *ledger, int64_t wall_us, bool clean, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_SESSION_END, &result, err);

    ledger->folded = false;
    if (st) {
        sqlite3_bind_int64(st, 1, wall_us);
        sqlite3_bind_int(st, 2, clean);
        result = ledger_step(ledger, st, "noting the end", err);
    }
    return result;
}

/* ---- reading ---- */

enum result ledger_read_kept(struct ledger *ledger, const char *name, struct buf *out,
                             struct err *err)
{
    enum result result = RESULT_OK;
    bool found = false;
    sqlite3_stmt *st = NULL;

    if (ledger->version >= 3) {
        st = ledger_statement(ledger, SQL_KEPT, &result, err);
    }
    if (st) {
        ledger_bind_text(st, 1, str_view(name));
    }
    while (st && ledger_next_row(ledger, st, &result, err)) {
        found = true;
        if (buf_append_str(out, ledger_column_text(st, 0)) != RESULT_OK) {
            sqlite3_reset(st);
            return err_nomem(err, "reading the ledger");
        }
    }
    return result == RESULT_OK && !found ? err_set(err, RESULT_NOT_FOUND, "E-LEDG5",
                                                   "%s has no copy of %s", ledger->path, name)
                                         : result;
}

enum result ledger_each_row(struct ledger *ledger,
                            void (*visit)(void *context, const struct ledger_row *row),
                            void *context, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_ROWS, &result, err);

    if (st) {
        ledger_bind_clock(ledger, st);
    }
    while (st && ledger_next_row(ledger, st, &result, err)) {
        struct ledger_row row = {
            .id = ledger_column_u64(st, 0),
            .state = (enum settle_state)sqlite3_column_int(st, 1),
            .attempt = (uint32_t)ledger_column_u64(st, 2),
            .endpoint = (uint32_t)ledger_column_u64(st, 3),
            .status = sqlite3_column_int(st, 5),
        };

        if (row.state != SETTLE_DONE) {
            struct ledger_tried tried;

            ledger_read_tried(st, 5, &tried);
            row.not_before_wall_us = sqlite3_column_int64(st, 4);
            row.last = tried.last;
            row.due = tried.due;
            row.reason = tried.reason;
        }
        visit(context, &row);
    }
    return result;
}

enum result ledger_each_segment(struct ledger *ledger,
                                enum result (*visit)(void *context,
                                                     const struct segment_extent *extent,
                                                     struct err *err),
                                void *context, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_SEGMENTS, &result, err);

    while (st && ledger_next_row(ledger, st, &result, err)) {
        struct segment_extent extent = {
            .number = (uint32_t)ledger_column_u64(st, 0),
            .committed = ledger_column_u64(st, 1),
            .last_batch = ledger_column_u64(st, 2),
            .body_bytes = ledger_column_u64(st, 3),
            .lines = ledger_column_u64(st, 4),
        };

        result = visit(context, &extent, err);
        if (result != RESULT_OK) {
            sqlite3_reset(st);
            break;
        }
    }
    return result;
}

struct record ledger_record(sqlite3_stmt *st)
{
    return (struct record){
        .id = ledger_column_u64(st, 0),
        .offset = ledger_column_u64(st, 1),
        .length = (uint32_t)ledger_column_u64(st, 2),
        .segment = (uint32_t)ledger_column_u64(st, 3),
        .crc32c = (uint32_t)ledger_column_u64(st, 4),
        .status = (uint16_t)ledger_column_u64(st, 5),
        .endpoint = (uint16_t)ledger_column_u64(st, 6),
    };
}

enum result ledger_read_index(struct ledger *ledger, enum ledger_index index, uint64_t after_id,
                              struct record *records, size_t max, size_t *count, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_INDEX, &result, err);

    *count = 0;
    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, after_id > INT64_MAX ? INT64_MAX : (sqlite3_int64)after_id);
    sqlite3_bind_int(st, 2, (int)index);
    sqlite3_bind_int64(st, 3, (sqlite3_int64)max);
    while (ledger_next_row(ledger, st, &result, err)) {
        records[(*count)++] = ledger_record(st);
    }
    return result;
}
